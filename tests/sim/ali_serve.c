/* One API request of the Alibaba half: which action, who may, with which parameters, and once only
 * for each ClientToken. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ali.h"
#include "sim_policy.h"

static const struct ali_action *const tables[] = {
    ali_route_actions, ali_eip_actions,      ali_eip_more_actions, ali_havip_actions,
    ali_eni_actions,   ali_eni_list_actions, ali_ip_actions,       ali_instance_actions,
    ali_vpc_actions,   ali_snat_actions,     ali_sts_actions,
};

/* What requests of either signature may have beside the action's own parameters. */
static const char common_params[] =
    "Action Version Format AccessKeyId Signature SignatureMethod SignatureVersion SignatureNonce "
    "SignatureType Timestamp SecurityToken OwnerId OwnerAccount ResourceOwnerId "
    "ResourceOwnerAccount";

/* ---- errors and parameters ------------------------------------------------------------------- */

int ali_fail(struct ali_error *err, int status, const char *code, const char *format, ...)
{
    va_list args;

    err->status = status;
    snprintf(err->code, sizeof(err->code), "%s", code);
    va_start(args, format);
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return -1;
}

int ali_fail_value(struct ali_error *err, const char *param, const char *value)
{
    char code[80];

    snprintf(code, sizeof(code), "InvalidParameter.%.60s", param);
    return ali_fail(err, 400, code, "The specified parameter \"%.60s\" is not valid: %.128s", param,
                    value);
}

const char *ali_param(const struct ali_call *call, const char *name)
{
    return sim_params_get(call->params, name);
}

const char *ali_text(const struct ali_call *call, const char *name)
{
    const char *value = ali_param(call, name);

    return value ? value : "";
}

bool ali_param_true(const struct ali_call *call, const char *name)
{
    return !strcasecmp(ali_text(call, name), "true");
}

const char *ali_param_at(const struct ali_call *call, const char *name, size_t i)
{
    char full[128];

    snprintf(full, sizeof(full), "%s.%zu", name, i);
    return ali_param(call, full);
}

bool ali_in_list(const char *list, const char *value)
{
    size_t len = strlen(value);

    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        at += strspn(at, " ");
        if (!strncmp(at, value, len) && (!at[len] || at[len] == ',' || at[len] == ' '))
            return true;
    }
    return false;
}

static int check_params(const struct ali_call *call, const struct ali_action *action,
                        struct ali_error *err)
{
    for (size_t i = 0; i < call->params->len; i++) {
        const char *name = call->params->items[i].name;

        if (!sim_words_know(common_params, name) && !sim_words_know(action->params, name) &&
            !(action->flags & ALI_DRYRUN && !strcmp(name, "DryRun")) &&
            !(action->flags & ALI_TOKEN && !strcmp(name, "ClientToken")))
            return ali_fail(err, 400, "UnsupportedParameter",
                            "The parameter %.128s is not supported.", name);
    }
    for (const char *at = action->params; *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        bool found = *at != '!';

        for (size_t i = 0; i < call->params->len && !found; i++)
            found = sim_word_fits(at + 1, len - 1, call->params->items[i].name) &&
                    *call->params->items[i].value;
        if (!found)
            return ali_fail(err, 400, "MissingParameter",
                            "The input parameter \"%.*s\" that is mandatory for processing this "
                            "request is not supplied.",
                            (int)strcspn(at + 1, ". "), at + 1);
        at += len;
    }
    if (ali_param(call, "RegionId") && strcmp(ali_text(call, "RegionId"), call->region) != 0 &&
        strcmp(action->name, "DescribeRegions") != 0)
        return ali_fail(err, 404, "InvalidRegionId.NotFound",
                        "The specified RegionId does not exist.");
    if (strlen(ali_text(call, "ClientToken")) > 64)
        return ali_fail_value(err, "ClientToken", "longer than 64");
    return 0;
}

/* ---- rights ---------------------------------------------------------------------------------- */

