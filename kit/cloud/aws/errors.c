/* kit/cloud/aws/errors.c - error codes of EC2 and STS, and answers that carry none. */
#include "kit/cloud/aws/errors.h"

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/refusal.h"
#include "kit/fmt/xml.h"

/* From "Error codes for the Amazon EC2 API", "Common errors" of the STS reference, and the lists
 * of retryable codes in the standard retry modes of botocore and of the SDK for JavaScript. */
static const struct row {
    const char *code;
    enum kit_err_kind kind;
    enum aws_error_note note;
} rows[] = {
    /* Too fast: nothing was done, wait and repeat. */
    {"RequestLimitExceeded", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"Throttling", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"ThrottlingException", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"ThrottledException", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"RequestThrottled", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"RequestThrottledException", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"EC2ThrottledException", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"TooManyRequestsException", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"BandwidthLimitExceeded", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"LimitExceededException", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"PriorRequestNotComplete", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"SlowDown", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"ProvisionedThroughputExceededException", KIT_ERR_THROTTLED, AWS_NOTE_NONE},
    {"TransactionInProgressException", KIT_ERR_THROTTLED, AWS_NOTE_NONE},

    /* The service failed. */
    {"RequestTimeout", KIT_ERR_TRANSIENT, AWS_NOTE_NONE},
    {"RequestTimeoutException", KIT_ERR_TRANSIENT, AWS_NOTE_NONE},
    {"InternalError", KIT_ERR_TRANSIENT, AWS_NOTE_NONE},
    {"InternalFailure", KIT_ERR_TRANSIENT, AWS_NOTE_NONE},
    {"Unavailable", KIT_ERR_TRANSIENT, AWS_NOTE_NONE},
    {"ServiceUnavailable", KIT_ERR_TRANSIENT, AWS_NOTE_NONE},
    {"IDPCommunicationError", KIT_ERR_TRANSIENT, AWS_NOTE_NONE}, /* STS could not ask the issuer */

    /* Credentials, or the clock that signed with them. */
    {"AuthFailure", KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"InvalidSignatureException", KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"RequestExpired", KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"RequestInTheFuture", KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"RequestTimeTooSkewed", KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"SignatureDoesNotMatch", KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"InvalidClientTokenId", KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"IncompleteSignature", KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"MissingAuthenticationToken", KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"ExpiredToken", KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"ExpiredTokenException", KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"OptInRequired", KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"PendingVerification", KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"Blocked", KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"InvalidIdentityToken", KIT_ERR_AUTH, AWS_NOTE_RENEW}, /* STS: the web identity's token */
    {"IDPRejectedClaim", KIT_ERR_AUTH, AWS_NOTE_RENEW},

    /* Permissions. */
    {"UnauthorizedOperation", KIT_ERR_DENIED, AWS_NOTE_NONE},
    {"AccessDenied", KIT_ERR_DENIED, AWS_NOTE_NONE},
    {"AccessDeniedException", KIT_ERR_DENIED, AWS_NOTE_NONE},
    {"OperationNotPermitted", KIT_ERR_DENIED, AWS_NOTE_NONE},

    {"DryRunOperation", KIT_ERR_REFUSED, AWS_NOTE_DRYRUN},

    /* There already. */
    {"RouteAlreadyExists", KIT_ERR_REFUSED, AWS_NOTE_TAKEN},
    {"Resource.AlreadyAssociated", KIT_ERR_REFUSED, AWS_NOTE_TAKEN},
    {"Resource.AlreadyAssigned", KIT_ERR_REFUSED, AWS_NOTE_TAKEN},
    {"InvalidIPAddress.InUse", KIT_ERR_REFUSED, AWS_NOTE_TAKEN},
    {"InvalidNetworkInterface.InUse", KIT_ERR_REFUSED, AWS_NOTE_TAKEN},

    /* Between two states: wait, read again. */
    {"IncorrectState", KIT_ERR_STATE, AWS_NOTE_NONE},
    {"IncorrectInstanceState", KIT_ERR_STATE, AWS_NOTE_NONE},
    {"IncorrectStateException", KIT_ERR_STATE, AWS_NOTE_NONE},
    {"InvalidNetworkInterface.NotAvailable", KIT_ERR_STATE, AWS_NOTE_NONE},
    {"DependencyViolation", KIT_ERR_STATE, AWS_NOTE_NONE},
    {"PrefixListVersionMismatch", KIT_ERR_STATE, AWS_NOTE_NONE},

    /* Limits, preconditions and bad requests: no repetition helps.  Listed although an unknown code
     * with a 4xx status means the same, because some come with other statuses. */
    {"RouteLimitExceeded", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"PrivateIpAddressLimitExceeded", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"AttachmentLimitExceeded", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"AddressLimitExceeded", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"InsufficientFreeAddressesInSubnet", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"Gateway.NotAttached", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"RouteNotSupported", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"UnsupportedOperation", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"InvalidParameter", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"InvalidParameterValue", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"InvalidParameterCombination", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"MissingParameter", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"UnknownParameter", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"InvalidPaginationToken", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"MalformedQueryString", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"MissingAction", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"InvalidAction", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"IdempotentParameterMismatch", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"InvalidCharacter", KIT_ERR_REFUSED, AWS_NOTE_NONE},
    {"ValidationError", KIT_ERR_REFUSED, AWS_NOTE_NONE},         /* STS */
    {"RegionDisabledException", KIT_ERR_REFUSED, AWS_NOTE_NONE}, /* STS */
};

