/* kit/cloud/aliyun/rpc.c - a call goes out, is judged, and comes again where that helps. */
#include "kit/cloud/aliyun/rpc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "kit/base/str.h"
#include "kit/cloud/aliyun/creds.h"
#include "kit/cloud/aliyun/sign.h"
#include "kit/fmt/hex.h"
#include "kit/fmt/time.h"
#include "kit/fmt/uri.h"

const struct ali_product ali_vpc = {"Vpc", "2016-04-28"};
const struct ali_product ali_ecs = {"Ecs", "2014-05-26"};
const struct ali_product ali_sts = {"Sts", "2015-04-01"};

const struct kit_poll ali_poll = {.first_ms = 100, .cap_ms = 2000};

/* The service takes 15 minutes (help: "x-acs-date"); an offset below this is a slow network or a
 * lazy clock and not what it refused. */
#define SKEW_MIN_S 240
/* A Date that took longer than this to arrive says nothing. */
#define SKEW_TRIP_MS (900 * 1000)

#define NONCE_BYTES 16
#define NONCE_TEXT  (2 * NONCE_BYTES + 1)

static struct ali_rpc *of(struct kit_call *call)
{
    return (struct ali_rpc *)call; /* its first member */
}

/* ---- parameters ------------------------------------------------------------------------------ */

static void drop_value(char *value)
{
    if (value)
        kit_secret_wipe(value, strlen(value));
    free(value);
}

void ali_rpc_param(struct ali_rpc *r, const char *name, const char *value)
{
    size_t at = 0;

    if (!value)
        return;
    while (at < r->params && !kit_str_eq(r->param[at].name, name))
        at++;
    if (at == ALI_RPC_PARAMS || strlen(name) >= sizeof(r->param[at].name)) {
        r->overflow = true;
        return;
    }
    drop_value(r->param[at].value);
    (void)kit_str_copy(r->param[at].name, sizeof(r->param[at].name), name);
    r->param[at].value = kit_mem_strdup(value);
    if (at == r->params)
        r->params++;
}

void ali_rpc_item(struct ali_rpc *r, const char *name, unsigned index_from_1, const char *value)
{
    char key[sizeof(r->param[0].name)];

    if (kit_str_format(key, sizeof(key), "%s.%u", name, index_from_1))
        ali_rpc_param(r, key, value);
    else
        r->overflow = true;
}

void ali_rpc_form(struct ali_rpc *r, const char *name, const char *value)
{
    if (r->form.len_bytes)
        (void)kit_buf_putc(&r->form, '&');
    (void)kit_buf_puts(&r->form, name);
    (void)kit_buf_putc(&r->form, '=');
    kit_uri_encode(&r->form, value);
}

static int by_name(const void *a, const void *b)
{
    /* The name is the first member. */
    return strcmp(a, b);
}

static int write_query(struct ali_rpc *r, struct kit_buf *out, struct kit_err *err)
{
    if (r->overflow)
        return kit_err_set(err, KIT_ERR_REFUSED, "%s: too many parameters, or too long a name",
                           r->call.what);
    qsort(r->param, r->params, sizeof(r->param[0]), by_name);
    for (size_t i = 0; i < r->params; i++) {
        if (i > 0)
            (void)kit_buf_putc(out, '&');
        kit_uri_encode(out, r->param[i].name);
        (void)kit_buf_putc(out, '=');
        kit_uri_encode(out, r->param[i].value);
    }
    return kit_buf_check(out, "the parameters", err);
}

/* ---- a try ----------------------------------------------------------------------------------- */

static int draw(unsigned char bytes[NONCE_BYTES], struct kit_err *err)
{
    if (getrandom(bytes, NONCE_BYTES, 0) != NONCE_BYTES)
        return kit_err_set(err, KIT_ERR_SYSTEM, "getrandom");
    return 0;
}

/* What call.c and decode left of the last try says whether its token may be known to the server. */
static int choose_token(struct ali_rpc *r, struct kit_err *err)
{
    if (!(r->flags & ALI_TOKEN))
        return 0;
    if (r->token[0] && (r->call.err.outcome_open || r->note == ALI_NOTE_TOKEN))
        r->token_kept = true;
    if (!r->token_kept && kit_call_token(r->token, err))
        return -1;
    ali_rpc_param(r, "ClientToken", r->token);
    return 0;
}

