/* kit/cloud/aliyun/session.c - a session: region, endpoints, credentials. */
#include "kit/cloud/aliyun/session.h"

#include <stdlib.h>

#include "kit/cloud/aliyun/creds.h"
#include "kit/cloud/aliyun/egress.h"
#include "kit/cloud/aliyun/endpoint.h"
#include "kit/cloud/aliyun/env.h"
#include "kit/cloud/aliyun/host_nic.h"
#include "kit/cloud/aliyun/metadata.h"
#include "kit/cloud/aliyun/ops.h"
#include "kit/sys/hostid.h"

struct session {
    struct ali_cloud cloud; /* first: an ali_cloud is cast to this */
    struct ali_profiles *profiles;
    bool profiles_tried;
};

static struct session *of(struct ali_cloud *cloud)
{
    return (struct session *)cloud;
}

static bool is_host(void)
{
    struct kit_hostid id;

    kit_hostid_read(&id);
    return kit_str_eq(id.vendor, "Alibaba Cloud");
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
    yes = ali_metadata_answers((struct ali_cloud *)cloud, by);
    close_session(cloud);
    return yes;
}

extern const struct kit_policy_form ali_policy; /* policy.c */
extern const struct kit_provider kit_aliyun;
const struct kit_provider kit_aliyun = {
    .name = "aliyun",
    .ops = ali_ops,
    .policy = &ali_policy,
    .is_host = is_host,
    .answers = answers,
    .open = open_session,
    .close = close_session,
    .nic = ali_host_nic,
    .egress = &ali_egress,
};

static int open_session(const struct kit_settings *settings, struct kit_caller *caller,
                        struct kit_cloud **ret_cloud, struct kit_err *err)
{
    struct session *s = kit_mem_new(1, sizeof(*s));

    (void)err;
    s->cloud.base = (struct kit_cloud){.provider = &kit_aliyun, .caller = caller};
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
    kit_secret_done(&s->cloud.metadata_token);
    ali_profiles_free(s->profiles);
    free(s);
}

int64_t ali_now_s(const struct ali_cloud *cloud)
{
    return kit_clock_wall_ns(cloud->base.caller->clock) / KIT_NS_PER_S + cloud->skew_s;
}

const struct ali_profiles *ali_session_profiles(struct ali_cloud *cloud)
{
    struct session *s = of(cloud);
    struct kit_err err;

    if (!s->profiles_tried && ali_profiles_load(cloud->settings, &s->profiles, &err))
        s->profiles = NULL;
    s->profiles_tried = true;
    return s->profiles;
}

/* ---- the region ------------------------------------------------------------------------------ */

static bool take_region(struct ali_cloud *cloud, const char *region)
{
    return region && region[0] && kit_str_copy(cloud->region, sizeof(cloud->region), region);
}

void ali_region_if_known(struct ali_cloud *cloud)
{
    const struct ali_profiles *profiles;

    if (cloud->region[0] ||
        take_region(cloud, kit_settings_text(cloud->settings, KIT_PARAM_REGION)) ||
        take_region(cloud, ali_env("ALIBABA_CLOUD_REGION_ID")) ||
        take_region(cloud, ali_env("ALIBABA_CLOUD_REGION")))
        return;
    profiles = ali_session_profiles(cloud);
    if (!profiles || !take_region(cloud, ali_profiles_region(profiles, cloud->settings)))
        cloud->region[0] = '\0';
}

int ali_region(struct ali_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    struct kit_metadata_item item = {.path = "meta-data/region-id",
                                     .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    int rc;

    ali_region_if_known(cloud);
    if (cloud->region[0])
        return 0;
    rc = ali_metadata_read(cloud, &item, 1, by, err);
    if (rc)
        (void)kit_err_wrap(err,
                           "find the region (set `region` to do without the metadata service)");
    else if (!take_region(cloud, item.value.data))
        rc = kit_err_set(err, KIT_ERR_CONFIG, "the metadata service names no region: set `region`");
    kit_buf_done(&item.value);
    return rc;
}

/* Parameter and variables alone decide, so a wrong one is told before anybody is asked. */
static int find_endpoints(struct ali_cloud *cloud, struct kit_err *err)
{
    const struct ali_profiles *profiles;

    if (cloud->vpc.url[0] && cloud->ecs.url[0] && cloud->sts.url[0])
        return 0;
    profiles = ali_session_profiles(cloud);
    if (ali_endpoint_for(cloud->settings, profiles, "vpc", cloud->region, &cloud->vpc, err) ||
        ali_endpoint_for(cloud->settings, profiles, "ecs", cloud->region, &cloud->ecs, err))
        return -1;
    return ali_endpoint_for(cloud->settings, profiles, "sts", cloud->region, &cloud->sts, err);
}

int ali_ready(struct ali_cloud *cloud, struct kit_deadline by, struct kit_err *err)
{
    if (ali_region(cloud, by, err) || find_endpoints(cloud, err))
        return -1;
    return ali_creds_get(cloud, by, err);
}
