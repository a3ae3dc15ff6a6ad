#!/usr/bin/env python3
# tests/run: timeout=600
"""The address on this host: up before the cloud points here, announced after, withdrawn first.

Two nodes and a peer on one Ethernet segment, each with a network stack of its own: what the peer's
neighbour table says is what counts.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

CLOUD = "169.254.77.1"  # where the nodes find the simulated cloud: plain http goes to link-local addresses
PEER_MAC = "02:00:5e:00:53:01"
PACEMAKER = {"OCF_RA_VERSION_MAJOR": "1", "OCF_RESKEY_CRM_meta_interval": "10000"}


class RouteTable:
    name, tag, scenario, address, change = "route-table", "vip1", "route-table", "10.1.0.10", "ReplaceRoute"
    subnet, private = "10.0.1.200/24", ("10.0.1.21/24", "10.0.1.22/24")
    nodes = (lab.NODE_1, lab.NODE_2)
    api = {"kind": "ec2"}
    changed = 2 + 3  # requests, the changes among them
    first = 2        # requests that no `change` is among

    def world(self):
        return lab.world("two-nodes")

    def give(self, sim, eni):
        for table in sim.routes(self.address + "/32"):
            sim.do("set_route", table=table, destination=self.address + "/32", eni=eni)

    def holders(self, sim):
        return {target for target, _ in sim.targets(self.address + "/32")}


class RouteTable6(RouteTable):
    name, address = "route-table, IPv6", "fd00:cafe::10"
    subnet, private = "fd00:5e::200/64", ("fd00:5e::21/64", "fd00:5e::22/64")

    def world(self):
        return lab.world("two-nodes-ipv6")

    def give(self, sim, eni):
        for table in sim.routes(self.address + "/128"):
            sim.do("set_route", table=table, destination=self.address + "/128", eni=eni)

    def holders(self, sim):
        return {target for target, _ in sim.targets(self.address + "/128")}


def one_subnet():
    """The two nodes in one subnet, with addresses of both families."""
    world = lab.world("two-nodes")
    subnet = world["aws"]["subnets"][0]
    subnet["ipv6_cidr_block"] = "2001:db8:1::/64"
    for entry in world["aws"]["instances"] + world["aws"]["network_interfaces"]:
        entry["subnet_id"] = subnet["subnet_id"]
        if "private_ips" in entry:
            entry["private_ips"] = [ip.replace("10.0.2.1", "10.0.1.2") for ip in entry["private_ips"]]
    for role in world["aws"]["roles"]:
        role["policy"] = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}
    return world


class PrivateIp:
    name, tag, scenario, address = "private-ip", "ip1", "private-ip", "10.0.1.100"
    change = "AssignPrivateIpAddresses"
    subnet, private = RouteTable.subnet, RouteTable.private
    nodes = (lab.NODE_1, lab.NODE_2)
    api = {"kind": "ec2"}
    changed, first = 1 + 1, 1

    def world(self):
        return one_subnet()

    def give(self, sim, eni):
        sim.do("assign_ip", eni=eni, ip=self.address)

    def holders(self, sim):
        return {e["network_interface_id"] for e in sim.aws()["network_interfaces"]
                if self.address in e["private_ips"] + e.get("ipv6", [])} or {None}


class PrivateIp6(PrivateIp):
    name, address, change = "private-ip, IPv6", "2001:db8:1::100", "AssignIpv6Addresses"
    subnet, private = "2001:db8:1::200/64", ("2001:db8:1::21/64", "2001:db8:1::22/64")
    first = 2  # it is taken off the other node


class HaVip:
    name, tag, scenario, address, change = "havip", "havip1", "havip", "10.0.1.50", None
    subnet, private = RouteTable.subnet, RouteTable.private
    nodes = (lab.ALI_NODE_1, lab.ALI_NODE_2)
    api = {"kind": "vpc"}

    def world(self):
        world = lab.world("ali-havip")
        world["aliyun"]["delays_ms"] = {kind: 0 for kind in ("eip", "havip", "route", "eni", "instance", "snat")}
        return world

    def give(self, sim, node):
        sim.do("bind_havip", havip="havip-1", instance=node)
        sim.do("announce", havip="havip-1", instance=node)

    def holders(self, sim):
        return {sim.havip()["master"]}


class Eip:
    """In multi mode the guest is to have the EIP itself."""

    name, tag, scenario, address, change = "elastic-ip", "eip1", "elastic-ip", "198.51.100.20", "AssociateEipAddress"
    subnet, private = "198.51.100.200/24", RouteTable.private
    nodes = HaVip.nodes
    api = HaVip.api

    def world(self):
        world = HaVip.world(self)
        for instance in world["aliyun"]["instances"]:
            instance["instance_type"] = "ecs.g5.large"
        return world

    def give(self, sim, eni):
        sim.do("associate", allocation_id="eip-1", eni=eni)

    def holders(self, sim):
        return {sim.address("eip-1").get("instance_id") or None}


BESIDE = (RouteTable(), RouteTable6(), PrivateIp(), PrivateIp6())
ALL = BESIDE + (HaVip(),)


class Scene:
    """Node 1 has the address, in the cloud and on its interface; a peer beside them."""

    def __init__(self, t, mover, served=True, **settings):
        netns.need(t)
        self.t, self.mover, self.served = t, mover, served
        self._stack = contextlib.ExitStack()
        try:
            self._build(settings)
        except BaseException:
            self._stack.close()
            raise

    def _build(self, settings):
        mover, t = self.mover, self.t
        world = mover.world()
        provider = "aliyun" if "aliyun" in world else "aws"
        seg = self._stack.enter_context(netns.Segment(CLOUD + "/16"))
        enis = {}
        for node in mover.nodes:
            of_node = [e for e in world[provider]["network_interfaces"]
                       if (e.get("instance_id") or (e.get("attachment") or {}).get("instance_id")) == node]
            enis[node] = of_node[-1]
        self.enis = [enis[node]["network_interface_id"] for node in mover.nodes]
        self.hosts = [seg.host("node%d" % i, enis[node]["mac"], mover.private[i], "169.254.77.1%d/16" % i)
                      for i, node in enumerate(mover.nodes)]
        self.peer = seg.host("peer", PEER_MAC, mover.subnet)
        self.peer.ip("route", "add", mover.address, "dev", self.peer.nic)
        # What it knows does not grow stale by itself while it is watched.
        self.peer.run("sysctl", "-qw", "net.ipv%d.neigh.%s.base_reachable_time_ms=3600000" %
                      (6 if ":" in mover.address else 4, self.peer.nic))
        args = ["--listen", CLOUD + ":0"]
        if mover.scenario == "havip":
            args += [a for host, node in zip(self.hosts, mover.nodes) for a in ("--segment", "%s=%s" % (host.port, node))]
        self.sim = self._stack.enter_context(lab.Sim(t, world, args=args))
        with open(os.path.join(self.sim.dir, "ports")) as f:
            url = "http://%s:%s/" % (CLOUD, f.read().split()[1])
        self.nodes = []
        for host, node in zip(self.hosts, mover.nodes):
            made = lab.Node(t, self.sim, node, endpoint=url, sts_endpoint=url,
                            metadata_endpoint="%s_cloudsim/node/%s/" % (url, node))
            made.prefix = host.prefix
            self.nodes.append(made)
        self.one, self.two = self.nodes
        self.host1, self.host2 = self.hosts
        self.holders = [self.mover.nodes[i] if mover.scenario == "havip" else self.enis[i] for i in (0, 1)]
        self.settings = settings
        self.configure()
        mover.give(self.sim, self.holders[0])
        if self.served:
            t.equal(self.one.run("restore", mover.tag).status, 0)
            t.check(self.up(self.host1), "node 1 has it")
            self.meet(self.host1)
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stack.close()

    def configure(self, **more):
        for node, host in zip(self.nodes, self.hosts):
            settings = dict({"interface": host.nic}, **self.settings)
            if self.mover.scenario == "havip":
                settings.setdefault("bind_to", "instance")
            settings.update(more)
            node.resource(self.mover.tag, scenario=self.mover.scenario, address=self.mover.address,
                          **{k: v for k, v in settings.items() if v is not None})

    def up(self, host):
        return host.has(self.mover.address)

    def speak(self):
        """The peer sends something there, and so asks who has it."""
        self.peer.run(sys.executable, "-c",
                      "import socket, sys\n"
                      "s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)\n"
                      "s.sendto(b'x', (sys.argv[1], 9))", self.mover.address)

    def meet(self, host):
        """The peer has that host's MAC for the address."""
        self.speak()
        self.t.wait_until(lambda: self.peer.neighbour(self.mover.address) == host.mac, "the peer has found it")

    def run(self, node, action, **how):
        return node.run(action, self.mover.tag, **how)

    def changes(self):
        return [a for a in self.sim.api_actions() if not a.startswith("Describe")]


