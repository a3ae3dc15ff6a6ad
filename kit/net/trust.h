/* kit/net/trust.h - which certificates TLS trusts: for http.c alone. */
#ifndef KIT_NET_TRUST_H
#define KIT_NET_TRUST_H

#include "kit/base/err.h"

/* Both NULL: libcurl's default bundle.  Owned. */
struct kit_trust {
    char *file; /* PEM */
    char *dir;  /* hashed by subject, as openssl-rehash(1) makes it */
};

/* `ca_file` if it is not NULL, else CURL_CA_BUNDLE or SSL_CERT_FILE of the environment, else the
 * distribution's hashed directory if there is one.  KIT_ERR_CONFIG: cannot be read. */
int kit_trust_choose(const char *ca_file, struct kit_trust *ret_trust,
                     struct kit_err *err) KIT_CHECKED;
void kit_trust_done(struct kit_trust *trust);

#endif
