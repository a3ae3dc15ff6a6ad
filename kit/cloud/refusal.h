/* kit/cloud/refusal.h - an API's answer that is no success, told to people.
 *
 * A provider reads the form of its own answers and knows its codes; what is done with them is the
 * same for all.  Pure. */
#ifndef KIT_CLOUD_REFUSAL_H
#define KIT_CLOUD_REFUSAL_H

#include <stddef.h>

#include "kit/base/err.h"
#include "kit/net/http.h"

/* What the provider read; "" = not told. */
struct kit_refusal {
    char code[64], request_id[64];
    char action[64];    /* that the permission is missing for */
    char message[8192]; /* AWS's encoded authorization failure takes some 1500 */
};

/* By the HTTP status alone, for answers without a code or with one that nobody knows. */
enum kit_err_kind kit_refusal_kind(int http_status);

/* Makes *refusal fit to be shown: of the message one line, at most 280 bytes of it, up to the first
 * of `marks` (in any case), where the service begins to quote our own request; a request id from
 * resp's header when the body has none; nothing unprintable in code and id. */
void kit_refusal_clean(struct kit_refusal *refusal, const struct kit_http_response *resp,
                       const char *const marks[], size_t marks_count);

/* Sets *err from a clean one: kind, code, request id, and the message
 * "WHAT: CODE: message; needs ACTION (HTTP 403, request 7f3…)", the action only when the message
 * does not name it.  Without a code it says what came instead, "an answer that is none of WHOSE
 * errors" ("AWS's").  outcome_open is set for KIT_ERR_TRANSIENT: such an answer does not say
 * whether a change was made.  Never fails; always returns -1. */
int kit_refusal_tell(const struct kit_refusal *refusal, const char *what, const char *whose,
                     enum kit_err_kind kind, const struct kit_http_response *resp,
                     struct kit_err *err);

#endif
