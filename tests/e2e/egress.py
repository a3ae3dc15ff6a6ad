#!/usr/bin/env python3
# tests/run: timeout=900
"""cloudvip egress: the seven steps, stopped and resumed anywhere; refused before anything is changed; seen at any time."""
import copy
import http.server
import json
import os
import pty
import select
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

NODE, OTHER = "i-node2", "i-node1"  # the one it is about, and one that the command may be run on
PRIMARY = "eni-node2"
PUBLIC, SNAT = "198.51.100.77", "203.0.113.9"
NAME = "cloudvip-egress-" + NODE
CHANGES = ["ConvertNatPublicIpToEip", "CreateNetworkInterface", "AttachNetworkInterface", "UnassociateEipAddress",
           "AssociateEipAddress"]
STEPS = ["convert", "create", "attach", "unbind", "bind", "routes", "test"]


def make_world(delay_ms=None, change=None):
    """Node 2 has a static public address; its VPC has a NAT gateway with an SNAT entry for its vSwitch."""
    world = lab.world("ali-two-nodes")
    ali = world["aliyun"]
    instance(ali)["public_ip"] = PUBLIC
    ali["nat_gateways"] = [{"nat_gateway_id": "ngw-1", "vpc_id": "vpc-main", "vswitch_id": "vsw-1", "snat_table_id": "stb-1"}]
    ali["snat_entries"] = [{"snat_entry_id": "snat-other", "snat_table_id": "stb-1", "snat_ip": "203.0.113.8",
                            "source_vswitch_id": "vsw-1"},
                           {"snat_entry_id": "snat-1", "snat_table_id": "stb-1", "snat_ip": SNAT,
                            "source_vswitch_id": "vsw-2"}]
    ali["eips"] += [{"allocation_id": "eip-nat%d" % n, "ip_address": "203.0.113.%d" % n, "instance_type": "Nat",
                     "instance_id": "ngw-1"} for n in (8, 9)]
    for table in ali["route_tables"]:
        table["routes"].append({"destination": "0.0.0.0/0", "next_hop_id": "ngw-1", "next_hop_type": "NatGateway",
                                "route_entry_id": "rte-default-" + table["route_table_id"]})
    if delay_ms is not None:
        ali["delays_ms"] = {"eip": delay_ms, "eni": delay_ms}
    if change:
        change(ali)
    return world


def instance(ali, name=NODE):
    return [i for i in ali["instances"] if i["instance_id"] == name][0]


class Scene:
    def __init__(self, t, change=None, delay_ms=0, on=OTHER):
        self.t = t
        self.sim = lab.Sim(t, make_world(delay_ms, change))
        self.use(on)
        self.sim.clear_log()

    def use(self, on):
        """The node that the command is run on: its state directory is its own."""
        self.node = lab.Node(self.t, self.sim, on, provider="aliyun", credentials="keys")
        self.node.env["CLOUDVIP_STATEDIR"] = os.path.join(self.node.dir, "state")
        self.on = on

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def words(self, words):
        which = [] if self.on == NODE else ["--instance", NODE]
        return ["egress", words[0]] + which + list(words[1:])

    def egress(self, *words, status=0):
        got = self.node.cloudvip(*self.words(words))
        self.t.equal(got.status, status, got.out + got.err)
        return got

    def unify(self, *words, status=0):
        return self.egress("unify", "--yes", *words, status=status)

    def start(self, *words):
        return lab.Running(self.node, [lab.program("cloudvip")] + self.words(words), lab.clean_env(**self.node.env))

    def status(self, status):
        return self.egress("status", "--json", status=status).json()

    def steps(self, status):
        """The states of the first five, as letters: "ddooo"."""
        return "".join(s["state"][0] for s in self.status(status)["steps"][:5])

    def saved(self):
        path = os.path.join(self.node.env["CLOUDVIP_STATEDIR"], "egress-%s.json" % NODE)
        if not os.path.exists(path):
            return None
        with open(path) as f:
            return json.load(f)

    def forget(self):
        path = os.path.join(self.node.env["CLOUDVIP_STATEDIR"], "egress-%s.json" % NODE)
        if os.path.exists(path):
            os.unlink(path)

    def calls(self):
        return [e["action"] for e in self.sim.log() if e["kind"] in ("vpc", "ecs")]

    def changes(self):
        return [a for a in self.calls() if not a.startswith(("Describe", "List", "Check"))]

    def eip(self):
        found = [e for e in self.sim.aliyun()["eips"] if e["ip_address"] == PUBLIC]
        self.t.equal(len(found), 1, "there is one EIP with the address")
        return found[0]

    def enis(self):
        return [e for e in self.sim.aliyun()["network_interfaces"] if e.get("name") == NAME]

    def expect_unified(self, eni=None):
        """The documented state."""
        ali = self.sim.aliyun()
        if eni is None:
            self.t.equal(len(self.enis()), 1, "one ENI was made, and no second")
            eni = self.enis()[0]["network_interface_id"]
        mine = [e for e in ali["network_interfaces"] if e["network_interface_id"] == eni][0]
        self.t.equal((mine["instance_id"], mine["status"], mine["type"]), (NODE, "InUse", "Secondary"))
        e = self.eip()
        self.t.equal((e["instance_id"], e["instance_type"], e["mode"], e["private_ip"], e["status"]),
                     (eni, "NetworkInterface", "NAT", mine["private_ips"][0], "InUse"))
        self.t.check("public_ip" not in instance(ali), "no static address any more")

    def refuses(self, words, *parts, status=1):
        """Nothing was changed, and the message has each part."""
        before = self.sim.state()
        got = self.egress(*words, status=status)
        for part in parts:
            self.t.has(got.err, part)
        after = self.sim.state()
        self.t.equal(world_of(after), world_of(before), "the world is as it was")
        self.t.equal(self.changes(), [])
        self.t.equal(self.saved(), None, "nothing is remembered")
        return got


