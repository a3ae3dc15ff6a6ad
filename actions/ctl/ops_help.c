/* actions/ctl/ops_help.c - which operations there are, and what they take. */
#include <string.h>

#include "actions/ctl/ops.h"
#include "kit/base/near.h"
#include "kit/base/str.h"

/* Columns of the usage text; a line shall fit into 100. */
#define WORD_CHARS 34

const struct kit_op *ctl_ops_find(const struct kit_provider *provider, const char *object,
                                  const char *verb)
{
    for (const struct kit_op *const *op = provider->ops; op && *op; op++)
        if (kit_str_eq((*op)->object, object) && (!verb || kit_str_eq((*op)->verb, verb)))
            return *op;
    return NULL;
}

/* "ENI" of a positional "eni"; "VALUE" by its type. */
static void put_value(struct kit_buf *out, const struct kit_op_param *param)
{
    static const char *const words[] = {
        [KIT_OP_ID] = "ID",    [KIT_OP_IDS] = "ID,...", [KIT_OP_ADDRESS] = "ADDRESS",
        [KIT_OP_NUMBER] = "N", [KIT_OP_TEXT] = "TEXT",
    };

    if (param->positional)
        for (const char *c = param->name; *c; c++)
            (void)kit_buf_putc(out, *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c);
    else
        (void)kit_buf_puts(out, param->type == KIT_OP_CHOICE ? param->form : words[param->type]);
}

static void put_param(struct kit_buf *out, const struct kit_op_param *param)
{
    if (!param->positional)
        (void)kit_buf_printf(out, "--%s", param->name);
    if (param->type == KIT_OP_FLAG)
        return;
    if (!param->positional)
        (void)kit_buf_putc(out, ' ');
    put_value(out, param);
}

static void print_params(FILE *out, const struct kit_op_param *params, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        KIT_AUTO(kit_buf) word = KIT_BUF(256);

        put_param(&word, &params[i]);
        (void)fprintf(out, "  %-*s %s%s\n", WORD_CHARS, word.data, params[i].text,
                      params[i].required ? " (required)" : "");
    }
}

/* "eni attach --instance ID ENI" */
static void put_synopsis(struct kit_buf *out, const struct kit_op *op)
{
    (void)kit_buf_puts(out, op->verb);
    for (int pass = 0; pass < 2; pass++) { /* what must be there, then the rest */
        for (size_t i = 0; i < op->params_count; i++) {
            const struct kit_op_param *param = &op->params[i];

            if (param->required != (pass == 0))
                continue;
            (void)kit_buf_puts(out, param->required ? " " : " [");
            put_param(out, param);
            (void)kit_buf_puts(out, param->required ? "" : "]");
        }
    }
}

static void print_provider(FILE *out, const struct kit_provider *provider, const char *object)
{
    if (!ctl_ops_find(provider, object, NULL))
        return;
    (void)fprintf(out, "\n%s:\n", provider->name);
    for (const struct kit_op *const *op = provider->ops; *op; op++) {
        KIT_AUTO(kit_buf) line = KIT_BUF(1024);

        if (!kit_str_eq((*op)->object, object))
            continue;
        put_synopsis(&line, *op);
        (void)fprintf(out, "  %s\n      %s\n", line.data, (*op)->does);
    }
}

void ctl_ops_usage(FILE *out, const struct kit_provider *provider, const char *object)
{
    (void)fprintf(out,
                  "usage: cloudvip [--confdir DIR] [--json] [-v] %s VERB [OPTION...]\n"
                  "       cloudvip %s VERB --help\n",
                  object, object);
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++)
        if (!provider || provider == *p)
            print_provider(out, *p, object);
    (void)fputs("\nfor all:\n", out);
    print_params(out, ctl_ops_common, CTL_OPS_COMMON);
}

static void print_op(FILE *out, const struct kit_provider *provider, const struct kit_op *op)
{
    KIT_AUTO(kit_buf) line = KIT_BUF(1024);

    put_synopsis(&line, op);
    (void)fprintf(out, "%s: cloudvip %s %s\n\n%s%s\n\n", provider->name, op->object, line.data,
                  op->does, op->irreversible ? "; cannot be undone: asks, or wants --yes" : "");
    print_params(out, op->params, op->params_count);
    (void)fputs("\nneeds the permissions\n", out);
    for (size_t i = 0; i < op->permissions_count; i++)
        (void)fprintf(out, "  %-*s %s\n", WORD_CHARS, op->permissions[i].action,
                      op->permissions[i].why);
    if (op->rules_count)
        (void)fputs("\nis refused, or warned of, where a rule is broken\n", out);
    for (size_t i = 0; i < op->rules_count; i++)
        (void)fprintf(out, "  %3u %s  %s\n", op->rules[i].number,
                      op->rules[i].level == KIT_RULE_REFUSE ? "refused" : "warned ",
                      op->rules[i].means);
    (void)fputc('\n', out);
}

void ctl_ops_usage_of(FILE *out, const struct kit_provider *provider, const char *object,
                      const char *verb)
{
    bool found = false;

    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++) {
        const struct kit_op *op = ctl_ops_find(*p, object, verb);

        if (!op || (provider && provider != *p))
            continue;
        print_op(out, *p, op);
        found = true;
    }
    if (!found) {
        ctl_ops_usage(out, provider, object);
        return;
    }
    (void)fputs("for all:\n", out);
    print_params(out, ctl_ops_common, CTL_OPS_COMMON);
}

int ctl_ops_no_verb(const struct kit_provider *provider, const char *object, const char *verb,
                    struct kit_err *err)
{
    KIT_AUTO(kit_buf) known = KIT_BUF(256);
    struct kit_near near;
    char shown[64];

    kit_near_init(&near, verb);
    for (const struct kit_op *const *op = provider->ops; op && *op; op++) {
        if (!kit_str_eq((*op)->object, object))
            continue;
        kit_near_try(&near, (*op)->verb);
        (void)kit_buf_printf(&known, "%s%s", known.len_bytes ? ", " : "", (*op)->verb);
    }
    if (!known.len_bytes)
        return kit_err_set(err, KIT_ERR_USAGE, "%s: not on provider %s", object, provider->name);
    (void)kit_str_copy(shown, sizeof(shown), verb);
    kit_str_make_printable(shown);
    return kit_err_set(err, KIT_ERR_USAGE, "%s: no verb '%s' on %s%s%s%s (there are %s)", object,
                       shown, provider->name, near.name ? "; did you mean " : "",
                       near.name ? near.name : "", near.name ? "?" : "", known.data);
}
