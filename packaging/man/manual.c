/* packaging/man/manual.c - makes a manual page from its template: what the code says of itself is
 * printed from the code's own tables.
 *
 *     manual TEMPLATE >PAGE
 *
 * A template is mdoc(7) with lines of its own:
 *     @date                                .Dd with the date of SOURCE_DATE_EPOCH
 *     @version                             the version, as text
 *     @parameters                          every parameter of the schema
 *     @messages                            every message of the actions
 *     @uses PROVIDER SCENARIO              the parameters that a mover needs
 *     @permissions PROVIDER SCENARIO       what its role must be allowed, and why
 *     @rules PROVIDER SCENARIO             its preconditions by number
 *     @operations OBJECT                   what cloudvip OBJECT VERB does, and takes
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "actions/messages.h"
#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/ops.h"
#include "kit/cloud/registry.h"

/* Everything is gathered here, and folded at the end. */
static FILE *out;

/* Text that must not be taken for a request or an escape. */
static void text(const char *s)
{
    for (const char *c = s; *c; c++) {
        if (*c == '\\')
            (void)fputs("\\e", out);
        else if ((*c == '.' || *c == '\'') && c == s)
            (void)fprintf(out, "\\&%c", *c);
        else
            (void)fputc(*c, out);
    }
}

static void line(const char *s)
{
    text(s);
    (void)fputc('\n', out);
}

/* mdoc: a new sentence begins a new line. */
static void sentences(const char *s)
{
    for (const char *c = s; *c; c++) {
        if (*c == '\\')
            (void)fputs("\\e", out);
        else if (c[0] == '.' && c[1] == ' ') {
            (void)fputs(".\n", out);
            c++;
        } else
            (void)fputc(*c, out);
    }
    (void)fputc('\n', out);
}

/* ---- parameters ------------------------------------------------------------------------------ */

static void parameter_values(const struct kit_param_info *p)
{
    switch (p->type) {
    case KIT_TYPE_CHOICE: {
        const char *cursor = p->form, *word;
        size_t len, n = 0;
        while (kit_str_word(&cursor, "|", &word, &len))
            (void)fprintf(out, "%s%.*s", n++ ? ", " : "", (int)len, word);
        (void)fputc('\n', out);
        break;
    }
    case KIT_TYPE_BOOL: line("yes, no"); break;
    case KIT_TYPE_NUMBER:
    case KIT_TYPE_SECONDS: {
        const char *dots = strstr(p->form, "..");
        (void)fprintf(out, "%.*s to %s%s\n", (int)(dots - p->form), p->form, dots + 2,
                      p->type == KIT_TYPE_SECONDS ? " seconds" : "");
        break;
    }
    case KIT_TYPE_ADDRESS: line("an IPv4 or IPv6 address"); break;
    case KIT_TYPE_IFNAME: line("the name of an interface"); break;
    case KIT_TYPE_ID: line("an id or a name of the cloud"); break;
    case KIT_TYPE_IDS: line("ids, separated by commas, semicolons or white space"); break;
    case KIT_TYPE_HOSTS: line("HOST or HOST:PORT, several separated as ids are"); break;
    case KIT_TYPE_PATHS: line("absolute paths, separated as ids are"); break;
    case KIT_TYPE_NAMES: line("names of variables, separated as ids are"); break;
    case KIT_TYPE_URL: line("an http or https URL"); break;
    case KIT_TYPE_PROXY: line("[SCHEME://][USER:PASSWORD@]HOST[:PORT]"); break;
    case KIT_TYPE_TEXT: line("text"); break;
    case KIT_TYPE_PATH: line("an absolute path"); break;
    case KIT_TYPE_UNKNOWN_POLICY: line("ok, fail, fail-after N"); break;
    }
}

static bool uses(const struct kit_mover *m, enum kit_param param)
{
    for (size_t i = 0; i < m->params_count; i++)
        if (m->params[i].param == param)
            return true;
    return false;
}

/* Who looks at it; nothing to say when nobody or everybody does. */
static void parameter_for(enum kit_param param)
{
    size_t all = 0, some = 0;

    for (const struct kit_mover *const *m = kit_registry_movers; *m; m++, all++)
        some += uses(*m, param);
    if (some == 0 || some == all)
        return;
    (void)fprintf(out, "%s\n", ".br");
    (void)fputs("For:", out);
    for (const struct kit_mover *const *m = kit_registry_movers; *m; m++)
        if (uses(*m, param))
            (void)fprintf(out, " %s %s%s", (*m)->provider, (*m)->scenario, --some ? "," : ".\n");
}

