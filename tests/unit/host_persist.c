/* kit/host/persist: who rules this machine, what its files say, and whose files are left alone. */
#include "tests/unit/host_data.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit/host/persist.h"
#include "kit/sys/file.h"

static char root[64];
static struct kit_persist_place place;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

static int empty_root(void **state)
{
    (void)state;
    if (root[0])
        (void)nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    (void)kit_str_copy(root, sizeof(root), "/tmp/host_persist.XXXXXX");
    assert_non_null(mkdtemp(root));
    place = (struct kit_persist_place){
        .root = root, .interface = "eth1", .index = ETH1, .primary_index = ETH0};
    return 0;
}

static int no_root(void **state)
{
    (void)state;
    return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text)
{
    char whole[256], dir[256];
    struct kit_err err;

    assert_true(kit_str_format(whole, sizeof(whole), "%s%s", root, path));
    (void)kit_str_copy(dir, sizeof(dir), whole);
    *strrchr(dir, '/') = '\0';
    if (kit_file_make_dir(dir, 0755, &err) != 0 ||
        kit_file_write(whole, text, strlen(text), 0644, false, &err) != 0)
        fail_msg("%s", err.msg);
}

static void file_is(const char *path, unsigned mode, const char *want)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(65536);
    char whole[256];
    struct kit_err err;
    struct stat st;

    assert_true(kit_str_format(whole, sizeof(whole), "%s%s", root, path));
    if (kit_file_read(whole, KIT_FILE_ANY, &text, &err) != 0)
        fail_msg("%s", err.msg);
    assert_string_equal(text.data, want);
    assert_int_equal(stat(whole, &st), 0);
    assert_int_equal(st.st_mode & 07777, mode);
}

static bool is_file(const char *path)
{
    char whole[256];

    assert_true(kit_str_format(whole, sizeof(whole), "%s%s", root, path));
    return access(whole, F_OK) == 0;
}

/* ---- what it shall have ---------------------------------------------------------------------- */

#define HEADER                                                                                     \
    "# Made by `cloudvip nic setup eth1`; `cloudvip nic unset eth1` removes it.\n"                 \
    "# Changes are lost when setup is run again.\n"

static struct kit_host_plan plan;

static struct kit_persist_want want_of(unsigned mtu, bool advertised)
{
    static const char *const addrs[] = {"10.0.1.11",        "10.0.1.60",        "2001:db8:0:1::11",
                                        "2001:db8:0:1::12", "2001:db8:0:1::13", NULL};
    struct kit_nic nic = host_nic(addrs);
    const struct kit_host_ask ask = {.interface = "eth1", .nic = &nic};
    KIT_AUTO(kit_host_now) now = host_now();
    struct kit_err err;

    if (!advertised)
        nic.gateway6 = host_addr("2001:db8:0:1::fff7");
    else
        host_route(&now, "::/0", "fe80::2", ETH1, KIT_ROUTE_MAIN, 1024);
    kit_host_plan_done(&plan);
    if (kit_host_plan_setup(&ask, &now, &plan, &err) != 0)
        fail_msg("%s", err.msg);
    return (struct kit_persist_want){.interface = "eth1",
                                     .mac = "06:00:0a:00:01:02",
                                     .mtu = mtu,
                                     .metric = plan.metric,
                                     .advertised = advertised,
                                     .items = &plan.want};
}

static void writes(const struct kit_persist_manager *manager, unsigned mtu, bool advertised)
{
    const struct kit_persist_want want = want_of(mtu, advertised);
    struct kit_persist_files files = {.count = 0};
    struct kit_err err;

    if (kit_persist_plan(manager, &place, &want, &files, &err) != 0 ||
        kit_persist_write(root, &files, &err) != 0)
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < files.count; i++)
        assert_false(files.file[i].there);
    kit_persist_files_done(&files);
    /* Again: they are there. */
    assert_int_equal(kit_persist_plan(manager, &place, &want, &files, &err), 0);
    for (size_t i = 0; i < files.count; i++)
        assert_true(files.file[i].there);
    kit_persist_files_done(&files);
    kit_host_plan_done(&plan);
    plan = (struct kit_host_plan){0};
}

