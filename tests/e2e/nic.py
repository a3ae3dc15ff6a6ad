#!/usr/bin/env python3
"""`cloudvip nic`: interfaces of this host set up as the metadata service has them, and taken back.

It runs in a network and a mount namespace of its own.  What the kernel has is read by iproute2, and
held against what the clouds' pages on configuring ENIs have typed in, in another namespace.
"""
import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402
from nics import HEADER, NETWORKD, PROVIDERS, Scene, dump, elsewhere, facts, put, read  # noqa: E402

# ---- what it makes --------------------------------------------------------------------------------

@tap.cases(PROVIDERS)
def test_as_the_pages_have_it(t, provider):
    """Address by DHCP or by hand, then seed for seed: metric, table, rule."""
    with Scene(t, provider) as s:
        s.nic("setup", "eth1")
        pages = elsewhere(s, [
            "ip link set eth1 up",
            "ip addr add 10.0.1.11/24 dev eth1",
            "ip addr add 10.0.1.60/32 dev eth1",
            "ip -4 route add default via %s dev eth1 metric 101" % s.gateway,
            "ip -4 route add default via %s dev eth1 table 101" % s.gateway,
            "ip -4 rule add from 10.0.1.11 lookup 101",
            "ip -4 rule add from 10.0.1.60 lookup 101"])
        made, typed = facts(dump()), facts(pages)
        # Beyond the pages: the subnet in the own table, and a metric of the subnet's route, without
        # which it would go before that of an eth0 in the same subnet.
        t.equal(made - typed, {"10.0.1.0/24 dev eth1 table 101 scope link",
                               "10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.11 metric 101"})
        t.equal(typed - made, {"10.0.1.0/24 dev eth1 proto kernel scope link src 10.0.1.11"})
        t.check("from 10.0.1.11 lookup 101" in made and "from 10.0.1.60 lookup 101" in made, str(made))


@tap.cases(PROVIDERS)
def test_twice_and_back(t, provider):
    with Scene(t, provider) as s:
        first = s.nic("setup", "eth1")
        t.has(first.out, "eth1 (%s) is set up: metric 101, table 101; kept over a reboot by systemd-networkd" % s.enis[1])
        made = dump()
        kept = read(NETWORKD % "eth1")
        stamp = os.stat(NETWORKD % "eth1").st_mtime_ns
        again = s.nic("setup", "eth1")
        t.has(again.out, "nothing to change")
        t.equal(again.out.count("\n"), 1)
        t.equal(dump(), made)
        t.equal((read(NETWORKD % "eth1"), os.stat(NETWORKD % "eth1").st_mtime_ns), (kept, stamp))
        t.check(kept.startswith(HEADER), kept)
        t.has(s.nic("check", "eth1").out, "OK   rule 47")
        put(NETWORKD % "eth1", kept.replace("10.0.1.60", "10.0.1.61"))
        t.has(s.nic("check", "eth1").out, "WARN rule 47", "what is kept is something else")
        s.nic("unset", "eth1")
        s.unchanged("unset leaves no trace")
        t.check(not os.path.exists(NETWORKD % "eth1"), "nor a file")
        t.has(s.nic("unset", "eth1").out, "nothing to take back")
        got = s.nic("check", "eth1", status=1)
        t.has(got.out, "FAIL rules 25, 46: packets from its addresses leave by it: missing: ip link set dev eth1 up")


@tap.cases(PROVIDERS)
def test_a_dry_run_prints_what_it_would_do(t, provider):
    with Scene(t, provider, ipv6=provider == "aliyun") as s:
        dry = s.nic("setup", "eth1", "--dry-run")
        s.unchanged("a dry run changes nothing")
        t.check(not os.path.exists(NETWORKD % "eth1"), "nor writes anything")
        lines = dry.out.splitlines()
        t.has(lines, "# write " + NETWORKD % "eth1")
        t.check(all(line.startswith(("ip ", "# ")) for line in lines), dry.out)
        wet = s.nic("setup", "eth1")
        t.equal([x for x in wet.out.splitlines() if x.startswith("ip ")], [x for x in lines if x.startswith("ip ")])
        made = facts(dump())
        t.equal(facts(elsewhere(s, lines)), made, "typed in elsewhere it makes the same")
        dry = s.nic("unset", "eth1", "--dry-run")
        t.equal(facts(dump()), made, "a dry run takes nothing back")
        t.equal(facts(elsewhere(s, lines + dry.out.splitlines())), facts(s.before))