static void no_value(const void *context, const char *key, char *ret_value, size_t size)
{
    (void)context;
    (void)key;
    snprintf(ret_value, size, "%s", "");
}

int ali_ram_check(const struct json_object *policy, struct sim_error *err)
{
    return sim_policy_check(policy, "", err);
}

bool ali_ram_allows(const struct ali_call *call, const char *action, const char *resource)
{
    struct sim_policy_question question = {
        .action = action,
        .resource = resource,
        .value = no_value,
    };

    return sim_policy_allows(call->who.policy, &question);
}

/* Of whatever an address can be bound to the id says what it is. */
static const char *kind_of(const char *type, const char *id)
{
    if (strcmp(type, "target") != 0)
        return type;
    return !strncmp(id, "eni-", 4) ? "eni" : !strncmp(id, "havip-", 6) ? "havip" : "instance";
}

static int authorize(const struct ali_call *call, const struct ali_action *action,
                     struct ali_error *err)
{
    bool allowed = true, asked = false;
    char verb[96];

    snprintf(verb, sizeof(verb), "%s:%s", action->product, action->name);
    for (const char *at = action->resources; *at; at += strspn(at, " ")) {
        char param[64], type[64], resource[256];
        const char *kind, *id;

        if (sscanf(at, "%63[^:]:%63[^ ]", param, type) != 2)
            break;
        at += strcspn(at, " ");
        for (size_t i = 0; i < call->params->len; i++) {
            if (!sim_words_know(param, call->params->items[i].name))
                continue;
            id = call->params->items[i].value;
            kind = kind_of(type, id);
            snprintf(resource, sizeof(resource), "acs:%s:%s:%s:%s/%.64s",
                     !strcmp(kind, "eni") || !strcmp(kind, "instance") ? "ecs" : action->product,
                     call->region, call->account, kind, id);
            asked = true;
            allowed = allowed && ali_ram_allows(call, verb, resource);
        }
    }
    if (!asked)
        allowed = ali_ram_allows(call, verb, "*");
    if (allowed)
        return 0;
    return ali_fail(err, 403, strcmp(action->product, "sts") ? "Forbidden.RAM" : "NoPermission",
                    "User not authorized to operate on the specified resource, or this API doesn't "
                    "support RAM. (%s, %s)",
                    verb, call->who.arn);
}

/* A token bucket for each sort of action. */
static int throttle(const struct ali_call *call, const struct ali_action *action,
                    struct ali_error *err)
{
    struct json_object *limit = sim_json_get(sim_json_get(call->world->live, "aliyun"), "limits");
    double size, tokens;
    int64_t since_ms;

    limit = sim_json_get(limit, action->flags & ALI_CHANGES ? "mutating" : "describe");
    if (!limit)
        return 0;
    size = sim_json_num(limit, "bucket", 50);
    since_ms = sim_json_int(limit, "since_ms", call->now_ms);
    tokens = sim_json_num(limit, "tokens", size) +
             (double)(call->now_ms - since_ms) / 1000 * sim_json_num(limit, "refill_per_s", 5);
    tokens = tokens > size ? size : tokens;
    sim_json_set_int(limit, "since_ms", call->now_ms);
    json_object_object_add(limit, "tokens",
                           json_object_new_double(tokens < 1 ? tokens : tokens - 1));
    return tokens >= 1 ? 0
                       : ali_fail(err, 400, "Throttling.User",
                                  "Request was denied due to user flow control.");
}

/* ---- client tokens --------------------------------------------------------------------------- */

#define TOKENS_MAX 1024 /* requests that are remembered; the oldest are forgotten */

/* Guarded by the world's lock. */
static struct token {
    char token[65];
    char action[64];
    uint64_t params; /* hash */
    struct json_object *answer;
} remembered[TOKENS_MAX];
static size_t next_token;

void ali_tokens_forget(void)
{
    for (size_t i = 0; i < TOKENS_MAX; i++) {
        json_object_put(remembered[i].answer);
        remembered[i] = (struct token){0};
    }
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
    do /* the NUL as well: it parts name and value */
        hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    while (*text++);
    return hash;
}