def world_of(state):
    """Without what each metadata request makes."""
    ali = copy.deepcopy(state["aliyun"])
    ali.pop("credentials", None)
    return ali


# ---- from beginning to end -----------------------------------------------------------------------

def test_unify(t):
    with Scene(t, delay_ms=60) as s:
        before = s.status(1)
        t.equal((before["leaves_by"], before["reached_by"], before["unified"]), (PUBLIC, PUBLIC, False))
        t.equal([x["name"] for x in before["steps"]], STEPS)
        t.equal([x["state"] for x in before["steps"]], ["open"] * 5 + ["there", "open"])
        got = s.unify()
        s.expect_unified()
        t.equal(s.changes(), CHANGES, "the documented order")
        for n in range(1, 6):
            t.has(got.out, "\n%d  done " % n)
        t.has(got.out, "cloudvip nic setup", "what is left to do on the instance itself")
        after = s.status(0)
        eni = s.enis()[0]["network_interface_id"]
        t.equal((after["leaves_by"], after["leaves_through"]), (SNAT, "ngw-1"))
        t.equal((after["reached_by"], after["reached_through"], after["unified"]), (PUBLIC, eni, True))
        t.equal([x["state"] for x in after["steps"]], ["done"] * 5 + ["there", "there"])
        t.equal(s.saved(), {"instance": NODE, "eni": eni, "eip": s.eip()["allocation_id"], "token": ""}, "ids alone")
        s.sim.clear_log()
        again = s.unify("--json").json()
        t.equal((again["status"], again["changed"]), (0, False), "twice is the same as once")
        t.equal(s.changes(), [])
        s.forget()
        t.equal(s.status(0)["unified"], True, "the cloud tells all of it")


def test_json(t):
    with Scene(t) as s:
        got = s.unify("--json").json()
        t.equal((got["object"], got["verb"], got["status"], got["changed"], got["unified"]),
                ("egress", "unify", 0, True, True))
        t.equal([x["changed"] for x in got["steps"]], [True] * 5 + [False, False])
        t.equal([x["number"] for x in got["steps"]], list(range(1, 8)))
        t.equal(got["breaches"], [])


def test_an_eni_that_is_there(t):
    with Scene(t) as s:
        s.unify("--eni", "eni-svc2")
        s.expect_unified("eni-svc2")
        t.equal(s.changes(), [c for c in CHANGES if "NetworkInterface" not in c], "made and attached it was")
        t.equal(s.enis(), [])
        t.equal(s.status(0)["eni"], "eni-svc2", "it is remembered")


