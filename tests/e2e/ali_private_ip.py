#!/usr/bin/env python3
"""aliyun private-ip in every form: what is taken, what is refused, and what is between the two calls."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402

VIP, VIP6 = "10.0.1.60", "2001:db8:1::60"
LOOK, SUBNET = "DescribeNetworkInterfaces", "DescribeVSwitches"
ASK, TYPES = "DescribeInstances", "DescribeInstanceTypes"
ASSIGN, UNASSIGN = "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"


class Scene:
    """Two nodes in one vSwitch (or, with `world`, in two zones); the address is on the first one's service
    interface."""

    def __init__(self, t, change=None, world="ali-havip", address=VIP, **settings):
        self.t, self.address = t, address
        document = lab.world(world)
        if change:
            change(document["aliyun"])
        self.sim = lab.Sim(t, document)
        self.one, self.two = (lab.Node(t, self.sim, node, provider="aliyun") for node in ("i-node1", "i-node2"))
        self.configure(**settings)
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def configure(self, **settings):
        for node, eni in ((self.one, "eni-svc1"), (self.two, "eni-svc2")):
            node.resource("ip1", **dict({"scenario": "private-ip", "address": self.address, "eni": eni}, **settings))

    def holders(self):
        """The interfaces that have the address."""
        return [e["network_interface_id"] for e in self.sim.state()["aliyun"]["network_interfaces"]
                if self.address in (e.get("private_ips") or []) + (e.get("ipv6") or [])]

    def calls(self, action=None):
        seen = [e["action"] for e in self.sim.log() if e["kind"] in ("vpc", "ecs", "sts")]
        return seen if action is None else seen.count(action)


def test_calls_and_rounds(t):
    with Scene(t) as s:
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.holders(), ["eni-svc2"])
        t.equal(s.calls(), [LOOK, LOOK, ASK, TYPES, UNASSIGN, ASSIGN, LOOK])
        for action, calls in (("quickCheck", [LOOK]), ("restore", [LOOK, LOOK]), ("remove", [LOOK, UNASSIGN, LOOK]),
                              ("remove", [LOOK])):
            s.sim.clear_log()
            t.equal(s.two.run(action, "ip1").status, 0, action)
            t.equal(s.calls(), calls, action)
        t.equal(s.holders(), [])
        s.sim.clear_log()
        t.equal(s.one.run("restore", "ip1").status, 0)
        t.equal(sorted(s.calls()), sorted([LOOK, LOOK, LOOK, SUBNET, ASK, TYPES, ASSIGN, LOOK]))
        t.equal(s.holders(), ["eni-svc1"])


def test_other_addresses_stay(t):
    def of(eni):
        return [e["private_ips"] for e in s.sim.state()["aliyun"]["network_interfaces"] if e["network_interface_id"] == eni][0]

    with Scene(t) as s:
        before = of("eni-svc1"), of("eni-svc2")
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(of("eni-svc1"), [ip for ip in before[0] if ip != VIP])
        t.equal(of("eni-svc2"), before[1] + [VIP])


def test_still_assigned_elsewhere_is_waited_for(t):
    with Scene(t) as s:
        s.sim.faults({"match": {"action": ASSIGN}, "times": 3,
                      "do": {"type": "error", "status": 403, "code": "InvalidIp.IpAssigned", "message": "not yet"}})
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.holders(), ["eni-svc2"])


def test_taken_between_the_two_calls(t):
    with Scene(t) as s:
        event = {"op": "assign_ip", "eni": "eni-node1", "ip": VIP}
        s.sim.faults({"match": {"action": UNASSIGN}, "do": {"type": "op", "event": event}})
        got = s.two.run("restore", "ip1")
        t.equal(got.status, 1)
        t.check("eni-node1" in got.err, "it says who has it")
        t.equal(s.holders(), ["eni-node1"])


def test_a_primary_address_is_never_taken(t):
    for address, owner in (("10.0.1.10", "eni-node1"), ("10.0.1.20", "eni-node2")):
        with t.subtest(owner), Scene(t, address=address) as s:
            got = s.two.run("restore", "ip1")
            t.equal(got.status, 4)
            t.check(address in got.err and owner in got.err and "primary" in got.err, "whose primary address it is")
            t.equal(s.calls(UNASSIGN) + s.calls(ASSIGN), 0)
            t.equal(s.two.run("quickCheck", "ip1").status, 1)
            t.equal(s.two.run("remove", "ip1").status, 0)
            t.equal(s.holders(), [owner])


def test_only_within_the_vswitch(t):
    with t.subtest("held in another one"), Scene(t, world="ali-two-nodes") as s:
        got = s.two.run("restore", "ip1")
        t.equal(got.status, 4)
        t.check("rule 44" in got.err and "vsw-1" in got.err and "vsw-2" in got.err, "which rule, on what")
        t.equal(s.calls(UNASSIGN), 0)
    with t.subtest("idle, and of another one"), Scene(t, address="10.0.9.9") as s:
        got = s.two.run("restore", "ip1")
        t.equal(got.status, 4)
        t.check("rule 44" in got.err and "10.0.1.0/24" in got.err, "which rule, on what")
        t.equal(s.calls(ASSIGN), 0)


def test_our_interface_must_be_attached(t):
    with Scene(t) as s:
        s.sim.do("detach_eni", eni="eni-svc2")
        got = s.two.run("restore", "ip1")
        t.equal(got.status, 4)
        t.check("rule 50" in got.err and "eni-svc2" in got.err, "which rule, on what")
        t.equal(s.holders(), ["eni-svc1"])


def test_from_an_interface_that_is_attached_to_nothing(t):
    with Scene(t) as s:
        s.sim.do("detach_eni", eni="eni-svc1")
        t.equal(s.two.run("quickCheck", "ip1").status, 1)
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.holders(), ["eni-svc2"])


def test_remove_only_what_is_ours(t):
    with Scene(t) as s:
        event = {"op": "assign_ip", "eni": "eni-svc2", "ip": VIP}
        s.sim.faults({"match": {"action": UNASSIGN}, "do": {"type": "op", "event": event, "when": "before"}})
        t.equal(s.one.run("remove", "ip1").status, 0)
        t.equal(s.holders(), ["eni-svc2"], "another node took it meanwhile, and keeps it")


def test_too_many_addresses(t):
    def crowd(ali):
        ali["network_interfaces"][3]["private_ips"] += ["10.0.1.%d" % n for n in range(200, 209)]

    with Scene(t, crowd) as s:
        got = s.two.run("restore", "ip1")
        t.equal(got.status, 4)
        t.check("rule 20: eni-svc2 of i-node2 (ecs.g6.large) has 10 IPv4 addresses of 10" in got.err, "which rule, on what")
        t.equal(s.calls(), [LOOK, LOOK, ASK, TYPES])
        t.equal(s.holders(), ["eni-svc1"], "the old node has not lost it")
        s.sim.do("unassign_ip", eni="eni-svc2", ip="10.0.1.208")
        t.equal(s.two.run("restore", "ip1").status, 0, "there is room now")
        t.equal(s.holders(), ["eni-svc2"])
        s.sim.clear_log()
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.calls(), [LOOK, LOOK], "what is here already needs no room")
    with t.subtest("and it is not known"), Scene(t, crowd) as s:
        s.sim.faults({"match": {"action": TYPES}, "times": 0, "do": {"type": "deny"}})
        got = s.two.run("restore", "ip1")
        t.check(got.status not in (0, 3), "a clear failure, status %d" % got.status)
        t.check("eni-svc1" in got.err and "Ipv4CountExceeded" in got.err, "what was tried, what came back")


def test_a_limit_that_cannot_be_read(t):
    for action in (ASK, TYPES):
        for fault in ({"type": "deny"}, {"type": "http_503"}, {"type": "throttle"}):
            with t.subtest("%s %s" % (action, fault)), Scene(t) as s:
                s.sim.faults({"match": {"action": action}, "times": 0, "do": fault})
                t.equal(s.two.run("restore", "ip1").status, 0, "it is moved all the same")
                t.equal(s.holders(), ["eni-svc2"])


def no_ipv6(ali):
    with_ipv6(ali)
    ali["instance_types"] = [{"instance_type": "ecs.g6.large", "ipv6_per_eni": 0}]


def test_a_type_without_ipv6(t):
    with Scene(t, no_ipv6, address=VIP6) as s:
        got = s.two.run("restore", "ip1")
        t.equal(got.status, 4)
        t.check("rule 20" in got.err and "0 IPv6 addresses of 0" in got.err, "which rule, on what")
        t.equal(s.holders(), ["eni-svc1"])


def with_ipv6(ali):
    ali["vpcs"][0]["ipv6_cidr_block"] = "2001:db8::/56"
    ali["vswitches"][0]["ipv6_cidr_block"] = "2001:db8:1::/64"
    ali["network_interfaces"][1]["ipv6"] = [VIP6]


def test_ipv6(t):
    with Scene(t, with_ipv6, address=VIP6) as s:
        t.equal(s.one.run("quickCheck", "ip1").status, 0)
        t.equal(s.two.run("quickCheck", "ip1").status, 1)
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.holders(), ["eni-svc2"])
        t.equal(s.two.run("remove", "ip1").status, 0)
        t.equal(s.holders(), [])
        t.equal(s.one.run("restore", "ip1").status, 0, "an idle one")
        t.equal(s.holders(), ["eni-svc1"])


if __name__ == "__main__":
    tap.main()