/* Without a signature, what it carries otherwise goes into the query (help: "RPC request syntax").
 */
static void add_unsigned(struct ali_rpc *r, const char *nonce)
{
    char date[KIT_TIME_TEXT];

    ali_rpc_param(r, "Action", r->call.what);
    ali_rpc_param(r, "Version", r->product->version);
    ali_rpc_param(r, "Format", "JSON");
    ali_rpc_param(r, "Timestamp", kit_time_iso(ali_now_s(r->cloud), date));
    ali_rpc_param(r, "SignatureNonce", nonce);
}

static int encode(struct kit_call *call, struct kit_http_request *req, struct kit_err *err)
{
    struct ali_rpc *r = of(call);
    KIT_AUTO(kit_buf) query = KIT_BUF_SECRET(KIT_HTTP_REQUEST_BYTES);
    unsigned char bytes[NONCE_BYTES];
    char nonce[NONCE_TEXT];

    if (choose_token(r, err) || draw(bytes, err))
        return -1;
    (void)kit_hex(bytes, sizeof(bytes), nonce);
    if (!(r->flags & ALI_NO_REGION))
        ali_rpc_param(r, "RegionId", r->cloud->region);
    if (r->flags & ALI_UNSIGNED)
        add_unsigned(r, nonce);
    if (write_query(r, &query, err) || kit_buf_check(&r->form, call->what, err))
        return -1;

    (void)kit_str_copy(req->method, sizeof(req->method), "POST");
    (void)kit_buf_printf(&req->url, "%s?%s", r->endpoint->url, query.data);
    (void)kit_buf_add(&req->body, r->form.data, r->form.len_bytes);
    if (kit_http_request_header(req, "accept", "application/json", err))
        return -1;
    if (r->form.len_bytes &&
        kit_http_request_header(req, "content-type", "application/x-www-form-urlencoded", err))
        return -1;
    r->signed_skew_s = r->cloud->skew_s;
    const struct ali_sign how = {.creds = r->creds ? r->creds : &r->cloud->creds,
                                 .action = call->what,
                                 .version = r->product->version,
                                 .nonce = nonce,
                                 .now_s = ali_now_s(r->cloud),
                                 .canonical_query = query.data};
    if (!(r->flags & ALI_UNSIGNED) && ali_sign_request(&how, req, err))
        return kit_err_wrap(err, "%s: sign", call->what);
    return 0;
}

/* ---- an answer ------------------------------------------------------------------------------- */

/* The server's clock minus ours; false when its Date cannot be trusted. */
static bool offset_of(const struct ali_rpc *r, const struct kit_http_response *resp,
                      int64_t *ret_offset_s)
{
    int64_t server_s;

    if (resp->aged || resp->took_ms > SKEW_TRIP_MS || !kit_time_parse_http(resp->date, &server_s))
        return false;
    *ret_offset_s = server_s - kit_clock_wall_ns(r->cloud->base.caller->clock) / KIT_NS_PER_S;
    return true;
}

/* "Correct the clock offset once": true when another try makes sense.  Held against the offset that
 * this try was signed with: a call beside it may have corrected the session's meanwhile. */
static bool correct_skew(struct ali_rpc *r, const struct kit_http_response *resp)
{
    int64_t offset_s;

    if (r->skew_tried || !offset_of(r, resp, &offset_s) ||
        llabs(offset_s - r->signed_skew_s) < SKEW_MIN_S)
        return false;
    r->skew_tried = true;
    r->cloud->skew_s = offset_s;
    r->cloud->base.caller->stats.skew_s = offset_s;
    return true;
}

/* It refused the time that we signed with, and a correction is not to be had, or did not help. */
static int blame_clock(const struct ali_rpc *r, const struct kit_http_response *resp,
                       struct kit_err *err)
{
    char now[KIT_TIME_TEXT];
    int64_t offset_s;

    (void)kit_time_iso(kit_clock_wall_ns(r->cloud->base.caller->clock) / KIT_NS_PER_S, now);
    return kit_err_wrap(
        err, "the cloud refuses the time of this host, which is %s%s: set its clock", now,
        offset_of(r, resp, &offset_s) ? ""
                                      : " (its answer has no Date to correct "
                                        "it by)");
}

