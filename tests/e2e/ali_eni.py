#!/usr/bin/env python3
"""aliyun eni in every form: the states on the way, a guest that does not let go, what is refused."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402

ENI = "eni-move"
LOOK, ASK, TYPES = "DescribeNetworkInterfaces", "DescribeInstances", "DescribeInstanceTypes"
DETACH, ATTACH = "DetachNetworkInterface", "AttachNetworkInterface"


class Scene:
    """Two nodes in one zone (or, with `world`, in two); the movable interface is on the first one."""

    def __init__(self, t, change=None, world="ali-havip", delay_ms=0, eni=ENI, **settings):
        self.t = t
        document = lab.world(world)
        document["aliyun"]["delays_ms"] = {"eni": delay_ms}
        if change:
            change(document["aliyun"])
        self.sim = lab.Sim(t, document)
        self.one, self.two = (lab.Node(t, self.sim, node, provider="aliyun") for node in ("i-node1", "i-node2"))
        for node in (self.one, self.two):
            node.resource("eni1", scenario="eni", eni=eni, **settings)
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def where(self, eni=ENI):
        """(instance, status)"""
        return [(e.get("instance_id") or None, e["status"]) for e in self.sim.state()["aliyun"]["network_interfaces"]
                if e["network_interface_id"] == eni][0]

    def calls(self, action=None):
        seen = [e["action"] for e in self.sim.log() if e["kind"] in ("vpc", "ecs", "sts")]
        return seen if action is None else seen.count(action)


HERE = ("i-node2", "InUse")
THERE = ("i-node1", "InUse")


def test_calls_and_rounds(t):
    with Scene(t) as s:
        t.equal(s.two.run("restore", "eni1").status, 0)
        t.equal(s.where(), HERE)
        t.equal(sorted(s.calls()), sorted([LOOK, ASK, TYPES, DETACH, LOOK, ATTACH, LOOK, LOOK]))
        for action, calls in (("quickCheck", [LOOK]), ("restore", [ASK, LOOK]), ("remove", [LOOK, DETACH, LOOK, LOOK]),
                              ("remove", [LOOK])):
            s.sim.clear_log()
            t.equal(s.two.run(action, "eni1").status, 0, action)
            t.equal(sorted(s.calls()), sorted(calls), action)
        t.equal(s.where(), (None, "Available"))


def test_states_that_take_time(t):
    with Scene(t, delay_ms=400) as s:
        t.equal(s.two.run("restore", "eni1").status, 0)
        t.equal(s.where(), HERE)
        t.equal(s.calls(DETACH), 1)
        t.equal(s.calls(ATTACH), 1)
        for action, kind in ((DETACH, "lost_timeout"), (ATTACH, "lost_timeout"), (DETACH, "hang"), (ATTACH, "hang")):
            with t.subtest("killed, %s %s" % (action, kind)):
                s.sim.do("attach_eni", eni=ENI, instance="i-node1")
                s.sim.clear_log()
                s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": kind}})
                running = s.two.start("restore", "eni1")
                t.wait_until(lambda: s.calls(action) > 0, action)
                running.kill()
                s.sim.faults()
                t.equal(s.two.run("restore", "eni1").status, 0)
                t.equal(s.where(), HERE)


def test_between_two_states_is_not_here(t):
    with Scene(t) as s:
        for status in ("Attaching", "Detaching"):
            s.sim.do("set_status", id=ENI, status=status)
            t.equal(s.one.run("quickCheck", "eni1").status, 1, status)


def test_a_guest_that_does_not_let_go(t):
    def hung(ali):
        ali["instances"][0]["guest"] = "hung"

    with Scene(t, hung, restore_timeout=5) as s:
        got = s.two.run("restore", "eni1")
        t.equal(got.status, 3, "the deadline came before an end")
        t.check("Detaching" in got.err and "i-node1" in got.err and "restart or stop" in got.err, "what it is, what helps")
        t.equal(s.two.run("restore", "eni1", as_lifekeeper=True, env={"CLOUDVIP_RESTORE_TIMEOUT": "5"}).status, 1)
        t.equal(s.where(), ("i-node1", "Detaching"))
        t.equal(s.calls(ATTACH), 0)
        s.two.resource("eni1", scenario="eni", eni=ENI)
        s.sim.clear_log()
        running = s.two.start("restore", "eni1")
        t.wait_until(lambda: s.calls(LOOK) > 2, "it waits")
        s.sim.do("stop_instance", id="i-node1")
        t.equal(running.wait().status, 0, "whoever fences the old node lets it go on")
        t.equal(s.where(), HERE)


def test_a_node_that_is_stopped(t):
    with Scene(t) as s:
        s.sim.do("stop_instance", id="i-node1")
        t.equal(s.two.run("restore", "eni1").status, 0)
        t.equal(s.where(), HERE)


def test_an_attachment_that_fails(t):
    with Scene(t, delay_ms=60000) as s:
        s.sim.do("detach_eni", eni=ENI)
        running = s.two.start("restore", "eni1")
        t.wait_until(lambda: s.where()[1] == "Attaching", "it is attaching")
        looks = s.calls(LOOK)
        t.wait_until(lambda: s.calls(LOOK) > looks + 1, "that was seen")
        s.sim.do("detach_eni", eni=ENI)
        got = running.wait()
        t.equal(got.status, 1)
        t.check("Available again" in got.err and "i-node2" in got.err, "what happened")
        t.equal(s.calls(ATTACH), 1)


def test_taken_by_a_third_meanwhile(t):
    def third(ali):
        ali["instances"].append(dict(ali["instances"][0], instance_id="i-node3", name="node3"))
        ali["network_interfaces"].append({"network_interface_id": "eni-node3", "vswitch_id": "vsw-1", "type": "Primary",
                                          "mac": "00:16:3e:00:03:00", "instance_id": "i-node3",
                                          "private_ips": ["10.0.1.30"], "security_group_ids": ["sg-main"]})

    with Scene(t, third) as s:
        event = {"op": "attach_eni", "eni": ENI, "instance": "i-node3"}
        s.sim.faults({"match": {"action": DETACH}, "do": {"type": "op", "event": event}})
        got = s.two.run("restore", "eni1")
        t.equal(got.status, 1)
        t.check("i-node3" in got.err, "it says who has it")
        t.equal(s.where(), ("i-node3", "InUse"))
        t.equal(s.calls(DETACH), 1)


def test_rules(t):
    def slow_type(ali):
        ali["instances"][1]["io_optimized"] = False

    rows = (("rule 51", {"eni": "eni-node1"}), ("rule 53", {"world": "ali-two-nodes"}), ("rule 56", {"change": slow_type}))
    for rule, scene in rows:
        with t.subtest(rule), Scene(t, **scene) as s:
            got = s.two.run("restore", "eni1")
            t.equal(got.status, 4)
            t.check(rule in got.err and scene.get("eni", "i-node2") in got.err, "which rule, on what")
            t.equal(s.calls(DETACH) + s.calls(ATTACH), 0)


def full(ali):
    """Node 2's type takes no more interfaces than it has."""
    ali["instances"][1]["instance_type"] = "ecs.g6.tiny"
    ali["instance_types"] = [{"instance_type": "ecs.g6.tiny", "eni_quantity": 2}]


