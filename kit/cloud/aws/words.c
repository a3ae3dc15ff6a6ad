/* kit/cloud/aws/words.c - words by a shell's quoting rules. */
#include "kit/cloud/aws/words.h"

#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/base/secret.h"

struct reader {
    const char *at;
    char *out;
};

/* From behind an opening quote to behind the closing one; false when there is none. */
static bool take_quoted(struct reader *r, char quote)
{
    for (; *r->at; r->at++) {
        if (*r->at == quote) {
            r->at++;
            return true;
        }
        if (quote == '"' && *r->at == '\\' && (r->at[1] == '"' || r->at[1] == '\\'))
            r->at++;
        *r->out++ = *r->at;
    }
    return false;
}

static bool take_word(struct reader *r)
{
    while (*r->at && !strchr(" \t\r\n", *r->at)) {
        char c = *r->at++;
        if (c == '"' || c == '\'') {
            if (!take_quoted(r, c))
                return false;
        } else if (c == '\\') {
            if (!*r->at)
                return false;
            *r->out++ = *r->at++;
        } else {
            *r->out++ = c;
        }
    }
    *r->out++ = '\0';
    return true;
}

bool aws_words_split(const char *text, struct aws_words *ret_words)
{
    size_t most = strlen(text) / 2 + 1; /* a word and the blank behind it */
    struct aws_words words = {.memory = kit_mem_new(strlen(text) + 1, 1),
                              .word = kit_mem_new(most + 1, sizeof(*words.word))};
    struct reader r = {.at = text, .out = words.memory};

    for (;;) {
        r.at += strspn(r.at, " \t\r\n");
        if (!*r.at)
            break;
        words.word[words.count++] = r.out;
        if (!take_word(&r)) {
            *r.out = '\0';
            aws_words_done(&words);
            return false;
        }
    }
    *ret_words = words;
    return true;
}

void aws_words_done(struct aws_words *words)
{
    for (size_t i = 0; i < words->count; i++)
        kit_secret_wipe(words->word[i], strlen(words->word[i]));
    free(words->memory);
    free(words->word);
    *words = (struct aws_words){0};
}
