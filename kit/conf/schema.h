/* kit/conf/schema.h - every parameter once: name, type, default, one sentence.
 *
 * The parser, the checks, `--help`, the OCF meta-data and the manual are made from this table or
 * held against it. */
#ifndef KIT_CONF_SCHEMA_H
#define KIT_CONF_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/base/err.h"
#include "kit/fmt/addr.h"

enum kit_type {
    KIT_TYPE_CHOICE,  /* one of the words in `form`, separated by '|' */
    KIT_TYPE_BOOL,    /* yes, no (also true, false) */
    KIT_TYPE_NUMBER,  /* `form` is "MIN..MAX" */
    KIT_TYPE_SECONDS, /* the same, in seconds */
    KIT_TYPE_ADDRESS, /* IPv4 or IPv6; kept in canonical form */
    KIT_TYPE_IFNAME,  /* 1-15 characters, no '/', no white space */
    KIT_TYPE_ID,      /* an object of the cloud: letters, digits, '-', '_', '.', at most 63 */
    KIT_TYPE_IDS, /* a list of those, separated by commas, semicolons or white space; no repeats */
    KIT_TYPE_HOSTS, /* such a list of HOST or HOST:PORT, lower case; no metadata service */
    KIT_TYPE_PATHS, /* such a list of absolute paths without white space */
    KIT_TYPE_NAMES, /* such a list of environment variables; none of the cloud's credentials */
    KIT_TYPE_URL,   /* http or https, as kit_url_parse */
    KIT_TYPE_PROXY, /* [SCHEME://][USER:PASSWORD@]HOST[:PORT], as libcurl takes it; never shown */
    KIT_TYPE_TEXT,  /* printable, at most 2047 bytes */
    KIT_TYPE_PATH,  /* absolute */
    KIT_TYPE_UNKNOWN_POLICY, /* ok | fail | fail-after N (also fail-after:N, one word) */
};

/* A parameter with SESSION set takes part in how the cloud is reached: resources that agree in all
 * of those can share requests. */
#define KIT_PARAMS(X)                                                                              \
    /* id, name, type, form, default, session, sentence */                                         \
    X(PROVIDER, "provider", CHOICE, "aws|aliyun|auto", "auto", true,                               \
      "The cloud: aws, aliyun, or auto: from DMI, then the metadata service")                      \
    X(SCENARIO, "scenario", CHOICE, "route-table|elastic-ip|private-ip|havip|eni", NULL, false,    \
      "How the address is bound to a node")                                                        \
    X(ADDRESS, "address", ADDRESS, "", NULL, false,                                                \
      "The protected IPv4 or IPv6 address; for elastic-ip the public one")                         \
    X(INTERFACE, "interface", IFNAME, "", NULL, false,                                             \
      "Name of the interface that shall hold it; its ENI is found by its MAC")                     \
    X(ENI, "eni", ID, "", NULL, false,                                                             \
      "ENI id, instead of finding it by MAC; for scenario eni the movable ENI")                    \
    X(REGION, "region", ID, "", NULL, true, "Region; default: from the metadata service")          \
    X(VPC_ID, "vpc_id", ID, "", NULL, false, "VPC; default: from the metadata service")            \
    X(ROUTE_TABLES, "route_tables", IDS, "", NULL, false,                                          \
      "Route tables to control; default: every table of the VPC that has the route")               \
    X(CREATE_ROUTE, "create_route", BOOL, "", "no", false,                                         \
      "Create a missing route instead of calling it a configuration error")                        \
    X(SOURCE_DEST_CHECK, "source_dest_check", CHOICE, "disable|verify|ignore", "disable", false,   \
      "What to do about the ENI's source/destination check")                                       \
    X(ALLOCATION_ID, "allocation_id", ID, "", NULL, false,                                         \
      "Allocation of the Elastic IP; default: found by address")                                   \
    X(PRIVATE_ADDRESS, "private_address", ADDRESS, "", NULL, false,                                \
      "Private address on the ENI that the Elastic IP maps to; default: its primary one")          \
    X(EIP_MODE, "eip_mode", CHOICE, "nat|cut-through|multi", "nat", false,                         \
      "How Alibaba Cloud binds an EIP to an ENI")                                                  \
    X(HAVIP_ID, "havip_id", ID, "", NULL, false, "HAVIP; default: found by address in the VPC")    \
    X(BIND_TO, "bind_to", CHOICE, "instance|eni", "eni", false, "What a HAVIP is bound to")        \
    X(LOCAL_ADDRESS, "local_address", BOOL, "", NULL, false,                                       \
      "Put the address on the interface as well")                                                  \
    X(GARP_COUNT, "garp_count", NUMBER, "0..100", "5", false, "Announcements after a claim")       \
    X(ROLE_ARN, "role_arn", TEXT, "", NULL, true, "Role to assume, for another account")           \
    X(EXTERNAL_ID, "external_id", TEXT, "", NULL, true, "External id that the role asks for")      \
    X(CREDENTIALS_FILE, "credentials_file", PATH, "", NULL, true,                                  \
      "Shared credentials file instead of the provider's usual one")                               \
    X(PROFILE, "profile", TEXT, "", NULL, true, "Profile in the shared files")                     \
    X(ENDPOINT, "endpoint", URL, "", NULL, true, "API endpoint; default: the region's")            \
    X(METADATA_ENDPOINT, "metadata_endpoint", URL, "", NULL, true, "Metadata service")             \
    X(STS_ENDPOINT, "sts_endpoint", URL, "", NULL, true, "STS endpoint; default: the region's")    \
    X(CA_FILE, "ca_file", PATH, "", NULL, true, "Certificates to trust instead of the system's")   \
    X(PROXY, "proxy", PROXY, "", NULL, true, "Proxy URL; default: from the environment")           \
    X(CONNECT_TIMEOUT, "connect_timeout", SECONDS, "1..300", "3", true, "Limit of one connect")    \
    X(API_TIMEOUT, "api_timeout", SECONDS, "1..300", "10", true, "Limit of one API call")          \
    X(RESTORE_TIMEOUT, "restore_timeout", SECONDS, "1..86400", "300", false, "Limit of restore")   \
    X(REMOVE_TIMEOUT, "remove_timeout", SECONDS, "1..86400", "300", false, "Limit of remove")      \
    X(RECOVER_TIMEOUT, "recover_timeout", SECONDS, "1..86400", "300", false, "Limit of recover")   \
    X(QUICKCHECK_TIMEOUT, "quickcheck_timeout", SECONDS, "1..86400", "20", false,                  \
      "Limit of quickCheck; LifeKeeper's generic application kills at 22")                         \
    X(ON_UNKNOWN, "on_unknown", UNKNOWN_POLICY, "ok|fail|fail-after N", "ok", false,               \
      "What quickCheck makes of a state that it could not ask for")                                \
    X(HOOK_DIR, "hook_dir", PATH, "", "/etc/cloudvip/hooks", false,                                \
      "Directory of the site's hooks")                                                             \
    X(HOOK_TIMEOUT, "hook_timeout", SECONDS, "1..300", "10", false, "Limit of one hook")           \
    X(HOOK_FAILURE, "hook_failure", CHOICE, "go-on|refuse", "go-on", false,                        \
      "What restore and recover make of a pre_ hook that breaks instead of answering")             \
    X(HOOK_HOSTS, "hook_hosts", HOSTS, "", NULL, false,                                            \
      "Hosts (HOST or HOST:PORT) that hooks may send HTTP requests to; default: none")             \
    X(HOOK_PROGRAMS, "hook_programs", PATHS, "", NULL, false,                                      \
      "Programs (absolute paths) that hooks may run; default: none")                               \
    X(HOOK_ENV, "hook_env", NAMES, "", NULL, false,                                                \
      "Environment variables that hooks may read; default: none")