/* In whatever order they came; what differs from try to try is left out. */
static uint64_t hash_params(const struct ali_call *call)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < call->params->len; i++) {
        const struct sim_param *param = &call->params->items[i];

        if (!sim_words_know(common_params, param->name) && strcmp(param->name, "ClientToken") != 0)
            sum += hash_text(hash_text(1469598103934665603u, param->name), param->value);
    }
    return sum;
}

static struct token *find_token(const struct ali_call *call)
{
    const char *token = ali_text(call, "ClientToken");

    for (size_t i = 0; *token && i < TOKENS_MAX; i++)
        if (!strcmp(remembered[i].token, token))
            return &remembered[i];
    return NULL;
}

static void remember(const struct ali_call *call, const struct ali_action *action,
                     struct json_object *answer)
{
    struct token *entry = &remembered[next_token];

    next_token = (next_token + 1) % TOKENS_MAX;
    json_object_put(entry->answer);
    *entry = (struct token){.params = hash_params(call), .answer = sim_json_copy(answer)};
    snprintf(entry->token, sizeof(entry->token), "%s", ali_text(call, "ClientToken"));
    snprintf(entry->action, sizeof(entry->action), "%s", action->name);
}

static struct json_object *again(const struct ali_call *call, const struct ali_action *action,
                                 const struct token *entry, struct ali_error *err)
{
    if (strcmp(entry->action, action->name) || entry->params != hash_params(call)) {
        ali_fail(err, 400, "IdempotentParameterMismatch",
                 "The request uses the same client token as a previous, but non-identical request. "
                 "Do not reuse a client token with different requests, unless the requests are "
                 "identical.");
        return NULL;
    }
    return sim_json_copy(entry->answer);
}

/* ---- one request ----------------------------------------------------------------------------- */

static const struct ali_action *find_action(const char *product, const char *name)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        for (const struct ali_action *action = tables[i]; action->name; action++)
            if (!strcmp(action->name, name) && !strcmp(action->product, product))
                return action;
    return NULL;
}

/* Everything is checked as if it were meant, on a copy. */
static int try_dry(struct ali_call *call, const struct ali_action *action, struct ali_error *err)
{
    struct ali_call dry = *call;
    SIM_AUTO_JSON *copy = sim_json_copy(call->ali);
    SIM_AUTO_JSON *out = json_object_new_object();

    dry.ali = copy;
    dry.dry = true;
    if (action->serve(&dry, out, err))
        return -1;
    return ali_fail(err, 400, "DryRunOperation",
                    "Request validation has been passed with DryRun flag set.");
}

struct json_object *ali_serve(struct ali_call *call, struct ali_error *err)
{
    const struct ali_action *action = find_action(call->sim->kind, call->sim->action);
    const struct token *entry;
    struct json_object *out;
    bool changes;

    if (!action || (!strcmp(action->name, "ModifyRouteEntry") &&
                    ali_is(call->ali, "modify_route_entry", "absent"))) {
        ali_fail(err, 404, "InvalidAction.NotFound",
                 "Specified api is not found, please check your url and method.");
        return NULL;
    }
    if (throttle(call, action, err) ||
        (!(action->flags & ALI_UNSIGNED) && ali_sign_check(call, err)) ||
        check_params(call, action, err) || authorize(call, action, err))
        return NULL;
    changes = action->flags & ALI_CHANGES;
    if (action->flags & ALI_DRYRUN && ali_param_true(call, "DryRun")) {
        (void)try_dry(call, action, err);
        return NULL;
    }
    entry = changes ? find_token(call) : NULL;
    if (entry)
        return again(call, action, entry, err);
    if (changes)
        sim_world_change(call->world);
    out = json_object_new_object();
    if (action->serve(call, out, err)) {
        json_object_put(out);
        return NULL;
    }
    call->sim->applied = changes;
    if (changes && *ali_text(call, "ClientToken"))
        remember(call, action, out);
    return out;
}