static void networkd(void **state)
{
    (void)state;
    writes(&kit_persist_networkd, 9001, true);
    file_is("/etc/systemd/network/05-cloudvip-eth1.network", 0644,
            HEADER "\n[Match]\nMACAddress=06:00:0a:00:01:02\nType=ether\n\n[Link]\n"
                   "RequiredForOnline=no\nMTUBytes=9001\n\n[Network]\nDHCP=no\nIPv6AcceptRA=yes\n\n"
                   "[IPv6AcceptRA]\nUseDNS=no\nUseDomains=no\nDHCPv6Client=no\n\n"
                   "[Address]\nAddress=10.0.1.11/24\nRouteMetric=101\n\n"
                   "[Address]\nAddress=10.0.1.60/32\n\n"
                   "[Address]\nAddress=2001:db8:0:1::11/64\nRouteMetric=101\n"
                   "DuplicateAddressDetection=none\n\n"
                   "[Address]\nAddress=2001:db8:0:1::12/128\nDuplicateAddressDetection=none\n\n"
                   "[Address]\nAddress=2001:db8:0:1::13/128\nDuplicateAddressDetection=none\n\n"
                   "[Route]\nGateway=10.0.1.1\nMetric=101\n\n"
                   "[Route]\nGateway=10.0.1.1\nTable=101\n\n"
                   "[Route]\nDestination=10.0.1.0/24\nScope=link\nTable=101\n\n"
                   "[Route]\nGateway=fe80::2\nTable=101\n\n"
                   "[Route]\nDestination=2001:db8:0:1::/64\nTable=101\n\n"
                   "[RoutingPolicyRule]\nFrom=10.0.1.11\nTable=101\n\n"
                   "[RoutingPolicyRule]\nFrom=10.0.1.60\nTable=101\n\n"
                   "[RoutingPolicyRule]\nFrom=2001:db8:0:1::11\nTable=101\n\n"
                   "[RoutingPolicyRule]\nFrom=2001:db8:0:1::12\nTable=101\n\n"
                   "[RoutingPolicyRule]\nFrom=2001:db8:0:1::13\nTable=101\n");
}

static void network_manager(void **state)
{
    static const char path[] = "/etc/NetworkManager/system-connections/cloudvip-eth1.nmconnection";
    KIT_AUTO(kit_buf) text = KIT_BUF(KIT_PERSIST_BYTES);
    char whole[512];
    struct kit_err err;

    (void)state;
    writes(&kit_persist_nm, 0, true);
    assert_true(kit_str_format(whole, sizeof(whole), "%s%s", root, path));
    assert_int_equal(kit_file_read(whole, KIT_FILE_ANY, &text, &err), 0);
    /* IPv4 does not wait for a router that announces itself. */
    assert_non_null(strstr(text.data, "[ipv6]\nmethod=auto\nroute-metric=101\ndad-timeout=0\n"));
    writes(&kit_persist_nm, 9001, false);
    file_is(path, 0600,
            HEADER
            "\n[connection]\nid=cloudvip-eth1\nuuid=636c6f75-6476-4970-8000-06000a000102\n"
            "type=ethernet\ninterface-name=eth1\nautoconnect=true\nautoconnect-priority=100\n\n"
            "[ethernet]\nmac-address=06:00:0a:00:01:02\nmtu=9001\n\n"
            "[ipv4]\nmethod=manual\nroute-metric=101\nmay-fail=false\naddress1=10.0.1.11/24\n"
            "address2=10.0.1.60/32\nroute1=0.0.0.0/0,10.0.1.1,101\nroute2=0.0.0.0/0,10.0.1.1\n"
            "route2_options=table=101\nroute3=10.0.1.0/24\nroute3_options=table=101\n"
            "routing-rule1=priority 32000 from 10.0.1.11 table 101\n"
            "routing-rule2=priority 32000 from 10.0.1.60 table 101\n\n"
            "[ipv6]\nmethod=manual\nroute-metric=101\nmay-fail=false\ndad-timeout=0\n"
            "addr-gen-mode=eui64\nignore-auto-dns=true\naddress1=2001:db8:0:1::11/64\n"
            "address2=2001:db8:0:1::12/128\naddress3=2001:db8:0:1::13/128\n"
            "route1=::/0,2001:db8:0:1::fff7,101\nroute2=::/0,2001:db8:0:1::fff7\n"
            "route2_options=table=101\nroute3=2001:db8:0:1::/64\nroute3_options=table=101\n"
            "routing-rule1=priority 32000 from 2001:db8:0:1::11 table 101\n"
            "routing-rule2=priority 32000 from 2001:db8:0:1::12 table 101\n"
            "routing-rule3=priority 32000 from 2001:db8:0:1::13 table 101\n");
}

