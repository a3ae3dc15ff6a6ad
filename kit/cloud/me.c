#include "kit/cloud/me.h"

#include "kit/base/str.h"
#include "kit/sys/link.h"

const struct kit_me *kit_me_recall(const struct kit_me_known *known, const char *interface)
{
    for (size_t i = 0; i < known->count; i++)
        if (kit_str_eq(known->me[i].interface, interface))
            return &known->me[i];
    return NULL;
}

void kit_me_keep(struct kit_me_known *known, const struct kit_me *me)
{
    if (known->count < KIT_LEN(known->me))
        known->me[known->count++] = *me;
}

int kit_me_by_interface(struct kit_cloud *cloud, struct kit_me_known *known, const char *interface,
                        kit_me_ask_fn ask, struct kit_deadline by, struct kit_me *ret_me,
                        struct kit_err *err)
{
    const struct kit_me *before = kit_me_recall(known, interface);
    struct kit_me me = {0};
    struct kit_link link;

    if (before) {
        *ret_me = *before;
        return 0;
    }
    if (kit_link_read(interface, &link, err))
        return -1;
    if (!link.mac[0])
        return kit_err_set(err, KIT_ERR_CONFIG, "interface %s has no MAC address: it is no ENI",
                           interface);
    if (ask(cloud, link.mac, by, &me, err))
        return kit_err_wrap(err, "find the ENI of interface %s (MAC %s)", interface, link.mac);
    if (!me.eni[0])
        return kit_err_set(
            err, KIT_ERR_CONFIG,
            "interface %s (MAC %s) is no ENI of this instance, says the metadata service: "
            "set `interface` to one that is, or `eni` to its id",
            interface, link.mac);
    (void)kit_str_copy(me.interface, sizeof(me.interface), interface);
    (void)kit_str_copy(me.mac, sizeof(me.mac), link.mac);
    kit_me_keep(known, &me);
    *ret_me = me;
    return 0;
}

int kit_me_same(const struct kit_me *by_interface, const char *eni, struct kit_err *err)
{
    if (kit_str_eq(by_interface->eni, eni))
        return 0;
    return kit_err_set(err, KIT_ERR_CONFIG,
                       "interface %s is %s, and eni is %s: they contradict each other",
                       by_interface->interface, by_interface->eni, eni);
}

void kit_facts_set_me(struct kit_facts *facts, const struct kit_me *me)
{
    (void)kit_str_copy(facts->me, sizeof(facts->me), me->eni);
    (void)kit_str_copy(facts->my_node, sizeof(facts->my_node), me->node);
}