@tap.cases(PROVIDERS)
def test_two_of_them(t, provider):
    with Scene(t, provider) as s:
        s.nic("setup", "eth1")
        one = dump()
        got = s.nic("setup", "eth2")
        t.has(got.out, "metric 102, table 102")
        rules = netns.ip("-4", "rule")
        t.has(rules, "from 10.0.1.11 lookup 101")
        t.has(rules, "lookup 102")
        order = [line.split("metric ")[1].strip() for line in netns.ip("-4", "route", "show", "default").splitlines()]
        t.equal(order, ["100", "101", "102"])
        for nic in ("eth1", "eth2"):
            t.has(s.nic("setup", nic).out, "nothing to change")
        s.nic("unset", "eth2")
        t.equal(dump(), one, "the other one stays")
        s.nic("setup", "eth2")
        s.nic("unset", "eth1")
        t.has(s.nic("setup", "eth1").out, "table 101", "the number that is free again")
        s.nic("unset", "eth1")
        s.nic("unset", "eth2")
        s.unchanged()


def test_numbers_that_others_use(t):
    with Scene(t, up=True) as s:
        netns.ip("route", "add", "10.9.0.0/16", "dev", "eth2", "table", "101")
        netns.ip("-6", "rule", "add", "from", "fd00::1", "lookup", "102")
        netns.ip("route", "add", "default", "dev", "eth2", "metric", "103")
        put("/etc/iproute2/rt_tables", "255\tlocal\n104 ours\n#105 not\n")
        t.has(s.nic("setup", "eth1").out, "metric 105, table 105")
        s.nic("unset", "eth1")
        for number, why in (("101", "has routes"), ("102", "a routing rule looks into"), ("103", "has this metric"),
                            ("104", "has a name"), ("100", "has this metric"), ("99", "rule 48"), ("255", "is reserved")):
            t.has(s.nic("setup", "eth1", "--metric", number, status=4).err, why, number)
        netns.ip("-6", "rule", "del", "from", "fd00::1", "lookup", "102")
        t.has(s.nic("setup", "eth1", "--metric", "1001").out, "metric 1001, table 1001")
        t.has(s.nic("setup", "eth1", "--metric", "1002", status=4).err, "is set up with 1001")
        t.has(s.nic("setup", "eth1", "--metric", "1001").out, "nothing to change")


def test_a_primary_interface_with_a_higher_metric(t):
    with Scene(t, metric=1024) as s:
        t.has(s.nic("setup", "eth1").out, "metric 1025, table 1025")
        t.has(netns.ip("route", "get", "10.0.1.99"), "dev eth0")
        t.has(netns.ip("route", "get", "198.51.100.1"), "dev eth0")
        t.has(netns.ip("route", "get", "198.51.100.1", "from", "10.0.1.11"), "dev eth1")
        t.has(netns.ip("route", "get", "10.0.1.99", "from", "10.0.1.60"), "dev eth1")


# ---- IPv6 -----------------------------------------------------------------------------------------

def advertise(t, nic, lifetime_s=1800):
    """A router advertisement (RFC 4861, 4.2) from the other end of the cable."""
    peer = ["-6", "addr", "show", "dev", nic + "p", "scope", "link"]
    t.wait_until(lambda: "fe80::" in netns.ip(*peer) and "tentative" not in netns.ip(*peer), "the router has its address")
    with contextlib.closing(socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)) as s:
        index = socket.if_nametoindex(nic + "p")
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, (nic + "p").encode())
        s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, lifetime_s, 0, 0), ("ff02::1", 0, 0, index))


def default_six(nic):
    return netns.ip("-6", "route", "show", "default", "dev", nic)


