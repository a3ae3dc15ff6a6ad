/* kit/cloud/aliyun/errors.h - the one table that turns Alibaba Cloud's error codes into kinds. */
#ifndef KIT_CLOUD_ALIYUN_ERRORS_H
#define KIT_CLOUD_ALIYUN_ERRORS_H

#include "kit/base/err.h"
#include "kit/net/http.h"

/* What a code means beyond its kind. */
enum ali_error_note {
    ALI_NOTE_NONE,
    ALI_NOTE_SKEW,   /* a wrong clock: once more with the corrected time */
    ALI_NOTE_NONCE,  /* SignatureNonceUsed: once more with a new one */
    ALI_NOTE_RENEW,  /* credentials: refresh once */
    ALI_NOTE_DRYRUN, /* the probe succeeded */
    ALI_NOTE_BUSY,   /* TaskConflict, OperationConflict …: another task is under way, wait */
    ALI_NOTE_TOKEN,  /* LastTokenProcessing: the same token again */
    ALI_NOTE_STATE,  /* Incorrect…Status: between two states */
    ALI_NOTE_TAKEN,  /* exists already, or is taken: read again and decide */
    ALI_NOTE_GONE,   /* not found: a release has nothing left to do */
    ALI_NOTE_UNKNOWN_ACTION, /* the endpoint does not know the action or parameter:
                                InvalidAction.NotFound, UnsupportedParameter … */
};

/* Decide by code, then by HTTP status.  BUSY and STATE are KIT_ERR_STATE (retryable: the call waits
 * and comes again). */
enum kit_err_kind ali_error_kind(const char *code, int http_status, enum ali_error_note *ret_note);

/* Reads an answer with status >= 400 of any form (JSON, XML, HTML of a proxy, nothing) into *err:
 * kind, code, request id, message "WHAT: CODE: message (HTTP 403, request …)".
 * SignatureDoesNotMatch: never shows the string to sign.  Always returns -1. */
int ali_error_read(const char *what, const struct kit_http_response *resp,
                   enum ali_error_note *ret_note, struct kit_err *err);

#endif
