/* kit/cloud/ops_words.c - the words of an operation, as somebody typed them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/near.h"
#include "kit/base/str.h"
#include "kit/cloud/ops.h"

/* How much of a refused word a message quotes. */
#define SHOWN 64
/* A list of more security groups, instances or ENIs is no command line. */
#define IDS_MAX 100

struct reading {
    const struct kit_op_table *table;
    size_t tables;
    enum kit_op_words how;
};

/* A parameter and its value's place. */
struct place {
    const struct kit_op_param *param;
    struct kit_op_value *value;
};

/* "\"VALUE\"" as far as it is shown, printable. */
struct quoted {
    char text[SHOWN + 1];
};
static struct quoted quote(const char *text)
{
    struct quoted q = {""};

    (void)kit_str_copy(q.text, sizeof(q.text), text);
    kit_str_make_printable(q.text);
    return q;
}

void kit_op_values_done(struct kit_op_value value[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (char **id = value[i].list; id && *id; id++)
            free(*id);
        free(value[i].list);
        value[i] = (struct kit_op_value){0};
    }
}

/* ---- values ---------------------------------------------------------------------------------- */

/* "MIN..MAX" */
static void bounds(const char *form, int64_t *ret_min, int64_t *ret_max)
{
    const char *dots = form ? strstr(form, "..") : NULL;
    char low[24] = "";

    if (!dots || (size_t)(dots - form) >= sizeof(low))
        return;
    memcpy(low, form, (size_t)(dots - form));
    (void)kit_str_to_int(low, INT64_MIN, INT64_MAX, ret_min);
    (void)kit_str_to_int(dots + 2, *ret_min, INT64_MAX, ret_max);
}

static int take_number(const struct place *p, const char *text, struct kit_err *err)
{
    int64_t min = 0, max = INT64_MAX;

    bounds(p->param->form, &min, &max);
    if (!kit_str_to_int(text, min, max, &p->value->number))
        return kit_err_set(err, KIT_ERR_USAGE, "\"%s\" is no number from %lld to %lld",
                           quote(text).text, (long long)min, (long long)max);
    return 0;
}

static int take_text(const struct place *p, const char *text, struct kit_err *err)
{
    KIT_AUTOFREE char *copy = kit_mem_strdup(text);
    int64_t min = 1, max = KIT_OP_TEXT_CHARS, chars = 0;

    bounds(p->param->form, &min, &max);
    kit_str_make_printable(copy);
    if (!kit_str_eq(copy, text))
        return kit_err_set(err, KIT_ERR_USAGE, "\"%s\" is not printable UTF-8", quote(text).text);
    for (const char *c = text; *c; c++)
        chars += ((unsigned char)*c & 0xc0) != 0x80;
    if (chars < min || chars > max)
        return kit_err_set(err, KIT_ERR_USAGE, "\"%s\" has %lld characters, not %lld to %lld",
                           quote(text).text, (long long)chars, (long long)min, (long long)max);
    return 0;
}

static int take_choice(const struct place *p, const char *text, struct kit_err *err)
{
    const char *cursor = p->param->form, *word;
    struct kit_near near;
    size_t len;
    char name[KIT_NEAR_BYTES + 1], meant[sizeof(name)] = "";

    kit_near_init(&near, text);
    while (kit_str_word(&cursor, "|", &word, &len)) {
        if (strlen(text) == len && memcmp(text, word, len) == 0)
            return 0;
        if (len >= sizeof(name))
            continue;
        memcpy(name, word, len);
        name[len] = '\0';
        near.name = NULL; /* `name` is the loop's */
        kit_near_try(&near, name);
        if (near.name)
            memcpy(meant, name, sizeof(name));
    }
    return kit_err_set(err, KIT_ERR_USAGE, "\"%s\" is none of %s%s%s%s", quote(text).text,
                       p->param->form, meant[0] ? "; did you mean " : "", meant,
                       meant[0] ? "?" : "");
}

static int say_no_id(const char *text, struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_USAGE, "\"%s\" is no id (1-%d letters, digits, '-', '_', '.')",
                       quote(text).text, KIT_ID - 1);
}

static int add_id(struct kit_op_value *value, size_t *count, const char *word, size_t len,
                  struct kit_err *err)
{
    char id[KIT_ID + 1] = ""; /* one that is too long shows as such */

    memcpy(id, word, len < sizeof(id) ? len : sizeof(id) - 1);
    if (!kit_settings_is_id(id))
        return say_no_id(id, err);
    for (size_t i = 0; i < *count; i++)
        if (kit_str_eq(value->list[i], id))
            return kit_err_set(err, KIT_ERR_USAGE, "%s is in the list twice", id);
    if (*count == IDS_MAX)
        return kit_err_set(err, KIT_ERR_USAGE, "more than %d ids", IDS_MAX);
    value->list = kit_mem_grow(value->list, *count + 2, sizeof(*value->list));
    value->list[(*count)++] = kit_mem_strdup(id);
    value->list[*count] = NULL;
    return 0;
}

static int take_ids(const struct place *p, const char *text, struct kit_err *err)
{
    size_t len, before = kit_op_list_count(p->value->list), count = before;
    const char *word;

    while (kit_str_word(&text, ", \t\r\n", &word, &len))
        if (add_id(p->value, &count, word, len, err))
            return -1;
    return count > before ? 0 : kit_err_set(err, KIT_ERR_USAGE, "the list is empty");
}

