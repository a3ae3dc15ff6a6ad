/* kit/conf/schema.c - the table of parameters, and the one place where a value is parsed. */
#include "kit/conf/schema.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/buf.h"
#include "kit/base/mem.h"
#include "kit/base/near.h"
#include "kit/base/str.h"
#include "kit/conf/lists.h"
#include "kit/fmt/uri.h"

#define ID_BYTES   63
#define TEXT_BYTES 2047
#define PATH_BYTES (PATH_MAX - 1)
/* A day of checks at one a minute: beyond that nobody means it. */
#define FAIL_AFTER_MAX 1440
/* How much of a refused value a message quotes. */
#define SHOWN 64

const struct kit_param_info kit_param_info[KIT_PARAM_COUNT] = {
#define X(id, name_, type_, form_, dflt_, session_, text_)                                         \
    [KIT_PARAM_##id] = {.name = name_,                                                             \
                        .type = KIT_TYPE_##type_,                                                  \
                        .form = form_,                                                             \
                        .dflt = dflt_,                                                             \
                        .session = session_,                                                       \
                        .text = text_},
    KIT_PARAMS(X)
#undef X
};

enum kit_param kit_param_by_name(const char *name)
{
    for (int i = 0; i < KIT_PARAM_COUNT; i++)
        if (kit_str_eq(kit_param_info[i].name, name))
            return (enum kit_param)i;
    return KIT_PARAM_NONE;
}

const char *kit_param_near(const char *name)
{
    struct kit_near near;

    kit_near_init(&near, name);
    for (int i = 0; i < KIT_PARAM_COUNT; i++)
        kit_near_try(&near, kit_param_info[i].name);
    return near.name;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool is_printable(const char *value)
{
    KIT_AUTOFREE char *copy = kit_mem_strdup(value);

    kit_str_make_printable(copy);
    return kit_str_eq(copy, value);
}

bool kit_settings_is_id(const char *value)
{
    size_t len = strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return len > 0 && len <= ID_BYTES && value[len] == '\0';
}

/* Each parser fills text and whatever else its type has, or sets *err to what was expected. */

static int parse_choice(const struct kit_param_info *info, const char *value,
                        struct kit_setting *out, struct kit_err *err)
{
    const char *cursor = info->form, *word;
    size_t len;

    while (kit_str_word(&cursor, "|", &word, &len)) {
        if (strlen(value) == len && memcmp(value, word, len) == 0) {
            out->text = kit_mem_strdup(value);
            return 0;
        }
    }
    return kit_err_set(err, KIT_ERR_CONFIG, "\"%.*s\" is none of %s", SHOWN, value, info->form);
}

static int parse_bool(const struct kit_param_info *info, const char *value, struct kit_setting *out,
                      struct kit_err *err)
{
    bool yes = kit_str_eq(value, "yes") || kit_str_eq(value, "true");

    (void)info;
    if (!yes && !kit_str_eq(value, "no") && !kit_str_eq(value, "false"))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%.*s\" is neither yes nor no", SHOWN, value);
    out->number = yes;
    out->text = kit_mem_strdup(yes ? "yes" : "no");
    return 0;
}

static char *number_text(int64_t number)
{
    char text[24];

    (void)kit_str_format(text, sizeof(text), "%lld", (long long)number);
    return kit_mem_strdup(text);
}

static int parse_number(const struct kit_param_info *info, const char *value,
                        struct kit_setting *out, struct kit_err *err)
{
    const char *dots = strstr(info->form, "..");
    char low[24] = "";
    int64_t min = 0, max = INT64_MAX;

    if (dots && (size_t)(dots - info->form) < sizeof(low)) {
        memcpy(low, info->form, (size_t)(dots - info->form));
        (void)kit_str_to_int(low, 0, INT64_MAX, &min);
        (void)kit_str_to_int(dots + 2, min, INT64_MAX, &max);
    }
    if (!kit_str_to_int(value, min, max, &out->number))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%.*s\" is no number%s from %lld to %lld", SHOWN,
                           value, info->type == KIT_TYPE_SECONDS ? " of seconds" : "",
                           (long long)min, (long long)max);
    out->text = number_text(out->number);
    return 0;
}

static int parse_address(const struct kit_param_info *info, const char *value,
                         struct kit_setting *out, struct kit_err *err)
{
    char text[KIT_ADDR_TEXT];

    (void)info;
    if (!kit_addr_parse(value, &out->addr))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "\"%.*s\" is no IPv4 or IPv6 address (without prefix length or zone)",
                           SHOWN, value);
    out->text = kit_mem_strdup(kit_addr_text(&out->addr, text));
    return 0;
}

