/* actions/ctl/nic_queues.c - `cloudvip nic queues IFACE`: shows the queues of an interface and how
 * its packets are spread over the CPUs, and sets both (rule 61).
 *
 * What is set lasts until the next reboot.  irqbalance is only told of, never started. */
#include "actions/ctl/nic_queues.h"

#include <stdio.h>
#include <string.h>

#include "actions/ctl/nic.h"
#include "actions/ctl/ops.h"
#include "actions/ctl/survey.h"
#include "kit/base/str.h"
#include "kit/sys/ethtool.h"
#include "kit/sys/link.h"
#include "kit/sys/pid.h"
#include "kit/sys/rps.h"

/* More queues than any driver has. */
#define SET_MAX 65535

enum own {
    OWN_INTERFACE,
    OWN_SET,
    OWN_DRY_RUN,
    OWN_HELP,
    OWN_COUNT,
};
static const struct kit_op_param own_params[OWN_COUNT] = {
    [OWN_INTERFACE] = {"iface", KIT_OP_TEXT, "1..15", true, true, "name of the interface"},
    [OWN_SET] = {"set", KIT_OP_TEXT, "1..5", false, false,
                 "so many queues, or max: all that the driver has; and, where there are fewer "
                 "than CPUs, receive packet steering (RPS) to all CPUs"},
    [OWN_DRY_RUN] = {"dry-run", KIT_OP_FLAG, NULL, false, false,
                     "print what would be done, and change nothing"},
    [OWN_HELP] = {"help", KIT_OP_FLAG, NULL, false, false, "this text"},
};

static void usage(FILE *out)
{
    (void)fputs("usage: cloudvip [--json] nic queues IFACE [--set N|max] [--dry-run]\n\n", out);
    for (size_t i = OWN_SET; i < OWN_COUNT; i++)
        (void)fprintf(out, "  --%s%s\n      %s\n", own_params[i].name, i == OWN_SET ? " N|max" : "",
                      own_params[i].text);
}

/* ---- what there is --------------------------------------------------------------------------- */

struct look {
    struct kit_channels channels;
    struct kit_rps rps;                 /* owned */
    char no_channels[256], no_rps[256]; /* why they are not known; "" = they are */
};

struct queues {
    struct ctl *ctl;
    const char *interface;
    bool set, dry_run;
    unsigned wanted; /* with `set`; 0 = max */
    unsigned cpus;
    char all[KIT_RPS_MASK_BYTES]; /* CPUs, as a mask */
    bool irqbalance;
    struct look before, after;
    bool changed;
};

static int look(const char *interface, struct look *ret_look, struct kit_err *err)
{
    struct look l = {.no_channels = ""};
    struct kit_link link;

    if (ctl_nic_find(interface, &link, err))
        return -1;
    if (kit_ethtool_channels(interface, &l.channels, err))
        (void)kit_str_copy(l.no_channels, sizeof(l.no_channels), err->msg);
    if (kit_rps_read("", interface, &l.rps, err))
        (void)kit_str_copy(l.no_rps, sizeof(l.no_rps), err->msg);
    *ret_look = l;
    return 0;
}

static void queues_done(struct queues *q)
{
    kit_rps_done(&q->before.rps);
    kit_rps_done(&q->after.rps);
}

/* RPS is for interfaces with fewer queues than CPUs. */
static bool wants_rps(const struct queues *q, unsigned queues)
{
    return q->cpus > 1 && queues < q->cpus;
}

/* ---- what is to be done ---------------------------------------------------------------------- */

static void tell(const struct queues *q, const char *fmt, ...) KIT_PRINTF(2, 3);
static void tell(const struct queues *q, const char *fmt, ...)
{
    va_list ap;

    if (q->ctl->json || !q->dry_run)
        return;
    va_start(ap, fmt);
    (void)vprintf(fmt, ap);
    va_end(ap);
}