def test_ipv6_with_a_gateway_from_the_cloud(t):
    with Scene(t, "aliyun", ipv6=True) as s:
        s.nic("setup", "eth1")
        gateway = "2001:db8:0:1:ffff:ffff:ffff:fff7"
        pages = elsewhere(s, [
            "ip link set eth1 up",
            "ip addr add 10.0.1.11/24 dev eth1 metric 101", "ip addr add 10.0.1.60/32 dev eth1",
            "ip addr add 2001:db8:0:1::11/64 dev eth1 metric 101 nodad",
            "ip addr add 2001:db8:0:1::60/128 dev eth1 nodad",
            "ip -4 route add default via %s dev eth1 metric 101" % s.gateway,
            "ip -4 route add default via %s dev eth1 table 101" % s.gateway,
            "ip -4 route add 10.0.1.0/24 dev eth1 table 101",
            "ip -6 route add default via %s dev eth1 metric 101" % gateway,
            "ip -6 route add default via %s dev eth1 table 101" % gateway,
            "ip -6 route add 2001:db8:0:1::/64 dev eth1 table 101",
            "ip -4 rule add from 10.0.1.11 lookup 101", "ip -4 rule add from 10.0.1.60 lookup 101",
            "ip -6 rule add from 2001:db8:0:1::11 lookup 101", "ip -6 rule add from 2001:db8:0:1::60 lookup 101"])
        t.equal(facts(dump()), facts(pages))
        t.has(netns.ip("-6", "route", "get", "2001:db8:9::1", "from", "2001:db8:0:1::60"), "dev eth1 table 101")
        t.has(s.nic("setup", "eth1").out, "nothing to change")
        s.nic("unset", "eth1")
        s.unchanged()


def test_ipv6_with_a_router_that_advertises_itself(t):
    with Scene(t, ipv6=True, up=True) as s:
        advertise(t, "eth1")
        t.wait_until(lambda: "proto ra" in default_six("eth1"), "the kernel took the advertisement")
        router = re.search(r"via (\S+)", default_six("eth1")).group(1)
        before = dump()
        s.nic("setup", "eth1")
        t.has(netns.ip("-6", "route", "show", "table", "101"), "default via %s dev eth1" % router)
        t.has(netns.ip("-6", "rule"), "from 2001:db8:0:1::11 lookup 101")
        t.equal(len(default_six("eth1").splitlines()), 1, "the main table is the kernel's")
        t.has(read(NETWORKD % "eth1"), "IPv6AcceptRA=yes")
        t.has(s.nic("setup", "eth1").out, "nothing to change")
        s.nic("unset", "eth1")
        t.equal(dump(), before)


def test_ipv6_with_a_router_that_comes_later(t):
    with Scene(t, ipv6=True) as s:
        got = s.nic("setup", "eth1")
        t.has(got.err, "no IPv6 router is known on eth1")
        t.lacks(netns.ip("-6", "rule"), "2001:db8")
        t.has(netns.ip("-4", "rule"), "from 10.0.1.11 lookup 101")
        t.has(s.nic("check", "eth1", status=1).out, "no IPv6 router is known")
        advertise(t, "eth1")
        t.wait_until(lambda: "proto ra" in default_six("eth1"), "the kernel took the advertisement")
        s.nic("setup", "eth1")
        t.has(netns.ip("-6", "rule"), "from 2001:db8:0:1::11 lookup 101")
        s.nic("check", "eth1")
        s.nic("unset", "eth1")
        s.unchanged()


# ---- what is somebody else's ------------------------------------------------------------------------

def test_ipv6_that_is_disabled(t):
    with Scene(t, "aliyun", ipv6=True) as s:
        with open("/proc/sys/net/ipv6/conf/eth1/disable_ipv6", "w") as f:
            f.write("1")
        before = dump()
        got = s.nic("setup", "eth1")
        t.has(got.err, "IPv6 is disabled on eth1: its IPv6 addresses are left out")
        t.check(any("from 10.0.1.11 lookup 101" in line for line in dump()), "IPv4 is set up")
        s.nic("check", "eth1")
        s.nic("unset", "eth1")
        t.equal(dump(), before)