static enum kit_err_kind kind_of_status(int http_status, enum aws_error_note *ret_note)
{
    if (http_status == 401)
        *ret_note = AWS_NOTE_RENEW;
    return kit_refusal_kind(http_status);
}

enum kit_err_kind aws_error_kind(const char *code, int http_status, enum aws_error_note *ret_note)
{
    *ret_note = AWS_NOTE_NONE;
    if (!code || !*code)
        return kind_of_status(http_status, ret_note);
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        if (kit_str_eq(rows[i].code, code)) {
            *ret_note = rows[i].note;
            return rows[i].kind;
        }
    }
    /* One code for each type of object, and more with each new type. */
    if (kit_str_ends(code, ".NotFound")) {
        *ret_note = AWS_NOTE_GONE;
        return KIT_ERR_NOT_FOUND;
    }
    if (kit_str_ends(code, ".Malformed"))
        return KIT_ERR_REFUSED;
    return kind_of_status(http_status, ret_note);
}

/* Where the service begins to quote our own request. */
static const char *const marks[] = {
    "The Canonical String",    /* SignatureDoesNotMatch: with every header, the session token too */
    "in Authorization header", /* IncompleteSignature: the signature itself */
    "Encoded authorization failure message", /* 1 KB that only sts:DecodeAuthorizationMessage reads
                                              */
};

static bool read_xml(const struct kit_http_response *resp, struct kit_refusal *answer)
{
    KIT_AUTO(kit_xml) xml = {0};
    struct kit_err ignored;

    if (kit_xml_parse(resp->body.data, resp->body.len_bytes, &xml, &ignored) != 0)
        return false;
    /* EC2: Response/Errors/Error; STS: ErrorResponse/Error; other servers mix the two. */
    const struct kit_xml_node *root = kit_xml_root(&xml);
    const struct kit_xml_node *error = kit_xml_find(root, "Error");
    if (!kit_xml_text(error, "Code", answer->code, sizeof(answer->code)) || !answer->code[0])
        return false;
    (void)kit_xml_text(error, "Message", answer->message, sizeof(answer->message));
    (void)(kit_xml_text(root, "RequestID", answer->request_id, sizeof(answer->request_id)) ||
           kit_xml_text(root, "RequestId", answer->request_id, sizeof(answer->request_id)) ||
           kit_xml_text(root, "requestId", answer->request_id, sizeof(answer->request_id)));
    return true;
}

int aws_error_read(const char *what, const struct kit_http_response *resp,
                   enum aws_error_note *ret_note, struct kit_err *err)
{
    struct kit_refusal answer = {.code = ""};

    if (!read_xml(resp, &answer))
        answer.code[0] = '\0';
    kit_refusal_clean(&answer, resp, marks, KIT_LEN(marks));

    enum kit_err_kind kind = aws_error_kind(answer.code, resp->status, ret_note);
    if (kit_str_eq(answer.code, "InvalidParameterValue") &&
        kit_str_starts(answer.message, "There is no route defined")) {
        kind = KIT_ERR_NOT_FOUND;
        *ret_note = AWS_NOTE_GONE;
    }
    return kit_refusal_tell(&answer, what, "AWS's", kind, resp, err);
}
