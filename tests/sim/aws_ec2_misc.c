/* Tags of whatever has an id, and what an account is told about its surroundings. */
#include <stdlib.h>
#include <string.h>
#include "aws_ec2.h"

/* One tag of one object, as the filters of DescribeTags see it. */
static bool tag_values(const struct aws_call *call, struct json_object *tag,
                       struct aws_filter_test *test)
{
    static const char *const names[] = {"key", "resource-id", "resource-type", "value"};

    (void)call;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(test->name, names[i])) {
            aws_offer(test, sim_json_str(tag, names[i]));
            return true;
        }
    }
    return !strncmp(test->name, "tag:", 4);
}

static void tag_item(const struct aws_call *call, struct sim_buf *out, const char *type,
                     const char *id, const char *key, const char *value,
                     struct aws_filter_test *tests, size_t count)
{
    SIM_AUTO_JSON *tag = json_object_new_object();

    sim_json_set_str(tag, "resource-id", id);
    sim_json_set_str(tag, "resource-type", type);
    sim_json_set_str(tag, "key", key);
    sim_json_set_str(tag, "value", value);
    if (!aws_filters_pass(call, tag, tag_values, tests, count))
        return;
    aws_xml_open(out, "item");
    aws_xml_text(out, "resourceId", id);
    aws_xml_text(out, "resourceType", type);
    aws_xml_text(out, "key", key);
    aws_xml_text(out, "value", value);
    aws_xml_close(out, "item");
}

static int describe_tags(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct aws_filter_test *tests;
    struct json_object *object;
    size_t count;

    if (aws_filters_read(call, tag_values, &tests, &count, err))
        return -1;
    aws_xml_open(out, "tagSet");
    for (unsigned kind = 0; kind < AWS_KINDS; kind++) {
        SIM_JSON_EACH(object, aws_all(call->aws, (enum aws_kind)kind))
        {
            struct json_object *tags = sim_json_get(object, "tags");

            if (!tags)
                continue;
            json_object_object_foreach(tags, key, value) tag_item(
                call, out, aws_kinds[kind].arn_type, sim_json_str(object, aws_kinds[kind].id_key),
                key, json_object_get_string(value), tests, count);
        }
    }
    aws_xml_close(out, "tagSet");
    free(tests);
    return 0;
}

static int create_tags(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    const char *id, *key;

    for (size_t i = 1; (id = aws_param_at(call, "ResourceId", i)); i++)
        if (aws_kind_of(id) == AWS_KINDS || !aws_find(call->aws, aws_kind_of(id), id))
            return aws_fail(err, 400, "InvalidID", "The ID '%.64s' is not valid", id);
    for (size_t i = 1; (id = aws_param_at(call, "ResourceId", i)); i++) {
        struct json_object *object = aws_find(call->aws, aws_kind_of(id), id);
        struct json_object *tags = sim_json_get(object, "tags");

        if (!tags) {
            tags = json_object_new_object();
            json_object_object_add(object, "tags", tags);
        }
        for (size_t j = 1;; j++) {
            char name[32];
            const char *value;

            snprintf(name, sizeof(name), "Tag.%zu.Key", j);
            key = aws_param(call, name);
            snprintf(name, sizeof(name), "Tag.%zu.Value", j);
            value = aws_param(call, name);
            if (!key)
                break;
            sim_json_set_str(tags, key, value ? value : "");
        }
    }
    aws_return_true(out);
    return 0;
}

static int describe_regions(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    (void)err;
    sim_buf_fmt(out,
                "<regionInfo><item><regionName>%s</regionName>"
                "<regionEndpoint>ec2.%s.amazonaws.com</regionEndpoint>"
                "<optInStatus>opt-in-not-required</optInStatus></item></regionInfo>",
                call->region, call->region);
    return 0;
}

static int describe_zones(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    struct json_object *zone;

    (void)err;
    aws_xml_open(out, "availabilityZoneInfo");
    SIM_JSON_EACH(zone, sim_json_array(call->aws, "availability_zones"))
    {
        const char *name = json_object_get_string(zone);

        if (aws_param_at(call, "ZoneName", 1) && !aws_param_has(call, "ZoneName", name))
            continue;
        aws_xml_open(out, "item");
        aws_xml_text(out, "zoneName", name);
        aws_xml_text(out, "zoneState", "available");
        aws_xml_text(out, "regionName", call->region);
        aws_xml_close(out, "item");
    }
    aws_xml_close(out, "availabilityZoneInfo");
    return 0;
}

static int describe_account(struct aws_call *call, struct sim_buf *out, struct aws_error *err)
{
    (void)call, (void)err;
    sim_buf_str(out, "<accountAttributeSet><item><attributeName>supported-platforms</attributeName>"
                     "<attributeValueSet><item><attributeValue>VPC</attributeValue></item>"
                     "</attributeValueSet></item></accountAttributeSet>");
    return 0;
}

const struct aws_ec2_action aws_ec2_misc_actions[] = {
    {"DescribeTags", describe_tags, AWS_READS,
     "Filter.N.Name Filter.N.Value.N MaxResults NextToken DryRun", ""},
    {"CreateTags", create_tags, AWS_CHANGES, "!ResourceId.N Tag.N.Key Tag.N.Value DryRun", ""},
    {"DescribeRegions", describe_regions, AWS_READS,
     "RegionName.N AllRegions Filter.N.Name Filter.N.Value.N DryRun", ""},
    {"DescribeAvailabilityZones", describe_zones, AWS_READS,
     "ZoneName.N ZoneId.N AllAvailabilityZones Filter.N.Name Filter.N.Value.N DryRun", ""},
    {"DescribeAccountAttributes", describe_account, AWS_READS, "AttributeName.N DryRun", ""},
    {0},
};
