#!/usr/bin/env python3
"""aws eni in every form: each state between two instances, what is never moved, and an instance that does not let go."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402

ENI = "eni-0cc00000000000001"
NODE_3 = "i-0aa00000000000003"


class Scene:
    """Node 1 has the interface; `delays` as in the world file."""

    def __init__(self, t, change=None, delays=None, **settings):
        self.t = t
        world = lab.world("two-nodes")
        aws = world["aws"]
        subnet = aws["subnets"][0]["subnet_id"]
        for entry in aws["instances"] + aws["network_interfaces"]:
            entry["subnet_id"] = subnet
            if "private_ips" in entry:
                entry["private_ips"] = [ip.replace("10.0.2.1", "10.0.1.2") for ip in entry["private_ips"]]
        aws["instances"].append(dict(aws["instances"][0], instance_id=NODE_3))
        aws["network_interfaces"].append({"network_interface_id": ENI, "subnet_id": subnet,
                                          "mac": "06:00:0a:00:01:03", "private_ips": ["10.0.1.30"]})
        aws["delays_ms"] = delays or {}
        if change:
            change(aws)
        self.sim = lab.Sim(t, world)
        self.give(lab.NODE_1)
        self.one, self.two = (lab.Node(t, self.sim, node) for node in (lab.NODE_1, lab.NODE_2))
        for node in (self.one, self.two):
            node.resource("eni1", **dict({"scenario": "eni", "eni": ENI}, **settings))
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def give(self, instance):
        self.sim.do("attach_eni", eni=ENI, instance=instance, device_index=2)

    def attachment(self):
        return self.sim.interface(ENI).get("attachment") or {}

    def expect_on(self, instance, state="attached"):
        self.t.equal((self.attachment().get("instance_id"), self.attachment().get("status")),
                     (instance, state if instance else None))

    def calls(self, action):
        return self.sim.api_actions().count(action)


def test_takeover_waits_for_both_states(t):
    with Scene(t, delays={"detach": 400, "attach": 400}) as s:
        t.equal(s.two.run("restore", "eni1").status, 0)
        s.expect_on(lab.NODE_2)
        t.equal((s.calls("DetachNetworkInterface"), s.calls("AttachNetworkInterface")), (1, 1))
        t.check(not [e for e in s.sim.log(action="DetachNetworkInterface") if "Force" in e["params"]], "never by force")
        t.equal(s.two.run("quickCheck", "eni1").status, 0)
        t.equal(s.one.run("quickCheck", "eni1").status, 1)


def test_remove_waits_until_it_is_available(t):
    with Scene(t, delays={"detach": 400}) as s:
        t.equal(s.one.run("remove", "eni1").status, 0)
        s.expect_on(None)
        t.equal(s.calls("DetachNetworkInterface"), 1)


def test_the_first_free_device_index_is_used(t):
    with Scene(t) as s:
        t.equal(s.two.run("restore", "eni1").status, 0)
        t.equal(s.attachment()["device_index"], 2, "0 and 1 are taken")
        s.sim.do("detach_eni", eni=ENI)
        s.sim.do("detach_eni", eni=s.sim.eni(lab.NODE_2, 1))
        t.equal(s.two.run("restore", "eni1").status, 0)
        t.equal(s.attachment()["device_index"], 1)


def test_a_device_index_taken_meanwhile_is_passed_over(t):
    def another(aws):
        aws["network_interfaces"].append({"network_interface_id": "eni-0cc00000000000002", "mac": "06:00:0a:00:01:04",
                                          "subnet_id": aws["subnets"][0]["subnet_id"], "private_ips": ["10.0.1.31"]})

    with Scene(t, another) as s:
        event = {"op": "attach_eni", "eni": "eni-0cc00000000000002", "instance": lab.NODE_2, "device_index": 2}
        s.sim.faults({"match": {"action": "AttachNetworkInterface"}, "do": {"type": "op", "event": event, "when": "before"}})
        t.equal(s.two.run("restore", "eni1").status, 0)
        s.expect_on(lab.NODE_2)
        t.equal(s.attachment()["device_index"], 3)


def test_lost_answer_to_the_detachment_ends_in_success(t):
    for kind in ("lost_answer", "malformed"):
        with t.subtest(kind), Scene(t) as s:
            s.sim.faults({"match": {"action": "DetachNetworkInterface"}, "do": {"type": kind}})
            t.equal(s.two.run("restore", "eni1").status, 0)
            s.expect_on(lab.NODE_2)
            t.equal(s.calls("DetachNetworkInterface"), 1, "it was applied")


def test_detachment_that_never_arrived_is_asked_for_again(t):
    for node, action, where in (("two", "restore", lab.NODE_2), ("one", "remove", None)):
        with t.subtest(action), Scene(t) as s:
            s.sim.faults({"match": {"action": "DetachNetworkInterface"}, "do": "reset"})
            got = getattr(s, node).run(action, "eni1")
            t.equal(got.status, 0)
            s.expect_on(where)
            t.equal(s.calls("DetachNetworkInterface"), 2)
            t.check("Force" not in got.err, "nothing holds it")


def killed_in(s, node, action, state):
    """Killed while the interface is between two states, where it stays."""
    running = node.start(action, "eni1")
    s.t.wait_until(lambda: s.attachment().get("status") == state, "it is " + state)
    running.kill()


def finished_by(s, node, event):
    """A restore that waits for that state's end, which is this event."""
    look = "DescribeNetworkInterfaces"
    seen = s.calls(look)
    running = node.start("restore", "eni1")
    s.t.wait_until(lambda: s.calls(look) > seen + 2, "it waits")
    s.sim.do(**event)
    s.t.equal(running.wait().status, 0)