enum kit_param {
#define X(id, name, type, form, dflt, session, text) KIT_PARAM_##id,
    KIT_PARAMS(X)
#undef X
    KIT_PARAM_COUNT,
    KIT_PARAM_NONE = KIT_PARAM_COUNT,
};

struct kit_param_info {
    const char *name;
    enum kit_type type;
    const char *form;
    const char *dflt; /* NULL = none: absent unless given */
    bool session;
    const char *text;
};
extern const struct kit_param_info kit_param_info[KIT_PARAM_COUNT];
enum kit_param kit_param_by_name(const char *name); /* KIT_PARAM_NONE: no such */
const char *kit_param_near(const char *name);       /* the name meant by a typing error, or NULL */

/* What KIT_TYPE_ID takes: letters, digits, '-', '_', '.', at most 63. */
bool kit_settings_is_id(const char *value);

/* What a mover makes of a parameter.  Those with the same `any_of` (> 0) form a group: one of it
 * must be given. */
struct kit_param_use {
    enum kit_param param;
    bool required;
    unsigned any_of;
};

/* A value and where it came from. */
struct kit_setting {
    bool given;     /* by a source; else it is the default, or absent */
    char *text;     /* canonical; NULL = absent.  Owned. */
    char *origin;   /* "/etc/cloudvip/resources.d/vip1.conf:3", "info field", "default" */
    int64_t number; /* NUMBER, SECONDS; BOOL 0/1; UNKNOWN_POLICY: 0 ok, 1 fail, N fail after N in a
                       row */
    struct kit_addr addr; /* ADDRESS */
    char **list;          /* IDS, HOSTS, PATHS, NAMES: NULL-terminated */
};

/* The settings of one resource.  */
struct kit_settings {
    char *tag;
    struct kit_setting v[KIT_PARAM_COUNT];
};
void kit_settings_init(struct kit_settings *settings, const char *tag); /* all defaults */
void kit_settings_done(struct kit_settings *settings);
/* Parse and put one value.  KIT_ERR_CONFIG "ORIGIN: KEY: what is wrong with VALUE" (a value of a
 * parameter that may hold a secret is not shown). */
int kit_settings_put(struct kit_settings *settings, enum kit_param param, const char *value,
                     const char *origin, struct kit_err *err) KIT_CHECKED;

const char *kit_settings_text(const struct kit_settings *s,
                              enum kit_param param);                             /* NULL = absent */
int64_t kit_settings_number(const struct kit_settings *s, enum kit_param param); /* 0 = absent */
bool kit_settings_yes(const struct kit_settings *s, enum kit_param param);
bool kit_settings_is(const struct kit_settings *s, enum kit_param param, const char *word);
const struct kit_addr *kit_settings_addr(const struct kit_settings *s,
                                         enum kit_param param); /* NULL = absent */
char *const *kit_settings_list(const struct kit_settings *s,
                               enum kit_param param); /* NULL = absent */
/* Both reach the cloud in the same way (all SESSION parameters equal). */
bool kit_settings_same_session(const struct kit_settings *a, const struct kit_settings *b);

#endif
