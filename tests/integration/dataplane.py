#!/usr/bin/env python3
"""cloudsim --dataplane: the routes of a real network namespace follow what the API says."""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

VIP = "10.1.0.10"
EIP, ALLOCATION = "203.0.113.10", "eipalloc-0aa00000000000001"
TABLES = ("rtb-0aa00000000000001", "rtb-0aa00000000000002", "rtb-0aa00000000000003")
DELAY_MS = 400  # of a state between, where there are any
ENI_1, ENI_2 = "eni-0bb00000000000001", "eni-0bb00000000000002"
# Who asks: a host of a subnet with a table of its own, and one of none.
IN_SUBNET, OUTSIDE = ("10.0.1.77", "r1"), ("10.0.9.9", "r9")


class Router:
    """A namespace with a wire into each subnet; its name is a path below /proc."""

    def __init__(self, t):
        netns.need(t)
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "1000"])
        t.cleanup(self.end)
        self.path = "/proc/%d/ns/net" % self.holder.pid
        mine = os.stat("/proc/self/ns/net").st_ino
        t.wait_until(lambda: os.stat(self.path).st_ino != mine, "the namespace is there")
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.ip("link", "set", "lo", "up")
        for n in (1, 2, 9):
            self.wire(n)

    def end(self):
        self.holder.kill()
        self.holder.wait()

    def wire(self, n):
        self.ip("link", "add", "r%d" % n, "type", "veth", "peer", "name", "r%dp" % n)
        self.ip("addr", "add", "10.0.%d.1/24" % n, "dev", "r%d" % n)
        for name in ("r%d", "r%dp"):
            self.ip("link", "set", name % n, "up")

    def run(self, *command):
        done = subprocess.run(["nsenter", "--net=" + self.path] + list(command), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False)
        return done.stdout.decode() if done.returncode == 0 else ""

    def ip(self, *args):
        return self.run("ip", *args)

    def way(self, address, asker=OUTSIDE):
        """The next hop of a packet; "dropped"; "" if nobody answers for it there."""
        text = self.ip("-json", "route", "get", address, "from", asker[0], "iif", asker[1])
        found = json.loads(text)[0] if text.startswith("[") else {"type": "blackhole"}
        if found.get("type") == "blackhole":
            return "dropped"
        return found.get("gateway", "")

    def ours(self):
        return self.ip("route", "show", "table", "all", "proto", "201") + "".join(
            line for line in self.ip("rule").splitlines(True) if " lookup 10" in line)


def scene(t, world="two-nodes", *args):
    router = Router(t)
    sim = t.use(lab.Sim(t, world=world, args=["--dataplane", router.path] + list(args)))
    return router, sim


def test_a_route_follows_the_api(t):
    router, sim = scene(t)
    t.equal(router.way(VIP), "10.0.1.11")
    two = lab.Node(t, sim, lab.NODE_2)
    two.resource("vip1", scenario="route-table", address=VIP)
    log = t.path("monitor")
    with open(log, "wb") as out:
        monitor = subprocess.Popen(["nsenter", "--net=" + router.path, "ip", "-o", "monitor", "route"], stdout=out)
    t.cleanup(monitor.wait)
    t.cleanup(monitor.kill)

    def seen():
        with open(log) as f:
            return [line for line in f.read().splitlines() if VIP in line]

    def settled():  # the monitor hears: something that it must have heard is in its log
        sim.do("set_route", table=TABLES[0], destination="10.1.0.99/32", eni=ENI_1)
        sim.do("delete_route", table=TABLES[0], destination="10.1.0.99/32")
        with open(log) as f:
            return "10.1.0.99" in f.read()

    t.wait_until(settled, "ip monitor listens")
    t.equal(two.run("restore", "vip1").status, 0)
    t.equal(router.way(VIP), "10.0.2.11", "as soon as the API has answered")
    t.equal(router.way(VIP, IN_SUBNET), "10.0.2.11")
    t.wait_until(lambda: len(seen()) >= len(TABLES), "every table is replaced")
    t.check(not any("Deleted" in line for line in seen()), "in place: %s" % seen())
    changes = [c for c in sim.control("GET", "dataplane")[1]["changes"] if c["destination"] == VIP + "/32"]
    t.equal(sorted((c["table"], c["next_hop"], c["holder"]) for c in changes[-3:]),
            [(table, "10.0.2.11", ENI_2) for table in TABLES])


