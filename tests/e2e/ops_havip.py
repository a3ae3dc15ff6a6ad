#!/usr/bin/env python3
# tests/run: timeout=600
"""`cloudvip havip …`: life cycles, each rule before any change, faults, kills, confirmation."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import ops  # noqa: E402
import tap  # noqa: E402

WORLD = "ali-havip"
SLOW = {"havip": 300, "eip": 300, "eni": 300, "route": 50, "instance": 50}


def free(ali):
    """The HAVIP is bound to nobody."""
    ali["havips"][0] = {"havip_id": "havip-1", "ip_address": "10.0.1.50", "vswitch_id": "vsw-1"}


def by_enis(ali):
    free(ali)
    ali["havips"][0].update(instance_type="NetworkInterface", instances=["eni-svc1"], master="eni-svc1")


def havip(s, havip_id="havip-1"):
    found = s.all("havips", havip_id=havip_id)
    return found[0] if found else None


# ---- life cycle ----------------------------------------------------------------------------------

@tap.cases(("instances", "ENIs"))
def test_life_cycle(t, kind):
    holders = ("i-node1", "i-node2") if kind == "instances" else ("eni-svc1", "eni-svc2")
    with ops.Scene(t, WORLD, free, delays=SLOW) as s:
        made = s.done("havip", "create", "--vswitch", "vsw-1", "--address", "10.0.1.70", "--name", "front")["rows"][0]
        t.equal((made["address"], made["status"], made["name"], made["bound"]), ("10.0.1.70", "Available", "front", None))
        new = made["havip"]
        t.equal(s.calls("CreateHaVip"), 1)
        for i, holder in enumerate(holders):
            row = s.done("havip", "bind", new, holder)["rows"][0]
            t.equal((row["status"], row["bound"]), ("InUse", ",".join(holders[:i + 1])))
            s.sim.clear_log()
            s.done("havip", "bind", new, holder, changed=False)
            t.equal(s.changes(), [], "bound already: nothing is sent")
        for holder in holders:
            s.done("havip", "unbind", new, holder)
            s.sim.clear_log()
            s.done("havip", "unbind", new, holder, changed=False)
            t.equal(s.changes(), [])
        t.equal(havip(s, new)["status"], "Available")
        s.done("havip", "delete", new, "--yes")
        t.check(havip(s, new) is None, "it is gone")
        s.done("havip", "delete", new, "--yes", changed=False)


def test_create_makes_one_of_a_name_or_an_address(t):
    with ops.Scene(t, WORLD) as s:
        first = s.done("havip", "create", "--vswitch", "vsw-1", "--name", "front")["rows"][0]
        s.done("havip", "create", "--vswitch", "vsw-1", "--name", "front", changed=False)
        s.done("havip", "create", "--vswitch", "vsw-1", "--address", first["address"], changed=False)
        t.equal(len(s.all("havips")), 2)
        for _ in range(2):
            s.done("havip", "create", "--vswitch", "vsw-1")
        t.equal(len(s.all("havips")), 4, "without either, each run makes a new one")


def test_list_filters_and_all_pages(t):
    def many(ali):
        ali["vswitches"].append({"vswitch_id": "vsw-2", "vpc_id": "vpc-main", "zone_id": "cn-shanghai-a",
                                 "cidr_block": "10.0.2.0/24"})
        for i in range(120):
            ali["havips"].append({"havip_id": "havip-m%d" % i, "ip_address": "10.0.2.%d" % (i + 10), "vswitch_id": "vsw-2"})

    with ops.Scene(t, WORLD, many) as s:
        def listed(*words):
            return [r["havip"] for r in s.done("havip", "list", *words, changed=False)["rows"]]

        t.equal(len(set(listed())), 121)
        t.equal(listed("--vswitch", "vsw-1"), ["havip-1"])
        t.equal(len(listed("--vpc", "vpc-main")), 121)
        t.equal(listed("--status", "InUse"), ["havip-1"])
        t.equal(listed("--address", "10.0.2.15"), ["havip-m5"])
        t.equal(listed("--vpc", "vpc-none"), [])
        t.equal(listed("havip-m7"), ["havip-m7"])
        got = s.host.cloudvip("havip", "list", "--vswitch", "vsw-1")
        t.equal(got.status, 0)
        t.equal(got.out.split("\n")[0].split(), ["HAVIP", "ADDRESS", "STATUS", "MASTER", "BOUND", "EIP", "VSWITCH", "VPC", "NAME"])
        t.equal(got.out.split("\n")[1].split()[:5], ["havip-1", "10.0.1.50", "InUse", "i-node1", "i-node1,i-node2"])


def free_eip(ali):
    ali["eips"][0] = {"allocation_id": "eip-1", "ip_address": "198.51.100.20"}


def eip(s):
    return s.one("eips", allocation_id="eip-1")


def test_an_eip_on_a_havip(t):
    with ops.Scene(t, WORLD, free_eip, delays=SLOW) as s:
        row = s.done("havip", "bind-eip", "havip-1", "eip-1")["rows"][0]
        t.equal(row["eip"], "198.51.100.20")
        t.equal((eip(s)["instance_id"], eip(s)["status"]), ("havip-1", "InUse"))
        for name in ("eip-1", "198.51.100.20"):
            s.sim.clear_log()
            s.done("havip", "bind-eip", "havip-1", name, changed=False)
            t.equal(s.changes(), [])
        s.done("havip", "unbind-eip", "havip-1", "198.51.100.20")
        t.equal(eip(s)["status"], "Available")
        s.done("havip", "unbind-eip", "havip-1", "eip-1", changed=False)
    with ops.Scene(t, WORLD) as s:
        s.failed(1, "left alone", "havip", "unbind-eip", "havip-1", "eip-1")
        s.failed(1, "no EIP eip-none", "havip", "bind-eip", "havip-1", "eip-none")


# ---- rules ---------------------------------------------------------------------------------------

def add_nodes(ali, count, vswitch="vsw-1"):
    for i in range(count):
        ali["instances"].append({"instance_id": "i-more%d" % i, "vswitch_id": vswitch})
        ali["network_interfaces"].append({"network_interface_id": "eni-more%d" % i, "vswitch_id": vswitch, "type": "Primary",
                                          "mac": "00:16:3e:77:00:%02x" % i, "instance_id": "i-more%d" % i,
                                          "private_ips": [("10.0.1.%d" if vswitch == "vsw-1" else "10.0.9.%d") % (100 + i)],
                                          "security_group_ids": ["sg-main"]})


def other_vswitch(ali, vpc="vpc-main"):
    if vpc != "vpc-main":
        ali["vpcs"].append({"vpc_id": vpc, "cidr_block": "10.0.0.0/16"})
    ali["vswitches"].append({"vswitch_id": "vsw-9", "vpc_id": vpc, "zone_id": "cn-shanghai-a", "cidr_block": "10.0.9.0/24"})
    add_nodes(ali, 1, "vsw-9")


def rule_1(ali):
    other_vswitch(ali)


def rule_2(ali):
    other_vswitch(ali, "vpc-other")


def rule_2_classic(ali):
    free(ali)
    ali["instances"][0]["network_type"] = "classic"


def rule_3(ali):
    add_nodes(ali, 10)
    ali["havips"][0].update(instances=["i-more%d" % i for i in range(10)], master="i-more0")


def rule_5(ali):
    by_enis(ali)
    eni = [e for e in ali["network_interfaces"] if e["network_interface_id"] == "eni-move"][0]
    eni.pop("instance_id")


def rule_11_eip(ali):
    free(ali)
    ali["eips"][0] = {"allocation_id": "eip-1", "ip_address": "198.51.100.20", "instance_type": "HaVip",
                      "instance_id": "havip-1", "private_ip": "10.0.1.50"}


def rule_11_route(ali):
    free(ali)
    ali["route_tables"][0]["routes"].append({"route_entry_id": "rte-h", "destination": "10.7.0.0/24", "next_hop_type": "HaVip",
                                             "next_hop_id": "havip-1"})


REFUSED = (
    (1, rule_1, ("bind", "havip-1", "i-more0")),
    (2, rule_2, ("bind", "havip-1", "i-more0")),
    (2, rule_2_classic, ("bind", "havip-1", "i-node1")),
    (3, rule_3, ("bind", "havip-1", "i-node1")),
    (4, by_enis, ("bind", "havip-1", "i-node1")),
    (4, None, ("bind", "havip-1", "eni-svc1")),
    (5, rule_5, ("bind", "havip-1", "eni-move")),
    (7, None, ("create", "--vswitch", "vsw-1", "--address", "10.9.0.7")),
    (7, None, ("create", "--vswitch", "vsw-1", "--address", "10.0.1.11")),
    (7, None, ("create", "--vswitch", "vsw-1", "--address", "10.0.1.254")),
    (10, None, ("bind-eip", "havip-1", "eip-1")),
    (11, None, ("delete", "havip-1", "--yes")),
    (11, by_enis, ("delete", "havip-1", "--yes")),
    (11, rule_11_eip, ("delete", "havip-1", "--yes")),
    (11, rule_11_route, ("delete", "havip-1", "--yes")),
)


@tap.cases(REFUSED, lambda row: "%d, %s" % (row[0], " ".join(row[2][:1]) + ((", " + row[1].__name__) if row[1] else "")))
def test_rule(t, row):
    number, change, words = row
    with ops.Scene(t, WORLD, change) as s:
        s.refused(number, "havip", *words)
        got = s.host.cloudvip("havip", *words)
        t.equal((got.status, got.out), (1, ""), "without --json it is said on standard error alone")
        t.check("cloudvip: havip %s: rule " % words[0] in got.err, got.err)


def test_rule_12(t):
    with ops.Scene(t, WORLD, free) as s:
        s.sim.do("set_status", id="havip-1", status="Creating")
        for words in (("bind", "havip-1", "i-node1"), ("delete", "havip-1", "--yes")):
            s.refused(12, "havip", *words)
        s.sim.do("disassociate", allocation_id="eip-1")
        s.refused(12, "havip", "bind-eip", "havip-1", "eip-1")
        s.sim.do("set_status", id="havip-1", status="Available")
        s.sim.do("set_status", id="i-node1", status="Stopping")
        s.refused(12, "havip", "bind", "havip-1", "i-node1")
        s.refused(12, "havip", "bind", "havip-1", "eni-svc1")


def test_rule_6_warns(t):
    def detached(ali):
        by_enis(ali)
        [e for e in ali["network_interfaces"] if e["network_interface_id"] == "eni-svc1"][0].pop("instance_id")

    with ops.Scene(t, WORLD, detached) as s:
        answer = s.done("havip", "bind", "havip-1", "eni-svc2")
        t.equal([(b["rule"], b["level"]) for b in answer["breaches"]], [(6, "warn")])


def test_rule_8_warns(t):
    def elsewhere(ali):
        ali["region_id"] = "me-central-1"
        for zone in ali["vswitches"]:
            zone["zone_id"] = "me-central-1a"

    with ops.Scene(t, WORLD, elsewhere) as s:
        answer = s.done("havip", "create", "--vswitch", "vsw-1", "--dry-run", changed=False)
        t.equal([(b["rule"], b["level"]) for b in answer["breaches"]], [(8, "warn")])


def test_the_master_is_not_taken_off_unasked(t):
    with ops.Scene(t, WORLD) as s:
        s.failed(1, "--force", "havip", "unbind", "havip-1", "i-node1")
        s.done("havip", "unbind", "havip-1", "i-node2")
        s.done("havip", "unbind", "havip-1", "i-node1", "--force")
        t.equal(havip(s)["status"], "Available")


def test_what_is_not_there(t):
    with ops.Scene(t, WORLD) as s:
        s.failed(1, "no HAVIP havip-none", "havip", "list", "havip-none")
        s.failed(1, "no HAVIP havip-none", "havip", "bind", "havip-none", "i-node1")
        s.failed(1, "no instance i-none", "havip", "bind", "havip-1", "i-none")
        s.failed(1, "no ENI eni-none", "havip", "bind", "havip-1", "eni-none")
        s.failed(1, "no vSwitch vsw-none", "havip", "create", "--vswitch", "vsw-none")
        s.failed(2, "an instance (i-...) or an ENI (eni-...)", "havip", "bind", "havip-1", "lb-1")
        s.failed(2, "did you mean unbind?", "havip", "unbnd", "havip-1", "i-node1")
        s.failed(2, "did you mean --vswitch?", "havip", "create", "--vswich", "vsw-1")
        s.failed(2, "--vswitch is missing", "havip", "create")
        s.failed(2, "which verb?", "havip")


# ---- what is dry, and what asks --------------------------------------------------------------------

def test_filters_that_the_endpoint_passes_over(t):
    """It answers with all there are: what does not fit is not taken for what was asked for."""
    def more(ali):
        free(ali)
        ali["vswitches"].append({"vswitch_id": "vsw-2", "vpc_id": "vpc-main", "zone_id": "cn-shanghai-a",
                                 "cidr_block": "10.0.2.0/24"})

    def body(**lists):
        return {"type": "error", "status": 200, "content_type": "application/json",
                "body": json.dumps(dict(lists, RequestId="r", TotalCount=1, PageNumber=1, PageSize=50))}

    hop = {"RouteEntryId": "rte-x", "DestinationCidrBlock": "0.0.0.0/0", "Status": "Available", "Type": "Custom",
           "NextHops": {"NextHop": [{"NextHopType": "NatGateway", "NextHopId": "ngw-1"}]}}
    twin = {"HaVipId": "havip-9", "Name": "svc", "VSwitchId": "vsw-2", "VpcId": "vpc-main", "Status": "Available",
            "IpAddress": "10.0.2.9"}
    with ops.Scene(t, WORLD, more) as s:
        s.sim.faults({"match": {"action": "DescribeHaVips"}, "times": 1, "do": body(HaVips={"HaVip": [twin]})})
        answer = s.done("havip", "create", "--vswitch", "vsw-1", "--name", "svc")
        t.check("havip-9" not in answer["text"], answer["text"])
        s.sim.faults({"match": {"action": "DescribeHaVips"}, "times": 1, "do": body(HaVips={"HaVip": [twin]})})
        t.equal(s.done("havip", "list", "--vswitch", "vsw-1", changed=False)["rows"], [])
        s.sim.faults({"match": {"action": "DescribeRouteEntryList"}, "times": 0, "do": body(RouteEntrys={"RouteEntry": [hop]})})
        s.done("havip", "delete", "havip-1", "--yes")
        t.equal(havip(s), None)


def test_dry_runs_change_nothing(t):
    with ops.Scene(t, WORLD, free) as s:
        for words in (("create", "--vswitch", "vsw-1", "--address", "10.0.1.70"), ("bind", "havip-1", "i-node1"),
                      ("delete", "havip-1")):
            s.dry("havip", *words)
        s.done("havip", "bind", "havip-1", "i-node1")
        s.dry("havip", "unbind", "havip-1", "i-node1")


def test_delete_asks(t):
    with ops.Scene(t, WORLD, free) as s:
        s.failed(2, "say --yes", "havip", "delete", "havip-1")
        for answer, status, there in (("", 1, True), ("n", 1, True), ("maybe", 1, True), ("YES", 0, False)):
            got, shown = ops.at_terminal(s, ("havip", "delete", "havip-1"), answer)
            t.equal(got, status, shown)
            t.check("delete havip-1 (10.0.1.50): this cannot be undone" in shown, shown)
            t.equal(havip(s) is not None, there)


def test_progress_is_told_once_for_each_state(t):
    with ops.Scene(t, WORLD, free, delays={"havip": 800}) as s:
        got = s.host.cloudvip("havip", "bind", "havip-1", "i-node1")
        t.equal(got.status, 0)
        t.equal(got.err.count("havip-1: Associating"), 1, got.err)
        t.check("\r" not in got.err and "\x1b" not in got.err, "no terminal, no control characters")
        status, shown = ops.at_terminal(s, ("havip", "unbind", "havip-1", "i-node1"), "")
        t.equal(status, 0)
        t.check("\rhavip-1: Unassociating ... 0 s" in shown.replace("\x1b[K", ""), repr(shown))


# ---- settings ------------------------------------------------------------------------------------

def test_settings_come_from_defaults_a_resource_and_the_command_line(t):
    with ops.Scene(t, WORLD) as s:
        s.failed(4, "no resource nope", "havip", "list", "--resource", "nope")
        s.failed(4, "no resource nope", "havip", "list", "--resource", "nope", "--region", "cn-shanghai")
        s.host.defaults(endpoint=s.sim.url)
        s.host.resource("vip1", provider="aliyun", region="cn-shanghai", scenario="havip", interface="eth1", address="10.0.1.50")
        t.equal(len(s.done("havip", "list", "--resource", "vip1", changed=False)["rows"]), 1)
        t.equal(len(s.done("havip", "list", "--region", "cn-shanghai", changed=False)["rows"]), 1,
                "only one provider has HAVIPs: it need not be named")
        s.failed(2, "havip: not on provider aws", "havip", "list", "--provider", "aws")
        s.failed(2, "did you mean aliyun?", "havip", "list", "--provider", "alyun")
        got = s.do("havip", "list", "--region", "cn-nowhere")
        t.equal(got.status, 1)


def test_help_needs_no_cloud(t):
    with ops.Scene(t, WORLD) as s:
        s.host.file("cloudvip.conf", "[defaults]\nnonsense = 1\n")
        for words in (("havip", "--help"), ("havip", "bind", "--help"), ("havip", "-h"), ("havip", "nonsense", "--help")):
            got = s.host.cloudvip(*words)
            t.equal(got.status, 0)
            t.check("bind HAVIP HOLDER" in got.out, got.out)
        t.equal(s.calls(), [])


# ---- faults --------------------------------------------------------------------------------------

def bound(s):
    s.t.equal(havip(s)["instances"], ["i-node1"])
    s.t.equal(havip(s)["status"], "InUse")


def unbound(s):
    s.t.equal((havip(s)["instances"], havip(s)["status"]), (["i-node1"], "InUse"))


def created(s):
    s.t.equal([h["status"] for h in s.all("havips", ip_address="10.0.1.70")], ["Available"])


def gone(s):
    s.t.equal(s.all("havips"), [])


def bound_eip(ali):
    ali["eips"][0] = {"allocation_id": "eip-1", "ip_address": "198.51.100.20", "instance_type": "HaVip", "instance_id": "havip-1"}


def eip_bound(s):
    s.t.equal((eip(s).get("instance_id"), eip(s)["status"]), ("havip-1", "InUse"))


def eip_unbound(s):
    s.t.equal(eip(s)["status"], "Available")


CHANGES = (
    ("create", free, ("create", "--vswitch", "vsw-1", "--address", "10.0.1.70"), created, "CreateHaVip"),
    ("bind", free, ("bind", "havip-1", "i-node1"), bound, "AssociateHaVip"),
    ("unbind", None, ("unbind", "havip-1", "i-node2"), unbound, "UnassociateHaVip"),
    ("bind-eip", free_eip, ("bind-eip", "havip-1", "eip-1"), eip_bound, "AssociateEipAddress"),
    ("unbind-eip", bound_eip, ("unbind-eip", "havip-1", "eip-1"), eip_unbound, "UnassociateEipAddress"),
    ("delete", free, ("delete", "havip-1", "--yes"), gone, "DeleteHaVip"),
)


@tap.cases(CHANGES, lambda row: row[0])
def test_faults(t, row):
    _, change, words, expect, action = row
    with ops.Scene(t, WORLD, change, delays={"havip": 40, "eip": 40}) as s:
        for fault in ({"type": "lost_answer"}, {"type": "throttle"}, {"type": "http_503"}, {"type": "task_conflict"},
                      {"type": "error", "status": 400, "code": "IncorrectEipStatus" if "Eip" in action else "IncorrectHaVipStatus"},
                      {"type": "error", "status": 400, "code": "LastTokenProcessing"}, {"type": "reset"}):
            with t.subtest(fault["type"] + " " + fault.get("code", "")):
                s.through(fault, expect, "havip", *words, action=action)
        with t.subtest("stale reads"):
            s.reset()
            s.sim.faults({"match": {"action": "Describe*"}, "times": 0, "do": {"type": "stale", "ms": 700}})
            t.equal(s.do("havip", *words).status, 0)
            s.sim.faults()
            expect(s)
        with t.subtest("denied"):
            s.reset()
            s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": "deny"}})
            got = s.do("havip", *words)
            t.equal((got.status, got.answer["error"]["kind"]), (5, "DENIED"))
            t.check(action in got.answer["error"]["message"], "it names the action")
        with t.subtest("no time"):
            s.reset()
            s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": "throttle"}})
            t.equal(s.do("havip", *words, "--timeout", "1").status, 3)


@tap.cases(CHANGES, lambda row: row[0])
def test_killed_and_run_again(t, row):
    _, change, words, expect, _action = row
    with ops.Scene(t, WORLD, change, delays={"havip": 30, "eip": 30}) as s:
        s.survives(expect, "havip", *words)


def test_every_failure_is_json(t):
    with ops.Scene(t, WORLD) as s:
        for words in (("havip",), ("havip", "nope"), ("havip", "bind"), ("havip", "bind", "a", "b", "c"), ("havip", "list", "--region"),
                      ("havip", "delete", "havip-1"), ("havip", "bind", "havip-\x1b[2J", "i-1")):
            got = s.host.cloudvip("--json", *words)
            t.equal(json.loads(got.out)["status"], got.status)
            t.equal(got.status, 2)
            t.check("\x1b" not in got.err, "nothing unprintable is shown")


if __name__ == "__main__":
    tap.main()
