#include "aws.h"

#include <stdio.h>
#include <string.h>

static void escape(struct sim_buf *out, const char *value)
{
    for (;;) {
        size_t plain = strcspn(value, "<>&\"'");

        sim_buf_add(out, value, plain);
        value += plain;
        switch (*value++) {
        case '\0': return;
        case '<': sim_buf_str(out, "&lt;"); break;
        case '>': sim_buf_str(out, "&gt;"); break;
        case '&': sim_buf_str(out, "&amp;"); break;
        case '"': sim_buf_str(out, "&quot;"); break;
        default: sim_buf_str(out, "&apos;"); break;
        }
    }
}

void aws_xml_open(struct sim_buf *out, const char *name)
{
    sim_buf_add(out, "<", 1);
    sim_buf_str(out, name);
    sim_buf_add(out, ">", 1);
}

void aws_xml_close(struct sim_buf *out, const char *name)
{
    sim_buf_add(out, "</", 2);
    sim_buf_str(out, name);
    sim_buf_add(out, ">", 1);
}

void aws_xml_text(struct sim_buf *out, const char *name, const char *value)
{
    if (!*value) {
        sim_buf_add(out, "<", 1);
        sim_buf_str(out, name);
        sim_buf_add(out, "/>", 2);
        return;
    }
    aws_xml_open(out, name);
    escape(out, value);
    aws_xml_close(out, name);
}

void aws_xml_text_if(struct sim_buf *out, const char *name, const char *value)
{
    if (*value)
        aws_xml_text(out, name, value);
}

void aws_xml_bool(struct sim_buf *out, const char *name, bool value)
{
    aws_xml_text(out, name, value ? "true" : "false");
}

void aws_xml_int(struct sim_buf *out, const char *name, int64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)value);
    aws_xml_text(out, name, text);
}

void aws_xml_tags(struct sim_buf *out, const struct json_object *object)
{
    struct json_object *tags = sim_json_get(object, "tags");

    if (!json_object_is_type(tags, json_type_object) || !json_object_object_length(tags)) {
        aws_xml_text(out, "tagSet", "");
        return;
    }
    aws_xml_open(out, "tagSet");
    json_object_object_foreach(tags, key, value)
    {
        aws_xml_open(out, "item");
        aws_xml_text(out, "key", key);
        aws_xml_text(out, "value", json_object_get_string(value));
        aws_xml_close(out, "item");
    }
    aws_xml_close(out, "tagSet");
}
