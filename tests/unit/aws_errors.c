/* kit/cloud/aws/errors: the table row by row, and answers of every form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/errors.h"

#define NONE AWS_NOTE_NONE

/* Written from the vendor's lists, not from the code: code, status it comes with, kind, note. */
static const struct {
    const char *code;
    int status;
    enum kit_err_kind kind;
    enum aws_error_note note;
} rows[] = {
    {"RequestLimitExceeded", 503, KIT_ERR_THROTTLED, NONE},
    {"Throttling", 400, KIT_ERR_THROTTLED, NONE},
    {"ThrottlingException", 400, KIT_ERR_THROTTLED, NONE},
    {"ThrottledException", 400, KIT_ERR_THROTTLED, NONE},
    {"RequestThrottled", 400, KIT_ERR_THROTTLED, NONE},
    {"RequestThrottledException", 400, KIT_ERR_THROTTLED, NONE},
    {"EC2ThrottledException", 503, KIT_ERR_THROTTLED, NONE},
    {"TooManyRequestsException", 429, KIT_ERR_THROTTLED, NONE},
    {"BandwidthLimitExceeded", 503, KIT_ERR_THROTTLED, NONE},
    {"LimitExceededException", 400, KIT_ERR_THROTTLED, NONE},
    {"PriorRequestNotComplete", 400, KIT_ERR_THROTTLED, NONE},
    {"SlowDown", 503, KIT_ERR_THROTTLED, NONE},
    {"ProvisionedThroughputExceededException", 400, KIT_ERR_THROTTLED, NONE},
    {"TransactionInProgressException", 400, KIT_ERR_THROTTLED, NONE},

    {"RequestTimeout", 400, KIT_ERR_TRANSIENT, NONE},
    {"RequestTimeoutException", 400, KIT_ERR_TRANSIENT, NONE},
    {"InternalError", 500, KIT_ERR_TRANSIENT, NONE},
    {"InternalFailure", 500, KIT_ERR_TRANSIENT, NONE},
    {"Unavailable", 503, KIT_ERR_TRANSIENT, NONE},
    {"ServiceUnavailable", 503, KIT_ERR_TRANSIENT, NONE},
    {"IDPCommunicationError", 400, KIT_ERR_TRANSIENT, NONE},

    {"RequestExpired", 400, KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"RequestInTheFuture", 400, KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"RequestTimeTooSkewed", 403, KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"InvalidSignatureException", 403, KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"SignatureDoesNotMatch", 403, KIT_ERR_AUTH, AWS_NOTE_SKEW},
    {"AuthFailure", 401, KIT_ERR_AUTH, AWS_NOTE_SKEW},

    {"InvalidClientTokenId", 403, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"IncompleteSignature", 400, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"MissingAuthenticationToken", 403, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"ExpiredToken", 400, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"ExpiredTokenException", 403, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"OptInRequired", 403, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"PendingVerification", 400, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"Blocked", 403, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"InvalidIdentityToken", 400, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"IDPRejectedClaim", 403, KIT_ERR_AUTH, AWS_NOTE_RENEW},

    {"UnauthorizedOperation", 403, KIT_ERR_DENIED, NONE},
    {"AccessDenied", 403, KIT_ERR_DENIED, NONE},
    {"AccessDeniedException", 400, KIT_ERR_DENIED, NONE},
    {"OperationNotPermitted", 400, KIT_ERR_DENIED, NONE},

    {"DryRunOperation", 412, KIT_ERR_REFUSED, AWS_NOTE_DRYRUN},

    {"InvalidRouteTableID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidRoute.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidNetworkInterfaceID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidAttachmentID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidAttachment.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidInstanceID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidAllocationID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidAssociationID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidAddress.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidAddressID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidTransitGatewayID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidPrefixListID.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},
    {"InvalidWhateverComesNext.NotFound", 400, KIT_ERR_NOT_FOUND, AWS_NOTE_GONE},

    {"RouteAlreadyExists", 400, KIT_ERR_REFUSED, AWS_NOTE_TAKEN},
    {"Resource.AlreadyAssociated", 400, KIT_ERR_REFUSED, AWS_NOTE_TAKEN},
    {"Resource.AlreadyAssigned", 400, KIT_ERR_REFUSED, AWS_NOTE_TAKEN},
    {"InvalidIPAddress.InUse", 400, KIT_ERR_REFUSED, AWS_NOTE_TAKEN},
    {"InvalidNetworkInterface.InUse", 400, KIT_ERR_REFUSED, AWS_NOTE_TAKEN},

    {"IncorrectState", 400, KIT_ERR_STATE, NONE},
    {"IncorrectInstanceState", 400, KIT_ERR_STATE, NONE},
    {"IncorrectStateException", 400, KIT_ERR_STATE, NONE},
    {"InvalidNetworkInterface.NotAvailable", 400, KIT_ERR_STATE, NONE},
    {"DependencyViolation", 400, KIT_ERR_STATE, NONE},
    {"PrefixListVersionMismatch", 400, KIT_ERR_STATE, NONE},

    /* With a 5xx status, so that the row decides and not the status. */
    {"RouteLimitExceeded", 500, KIT_ERR_REFUSED, NONE},
    {"PrivateIpAddressLimitExceeded", 500, KIT_ERR_REFUSED, NONE},
    {"AttachmentLimitExceeded", 500, KIT_ERR_REFUSED, NONE},
    {"AddressLimitExceeded", 500, KIT_ERR_REFUSED, NONE},
    {"InsufficientFreeAddressesInSubnet", 500, KIT_ERR_REFUSED, NONE},
    {"Gateway.NotAttached", 500, KIT_ERR_REFUSED, NONE},
    {"RouteNotSupported", 500, KIT_ERR_REFUSED, NONE},
    {"UnsupportedOperation", 500, KIT_ERR_REFUSED, NONE},
    {"InvalidParameter", 500, KIT_ERR_REFUSED, NONE},
    {"InvalidParameterValue", 500, KIT_ERR_REFUSED, NONE},
    {"InvalidParameterCombination", 500, KIT_ERR_REFUSED, NONE},
    {"MissingParameter", 500, KIT_ERR_REFUSED, NONE},
    {"UnknownParameter", 500, KIT_ERR_REFUSED, NONE},
    {"InvalidInstanceID.Malformed", 500, KIT_ERR_REFUSED, NONE},
    {"InvalidPaginationToken", 500, KIT_ERR_REFUSED, NONE},
    {"MalformedQueryString", 500, KIT_ERR_REFUSED, NONE},
    {"MissingAction", 500, KIT_ERR_REFUSED, NONE},
    {"InvalidAction", 500, KIT_ERR_REFUSED, NONE},
    {"IdempotentParameterMismatch", 500, KIT_ERR_REFUSED, NONE},
    {"InvalidCharacter", 500, KIT_ERR_REFUSED, NONE},
    {"ValidationError", 500, KIT_ERR_REFUSED, NONE},
    {"RegionDisabledException", 500, KIT_ERR_REFUSED, NONE},

    /* Codes of nobody: the status decides. */
    {"SomethingNew", 400, KIT_ERR_REFUSED, NONE},
    {"SomethingNew", 401, KIT_ERR_AUTH, AWS_NOTE_RENEW},
    {"SomethingNew", 403, KIT_ERR_DENIED, NONE},
    {"SomethingNew", 503, KIT_ERR_TRANSIENT, NONE},
    {"authfailure", 400, KIT_ERR_REFUSED, NONE}, /* codes are case sensitive */
    {"NotFound", 400, KIT_ERR_REFUSED, NONE},    /* no suffix behind a dot */
};

static void the_table_row_by_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        enum aws_error_note note = AWS_NOTE_DRYRUN;
        enum kit_err_kind kind = aws_error_kind(rows[i].code, rows[i].status, &note);
        if (kind != rows[i].kind || note != rows[i].note)
            fail_msg("%s with %d: %s, note %d", rows[i].code, rows[i].status, kit_err_name(kind),
                     (int)note);
    }
}

