/* kit/base/mem.c - allocation that cannot fail. */
#include "kit/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* write(2) and _exit: stdio and exit handlers may want memory themselves. */
static _Noreturn void out_of_memory(void)
{
    static const char line[] = "cloudvip: out of memory\n";

    if (write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
        _exit(1);
    _exit(1);
}

void kit_mem_autofree(void *pointer_to_pointer)
{
    void *p;

    /* Copied, not cast: a char ** is not a void ** to the optimizer. */
    memcpy(&p, pointer_to_pointer, sizeof(p));
    free(p);
}

void *kit_mem_new(size_t count, size_t size_bytes)
{
    /* Never zero bytes: NULL would be a correct answer then. */
    if (count == 0 || size_bytes == 0)
        count = size_bytes = 1;
    void *p = calloc(count, size_bytes);
    if (!p)
        out_of_memory();
    return p;
}

void *kit_mem_grow(void *old, size_t count, size_t size_bytes)
{
    if (count == 0 || size_bytes == 0)
        count = size_bytes = 1;
    void *p = reallocarray(old, count, size_bytes);
    if (!p)
        out_of_memory();
    return p;
}

char *kit_mem_strdup(const char *text)
{
    size_t size_bytes = strlen(text) + 1;
    char *copy = kit_mem_new(size_bytes, 1);

    memcpy(copy, text, size_bytes);
    return copy;
}
