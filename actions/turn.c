/* actions/turn.c - of state changes that overlap, the newest wins.
 *
 * TAG.state says which change is the newest and which one is at work, under a lock that is held for
 * the moment of a look (TAG.state.lock).  Who is at work holds TAG.turn.lock until it ends, however
 * it ends. */
#include "actions/turn.h"

#include <string.h>

#include "kit/base/str.h"
#include "kit/fmt/json.h"
#include "kit/sys/file.h"
#include "kit/vip/record.h"

#define STATE_BYTES 1024
#define BOOT_ID     "/proc/sys/kernel/random/boot_id"

/* The lock of a look: nobody holds it longer than it takes to read and write a small file. */
#define LOOK_MS 5000

struct change {
    struct kit_pid pid; /* newest: what decided it; at work: who to tell */
    char state[16];
};

struct changes {
    struct change newest, at_work;
};

struct place {
    char file[4096], look[4096], turn[4096];
    char boot[40]; /* what the changes were started in: in another one they would look newer */
};

static void find_boot(char *boot, size_t boot_bytes)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(64);
    struct kit_err err;

    boot[0] = '\0';
    if (kit_file_read(BOOT_ID, KIT_FILE_ANY, &text, &err))
        return; /* then every boot is taken for this one: the run directory does not outlive it */
    kit_buf_cut(&text, strcspn(text.data, "\n"));
    (void)kit_str_copy(boot, boot_bytes, text.data);
}

static int find_place(const char *tag, struct place *ret_place, struct kit_err *err)
{
    char name[300];

    find_boot(ret_place->boot, sizeof(ret_place->boot));
    if (!kit_str_format(name, sizeof(name), "%s.state", tag))
        return kit_err_set(err, KIT_ERR_CONFIG, "the tag %.32s... is too long", tag);
    if (kit_record_lock_path(name, ret_place->look, sizeof(ret_place->look), err))
        return -1;
    (void)kit_str_copy(ret_place->file, sizeof(ret_place->file), ret_place->look);
    ret_place->file[strlen(ret_place->file) - strlen(".lock")] = '\0';
    (void)kit_str_format(name, sizeof(name), "%s.turn", tag);
    return kit_record_lock_path(name, ret_place->turn, sizeof(ret_place->turn), err);
}

static void take_change(const struct kit_json_node *node, struct change *out)
{
    const char *state = kit_json_string(kit_json_get(node, "state"));
    struct change change = {0};
    int64_t pid;

    if (state && kit_str_copy(change.state, sizeof(change.state), state) &&
        kit_json_int(kit_json_get(node, "pid"), &pid) && pid > 0 && pid <= INT32_MAX &&
        kit_json_int(kit_json_get(node, "ticks"), &change.pid.ticks)) {
        change.pid.pid = (int)pid;
        *out = change;
    }
}

/* What cannot be read is as good as not there: then nothing is known to be newer. */
static void read_changes(const struct place *place, struct changes *ret_changes)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(STATE_BYTES);
    KIT_AUTO(kit_json) json = {0};
    struct kit_err err;

    *ret_changes = (struct changes){0};
    if (kit_file_read(place->file, KIT_FILE_TRUSTED, &text, &err) ||
        kit_json_parse(text.data, text.len_bytes, &json, &err) ||
        !kit_str_eq(kit_json_string(kit_json_get(kit_json_root(&json), "boot")), place->boot))
        return;
    take_change(kit_json_get(kit_json_root(&json), "newest"), &ret_changes->newest);
    take_change(kit_json_get(kit_json_root(&json), "at_work"), &ret_changes->at_work);
}

static void put_change(struct kit_json_writer *w, const char *key, const struct change *change)
{
    if (change->pid.pid == 0)
        return;
    kit_json_open(w, key, '{');
    kit_json_put_string(w, "state", change->state);
    kit_json_put_int(w, "pid", change->pid.pid);
    kit_json_put_int(w, "ticks", change->pid.ticks);
    kit_json_close(w);
}