/* What the kernel takes as a name (dev_valid_name), and printable ASCII. */
static int parse_ifname(const struct kit_param_info *info, const char *value,
                        struct kit_setting *out, struct kit_err *err)
{
    size_t len = strlen(value);
    bool valid = len >= 1 && len <= 15 && !kit_str_eq(value, ".") && !kit_str_eq(value, "..");

    (void)info;
    for (const char *c = value; valid && *c; c++)
        valid = *c > ' ' && *c < 0x7f && *c != '/' && *c != ':';
    if (!valid)
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "\"%.*s\" is no name of an interface (1-15 characters, no '/', no ':', "
                           "no space)",
                           SHOWN, value);
    out->text = kit_mem_strdup(value);
    return 0;
}

static int parse_id(const struct kit_param_info *info, const char *value, struct kit_setting *out,
                    struct kit_err *err)
{
    (void)info;
    if (!kit_settings_is_id(value))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "\"%.*s\" is no id (1-%d letters, digits, '-', '_', '.')", SHOWN, value,
                           ID_BYTES);
    out->text = kit_mem_strdup(value);
    return 0;
}

static int parse_list(const struct kit_param_info *info, const char *value, struct kit_setting *out,
                      struct kit_err *err)
{
    return kit_list_parse(info->type, value, &out->list, &out->text, err);
}

static int parse_url(const struct kit_param_info *info, const char *value, struct kit_setting *out,
                     struct kit_err *err)
{
    struct kit_url url;

    (void)info;
    if (kit_url_parse(value, &url, err))
        return -1;
    /* The transport would refuse it too, in the middle of an action; here it is a typing error. */
    if (kit_str_eq(url.scheme, "http") && !kit_url_plain_allowed(&url))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "plain http to %s: allowed only to this host and to link-local or "
                           "metadata addresses; write https",
                           url.host);
    out->text = kit_mem_strdup(value);
    return 0;
}

/* The value is not shown: an external id or a proxy's password may be in it. */
static int parse_text(const struct kit_param_info *info, const char *value, struct kit_setting *out,
                      struct kit_err *err)
{
    (void)info;
    if (strlen(value) > TEXT_BYTES || !is_printable(value))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "the value has a control character, is no UTF-8, or has more than %d "
                           "bytes",
                           TEXT_BYTES);
    out->text = kit_mem_strdup(value);
    return 0;
}

static int parse_path(const struct kit_param_info *info, const char *value, struct kit_setting *out,
                      struct kit_err *err)
{
    (void)info;
    if (value[0] != '/' || strlen(value) > PATH_BYTES || !is_printable(value))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%.*s\" is no absolute path", SHOWN, value);
    out->text = kit_mem_strdup(value);
    return 0;
}

static int parse_unknown_policy(const struct kit_param_info *info, const char *value,
                                struct kit_setting *out, struct kit_err *err)
{
    static const char prefix[] = "fail-after";
    int64_t checks = -1;

    (void)info;
    if (kit_str_eq(value, "ok")) {
        checks = 0;
    } else if (kit_str_eq(value, "fail")) {
        checks = 1;
    } else if (kit_str_starts(value, prefix) && value[strlen(prefix)] != '\0' &&
               strchr(" \t:-", value[strlen(prefix)])) {
        const char *digits = value + strlen(prefix);
        digits += *digits == ':' || *digits == '-' ? 1 : strspn(digits, " \t");
        if (!kit_str_to_int(digits, 1, FAIL_AFTER_MAX, &checks))
            checks = -1;
    }
    if (checks < 0)
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "\"%.*s\" is none of ok, fail, fail-after N (N from 1 to %d)", SHOWN,
                           value, FAIL_AFTER_MAX);
    out->number = checks;
    if (checks > 1) {
        char text[32];
        (void)kit_str_format(text, sizeof(text), "%s %lld", prefix, (long long)checks);
        out->text = kit_mem_strdup(text);
    } else {
        out->text = kit_mem_strdup(checks == 0 ? "ok" : "fail");
    }
    return 0;
}

/* What is wrong is said without the value: it may hold a password. */
static int parse_proxy(const struct kit_param_info *info, const char *value,
                       struct kit_setting *out, struct kit_err *err)
{
    static const char *const schemes[] = {"http",    "https",  "socks4",
                                          "socks4a", "socks5", "socks5h"};
    const char *host = strstr(value, "://");
    bool known = !host;

