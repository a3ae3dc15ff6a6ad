/* kit/cloud/aliyun/route_entry.c - one entry of a route table, asked for and read. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/route_table.h"

static bool decode(const struct kit_json_node *item, const struct kit_cidr *destination,
                   struct ali_route_entry *ret_entry)
{
    const struct kit_json_node *hop = ali_list_at(item, "NextHops", "NextHop", 0);
    struct ali_route_entry entry = {0};
    char text[KIT_CIDR_TEXT];
    struct kit_cidr cidr;

    if (!ali_text(item, "DestinationCidrBlock", text, sizeof(text)) ||
        !kit_cidr_parse(text, &cidr) || !kit_cidr_eq(&cidr, destination))
        return false;
    (void)ali_text(item, "RouteEntryId", entry.id, sizeof(entry.id));
    (void)ali_text(item, "Status", entry.status, sizeof(entry.status));
    (void)ali_text(item, "Type", entry.type, sizeof(entry.type));
    (void)ali_text(item, "ServiceType", entry.service, sizeof(entry.service));
    entry.hops = ali_list_count(item, "NextHops", "NextHop");
    (void)ali_text(hop, "NextHopType", entry.hop_type, sizeof(entry.hop_type));
    (void)ali_text(hop, "NextHopId", entry.hop, sizeof(entry.hop));
    *ret_entry = entry;
    return true;
}

bool ali_route_entry_is_available(const struct ali_route_entry *entry)
{
    return kit_str_eq_nocase(entry->status, "Available");
}

bool ali_route_entry_is_custom(const struct ali_route_entry *entry)
{
    return kit_str_eq_nocase(entry->type, "Custom");
}

void ali_route_entries_take(const struct kit_json_node *root, const struct kit_cidr *destination,
                            bool *found, struct ali_route_entry *entry)
{
    size_t n = ali_list_count(root, "RouteEntrys", "RouteEntry");

    for (size_t i = 0; i < n; i++) {
        struct ali_route_entry one;

        if (!decode(ali_list_at(root, "RouteEntrys", "RouteEntry", i), destination, &one))
            continue;
        if (!*found || ali_route_entry_is_custom(&one))
            *entry = one;
        *found = true;
    }
}

void ali_route_entries_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *table,
                            const struct kit_cidr *destination, const char *token)
{
    ali_rpc_init(r, cloud, &ali_vpc, "DescribeRouteEntryList", ALI_READS);
    ali_rpc_param(r, "RouteTableId", table);
    if (destination) {
        char text[KIT_CIDR_TEXT];

        ali_rpc_param(r, "DestinationCidrBlock", kit_cidr_text(destination, text));
    }
    ali_rpc_param(r, "MaxResult", "100");
    if (token)
        ali_rpc_param(r, "NextToken", token);
}

int ali_route_entry_read(struct ali_cloud *cloud, const char *table,
                         const struct kit_cidr *destination, struct kit_deadline by,
                         bool *ret_found, struct ali_route_entry *ret_entry, struct kit_err *err)
{
    struct ali_route_entry entry = {0};
    char token[ALI_PAGE_TOKEN] = "";
    bool found = false;
    int more = 1;

    while (more > 0) {
        struct ali_rpc r;

        ali_route_entries_call(&r, cloud, table, destination, token[0] ? token : NULL);
        more = ali_rpc_run(&r, by, err) ? -1 : ali_next_token(&r, token, err);
        if (more >= 0)
            ali_route_entries_take(ali_rpc_root(&r), destination, &found, &entry);
        ali_rpc_done(&r);
    }
    if (more < 0)
        return -1;
    *ret_found = found;
    *ret_entry = entry;
    return 0;
}

/* A key has at most 128 characters and a value too (VPC's API, TagResources), of up to four bytes
 * each. */
void ali_route_take_tags(const struct kit_json_node *table, const char *id, struct kit_facts *facts)
{
    size_t n = ali_list_count(table, "Tags", "Tag");
    char key[128 * 4 + 1], value[128 * 4 + 1];

    for (size_t i = 0; i < n; i++) {
        const struct kit_json_node *tag = ali_list_at(table, "Tags", "Tag", i);

        if (!ali_text(tag, "Key", key, sizeof(key)) || !key[0])
            continue;
        (void)ali_text(tag, "Value", value, sizeof(value));
        kit_facts_add_tag(facts, id, key, value);
    }
}
