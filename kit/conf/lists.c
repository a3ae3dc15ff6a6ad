#include "kit/conf/lists.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/buf.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/fmt/uri.h"

/* Far above the 200 route tables that a VPC may have by default (Amazon VPC user guide, quotas). */
#define ITEMS_MAX  512
#define ITEM_BYTES 512

/* Appends the canonical form of an item; false: it is none. */
typedef bool (*item_fn)(const char *item, struct kit_buf *out);

static bool take_id(const char *item, struct kit_buf *out)
{
    return kit_settings_is_id(item) && kit_buf_puts(out, item) == 0;
}

/* HOST, HOST:PORT, [V6], [V6]:PORT.  The metadata services give credentials away to whoever asks.
 */
static bool take_host(const char *item, struct kit_buf *out)
{
    char text[ITEM_BYTES + 16];
    struct kit_url url;
    struct kit_addr addr;
    struct kit_err err;
    bool own;

    if (strpbrk(item, "/?#@") || !kit_str_format(text, sizeof(text), "https://%s/", item) ||
        kit_url_parse(text, &url, &err))
        return false;
    own = kit_str_eq(url.host, "localhost") ||
          (kit_addr_parse(url.host, &addr) && kit_addr_is_loopback(&addr));
    if (kit_url_plain_allowed(&url) && !own)
        return false;
    (void)kit_buf_printf(out, strchr(url.host, ':') ? "[%s]" : "%s", url.host);
    if (url.port)
        (void)kit_buf_printf(out, ":%d", url.port);
    return true;
}

static bool take_path(const char *item, struct kit_buf *out)
{
    size_t len = strlen(item);

    if (item[0] != '/' || strstr(item, "/../") || kit_str_ends(item, "/..") || item[len - 1] == '/')
        return false;
    for (const char *c = item; *c; c++)
        if (*c <= ' ' || *c > '~')
            return false;
    return kit_buf_puts(out, item) == 0;
}

/* The names under which the providers' credentials may stand; they are not for hooks. */
static bool is_secret(const char *name)
{
    bool provider = kit_str_starts(name, "AWS_") || kit_str_starts(name, "ALIBABA_CLOUD_");

    return provider && (strstr(name, "SECRET") || strstr(name, "TOKEN") || strstr(name, "KEY"));
}

static bool take_name(const char *item, struct kit_buf *out)
{
    if (isdigit((unsigned char)item[0]) || is_secret(item))
        return false;
    for (const char *c = item; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            return false;
    return kit_buf_puts(out, item) == 0;
}

static const struct {
    item_fn take;
    const char *what;
} kinds[] = {
    [KIT_TYPE_IDS] = {take_id, "no id"},
    [KIT_TYPE_HOSTS] = {take_host, "no HOST or HOST:PORT, or a link-local or metadata address"},
    [KIT_TYPE_PATHS] = {take_path, "no absolute path"},
    [KIT_TYPE_NAMES] = {take_name, "no name of a variable, or one of the cloud's credentials"},
};

void kit_list_free(char **list)
{
    for (char **item = list; item && *item; item++)
        free(*item);
    free(list);
}

static int add_item(enum kit_type type, const char *item, char **list, size_t *count,
                    struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(ITEM_BYTES);

    if (!kinds[type].take(item, &text) || text.overflow)
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%.64s\" is %s", item, kinds[type].what);
    for (size_t i = 0; i < *count; i++)
        if (kit_str_eq(list[i], text.data))
            return kit_err_set(err, KIT_ERR_CONFIG, "\"%.64s\" is in the list twice", item);
    if (*count == ITEMS_MAX)
        return kit_err_set(err, KIT_ERR_CONFIG, "the list has more than %d items", ITEMS_MAX);
    list[(*count)++] = kit_buf_take(&text);
    return 0;
}

int kit_list_parse(enum kit_type type, const char *value, char ***ret_list, char **ret_text,
                   struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF((size_t)ITEMS_MAX * (ITEM_BYTES + 1));
    char **list = kit_mem_new(ITEMS_MAX + 1, sizeof(*list));
    const char *word;
    size_t len, count = 0;

    while (kit_str_word(&value, ",; \t\r\n\v\f", &word, &len)) {
        char item[ITEM_BYTES + 1] = "";

        memcpy(item, word, len < ITEM_BYTES ? len : ITEM_BYTES);
        if (len >= ITEM_BYTES) {
            (void)kit_err_set(err, KIT_ERR_CONFIG, "\"%.64s...\" is too long", item);
            goto refused;
        }
        if (add_item(type, item, list, &count, err))
            goto refused;
    }
    if (count == 0) {
        (void)kit_err_set(err, KIT_ERR_CONFIG, "the list is empty");
        goto refused;
    }
    for (size_t i = 0; i < count; i++)
        (void)kit_buf_printf(&text, "%s%s", i ? "," : "", list[i]);
    *ret_list = list;
    *ret_text = kit_buf_take(&text);
    return 0;

refused:
    kit_list_free(list);
    return -1;
}