static void network_scripts(void **state)
{
    (void)state;
    writes(&kit_persist_ifcfg, 9001, false);
    file_is("/etc/sysconfig/network-scripts/ifcfg-eth1", 0644,
            HEADER "DEVICE=eth1\nHWADDR=06:00:0a:00:01:02\nTYPE=Ethernet\nBOOTPROTO=none\n"
                   "ONBOOT=yes\nUSERCTL=no\nPEERDNS=no\nDEFROUTE=no\nNM_CONTROLLED=no\nMTU=9001\n"
                   "IPADDR=10.0.1.11\nPREFIX=24\nIPADDR1=10.0.1.60\nPREFIX1=32\nIPV6INIT=yes\n"
                   "IPV6_AUTOCONF=no\nIPV6ADDR=2001:db8:0:1::11/64\n"
                   "IPV6ADDR_SECONDARIES=\"2001:db8:0:1::12/128 2001:db8:0:1::13/128\"\n");
    file_is("/etc/sysconfig/network-scripts/route-eth1", 0644,
            HEADER "default via 10.0.1.1 dev eth1 metric 101\n"
                   "default via 10.0.1.1 dev eth1 table 101\n10.0.1.0/24 dev eth1 table 101\n");
    file_is("/etc/sysconfig/network-scripts/route6-eth1", 0644,
            HEADER "default via 2001:db8:0:1::fff7 dev eth1 metric 101\n"
                   "default via 2001:db8:0:1::fff7 dev eth1 table 101\n"
                   "2001:db8:0:1::/64 dev eth1 table 101\n");
    file_is("/etc/sysconfig/network-scripts/rule-eth1", 0644,
            HEADER "from 10.0.1.11 lookup 101\nfrom 10.0.1.60 lookup 101\n");
    file_is("/etc/sysconfig/network-scripts/rule6-eth1", 0644,
            HEADER "from 2001:db8:0:1::11 lookup 101\nfrom 2001:db8:0:1::12 lookup 101\n"
                   "from 2001:db8:0:1::13 lookup 101\n");
}

static void wicked(void **state)
{
    (void)state;
    writes(&kit_persist_wicked, 0, false);
    file_is("/etc/sysconfig/network/ifcfg-eth1", 0644,
            HEADER "STARTMODE='hotplug'\nBOOTPROTO='static'\nCLOUD_NETCONFIG_MANAGE='no'\n"
                   "IPADDR='10.0.1.11/24'\nIPADDR_1='10.0.1.60/32'\n"
                   "IPADDR_2='2001:db8:0:1::11/64'\nIPADDR_3='2001:db8:0:1::12/128'\n"
                   "IPADDR_4='2001:db8:0:1::13/128'\n");
    file_is("/etc/sysconfig/network/ifroute-eth1", 0644,
            HEADER "default 10.0.1.1 - eth1 metric 101\ndefault 10.0.1.1 - eth1 table 101\n"
                   "10.0.1.0/24 - - eth1 table 101\ndefault 2001:db8:0:1::fff7 - eth1 metric 101\n"
                   "default 2001:db8:0:1::fff7 - eth1 table 101\n"
                   "2001:db8:0:1::/64 - - eth1 table 101\n");
    file_is("/etc/sysconfig/network/ifrule-eth1", 0644,
            HEADER "from 10.0.1.11 table 101\nfrom 10.0.1.60 table 101\n"
                   "from 2001:db8:0:1::11 table 101\nfrom 2001:db8:0:1::12 table 101\n"
                   "from 2001:db8:0:1::13 table 101\n");
}

#define SOURCE "source /etc/network/interfaces.d/*\n"