static int take_value(const struct place *p, const char *text, struct kit_err *err)
{
    int rc = 0;

    if (p->value->text && p->param->type != KIT_OP_IDS && p->param->type != KIT_OP_FLAG)
        return kit_err_set(err, KIT_ERR_USAGE, "--%s: given twice", p->param->name);
    switch (p->param->type) {
    case KIT_OP_ID: rc = kit_settings_is_id(text) ? 0 : say_no_id(text, err); break;
    case KIT_OP_IDS: rc = take_ids(p, text, err); break;
    case KIT_OP_ADDRESS:
        if (!kit_addr_parse(text, &p->value->addr))
            rc = kit_err_set(err, KIT_ERR_USAGE,
                             "\"%s\" is no IPv4 or IPv6 address (without prefix length or zone)",
                             quote(text).text);
        break;
    case KIT_OP_CHOICE: rc = take_choice(p, text, err); break;
    case KIT_OP_NUMBER: rc = take_number(p, text, err); break;
    case KIT_OP_TEXT: rc = take_text(p, text, err); break;
    case KIT_OP_FLAG: break;
    }
    if (rc)
        return kit_err_wrap(err, "--%s", p->param->name);
    p->value->text = text;
    return 0;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* The parameter called so, of `len` bytes; false: there is none. */
static bool find(const struct reading *r, const char *name, size_t len, struct place *ret_place)
{
    for (size_t t = 0; t < r->tables; t++) {
        for (size_t i = 0; i < r->table[t].count; i++) {
            const struct kit_op_param *param = &r->table[t].params[i];

            if (strlen(param->name) != len || memcmp(param->name, name, len) != 0)
                continue;
            *ret_place = (struct place){param, &r->table[t].value[i]};
            return true;
        }
    }
    return false;
}

/* The first positional that was not given yet. */
static bool next_positional(const struct reading *r, struct place *ret_place)
{
    for (size_t t = 0; t < r->tables; t++) {
        for (size_t i = 0; i < r->table[t].count; i++) {
            if (!r->table[t].params[i].positional || r->table[t].value[i].text)
                continue;
            *ret_place = (struct place){&r->table[t].params[i], &r->table[t].value[i]};
            return true;
        }
    }
    return false;
}

static int say_unknown(const struct reading *r, const char *word, struct kit_err *err)
{
    char name[SHOWN + 1];
    struct kit_near near;

    (void)kit_str_copy(name, sizeof(name), word + strspn(word, "-"));
    name[strcspn(name, "=")] = '\0';
    kit_near_init(&near, name);
    for (size_t t = 0; t < r->tables; t++)
        for (size_t i = 0; i < r->table[t].count; i++)
            kit_near_try(&near, r->table[t].params[i].name);
    return kit_err_set(err, KIT_ERR_USAGE, "no option '%s'%s%s%s", quote(word).text,
                       near.name ? "; did you mean --" : "", near.name ? near.name : "",
                       near.name ? "?" : "");
}

/* One option; *i is its word's index and becomes that of its last one. */
static int take_option(const struct reading *r, char *const word[], size_t words, size_t *i,
                       struct kit_err *err)
{
    const char *name = word[*i] + 2;
    const char *equals = strchr(name, '=');
    struct place p;

    if (!kit_str_starts(word[*i], "--") ||
        !find(r, name, equals ? (size_t)(equals - name) : strlen(name), &p))
        return r->how == KIT_OP_PARTLY ? 0 : say_unknown(r, word[*i], err);
    if (p.param->type == KIT_OP_FLAG) {
        if (equals)
            return kit_err_set(err, KIT_ERR_USAGE, "--%s takes no value", p.param->name);
        return take_value(&p, "yes", err);
    }
    if (equals)
        return take_value(&p, equals + 1, err);
    if (*i + 1 >= words || word[*i + 1][0] == '-')
        return kit_err_set(err, KIT_ERR_USAGE, "--%s wants a value%s", p.param->name,
                           *i + 1 < words ? " (one that begins with '-': --NAME=VALUE)" : "");
    return take_value(&p, word[++*i], err);
}

static int take_positional(const struct reading *r, const char *word, struct kit_err *err)
{
    struct place p;

    if (r->how == KIT_OP_PARTLY)
        return 0;
    if (!next_positional(r, &p))
        return kit_err_set(err, KIT_ERR_USAGE, "'%s': one word too many", quote(word).text);
    return take_value(&p, word, err);
}

static int check_required(const struct reading *r, struct kit_err *err)
{
    for (size_t t = 0; t < r->tables; t++)
        for (size_t i = 0; i < r->table[t].count; i++)
            if (r->table[t].params[i].required && !r->table[t].value[i].text)
                return kit_err_set(err, KIT_ERR_USAGE, "--%s is missing (%s)",
                                   r->table[t].params[i].name, r->table[t].params[i].text);
    return 0;
}

int kit_op_parse(const struct kit_op_table table[], size_t tables, char *const word[], size_t words,
                 enum kit_op_words how, struct kit_err *err)
{
    const struct reading r = {.table = table, .tables = tables, .how = how};
    bool ended = false;

    for (size_t i = 0; i < words; i++) {
        if (!ended && kit_str_eq(word[i], "--"))
            ended = true;
        else if (!ended && word[i][0] == '-' && word[i][1]) {
            if (take_option(&r, word, words, &i, err))
                return -1;
        } else if (take_positional(&r, word[i], err)) {
            return -1;
        }
    }
    return how == KIT_OP_PARTLY ? 0 : check_required(&r, err);
}