def each(movers=BESIDE, **settings):
    """The test is run for each of them, in a scene of its own with these settings."""
    def mark(test):
        def run(t, mover):
            with Scene(t, mover, **settings) as scene:
                test(t, scene)
        return tap.cases(movers, lambda mover: mover.name)(run)
    return mark


def without_rights(node, *rights):
    """The node's programs lack these capabilities."""
    drop = ",".join("-" + right for right in rights)
    node.prefix = node.prefix + ["setpriv", "--bounding-set", drop]


# ---- moving ------------------------------------------------------------------------------------------

def monitor(t, host, what, name):
    """A running `ip monitor` there; returns its lines so far: [(time, text)]."""
    path = t.path(name)
    with open(path, "wb") as out:
        process = subprocess.Popen(host.prefix + ["ip", "-ts", "monitor", what], stdout=out, stderr=out)

    def end():
        process.kill()
        process.wait()

    def lines():
        found = []
        with open(path) as f:
            for line in f:
                stamp, _, text = line.rstrip("\n").partition("] ")
                if text:
                    found.append((stamp.lstrip("["), text))
        return found
    t.cleanup(end)

    def provoked():
        host.ip("neigh", "replace", "192.0.2.99", "lladdr", PEER_MAC, "dev", host.nic)
        host.ip("neigh", "del", "192.0.2.99", "dev", host.nic)
        return lines()

    t.wait_until(provoked, "the monitor listens")
    return lines