def test_an_eni_as_asked(t):
    def second(ali):
        ali["vswitches"].append({"vswitch_id": "vsw-3", "vpc_id": "vpc-main", "zone_id": "cn-shanghai-b",
                                 "cidr_block": "10.0.3.0/24"})
        ali["security_groups"].append({"security_group_id": "sg-2", "vpc_id": "vpc-main"})

    with Scene(t, second) as s:
        s.unify("--vswitch", "vsw-3", "--security-group", "sg-2,sg-main", "--private-address", "10.0.3.77")
        s.expect_unified()
        eni = s.enis()[0]
        t.equal((eni["vswitch_id"], eni["private_ips"], eni["security_group_ids"]),
                ("vsw-3", ["10.0.3.77"], ["sg-2", "sg-main"]))


def test_an_eip_already(t):
    def eip(ali):
        instance(ali).pop("public_ip")
        ali["eips"].append({"allocation_id": "eip-own", "ip_address": PUBLIC, "instance_type": "EcsInstance",
                            "instance_id": NODE, "private_ip": "10.0.2.10", "mode": "NAT"})

    with Scene(t, eip) as s:
        t.equal(s.status(1)["leaves_by"], PUBLIC)
        s.unify()
        s.expect_unified()
        t.equal(s.changes(), CHANGES[1:])


def test_a_free_eip_that_is_named(t):
    def free(ali):
        instance(ali).pop("public_ip")
        ali["eips"].append({"allocation_id": "eip-own", "ip_address": PUBLIC})

    with Scene(t, free) as s:
        s.refuses(("unify", "--yes"), "rule 45", "no EIP was named")
        t.equal([step["text"] for step in s.status(1)["steps"] if step["text"] != " ".join(step["text"].split())], [],
                "no word is left blank")
        s.unify("--eip", PUBLIC)
        s.expect_unified()
        t.equal(s.changes(), ["CreateNetworkInterface", "AttachNetworkInterface", "AssociateEipAddress"])


# ---- stopped and resumed -------------------------------------------------------------------------

def stop_at(s, n, kind):
    """Runs it and kills it at its n-th API call: before it is applied (hang), or after (lost_timeout)."""
    s.sim.clear_log()
    s.sim.faults({"match": {"key": "?*"}, "skip": n - 1, "times": 0, "do": {"type": kind}})
    running = s.start("unify", "--yes")
    s.sim.wait(n)
    running.kill()
    s.sim.faults()


@tap.cases(["hang", "lost_timeout"])
def test_killed_at_each_call(t, kind):
    with Scene(t) as s:
        s.unify()
        calls = s.calls()
    t.check(len(calls) > 20, "it asks a lot")
    for n, action in enumerate(calls, 1):
        # Of a question it is all the same whether its answer was lost.
        if kind == "lost_timeout" and action not in CHANGES:
            continue
        with t.subtest("%s at call %d of %d, %s" % (kind, n, len(calls), action)), Scene(t) as s:
            stop_at(s, n, kind)
            got = s.node.cloudvip(*s.words(("status", "--json")))
            t.equal(got.status, 0 if got.json()["unified"] else 1, "status tells how it is, wherever it stopped")
            s.unify()
            s.expect_unified()


@tap.cases(range(5), lambda n: CHANGES[n])
def test_stopped_after_each_step(t, n):
    with Scene(t, delay_ms=300) as s:
        # The next change never comes; the one before it is under way or done.
        if n < 4:
            s.sim.faults({"match": {"action": CHANGES[n + 1]}, "times": 0, "do": {"type": "hang"}})
            running = s.start("unify", "--yes")
            t.wait_until(lambda: CHANGES[n + 1] in s.changes(), "it has come to the next step", 30)
            running.kill()
            s.sim.faults()
        else:
            s.unify()
        t.equal(s.steps(1 if n < 4 else 0), "d" * (n + 1) + "o" * (4 - n), "status tells which steps hold")
        left = CHANGES[n + 1:]
        s.sim.clear_log()
        s.unify()
        s.expect_unified()
        t.equal(s.changes(), left, "and the rest is done")


@tap.cases(range(4), lambda n: CHANGES[n])
def test_resumed_without_its_state(t, n):
    """What is remembered is lost: the cloud tells nearly all of it."""
    with Scene(t) as s:
        s.sim.faults({"match": {"action": CHANGES[n + 1]}, "times": 0, "do": {"type": "hang"}})
        running = s.start("unify", "--yes")
        t.wait_until(lambda: CHANGES[n + 1] in s.changes(), "it has come to the next step", 30)
        running.kill()
        s.sim.faults()
        s.forget()
        if n == 3:  # the EIP is bound to nothing: which one it was, nobody knows
            got = s.unify(status=1)
            t.has(got.err, "no EIP was named")
            s.unify("--eip", PUBLIC)
        else:
            s.unify()
        s.expect_unified()


