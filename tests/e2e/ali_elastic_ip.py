#!/usr/bin/env python3
"""aliyun elastic-ip in every form: NAT, cut-through, multi; who may lose it, what is refused, killed anywhere."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

ONE, TWO = "i-node1", "i-node2"
PRIMARY_2, ENI_1, ENI_2 = "eni-node2", "eni-svc1", "eni-svc2"
EIP, PUBLIC = "eip-1", "198.51.100.20"


class Scene:
    """The EIP is on node 1's service interface; both nodes are configured.  `change(world)` first."""

    def __init__(self, t, change=None, delay_ms=None, **settings):
        world = lab.world("ali-two-nodes")
        if delay_ms is not None:
            world["aliyun"]["delays_ms"] = {"eip": delay_ms, "eni": delay_ms}
        if change:
            change(world["aliyun"])
        self.t = t
        self.sim = lab.Sim(t, world)
        self.one = lab.Node(t, self.sim, ONE, provider="aliyun")
        self.two = lab.Node(t, self.sim, TWO, provider="aliyun")
        self.configure(**settings)
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def configure(self, **settings):
        settings.setdefault("address", PUBLIC)
        eni_2 = settings.pop("eni_2", ENI_2)
        self.one.resource("eip1", scenario="elastic-ip", eni=ENI_1, **settings)
        self.two.resource("eip1", scenario="elastic-ip", eni=eni_2, **settings)

    def object(self, kind, key, name):
        return [x for x in self.sim.state()["aliyun"][kind] if x[key] == name][0]

    def eip(self):
        """(instance, type, mode, private address, status)"""
        e = self.object("eips", "allocation_id", EIP)
        return tuple(e.get(k) or "" for k in ("instance_id", "instance_type", "mode", "private_ip", "status"))

    def eni(self, name):
        """(instance, status)"""
        e = self.object("network_interfaces", "network_interface_id", name)
        return e.get("instance_id") or "", e["status"]

    def calls(self):
        return [e["action"] for e in self.sim.log() if e["kind"] in ("vpc", "ecs")]

    def changes(self):
        return [a for a in self.calls() if not a.startswith(("Describe", "List"))]


def test_takes_over_and_gives_back(t):
    with Scene(t) as s:
        t.equal(s.two.run("quickCheck", "eip1").status, 1)
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.eip(), (ENI_2, "NetworkInterface", "NAT", "10.0.2.11", "InUse"))
        t.equal(s.changes(), ["UnassociateEipAddress", "AssociateEipAddress"])
        t.equal(s.two.run("quickCheck", "eip1").status, 0)
        t.equal(s.one.run("quickCheck", "eip1").status, 1)
        t.equal(s.one.run("remove", "eip1").status, 0, "it is not ours")
        t.equal(s.eip()[0], ENI_2)
        t.equal(s.two.run("remove", "eip1").status, 0)
        t.equal(s.eip()[4], "Available")
        t.equal(s.one.run("restore", "eip1").status, 0)
        t.equal(s.eip(), (ENI_1, "NetworkInterface", "NAT", "10.0.1.11", "InUse"))


def test_calls(t):
    with Scene(t, delay_ms=0, private_address="10.0.2.11") as s:
        for action, wanted in (
                ("restore", ["DescribeEipAddresses", "DescribeNetworkInterfaces", "UnassociateEipAddress",
                             "DescribeEipAddresses", "AssociateEipAddress", "DescribeEipAddresses"]),
                ("restore", ["DescribeEipAddresses", "DescribeNetworkInterfaces"]),
                ("quickCheck", ["DescribeEipAddresses"]),
                ("remove", ["DescribeEipAddresses", "UnassociateEipAddress", "DescribeEipAddresses"])):
            s.sim.clear_log()
            t.equal(s.two.run(action, "eip1").status, 0)
            t.equal(sorted(s.calls()[:2]) + s.calls()[2:], sorted(wanted[:2]) + wanted[2:], action)


def test_by_interface(t):
    with Scene(t, delay_ms=0) as s, netns.link(t, s.object("network_interfaces", "network_interface_id", ENI_2)["mac"]) as nic:
        s.two.resource("eip1", scenario="elastic-ip", interface=nic, address=PUBLIC)
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.eip(), (ENI_2, "NetworkInterface", "NAT", "10.0.2.11", "InUse"))
        t.equal(len(s.calls()), 6, "its address comes from the metadata service: %s" % s.calls())
        t.equal(s.two.run("quickCheck", "eip1").status, 0)
    with Scene(t) as s, netns.link(t, s.object("network_interfaces", "network_interface_id", PRIMARY_2)["mac"]) as nic:
        s.two.resource("eip1", scenario="elastic-ip", interface=nic, address=PUBLIC)
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.eip()[:2], (TWO, "EcsInstance"), "a primary interface gets it through its instance")
        t.equal(s.two.run("quickCheck", "eip1").status, 0)
        t.equal(s.two.run("remove", "eip1").status, 0)
        t.equal(s.eip()[4], "Available")