static void without_a_code_the_status_decides(void **state)
{
    static const struct {
        int status;
        enum kit_err_kind kind;
        enum aws_error_note note;
    } by_status[] = {
        {200, KIT_ERR_PROTOCOL, NONE},  {204, KIT_ERR_PROTOCOL, NONE},
        {400, KIT_ERR_REFUSED, NONE},   {401, KIT_ERR_AUTH, AWS_NOTE_RENEW},
        {403, KIT_ERR_DENIED, NONE},    {404, KIT_ERR_REFUSED, NONE},
        {407, KIT_ERR_CONFIG, NONE},    {408, KIT_ERR_TRANSIENT, NONE},
        {413, KIT_ERR_REFUSED, NONE},   {429, KIT_ERR_THROTTLED, NONE},
        {500, KIT_ERR_TRANSIENT, NONE}, {502, KIT_ERR_TRANSIENT, NONE},
        {503, KIT_ERR_TRANSIENT, NONE}, {504, KIT_ERR_TRANSIENT, NONE},
        {599, KIT_ERR_TRANSIENT, NONE},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(by_status); i++) {
        enum aws_error_note note = AWS_NOTE_DRYRUN;
        assert_int_equal(aws_error_kind("", by_status[i].status, &note), by_status[i].kind);
        assert_int_equal(note, by_status[i].note);
        note = AWS_NOTE_DRYRUN;
        assert_int_equal(aws_error_kind(NULL, by_status[i].status, &note), by_status[i].kind);
        assert_int_equal(note, by_status[i].note);
    }
}

