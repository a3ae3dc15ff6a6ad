/*
 * The instance metadata service, version 2 only (EC2 User Guide, "Use the Instance Metadata
 * Service"; paths from "Instance metadata categories").
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "aws_ec2.h"

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
    struct json_object *aws;
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
    const struct sim_request *request = call->request;
    const char *ttl = sim_request_header(request, "x-aws-ec2-metadata-token-ttl-seconds");
    struct session *session = &sessions[next_session];
    char *end = NULL;
    long seconds = ttl ? strtol(ttl, &end, 10) : 0;

    if (sim_request_header(request, "x-forwarded-for")) {
        plain(answer, 403, "");
        return;
    }
    if (!ttl || end == ttl || *end || seconds < 1 || seconds > TOKEN_MAX_TTL) {
        plain(answer, 400, "");
        return;
    }
    next_session = (next_session + 1) % TOKENS_MAX;
    sim_random_text(session->token, sizeof(session->token));
    memcpy(session->token, "AQAEA", 5);
    memcpy(session->token + TOKEN_SIZE - 3, "==", 2);
    snprintf(session->node, sizeof(session->node), "%s", call->node);
    session->until_ms = sim_world_now_ms(world) + seconds * 1000;
    plain(answer, 200, session->token);
    sim_answer_header(answer, "X-aws-ec2-metadata-token-ttl-seconds", "%ld", seconds);
}

static bool has_session(const struct sim_world *world, const struct sim_call *call)
{
    const char *token = sim_request_header(call->request, "x-aws-ec2-metadata-token");
    int64_t now_ms = sim_world_now_ms(world) + call->skew_ms;

    for (size_t i = 0; token && *token && i < TOKENS_MAX; i++)
        if (!strcmp(sessions[i].token, token) && !strcmp(sessions[i].node, call->node))
            return sessions[i].until_ms > now_ms;
    return false;
}

/* ---- interfaces ------------------------------------------------------------------------------ */

static struct json_object *eni_by_mac(const struct node *node, const char *mac)
{
    struct json_object *eni;

    SIM_JSON_EACH(eni, aws_all(node->aws, AWS_ENI))
    if (!strcmp(sim_json_str(aws_eni_attachment(eni), "instance_id"), node->id) &&
        !strcasecmp(sim_json_str(eni, "mac"), mac))
        return eni;
    return NULL;
}

static void line(struct sim_buf *out, const char *text)
{
    sim_buf_fmt(out, "%s%s", out->len ? "\n" : "", text);
}

static void lines(struct sim_buf *out, struct json_object *list)
{
    struct json_object *element;

    SIM_JSON_EACH(element, list)
    line(out, json_object_get_string(element));
}

static void list_macs(const struct node *node)
{
    struct json_object *eni;

    SIM_JSON_EACH(eni, aws_all(node->aws, AWS_ENI))
    if (!strcmp(sim_json_str(aws_eni_attachment(eni), "instance_id"), node->id))
        sim_buf_fmt(node->out, "%s%s/", node->out->len ? "\n" : "", sim_json_str(eni, "mac"));
}

/* Of each elastic address on the interface: itself, or what it is associated with. */
static void list_associations(const struct node *node, const struct json_object *eni,
                              const char *only)
{
    const char *id = sim_json_str(eni, "network_interface_id");
    struct json_object *ip;

    SIM_JSON_EACH(ip, sim_json_array(eni, "private_ips"))
    {
        const struct json_object *address =
            aws_address_on(node->aws, id, json_object_get_string(ip));

        if (address && !only)
            line(node->out, sim_json_str(address, "public_ip"));
        else if (address && !strcmp(only, sim_json_str(address, "public_ip")))
            line(node->out, json_object_get_string(ip));
    }
}

