/* kit/conf/check.c - are the settings complete, and do they agree with each other?  And the info
 * field, which is all checks: what is left of it needs no reading. */
#include "kit/conf/check.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/buf.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/conf/load.h"

#define TAG_BYTES 256

static int say_missing(const struct kit_settings *s, enum kit_param param, struct kit_err *err)
{
    const struct kit_param_info *info = &kit_param_info[param];

    return kit_err_set(err, KIT_ERR_CONFIG,
                       "%s: %s is missing (%s); set it in the section [%s] of the resource's file",
                       s->tag, info->name, info->text, s->tag);
}

/* One of the group that `uses[first]` begins must be there; asked once a group, at its first
 * member. */
static int check_group(const struct kit_settings *s, const struct kit_param_use *uses, size_t count,
                       size_t first, struct kit_err *err)
{
    KIT_AUTO(kit_buf) names = KIT_BUF(256);
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        if (uses[i].any_of != uses[first].any_of)
            continue;
        if (i < first)
            return 0;
        found = found || kit_settings_text(s, uses[i].param);
        (void)kit_buf_printf(&names, "%s%s", names.len_bytes ? ", " : "",
                             kit_param_info[uses[i].param].name);
    }
    if (found)
        return 0;
    return kit_err_set(err, KIT_ERR_CONFIG,
                       "%s: one of %s is needed (%s: %s); set it in the section [%s] of the "
                       "resource's file",
                       s->tag, names.data, kit_param_info[uses[first].param].name,
                       kit_param_info[uses[first].param].text, s->tag);
}

/* What is wrong with protecting this address, or NULL. */
static const char *unfit(const struct kit_addr *addr)
{
    static const uint8_t zero[16];
    size_t len = addr->family == 4 ? 4 : 16;

    if (memcmp(addr->byte, zero, len) == 0)
        return "the unspecified address";
    if (kit_addr_is_loopback(addr))
        return "a loopback address";
    if (kit_addr_is_link_local(addr))
        return "a link-local address";
    if (addr->family == 4 ? (addr->byte[0] & 0xf0) == 0xe0 : addr->byte[0] == 0xff)
        return "a multicast address";
    if (addr->family == 4 && addr->byte[0] == 0xff)
        return "a broadcast address";
    return NULL;
}

static int refuse(const struct kit_settings *s, enum kit_param param, const char *why,
                  struct kit_err *err)
{
    const struct kit_setting *setting = &s->v[param];

    return kit_err_set(err, KIT_ERR_CONFIG, "%s: %s: %s = %s: %s", s->tag, setting->origin,
                       kit_param_info[param].name, setting->text, why);
}

static int check_addresses(const struct kit_settings *s, struct kit_err *err)
{
    static const enum kit_param params[] = {KIT_PARAM_ADDRESS, KIT_PARAM_PRIVATE_ADDRESS};
    const struct kit_addr *address = kit_settings_addr(s, KIT_PARAM_ADDRESS);
    const struct kit_addr *inner = kit_settings_addr(s, KIT_PARAM_PRIVATE_ADDRESS);

    for (size_t i = 0; i < KIT_LEN(params); i++) {
        const struct kit_addr *addr = kit_settings_addr(s, params[i]);
        const char *why = addr ? unfit(addr) : NULL;
        if (why)
            return refuse(s, params[i], why, err);
    }
    if (!kit_settings_is(s, KIT_PARAM_SCENARIO, "elastic-ip"))
        return 0;
    /* Neither cloud has Elastic IPs for IPv6.  Private ranges are not refused: an Outpost's
     * customer-owned addresses are Elastic IPs too, and are often private. */
    if (address && address->family != 4)
        return refuse(s, KIT_PARAM_ADDRESS, "an Elastic IP is an IPv4 address", err);
    if (inner && inner->family != 4)
        return refuse(s, KIT_PARAM_PRIVATE_ADDRESS, "an Elastic IP maps to an IPv4 address", err);
    if (address && inner && kit_addr_eq(address, inner))
        return refuse(s, KIT_PARAM_PRIVATE_ADDRESS, "the same as address, which is the public one",
                      err);
    return 0;
}

