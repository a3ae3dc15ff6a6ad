#include "kit/base/near.h"

#include <string.h>

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

static size_t edits(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[3][KIT_NEAR_BYTES + 2] = {{0}};
    size_t *before = row[0], *above = row[1], *here = row[2];

    for (size_t j = 0; j <= b_len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        here[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
            here[j] = least(above[j] + 1, here[j - 1] + 1, above[j - 1] + cost);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < here[j])
                here[j] = before[j - 2] + 1;
        }
        size_t *oldest = before;
        before = above;
        above = here;
        here = oldest;
    }
    return above[b_len];
}

void kit_near_init(struct kit_near *near, const char *word)
{
    size_t len = strlen(word);

    *near = (struct kit_near){.word = word, .best = len >= 6 ? 2 : len >= 3 ? 1 : 0};
}

void kit_near_try(struct kit_near *near, const char *name)
{
    size_t word_len = strlen(near->word), name_len = strlen(name), n;

    if (word_len > KIT_NEAR_BYTES || name_len > KIT_NEAR_BYTES)
        return;
    n = edits(near->word, word_len, name, name_len);
    if (n < near->best || (n == near->best && !near->name)) {
        near->best = n;
        near->name = name;
    }
}
