/* kit/host/now.c - what the kernel has now. */
#include "kit/host/now.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/buf.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"

#define TABLES_BYTES (256u * 1024) /* a distribution's file has some 300 */
#define TABLES_MAX   4096

void kit_host_now_done(struct kit_host_now *now)
{
    kit_ifaddrs_done(&now->addrs);
    kit_routes_done(&now->routes);
    kit_iprules_done(&now->rules);
    free(now->named);
    *now = (struct kit_host_now){0};
}

void kit_host_take_tables(struct kit_host_now *now, const char *text)
{
    const char *line, *at = text;
    size_t len;

    while (kit_str_word(&at, "\r\n", &line, &len)) {
        size_t digits = strspn(line, "0123456789");
        char number[12];
        int64_t value;

        if (digits == 0 || digits >= sizeof(number) || digits >= len ||
            (line[digits] != ' ' && line[digits] != '\t') || now->named_count == TABLES_MAX)
            continue;
        memcpy(number, line, digits);
        number[digits] = '\0';
        if (!kit_str_to_int(number, 1, UINT32_MAX, &value))
            continue;
        now->named = kit_mem_grow(now->named, now->named_count + 1, sizeof(now->named[0]));
        now->named[now->named_count++] = (uint32_t)value;
    }
}

/* A file that cannot be read names no tables: iproute2 thinks so too. */
static void read_tables(const char *root, const char *dir, const char *name,
                        struct kit_host_now *now)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(TABLES_BYTES);
    char path[PATH_MAX];
    struct kit_err ignored;

    if (kit_str_format(path, sizeof(path), "%s%s/%s", root, dir, name) &&
        kit_file_read(path, KIT_FILE_ANY, &text, &ignored) == 0)
        kit_host_take_tables(now, text.data);
}

static void read_all_tables(const char *root, struct kit_host_now *now)
{
    static const char *const dirs[] = {"/etc/iproute2", "/usr/share/iproute2", "/usr/lib/iproute2"};

    for (size_t i = 0; i < KIT_LEN(dirs); i++) {
        KIT_AUTO(kit_file_names) names = {0};
        char dir[PATH_MAX], part[64];
        struct kit_err ignored;

        read_tables(root, dirs[i], "rt_tables", now);
        (void)kit_str_format(part, sizeof(part), "%s/rt_tables.d", dirs[i]);
        if (!kit_str_format(dir, sizeof(dir), "%s%s", root, part) ||
            kit_file_list(dir, ".conf", &names, &ignored) != 0)
            continue;
        for (size_t k = 0; k < names.count; k++)
            read_tables(root, part, names.name[k], now);
    }
}

/* The kernel takes the larger of `all` and the interface's own (IN_DEV_ORCONF). */
static bool reads_one(const char *interface)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(16);
    char path[96];
    struct kit_err ignored;

    return kit_str_format(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/promote_secondaries",
                          interface) &&
           kit_file_read(path, KIT_FILE_ANY, &text, &ignored) == 0 && text.data[0] != '0';
}

int kit_host_now_read(const char *root, const char *interface, struct kit_host_now *ret_now,
                      struct kit_err *err)
{
    struct kit_host_now now = {0};

    if (kit_link_read(interface, &now.link, err) != 0) {
        if (err->kind != KIT_ERR_CONFIG)
            return -1;
        now.link = (struct kit_link){0};
    }
    if (kit_ifaddr_list(&now.addrs, err) != 0 || kit_route_list(&now.routes, err) != 0 ||
        kit_iprule_list(&now.rules, err) != 0) {
        kit_host_now_done(&now);
        return -1;
    }
    now.promotes = reads_one("all") || (now.link.index && reads_one(interface));
    read_all_tables(root, &now);
    *ret_now = now;
    return 0;
}