@tap.cases(("resource", "record"))
def test_an_address_that_moves_between_nodes(t, known_by):
    """A protected address is not the interface's own, though the cloud lists it there while it is served here."""
    with Scene(t) as s:
        s.sim.do("assign_ip", eni=s.enis[1], ip="10.0.1.100")
        if known_by == "resource":
            s.node.resource("ip1", scenario="private-ip", address="10.0.1.100", interface="eth1")
        else:  # a cluster manager's, of which no file tells
            put(os.path.join(s.node.rundir, "ip1.json"), json.dumps(
                {"in_service": True, "local": {"interface": "eth1", "address": "10.0.1.100", "ours": True}}))
        got = s.nic("setup", "eth1")
        t.lacks(got.out, "address add 10.0.1.100")
        t.check(not netns.is_up("eth1", "10.0.1.100"), "whoever serves it puts it up")
        t.lacks(read(NETWORKD % "eth1"), "Address=10.0.1.100")
        t.has(got.out, "rule add from 10.0.1.100 lookup 101", "when it is here, it answers by eth1")
        s.nic("check", "eth1")
        with t.subtest("it moves away"):
            kept = read(NETWORKD % "eth1")
            s.sim.do("unassign_ip", eni=s.enis[1], ip="10.0.1.100")
            s.nic("check", "eth1")
            t.has(s.nic("setup", "eth1").out, "nothing to change")
            t.equal(read(NETWORKD % "eth1"), kept)
        s.nic("unset", "eth1")
        s.unchanged()


def test_what_was_there_stays(t):
    """Address, default route and rule by somebody else: counted, and not taken away."""
    with Scene(t, up=True) as s:
        netns.ip("addr", "add", "10.0.1.11/20", "dev", "eth1", "metric", "120")
        netns.ip("route", "add", "default", "via", s.gateway, "dev", "eth1", "metric", "120")
        before = dump()
        got = s.nic("setup", "eth1")
        t.has(got.out, "metric 120, table 120", "its metric is the number of the table")
        t.lacks(got.out, "address add 10.0.1.11")
        t.equal(netns.ip("-4", "route", "show", "default", "dev", "eth1").count("\n"), 1)
        s.nic("unset", "eth1")
        t.equal(dump(), before)
        # All of it, by another tool: nothing is ours.
        netns.ip("addr", "add", "10.0.1.60/32", "dev", "eth1")
        for route in (["default", "via", s.gateway], ["10.0.1.0/24"]):
            netns.ip("route", "add", *route, "dev", "eth1", "table", "7001")
        for address in ("10.0.1.11", "10.0.1.60"):
            netns.ip("rule", "add", "from", address, "lookup", "7001", "priority", "10")
        before = dump()
        t.has(s.nic("setup", "eth1", "--no-persist").out, "table 7001; nothing to change")
        t.equal(s.state(), [])
        s.nic("unset", "eth1")
        t.equal(dump(), before)


def test_another_address_that_would_go_with_ours(t):
    with Scene(t) as s:
        s.nic("setup", "eth1")
        netns.ip("addr", "add", "10.0.1.100/24", "dev", "eth1")
        made = dump()
        put("/proc/sys/net/ipv4/conf/all/promote_secondaries", "0")
        put("/proc/sys/net/ipv4/conf/eth1/promote_secondaries", "0")
        t.has(s.nic("unset", "eth1", status=1).err, "10.0.1.100/24, which is not ours and would go with 10.0.1.11")
        t.equal(dump(), made, "nothing was changed")
        put("/proc/sys/net/ipv4/conf/eth1/promote_secondaries", "1")
        s.nic("unset", "eth1")
        t.check(netns.is_up("eth1", "10.0.1.100"), "it is there still")
        t.has(netns.ip("link", "show", "eth1"), ",UP", "and the interface is up for it")
        t.check(not netns.is_up("eth1", "10.0.1.11"), "and ours is gone")


def test_a_default_route_that_goes_before_the_primarys(t):
    with Scene(t, up=True) as s:
        netns.ip("route", "add", "default", "dev", "eth1", "metric", "50")
        before = dump()
        got = s.nic("setup", "eth1", status=1)
        t.has(got.err, "rule 48: the default route of eth1 has metric 50, that of the primary interface 100")
        t.equal(dump(), before)
        t.equal(s.state(), [])
        got = s.nic("check", "eth1", status=1)
        t.has(got.out, "FAIL rule 48")
        netns.ip("route", "del", "default", "dev", "eth1", "metric", "50")