def test_a_full_instance(t):
    with Scene(t, full) as s:
        got = s.two.run("restore", "eni1")
        t.equal(got.status, 4)
        t.check("rule 20: i-node2 (ecs.g6.tiny) has 2 interfaces of 2" in got.err, "which rule, on what")
        t.equal(sorted(s.calls()), sorted([LOOK, ASK, TYPES]))
        t.equal(s.where(), THERE, "the old node has not lost it")
        s.sim.do("detach_eni", eni="eni-svc2")
        t.equal(s.two.run("restore", "eni1").status, 0, "there is room now")
        t.equal(s.where(), HERE)
        s.sim.clear_log()
        t.equal(s.two.run("restore", "eni1").status, 0)
        t.equal(s.calls(TYPES), 0, "what is here already needs no room")


def test_a_limit_that_cannot_be_read(t):
    for fault in ({"type": "deny"}, {"type": "http_503"}, {"type": "throttle"}):
        with t.subtest(str(fault)), Scene(t) as s:
            s.sim.faults({"match": {"action": TYPES}, "times": 0, "do": fault})
            t.equal(s.two.run("restore", "eni1").status, 0, "it is moved all the same")
            t.equal(s.where(), HERE)
    with t.subtest("full"), Scene(t, full) as s:
        s.sim.faults({"match": {"action": TYPES}, "times": 0, "do": {"type": "deny"}})
        got = s.two.run("restore", "eni1")
        t.equal(got.status, 1)
        t.check("EniPerInstanceLimitExceeded" in got.err, "the cloud says it, too late: %s" % got.err)


def test_a_primary_interface_is_never_detached(t):
    with Scene(t, eni="eni-node1") as s:
        t.equal(s.one.run("remove", "eni1").status, 0)
        t.equal(s.calls(DETACH), 0)
        t.equal(s.where("eni-node1"), THERE)


def test_no_such_interface(t):
    with Scene(t, eni="eni-none") as s:
        got = s.two.run("restore", "eni1")
        t.equal(got.status, 4)
        t.check("eni-none" in got.err, "it is named")
        t.equal(s.two.run("quickCheck", "eni1").status, 1)


def test_remove_leaves_the_other_node_alone(t):
    with Scene(t) as s:
        t.equal(s.two.run("remove", "eni1").status, 0)
        t.equal(s.where(), THERE)
        event = {"op": "attach_eni", "eni": ENI, "instance": "i-node2"}
        s.sim.faults({"match": {"action": DETACH}, "do": {"type": "op", "event": event, "when": "before"}})
        t.equal(s.one.run("remove", "eni1").status, 0)
        t.equal(s.where(), HERE, "another node took it meanwhile, and keeps it")


if __name__ == "__main__":
    tap.main()
