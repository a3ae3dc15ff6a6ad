#include "kit/sys/dhcp.h"

#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "kit/base/str.h"
#include "kit/sys/file.h"
#include "kit/sys/ifaddr.h"

/* Configurations are a few KiB. */
#define TEXT_BYTES (256u * 1024)
#define WORD_BYTES 128

/* ---- files of KEY=VALUE ---------------------------------------------------------------------- */

static void put_word(const char *at, size_t len, char ret_word[WORD_BYTES])
{
    while (len > 0 && strchr(" \t\r", *at))
        at++, len--;
    while (len > 0 && strchr(" \t\r", at[len - 1]))
        len--;
    if (len >= 2 && (*at == '"' || *at == '\'') && at[len - 1] == *at)
        at++, len -= 2;
    if (len >= WORD_BYTES)
        len = 0; /* nothing that we look for */
    memcpy(ret_word, at, len);
    ret_word[len] = '\0';
}

/* The last value of a key, in a section ("[ipv4]") or, with NULL, in a file that has none. */
static bool value_of(const char *text, const char *section, const char *key, char ret[WORD_BYTES])
{
    bool here = !section, found = false;

    for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
        char word[WORD_BYTES];
        const char *equals;

        end = line + strcspn(line, "\n");
        line += strspn(line, " \t");
        if (line > end || *line == '#' || *line == ';')
            continue;
        if (*line == '[') {
            put_word(line, (size_t)(end - line), word);
            here = section && kit_str_eq(word, section);
            continue;
        }
        equals = memchr(line, '=', (size_t)(end - line));
        if (!here || !equals)
            continue;
        put_word(line, (size_t)(equals - line), word);
        if (!kit_str_eq(word, key))
            continue;
        put_word(equals + 1, (size_t)(end - equals - 1), ret);
        found = true;
    }
    return found;
}

static bool is_one_of(const char *word, const char *const list[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (kit_str_eq_nocase(word, list[i]))
            return true;
    return false;
}

enum kit_dhcp kit_dhcp_in_networkd(const char *text)
{
    static const char *const on[] = {"yes", "true", "1", "on", "ipv4", "both", "v4"};
    char value[WORD_BYTES];

    return value_of(text, "[Network]", "DHCP", value) && is_one_of(value, on, KIT_LEN(on))
               ? KIT_DHCP_ON
               : KIT_DHCP_OFF;
}

enum kit_dhcp kit_dhcp_in_nm(const char *text, const char *uuid)
{
    char value[WORD_BYTES];

    if (!value_of(text, "[connection]", "uuid", value) || !kit_str_eq_nocase(value, uuid))
        return KIT_DHCP_UNKNOWN;
    return value_of(text, "[ipv4]", "method", value) && kit_str_eq(value, "auto") ? KIT_DHCP_ON
                                                                                  : KIT_DHCP_OFF;
}

enum kit_dhcp kit_dhcp_in_ifcfg(const char *text)
{
    static const char *const on[] = {"dhcp", "bootp", "dhcp4", "dhcp+autoip"};
    char value[WORD_BYTES];

    return value_of(text, NULL, "BOOTPROTO", value) && is_one_of(value, on, KIT_LEN(on))
               ? KIT_DHCP_ON
               : KIT_DHCP_OFF;
}

enum kit_dhcp kit_dhcp_in_ifupdown(const char *text, const char *interface)
{
    enum kit_dhcp found = KIT_DHCP_UNKNOWN;

    for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
        char word[4][WORD_BYTES] = {""};
        const char *cursor, *at;
        char copy[4 * WORD_BYTES];
        size_t len, words = 0;

        end = line + strcspn(line, "\n");
        if ((size_t)(end - line) >= sizeof(copy))
            continue;
        memcpy(copy, line, (size_t)(end - line));
        copy[end - line] = '\0';
        cursor = copy;
        while (words < KIT_LEN(word) && kit_str_word(&cursor, " \t\r", &at, &len))
            put_word(at, len, word[words++]);
        if (words < 4 || !kit_str_eq(word[0], "iface") || !kit_str_eq(word[1], interface) ||
            !kit_str_eq(word[2], "inet"))
            continue;
        if (kit_str_eq(word[3], "dhcp"))
            return KIT_DHCP_ON; /* stanzas add up */
        found = KIT_DHCP_OFF;
    }
    return found;
}

/* ---- where they are -------------------------------------------------------------------------- */

struct place {
    const char *root, *interface;
    unsigned index;
    char *by; /* KIT_DHCP_BY_BYTES */
};

/* The file is there; its text, and its name as what tells. */
static bool read_file(const struct place *p, const char *name, struct kit_buf *text)
{
    char path[PATH_MAX];
    struct kit_err ignored;

    kit_buf_reset(text);
    if (!kit_str_format(path, sizeof(path), "%s%s", p->root, name) ||
        kit_file_read(path, KIT_FILE_ANY, text, &ignored))
        return false;
    (void)kit_str_copy(p->by, KIT_DHCP_BY_BYTES, name);
    return true;
}

static bool has_lease(const struct place *p)
{
    struct kit_ifaddrs all;
    struct kit_err ignored;
    bool found = false;

    if (kit_ifaddr_list(&all, &ignored))
        return false;
    for (size_t i = 0; i < all.count; i++)
        found = found || (p->index && all.addr[i].index == p->index &&
                          all.addr[i].addr.family == 4 && all.addr[i].ends);
    kit_ifaddrs_done(&all);
    if (found)
        (void)kit_str_copy(p->by, KIT_DHCP_BY_BYTES, "its address has a lifetime");
    return found;
}

static enum kit_dhcp ask_networkd(const struct place *p, struct kit_buf *text)
{
    char name[96], file[WORD_BYTES], more[WORD_BYTES];
    enum kit_dhcp found;

