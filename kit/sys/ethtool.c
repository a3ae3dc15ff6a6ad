#include "kit/sys/ethtool.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/base/str.h"
#include "kit/sys/link.h"

static int ask(const char *interface, struct ethtool_channels *channels)
{
    struct ifreq req = {.ifr_data = (char *)channels};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)kit_str_copy(req.ifr_name, sizeof(req.ifr_name), interface);
    int rc = ioctl(fd, SIOCETHTOOL, &req);
    int saved_errno = errno;
    (void)close(fd);
    errno = saved_errno;
    return rc;
}

static int read_raw(const char *interface, struct ethtool_channels *channels, struct kit_err *err)
{
    struct kit_link link;

    *channels = (struct ethtool_channels){.cmd = ETHTOOL_GCHANNELS};
    if (kit_link_read(interface, &link, err) != 0) /* the name, with the list of those known */
        return -1;
    if (ask(interface, channels) == 0)
        return 0;
    if (errno == EOPNOTSUPP)
        return kit_err_set(err, KIT_ERR_STATE, "the driver of %s tells nothing of its channels",
                           interface);
    return kit_err_set(err, KIT_ERR_SYSTEM, "read the channels of %s", interface);
}

static unsigned fewer(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static struct kit_channels summary(const struct ethtool_channels *raw)
{
    struct kit_channels c = {
        .combined = raw->max_combined > 0,
        .count = fewer(raw->rx_count, raw->tx_count),
        .max = fewer(raw->max_rx, raw->max_tx),
        .rx = raw->rx_count + raw->combined_count,
        .tx = raw->tx_count + raw->combined_count,
    };

    if (c.combined) {
        c.count = raw->combined_count;
        c.max = raw->max_combined;
    }
    return c;
}

int kit_ethtool_channels(const char *interface, struct kit_channels *ret_channels,
                         struct kit_err *err)
{
    struct ethtool_channels raw;

    if (read_raw(interface, &raw, err) != 0)
        return -1;
    *ret_channels = summary(&raw);
    return 0;
}

int kit_ethtool_set_channels(const char *interface, unsigned count, bool *ret_changed,
                             struct kit_err *err)
{
    struct ethtool_channels raw;
    struct kit_channels now;

    if (read_raw(interface, &raw, err) != 0)
        return -1;
    now = summary(&raw);
    if (count == 0 || count > now.max)
        return kit_err_set(err, KIT_ERR_CONFIG, "%s takes 1 to %u queues, not %u", interface,
                           now.max, count);
    *ret_changed = now.combined ? count != now.count : count != now.rx || count != now.tx;
    if (!*ret_changed)
        return 0;
    raw.cmd = ETHTOOL_SCHANNELS;
    if (now.combined)
        raw.combined_count = count;
    else
        raw.rx_count = raw.tx_count = count;
    if (ask(interface, &raw) == 0)
        return 0;
    *ret_changed = false;
    if (errno == EPERM)
        return kit_err_set(err, KIT_ERR_DENIED, "set the channels of %s: it needs CAP_NET_ADMIN",
                           interface);
    return kit_err_set(err, KIT_ERR_SYSTEM, "set the channels of %s to %u", interface, count);
}
