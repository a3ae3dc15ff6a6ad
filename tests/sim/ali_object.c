/* The objects of the world: found by id, changed over time, and listed page by page. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ali.h"

const struct ali_kind_info ali_kinds[ALI_KINDS] = {
    [ALI_VPC] = {"vpcs", "vpc_id", "vpc", "InvalidVpcId.NotFound", 404, "", "vpc"},
    [ALI_VSWITCH] = {"vswitches", "vswitch_id", "vsw", "InvalidVSwitchId.NotFound", 404, "",
                     "vswitch"},
    [ALI_GATEWAY] = {"ipv4_gateways", "ipv4_gateway_id", "ipv4gw", "ResourceNotFound.Ipv4Gateway",
                     404, "", "ipv4gateway"},
    [ALI_GROUP] = {"security_groups", "security_group_id", "sg", "InvalidSecurityGroupId.NotFound",
                   404, "", "securitygroup"},
    [ALI_INSTANCE] = {"instances", "instance_id", "i", "InvalidInstanceId.NotFound", 404,
                      "instance", "instance"},
    [ALI_ENI] = {"network_interfaces", "network_interface_id", "eni", "InvalidEniId.NotFound", 404,
                 "eni", "eni"},
    [ALI_EIP] = {"eips", "allocation_id", "eip", "InvalidAllocationId.NotFound", 404, "eip", "eip"},
    [ALI_HAVIP] = {"havips", "havip_id", "havip", "InvalidHaVipId.NotFound", 404, "havip", "havip"},
    [ALI_TABLE] = {"route_tables", "route_table_id", "vtb", "InvalidRouteTable.NotFound", 404, "",
                   "routetable"},
    [ALI_NAT] = {"nat_gateways", "nat_gateway_id", "ngw", "InvalidNatGatewayId.NotFound", 404, "",
                 "natgateway"},
    [ALI_SNAT] = {"snat_entries", "snat_entry_id", "snat", "InvalidSnatEntryId.NotFound", 404,
                  "snat", "snatentry"},
};

struct json_object *ali_all(const struct json_object *ali, enum ali_kind kind)
{
    return sim_json_array(ali, ali_kinds[kind].array);
}

struct json_object *ali_find(const struct json_object *ali, enum ali_kind kind, const char *id)
{
    return sim_json_find(ali_all(ali, kind), ali_kinds[kind].id_key, id);
}

struct json_object *ali_need(const struct ali_call *call, enum ali_kind kind, const char *param,
                             struct ali_error *err)
{
    const struct ali_kind_info *info = &ali_kinds[kind];
    const char *id = ali_text(call, param);
    struct json_object *object = ali_find(call->ali, kind, id);

    if (!object && !*id)
        ali_fail(err, 400, "MissingParameter",
                 "The input parameter \"%s\" that is mandatory for processing this request is not "
                 "supplied.",
                 param);
    else if (!object)
        ali_fail(err, info->status, info->code, "The specified %s \"%.64s\" does not exist.", param,
                 id);
    return object;
}

struct json_object *ali_find_any(const struct json_object *ali, const char *id,
                                 struct json_object **ret_array, const char **ret_delay)
{
    struct json_object *object, *table;

    for (unsigned kind = 0; kind < ALI_KINDS; kind++) {
        object = ali_find(ali, (enum ali_kind)kind, id);
        if (object) {
            *ret_array = ali_all(ali, (enum ali_kind)kind);
            *ret_delay = ali_kinds[kind].delay;
            return object;
        }
    }
    SIM_JSON_EACH(table, ali_all(ali, ALI_TABLE))
    {
        *ret_array = sim_json_array(table, "routes");
        *ret_delay = "route";
        object = sim_json_find(*ret_array, "route_entry_id", id);
        if (object)
            return object;
    }
    return NULL;
}

bool ali_is(const struct json_object *object, const char *key, const char *value)
{
    return !strcmp(sim_json_str(object, key), value);
}

bool ali_in_state(const struct json_object *object, const char *states)
{
    return sim_words_know(states, sim_json_str(object, "status"));
}

void ali_new_id(struct sim_world *world, const char *prefix, char *ret_id, size_t size)
{
    snprintf(ret_id, size, "%s-new%05llu", prefix, (unsigned long long)world->next_id++);
}

struct json_object *ali_copy_or_null(const struct json_object *object, const char *key)
{
    return sim_json_copy(sim_json_get(object, key));
}

/* ---- states between -------------------------------------------------------------------------- */

