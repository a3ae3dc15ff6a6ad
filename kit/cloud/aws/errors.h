/* kit/cloud/aws/errors.h - the one table that turns EC2's and STS's error codes into kinds. */
#ifndef KIT_CLOUD_AWS_ERRORS_H
#define KIT_CLOUD_AWS_ERRORS_H

#include <stdbool.h>

#include "kit/base/err.h"
#include "kit/cloud/call.h"

/* What a code means beyond its kind. */
enum aws_error_note {
    AWS_NOTE_NONE,
    AWS_NOTE_SKEW, /* maybe a wrong clock: retry once with the corrected time if the offset is 240 s
                      or more; with a good clock it means the same as RENEW */
    AWS_NOTE_RENEW,  /* credentials: refresh once */
    AWS_NOTE_DRYRUN, /* the probe succeeded */
    AWS_NOTE_TAKEN,  /* exists already, or is taken: read again and decide */
    AWS_NOTE_GONE,   /* not found: a release has nothing left to do */
};

/* Decides by code first, then by HTTP status.  `code` may be NULL or "": only the status counts. */
enum kit_err_kind aws_error_kind(const char *code, int http_status, enum aws_error_note *ret_note);

/* Reads an answer with a status other than 200, of any form (EC2's XML, STS's XML, HTML of a proxy,
 * nothing), into *err: kind, code, request id, message
 * "WHAT: CODE: message (HTTP 403, request 7f3…)".  Of the service's message only the first line is
 * taken, and not what it quotes of our request (the session token is in there) nor an encoded
 * authorization failure.  outcome_open is set for KIT_ERR_TRANSIENT: such an answer does not say
 * whether a change was made.  ReplaceRoute's InvalidParameterValue "There is no route defined …" is
 * KIT_ERR_NOT_FOUND with AWS_NOTE_GONE.  Never fails; always returns -1. */
int aws_error_read(const char *what, const struct kit_http_response *resp,
                   enum aws_error_note *ret_note, struct kit_err *err);

#endif