def test_resumed_on_another_host(t):
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "AttachNetworkInterface"}, "times": 0, "do": {"type": "hang"}})
        running = s.start("unify", "--yes")
        t.wait_until(lambda: "AttachNetworkInterface" in s.changes(), "it is at step 3", 30)
        running.kill()
        s.sim.faults()
        s.use(OTHER)  # with a state directory of its own
        t.equal(s.saved(), None)
        s.unify()
        s.expect_unified()


def test_lost_answers(t):
    for action in CHANGES:
        for kind in ("lost_answer", "reset", "http_500", "throttle", "task_conflict"):
            with t.subtest("%s: %s" % (action, kind)), Scene(t) as s:
                s.sim.faults({"match": {"action": action}, "do": {"type": kind}})
                for _ in range(3 if action == "CreateNetworkInterface" else 0):
                    if s.node.cloudvip(*s.words(("unify", "--yes"))).status == 0:
                        break  # a creation that may not have been made ends the run, nothing else does
                s.unify()
                s.expect_unified()


def test_creation_not_shown_yet(t):
    """Described from before the creation: the token, not the name, keeps it from being made twice."""
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "CreateNetworkInterface"}, "do": {"type": "lost_timeout"}})
        running = s.start("unify", "--yes")
        t.wait_until(lambda: s.enis(), "it was made", 30)
        running.kill()
        t.check(s.saved()["token"], "its token is kept")
        s.sim.faults({"match": {"action": "DescribeNetworkInterfaces"}, "times": 8,
                      "do": {"type": "not_visible", "id": s.enis()[0]["network_interface_id"]}})
        s.unify()
        s.expect_unified()


def test_creation_never_shown(t):
    """Accepted, and no look ever shows it: what is waited for is said, and the next run is told to ask again."""
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "CreateNetworkInterface"}, "times": 0,
                      "do": {"type": "error", "status": 200, "content_type": "application/json",
                             "body": json.dumps({"RequestId": "r", "NetworkInterfaceId": "eni-unseen"})}})
        got = s.unify("--timeout", "2", status=3)
        t.has(got.err, "step 2 (create): the cloud said yes, and does not show it: run this again")
        t.has(got.err, "eni-unseen: created")
        s.sim.faults()
        s.unify()
        s.expect_unified()


def test_objects_that_were_deleted(t):
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "AttachNetworkInterface"}, "times": 0, "do": {"type": "hang"}})
        running = s.start("unify", "--yes")
        t.wait_until(lambda: "AttachNetworkInterface" in s.changes(), "it is at step 3", 30)
        running.kill()
        s.sim.faults()
        old = s.enis()[0]["network_interface_id"]
        s.sim.do("delete_eni", eni=old)
        s.unify()
        t.check(s.enis()[0]["network_interface_id"] != old, "another one was made")
        s.expect_unified()


def test_denied_on_the_way(t):
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "AssociateEipAddress"}, "times": 0, "do": {"type": "deny"}})
        got = s.unify("--json", status=5)
        answer = got.json()
        t.equal((answer["stopped_at"], answer["error"]["kind"], answer["changed"]), (5, "DENIED", True))
        t.has(got.err, "out of reach now")
        t.has(got.err, "eip bind %s --instance %s" % (s.eip()["allocation_id"], NODE), "how to put it back")
        t.equal([x["state"] for x in answer["steps"]][:5], ["done"] * 4 + ["open"])
        s.sim.faults()
        s.unify()
        s.expect_unified()


def test_put_back(t):
    """What the message says works."""
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "AssociateEipAddress"}, "do": {"type": "deny"}})
        s.unify(status=5)
        got = s.node.cloudvip("eip", "bind", s.eip()["allocation_id"], "--instance", NODE)
        t.equal(got.status, 0)
        t.equal(s.status(1)["reached_by"], PUBLIC)
        s.unify()
        s.expect_unified()


# ---- refused -------------------------------------------------------------------------------------

