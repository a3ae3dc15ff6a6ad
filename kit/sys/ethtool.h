/* kit/sys/ethtool.h - the queues of an interface, as its driver has them: what `ethtool -l` and
 * `ethtool -L` show and set.  No `ethtool` is started.
 *
 * Source: linux/ethtool.h, ETHTOOL_GCHANNELS and ETHTOOL_SCHANNELS. */
#ifndef KIT_SYS_ETHTOOL_H
#define KIT_SYS_ETHTOOL_H

#include <stdbool.h>

#include "kit/base/err.h"

/* Drivers have combined channels (virtio_net, ena), or receiving and sending ones each for
 * themselves (veth). */
struct kit_channels {
    bool combined;
    unsigned count, max; /* of the combined ones, else of the fewer of the two */
    unsigned rx, tx;     /* queues that there are */
};
/* KIT_ERR_STATE: the driver has nothing to say of them; KIT_ERR_CONFIG: no such interface;
 * KIT_ERR_SYSTEM. */
int kit_ethtool_channels(const char *interface, struct kit_channels *ret_channels,
                         struct kit_err *err) KIT_CHECKED;

/* So many combined channels, else so many of both kinds; so many already: nothing (*ret_changed
 * false).  Not kept over a reboot.  Some drivers take the link down and up for it.  KIT_ERR_CONFIG:
 * 0, or more than `max`; KIT_ERR_DENIED (needs CAP_NET_ADMIN); and as above. */
int kit_ethtool_set_channels(const char *interface, unsigned count, bool *ret_changed,
                             struct kit_err *err) KIT_CHECKED;

#endif
