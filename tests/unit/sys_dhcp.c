/* tests/unit/sys_dhcp.c - what the files of network managers say, and where they are looked for. */
#include "tests/unit/sys_namespace.h"

#include <net/if.h>
#include <stdlib.h>

#include "kit/sys/dhcp.h"
#include "kit/sys/file.h"

static char root[] = "/tmp/sys_dhcp.XXXXXX";

static int set_up(void **state)
{
    return mkdtemp(root) ? make_network(state) : -1;
}

static int tear_down(void **state)
{
    const char *const rm[] = {"/bin/rm", "-rf", root, NULL};

    (void)state;
    return run_program(rm, NULL);
}

static void nothing_is_there(void)
{
    const char *const clear[] = {"/usr/bin/find", root, "-mindepth", "1", "-delete", NULL};

    assert_int_equal(run_program(clear, NULL), 0);
}

static void put(const char *path, const char *text)
{
    char full[300], *slash;
    struct kit_err err;

    assert_true(kit_str_format(full, sizeof(full), "%s%s", root, path));
    slash = strrchr(full, '/');
    *slash = '\0';
    if (kit_file_make_dir(full, 0755, &err))
        fail_msg("%s", err.msg);
    *slash = '/';
    if (kit_file_write(full, text, strlen(text), 0644, false, &err))
        fail_msg("%s", err.msg);
}

static void put_for(const char *form, const char *text)
{
    char path[200];

    assert_true(kit_str_format(path, sizeof(path), "%s/%u", form, if_nametoindex("v0")));
    put(path, text);
}

/* ---- pure ------------------------------------------------------------------------------------ */

static void networkd(void **state)
{
    static const struct {
        const char *text;
        enum kit_dhcp dhcp;
    } rows[] = {
        {"[Match]\nName=eth1\n[Network]\nDHCP=yes\n", KIT_DHCP_ON},
        {"[Network]\nDHCP = ipv4 \n", KIT_DHCP_ON},
        {"[Network]\nDHCP=\"both\"", KIT_DHCP_ON},
        {"[Network]\nDHCP=yes\nDHCP=no\n", KIT_DHCP_OFF},
        {"[Network]\nDHCP=no\n[Network]\nDHCP=true\n", KIT_DHCP_ON},
        {"[Network]\nDHCP=ipv6\n", KIT_DHCP_OFF},
        {"[DHCP]\nDHCP=yes\n", KIT_DHCP_OFF},
        {"[Network]\n#DHCP=yes\n;DHCP=yes\nAddress=10.0.1.2/24\n", KIT_DHCP_OFF},
        {"DHCP=yes\n", KIT_DHCP_OFF},
        {"", KIT_DHCP_OFF},
        {"[Network\nDHCP=yes", KIT_DHCP_OFF},
        {"[Network]\n=yes\nDHCP\n", KIT_DHCP_OFF},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++)
        if (kit_dhcp_in_networkd(rows[i].text) != rows[i].dhcp)
            fail_msg("row %zu", i);
}