@each(ALL)
def test_the_peer_learns_who_has_it(t, s):
    t.equal(s.peer.neighbour(s.mover.address), s.host1.mac, "as it was")
    seen = monitor(t, s.peer, "neigh", "neigh")
    t.equal(s.run(s.one, "remove").status, 0)
    t.check(not s.up(s.host1), "the old node lets go")
    got = s.run(s.two, "restore")
    ended_s = time.time()
    t.equal(got.status, 0)
    t.check(s.up(s.host2), "the new node has it")
    t.equal(s.mover.holders(s.sim), {s.holders[1]})
    # Nobody spoke: what the peer knows it was told.
    t.wait_until(lambda: s.peer.neighbour(s.mover.address) == s.host2.mac, "the peer knows")
    told = t.wait_until(lambda: [stamp for stamp, text in seen()
                                 if s.mover.address in text.split() and s.host2.mac in text], "the monitor shows it")
    first = time.mktime(time.strptime(told[0].split(".")[0], "%Y-%m-%dT%H:%M:%S")) + float("0." + told[0].split(".")[1])
    print("%s: the peer knew %.1f ms %s restore's end" % (s.mover.name, abs(first - ended_s) * 1000,
                                                          "before" if first < ended_s else "after"))
    s.meet(s.host2)
    t.equal(s.run(s.two, "quickCheck").status, 0)
    t.equal(s.run(s.one, "quickCheck").status, 1)


@each(ALL)
def test_a_dead_node_lets_go_of_nothing(t, s):
    s.host1.ip("link", "set", s.host1.nic, "down")
    t.equal(s.run(s.two, "restore").status, 0)
    t.wait_until(lambda: s.peer.neighbour(s.mover.address) == s.host2.mac, "the peer knows")
    s.meet(s.host2)


@each()
def test_up_before_the_cloud_points_here_and_announced_after(t, s):
    t.equal(s.run(s.one, "remove").status, 0)
    s.sim.clear_log()
    for match, where in ((s.mover.api, 1), ({"action": s.mover.change}, s.mover.changed)):
        with t.subtest("at request %d" % where):
            s.sim.clear_log()
            s.sim.faults({"match": match, "times": 0, "do": {"type": "hang"}})
            running = s.two.start("restore", s.mover.tag)
            s.sim.wait(where)
            # Before it knows that it may, nothing; before the change is answered, it is up.
            t.equal(s.up(s.host2), where > 1)
            t.check(s.holders[1] not in s.mover.holders(s.sim), "the cloud does not know yet")
            t.equal(s.peer.neighbour(s.mover.address), s.host1.mac, "and not announced")
            running.kill()
            s.sim.faults()
    t.equal(s.run(s.two, "restore").status, 0)
    t.wait_until(lambda: s.peer.neighbour(s.mover.address) == s.host2.mac, "announced")


@each()
def test_twice_is_the_same_as_once(t, s):
    sent = monitor(t, s.peer, "neigh", "neigh")
    before = len(sent())
    got = s.run(s.one, "restore")
    t.equal(got.status, 0)
    t.lacks(got.err, ":720033:", "nothing was put up")
    t.equal(s.changes(), [])
    t.equal(len([line for line in sent()[before:] if s.mover.address in line[1].split()]), 0, "nor announced")
    t.check(s.up(s.host1), "it is there")


# ---- whose it is -------------------------------------------------------------------------------------

@each()
def test_two_resources_with_one_address(t, s):
    """As for two accounts or VPCs: it stays on the interface until the last of them is removed."""
    s.one.resource("twin", scenario=s.mover.scenario, address=s.mover.address, interface=s.host1.nic)
    t.equal(s.one.run("restore", "twin").status, 0)
    got = s.run(s.one, "remove")
    t.equal(got.status, 0)
    t.has(got.err, "%s stays on %s: twin serves it here" % (s.mover.address, s.host1.nic))
    t.check(s.up(s.host1), "twin is in service")
    t.equal(s.run(s.one, "remove").status, 0)
    t.check(s.up(s.host1), "twice is the same as once")
    if s.mover.scenario == "route-table":
        t.equal(s.one.run("quickCheck", "twin").status, 0)
    t.equal(s.one.run("remove", "twin").status, 0)
    t.check(not s.up(s.host1), "nobody serves it any more")


@each()
def test_another_process_has_put_it_there(t, s):
    s.host2.ip("addr", "add", s.mover.address, "dev", s.host2.nic)
    got = s.run(s.two, "restore")
    t.equal(got.status, 0)
    t.has(got.err, "by another process: left to it")
    t.equal(s.run(s.two, "quickCheck").status, 0, "it counts")
    got = s.run(s.two, "remove")
    t.equal(got.status, 0)
    t.has(got.err, "WARN:cloudvip:remove:%s:720035:" % s.mover.tag)
    t.check(s.up(s.host2), "and stays")
    got = s.run(s.two, "remove")
    t.has(got.err, ":720035:")
    t.check(s.up(s.host2), "twice is the same as once")


