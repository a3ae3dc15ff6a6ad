/* kit/sys/dhcp.h - does an interface get its IPv4 address by DHCP?
 *
 * The kernel knows: an address from a lease has a lifetime.  Where it has none, the files of
 * whatever manages the network tell what is meant: systemd-networkd, NetworkManager, ifcfg (RHEL,
 * SUSE), ifupdown, and the leases that dhclient keeps.  Nobody is asked, nothing is started. */
#ifndef KIT_SYS_DHCP_H
#define KIT_SYS_DHCP_H

enum kit_dhcp {
    KIT_DHCP_UNKNOWN, /* nothing that was found tells */
    KIT_DHCP_ON,
    KIT_DHCP_OFF,
};
#define KIT_DHCP_BY_BYTES 160

/* `root`: "" or a directory that stands for / (of the files).  *ret_by: what tells it: a path, or
 * words; "" when nothing does. */
enum kit_dhcp kit_dhcp_of(const char *root, const char *interface, char ret_by[KIT_DHCP_BY_BYTES]);

/* ---- what files say: pure -------------------------------------------------------------------- */

/* systemd.network(5): [Network] DHCP=. */
enum kit_dhcp kit_dhcp_in_networkd(const char *text);
/* nm-settings-keyfile(5): [ipv4] method=.  UNKNOWN: not the connection `uuid`. */
enum kit_dhcp kit_dhcp_in_nm(const char *text, const char *uuid);
/* ifcfg-IFACE: BOOTPROTO=. */
enum kit_dhcp kit_dhcp_in_ifcfg(const char *text);
/* interfaces(5): iface IFACE inet METHOD.  UNKNOWN: it has no such line. */
enum kit_dhcp kit_dhcp_in_ifupdown(const char *text, const char *interface);

#endif
