/* kit/cloud/aws/endpoint.c - partitions, suffixes, and who may name another endpoint. */
#include "kit/cloud/aws/endpoint.h"

#include <string.h>

#include "kit/cloud/aws/env.h"
#include "kit/fmt/uri.h"

/* botocore's partitions.json: a partition's regions are `prefix`, one word, '-' and a number. */
static const struct partition {
    const char *name, *prefix, *suffix, *dualstack_suffix;
} partitions[] = {
    {"aws-cn", "cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"aws-us-gov", "us-gov-", "amazonaws.com", "api.aws"},
    {"aws-eusc", "eusc-de-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"aws-iso", "us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"aws-iso-b", "us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"aws-iso-e", "eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"aws-iso-f", "us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
};
/* Its own prefixes grow with every new region; a region that is nobody's is one of these. */
static const struct partition aws = {"aws", "", "amazonaws.com", "api.aws"};

static const char lower_and_digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";

static const struct partition *partition_of(const char *region)
{
    for (size_t i = 0; i < KIT_LEN(partitions); i++) {
        const struct partition *p = &partitions[i];
        if (!kit_str_starts(region, p->prefix))
            continue;
        const char *word = region + strlen(p->prefix);
        size_t len = strspn(word, lower_and_digits);
        const char *number = word + len + 1;
        if (len > 0 && word[len] == '-' && *number && number[strspn(number, "0123456789")] == '\0')
            return p;
    }
    return &aws;
}

const char *aws_partition(const char *region)
{
    return partition_of(region)->name;
}

/* A host label: it becomes part of the name that our signed request is sent to. */
static bool region_is_label(const char *region)
{
    size_t len = strlen(region);

    return len > 0 && len <= 63 && strspn(region, lower_and_digits) > 0 && region[len - 1] != '-' &&
           region[strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' &&
           region[strspn(region, "0123456789")] != '\0';
}

static int take_custom(const char *custom, struct aws_endpoint *ret_endpoint, struct kit_err *err)
{
    struct kit_url url;

    if (kit_url_parse(custom, &url, err) != 0)
        return -1;
    /* Written anew, so that what is signed and what libcurl sends are alike: host in lower case, no
     * default port, a path. */
    KIT_AUTO(kit_buf) host = KIT_BUF(sizeof(url.host) + 16);
    struct aws_endpoint endpoint = {.url = ""};
    kit_url_host_header(&url, &host);
    if (!kit_str_format(endpoint.url, sizeof(endpoint.url), "%s://%s%s", url.scheme, host.data,
                        url.path))
        return kit_err_set(err, KIT_ERR_CONFIG, "an endpoint URL is longer than %zu bytes",
                           sizeof(endpoint.url) - 1);
    *ret_endpoint = endpoint;
    return 0;
}

int aws_endpoint_resolve(const struct aws_endpoint_choice *choice,
                         struct aws_endpoint *ret_endpoint, struct kit_err *err)
{
    const char *region = choice->region;
    bool fips_name = choice->fips;

    if (choice->custom) {
        if (choice->fips || choice->dualstack)
            return kit_err_set(
                err, KIT_ERR_CONFIG,
                "%s endpoints and an endpoint URL of your own (%s) exclude each other",
                choice->fips ? "FIPS" : "dual-stack", choice->custom);
        return take_custom(choice->custom, ret_endpoint, err);
    }
    if (!region || !*region)
        return kit_err_set(err, KIT_ERR_CONFIG, "no region, so no %s endpoint", choice->service);
    if (!region_is_label(region))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%s\" cannot be the name of a region", region);

    const struct partition *p = partition_of(region);
    /* GovCloud's normal endpoints are FIPS ones already and have no other name. */
    if (kit_str_eq(p->name, "aws-us-gov") && !choice->dualstack)
        fips_name = false;
    struct aws_endpoint endpoint = {.url = ""};
    if (!kit_str_format(endpoint.url, sizeof(endpoint.url), "https://%s%s.%s.%s/", choice->service,
                        fips_name ? "-fips" : "", region,
                        choice->dualstack ? p->dualstack_suffix : p->suffix))
        return kit_err_set(err, KIT_ERR_CONFIG, "the endpoint of %s in %s has too long a name",
                           choice->service, region);
    *ret_endpoint = endpoint;
    return 0;
}

/* A switch of the environment, or of the profile. */
static bool switched_on(const char *variable, const struct aws_profiles *profiles,
                        const char *profile, const char *key)
{
    const char *value = aws_env(variable);

    if (!value && profiles)
        value = aws_profiles_get(profiles, profile, key, NULL);
    return aws_is_true(value);
}

/* The URL that somebody asked for and who that was, or NULL. */
static const char *find_custom(const struct kit_settings *settings,
                               const struct aws_profiles *profiles, const char *profile,
                               const char *service, const char **ret_who)
{
    bool sts = kit_str_eq(service, "sts");
    const char *url =
        kit_settings_text(settings, sts ? KIT_PARAM_STS_ENDPOINT : KIT_PARAM_ENDPOINT);

    *ret_who = sts ? "sts_endpoint" : "endpoint";
    if (url)
        return url;
    if (switched_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", profiles, profile,
                    "ignore_configured_endpoint_urls"))
        return NULL;
    *ret_who = sts ? "AWS_ENDPOINT_URL_STS" : "AWS_ENDPOINT_URL_EC2";
    if ((url = aws_env(*ret_who)))
        return url;
    *ret_who = "AWS_ENDPOINT_URL";
    if ((url = aws_env(*ret_who)) || !profiles)
        return url;
    *ret_who = "endpoint_url in the profile's services section";
    if ((url = aws_profiles_service_endpoint(profiles, profile, service)))
        return url;
    *ret_who = "endpoint_url of the profile";
    return aws_profiles_get(profiles, profile, "endpoint_url", NULL);
}

int aws_endpoint_for(const struct kit_settings *settings, const struct aws_profiles *profiles,
                     const char *service, const char *region, struct aws_endpoint *ret_endpoint,
                     struct kit_err *err)
{
    const char *profile = aws_profiles_chosen(settings, NULL);
    const char *who;
    struct aws_endpoint_choice choice = {
        .service = service,
        .region = region,
        .dualstack =
            switched_on("AWS_USE_DUALSTACK_ENDPOINT", profiles, profile, "use_dualstack_endpoint"),
        .fips = switched_on("AWS_USE_FIPS_ENDPOINT", profiles, profile, "use_fips_endpoint"),
        .custom = find_custom(settings, profiles, profile, service, &who),
    };

    if (aws_endpoint_resolve(&choice, ret_endpoint, err) == 0)
        return 0;
    return choice.custom ? kit_err_wrap(err, "%s", who) : -1;
}