@each(BESIDE + (HaVip(),))
def test_the_record_was_lost(t, s):
    def lose():
        shutil.rmtree(s.one.rundir)
        os.makedirs(s.one.rundir)

    for between in ((), ("quickCheck",), ("restore",), ("quickCheck", "recover")):
        with t.subtest(" ".join(between) or "nothing"):
            if {"restore", "recover"} & set(between) and not netns.keeps_who_put_an_address():
                t.skip("this kernel does not keep who put an address there")
            lose()
            for action in between:
                t.equal(s.run(s.one, action).status, 0)
            t.equal(s.run(s.one, "remove").status, 0)
            t.check(not s.up(s.host1), "it is off")
            t.equal(s.run(s.one, "restore").status, 0)
    with t.subtest("and the interface is found by its MAC"):
        if not netns.keeps_who_put_an_address():
            t.skip("this kernel does not keep who put an address there")
        s.configure(interface=None if s.mover.scenario != "havip" else s.host1.nic)
        lose()
        t.equal(s.run(s.one, "remove").status, 0)
        t.check(not s.up(s.host1), "it is off")
    with t.subtest("nor is what cannot be taken off said to be"):
        s.configure()
        t.equal(s.run(s.one, "restore").status, 0)
        lose()
        without_rights(s.one, "net_admin")
        t.equal(s.run(s.one, "remove", as_lifekeeper=s.mover.scenario == "havip").status, 1)
        s.one.prefix = s.host1.prefix


@each((RouteTable(),), served=False)
def test_what_restore_would_not_have_put_there_stays(t, s):
    s.host1.ip("addr", "add", s.mover.address + "/24", "dev", s.host1.nic)
    for _ in range(2):
        t.has(s.run(s.one, "remove").err, ":720035:")
        t.check(s.up(s.host1), "a whole subnet's")
    with t.subtest("nor what a host has on lo for good"):
        s.host2.ip("addr", "add", s.mover.address, "dev", "lo")
        s.configure(interface=None)
        t.has(s.run(s.two, "remove").err, ":720035:")
        t.has(s.host2.ip("addr", "show", "lo"), s.mover.address)
        s.host2.ip("addr", "del", s.mover.address + "/32", "dev", "lo")
        s.configure()
    with t.subtest("what LifeKeeper's IP kit put there, a person's remove leaves"):
        s.host2.ip("addr", "add", s.mover.address, "dev", s.host2.nic)
        t.equal(s.run(s.two, "restore", as_lifekeeper=True).status, 0)
        for _ in range(2):
            t.has(s.run(s.two, "remove").err, ":720035:")
            t.check(s.up(s.host2), "it is the IP kit's")


@each((RouteTable(), PrivateIp()))
def test_lifekeepers_ip_kit_does_it(t, s):
    t.equal(s.run(s.two, "restore", as_lifekeeper=True).status, 0)
    t.check(not s.up(s.host2), "left to the other resource")
    t.equal(s.run(s.two, "quickCheck", as_lifekeeper=True).status, 0)
    with t.subtest("unless it is asked for"):
        s.configure(local_address="yes")
        t.equal(s.run(s.two, "quickCheck", as_lifekeeper=True).status, 1, "it is not there")
        t.equal(s.run(s.two, "recover", as_lifekeeper=True).status, 0)
        t.check(s.up(s.host2), "now it is")
        t.equal(s.run(s.two, "remove", as_lifekeeper=True).status, 0)
        t.check(not s.up(s.host2), "and now it is not")
    with t.subtest("what a person's restore put up LifeKeeper's remove takes off"):
        s.configure()
        t.equal(s.run(s.two, "restore").status, 0)
        t.check(s.up(s.host2), "a person has no IP kit")
        t.equal(s.run(s.two, "remove", as_lifekeeper=True).status, 0)
        t.check(not s.up(s.host2), "it is off")


@each((RouteTable(), PrivateIp()), served=False, local_address="no")
def test_not_wanted(t, s):
    t.equal(s.run(s.two, "restore").status, 0)
    t.check(not s.up(s.host2), "the cloud alone")
    t.equal(s.run(s.two, "quickCheck").status, 0)
    t.equal(s.run(s.two, "remove").status, 0)


@each((RouteTable(), PrivateIp()))
def test_an_eni_alone_is_found_by_its_mac(t, s):
    s.configure(interface=None, eni=s.enis[1])
    t.equal(s.run(s.two, "restore").status, 0)
    t.check(s.up(s.host2), "on the interface with that MAC")
    s.host2.ip("addr", "del", s.mover.address, "dev", s.host2.nic)
    t.equal(s.run(s.two, "quickCheck").status, 1, "the record knows where")
    t.equal(s.run(s.two, "recover").status, 0)
    t.equal(s.run(s.two, "remove").status, 0)
    t.check(not s.up(s.host2), "and off again")
    with t.subtest("no such interface"):
        s.host2.ip("link", "set", s.host2.nic, "address", "02:00:5e:00:53:99")
        got = s.run(s.two, "restore")
        t.equal(got.status, 0)
        t.has(got.err, "INFO:cloudvip:restore:%s:720036:" % s.mover.tag)
        t.equal(s.run(s.two, "quickCheck").status, 0, "what is on no interface is not asked for")
    with t.subtest("no such interface, and it was asked for"):
        s.configure(interface=None, eni=s.enis[1], local_address="yes")
        s.mover.give(s.sim, s.enis[0])
        got = s.run(s.two, "restore")
        t.equal(got.status, 4)
        t.has(got.err, "local_address = yes")
        t.equal(s.mover.holders(s.sim), {s.enis[0]}, "nothing was taken")


