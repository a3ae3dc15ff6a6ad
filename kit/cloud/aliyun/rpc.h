/* kit/cloud/aliyun/rpc.h - one call of an RPC-style API (Vpc, Ecs, Sts): parameters in the query,
 * JSON comes back.
 *
 *   struct ali_rpc r;
 *   ali_rpc_init(&r, cloud, &ali_vpc, "AssociateEipAddress", ALI_MUTATES | ALI_TOKEN);
 *   ali_rpc_param(&r, "AllocationId", "eip-1");
 *   if (ali_rpc_run(&r, by, err)) …
 *   ali_rpc_root(&r) …
 *   ali_rpc_done(&r);
 *
 * A success is HTTP 200 with a JSON object that has a RequestId, as each of the vendor's answers
 * does: whatever else a proxy says with 200 is KIT_ERR_PROTOCOL, and never "there is nothing". */
#ifndef KIT_CLOUD_ALIYUN_RPC_H
#define KIT_CLOUD_ALIYUN_RPC_H

#include "kit/cloud/aliyun/aliyun.h"
#include "kit/cloud/aliyun/errors.h"
#include "kit/fmt/json.h"

struct ali_product {
    const char *name;    /* "Vpc" */
    const char *version; /* "2016-04-28" */
};
extern const struct ali_product ali_vpc, ali_ecs, ali_sts;

enum ali_rpc_flags {
    ALI_READS = 0,
    ALI_MUTATES = 1,   /* see kit/cloud/call.h */
    ALI_TOKEN = 2,     /* sends a ClientToken: the same one again after a lost answer, 5xx or
                        * LastTokenProcessing (and from then on: who knows what became of that
                        * try), a new one after a definite refusal; such a change is repeatable */
    ALI_UNSIGNED = 4,  /* AssumeRoleWithOIDC */
    ALI_NO_REGION = 8, /* does not take RegionId; else it is added */
};

#define ALI_RPC_PARAMS 64
struct ali_rpc {
    struct kit_call call; /* first: decode and encode cast back */
    struct ali_cloud *cloud;
    const struct ali_product *product;
    unsigned flags;
    const struct ali_endpoint *endpoint;
    const struct kit_creds *creds; /* sign with these; NULL = the cloud's, renewed when refused */
    struct {
        char name[64];
        char *value;         /* owned; wiped */
    } param[ALI_RPC_PARAMS]; /* sorted when sent */
    size_t params;
    bool overflow;
    char token[65];           /* ClientToken, "" = none yet; at most 64 ASCII characters */
    bool token_kept;          /* a try with it may have been carried out, or still is */
    struct kit_buf form;      /* body (STS with a web identity); secret */
    struct kit_json json;     /* the answer, after success */
    enum ali_error_note note; /* of the last failure */
    int64_t signed_skew_s;
    bool skew_tried, nonce_tried;
};

void ali_rpc_init(struct ali_rpc *r, struct ali_cloud *cloud, const struct ali_product *product,
                  const char *action, unsigned flags);
void ali_rpc_done(struct ali_rpc *r);
/* Copies; NULL is left out, "" is sent.  A second value of the same name replaces the first.  What
 * does not fit (ALI_RPC_PARAMS, 63 bytes of name) fails the call: KIT_ERR_REFUSED. */
void ali_rpc_param(struct ali_rpc *r, const char *name, const char *value);
/* "NAME.INDEX", index from 1: SecurityGroupIds.1; for "Filter.1.Key" give the whole name to
 * ali_rpc_param. */
void ali_rpc_item(struct ali_rpc *r, const char *name, unsigned index_from_1, const char *value);
/* Into the body, as a form: what no log of URLs may hold. */
void ali_rpc_form(struct ali_rpc *r, const char *name, const char *value);
/* One call on its own; several: kit_call_all with pointers to their `call`. */
int ali_rpc_run(struct ali_rpc *r, struct kit_deadline by, struct kit_err *err) KIT_CHECKED;
const struct kit_json_node *ali_rpc_root(const struct ali_rpc *r);

/* Puts a finished call's outcome into its step: DONE, FAILED, or OPEN (answer lost; or
 * ALI_NOTE_TAKEN: somebody was quicker). */
void ali_rpc_step(const struct ali_rpc *r, struct kit_step *step);

/* ---- reading answers: as odd as they come ---------------------------------------------------- */

/* The list `outer.inner` ("EipAddresses", "EipAddress"): number of elements, and one of them.
 * Accepts an array or a single object where an array is expected, and `outer` being the array
 * itself (inner NULL). */
size_t ali_list_count(const struct kit_json_node *parent, const char *outer, const char *inner);
const struct kit_json_node *ali_list_at(const struct kit_json_node *parent, const char *outer,
                                        const char *inner, size_t index);
/* The list that an answer of `action` should have and has not, or NULL.  Nothing in it means that
 * there is nothing.  Without it only a TotalCount of 0 says so; where the API knows no TotalCount,
 * anything but a Code, which belongs to errors. */
const char *ali_list_lacking(const char *action, const struct kit_json_node *root);
/* A string or number as text into dst; absent, null or too long: false and "". */
bool ali_text(const struct kit_json_node *object, const char *key, char *dst, size_t dst_bytes);
bool ali_true(const struct kit_json_node *object, const char *key); /* true, "true", "True" */

/* NextToken is some 100 bytes; it comes back as a parameter. */
#define ALI_PAGE_TOKEN 2048
/* Of the answer that the call has: 1 and the token of the next page in place of the last one ("" at
 * first), or 0: there is none.  A number counts as well as a string.  KIT_ERR_PROTOCOL: the same
 * token again, one too long, or what is neither. */
int ali_next_token(const struct ali_rpc *r, char token[ALI_PAGE_TOKEN],
                   struct kit_err *err) KIT_CHECKED;

/* Pages: TotalCount/PageNumber/PageSize, or NextToken.  Runs the call for each page and gives each
 * answer's root to `take` (return -1 to stop with *err).  `page_size` is sent as PageSize or
 * MaxResults as `style` says.  Numbered pages end with the one that reaches TotalCount; without a
 * TotalCount they cannot be told from a part: KIT_ERR_PROTOCOL, as a NextToken that comes twice and
 * more than 1000 pages are. */
enum ali_pages {
    ALI_PAGES_NUMBER,
    ALI_PAGES_TOKEN,
    ALI_PAGES_TOKEN_MAXRESULT /* spelled MaxResult */
};
typedef int (*ali_page_fn)(void *arg, const struct kit_json_node *root, struct kit_err *err);
int ali_rpc_pages(struct ali_rpc *r, enum ali_pages style, unsigned page_size,
                  struct kit_deadline by, ali_page_fn take, void *arg,
                  struct kit_err *err) KIT_CHECKED;

/* How asynchronous states are waited for: 100 ms at first, then twice as long each time up to 2 s.
 */
extern const struct kit_poll ali_poll;

#endif