static void refused(const struct kit_persist_manager *manager, const char *says)
{
    const struct kit_persist_want want = want_of(0, false);
    struct kit_persist_files files = {.count = 0};
    struct kit_err err;

    assert_int_equal(kit_persist_plan(manager, &place, &want, &files, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    if (!strstr(err.msg, says))
        fail_msg("%s", err.msg);
    kit_host_plan_done(&plan);
    plan = (struct kit_host_plan){0};
}

static void ifupdown(void **state)
{
    (void)state;
    put("/etc/network/interfaces", "auto lo\niface lo inet loopback\n");
    refused(&kit_persist_ifupdown, "does not read /etc/network/interfaces.d");
    put("/etc/network/interfaces", "source-directory /etc/network/interfaces.d\n");
    writes(&kit_persist_ifupdown, 0, false);
    put("/etc/network/interfaces", SOURCE "iface eth10 inet dhcp\n");
    put("/etc/network/interfaces.d/50-cloud-init",
        "# iface eth1 inet dhcp\niface eth0 inet dhcp\n");
    put("/etc/network/interfaces.d/cloudvip-eth1", HEADER "old\n");
    writes(&kit_persist_ifupdown, 9001, false);
    put("/etc/network/interfaces", SOURCE "  iface  eth1\tinet dhcp\n");
    refused(&kit_persist_ifupdown,
            "/etc/network/interfaces is not ours, and already configures eth1");
    put("/etc/network/interfaces", SOURCE);
    put("/etc/network/interfaces.d/50-cloud-init", "auto eth1\niface eth1 inet dhcp\n");
    refused(&kit_persist_ifupdown, "/etc/network/interfaces.d/50-cloud-init is not ours");
}

/* ---- who rules ------------------------------------------------------------------------------- */

static void rules(const char *name)
{
    const struct kit_persist_manager *manager = NULL;
    struct kit_err err;

    if (kit_persist_find(&place, &manager, &err) != 0)
        fail_msg("%s", err.msg);
    assert_string_equal(manager->name, name);
}

static void who_rules(void **state)
{
    const struct kit_persist_manager *manager = NULL;
    struct kit_err err;

    (void)state;
    assert_int_equal(kit_persist_find(&place, &manager, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_STATE);
    for (size_t i = 0; kit_persist_managers[i]; i++)
        assert_non_null(strstr(err.msg, kit_persist_managers[i]->name));
    assert_non_null(strstr(err.msg, "--no-persist"));

    put("/etc/network/interfaces", "");
    assert_int_equal(kit_persist_find(&place, &manager, &err), -1); /* and no ifup */
    put("/sbin/ifup", "");
    rules("ifupdown");
    put("/etc/sysconfig/network-scripts/ifup-eth", "");
    rules("network-scripts");
    put("/run/network/ifstate", "");
    rules("ifupdown"); /* it runs, the others are there */
    put("/etc/systemd/system/multi-user.target.wants/NetworkManager.service", "");
    rules("ifupdown");
    put("/run/NetworkManager/x", "");
    rules("NetworkManager");
    put("/run/systemd/netif/x", ""); /* it is always there */
    rules("NetworkManager");
    put("/run/systemd/netif/state", "");
    rules("systemd-networkd");
    put("/run/NetworkManager/devices/2", "[device]\nmanaged=true\n");
    rules("NetworkManager"); /* eth0 is its */
    put("/run/systemd/netif/links/3", "ADMIN_STATE=unmanaged\n");
    rules("NetworkManager");
    put("/run/systemd/netif/links/3", "ADMIN_STATE=configured\n");
    rules("systemd-networkd"); /* eth1 is its */
    put("/run/NetworkManager/devices/3", "[device]\nnm-owned=false\n");
    rules("systemd-networkd");
    place.index = place.primary_index = 0;
    put("/run/wicked/x", "");
    rules("systemd-networkd");
}

static void whose_file(void **state)
{
    static const char path[] = "/etc/systemd/network/05-cloudvip-eth1.network";
    struct kit_err err;
    bool removed = true;

    (void)state;
    assert_int_equal(kit_persist_remove(root, path, &removed, &err), 0);
    assert_false(removed);
    put(path, "[Match]\n");
    refused(&kit_persist_networkd, "05-cloudvip-eth1.network is not ours");
    assert_int_equal(kit_persist_remove(root, path, &removed, &err), -1);
    assert_int_equal(err.kind, KIT_ERR_CONFIG);
    assert_true(is_file(path));
    put(path, HEADER "[Match]\n");
    put("/etc/systemd/network/.05-cloudvip-eth1.network.AbCdEf", "killed");
    put("/etc/systemd/network/.05-cloudvip-eth10.network.AbCdEf", "another's");
    writes(&kit_persist_networkd, 0, false);
    assert_int_equal(kit_persist_remove(root, path, &removed, &err), 0);
    assert_true(removed);
    assert_false(is_file(path));
    assert_false(is_file("/etc/systemd/network/.05-cloudvip-eth1.network.AbCdEf"));
    assert_true(is_file("/etc/systemd/network/.05-cloudvip-eth10.network.AbCdEf"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(networkd, empty_root),
        cmocka_unit_test_setup(network_manager, empty_root),
        cmocka_unit_test_setup(network_scripts, empty_root),
        cmocka_unit_test_setup(wicked, empty_root),
        cmocka_unit_test_setup(ifupdown, empty_root),
        cmocka_unit_test_setup(who_rules, empty_root),
        cmocka_unit_test_setup(whose_file, empty_root),
    };
    return cmocka_run_group_tests_name("host_persist", tests, NULL, no_root);
}
