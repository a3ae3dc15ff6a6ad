#!/usr/bin/env python3
"""aliyun havip with real interfaces: the nodes' announcements, read off the wire, decide who has it.

It runs in a network namespace of its own.  Each node has one end of a cable; at the other end
cloudsim listens as the VPC does.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

ONE, TWO, THREE = "i-node1", "i-node2", "i-node3"
ENI = {ONE: "eni-svc1", TWO: "eni-svc2"}
NIC = {ONE: "node1", TWO: "node2"}
HAVIP, ADDRESS = "havip-1", "10.0.1.50"


class Scene:
    """Node 1 has the HAVIP, and its address; both nodes are bound and configured."""

    def __init__(self, t, change=None, deaf=False, served=True, enis=False, **settings):
        netns.need(t)
        self.t, self.settings = t, settings
        world = lab.world("ali-havip")
        third = dict(world["aliyun"]["instances"][0], instance_id=THREE, name="node3")
        world["aliyun"]["instances"].append(third)
        world["aliyun"]["network_interfaces"].append(
            dict(world["aliyun"]["network_interfaces"][0], network_interface_id="eni-node3", instance_id=THREE,
                 mac="00:16:3e:00:03:00", private_ips=["10.0.1.30"]))
        havip = world["aliyun"]["havips"][0]
        havip["instances"].append(THREE)
        if enis:
            havip.update(instances=sorted(ENI.values()), instance_type="NetworkInterface", master=ENI[ONE])
        if change:
            change(world["aliyun"])
        for node, nic in NIC.items():
            mac = [e["mac"] for e in world["aliyun"]["network_interfaces"]
                   if e["network_interface_id"] == ENI[node]][0]
            netns.wire(nic, mac)
        bound = {n: ENI[n] if enis else n for n in NIC}
        args = [] if deaf else [a for n in NIC for a in ("--segment", "%sp=%s" % (NIC[n], bound[n]))]
        self.sim = lab.Sim(t, world, args=args)
        self.one, self.two = (lab.Node(t, self.sim, n, provider="aliyun") for n in (ONE, TWO))
        self.settings.setdefault("bind_to", "eni" if enis else "instance")
        self.configure()
        if served:
            netns.ip("addr", "add", ADDRESS + "/32", "dev", NIC[ONE])
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.sim.stop()
        finally:
            for nic in NIC.values():
                netns.unwire(nic)

    def configure(self, **more):
        settings = dict(self.settings, scenario="havip", address=ADDRESS)
        settings.update(more)
        for node in (self.one, self.two):
            node.resource("havip1", interface=NIC[node.instance], **settings)

    def havip(self):
        return [h for h in self.sim.state()["aliyun"]["havips"] if h["havip_id"] == HAVIP][0]

    def master(self):
        return self.havip()["master"]

    def up(self, node):
        """Is the address on that node's interface?"""
        return netns.is_up(NIC[node], ADDRESS)

    def changes(self):
        return [e["action"] for e in self.sim.log()
                if e["kind"] != "imds" and not e["action"].startswith("Describe")]

    def calls(self):
        return [e["action"] for e in self.sim.log() if e["kind"] != "imds"]


def expect_looks(s, *others):
    """Who has it; is it here now, once at least: the announcement and a look go different ways; who has it."""
    looks = [action for action in s.calls() if action not in others]
    s.t.equal(set(looks), {"DescribeHaVips"})
    s.t.check(len(looks) >= 3, "looks: %d" % len(looks))


def test_the_announcement_moves_it(t):
    with Scene(t) as s:
        t.equal(s.one.run("quickCheck", "havip1").status, 0)
        t.equal(s.two.run("quickCheck", "havip1").status, 1)
        for node, old, here, there in ((s.two, s.one, TWO, ONE), (s.one, s.two, ONE, TWO)):
            t.equal(old.run("remove", "havip1").status, 0)
            t.check(not s.up(there), "the old node lets go")
            s.sim.clear_log()
            t.equal(node.run("restore", "havip1").status, 0)
            t.equal(s.master(), here)
            t.check(s.up(here), "the address is on the interface")
            expect_looks(s)
            t.equal(node.run("quickCheck", "havip1").status, 0)
            t.equal(old.run("quickCheck", "havip1").status, 1)


def test_a_dead_node_lets_go_of_nothing(t):
    with Scene(t) as s:
        s.sim.do("stop_instance", id=ONE)
        t.equal(s.master(), "")
        t.equal(s.two.run("quickCheck", "havip1").status, 1)
        t.equal(s.two.run("restore", "havip1").status, 0)
        t.equal(s.master(), TWO)