/* Reads `body` as an answer. */
static struct kit_err read_answer(int status, const char *type, const char *body,
                                  enum aws_error_note *ret_note)
{
    struct kit_http_response resp = {.status = status, .body = KIT_BUF(65536)};
    struct kit_err err = {.msg = "untouched"};

    assert_true(kit_str_copy(resp.content_type, sizeof(resp.content_type), type));
    assert_true(kit_str_copy(resp.request_id, sizeof(resp.request_id), "from-header"));
    assert_int_equal(kit_buf_puts(&resp.body, body), 0);
    assert_int_equal(aws_error_read("ReplaceRoute", &resp, ret_note, &err), -1);
    assert_int_equal(err.http_status, status);
    kit_buf_done(&resp.body);
    return err;
}

static void an_answer_of_ec2(void **state)
{
    enum aws_error_note note;
    struct kit_err err = read_answer(
        400, "text/xml;charset=UTF-8",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"
        "<Code>InvalidRouteTableID.NotFound</Code><Message>The routeTable ID 'rtb-1' does not exist"
        "</Message></Error></Errors><RequestID>dfb1d6c1</RequestID></Response>",
        &note);

    (void)state;
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    assert_int_equal(note, AWS_NOTE_GONE);
    assert_string_equal(err.code, "InvalidRouteTableID.NotFound");
    assert_string_equal(err.request_id, "dfb1d6c1");
    assert_false(err.outcome_open);
    assert_string_equal(err.msg, "ReplaceRoute: InvalidRouteTableID.NotFound: The routeTable ID "
                                 "'rtb-1' does not exist (HTTP 400, request dfb1d6c1)");
}

static void an_answer_of_sts(void **state)
{
    enum aws_error_note note;
    struct kit_err err = read_answer(
        403, "text/xml",
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender"
        "</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole"
        "</Message></Error><RequestId>abc</RequestId></ErrorResponse>",
        &note);

    (void)state;
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_string_equal(err.request_id, "abc");
    assert_non_null(strstr(err.msg, "sts:AssumeRole (HTTP 403, request abc)"));
    /* A mixed form, as other servers make it. */
    err = read_answer(401, "text/xml",
                      "<ErrorResponse><Errors><Error><Code>AuthFailure</Code></Error></Errors>"
                      "</ErrorResponse>",
                      &note);
    assert_int_equal(err.kind, KIT_ERR_AUTH);
    assert_int_equal(note, AWS_NOTE_SKEW);
    assert_string_equal(err.msg, "ReplaceRoute: AuthFailure (HTTP 401, request from-header)");
}

static void answers_that_are_no_error_of_aws(void **state)
{
    static const char *const bodies[] = {
        "",
        "<html><body><h1>502 Bad Gateway</h1><p>Code</body></html>",
        "<Response><Errors><Error><Code>Unauthor", /* cut off */
        "<Response><Errors><Error><Message>no code</Message></Error></Errors></Response>",
        "<Response><Errors><Error><Code></Code></Error></Errors></Response>",
        "<!DOCTYPE x [<!ENTITY e \"AuthFailure\">]><Response><Errors><Error><Code>&e;</Code>"
        "</Error></Errors></Response>",
        "{\"Code\":\"AuthFailure\"}",
        "<Response><Errors><Error><Code>"
        "TooLongToBeACodeTooLongToBeACodeTooLongToBeACodeTooLongToBeACode1"
        "</Code></Error></Errors></Response>",
    };
    enum aws_error_note note;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        struct kit_err err = read_answer(502, "text/html", bodies[i], &note);
        assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
        assert_true(err.outcome_open);
        assert_string_equal(err.code, "");
        assert_non_null(strstr(err.msg, "ReplaceRoute: HTTP 502"));
        assert_non_null(strstr(err.msg, "request from-header"));
        err = read_answer(429, "text/html", bodies[i], &note);
        assert_int_equal(err.kind, KIT_ERR_THROTTLED);
        assert_false(err.outcome_open);
        err = read_answer(404, "text/html", bodies[i], &note);
        assert_int_equal(err.kind, KIT_ERR_REFUSED);
        assert_false(err.outcome_open);
    }
}

