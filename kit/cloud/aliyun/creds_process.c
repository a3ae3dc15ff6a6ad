/* kit/cloud/aliyun/creds_process.c - a profile of mode External: a program prints another one. */
#include <stdlib.h>
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aliyun/source.h"
#include "kit/fmt/time.h"
#include "kit/sys/proc.h"

/* A profile with a security token is some 2 KB. */
#define OUTPUT_BYTES (64u * 1024)
#define MOST_WORDS   64
#define BLANKS       " \t\r\n"

static int run(const struct ali_chain *chain, char *command, const char *who,
               struct kit_buf *output, struct kit_err *err)
{
    const char *argv[MOST_WORDS + 1] = {NULL};
    size_t count = 0;
    int status;

    for (char *at = command + strspn(command, BLANKS); *at; at += strspn(at, BLANKS)) {
        if (count == MOST_WORDS)
            return kit_err_set(err, KIT_ERR_CONFIG, "%s: more than %d words", who, MOST_WORDS);
        argv[count++] = at;
        at += strcspn(at, BLANKS);
        if (*at)
            *at++ = '\0';
    }
    if (count == 0 || argv[0][0] != '/')
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: the program has to be named by its absolute path", who);
    if (kit_proc_run(argv, chain->cloud->base.caller->clock, chain->by, output, &status, err)) {
        if (err->kind == KIT_ERR_SYSTEM)
            err->kind = KIT_ERR_CONFIG;
        return kit_err_wrap(err, "%s", who);
    }
    if (status > 128)
        return kit_err_set(err, KIT_ERR_AUTH, "%s: %s was ended by signal %d", who, argv[0],
                           status - 128);
    if (status != 0)
        return kit_err_set(err, KIT_ERR_AUTH, "%s: %s failed with status %d", who, argv[0], status);
    return 0;
}

/* {"mode": "AK" | "StsToken", "access_key_id", "access_key_secret", "sts_token",
 * "sts_expiration": unix time} */
static int take(const struct kit_buf *output, const char *who, struct kit_creds *ret_creds,
                struct kit_err *err)
{
    KIT_AUTO(kit_json) doc = {0};
    int64_t expires_s = 0;

    if (kit_json_parse(output->data, output->len_bytes, &doc, err)) {
        err->kind = KIT_ERR_AUTH;
        return kit_err_wrap(err, "%s", who);
    }
    const struct kit_json_node *root = kit_json_root(&doc);
    const char *mode = kit_json_string(kit_json_get(root, "mode"));
    const struct kit_creds_parts parts = {
        .key_id = kit_json_string(kit_json_get(root, "access_key_id")),
        .secret = kit_json_string(kit_json_get(root, "access_key_secret")),
        .token = kit_json_string(kit_json_get(root, "sts_token")),
    };
    if (!kit_str_eq(mode, "AK") && !kit_str_eq(mode, "StsToken"))
        return kit_err_set(err, KIT_ERR_AUTH,
                           "%s: what it printed is no profile of mode AK or StsToken", who);
    if (ali_creds_fill(&parts, who, ret_creds, err)) {
        err->kind = KIT_ERR_AUTH;
        return -1;
    }
    if (kit_json_int(kit_json_get(root, "sts_expiration"), &expires_s) && expires_s > 0)
        ret_creds->expires_s = expires_s;
    return 0;
}

enum ali_source ali_source_process(const struct ali_chain *chain, const char *name,
                                   const char *command, struct kit_creds *ret_creds,
                                   struct kit_err *err)
{
    KIT_AUTO(kit_buf) output = KIT_BUF_SECRET(OUTPUT_BYTES);
    char *words = kit_mem_strdup(command);
    size_t len = strlen(words);
    char who[96];

    (void)kit_str_format(who, sizeof(who), "process_command of profile %s", name);
    int rc = run(chain, words, who, &output, err);
    kit_secret_wipe(words, len); /* a command line may hold a password */
    free(words);
    if (rc == 0)
        rc = take(&output, who, ret_creds, err);
    return rc ? ALI_SOURCE_BROKEN : ALI_SOURCE_GOT;
}