static void network_manager(void **state)
{
    static const struct {
        const char *text;
        enum kit_dhcp dhcp;
    } rows[] = {
        {"[connection]\nid=x\nuuid=UU\n[ipv4]\nmethod=auto\n", KIT_DHCP_ON},
        {"[connection]\nuuid=uu\n\n[ipv4]\nmethod=auto\n", KIT_DHCP_ON},
        {"[connection]\nuuid=UU\n[ipv4]\nmethod=manual\n[ipv6]\nmethod=auto\n", KIT_DHCP_OFF},
        {"[connection]\nuuid=UU\n", KIT_DHCP_OFF},
        {"[connection]\nuuid=UU2\n[ipv4]\nmethod=auto\n", KIT_DHCP_UNKNOWN},
        {"uuid=UU\n[ipv4]\nmethod=auto\n", KIT_DHCP_UNKNOWN},
        {"", KIT_DHCP_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++)
        if (kit_dhcp_in_nm(rows[i].text, "UU") != rows[i].dhcp)
            fail_msg("row %zu", i);
}

static void ifcfg(void **state)
{
    (void)state;
    assert_int_equal(kit_dhcp_in_ifcfg("DEVICE=eth1\nBOOTPROTO=dhcp\n"), KIT_DHCP_ON);
    assert_int_equal(kit_dhcp_in_ifcfg("BOOTPROTO='dhcp4'\n"), KIT_DHCP_ON);
    assert_int_equal(kit_dhcp_in_ifcfg("BOOTPROTO=\"DHCP\"\r\n"), KIT_DHCP_ON);
    assert_int_equal(kit_dhcp_in_ifcfg("BOOTPROTO=none\n"), KIT_DHCP_OFF);
    assert_int_equal(kit_dhcp_in_ifcfg("XBOOTPROTO=dhcp\n"), KIT_DHCP_OFF);
    assert_int_equal(kit_dhcp_in_ifcfg(""), KIT_DHCP_OFF);
}

static void ifupdown(void **state)
{
    static const struct {
        const char *text;
        enum kit_dhcp dhcp;
    } rows[] = {
        {"auto eth1\niface eth1 inet dhcp\n", KIT_DHCP_ON},
        {"iface eth1 inet static\n  address 10.0.1.2/24\n", KIT_DHCP_OFF},
        {"iface eth1 inet static\niface eth1 inet dhcp", KIT_DHCP_ON},
        {"iface eth1 inet6 dhcp\n", KIT_DHCP_UNKNOWN},
        {"iface eth10 inet dhcp\n", KIT_DHCP_UNKNOWN},
        {"# iface eth1 inet dhcp\n", KIT_DHCP_UNKNOWN},
        {"\tiface  eth1\tinet\tdhcp\r\n", KIT_DHCP_ON},
        {"", KIT_DHCP_UNKNOWN},
    };

    (void)state;
    for (size_t i = 0; i < KIT_LEN(rows); i++)
        if (kit_dhcp_in_ifupdown(rows[i].text, "eth1") != rows[i].dhcp)
            fail_msg("row %zu", i);
}

/* ---- where they are -------------------------------------------------------------------------- */

static void the_first_that_knows_tells(void **state)
{
    static const struct {
        const char *path, *text; /* NULL text: with the interface's number behind it */
        const char *numbered;
        enum kit_dhcp dhcp;
    } rows[] = {
        {NULL, "[Network]\nDHCP=yes", NULL, KIT_DHCP_UNKNOWN},
        {"/var/lib/dhcp/dhclient.v0.leases", "lease {}", NULL, KIT_DHCP_ON},
        {"/etc/network/interfaces.d/x", "iface v0 inet static\n", NULL, KIT_DHCP_OFF},
        {"/etc/network/interfaces", "iface v0 inet dhcp\n", NULL, KIT_DHCP_ON},
        {"/etc/sysconfig/network-scripts/ifcfg-v0", "BOOTPROTO=static\n", NULL, KIT_DHCP_OFF},
        {"/etc/NetworkManager/system-connections/a.nmconnection",
         "[connection]\nuuid=1-2\n[ipv4]\nmethod=auto\n", NULL, KIT_DHCP_OFF},
        {NULL, "[device]\nmanaged=true\nconnection-uuid=1-2\n", "/run/NetworkManager/devices",
         KIT_DHCP_ON},
        {"/etc/systemd/network/v0.network", "[Network]\nAddress=10.0.1.2/24\n", NULL, KIT_DHCP_ON},
        {NULL, "ADMIN_STATE=configured\nNETWORK_FILE=/etc/systemd/network/v0.network\n",
         "/run/systemd/netif/links", KIT_DHCP_OFF},
        {NULL,
         "NETWORK_FILE=/etc/systemd/network/v0.network\nNETWORK_FILE_DROPINS=\"/etc/x.conf\"\n",
         "/run/systemd/netif/links", KIT_DHCP_ON}, /* not sure any more: the next one tells */
        {NULL, "ADDRESS=10.0.1.2\n", "/run/systemd/netif/leases", KIT_DHCP_ON},
    };
    char by[KIT_DHCP_BY_BYTES];

    (void)state;
    need_network();
    nothing_is_there();
    for (size_t i = 0; i < KIT_LEN(rows); i++) {
        if (rows[i].numbered)
            put_for(rows[i].numbered, rows[i].text);
        else if (rows[i].path)
            put(rows[i].path, rows[i].text);
        if (kit_dhcp_of(root, "v0", by) != rows[i].dhcp)
            fail_msg("row %zu: %s", i, by);
        assert_int_equal(by[0] == '\0', rows[i].dhcp == KIT_DHCP_UNKNOWN);
    }
}

static void an_address_that_ends_is_leased(void **state)
{
    const char *const fixed[] = {"/sbin/ip", "addr", "replace", "10.0.1.2/24", "dev", "v0", NULL};
    const char *const leased[] = {"/sbin/ip",  "addr", "replace",       "10.0.1.2/24", "dev", "v0",
                                  "valid_lft", "3600", "preferred_lft", "3600",        NULL};
    char by[KIT_DHCP_BY_BYTES];

    (void)state;
    need_network();
    nothing_is_there();
    assert_int_equal(run_program(fixed, NULL), 0);
    assert_int_equal(kit_dhcp_of(root, "v0", by), KIT_DHCP_UNKNOWN);
    put("/etc/network/interfaces", "iface v0 inet static\n"); /* as it was before the reboot */
    assert_int_equal(run_program(leased, NULL), 0);
    assert_int_equal(kit_dhcp_of(root, "v0", by), KIT_DHCP_ON);
    assert_string_equal(by, "its address has a lifetime");
    assert_int_equal(kit_dhcp_of(root, "lo", by), KIT_DHCP_UNKNOWN);
    assert_int_equal(kit_dhcp_of(root, "gone0", by), KIT_DHCP_UNKNOWN);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(networkd),
        cmocka_unit_test(network_manager),
        cmocka_unit_test(ifcfg),
        cmocka_unit_test(ifupdown),
        cmocka_unit_test(the_first_that_knows_tells),
        cmocka_unit_test(an_address_that_ends_is_leased),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