def test_an_ipv6_default_route_that_goes_before_the_primarys(t):
    with Scene(t, "aliyun", ipv6=True, up=True) as s:
        netns.ip("-6", "route", "add", "default", "via", "fe80::1", "dev", "eth0", "metric", "1024")
        netns.ip("-6", "route", "add", "default", "via", "fe80::1", "dev", "eth1", "metric", "512")
        before = dump()
        t.has(s.nic("setup", "eth1", status=1).err, "rule 48: the IPv6 default route of eth1 has metric 512")
        t.equal((dump(), s.state()), (before, []))
        t.has(s.nic("check", "eth1", status=1).out, "FAIL rule 48")
        netns.ip("-6", "route", "del", "default", "dev", "eth1")
        s.nic("setup", "eth1")
        s.nic("check", "eth1")


def test_a_file_of_somebody_elses(t):
    with Scene(t) as s:
        put(NETWORKD % "eth1", "[Match]\nName=eth1\n")
        t.has(s.nic("setup", "eth1", status=4).err, NETWORKD % "eth1" + " is not ours")
        s.unchanged()
        s.nic("setup", "eth1", "--no-persist")
        s.nic("unset", "eth1")
        t.equal(read(NETWORKD % "eth1"), "[Match]\nName=eth1\n")
        os.unlink(NETWORKD % "eth1")
        s.nic("setup", "eth1")
        t.has(s.nic("check", "eth1").out, "OK   rule 47")
        t.has(s.nic("check", "eth1").out, "OK   rule 60")
        put(NETWORKD % "eth1", "# mine now\n" + read(NETWORKD % "eth1"))
        t.has(s.nic("check", "eth1").out, "WARN rule 47")
        got = s.nic("unset", "eth1")
        t.has(got.err, "is not ours any more")
        t.check(os.path.exists(NETWORKD % "eth1"), "it is left")
        s.unchanged()


def test_the_cloud_has_changed_its_mind(t):
    with Scene(t) as s:
        s.nic("setup", "eth1")
        s.sim.do("unassign_ip", eni=s.enis[1], ip="10.0.1.60")
        s.sim.do("assign_ip", eni=s.enis[1], ip="10.0.1.61")
        t.has(s.nic("check", "eth1", status=1).out, "missing: ip -4 rule del from 10.0.1.60 lookup 101")
        s.nic("setup", "eth1")
        t.check(not netns.is_up("eth1", "10.0.1.60") and netns.is_up("eth1", "10.0.1.61"), "the address went with it")
        rules = netns.ip("rule")
        t.lacks(rules, "10.0.1.60")
        t.has(rules, "from 10.0.1.61 lookup 101")
        t.lacks(read(NETWORKD % "eth1"), "10.0.1.60")
        t.has(s.nic("setup", "eth1").out, "nothing to change")
        s.nic("unset", "eth1")
        s.unchanged()


def test_the_interface_is_gone_or_another(t):
    with Scene(t) as s:
        s.nic("setup", "eth1")
        netns.unwire("eth1")
        t.has(netns.ip("rule"), "from 10.0.1.11")
        s.nic("unset", "eth1")
        t.lacks(netns.ip("rule"), "from 10.0.1.11")
        t.equal(s.state(), [])
        # The name is another's now: nothing of it is touched.
        netns.wire("eth1", s.macs[1])
        s.nic("setup", "eth1")
        netns.unwire("eth1")
        netns.wire("eth1", "06:00:0a:00:01:99")
        netns.ip("addr", "add", "10.0.1.11/24", "dev", "eth1")
        t.has(s.nic("setup", "eth1", status=1).err, "run `cloudvip nic unset eth1` first")
        s.nic("unset", "eth1")
        t.check(netns.is_up("eth1", "10.0.1.11"), "its address is not ours")
        t.lacks(netns.ip("rule"), "from 10.0.1.11")


# ---- killed -----------------------------------------------------------------------------------------