struct json_object *ali_next(const char *status)
{
    struct json_object *next = json_object_new_object();

    sim_json_set_str(next, "status", status);
    return next;
}

void ali_settle(struct json_object *object)
{
    json_object_object_del(object, "task");
}

int ali_finish(struct json_object *ali, const struct json_object *event)
{
    struct json_object *array, *next = sim_json_get(event, "next");
    const char *delay;
    struct json_object *object = ali_find_any(ali, sim_json_str(event, "id"), &array, &delay);

    if (!object || sim_json_int(object, "task", 0) != sim_json_int(event, "task", -1))
        return -1;
    ali_settle(object);
    if (!next) {
        sim_json_remove(array, object);
        return 0;
    }
    json_object_object_foreach(next, name, value)
    {
        if (value)
            json_object_object_add(object, name, sim_json_copy(value));
        else
            json_object_object_del(object, name);
    }
    return 0;
}

void ali_begin(struct ali_call *call, const char *id, const char *between, struct json_object *next)
{
    const char *delay;
    struct json_object *array, *event = json_object_new_object();
    struct json_object *object = ali_find_any(call->ali, id, &array, &delay);
    int64_t task = (int64_t)call->world->next_id++;
    int64_t ms = sim_json_int(sim_json_get(call->ali, "delays_ms"), delay, 60);
    struct sim_error ignored;

    sim_json_set_str(event, "op", "finish");
    sim_json_set_str(event, "id", id);
    sim_json_set_int(event, "task", task);
    if (next)
        json_object_object_add(event, "next", next);
    if (object) {
        sim_json_set_int(object, "task", task);
        sim_json_set_str(object, "status", between);
    }
    if (call->dry || !object)
        json_object_put(event);
    else
        (void)sim_world_event(call->world, event, ms, &ignored);
}

/* ---- lists ----------------------------------------------------------------------------------- */

/* A whole number in [1, most]; `otherwise` if the parameter is absent. */
static int page_number(const struct ali_call *call, const char *param, unsigned most,
                       unsigned otherwise, unsigned *ret_number, struct ali_error *err)
{
    const char *text = ali_param(call, param);
    char *end;
    unsigned long number;

    *ret_number = otherwise;
    if (!text || !*text)
        return 0;
    number = strtoul(text, &end, 10);
    if (*end || !number || number > most)
        return ali_fail(err, 400, "InvalidParameter",
                        "The specified parameter \"%s\" is not valid.", param);
    *ret_number = (unsigned)number;
    return 0;
}

/* NextToken is the offset, in a form nobody would make up. */
static int page_token(const struct ali_call *call, size_t *ret_from, struct ali_error *err)
{
    static const char head[] = "AAAAAd", tail[] = "WBF";
    const char *token = ali_text(call, "NextToken");
    char *end = NULL;

    *ret_from = 0;
    if (!*token)
        return 0;
    if (!strncmp(token, head, sizeof(head) - 1))
        *ret_from = strtoul(token + sizeof(head) - 1, &end, 10);
    if (!end || end == token + sizeof(head) - 1 || strcmp(end, tail) != 0)
        return ali_fail(err, 400, "InvalidParameter.NextToken",
                        "The specified NextToken is not valid.");
    return 0;
}

static struct json_object *put_array(struct json_object *out, const struct ali_list *list)
{
    struct json_object *array = json_object_new_array(), *wrapper;