static void parameters(void)
{
    (void)fprintf(out, "%s\n", ".Bl -tag -width Ds");
    for (int i = 0; i < KIT_PARAM_COUNT; i++) {
        const struct kit_param_info *p = &kit_param_info[i];
        (void)fprintf(out, ".It Ic %s\n", p->name);
        (void)fprintf(out, "%s.\n", p->text);
        (void)fprintf(out, "%s\n", ".br");
        (void)fputs("Values: ", out);
        parameter_values(p);
        if (p->dflt && p->dflt[0])
            (void)fprintf(out, ".br\nDefault: %s\n", p->dflt);
        parameter_for((enum kit_param)i);
    }
    (void)fprintf(out, "%s\n", ".El");
}

/* ---- messages -------------------------------------------------------------------------------- */

static void messages(void)
{
    (void)fprintf(out, "%s\n", ".Bl -tag -width Ds");
#define X(code, level, name, cause, remedy)                                                        \
    (void)fprintf(out, ".It %d " #level "\n", code);                                               \
    sentences(cause);                                                                              \
    (void)fprintf(out, "%s\n", ".br\n.Em Remedy :");                                               \
    sentences(remedy);
    ACT_MESSAGES(X)
#undef X
    (void)fprintf(out, "%s\n", ".El");
}

/* ---- movers ---------------------------------------------------------------------------------- */

static const struct kit_mover *mover(const char *provider, const char *scenario)
{
    for (const struct kit_mover *const *m = kit_registry_movers; *m; m++)
        if (kit_str_eq((*m)->provider, provider) && kit_str_eq((*m)->scenario, scenario))
            return *m;
    return NULL;
}

static void mover_uses(const struct kit_mover *m)
{
    (void)fprintf(out, "%s\n", ".Bl -tag -width source_dest_check -compact");
    for (size_t i = 0; i < m->params_count; i++) {
        const struct kit_param_use *use = &m->params[i];
        (void)fprintf(out, ".It Ic %s\n%s\n", kit_param_info[use->param].name,
                      use->required ? "required"
                      : use->any_of ? "one of these is required"
                                    : "optional");
    }
    (void)fprintf(out, "%s\n", ".El");
}

/* When it is needed: "with eip_mode = cut-through". */
static void permission_condition(const struct kit_permission *p)
{
    const char *words = p->when, *word, *gap = "", *equals = "= ";
    size_t len;

    if (p->only_with == KIT_PARAM_ADDRESS) /* its family */
        equals = "of the family ";
    if (p->advice_only)
        (void)fprintf(out, ", which is for warnings of\n.Ql cloudvip plan\nalone");
    if (p->only_with == KIT_PARAM_NONE)
        return;
    (void)fprintf(out, "\n.Po\n%s\n.Ic %s", p->when[0] ? "with" : "without",
                  kit_param_info[p->only_with].name);
    while (!kit_str_eq(p->when, "*") && kit_str_word(&words, "|", &word, &len)) {
        (void)fprintf(out, "\n%s%.*s", gap[0] ? gap : equals, (int)len, word);
        gap = "or ";
    }
    (void)fprintf(out, "\n.Pc");
}

static void mover_permissions(const struct kit_mover *m)
{
    (void)fprintf(out, "%s\n", ".Bl -tag -width Ds -compact");
    for (size_t i = 0; i < m->permissions_count; i++) {
        const struct kit_permission *p = &m->permissions[i];
        (void)fprintf(out, ".It %s\n", p->action);
        text(p->why);
        permission_condition(p);
        (void)fputc('\n', out);
    }
    (void)fprintf(out, "%s\n", ".El");
}

static void mover_rules(const struct kit_mover *m)
{
    if (!m->rules_count) {
        line("None.");
        return;
    }
    (void)fprintf(out, "%s\n", ".Bl -tag -width Ds -compact");
    for (size_t i = 0; i < m->rules_count; i++) {
        const struct kit_rule *r = &m->rules[i];
        (void)fprintf(out, ".It %u, %s\n", r->number,
                      r->level == KIT_RULE_REFUSE ? "refused" : "warning");
        (void)fprintf(out, "%s: %s\n", r->means, r->remedy);
    }
    (void)fprintf(out, "%s\n", ".El");
}

/* ---- operations ------------------------------------------------------------------------------ */

/* ".Op Fl -mode Ar nat|multi", or the name itself when it is positional. */
static void operation_word(const struct kit_op_param *p)
{
    const char *optional = p->required ? "" : "Op ";

    if (p->positional)
        (void)fprintf(out, ".%sAr %s\n", optional, p->name);
    else if (p->type == KIT_OP_FLAG)
        (void)fprintf(out, ".%sFl -%s\n", optional, p->name);
    else
        (void)fprintf(out, ".%sFl -%s Ar %s\n", optional, p->name,
                      p->type == KIT_OP_CHOICE ? p->form : "VALUE");
}

static void operation(const struct kit_provider *provider, const struct kit_op *op)
{
    (void)fprintf(out, ".It Cm %s %s No (%s)\n", op->object, op->verb, provider->name);
    for (size_t i = 0; i < op->params_count; i++)
        operation_word(&op->params[i]);
    (void)fprintf(out, ".Pp\n%s%s.\n", op->does,
                  op->irreversible ? "; cannot be undone: asks, or wants --yes" : "");
    if (op->params_count) {
        (void)fprintf(out, ".Bl -tag -width Ds -compact\n");
        for (size_t i = 0; i < op->params_count; i++)
            (void)fprintf(out, ".It %s %s%s\n%s\n", op->params[i].positional ? "Ar" : "Fl",
                          op->params[i].positional ? "" : "-", op->params[i].name,
                          op->params[i].text);
        (void)fprintf(out, ".El\n");
    }
    for (size_t i = 0; i < op->rules_count; i++)
        (void)fprintf(out, "%s%u%s", i ? "" : "Preconditions: ", op->rules[i].number,
                      i + 1 < op->rules_count ? ", " : ".\n");
}

static int operations(const char *object)
{
    size_t found = 0;

    (void)fprintf(out, ".Bl -tag -width Ds\n");
    for (const struct kit_provider *const *p = kit_registry_providers; *p; p++)
        for (const struct kit_op *const *op = (*p)->ops; op && *op; op++)
            if (kit_str_eq((*op)->object, object)) {
                operation(*p, *op);
                found++;
            }
    (void)fprintf(out, ".El\n");
    return found ? 0 : -1;
}

/* ---- templates ------------------------------------------------------------------------------- */

static void date(void)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t at = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    char shown[64];
    struct tm tm;

    (void)gmtime_r(&at, &tm);
    (void)strftime(shown, sizeof(shown), ".Dd %B %e, %Y", &tm);
    for (const char *c = shown; *c; c++)
        if (c[0] != ' ' || c[1] != ' ')
            (void)fputc(*c, out);
    (void)fputc('\n', out);
}

