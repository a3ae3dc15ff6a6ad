/* kit/cloud/aliyun/endpoint.c - host names by region, and who may name another one. */
#include "kit/cloud/aliyun/endpoint.h"

#include <string.h>

#include "kit/cloud/aliyun/env.h"
#include "kit/fmt/uri.h"

#define SUFFIX "aliyuncs.com"

/* Regions whose public endpoints break the rule: the endpoint maps of the SDKs of Vpc 2016-04-28
 * and Ecs 2014-05-26, without the vendor's own test regions. */
static const struct exception {
    const char *region, *vpc, *ecs;
} exceptions[] = {
    {"cn-hangzhou", "vpc", "ecs-cn-hangzhou"},
    {"cn-hangzhou-finance", "vpc", "ecs"},
    {"cn-shanghai-finance-1", "vpc", "ecs-cn-hangzhou"},
    {"cn-shenzhen-finance-1", "vpc", "ecs-cn-hangzhou"},
    {"cn-beijing-finance-1", "vpc", "ecs"},
    {"cn-beijing-finance-pop", "vpc", "ecs"},
    {"cn-hongkong-finance-pop", "vpc", "ecs"},
    {"cn-north-2-gov-1", "vpc", "ecs"},
    {"cn-beijing-gov-1", "vpc", "ecs"},
    {"ap-northeast-2-pop", "vpc", "ecs.ap-northeast-1"},
    {"rus-west-1-pop", "vpc", "ecs.ap-northeast-1"},
};

static const char *exception_of(const char *product, const char *region)
{
    for (size_t i = 0; i < KIT_LEN(exceptions); i++) {
        if (!kit_str_eq(exceptions[i].region, region))
            continue;
        if (kit_str_eq(product, "vpc"))
            return exceptions[i].vpc;
        if (kit_str_eq(product, "ecs"))
            return exceptions[i].ecs;
    }
    return NULL;
}

/* A host label: it becomes part of the name that our signed request is sent to. */
static bool region_is_label(const char *region)
{
    size_t len = strlen(region);

    return len > 0 && len <= 63 && region[0] != '-' && region[len - 1] != '-' &&
           region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' &&
           region[strspn(region, "0123456789")] != '\0';
}

/* The vendor's variables hold a bare host name, the parameters a URL: both are taken. */
static int take_custom(const char *custom, struct ali_endpoint *ret_endpoint, struct kit_err *err)
{
    struct ali_endpoint endpoint = {.url = ""};
    const char *scheme = strstr(custom, "://") ? "" : "https://";
    struct kit_url url;

    if (!kit_str_format(endpoint.url, sizeof(endpoint.url), "%s%s", scheme, custom))
        return kit_err_set(err, KIT_ERR_CONFIG, "an endpoint URL is longer than %zu bytes",
                           sizeof(endpoint.url) - 1);
    if (kit_url_parse(endpoint.url, &url, err))
        return -1;
    /* Without a path, the request line would still be "/": the slash keeps what is signed and sent
     * alike. */
    bool bare = kit_str_eq(url.path, "/") && !kit_str_ends(custom, "/");
    if (!kit_str_format(endpoint.url, sizeof(endpoint.url), "%s%s%s", scheme, custom,
                        bare ? "/" : ""))
        return kit_err_set(err, KIT_ERR_CONFIG, "an endpoint URL is longer than %zu bytes",
                           sizeof(endpoint.url) - 1);
    *ret_endpoint = endpoint;
    return 0;
}

int ali_endpoint_resolve(const struct ali_endpoint_choice *choice,
                         struct ali_endpoint *ret_endpoint, struct kit_err *err)
{
    const char *region = choice->region ? choice->region : "";
    struct ali_endpoint endpoint = {.url = ""};
    bool fits;

    if (choice->custom)
        return take_custom(choice->custom, ret_endpoint, err);
    if (!*region && !kit_str_eq(choice->product, "sts"))
        return kit_err_set(err, KIT_ERR_CONFIG, "no region, so no %s endpoint", choice->product);
    if (*region && !region_is_label(region))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%s\" cannot be the name of a region", region);

    const char *special = choice->internal ? NULL : exception_of(choice->product, region);
    if (special)
        fits =
            kit_str_format(endpoint.url, sizeof(endpoint.url), "https://%s." SUFFIX "/", special);
    else if (!*region)
        fits = kit_str_format(endpoint.url, sizeof(endpoint.url), "https://%s." SUFFIX "/",
                              choice->product);
    else
        fits = kit_str_format(endpoint.url, sizeof(endpoint.url), "https://%s%s.%s." SUFFIX "/",
                              choice->product, choice->internal ? "-vpc" : "", region);
    if (!fits)
        return kit_err_set(err, KIT_ERR_CONFIG, "the endpoint of %s in %s has too long a name",
                           choice->product, region);
    *ret_endpoint = endpoint;
    return 0;
}

/* The URL that somebody asked for and who that was, or NULL. */
static const char *find_custom(const struct kit_settings *settings, const char *product,
                               const char **ret_who)
{
    bool sts = kit_str_eq(product, "sts");
    const char *url =
        kit_settings_text(settings, sts ? KIT_PARAM_STS_ENDPOINT : KIT_PARAM_ENDPOINT);

    *ret_who = sts ? "sts_endpoint" : "endpoint";
    if (url)
        return url;
    *ret_who = sts                          ? "ALIBABA_CLOUD_STS_ENDPOINT"
               : kit_str_eq(product, "ecs") ? "ALIBABA_CLOUD_ECS_ENDPOINT"
                                            : "ALIBABA_CLOUD_VPC_ENDPOINT";
    return ali_env(*ret_who);
}

int ali_endpoint_for(const struct kit_settings *settings, const struct ali_profiles *profiles,
                     const char *product, const char *region, struct ali_endpoint *ret_endpoint,
                     struct kit_err *err)
{
    const char *who;
    const struct ali_endpoint_choice choice = {
        .product = product,
        .region = region,
        .internal = ali_env_is_true("ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED") ||
                    (profiles && ali_profiles_internal(profiles, settings)),
        .custom = find_custom(settings, product, &who),
    };

    if (ali_endpoint_resolve(&choice, ret_endpoint, err) == 0)
        return 0;
    return choice.custom ? kit_err_wrap(err, "%s", who) : -1;
}
