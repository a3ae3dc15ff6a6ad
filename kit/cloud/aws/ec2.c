#include "kit/cloud/aws/ec2.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/creds.h"
#include "kit/cloud/aws/endpoint.h"
#include "kit/cloud/aws/imds.h"
#include "kit/cloud/aws/session.h"

int aws_ec2_ready(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    if (aws_region(cloud, by, err) || aws_creds_get(cloud, by, err))
        return -1;
    if (cloud->ec2.url[0])
        return 0;
    return aws_endpoint_for(cloud->settings, aws_session_profiles(cloud), "ec2", cloud->region,
                            &cloud->ec2, err);
}

enum {
    ITEM_ENI,
    ITEM_VPC,
    ITEM_NODE,
    ITEM_ADDRESSES,
    ITEMS
};

static void take_items(const struct kit_metadata_item *item, struct kit_me *me)
{
    kit_metadata_first_line(&item[ITEM_ENI], me->eni, sizeof(me->eni));
    kit_metadata_first_line(&item[ITEM_VPC], me->vpc, sizeof(me->vpc));
    kit_metadata_first_line(&item[ITEM_NODE], me->node, sizeof(me->node));
    kit_metadata_first_line(&item[ITEM_ADDRESSES], me->primary, sizeof(me->primary));
}

/* What the metadata service knows of the interface with this MAC; a kit_me_ask_fn. */
static int ask_metadata(struct kit_cloud *cloud, const char *mac, struct kit_deadline by,
                        struct kit_me *me, struct kit_err *err)
{
    static const char *const leaf[ITEMS] = {"interface-id", "vpc-id", "instance-id", "local-ipv4s"};
    char path[ITEMS][96];
    struct kit_metadata_item item[ITEMS];
    int rc;

