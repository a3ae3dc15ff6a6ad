/* kit/cloud/metadata.h - an instance metadata service that wants a session token with each request.
 *
 * AWS's version 2 and Alibaba Cloud's security hardened mode are one protocol under two names: PUT
 * latest/api/token, then GET latest/PATH with what it answered.  What differs is told by a
 * description; where the service is, each provider finds for itself. */
#ifndef KIT_CLOUD_METADATA_H
#define KIT_CLOUD_METADATA_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/base/buf.h"
#include "kit/base/secret.h"
#include "kit/cloud/call.h"

#define KIT_METADATA_BODY_BYTES (64u * 1024)

/* A provider's service: constant, and all of it set. */
struct kit_metadata_service {
    const char *token_header; /* carries the session token */
    const char *ttl_header;   /* carries the lifetime that is asked for */
    bool stale_is_403;        /* a token that has run out may be told as 403, not only as 401 */
    /* For people, each the end of a sentence that names the address: */
    const char *says_403; /* "the metadata service at … SAYS_403" */
    const char *form;     /* "… is no metadata service FORM": "of version 2" */
    const char *silent; /* "no answer from the metadata service at … (SILENT)": what to look at */
};

/* One session with it; everything is borrowed. */
struct kit_metadata {
    const struct kit_metadata_service *service;
    struct kit_caller *caller;
    const char *base_url;     /* ends in '/' */
    struct kit_secret *token; /* kept here between calls, for the process only */
};

/* One item to be read below /latest/. */
struct kit_metadata_item {
    const char *path; /* "meta-data/placement/region"; borrowed */
    bool optional;    /* 404 is no error: `found` stays false */
    bool found;
    struct kit_buf value; /* secret; the asker inits with KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)
                             and calls kit_buf_done; one trailing newline is cut */
};

/* Reads all items, in parallel, with a session token that is fetched first unless one is kept (and
 * once anew when the service says that it has run out).  Never through a proxy.  Blocks until `by`
 * at most; five tries of two seconds, or the policy's fewer.  Errors: KIT_ERR_TRANSIENT (no answer,
 * 5xx; the message says which address was asked and what to look at), KIT_ERR_THROTTLED,
 * KIT_ERR_CONFIG (403; or what answers is no such service), KIT_ERR_AUTH (its own token is
 * refused), KIT_ERR_NOT_FOUND (404 on an item that is not optional), KIT_ERR_PROTOCOL. */
int kit_metadata_read(const struct kit_metadata *metadata, struct kit_metadata_item item[],
                      size_t count, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* Does it hand out a session token?  One try. */
bool kit_metadata_answers(const struct kit_metadata *metadata, struct kit_deadline by);

/* The value's first line; "" when the item was not found or the line does not fit: an answer is one
 * line, and what is too long for an id is none. */
void kit_metadata_first_line(const struct kit_metadata_item *item, char *dst, size_t dst_bytes);

/* The name of a role becomes part of a path: 1 to 64 of the provider's characters, and no dot in
 * front. */
#define KIT_METADATA_ROLE 65
bool kit_metadata_is_role(const char *name, const char *allowed);
/* That of the instance, from the list of one; "" when the item was not found or the list is empty.
 * KIT_ERR_PROTOCOL: it cannot be a name. */
int kit_metadata_role(const struct kit_metadata_item *item, const char *allowed,
                      char ret_role[KIT_METADATA_ROLE], struct kit_err *err) KIT_CHECKED;

#endif
