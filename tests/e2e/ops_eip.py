#!/usr/bin/env python3
"""cloudvip eip list, bind, unbind, convert: each mode, its rules, killed anywhere, and what AWS has of it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402

ONE, TWO = "i-node1", "i-node2"
PRIMARY_1, ENI_1, PRIMARY_2, ENI_2 = "eni-node1", "eni-svc1", "eni-node2", "eni-svc2"
EIP, PUBLIC = "eip-1", "198.51.100.20"
STATIC = "198.51.100.77"


class Scene:
    """The EIP is on node 1's service interface; the command runs on node 1.  `change(world)` first."""

    def __init__(self, t, change=None, delay_ms=None, credentials="role"):
        world = lab.world("ali-two-nodes")
        if delay_ms is not None:
            world["aliyun"]["delays_ms"] = {"eip": delay_ms, "eni": delay_ms}
        if change:
            change(world["aliyun"])
        self.t = t
        self.sim = lab.Sim(t, world)
        self.node = lab.Node(t, self.sim, ONE, provider="aliyun", credentials=credentials)
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def eip(self, *words, status=0):
        got = self.node.cloudvip("eip", *words)
        self.t.equal(got.status, status, got.err)
        return got

    def start(self, *words):
        return lab.Running(self.node, [lab.program("cloudvip"), "eip"] + list(words), lab.clean_env(**self.node.env))

    def object(self, kind, key, name):
        return [x for x in self.sim.aliyun()[kind] if x[key] == name][0]

    def where(self, eip=EIP):
        """(instance, type, mode, private address, status)"""
        e = self.object("eips", "allocation_id", eip)
        return tuple(e.get(k) or "" for k in ("instance_id", "instance_type", "mode", "private_ip", "status"))

    def eni(self, name):
        e = self.object("network_interfaces", "network_interface_id", name)
        return e.get("instance_id") or "", e["status"]

    def calls(self):
        return [e["action"] for e in self.sim.log() if e["kind"] in ("vpc", "ecs")]

    def changes(self):
        return [a for a in self.calls() if not a.startswith(("Describe", "List"))]

    def stays(self, action, name, status, look, nth, then):
        """After this action the object has that status, until before the n-th look (those before the action
        count): what is waited for is seen, however slow who waits is."""
        def event(value, when):
            return {"type": "op", "event": {"op": "set_status", "id": name, "status": value}, "when": when}

        self.sim.faults({"match": {"action": action}, "do": event(status, "after")},
                        {"match": {"action": look}, "skip": nth, "do": event(then, "before")})

    def refuses(self, words, *parts, status=1):
        """The world is what it was, and the message has each part."""
        before = self.sim.aliyun()
        got = self.eip(*words, status=status)
        for part in parts:
            self.t.has(got.err, part)
        self.t.equal(self.sim.aliyun()["eips"], before["eips"])
        self.t.equal(self.sim.aliyun()["network_interfaces"], before["network_interfaces"])
        self.t.equal(self.changes(), [])
        return got


# ---- list ----------------------------------------------------------------------------------------

def test_list(t):
    def many(aliyun):
        aliyun["eips"] += [{"allocation_id": "eip-x%d" % i, "ip_address": "203.0.113.%d" % i} for i in range(1, 121)]

    with Scene(t, many) as s:
        rows = s.eip("list", "--json").json()["rows"]
        t.equal(len(rows), 121, "all pages")
        t.equal(s.calls(), ["DescribeEipAddresses"] * 2)
        t.equal(rows[0], {"eip": EIP, "address": PUBLIC, "status": "InUse", "holder": ENI_1,
                          "holder_type": "NetworkInterface", "mode": "NAT", "private_address": "10.0.1.11",
                          "charge": "PostPaid", "condition": "Normal"})
        for words in ((PUBLIC,), (EIP,), ("--on", ENI_1)):
            t.equal([r["eip"] for r in s.eip("list", *words, "--json").json()["rows"]], [EIP])
        t.equal(s.eip("list", "--on", ENI_2, "--json").json()["rows"], [])
        for name in ("eip-none", "203.0.113.250"):
            t.has(s.eip("list", name, status=1).err, "no EIP " + name)


