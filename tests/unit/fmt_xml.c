/* kit/fmt/xml. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/buf.h"
#include "kit/base/str.h"
#include "kit/fmt/xml.h"

static struct kit_xml parsed(const char *text)
{
    struct kit_xml xml = {0};
    struct kit_err err;

    if (kit_xml_parse(text, strlen(text), &xml, &err) < 0)
        fail_msg("%s: %s", text, err.msg);
    return xml;
}

static const char answer[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<DescribeRouteTablesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\n"
    "  <requestId>r-1</requestId>\n"
    "  <routeTableSet>\n"
    "    <item><routeTableId>rtb-1</routeTableId><routeSet><item><state>active</state></item>"
    "</routeSet></item>\n"
    "    <other/>\n"
    "    <item><routeTableId> rtb-2\n </routeTableId><tagSet/></item>\n"
    "  </routeTableSet>\n"
    "</DescribeRouteTablesResponse>\n";

static void an_answer_is_walked(void **state)
{
    KIT_AUTO(kit_xml) xml = parsed(answer);
    const struct kit_xml_node *root = kit_xml_root(&xml);
    char id[16], ids[64] = "";

    (void)state;
    assert_string_equal(kit_xml_name(root), "DescribeRouteTablesResponse");
    assert_true(kit_xml_text(root, "requestId", id, sizeof(id)));
    assert_string_equal(id, "r-1");
    KIT_XML_EACH (item, kit_xml_child(root, "routeTableSet"), "item") {
        assert_true(kit_xml_text(item, "routeTableId", id, sizeof(id)));
        (void)kit_str_format(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s ", id);
    }
    assert_string_equal(ids, "rtb-1 rtb-2 ");
}

static void what_is_not_there_is_null_all_the_way(void **state)
{
    KIT_AUTO(kit_xml) xml = parsed(answer);
    const struct kit_xml_node *root = kit_xml_root(&xml);
    char text[8] = "old";
    int count = 0;

    (void)state;
    assert_null(kit_xml_child(kit_xml_child(kit_xml_child(root, "x"), "y"), "z"));
    assert_null(kit_xml_child(root, "item")); /* a grandchild is no child */
    assert_null(kit_xml_next(root));
    assert_null(kit_xml_next(NULL));
    assert_string_equal(kit_xml_name(NULL), "");
    assert_false(kit_xml_text(root, "x", text, sizeof(text)));
    assert_string_equal(text, "");
    KIT_XML_EACH (item, kit_xml_child(root, "x"), "item")
        count++;
    assert_int_equal(count, 0);
    assert_null(kit_xml_root(&(struct kit_xml){0}));
}

static void find_looks_in_document_order_and_stays_below(void **state)
{
    static const char text[] =
        "<r><a><b><Code>1</Code></b></a><c><Code>2</Code></c><d/><Code>3</Code></r>";
    KIT_AUTO(kit_xml) xml = parsed(text);
    const struct kit_xml_node *root = kit_xml_root(&xml);
    char code[4];

    (void)state;
    assert_true(kit_xml_own_text(kit_xml_find(root, "Code"), code, sizeof(code)));
    assert_string_equal(code, "1");
    assert_true(
        kit_xml_own_text(kit_xml_find(kit_xml_child(root, "c"), "Code"), code, sizeof(code)));
    assert_string_equal(code, "2");
    assert_null(kit_xml_find(kit_xml_child(root, "d"), "Code")); /* not out into a sibling */
    assert_ptr_equal(kit_xml_find(root, "r"), root);
    assert_null(kit_xml_find(root, "x"));
    assert_null(kit_xml_find(NULL, "x"));
}