static bool nic_item(const struct node *node, const struct json_object *eni, const char *item)
{
    const struct json_object *subnet =
        aws_find(node->aws, AWS_SUBNET, sim_json_str(eni, "subnet_id"));
    const struct json_object *vpc = aws_find(node->aws, AWS_VPC, sim_json_str(subnet, "vpc_id"));
    struct json_object *cidrs = sim_json_array(vpc, "cidr_blocks");
    struct sim_buf *out = node->out;

    if (!strcmp(item, "interface-id"))
        line(out, sim_json_str(eni, "network_interface_id"));
    else if (!strcmp(item, "device-number"))
        sim_buf_fmt(out, "%lld",
                    (long long)sim_json_int(aws_eni_attachment(eni), "device_index", 0));
    else if (!strcmp(item, "mac"))
        line(out, sim_json_str(eni, "mac"));
    else if (!strcmp(item, "subnet-id"))
        line(out, sim_json_str(eni, "subnet_id"));
    else if (!strcmp(item, "vpc-id"))
        line(out, sim_json_str(subnet, "vpc_id"));
    else if (!strcmp(item, "owner-id"))
        line(out, sim_json_str(node->aws, "account"));
    else if (!strcmp(item, "local-ipv4s"))
        lines(out, sim_json_array(eni, "private_ips"));
    else if (!strcmp(item, "public-ipv4s") || !strcmp(item, "ipv4-associations/"))
        list_associations(node, eni, NULL);
    else if (!strncmp(item, "ipv4-associations/", 18))
        list_associations(node, eni, item + 18);
    else if (!strcmp(item, "ipv6s"))
        lines(out, sim_json_array(eni, "ipv6"));
    else if (!strcmp(item, "subnet-ipv4-cidr-block"))
        line(out, sim_json_str(subnet, "cidr_block"));
    else if (!strcmp(item, "subnet-ipv6-cidr-blocks"))
        line(out, sim_json_str(subnet, "ipv6_cidr_block"));
    else if (!strcmp(item, "vpc-ipv4-cidr-blocks"))
        lines(out, cidrs);
    else if (!strcmp(item, "vpc-ipv4-cidr-block") && sim_json_len(cidrs))
        line(out, json_object_get_string(json_object_array_get_idx(cidrs, 0)));
    else if (!strcmp(item, "vpc-ipv6-cidr-blocks"))
        lines(out, sim_json_array(vpc, "ipv6_cidr_blocks"));
    else if (!*item)
        line(out, "device-number\ninterface-id\nlocal-ipv4s\nmac\nowner-id\nsubnet-id\n"
                  "subnet-ipv4-cidr-block\nvpc-id\nvpc-ipv4-cidr-blocks");
    else
        return false;
    return out->len > 0; /* an item without a value is not there */
}

static bool nic_path(const struct node *node, const char *path)
{
    const struct json_object *eni;
    char mac[32];
    size_t len = strcspn(path, "/");

    if (!*path) {
        list_macs(node);
        return node->out->len > 0;
    }
    if (len >= sizeof(mac))
        return false;
    memcpy(mac, path, len);
    mac[len] = '\0';
    eni = eni_by_mac(node, mac);
    return eni && nic_item(node, eni, path[len] ? path + len + 1 : "");
}

/* ---- the role's credentials ------------------------------------------------------------------ */

/* The same ones until half an hour before their end, or half their life. */
static const struct json_object *role_credentials(const struct node *node, const char *role)
{
    int64_t ttl_s = sim_json_int(node->aws, "imds_credentials_ttl_s", 21600);
    int64_t margin_ms = (ttl_s > 3600 ? 1800 : ttl_s / 2) * 1000;
    struct json_object *credential;

    SIM_JSON_EACH(credential, sim_json_array(node->aws, "credentials"))
    if (!strcmp(sim_json_str(credential, "node"), node->id) &&
        !strcmp(sim_json_str(credential, "role"), role) &&
        !strcmp(sim_json_str(credential, "session"), node->id) &&
        !aws_expired(credential, sim_world_now_ms(node->world) + margin_ms))
        return credential;
    return aws_credentials_issue(node->world, role, node->id, node->id, ttl_s, NULL);
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
                "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"%s\",\n"
                "  \"Type\" : \"AWS-HMAC\",\n  \"AccessKeyId\" : \"%s\",\n"
                "  \"SecretAccessKey\" : \"%s\",\n  \"Token\" : \"%s\",\n"
                "  \"Expiration\" : \"%s\"\n}",
                now, sim_json_str(issued, "access_key_id"),
                sim_json_str(issued, "secret_access_key"), sim_json_str(issued, "session_token"),
                sim_json_str(issued, "expires"));
    return true;
}

/* ---- everything else ------------------------------------------------------------------------- */

static const char *zone_of(const struct node *node)
{
    return sim_json_str(aws_find(node->aws, AWS_SUBNET, sim_json_str(node->instance, "subnet_id")),
                        "availability_zone");
}

