/* kit/cloud/creds.h - a set of credentials, how long it is kept, a host's endpoint for some, and
 * what both providers' STS want to assume a role.
 *
 * Where credentials come from is a provider's own (its chain); what a set is and when it is
 * obtained anew is one rule for all. */
#ifndef KIT_CLOUD_CREDS_H
#define KIT_CLOUD_CREDS_H

#include <stdbool.h>
#include <stdint.h>

#include "kit/base/buf.h"
#include "kit/base/secret.h"
#include "kit/cloud/cloud.h"

struct kit_creds {
    char access_key_id[129]; /* "" = none */
    struct kit_secret secret_key;
    struct kit_secret token; /* none with static keys */
    int64_t expires_s;       /* unix time; 0 = never */
    char source[96];         /* for people: "environment", "role node1 of the instance" */
};
/* Wipes all of it; it may be used again, or done again. */
void kit_creds_done(struct kit_creds *creds);

/* Fills *ret_creds with copies (the caller calls kit_creds_done); `token` and `expiration` may be
 * NULL.  `who` becomes the source and begins each error; `secret_name` is what the provider calls
 * the second part, with its article: "a secret access key".  KIT_ERR_CONFIG: a part is missing, too
 * long, or the time is none. */
struct kit_creds_parts {
    const char *key_id, *secret, *token, *expiration;
};
int kit_creds_fill(const struct kit_creds_parts *parts, const char *secret_name, const char *who,
                   struct kit_creds *ret_creds, struct kit_err *err) KIT_CHECKED;

/* A provider's chain; constant. */
struct kit_creds_chain {
    int64_t refresh_before_s; /* a set that ends sooner is not used for something new */
    int64_t (*now_s)(const struct kit_cloud *cloud); /* by the provider's clock */
    int (*obtain)(struct kit_cloud *cloud, struct kit_deadline by, struct kit_creds *ret_creds,
                  struct kit_err *err);
};

/* Makes *creds usable: nothing to do while they last for refresh_before_s; else the chain is asked.
 * When that fails and the old ones are still valid, they are kept and it is no error.  What the
 * chain gives is taken even when its end is near or past: the metadata service does so when its own
 * source is down, and our clock may be wrong.  Errors and blocking: the chain's. */
int kit_creds_get(const struct kit_creds_chain *chain, struct kit_cloud *cloud,
                  struct kit_creds *creds, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;

/* The cloud refused *creds: asks the chain again.  KIT_ERR_AUTH when it gives the same static ones;
 * else as kit_creds_get, but the refused ones are not kept. */
int kit_creds_renew(const struct kit_creds_chain *chain, struct kit_cloud *cloud,
                    struct kit_creds *creds, struct kit_deadline by,
                    struct kit_err *err) KIT_CHECKED;

/* "cloudvip-NODENAME", so that the cloud's audit log tells which node moved an address: 2 to 64
 * characters (RoleSessionName of AWS and of Alibaba Cloud, API references); one that is not of
 * `allowed` is a '-'. */
#define KIT_SESSION_NAME 65
void kit_creds_session_name(const char *allowed, char ret_name[KIT_SESSION_NAME]);

/* The token in a file, which somebody else renews, without blanks around it.  *ret_text is in
 * *token, a secret of KIT_BUF_SECRET(KIT_CREDS_TOKEN_BYTES) (both providers' STS take at most 20000
 * characters, API references).  Errors begin with `what`; KIT_ERR_CONFIG: there is none. */
#define KIT_CREDS_TOKEN_BYTES (20u * 1024)
int kit_creds_token_file(const char *path, const char *what, struct kit_buf *token,
                         const char **ret_text, struct kit_err *err) KIT_CHECKED;

#define KIT_CREDS_FETCH_BYTES (64u * 1024)

/* GET `url`, which hands out credentials on this host or next to it: never through a proxy, three
 * tries of two seconds (botocore's ContainerMetadataFetcher) or the policy's fewer, until `by`.
 * `authorization` is sent when it is neither NULL nor "".  *ret_answer is the body, a secret; the
 * asker inits it with KIT_BUF_SECRET(KIT_CREDS_FETCH_BYTES).  Errors begin with `what`:
 * KIT_ERR_AUTH (a status other than 200), KIT_ERR_THROTTLED (429), KIT_ERR_TRANSIENT (5xx, no
 * answer). */
int kit_creds_fetch(struct kit_caller *caller, const char *what, const char *url,
                    const char *authorization, struct kit_deadline by, struct kit_buf *ret_answer,
                    struct kit_err *err) KIT_CHECKED;

#endif
