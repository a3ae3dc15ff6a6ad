/* kit/cloud/aliyun/ecs.h - ENIs and instances as Ecs 2014-05-26 describes them.  Private to
 * kit/cloud/aliyun.
 *
 *   KIT_AUTO(ali_enis) list = {0};
 *   const struct ali_eni_filter filter = {.vpc = me.vpc, .address = addr};
 *   if (ali_enis_find(cloud, &filter, by, &list, err)) …
 *
 * Several calls in one round: ali_enis_call and ali_instances_call prepare a call, kit_call_all
 * sends them, ali_enis_finish and ali_instances_take read what came. */
#ifndef KIT_CLOUD_ALIYUN_ECS_H
#define KIT_CLOUD_ALIYUN_ECS_H

#include "kit/cloud/aliyun/rpc.h"

/* DescribeNetworkInterfaces, Status.  Words are compared without regard to case. */
enum ali_eni_state {
    ALI_ENI_OTHER, /* a word that is not known, or none */
    ALI_ENI_AVAILABLE,
    ALI_ENI_ATTACHING,
    ALI_ENI_IN_USE,
    ALI_ENI_DETACHING,
    ALI_ENI_DELETING,
};

struct ali_eni_address {
    struct kit_addr addr;
    bool primary;            /* IPv4 alone */
    char allocation[KIT_ID]; /* of the EIP bound to it, "" = none, or not told */
    char eip[KIT_ADDR_TEXT]; /* the EIP itself, "" = none */
};

/* A name of 128 characters, each at most 4 bytes; a description of 256. */
#define ALI_NAME        513
#define ALI_DESCRIPTION 1025
/* An ENI, or an instance, is in at most 5 security groups, 10 or 16 where the quota was raised
 * (help: "Limits", security groups). */
#define ALI_GROUPS 16
/* ENIs of an account in a region, by default (help: "Limits", elastic network interfaces). */
#define ALI_REGION_ENIS 100

struct ali_eni {
    char id[KIT_ID];
    char node[KIT_ID]; /* instance it is attached to, or moves to or from; "" = none */
    char vpc[KIT_ID], vswitch[KIT_ID], zone[KIT_ID];
    char mac[18];
    enum ali_eni_state state;
    char state_text[16];  /* the cloud's word, for people */
    bool primary;         /* Type Primary: never detached, and dies with its instance */
    bool service_managed; /* a NAT gateway's, a load balancer's … */
    bool source_dest_check;
    bool release_known, dies_with_node; /* DeleteOnRelease was told; it is on */
    unsigned groups;                    /* security groups */
    char group[ALI_GROUPS][KIT_ID];     /* the first so many */
    char name[ALI_NAME], description[ALI_DESCRIPTION];
    struct ali_eni_address *address; /* owned; primary, secondary and IPv6 ones */
    size_t addresses;
};
void ali_eni_done(struct ali_eni *eni);
/* Reads one NetworkInterfaceSet; false without a NetworkInterfaceId.  The asker calls
 * ali_eni_done. */
bool ali_eni_decode(const struct kit_json_node *item, struct ali_eni *ret_eni);
/* The entry of an address, compared whole, or NULL.  Borrowed. */
const struct ali_eni_address *ali_eni_address(const struct ali_eni *eni,
                                              const struct kit_addr *addr);
/* Its primary IPv4 address; false and "": it has none. */
bool ali_eni_primary_text(const struct ali_eni *eni, char ret_text[KIT_ADDR_TEXT]);

struct ali_enis {
    struct ali_eni *eni; /* owned */
    size_t count;
};
void ali_enis_done(struct ali_enis *list);
const struct ali_eni *ali_enis_get(const struct ali_enis *list, const char *id); /* or NULL */

/* NetworkInterfaceId.N takes at most 100 (DescribeNetworkInterfaces); a call of ours has room for
 * these. */
#define ALI_ENI_IDS 50
/* What an ENI must fit; all that is given together.  Asked of the service, and held against what
 * comes back.  Borrowed until the call is done. */
struct ali_eni_filter {
    const char *const *id; /* ids; NULL = any */
    size_t ids;            /* at most ALI_ENI_IDS */
    const char *vpc, *vswitch, *node, *name;
    const char *status;             /* "Available" */
    const char *type;               /* "Primary", "Secondary" */
    const struct kit_addr *address; /* a secondary IPv4 address, or an IPv6 one */
    const struct kit_addr *primary; /* the primary IPv4 address */
};

/* One page (500, the most) of DescribeNetworkInterfaces, ready for kit_call_all; the asker calls
 * ali_rpc_done. */
void ali_enis_call(struct ali_rpc *r, struct ali_cloud *cloud, const struct ali_eni_filter *filter);
/* Adds what a call of ali_enis_call brought to the list, and asks for further pages if there are.
 * -1: the call had failed, or a later one did; blocks until `by` at most. */
int ali_enis_finish(struct ali_rpc *r, const struct ali_eni_filter *filter, struct kit_deadline by,
                    struct ali_enis *list, struct kit_err *err) KIT_CHECKED;
/* Both in one: adds every ENI that fits.  Ids that the cloud does not know are simply not there. */
int ali_enis_find(struct ali_cloud *cloud, const struct ali_eni_filter *filter,
                  struct kit_deadline by, struct ali_enis *list, struct kit_err *err) KIT_CHECKED;

struct ali_instance {
    char id[KIT_ID];
    char status[16]; /* Pending, Starting, Running, Stopping, Stopped */
    char zone[KIT_ID], vpc[KIT_ID], vswitch[KIT_ID];
    char type[KIT_ID];   /* "ecs.g6.large" */
    char family[KIT_ID]; /* "ecs.g6" */
    char network[16];    /* "vpc", "classic" */
    bool io_optimized;
    char charge[16];               /* PostPaid, PrePaid */
    char expires[24];              /* ExpiredTime, to the minute */
    char traffic[24];              /* InternetChargeType: PayByTraffic, PayByBandwidth */
    int64_t bandwidth;             /* InternetMaxBandwidthOut, Mbit/s; -1 = not told */
    char lock[24];                 /* reason of an operation lock, "" = none */
    char public_ip[KIT_ADDR_TEXT]; /* static public address, "" = none */
    char eip[KIT_ADDR_TEXT];       /* EIP bound to the instance, "" = none */
    char eip_allocation[KIT_ID];
    size_t enis;                    /* attached ones, the primary one included */
    char group[ALI_GROUPS][KIT_ID]; /* security groups, as many as there is room for */
    size_t groups;
};

/* DescribeInstances of these ids (100 at most), in one page. */
#define ALI_INSTANCE_IDS 100
void ali_instances_call(struct ali_rpc *r, struct ali_cloud *cloud, const char *const id[],
                        size_t ids);
/* The instance `id` of a call that succeeded; false: it is not there. */
bool ali_instances_take(const struct ali_rpc *r, const char *id, struct ali_instance *ret_instance);
/* Both in one, for one of them; KIT_ERR_NOT_FOUND. */
int ali_instance_find(struct ali_cloud *cloud, const char *id, struct kit_deadline by,
                      struct ali_instance *ret_instance, struct kit_err *err) KIT_CHECKED;

#endif
