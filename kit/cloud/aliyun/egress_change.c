/* kit/cloud/aliyun/egress_change.c - the changes of the egress procedure, each on its own. */
#include "kit/base/str.h"
#include "kit/cloud/aliyun/egress.h"
#include "kit/cloud/aliyun/eni.h"

int ali_egress_convert(struct kit_cloud *cloud, const struct kit_egress_job *job,
                       struct kit_err *err)
{
    struct ali_eip eip;

    return ali_convert((struct ali_cloud *)cloud, job->facts->instance, job->ui, job->by, &eip,
                       err);
}

/* What the instance has where nothing else was asked for. */
static void put_groups(struct ali_rpc *r, const struct ali_instance *i, char *const *group)
{
    if (group)
        for (unsigned n = 0; group[n]; n++)
            ali_rpc_item(r, "SecurityGroupIds", n + 1, group[n]);
    else
        for (unsigned n = 0; n < i->groups; n++)
            ali_rpc_item(r, "SecurityGroupIds", n + 1, i->group[n]);
}

/* Synchronous; the name is how it is found again when its answer was lost. */
int ali_egress_create(struct kit_cloud *base, const struct kit_egress_job *job, struct kit_err *err)
{
    struct ali_cloud *cloud = (struct ali_cloud *)base;
    char name[128], text[KIT_ADDR_TEXT], id[KIT_ID];
    struct ali_instance i;
    struct ali_rpc r;
    int rc;

    if (job->facts->eni.id[0])
        return 0;
    if (ali_instance_find(cloud, job->facts->instance, job->by, &i, err))
        return -1;
    (void)kit_str_format(name, sizeof(name), ALI_EGRESS_NAME, i.id);
    ali_rpc_init(&r, cloud, &ali_ecs, "CreateNetworkInterface", ALI_MUTATES | ALI_TOKEN);
    (void)kit_str_copy(r.token, sizeof(r.token), job->token);
    r.token_kept = true;
    ali_rpc_param(&r, "VSwitchId", job->facts->new_vswitch);
    ali_rpc_param(&r, "NetworkInterfaceName", name);
    ali_rpc_param(&r, "Description", "made by cloudvip egress unify");
    if (job->wish->address)
        ali_rpc_param(&r, "PrimaryIpAddress", kit_addr_text(job->wish->address, text));
    put_groups(&r, &i, job->wish->group);
    rc = ali_rpc_run(&r, job->by, err);
    /* "If NetworkInterfaceId is empty in the response, try to create the ENI again" (its page). */
    if (!rc && (!ali_text(ali_rpc_root(&r), "NetworkInterfaceId", id, sizeof(id)) || !id[0]))
        rc = kit_err_set(err, KIT_ERR_TRANSIENT,
                         "CreateNetworkInterface: accepted, and no ENI was made: run this again");
    if (!rc)
        kit_op_tell(job->ui, "%s: created", id);
    ali_rpc_done(&r);
    return rc;
}

int ali_egress_attach(struct kit_cloud *cloud, const struct kit_egress_job *job,
                      struct kit_err *err)
{
    const struct kit_egress_facts *f = job->facts;
    const struct ali_eni_move m = {
        .eni = f->eni.id,
        .from = "",
        .to = f->instance,
        .busy = f->eni.node[0] != '\0', /* on its way already: look first */
        .ui = job->ui,
    };

    if (f->eni.attached)
        return 0;
    kit_op_tell(job->ui, "%s: to be attached to %s", f->eni.id, f->instance);
    return ali_eni_move((struct ali_cloud *)cloud, &m, job->by, err);
}

static int move(struct kit_cloud *cloud, const struct kit_egress_job *job, const char *holder,
                const char *from, struct kit_err *err)
{
    struct ali_eip_move m = {
        .mode = ALI_EIP_NAT,
        .id = job->facts->eip.id,
        .holder = holder,
        .type = "NetworkInterface",
        .node = job->facts->instance,
        .from = from,
        .settle = true,
        .ui = job->ui,
    };

    (void)kit_str_copy(m.private_text, sizeof(m.private_text), job->facts->eni.ip);
    return ali_eip_move((struct ali_cloud *)cloud, &m, NULL, job->by, err);
}

int ali_egress_unbind(struct kit_cloud *cloud, const struct kit_egress_job *job,
                      struct kit_err *err)
{
    return job->facts->eip.on_primary ? move(cloud, job, NULL, job->facts->instance, err) : 0;
}

/* Free, or on our ENI already, perhaps in another mode; never off somebody else. */
int ali_egress_bind(struct kit_cloud *cloud, const struct kit_egress_job *job, struct kit_err *err)
{
    return job->facts->eip.on_eni ? 0
                                  : move(cloud, job, job->facts->eni.id, job->facts->eni.id, err);
}