def test_the_table_of_the_source_decides(t):
    router, sim = scene(t)
    sim.do("set_route", table=TABLES[0], destination=VIP + "/32", eni=ENI_2)
    t.equal(router.way(VIP, IN_SUBNET), "10.0.2.11")
    t.equal(router.way(VIP), "10.0.1.11", "everybody else's is the main table")


def test_what_has_no_holder_is_dropped(t):
    router, sim = scene(t)
    t.equal(router.way(EIP), "10.0.1.11")
    sim.do("stop_instance", id=lab.NODE_1)
    t.equal((router.way(VIP), router.way(EIP)), ("dropped", "dropped"))
    sim.do("start_instance", id=lab.NODE_1)
    t.equal((router.way(VIP), router.way(EIP)), ("10.0.1.11", "10.0.1.11"))
    sim.do("associate", allocation_id=ALLOCATION, eni=ENI_2)
    t.equal(router.way(EIP), "10.0.2.11")
    sim.do("disassociate", allocation_id=ALLOCATION)
    t.equal(router.way(EIP), "dropped")
    sim.do("detach_eni", eni=ENI_1)
    t.equal(router.way(VIP), "dropped")
    sim.do("attach_eni", eni=ENI_1, instance=lab.NODE_2, device_index=2)
    t.equal(router.way(VIP), "10.0.1.11", "the interface is reached by its own address, wherever it is")
    for table in TABLES:
        sim.do("delete_route", table=table, destination=VIP + "/32")
    t.check("10.1.0.10" not in router.ours(), "it is gone")


def test_private_addresses(t):
    router, sim = scene(t)
    t.equal(router.way("10.0.1.60"), "", "on the wire, as yet")
    sim.do("assign_ip", eni=ENI_1, ip="10.0.1.60")
    t.equal(router.way("10.0.1.60"), "10.0.1.11")
    sim.do("unassign_ip", eni=ENI_1, ip="10.0.1.60")
    t.equal(router.way("10.0.1.60"), "")


def test_reached_otherwise(t):
    router, sim = scene(t, "two-nodes", "--reach", ENI_1 + "=10.0.9.21", "--reach", lab.NODE_2 + "=10.0.9.22")
    t.equal((router.way(VIP), router.way("10.0.1.11")), ("10.0.9.21", "10.0.9.21"))
    sim.do("associate", allocation_id=ALLOCATION, eni=ENI_2)
    t.equal(router.way(EIP), "10.0.9.22", "by its instance")


def test_a_next_hop_that_cannot_be_reached(t):
    router, sim = scene(t, "two-nodes", "--reach", ENI_2 + "=10.0.5.2")
    sim.do("set_route", table=TABLES[2], destination=VIP + "/32", eni=ENI_2)
    t.equal(router.way(VIP), "dropped", "not where it went before")
    errors = [c for c in sim.control("GET", "dataplane")[1]["changes"] if c.get("error")]
    t.check(VIP + "/32" in [c["destination"] for c in errors], errors)
    router.wire(5)
    t.wait_until(lambda: router.way(VIP) == "10.0.5.2", "it is tried again")


