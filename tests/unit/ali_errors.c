/* kit/cloud/aliyun/errors: the table row by row, and answers of every form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/errors.h"

#define NONE ALI_NOTE_NONE

/* Written from the vendor's lists, not from the code: code, status it comes with, kind, note. */
static const struct {
    const char *code;
    int status;
    enum kit_err_kind kind;
    enum ali_error_note note;
} rows[] = {
    {"Throttling", 400, KIT_ERR_THROTTLED, NONE},
    {"Throttling.User", 400, KIT_ERR_THROTTLED, NONE},
    {"Throttling.Api", 400, KIT_ERR_THROTTLED, NONE},
    {"Throttling.DeepPageSkip", 400, KIT_ERR_THROTTLED, NONE},
    {"Rejected.Throttling", 503, KIT_ERR_THROTTLED, NONE},

    {"OperationConflict", 409, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"OperationConflict", 400, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"TaskConflict", 400, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"TaskConflict.AssociateGlobalAccelerationInstance", 400, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"VPC_TASK_CONFLICT", 400, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"Operation.Conflict", 400, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"InvalidOperation.Conflict", 403, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"OperationFailed.DistibuteLock", 400, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"SystemBusy", 400, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"Conflict.Lock", 400, KIT_ERR_STATE, ALI_NOTE_BUSY},
    {"LastTokenProcessing", 403, KIT_ERR_STATE, ALI_NOTE_TOKEN},
    {"OperationFailed.LastTokenProcessing", 400, KIT_ERR_STATE, ALI_NOTE_TOKEN},
    {"OperationFailed.IdempotentTokenProcessing", 400, KIT_ERR_STATE, ALI_NOTE_TOKEN},

    {"IncorrectStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectStatus.RouteTableStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectStatus.Ipv4Gateway", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectStatus.VpcPeer", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectStatus.NATGW", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectStatus.ResourceStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectStatus.PrefixList", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectEipStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectInstanceStatus", 403, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectHaVipStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectRouteEntryStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectVpcStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorrectVSwitchStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"IncorretSnatEntryStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidVip.Status", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidVBRStatus", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidBindingStatus", 403, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidStatus.EcsStatusNotSupport", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidStatus.EniStatusNotSupport", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidStatus.InstanceHasBandWidth", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidStatus.NotAllow", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"OperationFailed.EcsMigrating", 400, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidOperation.InvalidEcsState", 403, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"InvalidOperation.InvalidEniState", 403, KIT_ERR_STATE, ALI_NOTE_STATE},

    {"ServiceUnavailable", 503, KIT_ERR_TRANSIENT, NONE},
    {"ServiceUnavailable.RegionMaintaining", 503, KIT_ERR_TRANSIENT, NONE},
    {"InternalError", 500, KIT_ERR_TRANSIENT, NONE},
    {"UnknownError", 400, KIT_ERR_TRANSIENT, NONE},

    {"InvalidAccessKeyId.NotFound", 404, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"InvalidAccessKeyId.NotFound", 400, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"InvalidAccessKeyId.Inactive", 403, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"Forbidden.AccessKeyDisabled", 403, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"IncompleteSignature", 400, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"SignatureDoesNotMatch", 400, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"InvalidSecurityToken.Expired", 400, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"InvalidSecurityToken.Malformed", 400, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"InvalidSecurityToken.MismatchWithAccessKey", 400, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"MissingSecurityToken", 400, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"InvalidTimeStamp.Expired", 400, KIT_ERR_AUTH, ALI_NOTE_SKEW},
    {"IllegalTimestamp", 400, KIT_ERR_AUTH, ALI_NOTE_SKEW},
    {"SignatureNonceUsed", 400, KIT_ERR_TRANSIENT, ALI_NOTE_NONCE},
    {"AuthenticationFail.OIDCToken.Expired", 400, KIT_ERR_AUTH, NONE},

    {"Forbidden.RAM", 403, KIT_ERR_DENIED, NONE},
    {"NoPermission", 403, KIT_ERR_DENIED, NONE},
    {"Forbidden.NotSupportRAM", 403, KIT_ERR_DENIED, NONE},
    {"Forbidden.SubUser", 403, KIT_ERR_DENIED, NONE},
    {"Forbidden.Unauthorized", 400, KIT_ERR_DENIED, NONE},
    {"Forbbiden", 400, KIT_ERR_DENIED, NONE},
    {"BIND_INSTANCE_OWENER_ERROR", 400, KIT_ERR_DENIED, NONE},
    {"OperationUnsupported.ServiceManaged", 400, KIT_ERR_DENIED, NONE},
    {"InvalidOperation.EniServiceManaged", 403, KIT_ERR_DENIED, NONE},

    {"InvalidAllocationId.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidHaVipId.NotFound", 400, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidRouteTable.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidRouteEntry.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"RouterEntry.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidInstanceId.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidInstanId.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidParams.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidEcsId.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidEniId.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidVSwitchId.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidVswitchID.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"Forbidden.VpcNotFound", 403, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidResource.NotBinding", 400, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    /* These say nothing about the object: a release must not take them for "gone". */
    {"InvalidRegionId.NotFound", 404, KIT_ERR_NOT_FOUND, NONE},
    {"Forbidden.RegionNotFound", 403, KIT_ERR_NOT_FOUND, NONE},
    {"EntityNotExist.Role", 404, KIT_ERR_NOT_FOUND, NONE},

    {"InvalidAssociation.Duplicated", 400, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"BIND_INSTANCE_HAVE_PORTMAP_OR_BIND_EIP", 400, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"RouterEntryConflict.Duplicated", 400, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"Duplicated.VpcNextHop", 400, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"InvalidCIDRBlock.Duplicate", 400, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"EntryAlreadyExist", 400, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"InvalidIp.IpAssigned", 403, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},
    {"InvalidIp.IpUnassigned", 403, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"InvalidVSwitchId.IpInvalid", 403, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InvalidVSwitchId.NotFound", 404, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"MaxEniIpv6IpsCountExceeded", 403, KIT_ERR_REFUSED, ALI_NOTE_NONE},
    {"InvalidIPAddress.AlreadyUsed", 403, KIT_ERR_REFUSED, ALI_NOTE_TAKEN},

    {"CountLimitExceed.HaVipOnInstance", 403, KIT_ERR_REFUSED, NONE},
    {"CountLimitExceeded.HaVipOnECSInstance", 403, KIT_ERR_REFUSED, NONE},
    {"EniPerInstanceLimitExceeded", 403, KIT_ERR_REFUSED, NONE},
    {"MaxEniCountExceeded", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidOperation.Ipv4CountExceeded", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidOperation.AvailabilityZoneMismatch", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidOperation.VpcMismatch", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidOperation.DetachPrimaryEniNotAllowed", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidOperation.InvalidEniType", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidParameter.Mismatch", 400, KIT_ERR_REFUSED, NONE},
    {"OperationDenied", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidInstanceType.ValueNotSupported", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidIpStatus.HasBeenUsedBySnatTable", 400, KIT_ERR_REFUSED, NONE},
    {"InvalidIpStatus.HasBeenUsedByForwardEntry", 400, KIT_ERR_REFUSED, NONE},
    {"InsufficientBalance", 403, KIT_ERR_REFUSED, NONE},
    {"InvalidAction.Denied", 403, KIT_ERR_REFUSED, NONE},
    {"DryRunOperation", 400, KIT_ERR_REFUSED, ALI_NOTE_DRYRUN},
    {"MissingParameter", 400, KIT_ERR_REFUSED, NONE},
    {"MissingParameter.RegionId", 400, KIT_ERR_REFUSED, NONE},
    {"InvalidParameter", 400, KIT_ERR_REFUSED, NONE},
    {"IdempotentParameterMismatch", 400, KIT_ERR_REFUSED, NONE},
    {"InvalidIdempotenceParameter.Mismatch", 403, KIT_ERR_REFUSED, NONE},
    {"Duplicated.ClientToken", 400, KIT_ERR_REFUSED, NONE},
    {"UnsupportedParameter", 400, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},
    {"InvalidAction", 400, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},
    {"InvalidAction.NotFound", 404, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},
    {"InvalidVersion", 404, KIT_ERR_REFUSED, ALI_NOTE_UNKNOWN_ACTION},

    /* Codes that nobody listed: the status decides, but for families. */
    {"Something.New", 400, KIT_ERR_REFUSED, NONE},
    {"Something.New", 403, KIT_ERR_DENIED, NONE},
    {"Something.New", 502, KIT_ERR_TRANSIENT, NONE},
    {"InvalidNewThing.NotFound", 400, KIT_ERR_NOT_FOUND, ALI_NOTE_GONE},
    {"IncorrectStatus.NewThing", 403, KIT_ERR_STATE, ALI_NOTE_STATE},
    {"", 400, KIT_ERR_REFUSED, NONE},
    {"", 401, KIT_ERR_AUTH, ALI_NOTE_RENEW},
    {"", 403, KIT_ERR_DENIED, NONE},
    {"", 404, KIT_ERR_REFUSED, NONE},
    {"", 407, KIT_ERR_CONFIG, NONE},
    {"", 408, KIT_ERR_TRANSIENT, NONE},
    {"", 429, KIT_ERR_THROTTLED, NONE},
    {"", 500, KIT_ERR_TRANSIENT, NONE},
    {"", 504, KIT_ERR_TRANSIENT, NONE},
    {"", 204, KIT_ERR_PROTOCOL, NONE},
};

static void the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        enum ali_error_note note = ALI_NOTE_GONE;
        enum kit_err_kind kind = ali_error_kind(rows[i].code, rows[i].status, &note);
        if (kind != rows[i].kind || note != rows[i].note)
            fail_msg("%s (%d): %s, note %d, not %s, note %d", rows[i].code, rows[i].status,
                     kit_err_name(kind), (int)note, kit_err_name(rows[i].kind), (int)rows[i].note);
    }
}

static struct kit_err read_answer(int status, const char *type, const char *body,
                                  enum ali_error_note *ret_note)
{
    struct kit_http_response resp = {.status = status,
                                     .body = KIT_BUF(KIT_HTTP_BODY_BYTES),
                                     .request_id = "HEADER-ID",
                                     .retry_after_ms = -1};
    struct kit_err err = {.sys = 1};

    (void)kit_str_copy(resp.content_type, sizeof(resp.content_type), type);
    assert_int_equal(kit_buf_puts(&resp.body, body), 0);
    assert_int_equal(ali_error_read("AssociateHaVip", &resp, ret_note, &err), -1);
    kit_http_response_done(&resp);
    assert_int_equal(err.http_status, status);
    return err;
}

static void json_and_xml(void **state)
{
    static const char *const bodies[] = {
        "{\"RequestId\":\"E9DF\",\"HostId\":\"vpc.aliyuncs.com\",\"Code\":\"IncorrectHaVipStatus\","
        "\"Message\":\"The HaVip is busy.\",\"Recommend\":\"https://example.com/\"}",
        "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>E9DF</RequestId>"
        "<HostId>vpc.aliyuncs.com</HostId><Code>IncorrectHaVipStatus</Code>"
        "<Message>The HaVip is busy.</Message></Error>",
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(bodies); i++) {
        enum ali_error_note note = NONE;
        struct kit_err err = read_answer(400, "application/json", bodies[i], &note);

        assert_string_equal(err.msg, "AssociateHaVip: IncorrectHaVipStatus: The HaVip is busy. "
                                     "(HTTP 400, request E9DF)");
        assert_string_equal(err.code, "IncorrectHaVipStatus");
        assert_string_equal(err.request_id, "E9DF");
        assert_int_equal(err.kind, KIT_ERR_STATE);
        assert_int_equal(note, ALI_NOTE_STATE);
        assert_false(err.outcome_open);
    }
}

static void answers_of_others(void **state)
{
    static const struct {
        int status;
        const char *body, *says;
        enum kit_err_kind kind;
    } cases[] = {
        {502, "<html><body>Bad gateway<br></body></html>", "HTTP 502 with an answer that is none",
         KIT_ERR_TRANSIENT},
        {503, "", "HTTP 503 with an empty answer", KIT_ERR_TRANSIENT},
        {403, "[1,2]", "HTTP 403 with an answer that is none", KIT_ERR_DENIED},
        {400, "{\"Code\":17}", "HTTP 400 with an answer that is none", KIT_ERR_REFUSED},
        {400, "{\"Code\":\"Thr", "HTTP 400 with an answer that is none", KIT_ERR_REFUSED},
        {407, "<html/>", "the proxy wants to be logged in to", KIT_ERR_CONFIG},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(cases); i++) {
        enum ali_error_note note = NONE;
        struct kit_err err = read_answer(cases[i].status, "text/html", cases[i].body, &note);

        assert_int_equal(err.kind, cases[i].kind);
        assert_non_null(strstr(err.msg, cases[i].says));
        assert_string_equal(err.code, "");
        assert_string_equal(err.request_id, "HEADER-ID");
        assert_int_equal(err.outcome_open, cases[i].kind == KIT_ERR_TRANSIENT);
    }
}

static void what_the_service_quotes_is_not_shown(void **state)
{
    static const char *const messages[] = {
        "Specified signature is not matched with our calculation. server string to sign is:"
        "ACS3-HMAC-SHA256\\nHUSHHUSH",
        "Specified signature does not match our calculation. Server StringToSign is:HUSHHUSH",
        "Specified signature is bad. server CanonicalRequest is:HUSHHUSH",
        "First line\\nHUSHHUSH",
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(messages); i++) {
        KIT_AUTO(kit_buf) body = KIT_BUF(4096);
        enum ali_error_note note = NONE;

        (void)kit_buf_printf(&body, "{\"Code\":\"SignatureDoesNotMatch\",\"Message\":\"%s\"}",
                             messages[i]);
        struct kit_err err = read_answer(400, "application/json", body.data, &note);
        assert_null(strstr(err.msg, "HUSH"));
        assert_non_null(strstr(err.msg, i < 3 ? "Specified signature" : "First line"));
        assert_int_equal(note, ALI_NOTE_RENEW);
    }
}

static void the_missing_permission_is_named_once(void **state)
{
    enum ali_error_note note = NONE;
    struct kit_err err = read_answer(
        403, "application/json",
        "{\"Code\":\"Forbidden.RAM\",\"Message\":\"User not authorized.\",\"RequestId\":\"R\","
        "\"AccessDeniedDetail\":{\"AuthAction\":\"ecs:AttachNetworkInterface\"}}",
        &note);

    (void)state;
    assert_int_equal(err.kind, KIT_ERR_DENIED);
    assert_non_null(
        strstr(err.msg, "User not authorized.; needs ecs:AttachNetworkInterface (HTTP"));
    err = read_answer(403, "application/json",
                      "{\"Code\":\"NoPermission\",\"Message\":\"You need vpc:X.\",\"RequestId\":"
                      "\"R\",\"AccessDeniedDetail\":{\"AuthAction\":\"vpc:X\"}}",
                      &note);
    assert_null(strstr(err.msg, "needs vpc:X"));
}

static void long_and_odd_bytes_become_one_line(void **state)
{
    KIT_AUTO(kit_buf) body = KIT_BUF(8192);
    enum ali_error_note note = NONE;

    (void)state;
    (void)kit_buf_puts(&body, "{\"Code\":\"Bad\\u001bCode\",\"RequestId\":\"a\\u0007b\","
                              "\"Message\":\"\\u001b[31m");
    for (int i = 0; i < 3000; i++)
        (void)kit_buf_putc(&body, 'x');
    (void)kit_buf_puts(&body, "\"}");
    struct kit_err err = read_answer(400, "application/json", body.data, &note);
    assert_string_equal(err.code, "Bad?Code");
    assert_string_equal(err.request_id, "a?b");
    for (const char *c = err.msg; *c; c++)
        assert_true(*c >= ' ' && *c != 0x7f);
    assert_non_null(strstr(err.msg, "x... (HTTP 400, request a?b)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table),
        cmocka_unit_test(json_and_xml),
        cmocka_unit_test(answers_of_others),
        cmocka_unit_test(what_the_service_quotes_is_not_shown),
        cmocka_unit_test(the_missing_permission_is_named_once),
        cmocka_unit_test(long_and_odd_bytes_become_one_line),
    };
    return cmocka_run_group_tests_name("aliyun/errors", tests, NULL, NULL);
}
