/*
 * Policies: what is not allowed is denied, and a Deny beats every Allow (IAM User Guide, "Policy
 * evaluation logic"; RAM, "Policy evaluation"). A policy that uses what is not modelled here is
 * refused when the world is loaded, so that it can never allow by being misread.
 */
#include "sim_policy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *const operators[] = {
    "StringEquals", "StringLike", "StringNotEquals", "StringNotLike",
    "ArnEquals",    "ArnLike",    "ArnNotEquals",    "ArnNotLike",
};

static bool in_list(const char *const *list, size_t len, const char *text)
{
    for (size_t i = 0; i < len; i++)
        if (sim_text_match(list[i], text))
            return true;
    return false;
}

/* Element i of a value that may be one string or an array of strings; NULL past the end. */
static const char *string_at(struct json_object *value, size_t i)
{
    if (json_object_is_type(value, json_type_string))
        return i ? NULL : json_object_get_string(value);
    if (i >= sim_json_len(value))
        return NULL;
    value = json_object_array_get_idx(value, i);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static const struct json_object *statement_at(struct json_object *statements, size_t i)
{
    if (json_object_is_type(statements, json_type_object))
        return i ? NULL : statements;
    return i < sim_json_len(statements) ? json_object_array_get_idx(statements, i) : NULL;
}

static int check_condition(struct json_object *condition, const char *keys, struct sim_error *err)
{
    if (!condition)
        return 0;
    json_object_object_foreach(condition, name, tests)
    {
        if (!in_list(operators, sizeof(operators) / sizeof(operators[0]), name)) {
            snprintf(err->text, sizeof(err->text), "policy: condition %.64s is not modelled", name);
            return -1;
        }
        json_object_object_foreach(tests, key, value)
        {
            (void)value;
            if (!sim_words_know(keys, key)) {
                snprintf(err->text, sizeof(err->text), "policy: key %.64s is not modelled", key);
                return -1;
            }
        }
    }
    return 0;
}

int sim_policy_check(const struct json_object *policy, const char *keys, struct sim_error *err)
{
    struct json_object *statements = sim_json_get(policy, "Statement");
    const struct json_object *statement;

    for (size_t i = 0; (statement = statement_at(statements, i)); i++) {
        const char *effect = sim_json_str(statement, "Effect");

        if (strcmp(effect, "Allow") && strcmp(effect, "Deny")) {
            snprintf(err->text, sizeof(err->text), "policy: Effect is Allow or Deny");
            return -1;
        }
        if (!sim_json_get(statement, "Action") == !sim_json_get(statement, "NotAction") ||
            !sim_json_get(statement, "Resource") == !sim_json_get(statement, "NotResource")) {
            snprintf(err->text, sizeof(err->text),
                     "policy: a statement has one of Action and NotAction, one of Resource and "
                     "NotResource");
            return -1;
        }
        if (check_condition(sim_json_get(statement, "Condition"), keys, err))
            return -1;
    }
    if (!statements)
        snprintf(err->text, sizeof(err->text), "policy: no Statement");
    return statements ? 0 : -1;
}

static bool matches_any(struct json_object *patterns, const char *text, bool fold)
{
    const char *pattern;

    for (size_t i = 0; (pattern = string_at(patterns, i)); i++) {
        char left[256], right[256];

        snprintf(left, sizeof(left), "%s", pattern);
        snprintf(right, sizeof(right), "%s", text);
        for (size_t j = 0; fold && left[j]; j++)
            left[j] = (char)tolower((unsigned char)left[j]);
        for (size_t j = 0; fold && right[j]; j++)
            right[j] = (char)tolower((unsigned char)right[j]);
        if (sim_text_match(left, right))
            return true;
    }
    return false;
}

static bool condition_holds(const struct sim_policy_question *question,
                            struct json_object *condition)
{
    if (!condition)
        return true;
    json_object_object_foreach(condition, name, tests)
    {
        bool negated = strstr(name, "Not");

        json_object_object_foreach(tests, key, wanted)
        {
            char value[256];

            question->value(question->context, key, value, sizeof(value));
            if ((*value && matches_any(wanted, value, false)) == negated)
                return false;
        }
    }
    return true;
}

static bool applies(const struct sim_policy_question *question, const struct json_object *statement)
{
    struct json_object *actions = sim_json_get(statement, "Action");
    struct json_object *resources = sim_json_get(statement, "Resource");

    if (actions ? !matches_any(actions, question->action, true)
                : matches_any(sim_json_get(statement, "NotAction"), question->action, true))
        return false;
    if (resources ? !matches_any(resources, question->resource, false)
                  : matches_any(sim_json_get(statement, "NotResource"), question->resource, false))
        return false;
    return condition_holds(question, sim_json_get(statement, "Condition"));
}

bool sim_policy_allows(const struct json_object *policy, const struct sim_policy_question *question)
{
    struct json_object *statements = sim_json_get(policy, "Statement");
    const struct json_object *statement;
    bool allowed = false;

    if (!policy)
        return true;
    for (size_t i = 0; (statement = statement_at(statements, i)); i++) {
        if (!applies(question, statement))
            continue;
        if (!strcmp(sim_json_str(statement, "Effect"), "Deny"))
            return false;
        allowed = true;
    }
    return allowed;
}
