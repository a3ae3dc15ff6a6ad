/* Parameters of the Query API, and the errors about them. */
#include "aws.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int aws_fail(struct aws_error *err, int status, const char *code, const char *format, ...)
{
    va_list args;

    err->status = status;
    snprintf(err->code, sizeof(err->code), "%s", code);
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return -1;
}

int aws_fail_value(struct aws_error *err, const char *param, const char *value)
{
    return aws_fail(err, 400, "InvalidParameterValue",
                    "Value (%.128s) for parameter %.64s is invalid.", value, param);
}

const char *aws_param(const struct aws_call *call, const char *name)
{
    return sim_params_get(call->params, name);
}

bool aws_param_true(const struct aws_call *call, const char *name)
{
    const char *value = aws_param(call, name);

    return value && !strcasecmp(value, "true");
}

const char *aws_param_at(const struct aws_call *call, const char *name, size_t i)
{
    char full[128];

    snprintf(full, sizeof(full), "%s.%zu", name, i);
    return aws_param(call, full);
}

bool aws_param_has(const struct aws_call *call, const char *name, const char *value)
{
    const char *is;

    for (size_t i = 1; (is = aws_param_at(call, name, i)); i++)
        if (!strcmp(is, value))
            return true;
    return false;
}

static int check_missing(const struct aws_call *call, const char *spec, struct aws_error *err)
{
    for (const char *at = spec; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");

        if (*at == '!') {
            bool found = false;

            for (size_t i = 0; i < call->params->len && !found; i++)
                found = sim_word_fits(at + 1, len - 1, call->params->items[i].name);
            if (!found) {
                /* NAME.N.X is missing as NAME */
                size_t shown = strcspn(at + 1, ". ");

                return aws_fail(err, 400, "MissingParameter",
                                "The request must contain the parameter %.*s", (int)shown, at + 1);
            }
        }
        at += len;
    }
    return 0;
}

int aws_params_check(const struct aws_call *call, const char *spec, struct aws_error *err)
{
    for (size_t i = 0; i < call->params->len; i++) {
        const char *name = call->params->items[i].name;

        if (!sim_words_know("Action Version X-Amz-*", name) && !sim_words_know(spec, name))
            return aws_fail(err, 400, "UnknownParameter", "The parameter %.128s is not recognized",
                            name);
    }
    return check_missing(call, spec, err);
}