def test_refused_before_anything_is_changed(t):
    def no_gateway(ali):
        ali["nat_gateways"], ali["snat_entries"] = [], []

    def no_entry(ali):
        ali["snat_entries"].pop()

    def pending(ali):
        ali["snat_entries"][1]["status"] = "Pending"

    def set_instance(**fields):
        return lambda ali: instance(ali).update(fields)

    def full(ali):
        ali["instance_types"] = [{"instance_type": "ecs.g6.large", "eni_quantity": 2}]

    def zone(ali):
        ali["vpcs"].append({"vpc_id": "vpc-x", "cidr_block": "10.9.0.0/16"})
        ali["vswitches"].append({"vswitch_id": "vsw-x", "vpc_id": "vpc-x", "zone_id": "cn-shanghai-b",
                                 "cidr_block": "10.9.0.0/24"})
        ali["security_groups"].append({"security_group_id": "sg-x", "vpc_id": "vpc-x"})

    def no_groups(ali):
        for e in ali["network_interfaces"]:
            if e["network_interface_id"] == PRIMARY:
                e["security_group_ids"] = []

    prepaid = {"charge_type": "PrePaid", "internet_charge_type": "PayByBandwidth"}
    for number, change, words, part in (
            (39, no_gateway, (), "no NAT gateway"), (39, no_entry, (), "no SNAT entry covers vsw-2"),
            (39, pending, (), "Pending"), (41, set_instance(**prepaid), (), "PayByBandwidth"),
            (42, set_instance(status="Starting"), (), "Starting"), (42, set_instance(bandwidth_out=0), (), "bandwidth"),
            (42, set_instance(charge_type="PrePaid", expired_time="2020-01-01T00:00Z"), (), "2020-01-01"),
            (43, None, ("--vswitch", "vsw-1"), "zone"), (43, zone, ("--vswitch", "vsw-x"), "vpc-x"),
            (43, None, ("--eni", "eni-move"), "zone"), (44, None, ("--private-address", "10.0.9.9"), "10.0.2.0/24"),
            (44, None, ("--private-address", "10.0.2.11"), "in use"), (44, None, ("--private-address", "10.0.2.254"), "reserved"),
            (45, None, ("--eni", PRIMARY), "primary"), (45, None, ("--eip", "eip-1"), "static public address"),
            (20, full, (), "2 ENIs"), (55, zone, ("--security-group", "sg-main,sg-x"), "1 of 2"),
            (55, no_groups, (), "no security group"), (56, set_instance(io_optimized=False), (), "I/O optimised")):
        with t.subtest("rule %d: %s" % (number, part)), Scene(t, change) as s:
            got = s.refuses(("unify", "--yes", "--json") + words, "rule %d: " % number, part)
            answer = got.json()
            t.has([b["rule"] for b in answer["breaches"]], number)
            t.equal((answer["changed"], answer["error"]["kind"]), (False, "STATE"))


def test_an_eni_elsewhere(t):
    def elsewhere(ali):
        for e in ali["network_interfaces"]:
            if e["network_interface_id"] == "eni-svc2":
                e.pop("instance_id")
        ali["instances"].append({"instance_id": "i-three", "vswitch_id": "vsw-2"})
        ali["network_interfaces"] += [
            {"network_interface_id": "eni-three", "vswitch_id": "vsw-2", "mac": "00:16:3e:00:03:00", "type": "Primary",
             "instance_id": "i-three", "private_ips": ["10.0.2.30"]},
            {"network_interface_id": "eni-far", "vswitch_id": "vsw-2", "mac": "00:16:3e:00:03:01", "type": "Secondary",
             "instance_id": "i-three", "private_ips": ["10.0.2.31"]}]

    with Scene(t, elsewhere) as s:
        s.refuses(("unify", "--yes", "--eni", "eni-far"), "rule 50", "i-three")
        s.unify("--eni", "eni-svc2")
        t.equal(s.changes(), [c for c in CHANGES if c != "CreateNetworkInterface"])
        s.expect_unified("eni-svc2")


def test_warned(t):
    def detour(ali):
        for table in ali["route_tables"]:
            table["routes"] = [r for r in table["routes"] if r["destination"] != "0.0.0.0/0"]

    with Scene(t, detour) as s:
        got = s.unify("--dry-run")
        t.has(got.err, "rule 39: the route table of vsw-2 has no default route")
        t.equal(s.changes(), [])


def test_what_cannot_be_checked_is_said(t):
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "DescribeInstanceTypes"}, "times": 0, "do": {"type": "deny"}})
        got = s.unify("--json")
        t.has(got.err, "rule 20 could not be checked")
        s.expect_unified()