static int set_channels(struct queues *q, unsigned count, struct kit_err *err)
{
    const struct kit_channels *now = &q->before.channels;
    bool differs = now->combined ? count != now->count : count != now->rx || count != now->tx;

    if (count > now->max)
        return kit_err_set(err, KIT_ERR_STATE, "%s has no more than %u", q->interface, now->max);
    if (!differs)
        return 0;
    q->changed = true;
    if (now->combined)
        tell(q, "ethtool -L %s combined %u\n", q->interface, count);
    else
        tell(q, "ethtool -L %s rx %u tx %u\n", q->interface, count, count);
    return q->dry_run ? 0 : kit_ethtool_set_channels(q->interface, count, &differs, err);
}

/* A mask that somebody has set is left as it is. */
static int set_rps(struct queues *q, unsigned number, bool on, struct kit_err *err)
{
    if (on)
        return 0;
    q->changed = true;
    tell(q, "echo %s > /sys/class/net/%s/queues/rx-%u/rps_cpus\n", q->all, q->interface, number);
    return q->dry_run ? 0 : kit_rps_set("", q->interface, number, q->all, err);
}

/* What a dry run shows as `after`. */
static void imagine(struct queues *q, unsigned count)
{
    struct look *after = &q->after;

    after->channels.count = after->channels.rx = after->channels.tx = count;
    after->rps.queue = kit_mem_grow(after->rps.queue, count, sizeof(*after->rps.queue));
    for (size_t i = after->rps.count; i < count; i++)
        after->rps.queue[i] = (struct kit_rps_queue){.number = (unsigned)i, .mask = "0"};
    after->rps.count = count;
    for (size_t i = 0; wants_rps(q, count) && i < count; i++) {
        struct kit_rps_queue *queue = &after->rps.queue[i];
        if (!queue->on)
            (void)kit_str_copy(queue->mask, sizeof(queue->mask), q->all);
        queue->on = true;
    }
}

static int steer(struct queues *q, struct kit_err *err)
{
    const struct kit_rps *rps = &q->after.rps;

    for (size_t i = 0; i < rps->count; i++)
        if (set_rps(q, rps->queue[i].number, rps->queue[i].on, err))
            return -1;
    return 0;
}

static int change(struct queues *q, struct kit_err *err)
{
    unsigned count = q->wanted ? q->wanted : q->before.channels.max;

    if (q->before.no_channels[0])
        return kit_err_set(err, KIT_ERR_STATE, "%s", q->before.no_channels);
    if (set_channels(q, count, err) || look(q->interface, &q->after, err))
        return -1;
    if (q->dry_run && wants_rps(q, count) && !q->before.no_rps[0])
        for (unsigned i = 0; i < count; i++)
            (void)!set_rps(q, i, i < q->before.rps.count && q->before.rps.queue[i].on, err);
    if (q->dry_run) {
        imagine(q, count);
        return 0;
    }
    if (!wants_rps(q, q->after.channels.rx))
        return 0;
    if (q->after.no_rps[0])
        return kit_err_set(err, KIT_ERR_STATE, "%s", q->after.no_rps);
    if (steer(q, err))
        return -1;
    kit_rps_done(&q->after.rps);
    return look(q->interface, &q->after, err);
}

/* ---- what it says ---------------------------------------------------------------------------- */

#define FINDINGS 3
struct finding {
    bool warns;
    char text[200];
};

static size_t steered(const struct look *l)
{
    size_t on = 0;

    for (size_t i = 0; i < l->rps.count; i++)
        on += l->rps.queue[i].on;
    return on;
}