# ---- bind: NAT -----------------------------------------------------------------------------------

def free(aliyun):
    for key in ("instance_id", "instance_type", "mode", "private_ip"):
        aliyun["eips"][0].pop(key)


def test_bind_nat(t):
    with Scene(t, free, delay_ms=0) as s:
        s.stays("AssociateEipAddress", EIP, "Associating", "DescribeEipAddresses", 3, "InUse")
        got = s.eip("bind", EIP, "--eni", ENI_2, "--json")
        t.equal(s.where(), (ENI_2, "NetworkInterface", "NAT", "10.0.2.11", "InUse"))
        t.equal(s.changes(), ["AssociateEipAddress"])
        answer = got.json()
        t.equal((answer["status"], answer["changed"]), (0, True))
        t.equal(answer["rows"][0]["holder"], ENI_2)
        t.has(got.err, "%s: Associating on %s" % (EIP, ENI_2), "what is waited for is told")
        t.has(answer["text"], "nic setup", "rule 25: the guest needs routes")
        s.sim.clear_log()
        answer = s.eip("bind", PUBLIC, "--eni", ENI_2, "--json").json()
        t.equal((answer["status"], answer["changed"]), (0, False), "twice is the same as once")
        t.equal(s.changes(), [])


def test_bind_to_a_private_address(t):
    with Scene(t, free, delay_ms=0) as s:
        s.eip("bind", EIP, "--eni", ENI_1, "--private-address", "10.0.1.60")
        t.equal(s.where()[3], "10.0.1.60")
        s.eip("bind", EIP, "--eni", ENI_1)
        t.equal(s.where()[3], "10.0.1.11", "from one address to another: it was ours")
        s.sim.clear_log()
        s.refuses(("bind", EIP, "--eni", ENI_1, "--private-address", "10.0.1.99"), "rule 21", "10.0.1.99")


def test_bind_to_an_instance(t):
    with Scene(t, free) as s:
        s.eip("bind", EIP, "--instance", TWO)
        t.equal(s.where()[:2], (TWO, "EcsInstance"))
        s.sim.clear_log()
        s.eip("bind", EIP, "--instance", TWO)
        s.eip("bind", EIP, "--eni", PRIMARY_2)
        t.equal(s.changes(), [], "the primary interface is the instance")


def test_bind_takes_only_when_told(t):
    with Scene(t) as s:
        s.refuses(("bind", EIP, "--eni", ENI_2), "rule 16", ENI_1)
        got = s.eip("bind", EIP, "--eni", ENI_2, "--take", "--dry-run")
        t.has(got.out, "would bind %s to %s" % (EIP, ENI_2))
        t.has(got.out, ENI_1)
        t.equal(s.changes(), [])
        s.eip("bind", EIP, "--eni", ENI_2, "--take")
        t.equal(s.where()[0], ENI_2)
        t.equal(s.changes(), ["UnassociateEipAddress", "AssociateEipAddress"])


def test_bind_usage(t):
    with Scene(t) as s:
        for words in (("bind", EIP), ("bind", EIP, "--eni", ENI_1, "--instance", ONE), ("bind", "--eni", ENI_1),
                      ("bind", EIP, "--eni", ENI_1, "--mode", "fast"), ("unbind",), ("convert", "--yes"),
                      ("bind", EIP, "--eni", ENI_1, "--mode", "cut-through"),
                      ("bind", EIP, "--instance", ONE, "--mode", "multi")):
            with t.subtest(" ".join(words)):
                s.refuses(words, status=2)
        t.equal(s.calls(), [], "nobody was asked")
        for words in (("bind", "eip-none", "--eni", ENI_1), ("bind", EIP, "--eni", "eni-none"),
                      ("bind", EIP, "--instance", "i-none"), ("unbind", "eip-none"), ("convert", "i-none", "--yes")):
            with t.subtest(" ".join(words)):
                s.refuses(words, "in this account and region")