def test_the_world_changes_after_the_plan(t):
    """The SNAT entry goes while the ENI is attached: the address is not taken away."""
    with Scene(t) as s:
        event = {"op": "set_status", "id": "snat-1", "status": "Deleting"}
        s.sim.faults({"match": {"action": "AttachNetworkInterface"}, "do": {"type": "op", "event": event, "when": "after"}})
        got = s.unify(status=1)
        t.has(got.err, "step 4 (unbind)")
        t.has(got.err, "rule 39")
        t.equal(s.changes(), CHANGES[:3])
        t.equal(s.eip()["instance_id"], NODE, "it is reached as before")


def test_usage(t):
    with Scene(t) as s:
        for words in (("unify", "--eni", "eni-svc2", "--vswitch", "vsw-2"), ("unify", "--fast"), ("status", "--eni", "eni-svc2"),
                      ("unify", "--private-address", "nonsense"), ("enjoy",)):
            with t.subtest(" ".join(words)):
                s.refuses(words, status=2)
        t.equal(s.calls(), [], "nobody was asked")
        s.refuses(("unify",), "say --yes", status=2)
        s.refuses(("unify", "--yes", "--eip", "eip-none"), "eip-none")
        s.refuses(("unify", "--yes", "--eni", "eni-none"), "eni-none")
        got = s.node.cloudvip("egress", "status", "--instance", "i-none")
        t.equal(got.status, 1)
        t.has(got.err, "no instance i-none")
        got = s.egress("unify", "--dry-run")
        t.equal(s.changes(), [])
        for n in range(1, 8):
            t.has(got.out, "\n%d  " % n)


def test_state_that_is_broken(t):
    with Scene(t) as s:
        os.makedirs(s.node.env["CLOUDVIP_STATEDIR"], 0o755)
        path = os.path.join(s.node.env["CLOUDVIP_STATEDIR"], "egress-%s.json" % NODE)
        for text in ("", "{", "[]", '{"instance": "i-other"}', '{"instance": "%s", "eni": "eni 1"}' % NODE,
                     '{"instance": "%s", "eip": 7}' % NODE, '{"instance": "%s", "token": "%s"}' % (NODE, "x" * 90)):
            with t.subtest(text[:40]):
                with open(path, "w") as f:
                    f.write(text)
                os.chmod(path, 0o600)
                got = s.unify(status=4)
                t.has(got.err, path)
        os.unlink(path)
        os.chmod(s.node.env["CLOUDVIP_STATEDIR"], 0o777)
        if os.getuid() == 0:
            s.unify(status=4)
        os.chmod(s.node.env["CLOUDVIP_STATEDIR"], 0o755)
        t.equal(s.changes(), [])


def test_cannot_ask(t):
    with Scene(t) as s:
        for action in ("DescribeInstances", "DescribeNatGateways", "DescribeSnatTableEntries", "DescribeVSwitches"):
            with t.subtest(action):
                s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": "http_503"}})
                s.unify("--timeout", "1", status=3)
                s.egress("status", "--timeout", "1", status=3)
                s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": "deny"}})
                s.unify(status=5)
        t.equal(s.changes(), [])


def test_from_where_there_is_no_metadata(t):
    """An administrator's machine: nobody tells who it is, and that is not waited for."""
    with Scene(t) as s:
        s.node.defaults(provider="aliyun", endpoint=s.sim.url, sts_endpoint=s.sim.url, region="cn-shanghai",
                        metadata_endpoint="http://127.0.0.1:1/")
        s.unify("--timeout", "20")
        s.expect_unified()
        t.equal(s.sim.log(kind="imds"), [])
        got = s.node.cloudvip("egress", "status", "--timeout", "2")
        t.equal(got.status, 3)
        t.has(got.err, "or name one")


def test_two_at_once(t):
    with Scene(t) as s:
        s.sim.faults({"match": {"action": "AttachNetworkInterface"}, "times": 0, "do": {"type": "hang"}})
        running = s.start("unify", "--yes")
        t.wait_until(lambda: "AttachNetworkInterface" in s.changes(), "it is at step 3", 30)
        got = s.unify(status=3)
        t.has(got.err, "egress unify (pid ")
        running.kill()
        s.sim.faults()
        s.unify()
        s.expect_unified()


