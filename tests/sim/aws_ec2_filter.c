/* Filters, pages, and the Describe that all sorts of objects share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aws_ec2.h"

#define PAGE_DEFAULT 1000u
#define FILTERS_MAX  50

void aws_offer(struct aws_filter_test *test, const char *value)
{
    for (size_t i = 0; i < test->count && !test->hit; i++)
        test->hit = sim_text_match(test->patterns[i], value);
}

void aws_offer_bool(struct aws_filter_test *test, bool value)
{
    aws_offer(test, value ? "true" : "false");
}

bool aws_offer_tags(const struct json_object *object, struct aws_filter_test *test)
{
    struct json_object *tags = sim_json_get(object, "tags");
    bool keys = !strcmp(test->name, "tag-key"), values = !strcmp(test->name, "tag-value");

    if (!keys && !values && strncmp(test->name, "tag:", 4) != 0)
        return false;
    if (!tags)
        return true;
    json_object_object_foreach(tags, key, value)
    {
        if (keys)
            aws_offer(test, key);
        else if (values || !strcmp(key, test->name + 4))
            aws_offer(test, json_object_get_string(value));
    }
    return true;
}

/* The filter number `number`; false if the request has none of that number. */
static bool read_one(const struct aws_call *call, size_t number, struct aws_filter_test *test)
{
    char name[32], prefix[32];
    size_t len;
    bool any = false;

    snprintf(name, sizeof(name), "Filter.%zu.Name", number);
    len = (size_t)snprintf(prefix, sizeof(prefix), "Filter.%zu.Value.", number);
    *test = (struct aws_filter_test){.name = aws_param(call, name)};
    for (size_t i = 0; i < call->params->len; i++) {
        const struct sim_param *param = &call->params->items[i];

        if (strncmp(param->name, prefix, len) != 0)
            continue;
        any = true;
        if (test->count < AWS_FILTER_VALUES_MAX)
            test->patterns[test->count++] = param->value;
    }
    return test->name || any;
}

int aws_filters_read(const struct aws_call *call, aws_values_fn *values,
                     struct aws_filter_test **ret_tests, size_t *ret_count, struct aws_error *err)
{
    struct aws_filter_test *tests = sim_alloc(FILTERS_MAX * sizeof(*tests));
    size_t count = 0;

    while (count < FILTERS_MAX && read_one(call, count + 1, &tests[count])) {
        const char *name = tests[count].name;

        if (!name || !values(call, NULL, &tests[count])) {
            aws_fail(err, 400, "InvalidParameterValue", "The filter '%.128s' is invalid",
                     name ? name : "null");
            free(tests);
            return -1;
        }
        if (!tests[count].count) {
            aws_fail(err, 400, "InvalidParameterValue",
                     "The filter '%.128s' does not have any values", name);
            free(tests);
            return -1;
        }
        count++;
    }
    *ret_tests = tests;
    *ret_count = count;
    return 0;
}

bool aws_filters_pass(const struct aws_call *call, struct json_object *object,
                      aws_values_fn *values, struct aws_filter_test *tests, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        tests[i].hit = false;
        values(call, object, &tests[i]);
        if (!tests[i].hit)
            return false;
    }
    return true;
}

/* ---- pages ----------------------------------------------------------------------------------- */

struct page {
    size_t from, size;
};

static int read_page(const struct aws_call *call, const struct aws_list *list,
                     struct page *ret_page, struct aws_error *err)
{
    const char *size = aws_param(call, "MaxResults");
    const char *token = aws_param(call, "NextToken");
    char *end = NULL;
    unsigned long number;

    *ret_page = (struct page){.size = PAGE_DEFAULT};
    if (size) {
        number = strtoul(size, &end, 10);
        if (end == size || *end)
            return aws_fail_value(err, "maxResults", size);
        if (number < list->page_min || number > list->page_max)
            return aws_fail(err, 400, "InvalidParameterValue",
                            "Value ( %lu ) for parameter maxResults is invalid. Expecting a value "
                            "%s %u.",
                            number,
                            number < list->page_min ? "greater than or equal to"
                                                    : "less than or equal to",
                            number < list->page_min ? list->page_min : list->page_max);
        ret_page->size = number;
    }
    if (token && *token) {
        number = strncmp(token, "cloudsim+", 9) ? 0 : strtoul(token + 9, &end, 16);
        if (!number || *end != '/')
            return aws_fail(err, 400, "InvalidPaginationToken",
                            "The provided pagination token is invalid");
        ret_page->from = number;
    }
    return 0;
}

/* Wanted ids that do not exist are an error. */
static int check_ids(const struct aws_call *call, const struct aws_list *list,
                     struct aws_error *err)
{
    const char *id;

    for (size_t i = 1; (id = aws_param_at(call, list->ids, i)); i++)
        if (!aws_need(call, list->kind, id, err))
            return -1;
    if (list->kind == AWS_INSTANCE && aws_param_at(call, list->ids, 1) &&
        aws_param(call, "MaxResults"))
        return aws_fail(err, 400, "InvalidParameterCombination",
                        "The parameter instancesSet cannot be used with the parameter maxResults");
    return 0;
}

int aws_describe(struct aws_call *call, const struct aws_list *list, struct sim_buf *out,
                 struct aws_error *err)
{
    struct json_object *object, *all = aws_all(call->aws, list->kind);
    bool by_id = aws_param_at(call, list->ids, 1);
    struct aws_filter_test *tests;
    size_t count, hits = 0;
    struct page page;

    if (read_page(call, list, &page, err) || check_ids(call, list, err) ||
        aws_filters_read(call, list->values, &tests, &count, err))
        return -1;
    aws_xml_open(out, list->set);
    SIM_JSON_EACH(object, all)
    {
        const char *id = sim_json_str(object, aws_kinds[list->kind].id_key);

        if (by_id && !aws_param_has(call, list->ids, id))
            continue;
        if (!aws_filters_pass(call, object, list->values, tests, count))
            continue;
        if (hits >= page.from && hits < page.from + page.size) {
            aws_xml_open(out, "item");
            list->item(call, out, object);
            aws_xml_close(out, "item");
        }
        hits++;
    }
    aws_xml_close(out, list->set);
    if (hits > page.from + page.size)
        /* Characters that a client must escape to give it back unchanged. */
        sim_buf_fmt(out, "<nextToken>cloudsim+%zx/==</nextToken>", page.from + page.size);
    free(tests);
    return 0;
}
