#include "kit/sys/rps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit/base/str.h"
#include "kit/sys/file.h"
#include "kit/sys/link.h"

/* Far more than any NIC has. */
#define QUEUES_MAX 4096

void kit_rps_done(struct kit_rps *rps)
{
    free(rps->queue);
    *rps = (struct kit_rps){0};
}

/* ---- CPUs ------------------------------------------------------------------------------------ */

static bool take_number(const char **at, unsigned *ret_number)
{
    unsigned n = 0;
    const char *begin = *at;

    for (; **at >= '0' && **at <= '9'; (*at)++) {
        n = n * 10 + (unsigned)(**at - '0');
        if (n >= KIT_RPS_CPUS)
            return false;
    }
    *ret_number = n;
    return *at > begin;
}

/* Words of 32 CPUs, the highest first and without those that are 0 in front. */
static void put_mask(const uint32_t words[], size_t count, char ret_mask[KIT_RPS_MASK_BYTES])
{
    size_t first = count - 1, at;

    while (first > 0 && !words[first])
        first--;
    (void)kit_str_format(ret_mask, KIT_RPS_MASK_BYTES, "%x", words[first]);
    for (size_t i = first; i-- > 0;) {
        at = strlen(ret_mask);
        (void)kit_str_format(ret_mask + at, KIT_RPS_MASK_BYTES - at, ",%08x", words[i]);
    }
}

bool kit_rps_parse_list(const char *list, unsigned *ret_cpus, char ret_mask[KIT_RPS_MASK_BYTES])
{
    uint32_t words[KIT_RPS_CPUS / 32] = {0};
    unsigned cpus = 0;

    for (const char *at = list;;) {
        unsigned first, last;

        if (!take_number(&at, &first))
            return false;
        last = first;
        if (*at == '-' && (at++, !take_number(&at, &last)))
            return false;
        if (last < first)
            return false;
        for (unsigned cpu = first; cpu <= last; cpu++) {
            uint32_t bit = UINT32_C(1) << cpu % 32;
            cpus += !(words[cpu / 32] & bit);
            words[cpu / 32] |= bit;
        }
        if (*at == '\n' && at[1] == '\0')
            at++;
        if (*at == '\0')
            break;
        if (*at++ != ',')
            return false;
    }
    *ret_cpus = cpus;
    put_mask(words, sizeof(words) / sizeof(words[0]), ret_mask);
    return true;
}

int kit_rps_online(const char *root, unsigned *ret_cpus, char ret_mask[KIT_RPS_MASK_BYTES],
                   struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(KIT_RPS_CPUS * 5u); /* each by itself, at worst */
    char path[PATH_MAX];

    (void)kit_str_format(path, sizeof(path), "%s/sys/devices/system/cpu/online", root);
    if (kit_file_read(path, KIT_FILE_ANY, &text, err) != 0)
        return -1;
    if (!kit_rps_parse_list(text.data, ret_cpus, ret_mask))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: no list of CPUs", path);
    return 0;
}

/* ---- queues ---------------------------------------------------------------------------------- */

static int read_line(const char *path, char *line, size_t line_bytes, struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(line_bytes + 1);

    if (kit_file_read(path, KIT_FILE_ANY, &text, err) != 0)
        return -1;
    if (!kit_str_copy(line, line_bytes, kit_str_trim(text.data)))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: longer than %zu bytes", path, line_bytes);
    return 0;
}

/* A process in a network namespace of its own may see the /sys of another one: an interface of the
 * same name there is not ours to change.  Numbers are alike in all of them; MACs are not. */
static int check_namespace(const char *root, const char *interface, struct kit_err *err)
{
    char path[PATH_MAX], number[16], mac[64];
    struct kit_link link;
    int64_t index;

    if (kit_link_read(interface, &link, err) != 0)
        return -1;
    (void)kit_str_format(path, sizeof(path), "%s/sys/class/net/%s/ifindex", root, interface);
    if (read_line(path, number, sizeof(number), err) == 0 &&
        kit_str_to_int(number, 1, INT_MAX, &index) && (unsigned)index == link.index) {
        (void)kit_str_format(path, sizeof(path), "%s/sys/class/net/%s/address", root, interface);
        if (!link.mac[0] ||
            (read_line(path, mac, sizeof(mac), err) == 0 && kit_str_eq_nocase(mac, link.mac)))
            return 0;
    }
    return kit_err_set(err, KIT_ERR_STATE, "/sys does not show the interface %s of this network",
                       interface);
}

static int compare(const void *a, const void *b)
{
    const struct kit_rps_queue *x = a, *y = b;

    return x->number < y->number ? -1 : x->number > y->number;
}

static int read_queues(const char *root, const char *interface, struct kit_rps *rps,
                       struct kit_err *err)
{
    KIT_AUTO(kit_file_names) names = {0};
    char dir[PATH_MAX], path[PATH_MAX];

    (void)kit_str_format(dir, sizeof(dir), "%s/sys/class/net/%s/queues", root, interface);
    if (kit_file_list(dir, "", &names, err) != 0)
        return -1;
    rps->queue = kit_mem_new(names.count, sizeof(*rps->queue));
    for (size_t i = 0; i < names.count && rps->count < QUEUES_MAX; i++) {
        struct kit_rps_queue *q = &rps->queue[rps->count];
        int64_t number;

        if (!kit_str_starts(names.name[i], "rx-") ||
            !kit_str_to_int(names.name[i] + 3, 0, QUEUES_MAX, &number))
            continue;
        (void)kit_str_format(path, sizeof(path), "%s/%s/rps_cpus", dir, names.name[i]);
        if (read_line(path, q->mask, sizeof(q->mask), err) != 0)
            return -1;
        q->number = (unsigned)number;
        q->on = q->mask[strspn(q->mask, "0,")] != '\0';
        rps->count++;
    }
    if (!rps->count)
        return kit_err_set(err, KIT_ERR_STATE, "%s has no receiving queues in /sys", interface);
    qsort(rps->queue, rps->count, sizeof(*rps->queue), compare);
    return 0;
}

int kit_rps_read(const char *root, const char *interface, struct kit_rps *ret_rps,
                 struct kit_err *err)
{
    struct kit_rps rps = {0};

    if (check_namespace(root, interface, err) != 0)
        return -1;
    if (read_queues(root, interface, &rps, err) != 0) {
        kit_rps_done(&rps);
        return -1;
    }
    *ret_rps = rps;
    return 0;
}

int kit_rps_set(const char *root, const char *interface, unsigned number, const char *mask,
                struct kit_err *err)
{
    char path[PATH_MAX];
    size_t len = strlen(mask);

    if (check_namespace(root, interface, err) != 0)
        return -1;
    (void)kit_str_format(path, sizeof(path), "%s/sys/class/net/%s/queues/rx-%u/rps_cpus", root,
                         interface, number);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, mask, len) == (ssize_t)len;
    int saved_errno = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = saved_errno;
    if (done)
        return 0;
    if (errno == EACCES || errno == EPERM || errno == EROFS)
        return kit_err_set(err, KIT_ERR_DENIED,
                           "%s cannot be written: it needs root, and a /sys "
                           "that is not read-only",
                           path);
    return kit_err_set(err, KIT_ERR_SYSTEM, "write %s to %s", mask, path);
}
