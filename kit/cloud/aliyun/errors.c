/* kit/cloud/aliyun/errors.c - error codes of Vpc, Ecs and Sts, and answers that carry none. */
#include "kit/cloud/aliyun/errors.h"

#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/fmt/json.h"
#include "kit/fmt/xml.h"

enum match {
    WHOLE, /* the code itself */
    BEGIN, /* codes that begin so: "IncorrectStatus." */
    END,   /* codes that end so: ".NotFound" */
    PART,  /* codes with this in them */
};

/* From the error codes of the API references of Vpc, Ecs and Sts, and the lists of codes that the
 * vendor's Terraform provider retries.  The first row that fits counts. */
static const struct row {
    const char *code;
    enum match match;
    enum kit_err_kind kind;
    enum ali_error_note note;
} rows[] = {
    /* Too fast: nothing was done, wait and repeat. */
    {"Throttling", PART, KIT_ERR_THROTTLED, ALI_NOTE_NONE},

    /* Another task is under way. */
    {"LastTokenProcessing", PART, KIT_ERR_STATE, ALI_NOTE_TOKEN},
    {"IdempotentTokenProcessing", PART, KIT_ERR_STATE, ALI_NOTE_TOKEN},
    {"OperationConflict", WHOLE, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"OperationConflict.", BEGIN, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"TaskConflict", WHOLE, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"TaskConflict.", BEGIN, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"VPC_TASK_CONFLICT", WHOLE, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"Operation.Conflict", WHOLE, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"InvalidOperation.Conflict", WHOLE, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"OperationFailed.DistibuteLock", WHOLE, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"SystemBusy", WHOLE, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"Conflict.Lock", WHOLE, KIT_ERR_STATE, ALI_NOTE_BUSY},

    /* Between two states: wait, read again. */
    {"IncorrectStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectStatus.", BEGIN, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectEipStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectInstanceStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectHaVipStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectRouteEntryStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectVpcStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectVSwitchStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorretSnatEntryStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE}, /* spelled so */
    {"InvalidVip.Status", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidVBRStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidBindingStatus", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidStatus.EcsStatusNotSupport", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidStatus.EniStatusNotSupport", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidStatus.InstanceHasBandWidth", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidStatus.NotAllow", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"OperationFailed.EcsMigrating", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidOperation.InvalidEcsState", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidOperation.InvalidEniState", WHOLE, KIT_ERR_STATE, ALI_NOTE_STATE},

    /* The service failed. */
    {"ServiceUnavailable", WHOLE, KIT_ERR_TRANSIENT, ALI_NOTE_NONE},
    {"ServiceUnavailable.RegionMaintaining", WHOLE, KIT_ERR_TRANSIENT, ALI_NOTE_NONE},
    {"InternalError", WHOLE, KIT_ERR_TRANSIENT, ALI_NOTE_NONE},
    {"UnknownError", WHOLE, KIT_ERR_TRANSIENT, ALI_NOTE_NONE},

    /* Credentials, or the clock that signed with them. */
    {"InvalidTimeStamp.Expired", WHOLE, KIT_ERR_AUTH, ALI_NOTE_SKEW},
    {"InvalidTimeStamp.Format", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"IllegalTimestamp", WHOLE, KIT_ERR_AUTH, ALI_NOTE_SKEW},
    /* Somebody on the way sent our request twice: the first one may have been carried out. */
    {"SignatureNonceUsed", WHOLE, KIT_ERR_TRANSIENT, ALI_NOTE_NONCE},
    {"InvalidAccessKeyId.", BEGIN, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"InvalidAccessKeyId", WHOLE, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"Forbidden.AccessKeyDisabled", WHOLE, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"IncompleteSignature", WHOLE, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"SignatureDoesNotMatch", WHOLE, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"InvalidSecurityToken.", BEGIN, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"MissingSecurityToken", WHOLE, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"AuthenticationFail.", BEGIN, KIT_ERR_AUTH, ALI_NOTE_NONE}, /* Sts: the OIDC token */

    /* Forbidden by name, but not found by nature. */
    {"Forbidden.RegionNotFound", WHOLE, KIT_ERR_NOT_FOUND, ALI_NOTE_NONE},
    {"Forbidden.VpcNotFound", WHOLE, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},

    /* Permissions. */
    {"NoPermission", WHOLE, KIT_ERR_DENIED, ALI_NOTE_NONE},
    {"Forbidden", WHOLE, KIT_ERR_DENIED, ALI_NOTE_NONE},
    {"Forbidden.", BEGIN, KIT_ERR_DENIED, ALI_NOTE_NONE},
    {"Forbbiden", WHOLE, KIT_ERR_DENIED, ALI_NOTE_NONE}, /* spelled so, as the next */
    {"BIND_INSTANCE_OWENER_ERROR", WHOLE, KIT_ERR_DENIED, ALI_NOTE_NONE},
    {"OperationUnsupported.ServiceManaged", WHOLE, KIT_ERR_DENIED, ALI_NOTE_NONE},
    {"InvalidOperation.EniServiceManaged", WHOLE, KIT_ERR_DENIED, ALI_NOTE_NONE},

    {"DryRunOperation", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_DRYRUN},

    /* The endpoint is older than the action, or than the parameter. */
    {"InvalidAction", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},
    {"InvalidAction.NotFound", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},
    {"InvalidApi.NotFound", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},
    {"UnsupportedParameter", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},
    {"InvalidVersion", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},
    {"InvalidProduct.NotFound", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},

    /* Not there.  A wrong region says nothing about the object in it. */
    {"InvalidRegionId.NotFound", WHOLE, KIT_ERR_NOT_FOUND, ALI_NOTE_NONE},
    {"EntityNotExist.", BEGIN, KIT_ERR_NOT_FOUND, ALI_NOTE_NONE}, /* Sts: the role */
    {"InvalidResource.NotBinding", WHOLE, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidOperation.NotFoundRoute", WHOLE, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidIp.IpUnassigned", WHOLE, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {".NotFound", END, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},

    /* There already. */
    {"InvalidAssociation.Duplicated", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"RouterEntryConflict.Duplicated", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"Duplicated.VpcNextHop", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"InvalidCIDRBlock.Duplicate", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"EntryAlreadyExist", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"InvalidIp.IpAssigned", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"InvalidIPAddress.AlreadyUsed", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},

    /* Limits, preconditions and bad requests: no repetition helps.  Listed although an unknown code
     * with a 4xx status means the same, because some come with 403 or 5xx. */
    {"CountLimitExceed", BEGIN, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"EniPerInstanceLimitExceeded", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"MaxEniCountExceeded", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"MaxEniIpv6IpsCountExceeded", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InvalidVSwitchId.", BEGIN, KIT_ERR_REFUSED, ALI_NOTE_NONE}, /* IpInvalid, IpNotEnough */
    {"InvalidOperation.", BEGIN, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"OperationDenied", BEGIN, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InvalidInstanceType.ValueNotSupported", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InvalidIpStatus.", BEGIN, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InsufficientBalance", BEGIN, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InvalidAction.Denied", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"MissingParameter", BEGIN, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InvalidParameter", BEGIN, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"IdempotentParameterMismatch", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InvalidIdempotenceParameter.Mismatch", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"Duplicated.ClientToken", WHOLE, KIT_ERR_REFUSED, ALI_NOTE_NONE},
};

static bool fits(const struct row *row, const char *code)
{
    switch (row->match) {
    case WHOLE: return kit_str_eq(code, row->code);
    case BEGIN: return kit_str_starts(code, row->code);
    case END: return kit_str_ends(code, row->code);
    case PART: return strstr(code, row->code) != NULL;
    }
    return false;
}

static enum kit_err_kind kind_of_status(int http_status, enum ali_error_note *ret_note)
{
    switch (http_status) {
    case 401: *ret_note = ALI_NOTE_RENEW; return KIT_ERR_AUTH;
    case 403: return KIT_ERR_DENIED;
    case 407: return KIT_ERR_CONFIG; /* the proxy wants a password of its own */
    case 408: return KIT_ERR_TRANSIENT;
    case 429: return KIT_ERR_THROTTLED;
    default: break;
    }
    if (http_status >= 500)
        return KIT_ERR_TRANSIENT;
    return http_status >= 400 ? KIT_ERR_REFUSED : KIT_ERR_PROTOCOL;
}

enum kit_err_kind ali_error_kind(const char *code, int http_status, enum ali_error_note *ret_note)
{
    *ret_note = ALI_NOTE_NONE;
    if (!code || !*code)
        return kind_of_status(http_status, ret_note);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        if (fits(&rows[i], code)) {
            *ret_note = rows[i].note;
            return rows[i].kind;
        }
    }
    return kind_of_status(http_status, ret_note);
}

struct answer {
    char code[64], request_id[64];
    char action[64]; /* that the permission is missing for, "" = not told */
    char message[4096];
};

/* One line for people: the first, up to where the service begins to quote our own request. */
static void shorten(char *message)
{
    /* SignatureDoesNotMatch and IncompleteSignature: what was signed, the security token in it. */
    static const char *const marks[] = {"\n", "server string to sign", "server canonical",
                                        "StringToSign", "CanonicalRequest"};
    /* Leaves room in kit_err.msg for what the callers wrap around it and for the request id. */
    const size_t enough_bytes = 280;
    bool cut = false;

    for (size_t i = 0; i < KIT_LEN(marks); i++) {
        char *at = strcasestr(message, marks[i]);
        if (at)
            *at = '\0';
    }
    if (strlen(message) > enough_bytes) {
        message[enough_bytes] = '\0';
        cut = true;
    }
    char *text = kit_str_trim(message);
    memmove(message, text, strlen(text) + 1);
    if (cut)
        memcpy(message + strlen(message), "...", sizeof("..."));
}

static void take(const struct kit_json_node *object, const char *key, char *dst, size_t dst_bytes)
{
    const char *text = kit_json_string(kit_json_get(object, key));

    (void)kit_str_copy(dst, dst_bytes, text ? text : "");
}

static bool read_json(const struct kit_http_response *resp, struct answer *answer)
{
    KIT_AUTO(kit_json) json = {0};
    struct kit_err ignored;

    if (kit_json_parse(resp->body.data, resp->body.len_bytes, &json, &ignored))
        return false;
    const struct kit_json_node *root = kit_json_root(&json);
    take(root, "Code", answer->code, sizeof(answer->code));
    take(root, "RequestId", answer->request_id, sizeof(answer->request_id));
    take(root, "Message", answer->message, sizeof(answer->message));
    take(kit_json_get(root, "AccessDeniedDetail"), "AuthAction", answer->action,
         sizeof(answer->action));
    return answer->code[0] != '\0';
}

static bool read_xml(const struct kit_http_response *resp, struct answer *answer)
{
    KIT_AUTO(kit_xml) xml = {0};
    struct kit_err ignored;

    if (kit_xml_parse(resp->body.data, resp->body.len_bytes, &xml, &ignored))
        return false;
    const struct kit_xml_node *error = kit_xml_find(kit_xml_root(&xml), "Error");
    (void)kit_xml_text(error, "RequestId", answer->request_id, sizeof(answer->request_id));
    (void)kit_xml_text(error, "Message", answer->message, sizeof(answer->message));
    return kit_xml_text(error, "Code", answer->code, sizeof(answer->code)) && answer->code[0];
}

static void set_without_code(const char *what, enum kit_err_kind kind,
                             const struct kit_http_response *resp, const char *request,
                             struct kit_err *err)
{
    if (resp->status == 407) {
        (void)kit_err_set(err, kind, "%s: the proxy wants to be logged in to (HTTP 407)", what);
        return;
    }
    (void)kit_err_set(err, kind, "%s: HTTP %d with %s%s%s%s%s%s", what, resp->status,
                      resp->body.len_bytes == 0 ? "an empty answer"
                                                : "an answer that is none of the cloud's errors",
                      resp->content_type[0] ? ", " : "", resp->content_type,
                      request[0] ? " (request " : "", request, request[0] ? ")" : "");
}

int ali_error_read(const char *what, const struct kit_http_response *resp,
                   enum ali_error_note *ret_note, struct kit_err *err)
{
    struct answer answer = {.code = ""};

    if (!read_json(resp, &answer) && !read_xml(resp, &answer))
        answer = (struct answer){.code = ""};
    kit_str_make_printable(answer.code);
    shorten(answer.message);
    /* Some messages say it themselves. */
    bool tell_action = answer.action[0] && !strstr(answer.message, answer.action);
    if (!answer.request_id[0])
        (void)kit_str_copy(answer.request_id, sizeof(answer.request_id), resp->request_id);
    kit_str_make_printable(answer.request_id);

    enum kit_err_kind kind = ali_error_kind(answer.code, resp->status, ret_note);
    if (answer.code[0])
        (void)kit_err_set(err, kind, "%s: %s%s%s%s%s (HTTP %d%s%s)", what, answer.code,
                          answer.message[0] ? ": " : "", answer.message,
                          tell_action ? "; needs " : "", tell_action ? answer.action : "",
                          resp->status, answer.request_id[0] ? ", request " : "",
                          answer.request_id);
    else
        set_without_code(what, kind, resp, answer.request_id, err);
    err->http_status = resp->status;
    err->outcome_open = kind == KIT_ERR_TRANSIENT;
    (void)kit_str_copy(err->code, sizeof(err->code), answer.code);
    (void)kit_str_copy(err->request_id, sizeof(err->request_id), answer.request_id);
    return -1;
}