def test_calls(t):
    with Scene(t) as s:
        for action in ("restore", "quickCheck"):
            s.sim.clear_log()
            t.equal(s.one.run(action, "havip1").status, 0)
            t.equal(s.calls(), ["DescribeHaVips"], action)
        s.sim.clear_log()
        t.equal(s.one.run("remove", "havip1").status, 0)
        t.equal(s.sim.log(), [], "remove asks neither the API nor the metadata service")


def test_bound_to_interfaces(t):
    with Scene(t, enis=True) as s:
        t.equal(s.two.run("restore", "havip1").status, 0)
        t.equal(s.master(), ENI[TWO])
        t.equal(s.two.run("quickCheck", "havip1").status, 0)
        t.equal(s.changes(), [])


def test_a_bound_interface_that_no_instance_has(t):
    def idle(ali):
        ali["network_interfaces"].append(
            {"network_interface_id": "eni-idle", "vswitch_id": "vsw-1", "mac": "00:16:3e:00:09:00", "type": "Secondary",
             "private_ips": ["10.0.1.90"], "security_group_ids": ["sg-main"]})
        ali["havips"][0]["instances"].append("eni-idle")

    with Scene(t, idle, enis=True) as s:
        got = s.two.cloudvip("plan", "havip1")
        t.check("rule 6" in got.out and "eni-idle" in got.out, "the plan warns: %s" % got.out)
        t.equal(s.two.run("quickCheck", "havip1").status, 1)
        s.sim.clear_log()
        t.equal(s.two.run("restore", "havip1").status, 0, "a warning refuses nothing")
        t.equal(s.master(), ENI[TWO])
        t.equal(s.calls().count("DescribeNetworkInterfaces"), 1)
        expect_looks(s, "DescribeNetworkInterfaces")
        t.check("rule 6" not in s.two.cloudvip("plan", "havip1").out, "nothing is to be changed: it has no say")
    with t.subtest("denied"), Scene(t, idle, enis=True) as s:
        s.sim.faults({"match": {"action": "DescribeNetworkInterfaces"}, "times": 0, "do": {"type": "deny"}})
        t.equal(s.two.run("restore", "havip1").status, 0, "it is taken over all the same")
        t.equal(s.master(), ENI[TWO])


def test_a_node_that_is_not_bound(t):
    for enis in (False, True):
        with t.subtest("interfaces" if enis else "instances"):
            with Scene(t, enis=enis) as s:
                s.sim.do("unbind_havip", havip=HAVIP, instance=ENI[TWO] if enis else TWO)
                got = s.two.cloudvip("plan", "havip1")
                t.check("bound to this node no -> yes" in got.out, "the plan says so")
                t.equal(s.two.run("restore", "havip1").status, 0)
                t.equal(s.changes(), ["AssociateHaVip"])
                t.equal(s.master(), ENI[TWO] if enis else TWO)


def test_bound_to_the_other_kind_is_refused(t):
    with Scene(t, bind_to="eni") as s:
        got = s.two.run("restore", "havip1")
        t.equal(got.status, 4)
        t.check("rule 4" in got.err and "EcsInstance" in got.err and "bind_to" in got.err, "why, and what to do")
        t.equal(s.changes(), [])
        t.check(not s.up(TWO), "nothing was brought up")


def test_remove_needs_no_cloud(t):
    with Scene(t) as s:
        s.sim.stop()
        got = s.one.run("remove", "havip1", as_lifekeeper=True)
        t.equal(got.status, 0)
        t.check(not s.up(ONE), "the address is off the interface")
        t.has(got.err, ":720034:%s is off %s" % (ADDRESS, NIC[ONE]), "and the log says so")
        t.equal(s.one.run("remove", "havip1").status, 0, "twice is the same as once")


def test_remove_leaves_the_other_node_alone(t):
    with Scene(t) as s:
        t.equal(s.two.run("remove", "havip1").status, 0)
        t.equal(s.master(), ONE)
        t.check(s.up(ONE), "it goes on serving")


def test_an_address_that_was_lost(t):
    with Scene(t) as s:
        t.equal(s.one.run("restore", "havip1").status, 0)
        netns.ip("addr", "del", ADDRESS + "/32", "dev", NIC[ONE])
        t.equal(s.one.run("quickCheck", "havip1").status, 1, "the VPC sends it here, and nothing answers")
        t.equal(s.one.run("recover", "havip1").status, 0)
        t.check(s.up(ONE), "it is there again")


def test_address_with_another_prefix_length(t):
    with Scene(t, served=False) as s:
        netns.ip("addr", "add", ADDRESS + "/24", "dev", NIC[ONE])
        t.equal(s.one.run("quickCheck", "havip1").status, 0)
        t.equal(s.one.run("remove", "havip1").status, 0)
        t.check(not s.up(ONE), "it is off")


