/* kit/sys/link.c - network interfaces of this host. */
#include "kit/sys/link.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kit/base/buf.h"
#include "kit/base/str.h"

/* Carrier comes within milliseconds on a virtual NIC, within seconds on a real one. */
static const struct kit_poll carrier_patience = {.first_ms = 10, .cap_ms = 200};

/* What the kernel takes as a name (dev_valid_name); "eth0:1" would name an address, not a link. */
bool kit_link_name_valid(const char *name)
{
    size_t len = strlen(name);

    return len > 0 && len < IFNAMSIZ && !kit_str_eq(name, ".") && !kit_str_eq(name, "..") &&
           strcspn(name, "/: \t\n\v\f\r") == len;
}

static int no_such_link(const char *name, struct kit_err *err)
{
    /* Enough for a look; the error's line ends the list with "..." on hosts with hundreds. */
    KIT_AUTO(kit_buf) list = KIT_BUF(sizeof(err->msg));
    struct if_nameindex *all = if_nameindex();

    for (const struct if_nameindex *i = all; i && i->if_name; i++)
        (void)kit_buf_printf(&list, "%s%s", list.len_bytes ? " " : "", i->if_name);
    if (all)
        if_freenameindex(all);
    return kit_err_set(err, KIT_ERR_CONFIG, "there is no interface %s; there are: %s%s", name,
                       list.data, list.overflow ? " ..." : "");
}

/* One ioctl on the interface; -1 with errno. */
static int ask(unsigned long request, const char *name, struct ifreq *req)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    (void)kit_str_copy(req->ifr_name, sizeof(req->ifr_name), name);
    int rc = ioctl(fd, request, req);
    int saved_errno = errno;
    (void)close(fd);
    errno = saved_errno;
    return rc;
}

static int ask_or_tell(unsigned long request, const char *name, struct ifreq *req,
                       struct kit_err *err)
{
    if (ask(request, name, req) == 0)
        return 0;
    if (errno == ENODEV)
        return no_such_link(name, err);
    return kit_err_set(err, KIT_ERR_SYSTEM, "ask for interface %s", name);
}

static void put_mac(char *mac, size_t mac_bytes, const struct sockaddr *hw)
{
    unsigned char b[6];

    mac[0] = '\0';
    if (hw->sa_family != ARPHRD_ETHER)
        return;
    memcpy(b, hw->sa_data, sizeof(b));
    if (b[0] | b[1] | b[2] | b[3] | b[4] | b[5])
        (void)kit_str_format(mac, mac_bytes, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2],
                             b[3], b[4], b[5]);
}

/* IFF_RUNNING follows the carrier later, by a work queue, and is set until that has run once: a NIC
 * just attached would seem to have carrier.  The driver knows at once; one that cannot be asked
 * (some tunnels) counts as having it. */
static bool driver_has_carrier(const char *name)
{
    struct ethtool_value link = {.cmd = ETHTOOL_GLINK};
    struct ifreq req = {.ifr_data = (char *)&link};

    return ask(SIOCETHTOOL, name, &req) != 0 || link.data != 0;
}

int kit_link_read(const char *name, struct kit_link *ret_link, struct kit_err *err)
{
    struct ifreq flags = {0}, hw = {0}, index = {0}, mtu = {0};
    struct kit_link link = {0};

    if (!kit_link_name_valid(name))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%s\" is no name of an interface", name);
    bool carrier = driver_has_carrier(name);
    if (ask_or_tell(SIOCGIFFLAGS, name, &flags, err) != 0 ||
        ask_or_tell(SIOCGIFHWADDR, name, &hw, err) != 0 ||
        ask_or_tell(SIOCGIFINDEX, name, &index, err) != 0 ||
        ask_or_tell(SIOCGIFMTU, name, &mtu, err) != 0)
        return -1;
    (void)kit_str_copy(link.name, sizeof(link.name), name);
    put_mac(link.mac, sizeof(link.mac), &hw.ifr_hwaddr);
    link.index = (unsigned)index.ifr_ifindex;
    link.mtu = (unsigned)mtu.ifr_mtu;
    link.up = flags.ifr_flags & IFF_UP;
    link.running = carrier && (flags.ifr_flags & IFF_RUNNING);
    *ret_link = link;
    return 0;
}

int kit_link_find(const char *mac, struct kit_link *ret_link, struct kit_err *err)
{
    struct if_nameindex *all = if_nameindex();
    KIT_AUTO(kit_buf) names = KIT_BUF(sizeof(err->msg));
    struct kit_link found = {0};
    size_t count = 0;

    if (!all)
        return kit_err_set(err, KIT_ERR_SYSTEM, "list the interfaces");
    for (const struct if_nameindex *i = all; i->if_name; i++) {
        struct kit_link link = {0};
        struct kit_err gone; /* between the list and the look */

        if (kit_link_read(i->if_name, &link, &gone) || !link.mac[0] ||
            !kit_str_eq_nocase(link.mac, mac))
            continue;
        found = link;
        (void)kit_buf_printf(&names, "%s%s", count++ ? " " : "", link.name);
    }
    if_freenameindex(all);
    if (!count)
        return kit_err_set(err, KIT_ERR_NOT_FOUND, "no interface of this host has the MAC %s", mac);
    if (count > 1)
        return kit_err_set(err, KIT_ERR_CONFIG, "several interfaces have the MAC %s: %s", mac,
                           names.data);
    *ret_link = found;
    return 0;
}

int kit_link_set(const char *name, bool up, struct kit_err *err)
{
    struct ifreq req = {0};

    if (!kit_link_name_valid(name))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%s\" is no name of an interface", name);
    /* Read again: the flags are written as a whole, and are not ours alone. */
    if (ask_or_tell(SIOCGIFFLAGS, name, &req, err) != 0)
        return -1;
    req.ifr_flags = (short)(up ? req.ifr_flags | IFF_UP : req.ifr_flags & ~IFF_UP);
    if (ask(SIOCSIFFLAGS, name, &req) != 0)
        return kit_err_set(err, KIT_ERR_SYSTEM, "set interface %s %s", name, up ? "up" : "down");
    return 0;
}

/* kit_poll_fn */
static int has_carrier(void *arg, struct kit_err *err)
{
    struct kit_link *link = arg;
    char name[sizeof(link->name)];

    (void)kit_str_copy(name, sizeof(name), link->name);
    if (kit_link_read(name, link, err) != 0)
        return -1;
    return link->up && link->running;
}

int kit_link_bring_up(const char *name, const struct kit_clock *clock, struct kit_deadline by,
                      struct kit_err *err)
{
    struct kit_link link = {0};

    if (kit_link_read(name, &link, err) != 0)
        return -1;
    if (!link.up && kit_link_set(name, true, err) != 0)
        return -1;
    if (kit_poll_until(&carrier_patience, clock, by, has_carrier, &link, err) == 0)
        return 0;
    if (err->kind == KIT_ERR_TIMEOUT)
        return kit_err_set(err, KIT_ERR_TIMEOUT, "interface %s %s", name,
                           link.up ? "is up but has no carrier" : "was set up but is down again");
    return -1;
}
