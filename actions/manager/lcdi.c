/* actions/manager/lcdi.c - LifeKeeper's commands. */
#include "actions/manager/lcdi.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"
#include "kit/sys/proc.h"

#define DEFAULT_ROOT "/opt/LifeKeeper"
#define ARGS_MAX     24

#define FIELD_SEPARATOR '\x01'

/* ---- the output of ins_list ------------------------------------------------------------------ */

static const char *const field_names[] = {"system", "application", "type", "tag",
                                          "id",     "info",        "state"};

struct slice {
    const char *at;
    size_t len;
};

/* Field `index` of a line; false when the line has fewer. */
static bool field(struct slice line, unsigned index, struct slice *ret_field)
{
    for (;; index--) {
        const char *end = memchr(line.at, FIELD_SEPARATOR, line.len);
        size_t len = end ? (size_t)(end - line.at) : line.len;
        if (index == 0) {
            *ret_field = (struct slice){line.at, len};
            return true;
        }
        if (!end)
            return false;
        line = (struct slice){end + 1, line.len - len - 1};
    }
}

static bool is_tag(struct slice line, const char *tag)
{
    struct slice name;

    return field(line, ACT_LCDI_TAG, &name) && name.len == strlen(tag) &&
           memcmp(name.at, tag, name.len) == 0;
}

int act_lcdi_field(const char *output, size_t len_bytes, const char *tag,
                   enum act_lcdi_field wanted, struct kit_buf *ret_field, struct kit_err *err)
{
    struct slice rest = {output, len_bytes}, only = {0}, named = {0}, found;
    size_t lines = 0;

    while (rest.len > 0) {
        const char *newline = memchr(rest.at, '\n', rest.len);
        struct slice line = {rest.at, newline ? (size_t)(newline - rest.at) : rest.len};
        size_t used = line.len + (newline ? 1 : 0);

        rest = (struct slice){rest.at + used, rest.len - used};
        if (line.len == 0)
            continue;
        lines++;
        only = line;
        if (!named.at && is_tag(line, tag))
            named = line;
    }
    if (!named.at && lines == 1)
        named = only;
    if (!named.at || !field(named, wanted, &found))
        return 0;
    if (found.len > 0 && memchr(found.at, '\0', found.len))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: the %s field holds a NUL byte", tag,
                           field_names[wanted]);
    if (kit_buf_add(ret_field, found.at, found.len))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s: the %s field is longer than %zu bytes", tag,
                           field_names[wanted], ret_field->max_bytes);
    return 0;
}

/* ---- the commands ---------------------------------------------------------------------------- */

const char *act_lcdi_root(void)
{
    const char *lkroot = getenv("LKROOT");

    return lkroot && lkroot[0] == '/' ? lkroot : DEFAULT_ROOT;
}

bool act_lcdi_has(const char *name)
{
    char program[PATH_MAX];

    return kit_str_format(program, sizeof(program), "%s/bin/%s", act_lcdi_root(), name) &&
           access(program, X_OK) == 0;
}

/* argv with the program's whole path in front, in `ret_argv`. */
static int whole_path(const char *const argv[], char path[PATH_MAX], const char *ret_argv[],
                      struct kit_err *err)
{
    size_t n = 1;

    if (!kit_str_format(path, PATH_MAX, "%s/bin", act_lcdi_root()))
        return kit_err_set(err, KIT_ERR_CONFIG, "LKROOT is too long");
    if (kit_file_check_dir(path, err))
        return -1;
    if (!act_lcdi_has(argv[0]) ||
        !kit_str_format(path, PATH_MAX, "%s/bin/%s", act_lcdi_root(), argv[0]))
        return kit_err_set(err, KIT_ERR_CONFIG, "%s/bin has no program %s", act_lcdi_root(),
                           argv[0]);
    ret_argv[0] = path;
    for (; n < ARGS_MAX && argv[n]; n++)
        ret_argv[n] = argv[n];
    ret_argv[n] = NULL;
    return 0;
}

int act_lcdi_run(const char *const argv[], const struct kit_clock *clock, struct kit_deadline by,
                 struct kit_buf *ret_output, int *ret_status, struct kit_err *err)
{
    const char *whole[ARGS_MAX + 1];
    char path[PATH_MAX];

    if (whole_path(argv, path, whole, err))
        return -1;
    return kit_proc_run(whole, clock, by, ret_output, ret_status, err);
}

int act_lcdi_hand_over(const char *const argv[], const struct kit_clock *clock,
                       struct kit_deadline by, int *ret_status, struct kit_err *err)
{
    const char *whole[ARGS_MAX + 1];
    char path[PATH_MAX];

    if (whole_path(argv, path, whole, err))
        return -1;
    return kit_proc_hand_over(whole, clock, by, ret_status, err);
}

const char *act_lcdi_meaning(int status)
{
    /* LCDI-applications(1M), "exit codes". */
    static const char *const meanings[] = {
        "it worked",
        "a system call or a library failed",
        "its syntax was wrong",
        "an error inside LifeKeeper",
        "it exists already",
        "an argument is illegal",
        "an index is out of range",
        "it does not exist",
        "another instance depends on it",
        "the other system cannot be reached",
    };

    return status >= 0 && (size_t)status < KIT_LEN(meanings) ? meanings[status] : "it failed";
}
