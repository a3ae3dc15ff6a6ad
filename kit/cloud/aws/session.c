#include "kit/cloud/aws/session.h"

#include <stdlib.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/egress.h"
#include "kit/cloud/aws/host_nic.h"
#include "kit/cloud/aws/imds.h"
#include "kit/cloud/aws/ops.h"
#include "kit/sys/hostid.h"

struct session {
    struct aws_cloud cloud; /* first: an aws_cloud is cast to this */
    struct aws_profiles *profiles;
    bool profiles_tried;
};

static struct session *of(struct aws_cloud *cloud)
{
    return (struct session *)cloud;
}

static bool is_host(void)
{
    struct kit_hostid id;

    kit_hostid_read(&id);
    return kit_str_eq(id.vendor, "Amazon EC2") || kit_str_eq(id.bios_vendor, "Amazon EC2") ||
           kit_str_ends(id.bios_version, ".amazon");
}

static int open_session(const struct kit_settings *settings, struct kit_caller *caller,
                        struct kit_cloud **ret_cloud, struct kit_err *err);
static void close_session(struct kit_cloud *cloud);

static bool answers(const struct kit_settings *settings, struct kit_caller *caller,
                    struct kit_deadline by)
{
    struct kit_cloud *cloud;
    struct kit_err err;
    bool yes;

    if (open_session(settings, caller, &cloud, &err))
        return false;
    yes = aws_imds_answers((struct aws_cloud *)cloud, by);
    close_session(cloud);
    return yes;
}

extern const struct kit_policy_form aws_policy; /* policy.c */
extern const struct kit_provider kit_aws;
const struct kit_provider kit_aws = {
    .name = "aws",
    .ca_env = "AWS_CA_BUNDLE",
    .policy = &aws_policy,
    .is_host = is_host,
    .answers = answers,
    .open = open_session,
    .close = close_session,
    .nic = aws_host_nic,
    .ops = aws_ops,
    .egress = &aws_egress,
};

static int open_session(const struct kit_settings *settings, struct kit_caller *caller,
                        struct kit_cloud **ret_cloud, struct kit_err *err)
{
    struct session *s = kit_mem_new(1, sizeof(*s));

    (void)err;
    s->cloud.base = (struct kit_cloud){.provider = &kit_aws, .caller = caller};
    s->cloud.settings = settings;
    *ret_cloud = &s->cloud.base;
    return 0;
}

static void close_session(struct kit_cloud *cloud)
{
    struct session *s = (struct session *)cloud;

    if (!s)
        return;
    kit_creds_done(&s->cloud.creds);
    kit_secret_done(&s->cloud.imds_token);
    aws_profiles_free(s->profiles);
    free(s);
}

int64_t aws_now_s(const struct aws_cloud *cloud)
{
    return kit_clock_wall_ns(cloud->base.caller->clock) / KIT_NS_PER_S + cloud->skew_s;
}

const struct aws_profiles *aws_session_profiles(struct aws_cloud *cloud)
{
    struct session *s = of(cloud);
    struct kit_err err;

    if (!s->profiles_tried && aws_profiles_load(cloud->settings, &s->profiles, &err))
        s->profiles = NULL;
    s->profiles_tried = true;
    return s->profiles;
}

/* A region goes into a host name and a signature: a host label, no more. */
static bool take_region(struct aws_cloud *cloud, const char *region)
{
    return region && region[0] && kit_str_copy(cloud->region, sizeof(cloud->region), region);
}

static const char *region_of_profile(struct aws_cloud *cloud)
{
    bool named;
    const struct aws_profiles *p = aws_session_profiles(cloud);

    return p ? aws_profiles_get(p, aws_profiles_chosen(cloud->settings, &named), "region", NULL)
             : NULL;
}

int aws_region(struct aws_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    struct kit_metadata_item item = {.path = "meta-data/placement/region",
                                     .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    int rc;

    if (cloud->region[0] ||
        take_region(cloud, kit_settings_text(cloud->settings, KIT_PARAM_REGION)) ||
        take_region(cloud, getenv("AWS_REGION")) ||
        take_region(cloud, getenv("AWS_DEFAULT_REGION")) ||
        take_region(cloud, region_of_profile(cloud)))
        return 0;
    rc = aws_imds_read(cloud, &item, 1, by, err);
    if (rc)
        (void)kit_err_wrap(err,
                           "find the region (set `region` to do without the metadata service)");
    else if (!take_region(cloud, item.value.data))
        rc = kit_err_set(err, KIT_ERR_CONFIG, "the metadata service names no region: set `region`");
    kit_buf_done(&item.value);
    return rc;
}
