/* kit/cloud/aws/words.h - a line into words, by a shell's quoting rules and without a shell.
 * Private to kit/cloud/aws. */
#ifndef KIT_CLOUD_AWS_WORDS_H
#define KIT_CLOUD_AWS_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct aws_words {
    char *memory; /* the words, one after the other */
    char **word;  /* NULL-terminated; into memory */
    size_t count;
};
/* As Python's shlex.split, which botocore uses: blanks separate; '…' keeps all, "…" all but \" and
 * \\; a backslash elsewhere takes the next character as it is; nothing is expanded.  False: a quote
 * without its end, or a backslash at the end. */
bool aws_words_split(const char *text, struct aws_words *ret_words);
void aws_words_done(struct aws_words *words); /* wiped: a command line may hold a password */

#endif
