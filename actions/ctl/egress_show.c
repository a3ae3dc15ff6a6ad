/* actions/ctl/egress_show.c - how it is, for people and for programs. */
#include <stdio.h>
#include <string.h>

#include "actions/ctl/egress.h"
#include "actions/ctl/survey.h"

const struct kit_op_param ctl_egress_options[CTL_EGRESS_OPTIONS] = {
    [CTL_EGRESS_INSTANCE] = {"instance", KIT_OP_ID, NULL, false, false, "default: this one"},
    [CTL_EGRESS_EIP] = {"eip", KIT_OP_ID, NULL, false, false,
                        "the EIP, by id or address; default: the one that the instance has"},
    [CTL_EGRESS_ECHO] = {"echo-url", KIT_OP_TEXT, "1..2000", false, false,
                         "https service that answers with the address it sees; default: not asked"},
    [CTL_EGRESS_ENI] = {"eni", KIT_OP_ID, NULL, false, false,
                        "use this secondary ENI; default: one is created"},
    [CTL_EGRESS_VSWITCH] = {"vswitch", KIT_OP_ID, NULL, false, false,
                            "of the ENI that is created; default: the instance's"},
    [CTL_EGRESS_GROUP] = {"security-group", KIT_OP_IDS, NULL, false, false,
                          "of the ENI that is created; default: the instance's"},
    [CTL_EGRESS_ADDRESS] = {"private-address", KIT_OP_ADDRESS, NULL, false, false,
                            "of the ENI that is created; default: the cloud's choice"},
    [CTL_EGRESS_NO_PERSIST] = {"no-persist", KIT_OP_FLAG, NULL, false, false,
                               "the ENI's routes until the next reboot; default: kept over it"},
};

static void print_options(FILE *out, const struct kit_op_param *params, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        (void)fprintf(out, "    --%-16s %s\n", params[i].name, params[i].text);
}

void ctl_egress_usage(FILE *out)
{
    (void)fputs("usage: cloudvip egress status [OPTION...]\n"
                "       cloudvip egress unify [OPTION...]\n\n"
                "An instance with a static public address of its own leaves through the NAT\n"
                "gateway of its VPC, and is still reached by that address, as an EIP on a\n"
                "secondary ENI.  unify looks first, says what it will do, asks before what cannot\n"
                "be undone, and can be stopped and run again at any point.\n\n",
                out);
    print_options(out, ctl_egress_options, 0, CTL_EGRESS_ENI);
    (void)fputs("  unify alone:\n", out);
    print_options(out, ctl_egress_options, CTL_EGRESS_ENI, CTL_EGRESS_OPTIONS);
    (void)fputs("  both:\n", out);
    print_options(out, ctl_ops_common, 0, CTL_OPS_COMMON);
}

/* ---- for people ------------------------------------------------------------------------------ */

/* By what it leaves, and why. */
static void describe_way_out(const struct ctl_egress *e, struct kit_buf *out)
{
    const struct kit_egress_facts *f = &e->facts;

    if (f->static_ip[0])
        (void)kit_buf_printf(out, "%s, its static public address", f->static_ip);
    else if (f->primary_eip[0])
        (void)kit_buf_printf(out, "%s, the EIP on its primary ENI", f->primary_eip);
    else if (f->snat.available)
        (void)kit_buf_printf(out, "%s, %s of %s", f->snat.ip, f->snat.id, f->snat.gateway);
    else
        (void)kit_buf_puts(out, "nothing");
}

static void describe_way_in(const struct ctl_egress *e, struct kit_buf *out)
{
    const struct kit_egress_facts *f = &e->facts;

    if (f->static_ip[0])
        (void)kit_buf_printf(out, "%s, its static public address", f->static_ip);
    else if (f->eip.on_eni)
        (void)kit_buf_printf(out, "%s, %s on %s%s", f->eip.address, f->eip.id, f->eni.id,
                             f->eni.attached ? "" : " (which is not attached)");
    else if (f->primary_eip[0])
        (void)kit_buf_printf(out, "%s, the EIP on its primary ENI", f->primary_eip);
    else if (f->eip.id[0])
        (void)kit_buf_printf(out, "nothing: %s is %s", f->eip.id, f->eip.status);
    else
        (void)kit_buf_puts(out, "nothing");
}

