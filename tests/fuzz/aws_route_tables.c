/* Any bytes as EC2's answer to DescribeRouteTables: bindings that say what they are, and nobody's
 * route taken for ours.  The first byte chooses what is looked for. */
#include <stdint.h>
#include <stdlib.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/route_table.h"
#include "kit/vip/plan.h"
#include "kit/vip/where.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct kit_facts *facts)
{
    KIT_AUTO(kit_buf) line = KIT_BUF(512);
    struct kit_plan plan;
    struct kit_err err;

    for (size_t i = 0; i < facts->count; i++) {
        const struct kit_binding *b = &facts->binding[i];
        if (b->right &&
            (!b->mine || b->state != KIT_BINDING_HELD || !kit_str_eq(b->holder, facts->me)))
            abort();
    }
    kit_where_describe(facts, &line);
    if (kit_plan_claim(facts, &plan, &err) == 0) {
        for (size_t i = 0; i < plan.count; i++)
            kit_plan_describe(&plan.step[i], facts, &line);
        kit_plan_done(&plan);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const addresses[] = {"10.1.0.10", "fd00:cafe::10"};
    char first[] = "rtb-1", second[] = "rtb-2";
    char *listed[] = {first, second, NULL};
    KIT_AUTO(kit_xml) xml = {0};
    struct kit_query query = {.for_claim = true, .facts.me = "eni-1"};
    struct aws_route_target target = {.query = &query,
                                      .me = {.eni = "eni-1", .vpc = "vpc-1", .node = "i-1"}};
    struct kit_addr addr;
    struct kit_err err;

    if (size < 1 || !kit_addr_parse(addresses[data[0] & 1], &addr))
        return 0;
    target.destination = kit_cidr_of(&addr);
    target.all_tables = data[0] & 2;
    target.listed = data[0] & 4 ? listed : NULL;
    if (kit_xml_parse((const char *)data + 1, size - 1, &xml, &err))
        return 0;
    KIT_XML_EACH (table, kit_xml_child(kit_xml_root(&xml), "routeTableSet"), "item")
        aws_route_take_table(table, &target);
    check(&query.facts);
    kit_facts_done(&query.facts);
    return 0;
}