def test_every_state_between_is_finished_by_a_second_run(t):
    detach = {"op": "detach_eni", "eni": ENI}
    attach = {"op": "attach_eni", "eni": ENI, "instance": lab.NODE_2, "device_index": 2}
    with t.subtest("detaching from the old node"), Scene(t, delays={"detach": 600000}) as s:
        killed_in(s, s.two, "restore", "detaching")
        t.equal(s.two.run("quickCheck", "eni1").status, 1)
        finished_by(s, s.two, detach)
        s.expect_on(lab.NODE_2)
    with t.subtest("attaching here"), Scene(t, delays={"attach": 600000}) as s:
        killed_in(s, s.two, "restore", "attaching")
        t.equal(s.two.run("quickCheck", "eni1").status, 1, "not yet")
        finished_by(s, s.two, attach)
        s.expect_on(lab.NODE_2)
        t.equal(s.calls("AttachNetworkInterface"), 1, "it is waited for, not repeated")
    with t.subtest("detaching from here"), Scene(t, delays={"detach": 600000}) as s:
        killed_in(s, s.one, "remove", "detaching")
        finished_by(s, s.one, detach)
        s.expect_on(lab.NODE_1)
        t.equal(s.calls("AttachNetworkInterface"), 1)


def test_an_instance_that_does_not_let_go_is_named_with_the_remedy(t):
    with Scene(t, delays={"detach": 600000}, restore_timeout=5) as s:
        got = s.two.run("restore", "eni1", as_lifekeeper=True)
        t.equal(got.status, 1)
        for word in (ENI, "detaching", lab.NODE_1, "stop that instance", "Force=true by hand"):
            t.has(got.err, word)
        t.equal(s.calls("AttachNetworkInterface"), 0)
        t.check(not [e for e in s.sim.log(action="DetachNetworkInterface") if "Force" in e["params"]], "never by force")


def test_what_was_seen_is_told_although_the_last_look_had_no_answer(t):
    with Scene(t, delays={"detach": 600000}, remove_timeout=5) as s:
        s.sim.faults({"match": {"action": "DescribeNetworkInterfaces"}, "skip": 2, "times": 0, "do": "hang"})
        got = s.one.run("remove", "eni1", as_lifekeeper=True)
        for word in ("detaching", "stop that instance", "timed out"):
            t.has(got.err, word)


def test_remove_that_does_not_end_says_so(t):
    with Scene(t, delays={"detach": 600000}, remove_timeout=5) as s:
        got = s.one.run("remove", "eni1", as_lifekeeper=True, env={"CLOUDVIP_REMOVE_TIMEOUT": "5"})
        t.has(got.err, "detaching")
        s.expect_on(lab.NODE_1, "detaching")