@each((Eip(),), eip_mode="multi", local_address="yes")
def test_a_guest_that_is_to_have_its_eip(t, s):
    def prefix(host):
        return [a["prefixlen"] for link in json.loads(host.ip("-json", "addr", "show", "dev", host.nic))
                for a in link["addr_info"] if a["local"] == s.mover.address]
    gateway = [e for e in s.sim.log() if e["action"] == "DescribeEipGatewayInfo"]
    t.equal(gateway, [], "nothing was asked since")
    t.equal(prefix(s.host1), [24], "with the mask that the cloud tells")
    t.equal(s.run(s.one, "remove").status, 0)
    t.check(not s.up(s.host1), "off again")
    t.has(s.two.cloudvip("plan", "eip1").out, "its mask is told when the cloud points here")
    t.equal(s.run(s.two, "restore").status, 0)
    t.equal(prefix(s.host2), [24])
    t.equal(s.mover.holders(s.sim), {s.holders[1]})
    t.wait_until(lambda: s.peer.neighbour(s.mover.address) == s.host2.mac, "the peer knows")
    s.host2.ip("addr", "flush", "to", s.mover.address, "dev", s.host2.nic)
    t.equal(s.run(s.two, "quickCheck").status, 1, "it was lost")
    t.equal(s.run(s.two, "recover").status, 0)
    t.equal(prefix(s.host2), [24])
    t.equal(s.run(s.two, "quickCheck").status, 0)
    with t.subtest("not unless it is asked for"):
        t.equal(s.run(s.two, "remove").status, 0)
        s.configure(local_address=None)
        t.equal(s.run(s.two, "restore").status, 0)
        t.check(not s.up(s.host2), "the cloud alone")
        t.has(s.two.cloudvip("plan", "eip1").out, "rule 38")


@each((Eip(),), eip_mode="multi", local_address="yes", restore_timeout=6)
def test_a_guest_waits_for_its_mask(t, s):
    """The cloud may tell it later than it points here."""
    nothing = {"type": "error", "status": 200, "body": "{}", "content_type": "application/json"}
    s.sim.faults({"match": {"action": "DescribeEipGatewayInfo"}, "times": 0, "do": nothing})
    got = s.run(s.two, "restore")
    t.check(got.status != 0, "it has no address: %s" % got.status)
    t.has(got.err, "which mask and gateway")
    s.configure(restore_timeout=60)
    s.sim.faults({"match": {"action": "DescribeEipGatewayInfo"}, "times": 2, "do": nothing})
    t.equal(s.run(s.two, "restore").status, 0)
    t.check(s.up(s.host2), "now it has")


@each((Eip(),), served=False, eip_mode="multi")
def test_what_the_guest_needs_is_told(t, s):
    def plan():
        return s.one.cloudvip("plan", "eip1").out
    private = s.mover.private[0].split("/")[0]
    world_private = s.sim.interface(s.enis[0])["private_ips"][0]
    t.log("the ENI has %s, the interface %s" % (world_private, private))
    out = plan()
    t.has(out, "rule 25: what %s answers does not leave by %s" % (world_private, s.host1.nic))
    t.has(out, "rule 37: could not be checked")
    s.host1.ip("route", "add", "default", "via", "10.0.1.253", "dev", s.host1.nic, "table", "1001")
    s.host1.ip("rule", "add", "from", world_private, "lookup", "1001")
    s.host1.ip("addr", "replace", s.mover.private[0], "dev", s.host1.nic, "valid_lft", "3600", "preferred_lft", "3600")
    out = plan()
    t.lacks(out, "rule 25")
    t.lacks(out, "rule 37")


# ---- when restore fails --------------------------------------------------------------------------------

@each()
def test_a_refused_claim_leaves_nothing_up(t, s):
    s.sim.faults({"match": {"action": s.mover.change}, "times": 0, "do": {"type": "deny"}})
    got = s.run(s.two, "restore")
    t.equal(got.status, 5)
    t.has(got.err, ":720034:")
    t.check(not s.up(s.host2), "it is off again")
    t.check(s.up(s.host1), "the old node goes on serving")
    t.lacks(json.loads(s.two.record(s.mover.tag)[s.mover.tag + ".json"]), "local")


@each((RouteTable(),))
def test_half_a_claim_keeps_it_up(t, s):
    s.sim.faults({"match": {"action": s.mover.change}, "skip": 2, "times": 0, "do": {"type": "deny"}})
    got = s.run(s.two, "restore")
    t.equal(got.status, 5)
    t.has(got.err, "WARN:cloudvip:restore:vip1:720038:")
    t.check(s.up(s.host2), "two tables send it here")
    s.sim.faults()
    t.equal(s.run(s.two, "remove").status, 0)
    t.check(not s.up(s.host2), "the next remove takes it off")