def test_bind_lost_answers(t):
    with Scene(t, free) as s:
        for kind in ("lost_answer", "reset", "http_500", "task_conflict", "throttle"):
            with t.subtest(kind):
                s.sim.do("disassociate", allocation_id=EIP)
                s.sim.faults({"match": {"action": "AssociateEipAddress"}, "do": {"type": kind}})
                s.eip("bind", EIP, "--eni", ENI_2)
                t.equal(s.where()[0], ENI_2)
        s.sim.do("disassociate", allocation_id=EIP)
        s.sim.faults({"match": {"action": "AssociateEipAddress"}, "do": {"type": "deny"}})
        got = s.eip("bind", EIP, "--eni", ENI_2, status=5)
        t.has(got.err, "Forbidden.RAM")
        s.sim.faults({"match": {"action": "DescribeEipAddresses"}, "times": 0, "do": {"type": "http_503"}})
        s.eip("bind", EIP, "--eni", ENI_2, "--timeout", "1", status=3)


def test_bind_stolen_meanwhile(t):
    with Scene(t) as s:
        event = {"op": "associate", "allocation_id": EIP, "eni": "eni-move"}
        s.sim.faults({"match": {"action": "UnassociateEipAddress"}, "do": {"type": "op", "event": event, "when": "after"}})
        got = s.eip("bind", EIP, "--eni", ENI_2, "--take", status=1)
        t.has(got.err, "eni-move")
        t.equal(s.where()[0], "eni-move", "it does not fight")


# ---- bind: the rules -----------------------------------------------------------------------------

def test_bind_refused(t):
    def locked(aliyun):
        free(aliyun)
        aliyun["eips"][0]["lock_reason"] = "financial"

    def second_on_primary(aliyun):
        free(aliyun)
        aliyun["eips"].append({"allocation_id": "eip-2", "ip_address": "198.51.100.21", "instance_id": TWO,
                               "instance_type": "EcsInstance", "private_ip": "10.0.2.10", "mode": "NAT"})

    def gateway(aliyun):
        free(aliyun)
        aliyun["ipv4_gateways"] = [{"ipv4_gateway_id": "ipv4gw-1", "vpc_id": "vpc-main"}]

    def other_on_eni(aliyun):
        free(aliyun)
        aliyun["eips"].append({"allocation_id": "eip-2", "ip_address": "198.51.100.21", "instance_id": ENI_2,
                               "instance_type": "NetworkInterface", "private_ip": "10.0.2.11", "mode": "NAT"})

    def far(aliyun):
        free(aliyun)
        aliyun["region_id"] = "cn-nowhere"

    def g5_in(region):
        def change(aliyun):
            free(aliyun)
            aliyun["region_id"] = region
            for i in aliyun["instances"]:
                i["instance_type"] = "ecs.g5.large"
        return change

    def ten(aliyun):
        g5_in("cn-shanghai")(aliyun)
        for e in aliyun["network_interfaces"]:
            if e["network_interface_id"] == ENI_2:
                e["private_ips"] += ["10.0.2.%d" % n for n in range(200, 210)]
        aliyun["eips"] += [{"allocation_id": "eip-m%d" % n, "ip_address": "198.51.100.%d" % (100 + n),
                            "instance_id": ENI_2, "instance_type": "NetworkInterface", "mode": "MULTI_BINDED",
                            "private_ip": "10.0.2.%d" % (200 + n)} for n in range(10)]

    nat = ("bind", EIP, "--eni", ENI_2)
    cut = nat + ("--mode", "cut-through", "--instance", TWO)
    for number, change, words in (
            (16, locked, nat), (18, second_on_primary, ("bind", EIP, "--instance", TWO)),
            (19, free, ("bind", EIP, "--eni", PRIMARY_2, "--mode", "multi")),
            (19, free, ("bind", EIP, "--eni", PRIMARY_2, "--mode", "cut-through", "--instance", TWO)),
            (21, other_on_eni, nat), (26, far, cut),
            (27, free, ("bind", EIP, "--eni", ENI_2, "--mode", "cut-through", "--instance", ONE)),
            (28, gateway, cut), (29, other_on_eni, cut), (34, g5_in("cn-hangzhou"), nat + ("--mode", "multi")),
            (35, ten, nat + ("--mode", "multi")), (36, free, nat + ("--mode", "multi"))):
        with t.subtest("rule %d: %s" % (number, " ".join(words))), Scene(t, change) as s:
            got = s.refuses(words + ("--json",), "rule %d: " % number)
            t.has([b["rule"] for b in got.json()["breaches"]], number)


