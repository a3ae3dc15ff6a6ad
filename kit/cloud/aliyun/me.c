/* kit/cloud/aliyun/me.c - this node and its interface, as the metadata service knows them. */
#include <string.h>

#include "kit/cloud/aliyun/metadata.h"
#include "kit/cloud/aliyun/session.h"
#include "kit/base/str.h"

enum {
    ITEM_NODE,
    ITEM_ZONE,
    ITEM_VPC,
    ITEM_ENI, /* this and what follows is asked for an interface only */
    ITEM_VSWITCH,
    ITEM_PRIMARY,
    ITEMS,
};

static void take_items(const struct kit_metadata_item *item, size_t count, struct kit_me *me)
{
    kit_metadata_first_line(&item[ITEM_NODE], me->node, sizeof(me->node));
    kit_metadata_first_line(&item[ITEM_ZONE], me->zone, sizeof(me->zone));
    kit_metadata_first_line(&item[ITEM_VPC], me->vpc, sizeof(me->vpc));
    if (count <= ITEM_ENI)
        return;
    kit_metadata_first_line(&item[ITEM_ENI], me->eni, sizeof(me->eni));
    kit_metadata_first_line(&item[ITEM_VSWITCH], me->vswitch, sizeof(me->vswitch));
    kit_metadata_first_line(&item[ITEM_PRIMARY], me->primary, sizeof(me->primary));
}

/* What the metadata service knows of the instance, and of the interface with this MAC unless it is
 * NULL; a kit_me_ask_fn. */
static int ask_metadata(struct kit_cloud *cloud, const char *mac, struct kit_deadline by,
                        struct kit_me *me, struct kit_err *err)
{
    static const char *const leaf[ITEMS] = {"instance-id", "zone-id",
                                            "vpc-id",      "network-interface-id",
                                            "vswitch-id",  "primary-ip-address"};
    size_t count = mac ? ITEMS : ITEM_ENI;
    struct kit_metadata_item item[ITEMS];
    char path[ITEMS][96];
    int rc;

    for (size_t i = 0; i < count; i++) {
        if (mac && i >= ITEM_VPC)
            (void)kit_str_format(path[i], sizeof(path[i]),
                                 "meta-data/network/interfaces/macs/%s/%s", mac, leaf[i]);
        else
            (void)kit_str_format(path[i], sizeof(path[i]), "meta-data/%s", leaf[i]);
        item[i] = (struct kit_metadata_item){
            .path = path[i], .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    }
    rc = ali_metadata_read((struct ali_cloud *)cloud, item, count, by, err);
    if (!rc)
        take_items(item, count, me);
    for (size_t i = 0; i < count; i++)
        kit_buf_done(&item[i].value);
    return rc;
}

/* The instance alone. */
static int find_instance(struct ali_cloud *cloud, struct kit_deadline by, struct kit_me *ret_me,
                         struct kit_err *err)
{
    const struct kit_me *known = kit_me_recall(&cloud->known, "");
    struct kit_me me = {0};

    if (known) {
        *ret_me = *known;
        return 0;
    }
    if (ask_metadata(&cloud->base, NULL, by, &me, err))
        return kit_err_wrap(err, "find this instance");
    kit_me_keep(&cloud->known, &me);
    *ret_me = me;
    return 0;
}

static int check_wants(const struct kit_me *me, unsigned wants, struct kit_err *err)
{
    if ((wants & ALI_ME_NODE) && !me->node[0])
        return kit_err_set(err, KIT_ERR_PROTOCOL, "the metadata service names no instance");
    if ((wants & ALI_ME_VPC) && !me->vpc[0])
        return kit_err_set(err, KIT_ERR_CONFIG, "the metadata service names no VPC: set `vpc_id`");
    return 0;
}

/* The ENI was named, and an interface too.  With the metadata service known to be there it costs
 * little to hear whether both are the same; without it, or where the interface is none of an ENI (a
 * bridge), the name is believed. */
static int check_named(struct ali_cloud *cloud, const char *interface, const char *eni,
                       struct kit_deadline by, struct kit_err *err)
{
    struct kit_me other;
    struct kit_err ignored;

    if (!interface || !kit_secret_is_set(&cloud->metadata_token) ||
        kit_me_by_interface(&cloud->base, &cloud->known, interface, ask_metadata, by, &other,
                            &ignored))
        return 0;
    return kit_me_same(&other, eni, err);
}

int ali_me_find(struct ali_cloud *cloud, const struct kit_settings *settings, unsigned wants,
                struct kit_deadline by, struct kit_me *ret_me, struct kit_err *err)
{
    const char *interface = kit_settings_text(settings, KIT_PARAM_INTERFACE);
    const char *eni = kit_settings_text(settings, KIT_PARAM_ENI);
    const char *vpc = kit_settings_text(settings, KIT_PARAM_VPC_ID);
    bool ask = (wants & ALI_ME_NODE) || ((wants & ALI_ME_VPC) && !vpc);
    struct kit_me me = {0};

    if ((wants & ALI_ME_ENI) && !eni) {
        if (!interface)
            return kit_err_set(err, KIT_ERR_CONFIG, "set `interface`, or `eni`");
        if (kit_me_by_interface(&cloud->base, &cloud->known, interface, ask_metadata, by, &me, err))
            return -1;
    } else if (ask && find_instance(cloud, by, &me, err)) {
        return -1;
    }
    if ((wants & ALI_ME_ENI) && eni) {
        if (check_named(cloud, interface, eni, by, err))
            return -1;
        (void)kit_str_copy(me.eni, sizeof(me.eni), eni);
    }
    if (vpc)
        (void)kit_str_copy(me.vpc, sizeof(me.vpc), vpc);
    if (check_wants(&me, wants, err))
        return -1;
    *ret_me = me;
    return 0;
}