@each(restore_timeout=6, api_timeout=3)
def test_a_claim_without_an_answer_keeps_it_up(t, s):
    s.sim.faults({"match": {"action": s.mover.change}, "times": 0, "do": {"type": "lost_answer"}},
                 {"match": {"kind": "ec2"}, "skip": s.mover.first, "times": 0, "do": {"type": "http_503"}})
    got = s.run(s.two, "restore")
    t.check(got.status != 0, "it cannot know: %s" % got.status)
    t.has(got.err, ":720038:")
    t.check(s.up(s.host2), "the cloud may point here")
    s.sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "http_503"}})
    t.equal(s.run(s.two, "remove", as_lifekeeper=True, env={"CLOUDVIP_REMOVE_TIMEOUT": "2"}).status, 0)
    t.check(not s.up(s.host2), "remove does so without the cloud")


@each((RouteTable(), PrivateIp()))
def test_an_address_that_was_taken_back_is_taken_off(t, s):
    steal = {"type": "steal", "eni": s.enis[0]} if s.mover.scenario == "route-table" else \
        {"type": "op", "event": {"op": "assign_ip", "eni": s.sim.eni(s.mover.nodes[0], 0), "ip": s.mover.address}}
    s.configure(restore_timeout=6 if s.mover.scenario == "route-table" else None)
    s.sim.faults({"match": {"action": s.mover.change}, "times": 0, "do": steal})
    got = s.run(s.two, "restore")
    t.equal(got.status, 1)
    t.has(got.err, ":720015:")
    t.check(not s.up(s.host2), "another node has it, for certain")


@each((RouteTable(),))
def test_a_broken_precondition_puts_nothing_up(t, s):
    for table in s.sim.routes("10.1.0.10/32"):
        s.sim.do("delete_route", table=table, destination="10.1.0.10/32")
    t.equal(s.run(s.two, "restore").status, 4)
    t.check(not s.up(s.host2), "nothing")


@each((RouteTable(), HaVip()))
def test_two_rights_are_enough(t, s):
    s.two.prefix = s.two.prefix + ["setpriv", "--bounding-set", "-all,+net_admin,+net_raw"]
    for action in ("restore", "quickCheck", "recover", "remove"):
        got = s.run(s.two, action)
        t.equal(got.status, 0, action)
        t.lacks(got.err, "WARN", "nothing was left out")
        t.equal(s.up(s.host2), action != "remove", action)


@each()
def test_without_the_right_to_put_it_up_nothing_is_taken(t, s):
    without_rights(s.two, "net_admin")
    got = s.run(s.two, "restore")
    t.equal(got.status, 1)
    t.has(got.err, "CAP_NET_ADMIN")
    t.equal(s.changes(), [], "an address that is on no interface serves nobody")
    s.configure(local_address="no")
    t.equal(s.run(s.two, "restore").status, 0, "the way out")


@each((RouteTable(), PrivateIp6()))
def test_without_the_right_to_announce_it_moves(t, s):
    without_rights(s.two, "net_raw")
    got = s.run(s.two, "restore")
    t.equal(got.status, 0)
    t.has(got.err, "WARN:cloudvip:restore:%s:720039:" % s.mover.tag)
    t.check(s.up(s.host2), "it is up")


@each((RouteTable(), PrivateIp()))
def test_an_interface_that_is_down(t, s):
    s.host2.ip("link", "add", "other0", "type", "veth", "peer", "name", "other0p")
    s.host2.ip("link", "set", "other0p", "up")
    s.configure(interface="other0", eni=s.enis[1])
    got = s.run(s.two, "restore")
    t.equal(got.status, 0)
    t.has(got.err, ":720022:")
    t.check(s.host2.has(s.mover.address, "other0"), "on the interface that was asked for")


# ---- quickCheck ----------------------------------------------------------------------------------------

@each(ALL)
def test_an_address_that_was_lost(t, s):
    s.host1.ip("addr", "flush", "to", s.mover.address, "dev", s.host1.nic)
    for fault in (None, {"match": {"kind": "*"}, "times": 0, "do": {"type": "http_503"}}):
        if fault:
            s.sim.faults(fault)
        got = s.run(s.one, "quickCheck", as_lifekeeper=True)
        t.equal(got.status, 1, "whatever the cloud says")
        t.has(got.err, "ERROR:cloudvip:quickCheck:%s:720037:" % s.mover.tag)
        t.has(got.err, "%s is not on %s" % (s.mover.address, s.host1.nic))
    s.sim.faults()
    for command in ("check", "status"):
        got = s.one.cloudvip(command)
        t.has(got.out, "is not on %s" % s.host1.nic, command)
    t.equal(s.one.cloudvip("check").status, 1)
    t.equal(s.one.cloudvip("--json", "check").json()["resources"][0]["local"]["state"], "missing")
    t.equal(s.run(s.one, "recover").status, 0)
    t.check(s.up(s.host1), "it is there again")
    t.equal(s.run(s.one, "quickCheck").status, 0)
    got = s.one.cloudvip("--json", "status").json()[0]
    t.equal(got["local"], {"interface": s.host1.nic, "address": s.mover.address, "state": "up", "ours": True})


