/* AWS's shared files: no text may crash the reader, hang it, or show what it holds in an error.
 *
 * The first byte chooses which of the two files the rest is; the rest is also split into words. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aws/profile.h"
#include "kit/cloud/aws/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[] = "/tmp/cloudvip-fuzz-XXXXXX";

static void remove_file(void)
{
    (void)unlink(path);
}

static int open_file(void)
{
    int fd = mkstemp(path);

    if (fd < 0 || fchmod(fd, 0600) != 0 || atexit(remove_file) != 0)
        abort();
    return fd;
}

static void write_file(const uint8_t *data, size_t size)
{
    static int fd = -1;

    if (fd < 0)
        fd = open_file();
    if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
        abort();
}

static void split(const uint8_t *data, size_t size)
{
    char *text = kit_mem_new(size + 1, 1);
    struct aws_words words;

    memcpy(text, data, size);
    if (aws_words_split(text, &words)) {
        size_t total = 0;
        for (size_t i = 0; i < words.count; i++)
            total += strlen(words.word[i]);
        if (total > strlen(text) || words.word[words.count])
            abort();
        aws_words_done(&words);
    }
    free(text);
}

static void ask(const struct aws_profiles *p, bool credentials)
{
    static const char *const profiles[] = {"default", "a", "b", ""};
    static const char *const keys[] = {"region", "role_arn", "aws_access_key_id", "services", "a"};

    for (size_t i = 0; i < KIT_LEN(profiles); i++) {
        bool any = false;
        for (size_t k = 0; k < KIT_LEN(keys); k++) {
            const char *value = aws_profiles_get(p, profiles[i], keys[k], NULL);
            if (value != aws_profiles_get_in(p, credentials, profiles[i], keys[k]))
                abort();
            any = any || value;
        }
        if (any && !aws_profiles_has(p, profiles[i]))
            abort();
        (void)aws_profiles_service_endpoint(p, profiles[i], "ec2");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aws_profiles *profiles;
    struct kit_settings settings;
    struct kit_err err;

    if (size == 0)
        return 0;
    bool credentials = data[0] & 1;
    write_file(data + 1, size - 1);
    (void)setenv("AWS_SHARED_CREDENTIALS_FILE", credentials ? path : "/nonexistent", 1);
    (void)setenv("AWS_CONFIG_FILE", credentials ? "/nonexistent" : path, 1);
    kit_settings_init(&settings, "fuzz");
    if (aws_profiles_load(&settings, &profiles, &err) == 0) {
        ask(profiles, credentials);
        aws_profiles_free(profiles);
    } else if (err.kind != KIT_ERR_CONFIG || !strstr(err.msg, path)) {
        abort();
    }
    kit_settings_done(&settings);
    split(data + 1, size - 1);
    return 0;
}