static void an_open_outcome_is_said_to_be_open(void **state)
{
    enum aws_error_note note;
    struct kit_err err = read_answer(
        500, "text/xml",
        "<Response><Errors><Error><Code>InternalError</Code></Error></Errors></Response>", &note);

    (void)state;
    assert_int_equal(err.kind, KIT_ERR_TRANSIENT);
    assert_true(err.outcome_open);
    err = read_answer(
        503, "text/xml",
        "<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>",
        &note);
    assert_int_equal(err.kind, KIT_ERR_THROTTLED);
    assert_false(err.outcome_open);
}

static void a_missing_route_is_not_found(void **state)
{
    enum aws_error_note note;
    struct kit_err err = read_answer(
        400, "text/xml",
        "<Response><Errors><Error><Code>InvalidParameterValue</Code><Message>There is no route "
        "defined for '10.1.0.10/32' in the route table. Use CreateRoute instead.</Message></Error>"
        "</Errors></Response>",
        &note);

    (void)state;
    assert_int_equal(err.kind, KIT_ERR_NOT_FOUND);
    assert_int_equal(note, AWS_NOTE_GONE);
    err = read_answer(400, "text/xml",
                      "<Response><Errors><Error><Code>InvalidParameterValue</Code><Message>Value "
                      "(x) for parameter y is invalid</Message></Error></Errors></Response>",
                      &note);
    assert_int_equal(err.kind, KIT_ERR_REFUSED);
    assert_int_equal(note, NONE);
}

static void messages_keep_their_secrets(void **state)
{
    static const char *const bodies[] = {
        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we "
        "calculated does not match.\n\nThe Canonical String for this request should have been\n"
        "'POST\n/\n\nx-amz-security-token:SECRETTOKEN'</Message></Error></ErrorResponse>",
        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we "
        "calculated does not match. The Canonical String for this request should have been "
        "'POST / x-amz-security-token:SECRETTOKEN'</Message></Error></ErrorResponse>",
        "<ErrorResponse><Error><Code>IncompleteSignature</Code><Message>'x' not a valid key=value "
        "pair in Authorization header: 'AWS4-HMAC-SHA256 SECRETTOKEN'</Message></Error>"
        "</ErrorResponse>",
        "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not "
        "authorized "
        "to perform this operation. Encoded authorization failure message: SECRETTOKENabcdef"
        "</Message></Error></Errors></Response>",
    };
    enum aws_error_note note;

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        struct kit_err err = read_answer(403, "text/xml", bodies[i], &note);
        assert_null(strstr(err.msg, "SECRETTOKEN"));
        assert_true(kit_str_ends(err.msg, " (HTTP 403, request from-header)"));
    }
}

static void a_long_message_leaves_room_for_the_request_id(void **state)
{
    KIT_AUTO(kit_buf) body = KIT_BUF(65536);
    enum aws_error_note note;

    (void)state;
    (void)kit_buf_puts(&body,
                       "<Response><Errors><Error><Code>InvalidParameterValue</Code><Message>");
    for (int i = 0; i < 1000; i++)
        (void)kit_buf_puts(&body, "a \x1b]");
    (void)kit_buf_puts(&body, "</Message></Error></Errors></Response>");
    /* An escape character is no XML: the status decides. */
    struct kit_err err = read_answer(400, "text/xml", body.data, &note);
    assert_string_equal(err.code, "");
    assert_null(strchr(err.msg, '\x1b'));

    kit_buf_reset(&body);
    (void)kit_buf_puts(&body,
                       "<Response><Errors><Error><Code>InvalidParameterValue</Code><Message>");
    for (int i = 0; i < 1000; i++)
        (void)kit_buf_puts(&body, "\xe3\x81\x82&#133;");
    (void)kit_buf_puts(&body, "</Message></Error></Errors></Response>");
    err = read_answer(400, "text/xml", body.data, &note);
    assert_string_equal(err.code, "InvalidParameterValue");
    assert_true(kit_str_ends(err.msg, "... (HTTP 400, request from-header)"));
    assert_null(strstr(err.msg, "\xc2\x85")); /* NEL, a C1 control */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_row_by_row),
        cmocka_unit_test(without_a_code_the_status_decides),
        cmocka_unit_test(an_answer_of_ec2),
        cmocka_unit_test(an_answer_of_sts),
        cmocka_unit_test(answers_that_are_no_error_of_aws),
        cmocka_unit_test(an_open_outcome_is_said_to_be_open),
        cmocka_unit_test(a_missing_route_is_not_found),
        cmocka_unit_test(messages_keep_their_secrets),
        cmocka_unit_test(a_long_message_leaves_room_for_the_request_id),
    };
    return cmocka_run_group_tests_name("aws/errors", tests, NULL, NULL);
}