    (void)kit_str_format(name, sizeof(name), "/run/systemd/netif/leases/%u", p->index);
    if (read_file(p, name, text))
        return KIT_DHCP_ON;
    (void)kit_str_format(name, sizeof(name), "/run/systemd/netif/links/%u", p->index);
    if (!read_file(p, name, text) || !value_of(text->data, NULL, "NETWORK_FILE", file))
        return KIT_DHCP_UNKNOWN;
    bool split = value_of(text->data, NULL, "NETWORK_FILE_DROPINS", more) && more[0];
    if (!read_file(p, file, text))
        return KIT_DHCP_UNKNOWN;
    found = kit_dhcp_in_networkd(text->data);
    /* A drop-in may say otherwise. */
    return split ? KIT_DHCP_UNKNOWN : found;
}

static enum kit_dhcp ask_nm_dir(const struct place *p, const char *dir, const char *uuid,
                                struct kit_buf *text)
{
    KIT_AUTO(kit_file_names) names = {0};
    enum kit_dhcp found = KIT_DHCP_UNKNOWN;
    char path[PATH_MAX];
    struct kit_err ignored;

    if (!kit_str_format(path, sizeof(path), "%s%s", p->root, dir) ||
        kit_file_list(path, "", &names, &ignored))
        return found;
    for (size_t i = 0; i < names.count && found == KIT_DHCP_UNKNOWN; i++)
        if (kit_str_format(path, sizeof(path), "%s/%s", dir, names.name[i]) &&
            read_file(p, path, text))
            found = kit_dhcp_in_nm(text->data, uuid);
    return found;
}

static enum kit_dhcp ask_nm(const struct place *p, struct kit_buf *text)
{
    static const char *const dirs[] = {"/run/NetworkManager/system-connections",
                                       "/etc/NetworkManager/system-connections"};
    enum kit_dhcp found = KIT_DHCP_UNKNOWN;
    char name[96], uuid[WORD_BYTES];

    (void)kit_str_format(name, sizeof(name), "/run/NetworkManager/devices/%u", p->index);
    if (!read_file(p, name, text) || !value_of(text->data, "[device]", "connection-uuid", uuid))
        return found;
    for (size_t i = 0; i < KIT_LEN(dirs) && found == KIT_DHCP_UNKNOWN; i++)
        found = ask_nm_dir(p, dirs[i], uuid, text);
    return found;
}

static enum kit_dhcp ask_ifcfg(const struct place *p, struct kit_buf *text)
{
    static const char *const dirs[] = {"/etc/sysconfig/network-scripts", "/etc/sysconfig/network"};
    char name[96];

    for (size_t i = 0; i < KIT_LEN(dirs); i++) {
        (void)kit_str_format(name, sizeof(name), "%s/ifcfg-%s", dirs[i], p->interface);
        if (read_file(p, name, text))
            return kit_dhcp_in_ifcfg(text->data);
    }
    return KIT_DHCP_UNKNOWN;
}

static enum kit_dhcp ask_ifupdown(const struct place *p, struct kit_buf *text)
{
    static const char dir[] = "/etc/network/interfaces.d";
    KIT_AUTO(kit_file_names) names = {0};
    enum kit_dhcp found = KIT_DHCP_UNKNOWN;
    char path[PATH_MAX];
    struct kit_err ignored;

    if (read_file(p, "/etc/network/interfaces", text))
        found = kit_dhcp_in_ifupdown(text->data, p->interface);
    if (!kit_str_format(path, sizeof(path), "%s%s", p->root, dir) ||
        kit_file_list(path, "", &names, &ignored))
        return found;
    for (size_t i = 0; i < names.count && found != KIT_DHCP_ON; i++) {
        if (!kit_str_format(path, sizeof(path), "%s/%s", dir, names.name[i]) ||
            !read_file(p, path, text))
            continue;
        enum kit_dhcp here = kit_dhcp_in_ifupdown(text->data, p->interface);
        found = here == KIT_DHCP_UNKNOWN ? found : here;
    }
    return found;
}

/* Debian's and RHEL's places for dhclient's leases of one interface. */
static enum kit_dhcp ask_dhclient(const struct place *p, struct kit_buf *text)
{
    static const char *const forms[] = {"/var/lib/dhcp/dhclient.%s.leases",
                                        "/var/lib/dhclient/dhclient-%s.leases",
                                        "/var/lib/dhclient/dhclient--%s.lease"};
    char name[96];

    for (size_t i = 0; i < KIT_LEN(forms); i++) {
        const char *at = strstr(forms[i], "%s");
        (void)kit_str_format(name, sizeof(name), "%.*s%s%s", (int)(at - forms[i]), forms[i],
                             p->interface, at + 2);
        if (read_file(p, name, text) && text->len_bytes)
            return KIT_DHCP_ON;
    }
    return KIT_DHCP_UNKNOWN;
}

enum kit_dhcp kit_dhcp_of(const char *root, const char *interface, char ret_by[KIT_DHCP_BY_BYTES])
{
    static enum kit_dhcp (*const ask[])(const struct place *, struct kit_buf *) = {
        ask_networkd, ask_nm, ask_ifcfg, ask_ifupdown, ask_dhclient};
    KIT_AUTO(kit_buf) text = KIT_BUF(TEXT_BYTES);
    struct place p = {root, interface, if_nametoindex(interface), ret_by};

    if (has_lease(&p))
        return KIT_DHCP_ON;
    for (size_t i = 0; i < KIT_LEN(ask); i++) {
        enum kit_dhcp found = ask[i](&p, &text);
        if (found != KIT_DHCP_UNKNOWN)
            return found;
    }
    ret_by[0] = '\0';
    return KIT_DHCP_UNKNOWN;
}