# ---- bind: cut-through ---------------------------------------------------------------------------

CUT = ("bind", EIP, "--eni", ENI_2, "--mode", "cut-through", "--instance", TWO, "--take")


def expect_cut_through(s):
    s.t.equal(s.where(), (ENI_2, "NetworkInterface", "BINDED", "10.0.2.11", "InUse"))
    s.t.equal(s.eni(ENI_2), (TWO, "InUse"))


def test_cut_through(t):
    with Scene(t, delay_ms=0) as s:
        s.stays("DetachNetworkInterface", ENI_2, "Detaching", "DescribeNetworkInterfaces", 4, "Available")
        got = s.eip(*CUT)
        expect_cut_through(s)
        t.equal(s.changes(), ["UnassociateEipAddress", "DetachNetworkInterface", "AssociateEipAddress",
                              "AttachNetworkInterface"], "the documented order")
        t.has(got.err, "rule 30", "it loses its private network: said")
        t.has(got.err, "Detaching", "what is waited for is told")
        s.sim.clear_log()
        s.eip(*CUT)
        t.equal(s.changes(), [])


def test_cut_through_killed_after_any_request(t):
    with Scene(t, delay_ms=0) as s:
        s.eip(*CUT)
        requests = len(s.calls())
        for kind in ("hang", "lost_timeout"):
            for n in range(1, requests + 1):
                with t.subtest("%s at request %d of %d" % (kind, n, requests)):
                    s.sim.do("associate", allocation_id=EIP, eni=ENI_1)
                    s.sim.clear_log()
                    s.sim.faults({"match": {"key": "?*"}, "skip": n - 1, "times": 0, "do": {"type": kind}})
                    running = s.start(*CUT)
                    s.sim.wait(n)
                    running.kill()
                    s.sim.faults()
                    s.eip(*CUT)
                    expect_cut_through(s)


# ---- bind: multi ---------------------------------------------------------------------------------

def test_multi(t):
    def g5(aliyun):
        free(aliyun)
        for i in aliyun["instances"]:
            i["instance_type"] = "ecs.g5.large"

    with Scene(t, g5) as s:
        got = s.eip("bind", EIP, "--eni", ENI_2, "--mode", "multi", "--json")
        t.equal(s.where()[:3], (ENI_2, "NetworkInterface", "MULTI_BINDED"))
        t.has(got.err, "rule 33")
        text = got.json()["text"]
        t.check("198.51.100.253" in text and "255.255.255.0" in text, "rule 38: what the guest has to be given: " + text)
        t.has(text, "rule 37")


# ---- unbind --------------------------------------------------------------------------------------

def test_unbind(t):
    with Scene(t) as s:
        s.refuses(("unbind", EIP, "--from", ENI_2), ENI_1, ENI_2)
        t.has(s.eip("unbind", EIP, "--dry-run").out, "would unbind %s from %s" % (EIP, ENI_1))
        t.equal(s.changes(), [])
        s.eip("unbind", PUBLIC, "--from", ENI_1)
        t.equal(s.where(), ("", "", "", "", "Available"))
        t.equal(s.changes(), ["UnassociateEipAddress"])
        s.sim.clear_log()
        t.equal(s.eip("unbind", EIP, "--json").json()["changed"], False)
        t.equal(s.changes(), [])
        for kind in ("lost_answer", "lost_timeout", "reset", "http_500", "task_conflict"):
            with t.subtest(kind):
                s.sim.do("associate", allocation_id=EIP, eni=ENI_1)
                s.sim.faults({"match": {"action": "UnassociateEipAddress"}, "do": {"type": kind}})
                if kind == "lost_timeout":
                    running = s.start("unbind", EIP)
                    s.sim.clear_log()
                    t.wait_until(lambda: s.where()[4] != "InUse", "it was carried out")
                    running.kill()
                s.eip("unbind", EIP)
                t.equal(s.where()[4], "Available")


