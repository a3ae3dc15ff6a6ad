/* kit/base/secret.c - text that must not outlive its use. */
#include "kit/base/secret.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void kit_secret_wipe(void *data, size_t len_bytes)
{
    if (data)
        explicit_bzero(data, len_bytes);
}

void kit_secret_done(struct kit_secret *secret)
{
    if (!secret->text)
        return;
    kit_secret_wipe(secret->text, strlen(secret->text));
    free(secret->text);
    secret->text = NULL;
}

void kit_secret_set(struct kit_secret *secret, const char *text)
{
    /* Copied first: `text` may lie in what is wiped. */
    char *copy = text ? kit_mem_strdup(text) : NULL;

    kit_secret_done(secret);
    secret->text = copy;
}

bool kit_secret_is_set(const struct kit_secret *secret)
{
    return secret->text && secret->text[0] != '\0';
}

void kit_secret_harden_process(void)
{
    static const struct rlimit none = {0, 0};

    /* Both, because a core_pattern that is a pipe does not ask for the limit.  Neither can fail for
     * a process that asks for less; if it did, going on is still what serves the address. */
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &none);
}