static const char *word_of(enum ctl_egress_state_of_step state)
{
    static const char *const words[] = {[CTL_EGRESS_OPEN] = "open",
                                        [CTL_EGRESS_DONE] = "done",
                                        [CTL_EGRESS_NOT_HERE] = "there",
                                        [CTL_EGRESS_UNKNOWN] = "unknown"};

    return words[state];
}

void ctl_egress_print(const struct ctl_egress *e)
{
    KIT_AUTO(kit_buf) out = KIT_BUF(1024);
    KIT_AUTO(kit_buf) in = KIT_BUF(1024);

    describe_way_out(e, &out);
    describe_way_in(e, &in);
    (void)printf("%s leaves by   %s\n%*s reached by  %s\n\n", e->facts.instance, out.data,
                 (int)strlen(e->facts.instance), "is", in.data);
    for (size_t i = 0; i < CTL_EGRESS_STEPS; i++) {
        KIT_AUTO(kit_buf) text = KIT_BUF(1024);

        ctl_egress_steps[i].describe(e, &text);
        (void)printf("%zu  %-7s  %s\n", i + 1, word_of(ctl_egress_steps[i].state(e)), text.data);
    }
    (void)putchar('\n');
    (void)fflush(stdout);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static const char *or_null(const char *text)
{
    return text[0] ? text : NULL;
}

static void steps_json(const struct ctl_egress *e, struct kit_json_writer *w)
{
    kit_json_open(w, "steps", '[');
    for (size_t i = 0; i < CTL_EGRESS_STEPS; i++) {
        KIT_AUTO(kit_buf) text = KIT_BUF(1024);

        ctl_egress_steps[i].describe(e, &text);
        kit_json_open(w, NULL, '{');
        kit_json_put_int(w, "number", (int64_t)i + 1);
        kit_json_put_string(w, "name", ctl_egress_steps[i].name);
        kit_json_put_string(w, "state", word_of(ctl_egress_steps[i].state(e)));
        kit_json_put_bool(w, "changed", e->did[i]);
        kit_json_put_string(w, "text", text.data);
        kit_json_close(w);
    }
    kit_json_close(w);
}

static void facts_json(const struct ctl_egress *e, struct kit_json_writer *w)
{
    const struct kit_egress_facts *f = &e->facts;
    const char *own = f->static_ip[0] ? f->static_ip : f->primary_eip;

    kit_json_put_string(w, "instance", f->instance);
    kit_json_put_bool(w, "here", f->here);
    kit_json_put_string(w, "leaves_by",
                        own[0] ? own : or_null(f->snat.available ? f->snat.ip : ""));
    kit_json_put_string(w, "leaves_through",
                        own[0] ? f->primary : or_null(f->snat.available ? f->snat.gateway : ""));
    kit_json_put_string(w, "reached_by",
                        own[0] ? own : or_null(f->eip.on_eni ? f->eip.address : ""));
    kit_json_put_string(w, "reached_through",
                        own[0] ? f->primary : or_null(f->eip.on_eni ? f->eni.id : ""));
    kit_json_put_bool(w, "unified", ctl_egress_leaves(e) && ctl_egress_reached(e));
    kit_json_put_string(w, "eip", or_null(f->eip.id));
    kit_json_put_string(w, "eni", or_null(f->eni.id));
    kit_json_put_string(w, "snat_entry", or_null(f->snat.id));
    kit_json_put_string(w, "echo", or_null(e->echo));
    steps_json(e, w);
    ctl_ops_rules_json("breaches", f->breach, f->breaches, w);
    ctl_ops_rules_json("unchecked", f->unknown, f->unknowns, w);
}

void ctl_egress_json(const struct ctl_egress *e, const char *verb, enum ctl_status status,
                     const struct kit_err *err)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(CTL_ROW_BYTES);
    struct kit_json_writer w = {.out = &text, .pretty = true};

    kit_json_open(&w, NULL, '{');
    kit_json_put_string(&w, "object", "egress");
    kit_json_put_string(&w, "verb", verb);
    kit_json_put_int(&w, "status", status);
    kit_json_put_bool(&w, "changed", e->changed);
    if (e->facts.instance[0])
        facts_json(e, &w);
    if (e->at < CTL_EGRESS_STEPS && err)
        kit_json_put_int(&w, "stopped_at", (int64_t)e->at + 1);
    if (err)
        ctl_err_json(err, &w);
    kit_json_close(&w);
    (void)kit_buf_putc(&text, '\n');
    ctl_flush_json(&w);
}