static int take_answer(struct ali_rpc *r, const struct kit_http_response *resp, struct kit_err *err)
{
    kit_json_done(&r->json);
    r->json = (struct kit_json){0};
    if (kit_json_parse(resp->body.data, resp->body.len_bytes, &r->json, err))
        return kit_err_wrap(err, "%s: HTTP 200 with a body that is not the cloud's", r->call.what);
    if (!kit_json_get(kit_json_root(&r->json), "RequestId"))
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "%s: HTTP 200 with a body that is not the cloud's: no object with a "
                           "RequestId",
                           r->call.what);
    const char *lacking = ali_list_lacking(r->call.what, kit_json_root(&r->json));
    if (lacking)
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: HTTP 200 without %s: not believed",
                           r->call.what, lacking);
    /* Whoever runs the call again asks for something new. */
    r->token[0] = '\0';
    r->token_kept = false;
    return 0;
}

static int decode(struct kit_call *call, const struct kit_http_response *resp,
                  struct kit_call_again *ret_again, struct kit_err *err)
{
    struct ali_rpc *r = of(call);

    ret_again->retry_after_ms = resp->retry_after_ms;
    r->note = ALI_NOTE_NONE;
    if (resp->status == 200)
        return take_answer(r, resp, err);
    (void)ali_error_read(call->what, resp, &r->note, err);
    /* Without a token, the request that used the nonce may have been carried out: look first. */
    if (r->note == ALI_NOTE_NONCE && !r->nonce_tried && (!call->mutates || call->repeatable))
        ret_again->at_once = r->nonce_tried = true;
    else if (r->note == ALI_NOTE_SKEW && correct_skew(r, resp))
        ret_again->at_once = true;
    else if (r->note == ALI_NOTE_RENEW)
        ret_again->renew = true;
    else if (r->note == ALI_NOTE_SKEW) /* no other keys help against a wrong clock */
        return blame_clock(r, resp, err);
    return -1;
}

static int renew(struct kit_call *call, struct kit_deadline by, struct kit_err *err)
{
    return ali_creds_renew(of(call)->cloud, by, err);
}

/* ---- a call ---------------------------------------------------------------------------------- */

static const struct ali_endpoint *endpoint_of(const struct ali_cloud *cloud,
                                              const struct ali_product *product)
{
    if (product == &ali_sts)
        return &cloud->sts;
    return product == &ali_ecs ? &cloud->ecs : &cloud->vpc;
}

void ali_rpc_init(struct ali_rpc *r, struct ali_cloud *cloud, const struct ali_product *product,
                  const char *action, unsigned flags)
{
    *r = (struct ali_rpc){
        .call = {.what = action,
                 .mutates = (flags & ALI_MUTATES) != 0,
                 .repeatable = (flags & ALI_TOKEN) != 0,
                 .encode = encode,
                 .decode = decode,
                 .renew = flags & ALI_UNSIGNED ? NULL : renew},
        .cloud = cloud,
        .product = product,
        .flags = flags,
        .endpoint = endpoint_of(cloud, product),
        .form = KIT_BUF_SECRET(KIT_HTTP_REQUEST_BYTES),
    };
}

void ali_rpc_done(struct ali_rpc *r)
{
    for (size_t i = 0; i < r->params; i++)
        drop_value(r->param[i].value);
    r->params = 0;
    kit_json_done(&r->json);
    r->json = (struct kit_json){0};
    kit_buf_done(&r->form);
}

int ali_rpc_run(struct ali_rpc *r, struct kit_deadline by, struct kit_err *err)
{
    struct kit_call *const call[] = {&r->call};

    if (r->creds)
        r->call.renew = NULL; /* not the cloud's: nothing here can renew them */
    return kit_call_all(r->cloud->base.caller, call, 1, by, err);
}

const struct kit_json_node *ali_rpc_root(const struct ali_rpc *r)
{
    return kit_json_root(&r->json);
}

void ali_rpc_step(const struct ali_rpc *r, struct kit_step *step)
{
    if (!r->call.failed) {
        step->result = KIT_STEP_DONE;
        return;
    }
    step->err = r->call.err;
    step->result =
        step->err.outcome_open || r->note == ALI_NOTE_TAKEN ? KIT_STEP_OPEN : KIT_STEP_FAILED;
}