def test_aws(t):
    with lab.Sim(t) as sim:
        node = lab.Node(t, sim)
        for verb in ("unify", "status"):
            got = node.cloudvip("egress", verb, "--json")
            t.equal(got.status, 1)
            t.has(got.json()["error"]["message"], "the route table of a subnet says by which gateway")
        t.equal(sim.api_actions(), [])


# ---- asking --------------------------------------------------------------------------------------

def with_terminal(t, s, answers):
    """Runs unify on a terminal, gives the answers one by one; (status, all that was shown)."""
    master, slave = pty.openpty()
    process = subprocess.Popen([lab.program("cloudvip")] + s.words(("unify",)), env=lab.clean_env(**s.node.env),
                               stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
    t.cleanup(lambda: process.poll() is None and process.kill())
    os.close(slave)
    shown, left = b"", list(answers)
    while True:
        if not select.select([master], [], [], 30)[0]:
            raise tap.Failed("nothing more is shown: %r" % shown)
        try:
            got = os.read(master, 4096)
        except OSError:
            got = b""
        if not got:
            break
        shown += got
        if left and shown.count(b"[y/N] ") > len(answers) - len(left):
            os.write(master, left.pop(0).encode() + b"\n")
    os.close(master)
    return process.wait(), shown.decode()


def test_asks_before_what_matters(t):
    with Scene(t) as s:
        status, shown = with_terminal(t, s, ["n"])
        t.equal(status, 1)
        t.has(shown, "this cannot be undone. Go on? [y/N]")
        t.equal(s.changes(), [])
        status, shown = with_terminal(t, s, ["y", ""])
        t.equal(status, 1)
        t.has(shown, "sessions by that address end")
        t.equal(s.changes(), CHANGES[:3], "up to where it was stopped")
        t.equal(s.eip()["instance_id"], NODE)
        status, shown = with_terminal(t, s, ["yes"])
        t.equal(status, 0, shown)
        s.expect_unified()


def test_goes_on_when_the_terminal_is_gone(t):
    """The session hangs on the address that step 4 takes away."""
    with Scene(t, delay_ms=300) as s:
        master, slave = pty.openpty()
        process = subprocess.Popen([lab.program("cloudvip")] + s.words(("unify", "--yes")), env=lab.clean_env(**s.node.env),
                                   stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                   preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0))
        t.cleanup(lambda: process.poll() is None and process.kill())
        os.close(slave)
        t.wait_until(lambda: "UnassociateEipAddress" in s.changes(), "step 4", 30)
        os.close(master)  # SIGHUP, and EIO for whoever writes
        process.wait(30)
        s.expect_unified()


# ---- on the instance itself ----------------------------------------------------------------------

class Guest:
    """This network namespace as the instance: its primary interface is up, an ENI appears when it is attached."""

    def __init__(self, t, s):
        netns.need(t)
        self.t, self.s = t, s
        self.wired = None
        self.ended = threading.Event()
        mac = [e for e in s.sim.aliyun()["network_interfaces"] if e["network_interface_id"] == PRIMARY][0]["mac"]
        netns.wire("cvprim", mac)
        netns.ip("addr", "add", "10.0.2.10/24", "dev", "cvprim")
        netns.ip("route", "add", "default", "via", "10.0.2.253", "dev", "cvprim", "metric", "100")
        self.thread = threading.Thread(target=self._plug)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        netns.unwire("cvprim")
        netns.unwire("cveni")
        for rule in json.loads(netns.ip("-json", "rule")):
            if rule["src"] != "all":
                netns.ip("rule", "del", "from", rule["src"])

    def _plug(self):
        """What the hypervisor does; some moments after the cloud says that it is attached."""
        while not self.ended.wait(0.2):
            for e in self.s.sim.aliyun()["network_interfaces"]:
                if e.get("instance_id") == NODE and e["status"] == "InUse" and e["type"] == "Secondary" and \
                        e["network_interface_id"] != "eni-svc2" and not self.wired:
                    self.wired = e
                    netns.wire("cveni", e["mac"])

    def check(self, eni_ip):
        """The documents' commands: a rule from the address, a default route in its table, a higher metric."""
        rules = [r for r in json.loads(netns.ip("-json", "rule")) if r["src"] == eni_ip]
        self.t.equal(len(rules), 1, "one rule for the ENI's address")
        table = str(rules[0]["table"])
        routes = [r for r in json.loads(netns.ip("-json", "route", "show", "table", table)) if r["dst"] == "default"]
        self.t.equal([(r["gateway"], r["dev"]) for r in routes], [("10.0.2.253", "cveni")])
        main = [r for r in json.loads(netns.ip("-json", "route")) if r["dst"] == "default"]
        metric = {r["dev"]: r.get("metric", 0) for r in main}
        self.t.check(metric["cvprim"] < metric.get("cveni", 1 << 31), "rule 48: the primary one comes first: %s" % main)