static void text_is_trimmed_joined_and_bounded(void **state)
{
    static const struct {
        const char *text;
        size_t room;
        bool fits;
        const char *wanted;
    } rows[] = {
        {"<a><t>abc</t></a>", 4, true, "abc"},
        {"<a><t>abc</t></a>", 3, false, ""},
        {"<a><t>\n   abc   \n</t></a>", 4, true, "abc"},
        {"<a><t>  a b  </t></a>", 4, true, "a b"},
        {"<a><t>ab c</t></a>", 3, false, ""},
        {"<a><t/></a>", 1, true, ""},
        {"<a><t></t></a>", 4, true, ""},
        {"<a><t>   </t></a>", 1, true, ""},
        {"<a><t>x</t></a>", 1, false, ""},
        {"<a><t>&lt;&amp;&#65;</t></a>", 8, true, "<&A"},
        {"<a><t>x<![CDATA[<y>]]>z</t></a>", 8, true, "x<y>z"},
        {"<a><t>x<!-- c -->y<b>no</b>z</t></a>", 8, true, "xyz"},
        {"<a xmlns:e=\"u\"><e:t>n</e:t></a>", 8, true, "n"},
    };
    char text[16];

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        KIT_AUTO(kit_xml) xml = parsed(rows[i].text);
        memset(text, '#', sizeof(text));
        assert_int_equal(kit_xml_text(kit_xml_root(&xml), "t", text, rows[i].room), rows[i].fits);
        assert_string_equal(text, rows[i].wanted);
        assert_int_equal(text[rows[i].room], '#');
    }
}

static void other_texts_are_refused_with_line_and_reason(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        {"", "empty"},
        {"busy", "line 1"},
        {"{\"a\": 1}", "line 1"},
        {"<a>\n<b>\n</a>", "line 3"},
        {"<a>", "line 1"},
        {"<a/><b/>", "line 1"},
        {"<a b=1/>", "line 1"},
        {"<a>&unknown;</a>", "unknown"},
        {"<a>\x01</a>", "line 1"},
        {"<a>\xff</a>", "line 1"},
        {"<!DOCTYPE html>\n<html></html>", "DOCTYPE"},
        {"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "DOCTYPE"},
        {"<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/x.dtd\"><a/>", "DOCTYPE"},
    };
    struct kit_xml xml = {0};
    struct kit_err err;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        if (kit_xml_parse(rows[i].text, strlen(rows[i].text), &xml, &err) == 0)
            fail_msg("accepted: %s", rows[i].text);
        assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
        assert_non_null(strstr(err.msg, rows[i].says));
        assert_null(strchr(err.msg, '\n'));
        assert_null(xml.doc);
    }
    assert_int_equal(kit_xml_parse("<a>\0</a>", 8, &xml, &err), -1);
}

/* In UTF-16 the bytes of "<!DOCTYPE" look different, and the parser must be the one to see it. */
static void a_doctype_in_another_encoding_is_refused_too(void **state)
{
    static const char text[] = "<!DOCTYPE a [<!ENTITY x \"y\">]><a/>";
    char wide[2 * sizeof(text)] = "\xff\xfe";
    size_t len = 2;
    struct kit_xml xml = {0};
    struct kit_err err;

    (void)state;
    for (size_t i = 0; text[i]; i++) {
        wide[len++] = text[i];
        wide[len++] = '\0';
    }
    assert_int_equal(kit_xml_parse(wide, len, &xml, &err), -1);
    assert_non_null(strstr(err.msg, "DOCTYPE"));
}

static void depth_has_a_limit(void **state)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(1u << 20);
    struct kit_xml xml = {0};
    struct kit_err err;

    (void)state;
    for (int i = 0; i < 5000; i++)
        (void)kit_buf_puts(&text, "<a>");
    for (int i = 0; i < 5000; i++)
        (void)kit_buf_puts(&text, "</a>");
    assert_int_equal(kit_xml_parse(text.data, text.len_bytes, &xml, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_walked),
        cmocka_unit_test(what_is_not_there_is_null_all_the_way),
        cmocka_unit_test(find_looks_in_document_order_and_stays_below),
        cmocka_unit_test(text_is_trimmed_joined_and_bounded),
        cmocka_unit_test(other_texts_are_refused_with_line_and_reason),
        cmocka_unit_test(a_doctype_in_another_encoding_is_refused_too),
        cmocka_unit_test(depth_has_a_limit),
    };
    return cmocka_run_group_tests_name("fmt/xml", tests, NULL, NULL);
}