def test_unbind_what_is_not_ours(t):
    for holder, kind, part in (("havip-1", "HaVip", "havip unbind-eip"), ("ngw-1", "Nat", "neither")):
        def change(aliyun, holder=holder, kind=kind):
            aliyun["nat_gateways"] = [{"nat_gateway_id": "ngw-1", "vpc_id": "vpc-main", "vswitch_id": "vsw-1"}]
            aliyun["eips"][0].update(instance_id=holder, instance_type=kind, private_ip="")

        with t.subtest(kind), Scene(t, change) as s:
            s.refuses(("unbind", EIP), holder, part)
            s.refuses(("bind", EIP, "--eni", ENI_2, "--take"), holder, "rule 16")


# ---- convert -------------------------------------------------------------------------------------

def static(**more):
    def change(aliyun):
        for i in aliyun["instances"]:
            if i["instance_id"] == TWO:
                i.update(public_ip=STATIC, **more)
    return change


def convertible(t, delay_ms=None, **more):
    """Node 2 has a static public address; the nodes' role may not convert it, whoever has keys may."""
    return Scene(t, static(**more), delay_ms, credentials="keys")


def converted(s):
    """The EIP that the address became; checks that it is the instance's."""
    found = [e for e in s.sim.aliyun()["eips"] if e["ip_address"] == STATIC]
    s.t.equal([(e["instance_id"], e["status"]) for e in found], [(TWO, "InUse")])
    return found[0]["allocation_id"]


def test_convert(t):
    with convertible(t) as s:
        s.refuses(("convert", TWO), "--yes", status=2)
        t.has(s.eip("convert", TWO, "--dry-run").out, "would make the public address %s of %s an EIP" % (STATIC, TWO))
        t.equal(s.changes(), [])
        answer = s.eip("convert", TWO, "--yes", "--json").json()
        t.equal((answer["changed"], answer["rows"][0]["eip"]), (True, converted(s)))
        t.equal(s.changes(), ["ConvertNatPublicIpToEip"])
        answer = s.eip("convert", TWO, "--yes", "--json").json()
        t.equal((answer["status"], answer["changed"]), (0, False), "done already")
        t.equal(s.changes(), ["ConvertNatPublicIpToEip"])


def test_convert_interrupted(t):
    for kind in ("lost_answer", "reset", "http_500", "not_visible"):
        with t.subtest(kind), convertible(t) as s:
            if kind == "not_visible":
                # The instance shows its EIP before DescribeEipAddresses does.
                body = '{"RequestId": "1", "TotalCount": 0, "PageNumber": 1, "PageSize": 100, "EipAddresses": {"EipAddress": []}}'
                s.sim.faults({"match": {"action": "DescribeEipAddresses"}, "times": 2,
                              "do": {"type": "error", "status": 200, "body": body, "content_type": "application/json"}})
            else:
                s.sim.faults({"match": {"action": "ConvertNatPublicIpToEip"}, "do": {"type": kind}})
            s.eip("convert", TWO, "--yes", "--timeout", "60")
            converted(s)
            if kind == "not_visible":
                t.equal(s.changes(), ["ConvertNatPublicIpToEip"])
    with convertible(t, delay_ms=0) as s:
        s.eip("convert", TWO, "--yes")
        requests = len(s.calls())
    for kind in ("hang", "lost_timeout"):
        for n in range(1, requests + 1):
            with t.subtest("%s at request %d of %d" % (kind, n, requests)), convertible(t, delay_ms=0) as s:
                s.sim.faults({"match": {"key": "?*"}, "skip": n - 1, "times": 0, "do": {"type": kind}})
                running = s.start("convert", TWO, "--yes")
                s.sim.wait(n)
                running.kill()
                s.sim.faults()
                s.eip("convert", TWO, "--yes")
                converted(s)


