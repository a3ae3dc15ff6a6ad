/*
 * The metadata service of ECS in its security hardened mode: nothing without a token (ECS user
 * guide, "Instance metadata"; paths from "Basic instance metadata").
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ali.h"

#define TOKEN_HEADER  "x-aliyun-ecs-metadata-token"
#define TOKENS_MAX    4096 /* sessions; the oldest are forgotten */
#define TOKEN_SIZE    57
#define TOKEN_MAX_TTL 21600 /* s */

/* Guarded by the world's lock, like all that serves requests. */
static struct session {
    char token[TOKEN_SIZE];
    char node[32];
    int64_t until_ms;
} sessions[TOKENS_MAX];
static size_t next_session;

/* One node's metadata while a request is served. */
struct node {
    struct sim_world *world;
    struct json_object *ali;
    const struct json_object *instance;
    const char *id;
    struct sim_buf *out;
};

static void plain(struct sim_answer *answer, int status, const char *text)
{
    answer->status = status;
    sim_answer_type(answer, "text/plain");
    sim_buf_clear(&answer->body);
    sim_buf_str(&answer->body, text);
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void put_token(const struct sim_world *world, const struct sim_call *call,
                      struct sim_answer *answer)
{
    const char *ttl = sim_request_header(call->request, "x-aliyun-ecs-metadata-token-ttl-seconds");
    struct session *session = &sessions[next_session];
    char *end = NULL;
    long seconds = ttl ? strtol(ttl, &end, 10) : 0;

    if (sim_request_header(call->request, "x-forwarded-for")) {
        plain(answer, 403, "");
        return;
    }
    if (!ttl || end == ttl || *end || seconds < 1 || seconds > TOKEN_MAX_TTL) {
        plain(answer, 400, "");
        return;
    }
    next_session = (next_session + 1) % TOKENS_MAX;
    sim_random_text(session->token, sizeof(session->token));
    memcpy(session->token + TOKEN_SIZE - 3, "==", 2);
    snprintf(session->node, sizeof(session->node), "%s", call->node);
    session->until_ms = sim_world_now_ms(world) + seconds * 1000;
    plain(answer, 200, session->token);
}

static bool has_session(const struct sim_world *world, const struct sim_call *call)
{
    const char *token = sim_request_header(call->request, TOKEN_HEADER);
    int64_t now_ms = sim_world_now_ms(world) + call->skew_ms;

    for (size_t i = 0; token && *token && i < TOKENS_MAX; i++)
        if (!strcmp(sessions[i].token, token) && !strcmp(sessions[i].node, call->node))
            return sessions[i].until_ms > now_ms;
    return false;
}

/* ---- interfaces ------------------------------------------------------------------------------ */

static void line(struct sim_buf *out, const char *text)
{
    sim_buf_fmt(out, "%s%s", out->len ? "\n" : "", text);
}

static void json_texts(struct sim_buf *out, struct json_object *list)
{
    if (sim_json_len(list))
        sim_buf_str(out, json_object_to_json_string_ext(list, JSON_C_TO_STRING_PLAIN |
                                                                  JSON_C_TO_STRING_NOSLASHESCAPE));
}

/* The mask of the vSwitch, or its gateway: the last usable address but two, as the cloud has it. */
static void mask_or_gateway(struct sim_buf *out, const struct json_object *vswitch, bool gateway)
{
    struct sim_cidr cidr;
    struct in_addr address;
    uint32_t mask, first;
    char text[INET_ADDRSTRLEN] = "";

    if (sim_cidr_parse(sim_json_str(vswitch, "cidr_block"), &cidr) || cidr.v6 || !cidr.bits)
        return;
    mask = 0xffffffffu << (32 - cidr.bits);
    first = (uint32_t)cidr.bytes[0] << 24 | (uint32_t)cidr.bytes[1] << 16 |
            (uint32_t)cidr.bytes[2] << 8 | cidr.bytes[3];
    address.s_addr = htonl(gateway ? (first | ~mask) - 2 : mask);
    inet_ntop(AF_INET, &address, text, sizeof(text));
    line(out, text);
}

/* "[a,b]", as the page shows it: no JSON. */
static void bare_texts(struct sim_buf *out, struct json_object *list)
{
    struct json_object *element;
    const char *between = "[";

    SIM_JSON_EACH(element, list)
    {
        sim_buf_fmt(out, "%s%s", between, json_object_get_string(element));
        between = ",";
    }
    if (sim_json_len(list))
        sim_buf_str(out, "]");
}

/* The IPv6 gateway: …:fff7 at the end of the vSwitch's block, as in the page's example. */
static void ipv6_gateway(struct sim_buf *out, const struct json_object *vswitch)
{
    struct sim_cidr cidr;
    char text[INET6_ADDRSTRLEN] = "";

    if (sim_cidr_parse(sim_json_str(vswitch, "ipv6_cidr_block"), &cidr) || !cidr.v6)
        return;
    for (int bit = cidr.bits; bit < 128; bit++)
        cidr.bytes[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
    cidr.bytes[15] = 0xf7;
    inet_ntop(AF_INET6, cidr.bytes, text, sizeof(text));
    line(out, text);
}

static bool nic_item(const struct node *node, const struct json_object *eni, const char *item)
{
    const struct json_object *vswitch =
        ali_find(node->ali, ALI_VSWITCH, sim_json_str(eni, "vswitch_id"));
    const struct json_object *vpc = ali_find(node->ali, ALI_VPC, sim_json_str(vswitch, "vpc_id"));
    struct sim_buf *out = node->out;

    if (!strcmp(item, "network-interface-id"))
        line(out, sim_json_str(eni, "network_interface_id"));
    else if (!strcmp(item, "primary-ip-address"))
        line(out, ali_eni_primary(eni));
    else if (!strcmp(item, "private-ipv4s"))
        json_texts(out, sim_json_array(eni, "private_ips"));
    else if (!strcmp(item, "ipv6s"))
        bare_texts(out, sim_json_array(eni, "ipv6"));
    else if (!strcmp(item, "ipv6-gateway"))
        ipv6_gateway(out, sim_json_len(sim_json_array(eni, "ipv6")) ? vswitch : NULL);
    else if (!strcmp(item, "vswitch-ipv6-cidr-block"))
        line(out, sim_json_str(vswitch, "ipv6_cidr_block"));
    else if (!strcmp(item, "netmask"))
        mask_or_gateway(out, vswitch, false);
    else if (!strcmp(item, "gateway"))
        mask_or_gateway(out, vswitch, true);
    else if (!strcmp(item, "vswitch-id"))
        line(out, sim_json_str(eni, "vswitch_id"));
    else if (!strcmp(item, "vswitch-cidr-block"))
        line(out, sim_json_str(vswitch, "cidr_block"));
    else if (!strcmp(item, "vpc-id"))
        line(out, sim_json_str(vswitch, "vpc_id"));
    else if (!strcmp(item, "vpc-cidr-block"))
        line(out, sim_json_str(vpc, "cidr_block"));
    else if (!*item)
        line(out, "gateway\nipv6-gateway\nipv6s\nnetmask\nnetwork-interface-id\nprimary-ip-"
                  "address\nprivate-ipv4s\n"
                  "vpc-cidr-block\nvpc-id\nvswitch-cidr-block\nvswitch-id\n"
                  "vswitch-ipv6-cidr-block");
    else
        return false;
    return out->len > 0; /* an item without a value is not there */
}

/* Attached, and no longer on its way there: the guest sees it. */
static bool is_mine(const struct node *node, const struct json_object *eni)
{
    return ali_is(eni, "instance_id", node->id) && ali_in_state(eni, "InUse Detaching");
}

static bool nic_path(const struct node *node, const char *path)
{
    struct json_object *eni;
    size_t len = strcspn(path, "/");

    SIM_JSON_EACH(eni, ali_all(node->ali, ALI_ENI))
    {
        const char *mac = sim_json_str(eni, "mac");

        if (!is_mine(node, eni))
            continue;
        if (!*path)
            sim_buf_fmt(node->out, "%s%s/", node->out->len ? "\n" : "", mac);
        else if (strlen(mac) == len && !strncasecmp(mac, path, len))
            return nic_item(node, eni, path[len] ? path + len + 1 : "");
    }
    return node->out->len > 0;
}

/* ---- the role's credentials ------------------------------------------------------------------ */

/* The same ones until half an hour before their end, or half their life. */
static const struct json_object *role_credentials(const struct node *node, const char *role)
{
    int64_t ttl_s = sim_json_int(node->ali, "imds_credentials_ttl_s", 21600);
    int64_t margin_ms = (ttl_s > 3600 ? 1800 : ttl_s / 2) * 1000;
    struct json_object *credential;

    SIM_JSON_EACH(credential, sim_json_array(node->ali, "credentials"))
    if (ali_is(credential, "node", node->id) && ali_is(credential, "role", role) &&
        ali_is(credential, "session", node->id) &&
        !ali_expired(credential, sim_world_now_ms(node->world) + margin_ms))
        return credential;
    return ali_credentials_issue(node->world, role, node->id, node->id, ttl_s);
}

static bool credentials_path(const struct node *node, const char *path)
{
    const char *role = sim_json_str(node->instance, "role");
    const struct json_object *issued;
    char now[40];

    if (!*role || (*path && strcmp(path, role) != 0))
        return false;
    if (!*path) {
        line(node->out, role);
        return true;
    }
    issued = role_credentials(node, role);
    sim_time_iso(sim_world_now_ms(node->world), false, now, sizeof(now));
    sim_buf_fmt(node->out,
                "{\n  \"AccessKeyId\" : \"%s\",\n  \"AccessKeySecret\" : \"%s\",\n"
                "  \"Expiration\" : \"%s\",\n  \"SecurityToken\" : \"%s\",\n"
                "  \"LastUpdated\" : \"%s\",\n  \"Code\" : \"Success\"\n}",
                sim_json_str(issued, "access_key_id"), sim_json_str(issued, "access_key_secret"),
                sim_json_str(issued, "expires"), sim_json_str(issued, "security_token"), now);
    return true;
}

/* ---- everything else ------------------------------------------------------------------------- */

static void identity_document(const struct node *node, const struct json_object *primary)
{
    const char *vswitch = sim_json_str(node->instance, "vswitch_id");

    sim_buf_fmt(node->out,
                "{\"zone-id\":\"%s\",\"instance-id\":\"%s\",\"region-id\":\"%s\","
                "\"instance-type\":\"%s\",\"owner-account-id\":\"%s\",\"private-ipv4\":\"%s\","
                "\"mac\":\"%s\",\"serial-number\":\"00000000-0000-0000-0000-000000000000\"}",
                ali_vswitch_zone(node->ali, vswitch), node->id,
                sim_json_str(node->ali, "region_id"), sim_json_str(node->instance, "instance_type"),
                sim_json_str(node->ali, "account_id"), primary ? ali_eni_primary(primary) : "",
                sim_json_str(primary, "mac"));
}

static bool meta_path(const struct node *node, const char *path)
{
    static const char nics[] = "network/interfaces/macs/", roles[] = "ram/security-credentials/";
    const struct json_object *primary = ali_instance_primary(node->ali, node->id);
    const char *vswitch = sim_json_str(node->instance, "vswitch_id");
    struct sim_buf *out = node->out;

    if (!strncmp(path, nics, sizeof(nics) - 1))
        return nic_path(node, path + sizeof(nics) - 1);
    if (!strncmp(path, roles, sizeof(roles) - 1))
        return credentials_path(node, path + sizeof(roles) - 1);
    if (!strcmp(path, "ram/security-credentials"))
        return credentials_path(node, "");
    if (!strcmp(path, "instance-id"))
        line(out, node->id);
    else if (!strcmp(path, "instance/instance-type"))
        line(out, sim_json_str(node->instance, "instance_type"));
    else if (!strcmp(path, "region-id"))
        line(out, sim_json_str(node->ali, "region_id"));
    else if (!strcmp(path, "zone-id"))
        line(out, ali_vswitch_zone(node->ali, vswitch));
    else if (!strcmp(path, "owner-account-id"))
        line(out, sim_json_str(node->ali, "account_id"));
    else if (!strcmp(path, "private-ipv4"))
        line(out, primary ? ali_eni_primary(primary) : "");
    else if (!strcmp(path, "eipv4"))
        line(out, sim_json_str(sim_json_find(ali_all(node->ali, ALI_EIP), "instance_id", node->id),
                               "ip_address"));
    else if (!strcmp(path, "mac"))
        line(out, sim_json_str(primary, "mac"));
    else if (!strcmp(path, "vpc-id") || !strcmp(path, "vpc-cidr-block") ||
             !strcmp(path, "vswitch-id") || !strcmp(path, "vswitch-cidr-block"))
        return primary && nic_item(node, primary, path);
    else if (!*path)
        line(out, "eipv4\ninstance-id\ninstance/\nmac\nnetwork/\nowner-account-id\nprivate-ipv4\n"
                  "ram/\nregion-id\nvpc-cidr-block\nvpc-id\nvswitch-cidr-block\nvswitch-id\n"
                  "zone-id");
    else
        return false;
    return out->len > 0;
}

static void get_item(const struct node *node, const char *path, struct sim_answer *answer)
{
    static const char meta[] = "latest/meta-data/";
    bool found = false;

    if (!strncmp(path, meta, sizeof(meta) - 1)) {
        found = meta_path(node, path + sizeof(meta) - 1);
    } else if (!strcmp(path, "latest/dynamic/instance-identity/document")) {
        identity_document(node, ali_instance_primary(node->ali, node->id));
        found = true;
    }
    if (!found) {
        plain(answer, 404, "");
        return;
    }
    answer->status = 200;
    sim_answer_type(answer, "text/plain");
}

void ali_imds_serve(struct sim_world *world, struct sim_call *call, struct sim_answer *answer)
{
    const char *path = call->request->path + (*call->request->path == '/');
    struct node node = {
        .world = world,
        .ali = sim_json_get(world->live, "aliyun"),
        .id = call->node,
        .out = &answer->body,
    };
    bool put = !strcmp(call->request->method, "PUT");

    node.instance = ali_find(node.ali, ALI_INSTANCE, call->node);
    if (!node.instance || !ali_in_state(node.instance, "Running"))
        answer->status = 0; /* there is no machine that could answer */
    else if (ali_is(node.instance, "imds", "hang"))
        answer->status = -1;
    else if (ali_is(node.instance, "imds", "off"))
        plain(answer, 403, "");
    else if (put && !strcmp(path, "latest/api/token"))
        put_token(world, call, answer);
    else if (put || (strcmp(call->request->method, "GET") && strcmp(call->request->method, "HEAD")))
        plain(answer, 405, "");
    else if (!has_session(world, call)) /* none at all, or one that is not or no longer good */
        plain(answer, sim_request_header(call->request, TOKEN_HEADER) ? 401 : 403, "");
    else
        get_item(&node, path, answer);
}
