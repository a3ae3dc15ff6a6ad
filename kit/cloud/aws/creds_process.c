/* kit/cloud/aws/creds_process.c - credential_process: a program prints credentials as JSON. */
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aws/source.h"
#include "kit/cloud/aws/words.h"
#include "kit/sys/file.h"
#include "kit/sys/proc.h"

/* {"Version": 1, …} with a session token is some 2 KB. */
#define OUTPUT_BYTES (64u * 1024)

static int run(const struct aws_chain *chain, const struct aws_words *words, const char *who,
               struct kit_buf *output, struct kit_err *err)
{
    const struct kit_clock *clock = chain->cloud->base.caller->clock;
    /* kit_proc_run does not write through it. */
    const char *const *argv = (const char *const *)words->word;
    int status;

    if (words->count == 0 || words->word[0][0] != '/')
        return kit_err_set(err, KIT_ERR_CONFIG,
                           "%s: the program has to be named by its absolute path", who);
    if (kit_file_check_program(argv[0], err) != 0) {
        err->kind =
            KIT_ERR_CONFIG; /* also when it is not there: nothing of the cloud's is missing */
        return kit_err_wrap(err, "%s", who);
    }
    if (kit_proc_run(argv, clock, chain->by, output, &status, err) != 0) {
        if (err->kind == KIT_ERR_SYSTEM)
            err->kind = KIT_ERR_CONFIG;
        return kit_err_wrap(err, "%s", who);
    }
    if (status > 128)
        return kit_err_set(err, KIT_ERR_AUTH, "%s: %s was ended by signal %d", who, words->word[0],
                           status - 128);
    if (status != 0)
        return kit_err_set(err, KIT_ERR_AUTH, "%s: %s failed with status %d", who, words->word[0],
                           status);
    return 0;
}

enum aws_source aws_source_process(const struct aws_chain *chain, const char *profile,
                                   const char *command, struct kit_creds *ret_creds,
                                   struct kit_err *err)
{
    KIT_AUTO(kit_buf) output = KIT_BUF_SECRET(OUTPUT_BYTES);
    KIT_AUTO(aws_words) words = {0};
    char who[96];

    (void)kit_str_format(who, sizeof(who), "credential_process of profile %s", profile);
    if (!aws_words_split(command, &words)) {
        (void)kit_err_set(err, KIT_ERR_CONFIG, "%s: a quote or backslash without its end", who);
        return AWS_SOURCE_BROKEN;
    }
    if (run(chain, &words, who, &output, err) != 0 ||
        aws_creds_from_json(&output, "SessionToken", true, who, ret_creds, err) != 0)
        return AWS_SOURCE_BROKEN;
    return AWS_SOURCE_GOT;
}
