/* kit/cloud/me.h - this node and its interface, as the metadata service knows them: who shall hold
 * the address. */
#ifndef KIT_CLOUD_ME_H
#define KIT_CLOUD_ME_H

#include "kit/cloud/cloud.h"
#include "kit/fmt/addr.h"

/* "" is what is not known, or was not asked for. */
struct kit_me {
    char interface[16]; /* "" when the ENI was named */
    char mac[18];       /* of the interface */
    char eni[KIT_ID];
    char node[KIT_ID]; /* instance id */
    char vpc[KIT_ID], vswitch[KIT_ID], zone[KIT_ID];
    char primary[KIT_ADDR_TEXT]; /* primary private IPv4 address of the interface */
};

/* What a session has heard already; zeroed at first.  The largest instance types have some 30 ENIs,
 * a node of a cluster a few; more are asked about again. */
struct kit_me_known {
    struct kit_me me[16];
    size_t count;
};
/* What was kept of this interface ("" = of the instance alone), or NULL. */
const struct kit_me *kit_me_recall(const struct kit_me_known *known, const char *interface);
void kit_me_keep(struct kit_me_known *known, const struct kit_me *me);

/* A provider's question to its metadata service about the ENI with this MAC; "" in *ret_me for what
 * it does not know. */
typedef int (*kit_me_ask_fn)(struct kit_cloud *cloud, const char *mac, struct kit_deadline by,
                             struct kit_me *ret_me, struct kit_err *err);
/* The ENI behind an interface of this host, asked for once.  KIT_ERR_CONFIG: no such interface, or
 * it is no ENI of this instance; else as kit_metadata_read. */
int kit_me_by_interface(struct kit_cloud *cloud, struct kit_me_known *known, const char *interface,
                        kit_me_ask_fn ask, struct kit_deadline by, struct kit_me *ret_me,
                        struct kit_err *err) KIT_CHECKED;
/* `interface` and `eni` were both named: KIT_ERR_CONFIG when they are known to be two. */
int kit_me_same(const struct kit_me *by_interface, const char *eni,
                struct kit_err *err) KIT_CHECKED;

/* Who we are, for the facts of a query. */
void kit_facts_set_me(struct kit_facts *facts, const struct kit_me *me);

#endif
