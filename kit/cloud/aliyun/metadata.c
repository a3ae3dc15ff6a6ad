/* kit/cloud/aliyun/metadata.c - the instance metadata service, in token mode. */
#include "kit/cloud/aliyun/metadata.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aliyun/env.h"

/* The same on every instance (help: "View instance metadata"); IPv4 alone. */
#define BASE "http://100.100.100.200"

/* Headers: the same page. */
static const struct kit_metadata_service service = {
    .token_header = "X-aliyun-ecs-metadata-token",
    .ttl_header = "X-aliyun-ecs-metadata-token-ttl-seconds",
    .stale_is_403 = true, /* with HttpTokens=required */
    .says_403 = "refuses this instance (HTTP 403; see HttpEndpoint in its metadata options, and "
                "that no proxy is in between)",
    .form = "with tokens",
    .silent = "is this an ECS instance in a VPC, and its HttpEndpoint enabled?",
};

static int find_base(const struct ali_cloud *cloud, struct kit_buf *out, struct kit_err *err)
{
    const char *url = kit_settings_text(cloud->settings, KIT_PARAM_METADATA_ENDPOINT);

    if (ali_env_is_true("ALIBABA_CLOUD_ECS_METADATA_DISABLED"))
        return kit_err_set(
            err, KIT_ERR_CONFIG,
            "the metadata service is needed, but ALIBABA_CLOUD_ECS_METADATA_DISABLED is true");
    if (!url)
        url = ali_env("ALIBABA_CLOUD_ECS_METADATA_ENDPOINT");
    if (!url)
        url = BASE;
    /* The variable may name a host alone. */
    if (!strstr(url, "://"))
        (void)kit_buf_puts(out, "http://");
    (void)kit_buf_puts(out, url);
    if (!kit_str_ends(url, "/"))
        (void)kit_buf_putc(out, '/');
    return kit_buf_check(out, "the metadata service's URL", err);
}

static struct kit_metadata at(struct ali_cloud *cloud, const char *base_url)
{
    return (struct kit_metadata){.service = &service,
                                 .caller = cloud->base.caller,
                                 .base_url = base_url,
                                 .token = &cloud->metadata_token};
}

int ali_metadata_read(struct ali_cloud *cloud, struct kit_metadata_item item[], size_t count,
                      struct kit_deadline by, struct kit_err *err)
{
    KIT_AUTO(kit_buf) base_url = KIT_BUF(1024);

    if (find_base(cloud, &base_url, err) != 0)
        return -1;
    struct kit_metadata metadata = at(cloud, base_url.data);
    return kit_metadata_read(&metadata, item, count, by, err);
}

bool ali_metadata_answers(struct ali_cloud *cloud, struct kit_deadline by)
{
    KIT_AUTO(kit_buf) base_url = KIT_BUF(1024);
    struct kit_err ignored;

    if (find_base(cloud, &base_url, &ignored) != 0)
        return false;
    struct kit_metadata metadata = at(cloud, base_url.data);
    return kit_metadata_answers(&metadata, by);
}
