/* actions/ctl/nic_moving.c - the addresses that move between nodes: the metadata service lists the
 * one of a private-ip resource among the interface's own while it is here. */
#include <stdlib.h>

#include "actions/ctl/nic.h"
#include "kit/base/mem.h"
#include "kit/conf/load.h"
#include "kit/vip/record.h"

static void add(struct ctl_nic_moving *moving, const struct kit_addr *addr)
{
    moving->addr = kit_mem_grow(moving->addr, moving->count + 1, sizeof(*addr));
    moving->addr[moving->count++] = *addr;
}

/* kit_record_take_fn */
static void take_record(void *arg, const char *tag, const struct kit_record *record)
{
    struct kit_addr addr;

    (void)tag;
    if (kit_addr_parse(record->local_address, &addr))
        add(arg, &addr);
}

void ctl_nic_moving_read(const char *confdir, struct ctl_nic_moving *ret_moving)
{
    struct kit_conf *conf = NULL;
    struct kit_err ignored;

    *ret_moving = (struct ctl_nic_moving){0};
    /* Of resources that a cluster manager alone knows the settings of. */
    (void)!kit_record_each(take_record, ret_moving, &ignored);
    if (kit_conf_load(act_confdir(confdir), &conf, &ignored))
        return;
    for (size_t i = 0; i < kit_conf_count(conf); i++) {
        KIT_AUTO(kit_settings) settings = {0};
        const struct kit_addr *addr;

        if (kit_conf_settings(conf, kit_conf_tag(conf, i), NULL, 0, &settings, &ignored))
            continue;
        addr = kit_settings_addr(&settings, KIT_PARAM_ADDRESS);
        if (addr)
            add(ret_moving, addr);
    }
    kit_conf_free(conf);
}

void ctl_nic_moving_done(struct ctl_nic_moving *moving)
{
    free(moving->addr);
    *moving = (struct ctl_nic_moving){0};
}