def test_taken_while_it_is_available_is_a_conflict(t):
    with Scene(t, restore_timeout=5) as s:
        event = {"op": "attach_eni", "eni": ENI, "instance": NODE_3, "device_index": 2}
        s.sim.faults({"match": {"action": "AttachNetworkInterface"}, "do": {"type": "op", "event": event, "when": "before"}})
        got = s.two.run("restore", "eni1")
        t.equal(got.status, 1)
        t.check(NODE_3 in got.err and ":720015:" in got.err, "the conflict names who has it")
        s.expect_on(NODE_3)
        t.equal(s.calls("DetachNetworkInterface"), 1, "it does not fight")


def test_an_answer_lost_while_a_third_node_takes_it_is_a_conflict(t):
    with Scene(t, restore_timeout=5) as s:
        event = {"op": "attach_eni", "eni": ENI, "instance": NODE_3, "device_index": 2}
        s.sim.faults({"match": {"action": "DetachNetworkInterface"}, "do": {"type": "op", "event": event}})
        got = s.two.run("restore", "eni1")
        t.equal(got.status, 1)
        t.check(NODE_3 in got.err, "who has it")
        t.equal(s.calls("AttachNetworkInterface"), 0)


def refused(t, s, word):
    s.sim.clear_log()
    got = s.two.run("restore", "eni1")
    t.equal(got.status, 4)
    t.has(got.err, word)
    t.equal(s.calls("DetachNetworkInterface") + s.calls("AttachNetworkInterface"), 0, "nothing was tried")


def test_a_primary_interface_is_never_moved(t):
    for node in (lab.NODE_1, lab.NODE_2):
        with t.subtest(node), Scene(t) as s:
            primary = s.sim.eni(node, 0)
            s.two.resource("eni1", scenario="eni", eni=primary)
            refused(t, s, "rule 51")
            t.equal(s.two.run("remove", "eni1").status, 0)
            t.equal(s.calls("DetachNetworkInterface"), 0)


def test_another_zone_is_refused_before_anything_changes(t):
    def other_zone(aws):
        for entry in aws["instances"] + aws["network_interfaces"]:
            if lab.NODE_2 in (entry.get("instance_id"), (entry.get("attachment") or {}).get("instance_id")):
                entry["subnet_id"] = aws["subnets"][1]["subnet_id"]
                if "private_ips" in entry:
                    entry["private_ips"] = [ip.replace("10.0.1.2", "10.0.2.1") for ip in entry["private_ips"]]

    with Scene(t, other_zone) as s:
        refused(t, s, "rule 53")
        s.expect_on(lab.NODE_1)


def test_a_service_s_interface_is_never_moved(t):
    def managed(aws):
        aws["network_interfaces"][-1].update(interface_type="nat_gateway", requester_managed=True)

    with Scene(t, managed) as s:
        refused(t, s, ENI)
        s.expect_on(lab.NODE_1)


def test_an_interface_that_vanished_is_not_recovered_by_the_cloud_s_word(t):
    """The check calls it lost, and so recover must not call it in order: the manager fails over."""
    with Scene(t) as s:
        s.one.resource("eni1", scenario="eni", eni=ENI, interface="lo")
        t.equal(s.one.run("restore", "eni1").status, 0)
        t.equal([s.one.run(action, "eni1").status for action in ("quickCheck", "recover")], [0, 0])
        s.one.resource("eni1", scenario="eni", eni=ENI, interface="cvgone0")
        for action in ("quickCheck", "recover"):
            got = s.one.run(action, "eni1")
            t.equal(got.status, 1, action)
            t.has(got.err, "there is no interface cvgone0", action)
        s.expect_on(lab.NODE_1)


def test_several_interfaces_are_checked_in_one_call(t):
    with Scene(t) as s:
        s.two.resource("eni2", scenario="eni", eni=s.sim.eni(lab.NODE_2, 1))
        s.two.resource("eni3", scenario="eni", eni="eni-0ffffffffffffffff")
        s.sim.clear_log()
        s.two.cloudvip("check")
        t.equal(s.sim.api_actions(), ["DescribeNetworkInterfaces"], "the one that is not there spoils no other")


if __name__ == "__main__":
    tap.main()