    if (!list->inner) {
        json_object_object_add(out, list->outer, array);
        return array;
    }
    wrapper = json_object_new_object();
    json_object_object_add(wrapper, list->inner, array);
    json_object_object_add(out, list->outer, wrapper);
    return array;
}

/* How the answer says which part of the whole it is. */
static void put_counts(const struct ali_list *list, bool by_token, size_t from, unsigned size,
                       unsigned number, size_t total, struct json_object *out)
{
    char token[64] = "";

    if (!by_token) {
        sim_json_set_int(out, "TotalCount", (int64_t)total);
        sim_json_set_int(out, "PageNumber", number);
        sim_json_set_int(out, "PageSize", size);
        return;
    }
    if (total > from + size)
        snprintf(token, sizeof(token), "AAAAAd%zuWBF", from + size);
    sim_json_set_str(out, "NextToken", token);
    if (!strcmp(list->by_token, "MaxResults"))
        sim_json_set_int(out, "TotalCount", (int64_t)total);
}

int ali_list(struct ali_call *call, struct json_object *all, const struct ali_list *list,
             ali_wanted_fn *wanted,
             struct json_object *(*show)(const struct ali_call *call, struct json_object *object),
             struct json_object *out, struct ali_error *err)
{
    bool by_token = list->by_token &&
                    !(list->both && (ali_param(call, "PageNumber") || ali_param(call, "PageSize")));
    struct json_object *array = put_array(out, list), *object;
    unsigned size, number = 1;
    size_t from = 0, total = 0;

    if (page_number(call, by_token ? list->by_token : "PageSize", list->size_max, list->size, &size,
                    err) ||
        page_number(call, "PageNumber", 1u << 30, 1, &number, err) ||
        (by_token && page_token(call, &from, err)))
        return -1;
    if (!by_token)
        from = (size_t)(number - 1) * size;
    SIM_JSON_EACH(object, all)
    {
        if (!wanted(call, object))
            continue;
        if (total >= from && total < from + size)
            json_object_array_add(array, show(call, object));
        total++;
    }
    put_counts(list, by_token, from, size, number, total, out);
    return 0;
}

struct json_object *ali_wrap(const char *inner, struct json_object *texts)
{
    struct json_object *wrapper = json_object_new_object();

    json_object_object_add(wrapper, inner, texts ? sim_json_copy(texts) : json_object_new_array());
    return wrapper;
}

struct json_object *ali_tags(const struct json_object *object, const char *key, const char *value)
{
    struct json_object *wrapper = json_object_new_object(), *array = json_object_new_array();
    struct json_object *tags = sim_json_get(object, "tags");

    json_object_object_add(wrapper, "Tag", array);
    if (tags) {
        json_object_object_foreach(tags, name, text)
        {
            struct json_object *tag = json_object_new_object();

            sim_json_set_str(tag, key, name);
            sim_json_set_str(tag, value, json_object_get_string(text));
            json_object_array_add(array, tag);
        }
    }
    return wrapper;
}

bool ali_fits(const struct ali_call *call, const char *param, const struct json_object *object,
              const char *key)
{
    const char *value = ali_text(call, param);

    return !*value || ali_is(object, key, value);
}

bool ali_fits_any(const struct ali_call *call, const char *param, const char *text)
{
    const char *value;

    for (size_t i = 1; (value = ali_param_at(call, param, i)); i++)
        if (!strcmp(value, text))
            return true;
    return !ali_param_at(call, param, 1);
}

bool ali_fits_tags(const struct ali_call *call, const struct json_object *object)
{
    struct json_object *tags = sim_json_get(object, "tags");

    for (size_t i = 1;; i++) {
        char name[64];
        const char *key, *value;

        snprintf(name, sizeof(name), "Tag.%zu.Key", i);
        key = ali_param(call, name);
        snprintf(name, sizeof(name), "Tag.%zu.Value", i);
        value = ali_param(call, name);
        if (!key)
            return true;
        if (!sim_json_get(tags, key) || (value && *value && !ali_is(tags, key, value)))
            return false;
    }
}
