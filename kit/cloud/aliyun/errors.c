/* kit/cloud/aliyun/errors.c - error codes of Vpc, Ecs and Sts, and answers that carry none. */
#include "kit/cloud/aliyun/errors.h"

#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/refusal.h"
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
    if (http_status == 401)
        *ret_note = ALI_NOTE_RENEW;
    return kit_refusal_kind(http_status);
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

/* Where the service begins to quote our own request.  SignatureDoesNotMatch and
 * IncompleteSignature: what was signed, the security token in it. */
static const char *const marks[] = {"server string to sign", "server canonical", "StringToSign",
                                    "CanonicalRequest"};

static void take(const struct kit_json_node *object, const char *key, char *dst, size_t dst_bytes)
{
    const char *text = kit_json_string(kit_json_get(object, key));

    (void)kit_str_copy(dst, dst_bytes, text ? text : "");
}

static bool read_json(const struct kit_http_response *resp, struct kit_refusal *answer)
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

static bool read_xml(const struct kit_http_response *resp, struct kit_refusal *answer)
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

int ali_error_read(const char *what, const struct kit_http_response *resp,
                   enum ali_error_note *ret_note, struct kit_err *err)
{
    struct kit_refusal answer = {.code = ""};

    if (!read_json(resp, &answer) && !read_xml(resp, &answer))
        answer = (struct kit_refusal){.code = ""};
    kit_refusal_clean(&answer, resp, marks, KIT_LEN(marks));
    enum kit_err_kind kind = ali_error_kind(answer.code, resp->status, ret_note);
    return kit_refusal_tell(&answer, what, "the cloud's", kind, resp, err);
}