    for (int i = 0; i < ITEMS; i++) {
        if (i == ITEM_NODE)
            (void)kit_str_format(path[i], sizeof(path[i]), "meta-data/%s", leaf[i]);
        else
            (void)kit_str_format(path[i], sizeof(path[i]),
                                 "meta-data/network/interfaces/macs/%s/%s", mac, leaf[i]);
        item[i] = (struct kit_metadata_item){
            .path = path[i], .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    }
    rc = aws_imds_read((struct aws_cloud *)cloud, item, ITEMS, by, err);
    if (!rc)
        take_items(item, me);
    for (int i = 0; i < ITEMS; i++)
        kit_buf_done(&item[i].value);
    return rc;
}

/* The VPC of the instance's first interface: all its ENIs are in one VPC. */
static int find_vpc(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    struct kit_metadata_item mac = {.path = "meta-data/mac",
                                    .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    struct kit_me me = {0};
    char text[32];
    int rc;

    if (cloud->vpc[0])
        return 0;
    rc = aws_imds_read(cloud, &mac, 1, by, err);
    kit_metadata_first_line(&mac, text, sizeof(text));
    kit_buf_done(&mac.value);
    if (!rc &&
        strspn(text, "0123456789abcdefABCDEF:") != strlen(text)) /* it becomes part of a path */
        rc = kit_err_set(err, KIT_ERR_PROTOCOL, "the metadata service's MAC is none: %s", text);
    if (rc || ask_metadata(&cloud->base, text, by, &me, err))
        return kit_err_wrap(err, "find the VPC (set `vpc_id` to do without the metadata service)");
    (void)kit_str_copy(cloud->vpc, sizeof(cloud->vpc), me.vpc);
    return 0;
}

/* The ENI was named.  With the metadata service known to be there (it gave us the region or the
 * credentials) it costs little to hear whether that can be; without it, the name is believed. */
static int check_named(struct aws_cloud *cloud, const struct kit_settings *settings,
                       struct kit_deadline by, struct kit_me *me, struct kit_err *err)
{
    const char *interface = kit_settings_text(settings, KIT_PARAM_INTERFACE);
    struct kit_metadata_item item = {.path = "meta-data/instance-id",
                                     .optional = true,
                                     .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    struct kit_me other;
    struct kit_err ignored;

    if (!kit_secret_is_set(&cloud->imds_token))
        return 0;
    if (interface &&
        !kit_me_by_interface(&cloud->base, &cloud->known, interface, ask_metadata, by, &other,
                             &ignored) &&
        kit_me_same(&other, me->eni, err))
        return -1;
    if (!cloud->node[0] && !aws_imds_read(cloud, &item, 1, by, &ignored))
        kit_metadata_first_line(&item, cloud->node, sizeof(cloud->node));
    kit_buf_done(&item.value);
    (void)kit_str_copy(me->node, sizeof(me->node), cloud->node);
    return 0;
}

int aws_me_agrees(const struct kit_me *me, const char *node, struct kit_err *err)
{
    if (!me->node[0] || !node[0] || kit_str_eq(me->node, node))
        return 0;
    return kit_err_set(
        err, KIT_ERR_CONFIG,
        "%s is attached to %s, and this node is %s: name this node's own `interface` or `eni`",
        me->eni, node, me->node);
}

int aws_me_find(struct aws_cloud *cloud, const struct kit_settings *settings, unsigned wants,
                struct kit_deadline by, struct kit_me *ret_me, struct kit_err *err)
{
    const char *eni = kit_settings_text(settings, KIT_PARAM_ENI);
    const char *vpc = kit_settings_text(settings, KIT_PARAM_VPC_ID);
    struct kit_me me = {0};

    if (eni) {
        (void)kit_str_copy(me.eni, sizeof(me.eni), eni);
        if (check_named(cloud, settings, by, &me, err))
            return -1;
    } else if (kit_me_by_interface(&cloud->base, &cloud->known,
                                   kit_settings_text(settings, KIT_PARAM_INTERFACE), ask_metadata,
                                   by, &me, err)) {
        return -1;
    }
    if (vpc)
        (void)kit_str_copy(me.vpc, sizeof(me.vpc), vpc);
    else if ((wants & AWS_ME_VPC) && !me.vpc[0]) {
        if (find_vpc(cloud, by, err))
            return -1;
        (void)kit_str_copy(me.vpc, sizeof(me.vpc), cloud->vpc);
    }
    if ((wants & AWS_ME_VPC) && !me.vpc[0])
        return kit_err_set(err, KIT_ERR_CONFIG, "the metadata service names no VPC: set `vpc_id`");
    *ret_me = me;
    return 0;
}

int aws_take_id(const struct kit_xml_node *item, const char *name, char ret_id[KIT_ID],
                struct kit_err *err)
{
    if (!kit_xml_text(item, name, ret_id, KIT_ID) && kit_xml_child(item, name))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "a %s of more than %d bytes", name, KIT_ID - 1);
    return 0;
}

bool aws_eni_decode(const struct kit_xml_node *item, struct aws_eni *ret_eni)
{
    const struct kit_xml_node *attachment = kit_xml_child(item, "attachment");
    struct aws_eni eni = {0};
    char flag[8];

    if (!kit_xml_text(item, "networkInterfaceId", eni.id, sizeof(eni.id)))
        return false;
    (void)kit_xml_text(attachment, "instanceId", eni.node, sizeof(eni.node));
    (void)kit_xml_text(item, "macAddress", eni.mac, sizeof(eni.mac));
    (void)kit_xml_text(item, "interfaceType", eni.type, sizeof(eni.type));
    (void)kit_xml_text(item, "requesterManaged", flag, sizeof(flag));
    eni.requester_managed = kit_str_eq(flag, "true");
    /* Absent means unknown, and the default of a new ENI is on. */
    (void)kit_xml_text(item, "sourceDestCheck", flag, sizeof(flag));
    eni.source_dest_check = !kit_str_eq(flag, "false");
    *ret_eni = eni;
    return true;
}

void aws_step_result(const struct aws_query *q, struct kit_step *step)
{
    if (!q->call.failed) {
        step->result = KIT_STEP_DONE;
        return;
    }
    step->err = q->call.err;
    step->result =
        step->err.outcome_open || q->note == AWS_NOTE_TAKEN ? KIT_STEP_OPEN : KIT_STEP_FAILED;
}