def test_aliyun_states_between(t):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["delays_ms"] = {"route": DELAY_MS, "eip": DELAY_MS}
    router, sim = scene(t, world)
    t.equal(router.way(VIP), "10.0.1.11")
    two = lab.Node(t, sim, lab.ALI_NODE_2)
    two.resource("vip1", scenario="route-table", address=VIP)
    two.resource("eip1", scenario="elastic-ip", address="198.51.100.20")
    t.equal(two.run("restore", "vip1").status, 0)
    t.equal(router.way(VIP), "10.0.2.11")
    asked = {e["params"]["RouteTableId"]: e["start_ms"] for e in sim.log(action="ModifyRouteEntry", status=200)}
    changed = {c["table"]: c["at_ms"] for c in sim.control("GET", "dataplane")[1]["changes"]
               if c["destination"] == VIP + "/32" and c["next_hop"] == "10.0.2.11"}
    t.equal(sorted(changed), sorted(asked))
    for table, at_ms in changed.items():
        # What is due is counted in whole milliseconds.
        t.check(at_ms > asked[table] + DELAY_MS - 1, "%s: not before it is Available: %s" % (table, at_ms))
    t.equal(router.way("198.51.100.20"), "10.0.1.11")
    t.equal(two.run("restore", "eip1").status, 0)
    t.equal(router.way("198.51.100.20"), "10.0.2.11")
    ways = [c["next_hop"] for c in sim.control("GET", "dataplane")[1]["changes"] if c["destination"] == "198.51.100.20/32"]
    t.equal(ways, ["10.0.1.11", "dropped", "10.0.2.11"])


def test_effective_without_a_request(t):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["delays_ms"] = {"route": 300}
    router, sim = scene(t, world)
    two = lab.Node(t, sim, lab.ALI_NODE_2)
    two.resource("vip1", scenario="route-table", address=VIP)
    sim.faults({"match": {"action": "ModifyRouteEntry"}, "times": 0, "do": {"type": "lost_timeout"}})
    running = two.start("restore", "vip1")
    t.wait_until(lambda: sim.routes(VIP + "/32")["vtb-1"] != ("eni-svc1", "Available"), "the first one is changed")
    running.kill()
    t.wait_until(lambda: router.way(VIP, ("10.0.1.77", "r1")) == "10.0.2.11", "nobody asks, and it is done")


def test_havip(t):
    router, sim = scene(t, "ali-havip")
    t.equal(router.way("10.0.1.50"), "10.0.1.10")
    sim.do("announce", havip="havip-1", instance="i-node2")
    t.equal(router.way("10.0.1.50"), "10.0.1.20")
    sim.do("stop_instance", id="i-node2")
    t.equal(router.way("10.0.1.50"), "dropped", "it has no master")


def test_ipv6(t):
    router = Router(t)
    for n in (1, 2):
        router.ip("-6", "addr", "add", "2001:db8:0:%d::ff/64" % n, "dev", "r%d" % n, "nodad")
    reach = []
    for n, eni in ((1, ENI_1), (2, ENI_2)):
        reach += ["--reach", "%s=2001:db8:0:%d::11" % (eni, n)]
    sim = t.use(lab.Sim(t, world="two-nodes-ipv6", args=["--dataplane", router.path] + reach))
    sim.do("set_route", table=TABLES[2], destination="fd00:cafe::10/128", eni=ENI_2)
    route = [r for r in sim.control("GET", "dataplane")[1]["routes"]
             if r["destination"] == "fd00:cafe::10/128" and r["table"] == TABLES[2]][0]
    shown = router.ip("-6", "route", "show", "table", str(route["kernel_table"]))
    t.has(shown, "fd00:cafe::10 via 2001:db8:0:2::11")
    sim.do("stop_instance", id=lab.NODE_2)
    t.has(router.ip("-6", "route", "show", "table", str(route["kernel_table"])), "blackhole fd00:cafe::10")


def test_it_leaves_nothing_behind(t):
    router, sim = scene(t)
    t.check("10.1.0.10" in router.ours() and "lookup 1000" in router.ours(), router.ours())
    sim.stop()
    t.equal(router.ours(), "")


def test_a_wrong_command_line(t):
    netns.need(t)
    world = os.path.join(lab.WORLDS, "two-nodes.json")
    for status, args in ((2, ["--reach", "eni-1=10.0.0.1"]), (2, ["--dataplane", ".", "--reach", "eni-1=nowhere"]),
                         (1, ["--dataplane", "there-is-none"])):
        done = subprocess.run([lab.program("cloudsim"), "--listen", "127.0.0.1:0", "--world", world] + args,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30,
                              env=lab.clean_env(), check=False)
        t.equal(done.returncode, status, "%s: %s" % (args, done.stderr.decode()))


if __name__ == "__main__":
    netns.enter()
    tap.main()
