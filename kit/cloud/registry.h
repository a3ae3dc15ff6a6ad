/* kit/cloud/registry.h - which providers and movers there are.  registry.c is the only file that
 * names them. */
#ifndef KIT_CLOUD_REGISTRY_H
#define KIT_CLOUD_REGISTRY_H

#include "kit/cloud/cloud.h"

/* The provider of these settings; for `auto` DMI is read, then each provider's metadata service
 * asked (that blocks until `by` at most).  KIT_ERR_CONFIG when none fits or the named one is not
 * built in. */
int kit_registry_provider(const struct kit_settings *settings, struct kit_caller *caller,
                          struct kit_deadline by, const struct kit_provider **ret_provider,
                          struct kit_err *err) KIT_CHECKED;

/* The mover of the settings' scenario; KIT_ERR_CONFIG lists the scenarios that the provider has. */
int kit_registry_mover(const struct kit_provider *provider, const struct kit_settings *settings,
                       const struct kit_mover **ret_mover, struct kit_err *err) KIT_CHECKED;

/* The file of certificates that a provider's own environment variable names (AWS_CA_BUNDLE), or
 * NULL. */
const char *kit_registry_ca_file(void);

/* All of them, in a fixed order; NULL-terminated. */
extern const struct kit_provider *const kit_registry_providers[];
extern const struct kit_mover *const kit_registry_movers[];

#endif