    if (parse_text(info, value, out, err))
        return -1;
    for (size_t i = 0; host && i < KIT_LEN(schemes); i++)
        known = known ||
                (strlen(schemes[i]) == (size_t)(host - value) && kit_str_starts(value, schemes[i]));
    host = host ? host + strlen("://") : value;
    if (known && host[strcspn(host, " /")] != ' ' && strcspn(host, "/") > 0)
        return 0;
    free(out->text);
    out->text = NULL;
    return kit_err_set(err, KIT_ERR_CONFIG,
                       "not a proxy's URL: want http, https, socks4, socks4a, socks5 or socks5h, "
                       "then ://HOST:PORT");
}

static int (*const parsers[])(const struct kit_param_info *, const char *, struct kit_setting *,
                              struct kit_err *) = {
    [KIT_TYPE_CHOICE] = parse_choice,   [KIT_TYPE_BOOL] = parse_bool,
    [KIT_TYPE_NUMBER] = parse_number,   [KIT_TYPE_SECONDS] = parse_number,
    [KIT_TYPE_ADDRESS] = parse_address, [KIT_TYPE_IFNAME] = parse_ifname,
    [KIT_TYPE_ID] = parse_id,           [KIT_TYPE_IDS] = parse_list,
    [KIT_TYPE_HOSTS] = parse_list,      [KIT_TYPE_PATHS] = parse_list,
    [KIT_TYPE_NAMES] = parse_list,      [KIT_TYPE_URL] = parse_url,
    [KIT_TYPE_TEXT] = parse_text,       [KIT_TYPE_PROXY] = parse_proxy,
    [KIT_TYPE_PATH] = parse_path,       [KIT_TYPE_UNKNOWN_POLICY] = parse_unknown_policy,
};

/* ---- the settings of one resource ------------------------------------------------------------ */

static void free_setting(struct kit_setting *setting)
{
    free(setting->text);
    free(setting->origin);
    kit_list_free(setting->list);
    *setting = (struct kit_setting){0};
}

static int put(struct kit_settings *settings, enum kit_param param, const char *value,
               const char *origin, bool given, struct kit_err *err)
{
    const struct kit_param_info *info = &kit_param_info[param];
    struct kit_setting parsed = {.given = given};

    if (value[0] == '\0')
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: %s: the value is empty", origin, info->name);
    if (parsers[info->type](info, value, &parsed, err))
        return kit_err_wrap(err, "%s: %s", origin, info->name);
    parsed.origin = kit_mem_strdup(origin);
    free_setting(&settings->v[param]);
    settings->v[param] = parsed;
    return 0;
}

void kit_settings_init(struct kit_settings *settings, const char *tag)
{
    struct kit_err err;

    *settings = (struct kit_settings){.tag = kit_mem_strdup(tag)};
    for (int i = 0; i < KIT_PARAM_COUNT; i++) {
        const char *dflt = kit_param_info[i].dflt;
        /* A default that its own type refuses is a mistake in the table; a unit test parses all. */
        if (dflt && put(settings, (enum kit_param)i, dflt, "default", false, &err))
            abort();
    }
}

void kit_settings_done(struct kit_settings *settings)
{
    for (int i = 0; i < KIT_PARAM_COUNT; i++)
        free_setting(&settings->v[i]);
    free(settings->tag);
    settings->tag = NULL;
}

int kit_settings_put(struct kit_settings *settings, enum kit_param param, const char *value,
                     const char *origin, struct kit_err *err)
{
    return put(settings, param, value, origin, true, err);
}

const char *kit_settings_text(const struct kit_settings *s, enum kit_param param)
{
    return s->v[param].text;
}

int64_t kit_settings_number(const struct kit_settings *s, enum kit_param param)
{
    return s->v[param].number;
}

bool kit_settings_yes(const struct kit_settings *s, enum kit_param param)
{
    return kit_settings_is(s, param, "yes");
}

bool kit_settings_is(const struct kit_settings *s, enum kit_param param, const char *word)
{
    return s->v[param].text && kit_str_eq(s->v[param].text, word);
}

const struct kit_addr *kit_settings_addr(const struct kit_settings *s, enum kit_param param)
{
    return s->v[param].addr.family ? &s->v[param].addr : NULL;
}

char *const *kit_settings_list(const struct kit_settings *s, enum kit_param param)
{
    return s->v[param].list;
}

bool kit_settings_same_session(const struct kit_settings *a, const struct kit_settings *b)
{
    for (int i = 0; i < KIT_PARAM_COUNT; i++)
        if (kit_param_info[i].session && !kit_str_eq(a->v[i].text, b->v[i].text))
            return false;
    return true;
}