/* Rule 61: all queues are used, and their packets spread over the CPUs. */
static size_t judge(const struct queues *q, struct finding found[FINDINGS])
{
    const struct kit_channels *c = &q->after.channels;
    unsigned useful = c->max < q->cpus ? c->max : q->cpus;
    size_t count = 0;

    if (!q->after.no_channels[0]) {
        struct finding *f = &found[count++];
        f->warns = c->count < useful;
        (void)kit_str_format(f->text, sizeof(f->text), "%u of %u queues used%s%s%s", c->count,
                             c->max, f->warns ? ": cloudvip nic queues " : "",
                             f->warns ? q->interface : "", f->warns ? " --set max" : "");
    }
    if (!q->after.no_rps[0] && wants_rps(q, (unsigned)q->after.rps.count)) {
        struct finding *f = &found[count++];
        f->warns = steered(&q->after) == 0;
        (void)kit_str_format(f->text, sizeof(f->text),
                             "RPS is %s, %zu of %u CPUs have a queue%s%s%s",
                             f->warns ? "off" : "on", q->after.rps.count, q->cpus,
                             f->warns ? ": cloudvip nic queues " : "", f->warns ? q->interface : "",
                             f->warns ? " --set max" : "");
    }
    if (q->cpus > 1) {
        struct finding *f = &found[count++];
        f->warns = !q->irqbalance;
        (void)kit_str_copy(f->text, sizeof(f->text),
                           q->irqbalance
                               ? "irqbalance runs"
                               : "irqbalance does not run: nobody spreads the interrupts over the "
                                 "CPUs (systemctl enable --now irqbalance)");
    }
    return count;
}

/* Of at most 24 characters. */
static void rps_word(const struct look *l, char word[32])
{
    size_t on = steered(l);

    if (l->no_rps[0])
        (void)kit_str_copy(word, 32, "not known");
    else if (on == 0 || on == l->rps.count)
        (void)kit_str_copy(word, 32, on ? "on" : "off");
    else
        (void)kit_str_format(word, 32, "on %zu of %zu queues", on, l->rps.count);
}

static void print_row(const struct queues *q, const char *name, const char *before,
                      const char *after, const char *possible)
{
    (void)printf("  %-16s  ", name);
    if (q->set)
        (void)printf("%-18s  ", before);
    /* No blanks behind the last one. */
    (void)printf(possible[0] ? "%-18s  %s\n" : "%s\n", q->set ? after : before, possible);
}

static void print_table(const struct queues *q)
{
    const struct kit_channels *b = &q->before.channels, *a = &q->after.channels;
    char before[32], after[32], most[32];

    (void)printf("%s  %u CPU%s\n", q->interface, q->cpus, q->cpus == 1 ? "" : "s");
    print_row(q, "", q->set ? "before" : "now", q->dry_run ? "would be" : "after", "possible");
    (void)kit_str_format(before, sizeof(before), "%u", b->count);
    (void)kit_str_format(after, sizeof(after), "%u", a->count);
    (void)kit_str_format(most, sizeof(most), "%u", b->max);
    if (q->before.no_channels[0])
        print_row(q, "queues", "not known", "not known", q->before.no_channels);
    else
        print_row(q, b->combined ? "combined queues" : "queues", before, after, most);
    rps_word(&q->before, before);
    rps_word(&q->after, after);
    print_row(q, "RPS", before, after, q->before.no_rps);
    print_row(q, "irqbalance", q->irqbalance ? "runs" : "does not run",
              q->irqbalance ? "runs" : "does not run", "");
}

static void print_findings(const struct queues *q)
{
    struct finding found[FINDINGS];
    size_t count = judge(q, found);

    for (size_t i = 0; i < count; i++)
        (void)printf("  %-4s rule 61: %s\n", found[i].warns ? "WARN" : "OK", found[i].text);
    if (q->set && q->changed && !q->dry_run)
        (void)puts("  until the next reboot, or until the ENI is attached anew");
}

static void look_json(const char *key, const struct look *l, struct kit_json_writer *w)
{
    kit_json_open(w, key, '{');
    if (l->no_channels[0])
        kit_json_put_string(w, "queues", NULL);
    else
        kit_json_put_int(w, "queues", l->channels.count);
    if (l->no_rps[0]) {
        kit_json_put_string(w, "rps", NULL);
    } else {
        kit_json_open(w, "rps", '[');
        for (size_t i = 0; i < l->rps.count; i++) {
            kit_json_open(w, NULL, '{');
            kit_json_put_int(w, "queue", l->rps.queue[i].number);
            kit_json_put_string(w, "mask", l->rps.queue[i].mask);
            kit_json_put_bool(w, "on", l->rps.queue[i].on);
            kit_json_close(w);
        }
        kit_json_close(w);
    }
    kit_json_close(w);
}