def test_convert_refused(t):
    with Scene(t) as s:
        s.refuses(("convert", TWO, "--yes"), "rule 42", "no static public address")
    for number, more, part in (
            (41, {"charge_type": "PrePaid", "internet_charge_type": "PayByBandwidth"}, "PayByBandwidth"),
            (42, {"network_type": "classic"}, "classic"), (42, {"status": "Starting"}, "Starting"),
            (42, {"bandwidth_out": 0}, "bandwidth"), (42, {"lock_reason": "security"}, "security"),
            (42, {"charge_type": "PrePaid", "expired_time": "2020-01-01T00:00Z"}, "2020-01-01T00:00Z")):
        with t.subtest("rule %d: %s" % (number, part)), convertible(t, **more) as s:
            s.refuses(("convert", TWO, "--yes"), "rule %d: " % number, part)
    with convertible(t, charge_type="PrePaid") as s:
        s.eip("convert", TWO, "--yes")
        converted(s)


# ---- AWS -----------------------------------------------------------------------------------------

AWS_EIP, AWS_1, AWS_2 = "eipalloc-0aa00000000000001", "eni-0bb00000000000001", "eni-0bb00000000000002"


def test_aws(t):
    with lab.Sim(t) as sim:
        node = lab.Node(t, sim)

        def eip(*words, status=0):
            got = node.cloudvip("eip", *words)
            t.equal(got.status, status, got.err)
            return got

        def changes():
            return [a for a in sim.api_actions() if not a.startswith("Describe")]

        t.equal(eip("list", "--json").json()["rows"][0]["eni"], AWS_1)
        t.equal(len(eip("list", "--on", AWS_2, "--json").json()["rows"]), 0)
        t.has(eip("bind", AWS_EIP, "--eni", AWS_2, status=1).err, AWS_1)
        t.has(eip("bind", AWS_EIP, "--eni", AWS_2, "--take", "--dry-run").out, "would bind")
        t.equal(changes(), [])
        eip("bind", AWS_EIP, "--eni", AWS_2, "--take")
        t.equal(sim.address(AWS_EIP)["network_interface_id"], AWS_2)
        t.equal(eip("bind", "203.0.113.10", "--eni", AWS_2, "--json").json()["changed"], False)
        t.equal(changes(), ["AssociateAddress"])
        t.has(eip("unbind", AWS_EIP, "--from", AWS_1, status=1).err, AWS_2)
        eip("unbind", AWS_EIP, "--from", AWS_2)
        t.check(not sim.address(AWS_EIP).get("network_interface_id"), "it is free")
        t.equal(eip("unbind", AWS_EIP, "--json").json()["changed"], False)
        eip("bind", AWS_EIP, "--instance", lab.NODE_1)
        t.equal(sim.address(AWS_EIP)["network_interface_id"], "eni-0aa00000000000001", "its first interface")
        for action, words in (("DisassociateAddress", ("unbind", AWS_EIP)), ("AssociateAddress", ("bind", AWS_EIP, "--eni", AWS_2))):
            for kind in ("lost_answer", "reset", "http_500"):  # done, and not done
                with t.subtest("%s: %s" % (action, kind)):
                    before = sim.state()
                    sim.faults({"match": {"action": action}, "do": {"type": kind}})
                    eip(*words, "--timeout", "20")
                    bound = sim.address(AWS_EIP).get("network_interface_id")
                    t.equal(bound, AWS_2 if words[0] == "bind" else None)
                    if kind != "http_500":
                        sim.put_world(before)
        got = eip("convert", lab.NODE_1, status=1)
        t.has(got.err, "AWS makes no Elastic IP of a public address")
        t.has(eip("bind", "eipalloc-0", "--eni", AWS_2, status=1).err, "eipalloc-0")
        t.has(eip("bind", AWS_EIP, "--eni", "eni-0", status=1).err, "eni-0")
        eip("bind", AWS_EIP, status=2)


if __name__ == "__main__":
    tap.main()