def test_the_managers_own_address(t):
    with Scene(t, local_address="no") as s:
        t.equal(s.two.run("restore", "havip1").status, 0)
        t.equal(s.master(), TWO)
        t.check(not s.up(TWO), "bringing it up is another resource's work")
        t.equal(s.two.run("quickCheck", "havip1").status, 0)
        t.equal(s.one.run("remove", "havip1").status, 0)
        t.check(s.up(ONE), "and so is taking it off")


def test_a_wire_that_was_away(t):
    with Scene(t) as s:
        mac = s.sim.interface(ENI[TWO])["mac"]
        netns.wire(NIC[TWO], mac)  # the cloud's end is gone as well, and another one
        t.equal(s.two.run("restore", "havip1").status, 0)
        t.equal(s.master(), TWO)


def test_nobody_hears_the_announcement(t):
    with Scene(t, deaf=True) as s:
        got = s.two.run("restore", "havip1", as_lifekeeper=True, env={"CLOUDVIP_RESTORE_TIMEOUT": "6"})
        t.equal(got.status, 1)
        t.check("announced" in got.err and ONE in got.err, "what was tried, and who has it")
        t.check(not s.up(TWO), "what it brought up it took off again")
        t.check(s.up(ONE), "the other node goes on serving")


def test_nobody_hears_and_then_the_api_is_away(t):
    with Scene(t, deaf=True, restore_timeout=6, api_timeout=3) as s:
        t.equal(s.two.run("restore", "havip1").status, 1, "known: another node has it")
        s.sim.faults({"match": {"action": "DescribeHaVips"}, "skip": 2, "times": 0, "do": {"type": "hang"}})
        t.equal(s.two.run("restore", "havip1").status, 3, "not known any more")
        t.check(not s.up(TWO), "what it brought up it took off again")


def test_another_node_announces_after_us(t):
    with Scene(t, restore_timeout=10) as s:
        event = {"op": "announce", "havip": HAVIP, "instance": THREE}
        s.sim.faults({"match": {"action": "DescribeHaVips"}, "skip": 1, "times": 0,
                      "do": {"type": "op", "event": event, "when": "before"}})
        got = s.two.run("restore", "havip1")
        t.equal(got.status, 1)
        t.check(THREE in got.err and ":720015:" in got.err, "the conflict names who has it")
        t.equal(s.master(), THREE, "it does not fight")


def test_an_interface_that_is_down(t):
    with Scene(t) as s:
        netns.ip("link", "set", NIC[TWO], "down")
        got = s.two.run("restore", "havip1")
        t.equal(got.status, 0)
        t.check(":720022:" in got.err, "it says that it brought the interface up")
        t.equal(s.master(), TWO)
        netns.ip("link", "set", NIC[TWO], "down")
        t.equal(s.two.run("quickCheck", "havip1").status, 1)


def test_not_there(t):
    with Scene(t, havip_id="havip-9") as s:
        got = s.two.run("restore", "havip1")
        t.equal(got.status, 4)
        t.check("havip-9" in got.err and ADDRESS in got.err, "what is missing")
        s.configure(havip_id=HAVIP, address="10.0.1.51")
        got = s.two.run("restore", "havip1")
        t.equal(got.status, 4)
        t.check("%s has the address %s, not 10.0.1.51" % (HAVIP, ADDRESS) in got.err, "the two do not fit")


def test_killed_after_any_request_and_run_again(t):
    with Scene(t) as s:
        for kind in ("hang", "lost_timeout"):
            for n in range(1, 6):  # more of them only if the binding takes longer than the way to the next look
                with t.subtest("%s at request %d" % (kind, n)):
                    s.sim.do("unbind_havip", havip=HAVIP, instance=TWO)
                    s.sim.do("announce", havip=HAVIP, instance=ONE)
                    netns.put(NIC[TWO])
                    s.sim.clear_log()
                    s.sim.faults({"match": {"kind": "vpc"}, "skip": n - 1, "times": 0, "do": {"type": kind}})
                    running = s.two.start("restore", "havip1")
                    s.sim.wait(n)
                    running.kill()
                    s.sim.faults()
                    t.equal(s.two.run("restore", "havip1").status, 0)
                    t.equal(s.master(), TWO)
                    t.check(s.up(TWO), "the address is up")


def test_api_away(t):
    with Scene(t, api_timeout=1, restore_timeout=2) as s:
        s.sim.faults({"match": {"kind": "vpc"}, "times": 0, "do": {"type": "http_503"}})
        t.equal(s.one.run("quickCheck", "havip1").status, 3)
        t.equal(s.one.run("quickCheck", "havip1", as_lifekeeper=True).status, 0)
        t.check(s.two.run("restore", "havip1").status != 0, "it cannot know")
        t.check(not s.up(TWO), "nothing was brought up")


if __name__ == "__main__":
    netns.enter()
    tap.main()