def test_on_the_instance(t):
    with Scene(t, on=NODE, delay_ms=60) as s, Guest(t, s) as guest:
        before = s.status(1)
        t.equal((before["here"], before["leaves_by"]), (True, PUBLIC))
        t.equal([x["state"] for x in before["steps"]], ["open"] * 7)
        got = s.unify("--no-persist", "--json").json()
        s.expect_unified()
        t.equal([x["state"] for x in got["steps"]], ["done"] * 7)
        t.equal([x["changed"] for x in got["steps"]], [True] * 6 + [False])
        guest.check(s.enis()[0]["private_ips"][0])
        after = s.status(0)
        t.equal([x["state"] for x in after["steps"]], ["done"] * 7)
        t.has(after["steps"][5]["text"], "rule 47", "it was not to be kept")
        rules = netns.ip("rule")
        t.equal(s.unify("--no-persist", "--json").json()["changed"], False)
        t.equal(netns.ip("rule"), rules)
        netns.ip("rule", "del", "from", s.enis()[0]["private_ips"][0])
        seen = s.status(1)
        t.equal([x["state"] for x in seen["steps"]][5:], ["open", "open"])
        t.has(seen["steps"][5]["text"], "rule 46")
        s.unify("--no-persist")
        guest.check(s.enis()[0]["private_ips"][0])
        netns.ip("route", "add", "default", "dev", "cveni", "metric", "5")
        t.has(s.status(1)["steps"][5]["text"], "rule 48")
        t.has(s.status(1)["steps"][6]["text"], "rule 48")


def test_on_the_instance_killed_at_step_6(t):
    with Scene(t, on=NODE) as s, Guest(t, s) as guest:
        s.sim.faults({"match": {"kind": "imds", "action": "GET latest/meta-data/network/*"}, "times": 0, "do": {"type": "hang"}})
        running = s.start("unify", "--yes", "--no-persist")
        t.wait_until(lambda: guest.wired and s.calls()[-1:] and "AssociateEipAddress" in s.changes() and
                     [e for e in s.sim.log() if e["fault"] == "hang"], "it is at step 6", 30)
        running.kill()
        s.sim.faults()
        t.equal([x["state"] for x in s.status(1)["steps"]], ["done"] * 5 + ["open"] * 2)
        s.unify("--no-persist")
        guest.check(s.enis()[0]["private_ips"][0])
        s.status(0)


class Echo(http.server.BaseHTTPRequestHandler):
    said = b""

    def do_GET(self):
        self.send_response(200 if self.said else 500)
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_):
        pass


def test_echo(t):
    with Scene(t, on=NODE) as s, Guest(t, s):
        server = http.server.HTTPServer(("127.0.0.1", 0), Echo)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        t.cleanup(lambda: (server.shutdown(), thread.join(), server.server_close()))
        url = "http://127.0.0.1:%d/" % server.server_port
        Echo.said = b"your address: 192.0.2.1."
        got = s.unify("--no-persist", "--echo-url", url, status=1)
        t.has(got.err, "rule 49: the echo service sees 192.0.2.1")
        Echo.said = ("\u5f53\u524d IP\uff1a%s  \u6765\u81ea" % SNAT).encode()
        s.unify("--no-persist", "--echo-url", url)
        t.equal(s.egress("status", "--json", "--echo-url", url).json()["echo"], "the echo service sees " + SNAT)
        Echo.said = b"nothing here"
        got = s.egress("status", "--json", "--echo-url", url, status=3)
        t.has(got.json()["echo"], "no IPv4 address")
        Echo.said = b""
        s.unify("--no-persist", "--echo-url", url, "--timeout", "3", status=3)
        s.unify("--no-persist", "--echo-url", "http://192.0.2.9/", status=3)


if __name__ == "__main__":
    netns.enter()
    tap.main()
