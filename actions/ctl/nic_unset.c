/* actions/ctl/nic_unset.c - what `nic setup` made, taken back; and what both share. */
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "actions/ctl/nic.h"
#include "kit/base/str.h"
#include "kit/sys/file.h"

void ctl_nic_result_done(struct ctl_nic_result *result)
{
    kit_changes_done(&result->changes);
    for (size_t i = 0; i < result->files; i++)
        free(result->file[i]);
    *result = (struct ctl_nic_result){0};
}

int ctl_nic_name(const char *word, char ret_name[KIT_NETLINK_NAME], struct kit_err *err)
{
    char name[IF_NAMESIZE];
    unsigned index;

    if (!kit_link_name_valid(word))
        return kit_err_set(err, KIT_ERR_USAGE, "\"%s\" is no name of an interface", word);
    index = if_nametoindex(word);
    (void)kit_str_copy(ret_name, KIT_NETLINK_NAME,
                       index && if_indextoname(index, name) ? name : word);
    return 0;
}

int ctl_nic_find(const char *interface, struct kit_link *ret_link, struct kit_err *err)
{
    if (kit_link_read(interface, ret_link, err) == 0)
        return 0;
    if (err->kind == KIT_ERR_CONFIG)
        err->kind = KIT_ERR_NOT_FOUND; /* the command line names it, no file */
    return -1;
}

void ctl_nic_tell(const struct ctl_nic_ask *ask, const char *fmt, ...)
{
    char line[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (ask->tell)
        ask->tell(ask->arg, line);
}

/* Asked before the first change: half of them made, and then a refusal, helps nobody. */
int ctl_nic_may_change(const char *interface, struct kit_err *err)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (syscall(SYS_capget, &head, data) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "ask for our capabilities");
    if (data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective & CAP_TO_MASK(CAP_NET_ADMIN))
        return 0;
    return kit_err_set(err, KIT_ERR_DENIED,
                       "to change interface %s needs CAP_NET_ADMIN: run this as root", interface);
}

int ctl_nic_lock(const struct ctl_nic_ask *ask, struct kit_lock *ret_lock, struct kit_err *err)
{
    char path[PATH_MAX];

    if (!kit_str_format(path, sizeof(path), "%s/nic.lock", kit_record_dir()))
        return kit_err_set(err, KIT_ERR_CONFIG, "CLOUDVIP_RUNDIR is too long");
    if (kit_file_make_dir(kit_record_dir(), 0755, err) != 0)
        return -1;
    return kit_lock_take(path, "nic", ask->clock, ask->by, ret_lock, err);
}

int ctl_nic_apply(const struct ctl_nic_ask *ask, const struct kit_change *change, unsigned index,
                  struct ctl_nic_result *result, struct kit_err *err)
{
    KIT_AUTO(kit_buf) command = KIT_BUF(256);
    bool changed = true;

    if (!ask->dry_run && kit_change_apply(change, ask->interface, index, &changed, err) != 0) {
        if (err->kind == KIT_ERR_SYSTEM && err->sys == EPERM)
            err->kind = KIT_ERR_DENIED;
        return -1;
    }
    if (!changed)
        return 0; /* somebody was quicker */
    kit_change_command(change, ask->interface, &command);
    ctl_nic_tell(ask, "%s", command.data);
    kit_changes_add(&result->changes, change);
    result->changed = true;
    return 0;
}

static int remove_files(const struct ctl_nic_ask *ask, const struct kit_host_state *state,
                        struct ctl_nic_result *result, struct kit_err *err)
{
    for (size_t i = 0; i < state->files; i++) {
        bool removed = true;

        if (!ask->dry_run && kit_persist_remove("", state->file[i], &removed, err) != 0) {
            if (err->kind != KIT_ERR_CONFIG)
                return -1;
            (void)kit_str_copy(result->note, sizeof(result->note), err->msg);
            continue;
        }
        if (!removed)
            continue;
        ctl_nic_tell(ask, "# remove %s", state->file[i]);
        result->file[result->files++] = kit_mem_strdup(state->file[i]);
        result->changed = true;
    }
    return 0;
}

static int check_files(const struct kit_host_state *state, struct kit_err *err)
{
    for (size_t i = 0; i < state->files; i++)
        if (kit_persist_is_ours("", state->file[i]) &&
            kit_persist_check_writable("", state->file[i], err) != 0)
            return kit_err_wrap(err, "take back what is kept over a reboot");
    return 0;
}

static int take_back(const struct ctl_nic_ask *ask, const struct kit_host_state *state,
                     struct ctl_nic_result *result, struct kit_err *err)
{
    KIT_AUTO(kit_host_now) now = {0};
    KIT_AUTO(kit_host_plan) plan = {0};

    if (kit_host_now_read("", ask->interface, &now, err) != 0 ||
        kit_host_plan_unset(state, &now, &plan, err) != 0 ||
        (!ask->dry_run && check_files(state, err) != 0))
        return -1;
    for (size_t i = 0; i < plan.todo.count; i++)
        if (ctl_nic_apply(ask, &plan.todo.change[i], now.link.index, result, err) != 0)
            return -1;
    if (remove_files(ask, state, result, err) != 0)
        return -1;
    result->changed = true; /* the state itself */
    return ask->dry_run ? 0 : kit_host_state_remove(ask->interface, err);
}

int ctl_nic_unset(const struct ctl_nic_ask *ask, struct ctl_nic_result *ret_result,
                  struct kit_err *err)
{
    KIT_AUTO(kit_lock) lock = KIT_LOCK_NONE;
    KIT_AUTO(kit_host_state) state = {0};
    bool found;

    *ret_result = (struct ctl_nic_result){0};
    (void)kit_str_copy(ret_result->interface, sizeof(ret_result->interface), ask->interface);
    if (!ask->dry_run &&
        (ctl_nic_may_change(ask->interface, err) != 0 || ctl_nic_lock(ask, &lock, err) != 0))
        return -1;
    if (kit_host_state_read(ask->interface, &found, &state, err) != 0)
        return -1;
    if (!found) /* nor what a setup left that was killed before it had one */
        return ask->dry_run ? 0 : kit_host_state_remove(ask->interface, err);
    (void)kit_str_copy(ret_result->mac, sizeof(ret_result->mac), state.mac);
    (void)kit_str_copy(ret_result->eni, sizeof(ret_result->eni), state.eni);
    ret_result->table = ret_result->metric = state.table;
    return take_back(ask, &state, ret_result, err);
}
