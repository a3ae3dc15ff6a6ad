#include "kit/net/trust.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"

/* Whether the directory is one that OpenSSL can look certificates up in: names such as 5ed36f99.0.
 */
static bool is_hashed_dir(const char *path)
{
    DIR *dir = opendir(path);
    bool found = false;

    if (!dir)
        return false;
    for (struct dirent *entry = readdir(dir); entry && !found; entry = readdir(dir))
        found = strlen(entry->d_name) == 10 && strspn(entry->d_name, "0123456789abcdef") == 8 &&
                kit_str_ends(entry->d_name, ".0");
    (void)closedir(dir);
    return found;
}

int kit_trust_choose(const char *ca_file, struct kit_trust *ret_trust, struct kit_err *err)
{
    static const char *const from_env[] = {"CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    static const char *const hashed_dirs[] = {
        "/etc/pki/ca-trust/extracted/pem/directory-hash", /* Fedora and RHEL */
        "/etc/ssl/certs",                                 /* Debian, Ubuntu */
        "/var/lib/ca-certificates/openssl",               /* SUSE */
    };
    struct kit_trust trust = {0};
    struct stat st;

    for (size_t i = 0; !ca_file && i < KIT_LEN(from_env); i++) {
        const char *value = getenv(from_env[i]);
        ca_file = value && *value ? value : NULL;
    }
    if (ca_file) {
        if (stat(ca_file, &st) < 0 || access(ca_file, R_OK) < 0) {
            (void)kit_err_set(err, KIT_ERR_SYSTEM, "certificates (ca_file) %s", ca_file);
            err->kind = KIT_ERR_CONFIG; /* with the system's text, but the remedy is a setting */
            return -1;
        }
        *(S_ISDIR(st.st_mode) ? &trust.dir : &trust.file) = kit_mem_strdup(ca_file);
    }
    for (size_t i = 0; !ca_file && !trust.dir && i < KIT_LEN(hashed_dirs); i++)
        if (is_hashed_dir(hashed_dirs[i]))
            trust.dir = kit_mem_strdup(hashed_dirs[i]);
    *ret_trust = trust;
    return 0;
}

void kit_trust_done(struct kit_trust *trust)
{
    free(trust->file);
    free(trust->dir);
    *trust = (struct kit_trust){0};
}
