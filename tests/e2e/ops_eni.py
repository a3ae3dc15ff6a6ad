#!/usr/bin/env python3
# tests/run: timeout=900
"""`cloudvip eni …` on both clouds: life cycles, each rule before any change, faults, kills."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import ops  # noqa: E402
import tap  # noqa: E402


class Ali:
    name = "aliyun"
    world = "ali-havip"
    eni, on, off = "eni-move", "i-node1", "i-node2"
    subnet, group = "vsw-1", "sg-main"
    subnet_word = "--vswitch"
    delays = {"eni": 300}
    fast = {"eni": 30}
    states = ("Available", "InUse")
    attaching, detaching = "Attaching", "Detaching"
    look, create, attach, detach, modify, delete = (
        "DescribeNetworkInterfaces", "CreateNetworkInterface", "AttachNetworkInterface", "DetachNetworkInterface",
        "ModifyNetworkInterfaceAttribute", "DeleteNetworkInterface")
    keep = ("--delete-on-release", "no")
    third = "TYPE"

    @staticmethod
    def find(s, eni):
        found = s.all("network_interfaces", network_interface_id=eni)
        return found[0] if found else None

    @staticmethod
    def where(s, eni):
        e = Ali.find(s, eni)
        return (e.get("instance_id") or None, e["status"])

    @staticmethod
    def free(ali, eni="eni-move"):
        [e for e in ali["network_interfaces"] if e["network_interface_id"] == eni][0].pop("instance_id")

    @staticmethod
    def groups(s, eni):
        return Ali.find(s, eni)["security_group_ids"]

    @staticmethod
    def add_groups(ali, count, vpc="vpc-main", name="sg-more"):
        for i in range(count):
            ali["security_groups"].append({"security_group_id": "%s%d" % (name, i), "vpc_id": vpc, "name": "more"})

    @staticmethod
    def on_it(node):
        return (node, "InUse")

    not_on = (None, "Available")


def aws_world():
    """Both nodes in one subnet, a movable interface on the first one."""
    world = lab.world("two-nodes")
    aws = world["aws"]
    first = aws["instances"][0]["subnet_id"]
    for i, eni in enumerate(e for e in aws["network_interfaces"]
                            if e["attachment"]["instance_id"] == aws["instances"][1]["instance_id"]):
        eni.update(subnet_id=first, private_ips=["10.0.1.%d" % (20 + i)])
    aws["instances"][1]["subnet_id"] = first
    aws["security_groups"] = [{"group_id": Aws.group, "vpc_id": aws["vpcs"][0]["vpc_id"], "name": "main"}]
    for eni in aws["network_interfaces"]:
        eni["groups"] = [Aws.group]
    aws["network_interfaces"].append(dict(aws_eni(Aws.eni, first, "10.0.1.100"), attachment={
        "attachment_id": "eni-attach-0cc00000000000001", "instance_id": Aws.on, "device_index": 2, "status": "attached",
        "delete_on_termination": False}))
    return world


def aws_eni(eni, subnet, ip, number=1):
    return {"network_interface_id": eni, "subnet_id": subnet, "mac": "06:cc:00:00:%02x:%02x" % (number >> 8, number & 255),
            "private_ips": [ip], "groups": [Aws.group]}


class Aws:
    name = "aws"
    eni, on, off = "eni-0cc00000000000001", lab.NODE_1, lab.NODE_2
    subnet, group = "subnet-0aa00000000000001", "sg-0aa00000000000001"
    subnet_word = "--subnet"
    delays = {"attach": 300, "detach": 300}
    fast = {"attach": 30, "detach": 30}
    look, create, attach, detach, modify, delete = (
        "DescribeNetworkInterfaces", "CreateNetworkInterface", "AttachNetworkInterface", "DetachNetworkInterface",
        "ModifyNetworkInterfaceAttribute", "DeleteNetworkInterface")
    keep = ()
    third = "DEVICE"
    more = "sg-0bb0000000000000"
    not_on = (None, "available")
    page = 500
    find = staticmethod(Ali.find)
    busy = [{"type": "error", "status": 400, "code": "IncorrectState"}]

    @staticmethod
    def where(s, eni):
        attachment = Aws.find(s, eni).get("attachment") or {}
        return (attachment.get("instance_id"), {"attached": "in-use", None: "available"}.get(attachment.get("status"), "?"))

    @staticmethod
    def free(aws, eni="eni-0cc00000000000001"):
        [e for e in aws["network_interfaces"] if e["network_interface_id"] == eni][0].pop("attachment")

    @staticmethod
    def groups(s, eni):
        return Aws.find(s, eni)["groups"]

    @staticmethod
    def add_groups(aws, count, vpc=None, name="sg-0bb0000000000000"):
        for i in range(count):
            aws["security_groups"].append({"group_id": "%s%d" % (name, i), "vpc_id": vpc or aws["vpcs"][0]["vpc_id"]})

    @staticmethod
    def on_it(node):
        return (node, "in-use")

    @staticmethod
    def many(aws):
        aws["subnets"].append({"subnet_id": "subnet-0dd00000000000001", "vpc_id": aws["vpcs"][0]["vpc_id"],
                               "availability_zone": "ap-northeast-1a", "cidr_block": "10.0.4.0/22"})
        for i in range(600):
            aws["network_interfaces"].append(aws_eni("eni-0dd%014x" % i, "subnet-0dd00000000000001",
                                                     "10.0.%d.%d" % (4 + i // 200, 10 + i % 200), 1000 + i))

    @staticmethod
    def filters(s):
        enis = s.all("network_interfaces")

        def ids(keep):
            return [e["network_interface_id"] for e in enis if keep(e, e.get("attachment") or {})]

        return ((("--subnet", "subnet-0dd00000000000001"), ids(lambda e, a: e["subnet_id"].startswith("subnet-0dd"))),
                (("--vpc", s.world()["vpcs"][0]["vpc_id"]), ids(lambda e, a: True)), (("--vpc", "vpc-0ff00000000000001"), []),
                (("--instance", Aws.off), ids(lambda e, a: a.get("instance_id") == Aws.off)),
                (("--type", "primary"), ids(lambda e, a: a.get("device_index") == 0)),
                (("--type", "secondary", "--status", "in-use"), ids(lambda e, a: a.get("device_index", 0) > 0)))


Aws.world = aws_world()
CLOUDS = (Ali, Aws)


def each(function):
    return tap.cases(CLOUDS, lambda c: c.name)(function)


# ---- life cycle ----------------------------------------------------------------------------------

@each
def test_life_cycle(t, c):
    with ops.Scene(t, c.world, c.free, delays=c.delays) as s:
        made = s.done("eni", "create", c.subnet_word, c.subnet, "--security-groups", c.group, "--name", "spare",
                      "--address", "10.0.1.70", "--description", "a spare one", *c.keep)["rows"][0]
        t.equal((made["address"], made["status"], made["name"], made["instance"]),
                ("10.0.1.70", c.not_on[1], "spare", None))
        eni = made["eni"]
        t.equal(c.groups(s, eni), [c.group])
        for node in (c.off, c.on):
            row = s.done("eni", "attach", eni, node)["rows"][0]
            t.equal((row["instance"], c.where(s, eni)), (node, c.on_it(node)))
            s.sim.clear_log()
            s.done("eni", "attach", eni, node, changed=False)
            t.equal(s.changes(), [], "attached already: nothing is sent")
            s.done("eni", "detach", eni)
            t.equal(c.where(s, eni), c.not_on)
            s.sim.clear_log()
            s.done("eni", "detach", eni, changed=False)
            t.equal(s.changes(), [])
        s.done("eni", "delete", eni, "--yes")
        t.check(c.find(s, eni) is None, "it is gone")
        s.done("eni", "delete", eni, "--yes", changed=False)


@each
def test_create_makes_one_of_a_name_or_an_address(t, c):
    with ops.Scene(t, c.world) as s:
        words = ("eni", "create", c.subnet_word, c.subnet, "--security-groups", c.group)
        before = len(s.all("network_interfaces"))
        first = s.done(*words + ("--name", "spare"))["rows"][0]
        s.done(*words + ("--name", "spare"), changed=False)
        s.done(*words + ("--address", first["address"]), changed=False)
        t.equal(len(s.all("network_interfaces")), before + 1)
        for _ in range(2):
            s.done(*words)
        t.equal(len(s.all("network_interfaces")), before + 3, "without either, each run makes a new one")


@each
def test_modify(t, c):
    def change(world):
        c.add_groups(world, 4)

    with ops.Scene(t, c.world, change) as s:
        eni = c.eni
        more = c.more if hasattr(c, "more") else "sg-more"
        for words, look in (
                (("--description", "something else"), lambda: c.find(s, eni).get("description") == "something else"),
                (("--name", "other"), lambda: (c.find(s, eni).get("name") or c.find(s, eni).get("tags", {}).get("Name")) == "other"),
                (("--security-groups", "%s0,%s1" % (more, more)), lambda: sorted(c.groups(s, eni)) == [more + "0", more + "1"]),
                (("--source-dest-check", "off" if c.find(s, eni).get("source_dest_check") else "on"),
                 lambda: c.find(s, eni).get("source_dest_check", False) == (c.name == "aliyun"))):
            s.dry("eni", "modify", eni, *words)
            t.check(not look(), "not yet: %s" % (words,))
            s.done("eni", "modify", eni, *words)
            t.check(look(), "%s" % (words,))
            s.sim.clear_log()
            s.done("eni", "modify", eni, *words, changed=False)
            t.equal(s.changes(), [], "so already: nothing is sent")
        s.failed(2, "nothing to change was named", "eni", "modify", eni)


@each
def test_list_filters_and_all_pages(t, c):
    with ops.Scene(t, c.world, c.many) as s:
        def listed(*words):
            return sorted(r["eni"] for r in s.done("eni", "list", *words, changed=False)["rows"])

        everything = sorted(e["network_interface_id"] for e in s.all("network_interfaces"))
        t.check(len(everything) > c.page, "more than a page")
        t.equal(listed(), everything)
        t.equal(listed(c.eni), [c.eni], "by its id")
        for words, wanted in c.filters(s):
            t.equal(listed(*words), sorted(wanted), "%s" % (words,))
        got = s.host.cloudvip("eni", "list", "--instance", c.on)
        t.equal(got.status, 0)
        t.equal(got.out.split("\n")[0].split()[:4], ["ENI", "STATUS", c.third, "INSTANCE"])
        t.check(got.out.rstrip().endswith(" ENIs"), got.out)


def ali_many(ali):
    ali["vswitches"].append({"vswitch_id": "vsw-2", "vpc_id": "vpc-main", "zone_id": "cn-shanghai-a", "cidr_block": "10.0.4.0/22"})
    for i in range(600):
        ali["network_interfaces"].append({
            "network_interface_id": "eni-m%d" % i, "vswitch_id": "vsw-2", "type": "Secondary", "security_group_ids": ["sg-main"],
            "mac": "00:16:3e:78:%02x:%02x" % (i >> 8, i & 255), "private_ips": ["10.0.%d.%d" % (4 + i // 200, 10 + i % 200)]})


def ali_filters(s):
    enis = s.all("network_interfaces")

    def ids(keep):
        return [e["network_interface_id"] for e in enis if keep(e)]

    return ((("--vswitch", "vsw-2"), ids(lambda e: e["vswitch_id"] == "vsw-2")),
            (("--vpc", "vpc-main"), ids(lambda e: True)), (("--vpc", "vpc-none"), []),
            (("--instance", "i-node2"), ids(lambda e: e.get("instance_id") == "i-node2")),
            (("--type", "Primary"), ids(lambda e: e["type"] == "Primary")),
            (("--status", "InUse", "--type", "Secondary"), ids(lambda e: e["status"] == "InUse" and e["type"] == "Secondary")))


Ali.many, Ali.filters, Ali.page = staticmethod(ali_many), staticmethod(ali_filters), 500


# ---- rules ---------------------------------------------------------------------------------------

def ali_other(ali, zone="cn-shanghai-a", vpc="vpc-main"):
    """A free interface eni-far in another zone or VPC."""
    if vpc != "vpc-main":
        ali["vpcs"].append({"vpc_id": vpc, "cidr_block": "10.0.0.0/16"})
        ali["security_groups"].append({"security_group_id": "sg-far", "vpc_id": vpc, "name": "far"})
    ali["vswitches"].append({"vswitch_id": "vsw-far", "vpc_id": vpc, "zone_id": zone, "cidr_block": "10.0.9.0/24"})
    ali["network_interfaces"].append({"network_interface_id": "eni-far", "vswitch_id": "vsw-far", "type": "Secondary",
                                      "mac": "00:16:3e:79:00:01", "private_ips": ["10.0.9.9"],
                                      "security_group_ids": ["sg-far" if vpc != "vpc-main" else "sg-main"]})


def ali_full(ali):
    Ali.free(ali)
    ali["instance_types"] = [{"instance_type": "ecs.g6.large", "eni_quantity": 2}]


def ali_instance(**fields):
    def change(ali):
        Ali.free(ali)
        ali["instances"][1].update(fields)
    return change


def ali_managed(ali):
    Ali.free(ali)
    [e for e in ali["network_interfaces"] if e["network_interface_id"] == "eni-move"][0]["service_managed"] = True


def ali_groups(ali):
    Ali.add_groups(ali, 6)
    ali_other(ali, vpc="vpc-far")


CREATE = ("create", "--vswitch", "vsw-1", "--security-groups")
SIX = ",".join("sg-more%d" % i for i in range(6))
ALI_REFUSED = (
    ("20", ali_full, ("attach", "eni-move", "i-node2")),
    ("44: elsewhere", None, CREATE + ("sg-main", "--address", "10.9.9.9")),
    ("44: taken", None, CREATE + ("sg-main", "--address", "10.0.1.11")),
    ("50: attached", None, ("attach", "eni-move", "i-node2")),
    ("50: Stopping", ali_instance(status="Stopping"), ("attach", "eni-move", "i-node2")),
    ("50: a service's", ali_managed, ("attach", "eni-move", "i-node2")),
    ("51", None, ("detach", "eni-node1")),
    ("52: attached", None, ("delete", "eni-move", "--yes")),
    ("52: primary", None, ("delete", "eni-node1", "--yes")),
    ("53", lambda ali: ali_other(ali, zone="cn-shanghai-b"), ("attach", "eni-far", "i-node2")),
    ("54", lambda ali: ali_other(ali, vpc="vpc-far"), ("attach", "eni-far", "i-node2")),
    ("55: six", ali_groups, CREATE + (SIX,)),
    ("55: of another VPC", ali_groups, CREATE + ("sg-main,sg-far",)),
    ("55: none", None, CREATE + ("sg-none",)),
    ("55: six, modified", ali_groups, ("modify", "eni-move", "--security-groups", SIX)),
    ("55: of another VPC, modified", ali_groups, ("modify", "eni-move", "--security-groups", "sg-far")),
    ("56", ali_instance(io_optimized=False), ("attach", "eni-move", "i-node2")),
)
Ali.refused = ALI_REFUSED


def aws_far(aws, zone="ap-northeast-1a", vpc=False):
    """A free interface eni-0ff… in another zone or VPC."""
    if vpc:
        aws["vpcs"].append({"vpc_id": "vpc-0ff00000000000001", "cidr_blocks": ["10.0.0.0/16"]})
        aws["security_groups"].append({"group_id": "sg-0ff00000000000001", "vpc_id": "vpc-0ff00000000000001"})
    aws["subnets"].append({"subnet_id": "subnet-0ff00000000000001", "availability_zone": zone, "cidr_block": "10.0.9.0/24",
                           "vpc_id": "vpc-0ff00000000000001" if vpc else aws["vpcs"][0]["vpc_id"]})
    aws["network_interfaces"].append(aws_eni("eni-0ff00000000000001", "subnet-0ff00000000000001", "10.0.9.9", 77))


def aws_groups(aws):
    Aws.add_groups(aws, 6)
    aws_far(aws, vpc=True)


def aws_full(aws):
    Aws.free(aws)
    aws["instance_types"] = [{"instance_type": "m5.large", "network_interfaces": 2}]


def aws_state(state):
    def change(aws):
        Aws.free(aws)
        aws["instances"][1]["state"] = state
    return change


def aws_managed(aws):
    Aws.free(aws)
    aws["network_interfaces"][-1]["requester_managed"] = True


AWS_CREATE = ("create", "--subnet", Aws.subnet, "--security-groups")
AWS_SIX = ",".join("%s%d" % (Aws.more, i) for i in range(6))
Aws.refused = (
    ("20", aws_full, ("attach", Aws.eni, Aws.off)),
    ("44: elsewhere", None, AWS_CREATE + (Aws.group, "--address", "10.9.9.9")),
    ("44: taken", None, AWS_CREATE + (Aws.group, "--address", "10.0.1.100")),
    ("44: kept", None, AWS_CREATE + (Aws.group, "--address", "10.0.1.3")),
    ("50: attached", None, ("attach", Aws.eni, Aws.off)),
    ("50: stopping", aws_state("stopping"), ("attach", Aws.eni, Aws.off)),
    ("50: a service's", aws_managed, ("attach", Aws.eni, Aws.off)),
    ("51", None, ("detach", "eni-0aa00000000000001")),
    ("52", None, ("delete", Aws.eni, "--yes")),
    ("53", lambda aws: aws_far(aws, zone="ap-northeast-1c"), ("attach", "eni-0ff00000000000001", Aws.off)),
    ("55: six", aws_groups, AWS_CREATE + (AWS_SIX,)),
    ("55: of another VPC", aws_groups, AWS_CREATE + ("sg-0ff00000000000001",)),
    ("55: none", None, AWS_CREATE + ("sg-0ff0000000000000e",)),
    ("55: six, modified", aws_groups, ("modify", Aws.eni, "--security-groups", AWS_SIX)),
)


@tap.cases([(c, row) for c in CLOUDS for row in c.refused], lambda x: "%s, %s" % (x[0].name, x[1][0]))
def test_rule(t, case):
    c, (number, change, words) = case
    with ops.Scene(t, c.world, change) as s:
        s.refused(int(number.split(":")[0]), "eni", *words)


def test_a_raised_quota_of_groups(t):
    with ops.Scene(t, Ali.world, ali_groups) as s:
        s.done("eni", *CREATE + (SIX, "--max-groups", "10"))
        s.done("eni", "modify", "eni-move", "--security-groups", SIX, "--max-groups", "6")


def test_warnings(t):
    def keeps(ali):
        Ali.free(ali)
        ali_many(ali)

    with ops.Scene(t, Ali.world, keeps) as s:
        answer = s.done("eni", "attach", "eni-move", "i-node2")
        t.equal([(b["rule"], b["level"]) for b in answer["breaches"]], [(59, "warn")])
        answer = s.done("eni", *CREATE + ("sg-main",))
        t.equal([(b["rule"], b["level"]) for b in answer["breaches"]], [(57, "warn")])
        answer = s.done("eni", "modify", "eni-node1", "--description", "primary")
        t.equal([(b["rule"], b["level"]) for b in answer["breaches"]], [(58, "warn")])


def test_detaching_from_a_havip_warns(t):
    def bound(ali):
        ali["havips"][0].update(instance_type="NetworkInterface", instances=["eni-move"], master="")

    with ops.Scene(t, Ali.world, bound) as s:
        s.sim.faults({"match": {"action": "DescribeHaVips"}, "times": 0, "do": {"type": "deny"}})
        answer = s.done("eni", "detach", "eni-move", "--dry-run", changed=False)
        t.equal([(b["rule"], b["level"]) for b in answer["unchecked"]], [(6, "warn")])
        t.check("DescribeHaVips" in answer["unchecked"][0]["detail"], "it says why")
        s.sim.faults()
        answer = s.done("eni", "detach", "eni-move")
        t.equal([(b["rule"], b["level"]) for b in answer["breaches"]], [(6, "warn")])
        t.equal(answer["unchecked"], [])


def test_warnings_on_aws(t):
    def far(aws):
        aws_far(aws, vpc=True)

    with ops.Scene(t, Aws.world, far) as s:
        answer = s.done("eni", "attach", "eni-0ff00000000000001", Aws.off)
        t.equal([(b["rule"], b["level"]) for b in answer["breaches"]], [(54, "warn")])
        answer = s.done("eni", "modify", Aws.eni, "--delete-on-termination", "yes")
        t.equal([(b["rule"], b["level"]) for b in answer["breaches"]], [(59, "warn")])
        t.equal(Aws.find(s, Aws.eni)["attachment"]["delete_on_termination"], True)
        s.done("eni", "modify", Aws.eni, "--delete-on-termination", "no")
        s.done("eni", "detach", Aws.eni)
        s.failed(1, "attached to no instance", "eni", "modify", Aws.eni, "--delete-on-termination", "no")


def test_aws_takes_the_first_free_device_index(t):
    with ops.Scene(t, Aws.world, Aws.free) as s:
        s.done("eni", "attach", Aws.eni, Aws.on)
        t.equal(Aws.find(s, Aws.eni)["attachment"]["device_index"], 2)
        s.done("eni", "detach", Aws.eni)
        s.sim.do("detach_eni", eni=s.sim.eni(Aws.on, 1))
        s.done("eni", "attach", Aws.eni, Aws.on)
        t.equal(Aws.find(s, Aws.eni)["attachment"]["device_index"], 1)


def test_an_instance_that_does_not_let_go(t):
    with ops.Scene(t, Aws.world, delays={"detach": 60000}) as s:
        got = s.do("eni", "detach", Aws.eni, "--timeout", "6")
        t.equal(got.status, 3)
        for part in ("does not let it go", "stop that instance", "Force=true by hand"):
            t.check(part in got.answer["error"]["message"], got.err)
        t.check("cloudvip: %s: detaching" % Aws.eni in got.err, got.err)


@each
def test_what_is_not_there(t, c):
    with ops.Scene(t, c.world) as s:
        none = c.eni[:-4] + "dead" if c.name == "aws" else "eni-none"
        s.failed(1, none, "eni", "list", none)
        s.failed(1, none, "eni", "attach", none, c.off)
        s.failed(1, none, "eni", "detach", none)
        s.failed(1, none, "eni", "modify", none, "--name", "xx")
        s.failed(1, c.off[:-2] + "ff", "eni", "attach", c.eni, c.off[:-2] + "ff")
        s.failed(2, "--instance is missing", "eni", "attach", c.eni)
        s.failed(2, "did you mean attach?", "eni", "attahc", c.eni, c.off)
        s.failed(2, "say --yes", "eni", "delete", c.eni)
        s.done("eni", "delete", none, "--yes", changed=False)


# ---- states --------------------------------------------------------------------------------------

def test_an_attachment_that_fails(t):
    with ops.Scene(t, Ali.world, Ali.free, delays={"eni": 60000}) as s:
        running = s.start("eni", "attach", "eni-move", "i-node2")
        t.wait_until(lambda: Ali.where(s, "eni-move")[1] == "Attaching", "it is attaching")
        seen = s.calls(Ali.look)
        t.wait_until(lambda: s.calls(Ali.look) > seen + 1, "it has seen so")
        s.sim.do("detach_eni", eni="eni-move")
        got = s.end(running)
        t.equal(got.status, 1)
        t.check("Available again" in got.answer["error"]["message"], got.err)
        t.check("cloudvip: eni-move: Attaching" in got.err, "progress is told")


def test_a_guest_that_does_not_let_go(t):
    def hung(ali):
        ali["instances"][0]["guest"] = "hung"

    with ops.Scene(t, Ali.world, hung) as s:
        got = s.do("eni", "detach", "eni-move", "--timeout", "6")
        t.equal(got.status, 3)
        for part in ("still Detaching", "i-node1", "restart or stop that instance"):
            t.check(part in got.answer["error"]["message"], got.err)
        t.equal(got.answer["changed"], True)
        s.sim.do("stop_instance", id="i-node1")
        t.equal(s.do("eni", "detach", "eni-move").status, 0)
        t.equal(Ali.where(s, "eni-move"), Ali.not_on)


@each
def test_dry_runs_change_nothing(t, c):
    with ops.Scene(t, c.world, c.free) as s:
        for words in (("create", c.subnet_word, c.subnet, "--security-groups", c.group), ("attach", c.eni, c.off),
                      ("modify", c.eni, "--description", "another"), ("delete", c.eni)):
            s.dry("eni", *words)
        s.done("eni", "attach", c.eni, c.on)
        s.dry("eni", "detach", c.eni)


@each
def test_delete_asks(t, c):
    with ops.Scene(t, c.world, c.free) as s:
        for answer, status, there in (("n", 1, True), ("y", 0, False)):
            got, shown = ops.at_terminal(s, ("eni", "delete", c.eni), answer)
            t.equal(got, status, shown)
            t.check("delete %s" % c.eni in shown and "cannot be undone" in shown, shown)
            t.equal(c.find(s, c.eni) is not None, there)


# ---- faults --------------------------------------------------------------------------------------

def changes(c):
    def created(s):
        s.t.equal(len(s.all("network_interfaces", private_ips=["10.0.1.70"])), 1)

    return (("create", c.free, ("create", c.subnet_word, c.subnet, "--security-groups", c.group, "--address", "10.0.1.70"),
             created, c.create),
            ("attach", c.free, ("attach", c.eni, c.off), lambda s: s.t.equal(c.where(s, c.eni), c.on_it(c.off)), c.attach),
            ("detach", None, ("detach", c.eni), lambda s: s.t.equal(c.where(s, c.eni), c.not_on), c.detach),
            ("modify", None, ("modify", c.eni, "--description", "another one"),
             lambda s: s.t.equal(c.find(s, c.eni)["description"], "another one"), c.modify),
            ("delete", c.free, ("delete", c.eni, "--yes"), lambda s: s.t.equal(c.find(s, c.eni), None), c.delete))


CASES = [(c, row) for c in CLOUDS for row in changes(c)]


@tap.cases(CASES, lambda x: "%s, %s" % (x[0].name, x[1][0]))
def test_faults(t, case):
    c, (_, change, words, expect, action) = case
    faults = [{"type": "lost_answer"}, {"type": "throttle"}, {"type": "http_503"}, {"type": "reset"}]
    faults += c.busy
    with ops.Scene(t, c.world, change, delays=c.fast) as s:
        for fault in faults:
            with t.subtest(fault["type"] + " " + fault.get("code", "")):
                s.through(fault, expect, "eni", *words, action=action)
        with t.subtest("stale reads"):
            s.reset()
            s.sim.faults({"match": {"action": c.look}, "times": 0, "do": {"type": "stale", "ms": 700}})
            t.equal(s.do("eni", *words).status, 0)
            s.sim.faults()
            expect(s)
        with t.subtest("denied"):
            s.reset()
            s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": "deny"}})
            got = s.do("eni", *words)
            t.equal((got.status, got.answer["error"]["kind"]), (5, "DENIED"))
            t.check(action in got.answer["error"]["message"], "it names the action")
        with t.subtest("no time"):
            s.reset()
            s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": "throttle"}})
            t.equal(s.do("eni", *words, "--timeout", "1").status, 3)


Ali.busy = [{"type": "error", "status": 403, "code": "InvalidOperation.InvalidEniState"},
            {"type": "error", "status": 400, "code": "OperationConflict"},
            {"type": "error", "status": 500, "code": "OperationConflict"}]


@tap.cases(CASES, lambda x: "%s, %s" % (x[0].name, x[1][0]))
def test_killed_and_run_again(t, case):
    c, (_, change, words, expect, _action) = case
    with ops.Scene(t, c.world, change, delays=c.fast) as s:
        s.survives(expect, "eni", *words)


if __name__ == "__main__":
    tap.main()