def strace(s, call, number, *words):
    """Runs it until its NUMBERth system call of that name, and kills it there; True: it came so far."""
    env = lab.clean_env(**s.node.env)
    env["ASAN_OPTIONS"] = env.get("ASAN_OPTIONS", "") + ":detect_leaks=0"  # it cannot work under ptrace
    done = subprocess.run(["strace", "-f", "-o", "/dev/null", "-e", "trace=" + call,
                           "-e", "inject=%s:signal=SIGKILL:when=%d" % (call, number), lab.program("cloudvip"), "nic"]
                          + list(words), env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    return done.returncode in (-9, 137)


@tap.cases(("sendto", "renameat,rename,renameat2"))
def test_killed_and_run_again(t, call):
    """Each request to the kernel, each file that is put in its place: killed there, and finished."""
    if not shutil.which("strace"):
        t.skip("needs strace: it kills the program at each of its changes")
    with Scene(t, "aliyun", ipv6=True) as s:
        s.nic("setup", "eth1")
        made, kept = dump(), read(NETWORKD % "eth1")
        s.nic("unset", "eth1")
        s.unchanged()
        for verb in ("setup", "unset"):
            number = killed = 0
            while True:
                number += 1
                if verb == "unset":
                    s.nic("setup", "eth1")
                came = strace(s, call, number, verb, "eth1")
                killed += came
                if came and number % 2 and verb == "setup":  # finished, or taken back from there
                    s.nic("unset", "eth1")
                    s.unchanged("killed at %s %d, then unset" % (call, number))
                    continue
                s.nic(verb, "eth1")
                if verb == "setup":
                    t.equal((dump(), read(NETWORKD % "eth1")), (made, kept), "killed at %s %d" % (call, number))
                    s.nic("unset", "eth1")
                s.unchanged("killed at %s %d of %s" % (call, number, verb))
                t.equal(os.listdir(os.path.dirname(NETWORKD)), [], "nothing is left behind")
                if not came:
                    break
            t.log("%s: killed %d times" % (verb, killed))
            t.check(killed >= (10 if call == "sendto" else 1) or verb == "unset" and call != "sendto",
                    "%s was killed %d times" % (verb, killed))


# ---- refusals ---------------------------------------------------------------------------------------

@tap.cases(PROVIDERS)
def test_what_is_refused(t, provider):
    with Scene(t, provider) as s:
        for words, status, says in (
                (["setup", "eth9"], 1, "there is no interface eth9; there are: "),
                (["setup", "lo"], 1, "it is no ENI"),
                (["setup", "eth1p"], 1, "rule 60: its MAC "),
                (["setup", "eth0"], 1, "is the primary interface"),
                (["setup"], 2, "iface"),
                (["setup", "eth1", "--metric", "0"], 2, "--metric"),
                (["setup", "eth1", "--metrc", "7"], 2, "--metric"),
                (["setup", "eth1", "eth2"], 2, "eth2"),
                (["setpu", "eth1"], 2, "did you mean setup?"),
                ([], 2, "which verb?"),
                (["setup", "eth1", "--resource", "nosuch"], 4, "nosuch")):
            t.has(s.nic(*words, status=status).err, says, " ".join(words))
            s.unchanged(" ".join(words))
        t.has(s.nic("check", "eth0").out, "the primary interface")
        for words in (["--help"], ["setup", "--help"]):
            t.has(s.nic(*words).out, "usage: cloudvip")


def test_another_interface_with_the_same_mac(t):
    with Scene(t) as s:
        if subprocess.call(["ip", "link", "add", "link", "eth1", "name", "over1", "type", "macvlan", "mode", "passthru"]):
            t.skip("needs macvlan: an interface that lies on top of another, and has its MAC")
        before = dump()
        t.has(s.nic("setup", "over1", status=1).err, "have the same MAC")
        s.nic("setup", "eth1")  # what lies on top of it is not meant
        s.nic("unset", "eth1")
        t.equal(dump(), before)
        netns.ip("link", "del", "over1")
        netns.ip("link", "add", "br9", "address", s.macs[1], "type", "bridge")
        try:
            t.has(s.nic("setup", "eth1", status=1).err, "interfaces eth1 and br9 have the same MAC")
        finally:
            netns.unwire("br9")
        s.unchanged()


def test_without_the_right(t):
    if not shutil.which("setpriv"):
        t.skip("needs setpriv: a right is given up")
    with Scene(t) as s:
        for verb in ("setup", "unset"):
            done = subprocess.run(["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin",
                                   lab.program("cloudvip"), "nic", verb, "eth1"], env=lab.clean_env(**s.node.env),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            t.equal(done.returncode, 5)
            t.has(done.stderr.decode(), "needs CAP_NET_ADMIN")
            s.unchanged()


def test_a_read_only_etc(t):
    """Found out before the first change, not by half of them."""
    with Scene(t) as s:
        for words in (["setup", "eth1"], ["unset", "eth1"]):
            subprocess.check_call(["mount", "-o", "remount,ro", "/etc"])
            try:
                before = dump()
                got = s.node.cloudvip("nic", *words)
                t.check(got.status not in (0, 2), repr(got))
                t.has(got.err, NETWORKD % "eth1" + " cannot be written")
                t.equal(dump(), before, words[0])
            finally:
                subprocess.check_call(["mount", "-o", "remount,rw", "/etc"])
            s.nic(*words)
        s.unchanged()


def test_a_name_that_a_shell_would_read(t):
    with Scene(t, manager="ifupdown") as s:
        for name in ("e$(id)", "eth1;id"):
            netns.ip("link", "set", "eth1", "name", name)
            try:
                t.has(s.nic("setup", name, status=4).err, "rename it, or use --no-persist")
                t.equal(s.state(), [])
            finally:
                netns.ip("link", "set", name, "name", "eth1")
        for name in ("../eth1", "a/b", "a:b", ".."):
            for verb in ("setup", "check", "unset"):
                t.has(s.nic(verb, name, status=2).err, "is no name of an interface")


def test_another_name_of_the_same_interface(t):
    with Scene(t) as s:
        if subprocess.call(["ip", "link", "property", "add", "dev", "eth1", "altname", "enp9s1"]):
            t.skip("needs ip(8) and a kernel with alternative names")
        before = dump()
        t.has(s.nic("setup", "enp9s1").out, "eth1 (%s) is set up" % s.enis[1])
        t.has(s.nic("setup", "eth1").out, "nothing to change")
        s.nic("check", "enp9s1")
        t.has(s.nic("unset", "enp9s1").out, "eth1: taken back")
        t.equal((dump(), s.state()), (before, []))


def test_nothing_manages_the_network(t):
    with Scene(t, manager=None) as s:
        got = s.nic("setup", "eth1", status=1)
        for name in ("/run/systemd/netif/state", "/run/NetworkManager", "/run/wicked", "ifup-eth", "/etc/network/interfaces"):
            t.has(got.err, name)
        s.unchanged()
        t.has(s.nic("setup", "eth1", "--no-persist").out, "until the next reboot")
        t.has(s.nic("check", "eth1").out, "WARN rule 47")
        s.nic("unset", "eth1")
        s.unchanged()


def test_the_metadata_service_is_away_or_talks_nonsense(t):
    with Scene(t) as s:
        s.sim.do("set_imds", id=lab.NODE_1, mode="off")
        s.nic("setup", "eth1", status=4)
        s.unchanged()
        s.sim.do("set_imds", id=lab.NODE_1, mode="on")
        for item, body in (("local-ipv4s", "<html>"), ("subnet-ipv4-cidr-block", "10.9.0.0/24")):
            s.sim.faults({"match": {"action": "GET *" + item}, "times": 0, "do": {"type": "error", "status": 200, "body": body}})
            got = s.node.cloudvip("nic", "setup", "eth1")
            t.equal(got.status, 3, repr(got))
            s.unchanged(item)
        s.sim.faults()
        s.nic("setup", "eth1")


def test_json(t):
    with Scene(t) as s:
        got = s.nic("setup", "eth1", "--json").json()
        t.equal((got["status"], got["interface"], got["eni"], got["table"], got["metric"], got["changed"], got["kept_by"]),
                (0, "eth1", s.enis[1], 101, 101, True, "systemd-networkd"))
        t.has(got["commands"], "ip -4 rule add from 10.0.1.11 lookup 101")
        t.equal(got["files"], [NETWORKD % "eth1"])
        t.equal(s.nic("setup", "eth1", "--json").json()["changed"], False)
        t.equal(s.nic("check", "eth1", "--json").json(),
                {"status": 0, "interface": "eth1", "primary": False, "routed": True, "preferred": True, "kept": True,
                 "table": 101, "unrouted": None, "unpreferred": None})
        got = s.nic("unset", "eth1", "--json").json()
        t.equal((got["status"], got["changed"], got["files"]), (0, True, [NETWORKD % "eth1"]))
        got = s.nic("setup", "eth0", "--json", status=1).json()
        t.equal((got["status"], got["error"]["kind"]), (1, "STATE"))


if __name__ == "__main__":
    netns.enter(mounts=True)
    tap.main()
