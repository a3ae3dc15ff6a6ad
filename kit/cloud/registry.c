#include "kit/cloud/registry.h"

#include <stdlib.h>

#include "kit/base/buf.h"
#include "kit/base/str.h"

extern const struct kit_provider kit_aws, kit_aliyun;
extern const struct kit_mover kit_aws_route_table, kit_aws_elastic_ip, kit_aws_private_ip,
    kit_aws_eni;
extern const struct kit_mover kit_aliyun_elastic_ip, kit_aliyun_route_table, kit_aliyun_private_ip,
    kit_aliyun_eni, kit_aliyun_havip;

const struct kit_provider *const kit_registry_providers[] = {&kit_aws, &kit_aliyun, NULL};

const struct kit_mover *const kit_registry_movers[] = {
    &kit_aws_route_table,   &kit_aws_elastic_ip,
    &kit_aws_private_ip,    &kit_aws_eni,
    &kit_aliyun_elastic_ip, &kit_aliyun_route_table,
    &kit_aliyun_private_ip, &kit_aliyun_eni,
    &kit_aliyun_havip,      NULL};

const char *kit_registry_ca_file(void)
{
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++) {
        const char *file = (*p)->ca_env ? getenv((*p)->ca_env) : NULL;
        if (file && file[0])
            return file;
    }
    return NULL;
}

static const struct kit_provider *by_name(const char *name)
{
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++)
        if (kit_str_eq((*p)->name, name))
            return *p;
    return NULL;
}

static const struct kit_provider *by_host(void)
{
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++)
        if ((*p)->is_host())
            return *p;
    return NULL;
}

/* Some scenarios are one provider's alone: HAVIPs must be released even where nobody can be asked
 * who we are. */
static const struct kit_provider *by_scenario(const char *scenario)
{
    const char *only = NULL;

    for (const struct kit_mover *const *m = kit_registry_movers; scenario && *m; m++) {
        if (!kit_str_eq((*m)->scenario, scenario))
            continue;
        if (only && !kit_str_eq(only, (*m)->provider))
            return NULL;
        only = (*m)->provider;
    }
    return only ? by_name(only) : NULL;
}

static const struct kit_provider *by_metadata(const struct kit_settings *settings,
                                              struct kit_caller *caller, struct kit_deadline by)
{
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++)
        if ((*p)->answers(settings, caller, by))
            return *p;
    return NULL;
}

int kit_registry_provider(const struct kit_settings *settings, struct kit_caller *caller,
                          struct kit_deadline by, const struct kit_provider **ret_provider,
                          struct kit_err *err)
{
    const char *name = kit_settings_text(settings, KIT_PARAM_PROVIDER);
    const struct kit_provider *found;

    if (!kit_str_eq(name, "auto")) {
        found = by_name(name);
        if (!found)
            return kit_err_set(err, KIT_ERR_CONFIG,
                               "%s: provider = %s: this version has no such provider",
                               settings->v[KIT_PARAM_PROVIDER].origin, name);
    } else {
        found = by_host();
        if (!found)
            found = by_scenario(kit_settings_text(settings, KIT_PARAM_SCENARIO));
        if (!found)
            found = by_metadata(settings, caller, by);
        /* Not a wrong configuration: on the right host the metadata service may just be away. */
        if (!found)
            return kit_err_set(err, KIT_ERR_TRANSIENT,
                               "provider = auto: DMI names no cloud that is known, and no metadata "
                               "service answered: "
                               "set `provider`");
    }
    *ret_provider = found;
    return 0;
}

int kit_registry_mover(const struct kit_provider *provider, const struct kit_settings *settings,
                       const struct kit_mover **ret_mover, struct kit_err *err)
{
    const char *scenario = kit_settings_text(settings, KIT_PARAM_SCENARIO);
    KIT_AUTO(kit_buf) known = KIT_BUF(200);

    for (const struct kit_mover *const *m = kit_registry_movers; *m; m++) {
        if (!kit_str_eq((*m)->provider, provider->name))
            continue;
        if (scenario && kit_str_eq((*m)->scenario, scenario)) {
            *ret_mover = *m;
            return 0;
        }
        (void)kit_buf_printf(&known, "%s%s", known.len_bytes ? ", " : "", (*m)->scenario);
    }
    if (!scenario)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: `scenario` is missing (on %s: %s)",
                           settings->tag, provider->name, known.data);
    return kit_err_set(err, KIT_ERR_CONFIG, "%s: scenario = %s: not on provider %s (there: %s)",
                       settings->v[KIT_PARAM_SCENARIO].origin, scenario, provider->name,
                       known.data);
}