static int write_changes(const struct place *place, const struct changes *changes,
                         struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(STATE_BYTES);
    struct kit_json_writer w = {.out = &text};

    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "boot", place->boot);
    put_change(&w, "newest", &changes->newest);
    put_change(&w, "at_work", &changes->at_work);
    kit_json_close(&w);
    (void)kit_buf_putc(&text, '\n');
    if (kit_buf_check(&text, "the newest state", err))
        return -1;
    return kit_file_write(place->file, text.data, text.len_bytes, 0600, false, err);
}

static bool is_newer(const struct changes *changes, const struct change *mine)
{
    return changes->newest.pid.pid && kit_pid_is_later(&changes->newest.pid, &mine->pid);
}

/* Ours is the newest.  *ret_other: who works at something else, nobody without. */
static int announce(const struct place *place, const struct change *mine,
                    const struct kit_clock *clock, enum act_turn_result *ret_result,
                    struct kit_pid *ret_other, struct kit_err *err)
{
    struct kit_lock look = KIT_LOCK_NONE;
    struct changes changes;
    int rc = 0;

    if (kit_lock_take(place->look, "look", clock, kit_deadline_in_ms(clock, LOOK_MS), &look, err))
        return -1;
    read_changes(place, &changes);
    *ret_result = is_newer(&changes, mine) ? ACT_TURN_NEWER : ACT_TURN_OURS;
    if (*ret_result == ACT_TURN_OURS) {
        changes.newest = *mine;
        rc = write_changes(place, &changes, err);
        if (!rc && !kit_str_eq(changes.at_work.state, mine->state))
            *ret_other = changes.at_work.pid;
    }
    kit_lock_done(&look);
    return rc;
}

/* The turn is ours: unless a newer change has come meanwhile, we are who is at work. */
static int begin(const struct place *place, const struct change *mine,
                 const struct kit_clock *clock, enum act_turn_result *ret_result,
                 struct kit_err *err)
{
    struct kit_lock look = KIT_LOCK_NONE;
    struct changes changes;
    int rc = 0;

    if (kit_lock_take(place->look, "look", clock, kit_deadline_in_ms(clock, LOOK_MS), &look, err))
        return -1;
    read_changes(place, &changes);
    *ret_result = is_newer(&changes, mine) ? ACT_TURN_NEWER : ACT_TURN_OURS;
    if (*ret_result == ACT_TURN_OURS) {
        changes.at_work = *mine;
        rc = kit_pid_self(&changes.at_work.pid, err);
        if (!rc)
            rc = write_changes(place, &changes, err);
    }
    kit_lock_done(&look);
    return rc;
}

/* Waits for the turn.  Who works at something else has grace_ms to end by itself. */
static int wait_for_turn(const struct place *place, const char *state, const struct kit_pid *other,
                         int64_t grace_ms, const struct kit_clock *clock, struct kit_deadline by,
                         struct kit_lock *ret_turn, struct kit_err *err)
{
    struct kit_deadline until = kit_deadline_earlier(by, kit_deadline_in_ms(clock, grace_ms));

    if (other->pid > 0) {
        if (grace_ms > 0 && !kit_lock_take(place->turn, state, clock, until, ret_turn, err))
            return 0;
        (void)kit_pid_terminate(other);
    }
    return kit_lock_take(place->turn, state, clock, by, ret_turn, err);
}

int act_turn_take(const char *tag, const char *state, const struct kit_pid *started,
                  int64_t grace_ms, const struct kit_clock *clock, struct kit_deadline by,
                  enum act_turn_result *ret_result, struct kit_lock *ret_turn, struct kit_err *err)
{
    struct change mine = {.pid = *started};
    struct kit_lock turn = KIT_LOCK_NONE;
    struct kit_pid other = {0};
    struct place place;

    (void)kit_str_copy(mine.state, sizeof(mine.state), state);
    if (find_place(tag, &place, err) || announce(&place, &mine, clock, ret_result, &other, err))
        return -1;
    if (*ret_result == ACT_TURN_NEWER)
        return 0;
    if (wait_for_turn(&place, state, &other, grace_ms, clock, by, &turn, err))
        return -1;
    if (begin(&place, &mine, clock, ret_result, err)) {
        kit_lock_done(&turn);
        return -1;
    }
    if (*ret_result == ACT_TURN_NEWER)
        kit_lock_done(&turn);
    else
        *ret_turn = turn;
    return 0;
}