def test_by_allocation_and_private_address(t):
    def second_address(aliyun):
        for e in aliyun["network_interfaces"]:
            if e["network_interface_id"] == ENI_2:
                e["private_ips"].append("10.0.2.60")

    with Scene(t, second_address, address=None, allocation_id=EIP, private_address="10.0.2.60") as s:
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.eip()[3], "10.0.2.60")
        s.configure(address=None, allocation_id=EIP, private_address="10.0.2.11")
        t.equal(s.two.run("quickCheck", "eip1").status, 1, "it is on another of our addresses")
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.eip()[3], "10.0.2.11")


def test_from_and_to_an_instance(t):
    def on_instance(aliyun):
        aliyun["eips"][0].update(instance_id=ONE, instance_type="EcsInstance", private_ip="10.0.1.10")

    with Scene(t, on_instance, eni_2=PRIMARY_2) as s:
        t.equal(s.two.run("quickCheck", "eip1").status, 1)
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.eip()[:2], (TWO, "EcsInstance"), "a primary interface gets it through its instance")
        t.equal(s.two.run("quickCheck", "eip1").status, 0)
        s.configure()
        t.equal(s.two.run("quickCheck", "eip1").status, 1, "the service interface does not have it")
        t.equal(s.two.run("remove", "eip1").status, 0)
        t.equal(s.eip()[0], TWO, "not ours to release")
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.eip()[:2], (ENI_2, "NetworkInterface"))


def test_held_by_what_is_no_node(t):
    def on_havip(aliyun):
        aliyun["eips"][0].update(instance_id="havip-1", instance_type="HaVip", private_ip="")

    with Scene(t, on_havip) as s:
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 4)
        t.check("havip-1" in got.err, "what has it")
        t.equal(s.changes(), [])


def test_locked(t):
    with Scene(t) as s:
        s.sim.do("lock_eip", allocation_id=EIP, reason="financial")
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 4)
        t.check("rule 16" in got.err and "financial" in got.err, "why")
        t.equal(s.changes(), [], "the other node keeps it")
        t.equal(s.one.run("restore", "eip1").status, 0, "where it is it serves")


def test_denied_and_lost(t):
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "AssociateEipAddress"}, "do": {"type": "deny"}})
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 5)
        t.check("AssociateEipAddress" in got.err and "Forbidden.RAM" in got.err, "what was denied")
        for kind in ("lost_answer", "reset", "http_500", "task_conflict", "throttle"):
            for action in ("UnassociateEipAddress", "AssociateEipAddress"):
                with t.subtest("%s: %s" % (action, kind)):
                    s.sim.do("associate", allocation_id=EIP, eni=ENI_1)
                    s.sim.faults({"match": {"action": action}, "do": {"type": kind}})
                    t.equal(s.two.run("restore", "eip1").status, 0)
                    t.equal(s.eip()[0], ENI_2)


def test_another_node_takes_it_meanwhile(t):
    with Scene(t, restore_timeout=20) as s:
        event = {"op": "associate", "allocation_id": EIP, "eni": "eni-move"}
        s.sim.faults({"match": {"action": "UnassociateEipAddress"}, "do": {"type": "op", "event": event, "when": "after"}})
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 1)
        t.check("eni-move" in got.err and ":720015:" in got.err, "the conflict names who has it")
        t.equal(s.changes(), ["UnassociateEipAddress"], "it does not fight")


# ---- cut-through ---------------------------------------------------------------------------------

def expect_cut_through(s):
    s.t.equal(s.eip(), (ENI_2, "NetworkInterface", "BINDED", "10.0.2.11", "InUse"))
    s.t.equal(s.eni(ENI_2), (TWO, "InUse"))