static void put_json(const struct queues *q, enum ctl_status status, const struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(1024u * 1024);
    struct kit_json_writer w = {.out = &text, .pretty = true};
    struct finding found[FINDINGS];
    size_t count = err ? 0 : judge(q, found);

    kit_json_open(&w, NULL, '{');
    kit_json_put_int(&w, "status", status);
    kit_json_put_string(&w, "interface", q->interface);
    kit_json_put_int(&w, "cpus", q->cpus);
    kit_json_put_bool(&w, "combined", q->before.channels.combined);
    kit_json_put_int(&w, "max", q->before.channels.max);
    look_json("before", &q->before, &w);
    look_json("after", err ? &q->before : &q->after, &w);
    kit_json_put_bool(&w, "irqbalance", q->irqbalance);
    kit_json_put_bool(&w, "changed", q->changed);
    kit_json_put_bool(&w, "dry_run", q->dry_run);
    kit_json_open(&w, "rules", '[');
    for (size_t i = 0; i < count; i++) {
        kit_json_open(&w, NULL, '{');
        kit_json_put_int(&w, "rule", 61);
        kit_json_put_string(&w, "state", found[i].warns ? "broken" : "holds");
        kit_json_put_string(&w, "level", "warn");
        kit_json_put_string(&w, "detail", found[i].text);
        kit_json_close(&w);
    }
    kit_json_close(&w);
    if (err)
        ctl_err_json(err, &w);
    kit_json_close(&w);
    (void)puts(text.data);
}

/* ---- the command ----------------------------------------------------------------------------- */

static int run(struct queues *q, struct kit_err *err)
{
    q->irqbalance = kit_pid_runs("irqbalance");
    if (kit_rps_online("", &q->cpus, q->all, err) || look(q->interface, &q->before, err))
        return -1;
    return q->set ? change(q, err) : look(q->interface, &q->after, err);
}

static int take_set(struct queues *q, const char *text, struct kit_err *err)
{
    int64_t count = 0;

    q->set = text != NULL;
    if (text && !kit_str_eq(text, "max") && !kit_str_to_int(text, 1, SET_MAX, &count))
        return kit_err_set(err, KIT_ERR_USAGE,
                           "nic queues: --set: '%s' is neither a number of "
                           "queues nor max",
                           text);
    q->wanted = (unsigned)count;
    return 0;
}

static enum ctl_status run_and_show(struct queues *q)
{
    enum ctl_status status = CTL_RIGHT;
    struct kit_err err;
    bool failed = run(q, &err) != 0;

    if (failed) {
        status = ctl_ops_status_of(&err);
        ctl_complain(NULL, &err);
    }
    if (q->ctl->json) {
        put_json(q, status, failed ? &err : NULL);
    } else if (!failed) {
        print_table(q);
        print_findings(q);
    }
    queues_done(q);
    return status;
}

int ctl_nic_queues(struct ctl *ctl)
{
    struct kit_op_value value[OWN_COUNT];
    const struct kit_op_table table = {own_params, OWN_COUNT, value};
    const struct kit_op_table help = {&own_params[OWN_HELP], 1, &value[OWN_HELP]};
    struct queues q = {.ctl = ctl};
    char name[KIT_NETLINK_NAME];
    enum ctl_status status = CTL_RIGHT;
    struct kit_err err;

    memset(value, 0, sizeof(value));
    /* Help before anything is missed. */
    if (!kit_op_parse(&help, 1, ctl->tag, ctl->tags, KIT_OP_PARTLY, &err) && value[OWN_HELP].text) {
        usage(stdout);
        return CTL_RIGHT;
    }
    memset(value, 0, sizeof(value));
    if (kit_op_parse(&table, 1, ctl->tag, ctl->tags, KIT_OP_WHOLE, &err) ||
        ctl_nic_name(value[OWN_INTERFACE].text, name, &err) ||
        take_set(&q, value[OWN_SET].text, &err)) {
        status = ctl_fail(ctl, &err);
    } else {
        q.interface = name;
        q.dry_run = value[OWN_DRY_RUN].text;
        status = run_and_show(&q);
    }
    kit_op_values_done(value, OWN_COUNT);
    return (int)status;
}
