/* kit/host/persist_ifupdown.c - ifupdown (Debian, Ubuntu before 17.10): interfaces(5), a file in
 * /etc/network/interfaces.d that runs what we would run. */
#include <limits.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/host/persist.h"
#include "kit/sys/file.h"

#define MAIN "/etc/network/interfaces"
#define DIR  MAIN ".d"
#define OURS "cloudvip-"

static enum kit_persist_claim claims(const struct kit_persist_place *place)
{
    if (!kit_persist_exists(place, MAIN) ||
        (!kit_persist_exists(place, "/sbin/ifup") && !kit_persist_exists(place, "/usr/sbin/ifup")))
        return KIT_PERSIST_NONE;
    return kit_persist_exists(place, "/run/network/ifstate") ? KIT_PERSIST_RUNS
                                                             : KIT_PERSIST_ENABLED;
}

/* Has a line of the file these two words first?  `second` NULL: any that names our directory. */
static bool has_line(const struct kit_persist_place *place, const char *name, const char *first,
                     const char *second)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(256u * 1024);
    char path[PATH_MAX];
    struct kit_err ignored;
    char *line, *lines = NULL;

    if (!kit_str_format(path, sizeof(path), "%s%s", place->root, name) ||
        kit_file_read(path, KIT_FILE_ANY, &text, &ignored) != 0)
        return false;
    for (line = strtok_r(text.data, "\r\n", &lines); line; line = strtok_r(NULL, "\r\n", &lines)) {
        char *words = NULL, *word = strtok_r(line, " \t", &words);
        bool is_first = kit_str_eq(word, first);

        word = strtok_r(NULL, " \t", &words);
        if (is_first && word && (second ? kit_str_eq(word, second) : strstr(word, DIR) != NULL))
            return true;
    }
    return false;
}

/* Stanzas add up: with another one the interface would be configured twice. */
static int check(const struct kit_persist_place *place, struct kit_err *err)
{
    KIT_AUTO(kit_file_names) names = {0};
    char path[PATH_MAX];
    struct kit_err ignored;

    if (has_line(place, MAIN, "iface", place->interface))
        return kit_persist_not_ours(MAIN, place->interface, err);
    if (!has_line(place, MAIN, "source", NULL) && !has_line(place, MAIN, "source-directory", NULL))
        return kit_err_set(err, KIT_ERR_CONFIG,
                           MAIN " does not read " DIR ": add the line \"source " DIR "/*\"");
    if (!kit_str_format(path, sizeof(path), "%s%s", place->root, DIR) ||
        kit_file_list(path, "", &names, &ignored) != 0)
        return 0; /* there is none: it is made */
    for (size_t i = 0; i < names.count; i++)
        if (!kit_str_starts(names.name[i], OURS) &&
            kit_str_format(path, sizeof(path), DIR "/%s", names.name[i]) &&
            has_line(place, path, "iface", place->interface))
            return kit_persist_not_ours(path, place->interface, err);
    return 0;
}

static void render(const struct kit_persist_want *want, struct kit_persist_files *files)
{
    struct kit_buf *out =
        kit_persist_add(files, want->interface, 0644, DIR "/" OURS "%s", want->interface);

    (void)kit_buf_printf(out, "\nauto %s\niface %s inet manual\n", want->interface,
                         want->interface);
    if (want->mtu)
        (void)kit_buf_printf(out, "    up ip link set dev %s mtu %u\n", want->interface, want->mtu);
    for (size_t i = 0; i < want->items->count; i++) {
        (void)kit_buf_puts(out, "    up ");
        kit_change_command(&want->items->change[i], want->interface, out);
        (void)kit_buf_putc(out, '\n');
    }
    for (size_t i = want->items->count; i > 0; i--) {
        struct kit_change c = want->items->change[i - 1];
        c.undo = true;
        (void)kit_buf_puts(out, "    down ");
        kit_change_command(&c, want->interface, out);
        (void)kit_buf_puts(out, " || true\n");
    }
}

const struct kit_persist_manager kit_persist_ifupdown = {
    .name = "ifupdown",
    .looks_for = MAIN " and ifup",
    .claims = claims,
    .render = render,
    .check = check,
};