static int expand(const char *command)
{
    char word[16], provider[16], scenario[32];
    int words = sscanf(command, "@%15s %15s %31s", word, provider, scenario);
    const struct kit_mover *m = words == 3 ? mover(provider, scenario) : NULL;

    if (words == 1 && kit_str_eq(word, "date"))
        date();
    else if (words == 1 && kit_str_eq(word, "version"))
        (void)fprintf(out, "%s\n", CLOUDVIP_VERSION);
    else if (words == 1 && kit_str_eq(word, "parameters"))
        parameters();
    else if (words == 1 && kit_str_eq(word, "messages"))
        messages();
    else if (words == 2 && kit_str_eq(word, "operations"))
        return operations(provider);
    else if (m && kit_str_eq(word, "uses"))
        mover_uses(m);
    else if (m && kit_str_eq(word, "permissions"))
        mover_permissions(m);
    else if (m && kit_str_eq(word, "rules"))
        mover_rules(m);
    else
        return -1;
    return 0;
}

/* ---- folding --------------------------------------------------------------------------------- */

/* mandoc's style: no input line beyond 80 bytes.  Requests, examples and what is not ASCII (it has
 * no spaces to fold at) stay as they are. */
#define FOLD 78

static void fold_line(char *text_line)
{
    while (strlen(text_line) > FOLD) {
        char *space = text_line + FOLD;
        while (space > text_line && (*space != ' ' || space[1] == '.' || space[1] == '\''))
            space--;
        if (space == text_line)
            break;
        *space = '\0';
        (void)puts(text_line);
        text_line = space + 1;
    }
    (void)puts(text_line);
}

static void fold(char *page)
{
    bool example = false;

    for (char *at = page, *next; *at; at = next) {
        next = strchr(at, '\n');
        *next++ = '\0';
        if (kit_str_starts(at, ".Bd"))
            example = true;
        else if (kit_str_starts(at, ".Ed"))
            example = false;
        if (example || at[0] == '.')
            (void)puts(at);
        else
            fold_line(at);
    }
}

int main(int argc, char **argv)
{
    FILE *in = argc == 2 ? fopen(argv[1], "r") : NULL;
    char got[4096], *page = NULL;
    size_t bytes = 0;
    int status = EXIT_SUCCESS;

    if (!in) {
        (void)fputs("usage: manual TEMPLATE\n", stderr);
        return 2;
    }
    out = open_memstream(&page, &bytes);
    while (out && status == EXIT_SUCCESS && fgets(got, sizeof(got), in)) {
        if (got[0] != '@') {
            (void)fputs(got, out);
        } else if (expand(got)) {
            (void)fprintf(stderr, "manual: %s: cannot expand %s", argv[1], got);
            status = EXIT_FAILURE;
        }
    }
    (void)fclose(in);
    if (!out || fclose(out))
        return EXIT_FAILURE;
    if (status == EXIT_SUCCESS)
        fold(page);
    free(page);
    return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : status;
}