def test_cut_through(t):
    with Scene(t, eip_mode="cut-through") as s:
        t.equal(s.two.run("restore", "eip1").status, 0)
        expect_cut_through(s)
        t.equal(s.changes(), ["UnassociateEipAddress", "DetachNetworkInterface", "AssociateEipAddress",
                              "AttachNetworkInterface"])
        t.equal(s.two.run("quickCheck", "eip1").status, 0)
        s.sim.clear_log()
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.changes(), [], "twice is the same as once")
        s.sim.do("detach_eni", eni=ENI_2)
        t.equal(s.two.run("quickCheck", "eip1").status, 1, "an interface on no instance serves nobody")
        t.equal(s.two.run("recover", "eip1").status, 0)
        expect_cut_through(s)


def test_cut_through_killed_after_any_request(t):
    with Scene(t, delay_ms=0, eip_mode="cut-through") as s:
        s.two.run("restore", "eip1")
        requests = len(s.calls())
        for kind in ("hang", "lost_timeout"):
            for n in range(1, requests + 1):
                with t.subtest("%s at request %d of %d" % (kind, n, requests)):
                    s.sim.do("associate", allocation_id=EIP, eni=ENI_1)
                    s.sim.clear_log()
                    s.sim.faults({"match": {"key": "?*"}, "skip": n - 1, "times": 0, "do": {"type": kind}})
                    running = s.two.start("restore", "eip1")
                    s.sim.wait(n)
                    running.kill()
                    s.sim.faults()
                    t.equal(s.two.run("restore", "eip1").status, 0)
                    expect_cut_through(s)


def test_cut_through_gives_the_interface_back(t):
    with Scene(t, eip_mode="cut-through") as s:
        s.sim.faults({"match": {"action": "AssociateEipAddress"}, "times": 0, "do": {"type": "deny"}})
        t.equal(s.two.run("restore", "eip1").status, 5)
        t.wait_until(lambda: s.eni(ENI_2) == (TWO, "InUse"), "the interface is on its node again")


def test_cut_through_with_a_guest_that_hangs(t):
    with Scene(t, eip_mode="cut-through", restore_timeout=6) as s:
        s.sim.do("set_guest", id=TWO, guest="hung")
        got = s.two.run("restore", "eip1")
        t.check(got.status != 0, "it cannot be bound")
        t.check("stays Detaching" in got.err and TWO in got.err, "why, and which instance")
        s.sim.do("set_guest", id=TWO, guest="ok")
        s.sim.do("detach_eni", eni=ENI_2)
        s.configure(eip_mode="cut-through")
        t.equal(s.two.run("restore", "eip1").status, 0)
        expect_cut_through(s)


def test_cut_through_refused(t):
    def gateway(aliyun):
        aliyun["ipv4_gateways"] = [{"ipv4_gateway_id": "ipv4gw-1", "vpc_id": "vpc-main"}]

    with Scene(t, gateway, eip_mode="cut-through") as s:
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 4)
        t.check("rule 28" in got.err and "ipv4gw-1" in got.err, "why")
        s.configure(eip_mode="cut-through", eni_2=PRIMARY_2)
        t.check("rule 19" in s.two.run("restore", "eip1").err, "a primary interface")
        s.configure(eip_mode="cut-through", eni_2="eni-move")
        t.check("rule 27" in s.two.run("restore", "eip1").err, "another node's interface")
        t.equal(s.changes(), [])


# ---- multi ---------------------------------------------------------------------------------------

def family_g5(aliyun):
    for i in aliyun["instances"]:
        i["instance_type"] = "ecs.g5.large"


def test_multi(t):
    with Scene(t, family_g5, eip_mode="multi") as s:
        got = s.two.cloudvip("plan", "eip1")
        t.equal(got.status, 0)
        t.check("rule 33" in got.out, "it takes no new users")
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.eip()[:3], (ENI_2, "NetworkInterface", "MULTI_BINDED"))
        t.equal(s.two.run("quickCheck", "eip1").status, 0)
        s.two.resource("eip1", scenario="elastic-ip", eni=ENI_2, address=PUBLIC, eip_mode="multi", interface="lo")
        got = s.two.cloudvip("plan", "eip1")
        t.check("rule 38: lo has no %s (mask " % PUBLIC in got.out, "what the guest has to be given")
        s.configure(eip_mode="nat")
        t.equal(s.two.run("restore", "eip1").status, 0, "from one mode to another")
        t.equal(s.eip()[2], "NAT")


def test_multi_refused(t):
    with Scene(t, eip_mode="multi") as s:
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 4)
        t.check("rule 36" in got.err and "ecs.g6" in got.err, "the instance family")
        t.equal(s.changes(), [])


if __name__ == "__main__":
    netns.enter()
    tap.main()