int kit_conf_check(const struct kit_settings *settings, const struct kit_param_use *uses,
                   size_t count, struct kit_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (uses[i].required && !kit_settings_text(settings, uses[i].param))
            return say_missing(settings, uses[i].param, err);
        if (uses[i].any_of && check_group(settings, uses, count, i, err))
            return -1;
    }
    if (kit_settings_text(settings, KIT_PARAM_EXTERNAL_ID) &&
        !kit_settings_text(settings, KIT_PARAM_ROLE_ARN))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: %s: external_id without the role_arn it is for", settings->tag,
                           settings->v[KIT_PARAM_EXTERNAL_ID].origin);
    return check_addresses(settings, err);
}

/* "..", as a whole component: the tag names files in the run directory. */
static bool climbs(const char *tag)
{
    const char *component;
    size_t len;

    while (kit_str_word(&tag, "/", &component, &len))
        if (len == 2 && memcmp(component, "..", 2) == 0)
            return true;
    return false;
}

int kit_conf_check_tag(const char *tag, struct kit_err *err)
{
    size_t len = strlen(tag);

    if (len == 0)
        return kit_err_set(err, KIT_ERR_CONFIG, "the tag is empty");
    if (len > TAG_BYTES)
        return kit_err_set(err, KIT_ERR_CONFIG, "the tag \"%.32s...\" has more than %d characters",
                           tag, TAG_BYTES);
    if (kit_str_eq(tag, "defaults"))
        return kit_err_set(
            err, KIT_ERR_CONFIG,
            "\"defaults\" is no tag: it is the section for what all resources share");
    if (tag[0] == '.' || tag[0] == '/' || climbs(tag) ||
        tag[strspn(tag, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./")])
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "\"%.64s\" is no tag (letters, digits, '-', '_', '.', '/'; not "
                           "beginning with '.' or '/', no \"..\" between slashes)",
                           tag);
    return 0;
}

/* ---- LifeKeeper's info field ----------------------------------------------------------------- */

/* What is wrong with the field as a whole, or NULL. */
static const char *unfit_field(const char *text)
{
    if (strlen(text) > KIT_CONF_WORDS_BYTES)
        return "longer than 8 KiB";
    for (const char *c = text; *c; c++) {
        if (*c == ',')
            return "a comma (LifeKeeper's extend cuts there; separate lists with ';')";
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return "a control character";
    }
    return NULL;
}

/* One word, cut out and ended: key and value point into it. */
static int split_word(char *word, size_t number, struct kit_overlay *list, size_t count,
                      const char *origin, struct kit_err *err)
{
    char *equals = strchr(word, '=');

    if (!equals || equals == word)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: word %zu is not key=value", origin, number);
    *equals = '\0';
    for (size_t i = 0; i < count; i++)
        if (kit_str_eq(list[i].key, word))
            return kit_err_set(err, KIT_ERR_CONFIG, "%s: %.64s is set twice", origin, word);
    list[count] = (struct kit_overlay){.key = word, .value = equals + 1, .origin = origin};
    return 0;
}

int kit_conf_parse_words(const char *text, const char *origin, struct kit_overlay **ret_overlay,
                         size_t *ret_count, struct kit_err *err)
{
    const char *wrong = unfit_field(text);
    const char *cursor = text, *word;
    size_t len, words = 0, count = 0;

    if (wrong)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: %s", origin, wrong);
    while (kit_str_word(&cursor, " ", &word, &len))
        words++;
    if (words > KIT_PARAM_COUNT)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: more words than there are parameters", origin);
    if (words == 0) {
        *ret_overlay = NULL;
        *ret_count = 0;
        return 0;
    }

    /* One block: the list, then the copies that it points to. */
    size_t list_bytes = words * sizeof(struct kit_overlay);
    size_t origin_bytes = strlen(origin) + 1;
    char *block = kit_mem_new(1, list_bytes + origin_bytes + strlen(text) + 1);
    struct kit_overlay *list = (struct kit_overlay *)(void *)block;
    char *origin_copy = block + list_bytes, *at = origin_copy + origin_bytes;
    memcpy(origin_copy, origin, origin_bytes);
    cursor = text;
    while (kit_str_word(&cursor, " ", &word, &len)) {
        memcpy(at, word, len); /* the block is zeroed: the NUL is there */
        if (split_word(at, count + 1, list, count, origin_copy, err)) {
            free(block);
            return -1;
        }
        count++;
        at += len + 1;
    }
    *ret_overlay = list;
    *ret_count = count;
    return 0;
}

void kit_conf_words_free(struct kit_overlay *overlay, size_t count)
{
    (void)count;
    free(overlay);
}