@each([mover for mover in ALL if ":" not in mover.address])  # IPv6 addresses go with the link
def test_an_interface_that_went_down(t, s):
    """The address is still on it, and the cloud sends what comes for it there."""
    s.host1.ip("link", "set", s.host1.nic, "down")
    got = s.run(s.one, "quickCheck", env=PACEMAKER)
    t.equal(got.status, 1, "although the cloud cannot be asked")
    t.has(got.err, ":720023:interface %s is down" % s.host1.nic)
    t.has(got.err, "ocf-exit-reason:interface %s is down" % s.host1.nic)


@each((RouteTable(), PrivateIp()))
def test_an_interface_that_is_gone(t, s):
    """LifeKeeper's: who puts the address there has nowhere to put it, and the resource has to move."""
    s.configure(interface="other0", eni=s.enis[1])
    s.host2.ip("link", "add", "other0", "type", "veth", "peer", "name", "other0p")
    s.host2.ip("link", "set", "other0p", "up")
    s.host2.ip("link", "set", "other0", "up")
    t.equal(s.run(s.two, "restore", as_lifekeeper=True).status, 0)
    t.equal(s.run(s.two, "quickCheck", as_lifekeeper=True).status, 0)
    s.host2.ip("link", "del", "other0")
    s.sim.clear_log()
    for action in ("quickCheck", "recover", "restore"):
        got = s.run(s.two, action, as_lifekeeper=True)
        t.equal(got.status, 1, action)
        t.has(got.err, "there is no interface other0")
    t.equal(s.changes(), [], "nothing is moved to where it cannot be served")
    t.equal(s.run(s.two, "remove", as_lifekeeper=True).status, 0)


@each((RouteTable(), HaVip()))
def test_pacemaker_hears_of_it(t, s):
    """Running means that the address is on the interface, too."""
    def monitor(interval_ms):
        env = {"OCF_RA_VERSION_MAJOR": "1", "OCF_RESKEY_CRM_meta_interval": str(interval_ms)}
        return s.run(s.one, "quickCheck", binary=True, env=env).status
    t.equal([monitor(10000), monitor(0)], [0, 0], "running")
    s.host1.ip("addr", "flush", "to", s.mover.address, "dev", s.host1.nic)
    t.equal([monitor(10000), monitor(0)], [1, 7], "failed; and a probe finds nothing")
    t.equal(s.run(s.one, "remove").status, 0)
    t.equal([monitor(10000), monitor(0)], [7, 7], "not running")


@each()
def test_the_plan_shows_it(t, s):
    cidr = s.mover.address + ("/128" if ":" in s.mover.address else "/32")
    t.has(s.two.cloudvip("plan", s.mover.tag).out, "+ %s: %s" % (s.host2.nic, cidr))
    changes = s.two.cloudvip("--json", "plan", s.mover.tag).json()["changes"]
    t.equal(changes[-1], {"place": s.host2.nic, "change": "%s: %s" % (s.host2.nic, cidr)})
    t.check(not s.up(s.host2), "and changes nothing")
    got = s.one.cloudvip("plan", s.mover.tag).out
    t.has(got, "= %s: %s" % (s.host1.nic, cidr))
    t.has(got, "nothing to change")


# ---- remove --------------------------------------------------------------------------------------------

def spoilt(s):
    """Ways in which nobody can be asked."""
    nonsense = "[%s]\nnonsense = 1\n" % s.mover.tag

    def metadata():
        s.sim.do("set_imds", id=s.mover.nodes[0], mode="off")

    def api():
        s.sim.faults({"match": {"kind": "*"}, "times": 0, "do": {"type": "http_503"}})

    def gone():
        os.unlink(os.path.join(s.one.confdir, "resources.d", s.mover.tag + ".conf"))
    return (
        ("metadata", metadata), ("API", api),
        ("ca_file", lambda: s.configure(ca_file="/nonexistent/ca.pem")),
        ("credentials", lambda: s.configure(profile="nosuch")),
        ("provider", lambda: s.configure(provider="auto", metadata_endpoint="http://127.0.0.1:9/")),
        ("settings", lambda: s.one.file("resources.d/%s.conf" % s.mover.tag, nonsense)),
        ("scenario", lambda: s.configure(provider="aws" if s.mover.scenario == "havip" else None, create_route="perhaps")),
        ("no configuration", gone),
        ("no directory", lambda: s.one.env.update(CLOUDVIP_CONFDIR="/nonexistent")),
    )


def test_remove_needs_nobody(t):
    for mover in ALL:
        for n in range(9):
            with t.subtest("%s %d" % (mover.name, n)), Scene(t, mover, remove_timeout=2, api_timeout=1) as s:
                name, spoil = spoilt(s)[n]
                spoil()
                got = s.run(s.one, "remove", as_lifekeeper=True)
                t.equal(got.status, 0, name)
                t.check(not s.up(s.host1), "off, without " + name)
                t.has(got.err, ":720034:%s is off %s" % (mover.address, s.host1.nic))