static void identity_document(const struct node *node, const struct json_object *primary)
{
    sim_buf_fmt(node->out,
                "{\n  \"accountId\" : \"%s\",\n  \"architecture\" : \"x86_64\",\n"
                "  \"availabilityZone\" : \"%s\",\n  \"imageId\" : \"ami-0aa00000000000001\",\n"
                "  \"instanceId\" : \"%s\",\n  \"instanceType\" : \"%s\",\n"
                "  \"pendingTime\" : \"2026-01-01T00:00:00Z\",\n  \"privateIp\" : \"%s\",\n"
                "  \"region\" : \"%s\",\n  \"version\" : \"2017-09-30\"\n}",
                sim_json_str(node->aws, "account"), zone_of(node), node->id,
                sim_json_str(node->instance, "instance_type"),
                primary ? aws_eni_primary(primary) : "", sim_json_str(node->aws, "region"));
}

static bool meta_path(const struct node *node, const char *path)
{
    static const char nics[] = "network/interfaces/macs/";
    static const char credentials[] = "iam/security-credentials/";
    const struct json_object *primary = aws_instance_device(node->aws, node->id, 0);
    struct sim_buf *out = node->out;

    if (!strncmp(path, nics, sizeof(nics) - 1))
        return nic_path(node, path + sizeof(nics) - 1);
    if (!strncmp(path, credentials, sizeof(credentials) - 1))
        return credentials_path(node, path + sizeof(credentials) - 1);
    if (!strcmp(path, "iam/security-credentials"))
        return credentials_path(node, "");
    if (!strcmp(path, "instance-id"))
        line(out, node->id);
    else if (!strcmp(path, "instance-type"))
        line(out, sim_json_str(node->instance, "instance_type"));
    else if (!strcmp(path, "mac"))
        line(out, primary ? sim_json_str(primary, "mac") : "");
    else if (!strcmp(path, "local-ipv4"))
        line(out, primary ? aws_eni_primary(primary) : "");
    else if (!strcmp(path, "public-ipv4") && primary)
        line(out,
             sim_json_str(aws_address_on(node->aws, sim_json_str(primary, "network_interface_id"),
                                         aws_eni_primary(primary)),
                          "public_ip"));
    else if (!strcmp(path, "placement/region"))
        line(out, sim_json_str(node->aws, "region"));
    else if (!strcmp(path, "placement/availability-zone"))
        line(out, zone_of(node));
    else if (!strcmp(path, "services/partition"))
        line(out, sim_json_str(node->aws, "partition"));
    else if (!strcmp(path, "services/domain"))
        line(out, strcmp(sim_json_str(node->aws, "partition"), "aws-cn") ? "amazonaws.com"
                                                                         : "amazonaws.com.cn");
    else if (!*path)
        line(out, "iam/\ninstance-id\ninstance-type\nlocal-ipv4\nmac\nnetwork/\nplacement/\n"
                  "public-ipv4\nservices/");
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
        identity_document(node, aws_instance_device(node->aws, node->id, 0));
        found = true;
    }
    if (!found) {
        plain(answer, 404, "");
        return;
    }
    answer->status = 200;
    sim_answer_type(answer, "text/plain");
}

/* The service takes doubled slashes for one: lists end their lines in '/', and clients append
 * another. */
static const char *single_slashes(const char *path, char *out, size_t out_bytes)
{
    size_t len = 0;

    for (; *path && len + 1 < out_bytes; path++)
        if (*path != '/' || path[1] != '/')
            out[len++] = *path;
    out[len] = '\0';
    return *path ? "" : out;
}

void aws_imds_serve(struct sim_world *world, struct sim_call *call, struct sim_answer *answer)
{
    const struct sim_request *request = call->request;
    char path_buf[1024] = "";
    const char *path =
        single_slashes(request->path + (*request->path == '/'), path_buf, sizeof(path_buf));
    struct node node = {
        .world = world,
        .aws = sim_json_get(world->live, "aws"),
        .id = call->node,
        .out = &answer->body,
    };
    bool put = !strcmp(request->method, "PUT");

    node.instance = aws_find(node.aws, AWS_INSTANCE, call->node);
    if (!node.instance || strcmp(sim_json_str(node.instance, "state"), "running") != 0)
        answer->status = 0; /* there is no machine that could answer */
    else if (!strcmp(sim_json_str(node.instance, "imds"), "hang"))
        answer->status = -1;
    else if (!strcmp(sim_json_str(node.instance, "imds"), "off"))
        plain(answer, 403, "");
    else if (put && !strcmp(path, "latest/api/token"))
        put_token(world, call, answer);
    else if (put)
        plain(answer, sim_text_match("*/api/token", path) ? 403 : 405, "");
    else if (strcmp(request->method, "GET") && strcmp(request->method, "HEAD"))
        plain(answer, 405, "");
    else if (!has_session(world, call))
        plain(answer, 401, "");
    else
        get_item(&node, path, answer);
}