@each(ALL)
def test_what_cannot_be_taken_off_is_never_said_to_be(t, s):
    without_rights(s.one, "net_admin")
    for how in ({}, {"as_lifekeeper": True}):
        got = s.run(s.one, "remove", **how)
        t.equal(got.status, 1)
        t.has(got.err, "ERROR:cloudvip:remove:%s:720030:" % s.mover.tag)
    if s.mover.scenario == "private-ip":
        t.equal(s.mover.holders(s.sim), {None}, "the cloud is told all the same")
    with t.subtest("nor without a configuration"):
        s.one.file("resources.d/%s.conf" % s.mover.tag, "[%s]\nnonsense = 1\n" % s.mover.tag)
        t.equal(s.run(s.one, "remove", as_lifekeeper=True).status, 1)
    s.one.prefix = s.host1.prefix
    t.equal(s.run(s.one, "remove", as_lifekeeper=True).status, 0, "nothing was forgotten")
    t.check(not s.up(s.host1), "off")


@each((RouteTable(), HaVip()))
def test_nor_while_another_action_has_the_lock(t, s):
    s.sim.faults({"match": s.mover.api, "times": 0, "do": {"type": "hang"}})
    running = s.one.start("restore", s.mover.tag)
    s.sim.wait(1)
    got = s.run(s.one, "remove", as_lifekeeper=True, env={"CLOUDVIP_REMOVE_TIMEOUT": "4"})
    t.equal(got.status, 1)
    t.has(got.err, ":720024:")
    t.check(s.up(s.host1), "whoever has the lock may want it so")
    running.kill()
    s.sim.faults()
    t.equal(s.run(s.one, "remove", as_lifekeeper=True).status, 0)
    t.check(not s.up(s.host1), "off")


@each()
def test_what_would_answer_for_it_goes_too(t, s):
    s.host1.ip("neigh", "add", "proxy", s.mover.address, "dev", s.host1.nic)
    t.equal(s.run(s.one, "remove").status, 0)
    t.equal(s.host1.ip("neigh", "show", "proxy"), "")


# ---- killed --------------------------------------------------------------------------------------------

KILL_AT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* Ends the process in front of its n-th change: a request to the kernel, an announcement, a file. */
static void count(void)
{
    static int n;
    const char *at = getenv("KILL_AT");

    if (at && ++n == atoi(at))
        kill(getpid(), SIGKILL);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
    ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "sendto");
    count();
    return real(fd, data, len, flags, to, to_len);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");
    count();
    return real(from, to);
}
"""


def killer(t):
    """The environment in which a program ends at its n-th change."""
    source, library = t.write("kill_at.c", KILL_AT), t.path("kill_at.so")
    try:
        subprocess.check_call(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"])
    except OSError:
        t.skip("needs a C compiler")
    options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return lambda n: {"LD_PRELOAD": library, "KILL_AT": n, "ASAN_OPTIONS": options}


@each((RouteTable(), PrivateIp6(), HaVip()))
def test_killed_anywhere(t, s):
    at = killer(t)
    dead = {"match": {"kind": "*"}, "times": 0, "do": {"type": "http_503"}}
    t.equal(s.run(s.one, "remove").status, 0)
    s.configure(garp_count=2, remove_timeout=1, api_timeout=1)
    for what in ("remove", "restore", "other"):
        n = 0
        while True:
            n += 1
            t.check(n < 200, "it comes to an end")
            s.sim.faults()
            s.host2.ip("addr", "flush", "to", s.mover.address, "dev", s.host2.nic)
            for name in os.listdir(s.two.rundir):
                os.unlink(os.path.join(s.two.rundir, name))
            s.mover.give(s.sim, s.holders[0])
            if what == "other":
                s.host2.ip("addr", "add", s.mover.address, "dev", s.host2.nic)
            got = s.run(s.two, "restore", env=at(n))
            if got.status == 0:
                break
            t.equal(got.status, -9, "killed at %d" % n)
            if what == "restore":
                t.equal(s.run(s.two, "restore").status, 0, "and run again, after %d" % n)
                t.check(s.up(s.host2), "up, after %d" % n)
                t.equal(s.mover.holders(s.sim), {s.holders[1]})
                t.wait_until(lambda: s.peer.neighbour(s.mover.address) in (None, s.host2.mac), "announced, after %d" % n)
                continue
            s.sim.faults(dead)
            got = s.run(s.two, "remove", as_lifekeeper=True)
            t.equal(got.status, 0)
            t.equal(s.up(s.host2), what == "other" and s.mover.scenario != "havip", "after %d" % n)
        print("%s, then %s: killed at each of %d changes" % (s.mover.name, what, n - 1))
        t.check(n > 3, "there was something to kill")


@each((RouteTable(), PrivateIp6(), HaVip()))
def test_a_remove_killed_anywhere(t, s):
    at = killer(t)
    n = 0
    while True:
        n += 1
        t.check(n < 50, "it comes to an end")
        t.equal(s.run(s.one, "restore").status, 0)
        got = s.run(s.one, "remove", env=at(n))
        if got.status == 0:
            break
        t.equal(s.run(s.one, "remove").status, 0, "and run again, after %d" % n)
        t.check(not s.up(s.host1), "off, after %d" % n)
    t.check(n > 2, "there was something to kill")


if __name__ == "__main__":
    netns.enter()
    tap.main()
