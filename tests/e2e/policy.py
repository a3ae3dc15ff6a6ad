#!/usr/bin/env python3
# tests/run: timeout=600
"""`cloudvip policy`: with exactly that policy every action of every mover works, and without any line of it one does not.

A line is an action or a resource of a statement.  Without it an action fails, or plan does not know a rule, and either
says which permission it is.  It runs in a network namespace of its own, as movers.py does.
"""
import copy
import glob
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import movers  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

MOVER = {mover.name: mover for mover in movers.MOVERS}
ROLE = "arn:aws:iam::123456789012:role/mover"
V6 = "2001:db8:1::100"


# ---- movers in further forms ---------------------------------------------------------------------

def with_ipv6(mover):
    """The mover of a private address, with an IPv6 address."""
    class Ipv6(type(mover)):
        address = V6

        def world(self):
            world = super().world()
            cloud = world[self.name.split()[0]]
            cloud["vpcs"][0].update({"ipv6_cidr_block": "2001:db8::/56"} if "aliyun" in world
                                    else {"ipv6_cidr_blocks": ["2001:db8::/56"]})
            for subnet in cloud.get("subnets") or cloud["vswitches"]:
                subnet["ipv6_cidr_block"] = "2001:db8:1::/64"
            return world
    return Ipv6()


class HaVipOfEnis(movers.AliHaVip):
    """The HAVIP is bound to interfaces; node 2's is not bound yet."""

    enis = {node: "eni-svc%d" % (i + 1) for i, node in enumerate(movers.Aliyun.nodes)}

    def begin(self, t):
        super().begin(t)
        return [a for node, nic in self.nics.items() for a in ("--segment", "%sp=%s" % (nic, self.enis[node]))]

    def world(self):
        world = super().world()
        world["aliyun"]["havips"][0].update(instances=[self.enis[self.nodes[0]]], instance_type="NetworkInterface",
                                            master=self.enis[self.nodes[0]])
        return world

    def configure(self, node, **more):
        node.resource(self.tag, scenario="havip", address=self.address, bind_to="eni",
                      interface=self.nics[node.instance], **more)

    def give(self, sim, node):
        for other, nic in self.nics.items():
            netns.put(nic, *[self.address] if other == node else [])


# ---- what happens between the actions ------------------------------------------------------------

def check_is_on(s):
    s.sim.do("source_dest_check", eni=s.eni2, value=True)


def no_route(s):
    s.mover.gone(s.sim)


def orphan(s):
    """The address is on an interface that no instance has."""
    s.mover.give(s.sim, s.eni1)
    s.sim.do("detach_eni", eni=s.eni1)


def on_an_instance(s):
    s.sim.do("associate", allocation_id=s.mover.eip, target=s.mover.nodes[0])


def back(s):
    s.mover.give(s.sim, s.eni1)


# ---- how the world is ----------------------------------------------------------------------------

def family_g5(cloud):
    for instance in cloud["instances"]:
        instance["instance_type"] = "ecs.g5.large"


def one_account(cloud):
    """The role may be assumed by the nodes, and what it may change is its own account's."""
    for role in cloud["roles"]:
        role["account"] = cloud["account"]


def old_endpoint(cloud):
    cloud["modify_route_entry"] = "name-only"


def ipv4_gateway(cloud):
    cloud["ipv4_gateways"] = [{"ipv4_gateway_id": "ipv4gw-1", "vpc_id": "vpc-main"}]
    cloud["route_tables"][1]["routes"].append({"destination": "0.0.0.0/0", "next_hop_id": "ipv4gw-1"})


ALL = ("plan", "restore", "quickCheck", "remove", "recover")
AWS = {"region": "ap-northeast-1", "vpc_id": "vpc-0aa00000000000001"}
ALIYUN = {"region": "cn-shanghai"}


class Case:
    """A mover, settings, the steps (actions of node 2, and what happens before them), and the world."""

    def __init__(self, mover, title="", steps=ALL, world=None, advised=None, **settings):
        self.mover = MOVER[mover] if isinstance(mover, str) else mover
        self.title = "%s%s" % (self.mover.name, ": " + title if title else "")
        self.steps, self.world, self.advised, self.settings = steps, world, advised, settings


CASES = [
    Case("aws route-table", steps=(check_is_on,) + ALL),
    Case("aws route-table", "all ids known", (check_is_on,) + ALL, **AWS, route_tables=", ".join(
        "rtb-0aa0000000000000%d" % n for n in (1, 2, 3))),
    Case("aws route-table", "VPC known", (check_is_on,) + ALL, **AWS),
    Case("aws route-table", "create_route", (no_route,) + ALL + (back, "restore"), **AWS, create_route="yes",
         source_dest_check="verify"),
    Case("aws route-table", "check ignored", source_dest_check="ignore"),
    Case("aws route-table", "a role to assume", (check_is_on,) + ALL, one_account, role_arn=ROLE,
         external_id="cloudvip-example"),
    Case("aws elastic-ip", steps=ALL + (orphan, "restore")),
    Case("aws elastic-ip", "all ids known", ALL + (orphan, "restore"), region="ap-northeast-1",
         allocation_id="eipalloc-0aa00000000000001"),
    Case("aws private-ip"),
    Case("aws private-ip", "VPC known", **AWS),
    Case(with_ipv6(MOVER["aws private-ip"]), "IPv6"),
    Case("aws eni"),
    Case("aws eni", "region known", region="ap-northeast-1"),
    Case("aliyun route-table"),
    Case("aliyun route-table", "all ids known", **ALIYUN, route_tables="vtb-1, vtb-2"),
    Case("aliyun route-table", "create_route, an old endpoint", ALL + (no_route, "plan", "restore"), old_endpoint,
         create_route="yes"),
    Case("aliyun elastic-ip", steps=ALL + (on_an_instance, "restore"), advised=ipv4_gateway),
    Case("aliyun elastic-ip", "all ids known", ALL + (on_an_instance, "restore"), advised=ipv4_gateway, **ALIYUN,
         allocation_id="eip-1"),
    Case("aliyun elastic-ip", "cut-through", ALL + (on_an_instance, "restore"), eip_mode="cut-through"),
    Case("aliyun elastic-ip", "multi", ALL + (on_an_instance, "restore"), family_g5, eip_mode="multi"),
    Case("aliyun private-ip"),
    Case("aliyun private-ip", "region known", **ALIYUN),
    Case(with_ipv6(MOVER["aliyun private-ip"]), "IPv6"),
    Case("aliyun eni"),
    Case("aliyun havip"),
    Case("aliyun havip", "all ids known", **ALIYUN, havip_id="havip-1"),
    Case(HaVipOfEnis(), "of interfaces"),
]


# ---- policies ------------------------------------------------------------------------------------

HOST_RULES = {"25", "37"}


class Scene(movers.Scene):
    """A scene that begins anew with each policy."""

    def __init__(self, t, case, advice):
        mover = copy.copy(case.mover)
        world = mover.world()
        cloud = mover.name.split()[0]
        for change in (case.world, case.advised if advice else None):
            if change:
                change(world[cloud])
        mover.world = lambda: world
        self.case, self.cloud = case, cloud
        super().__init__(t, mover, **case.settings)
        self.first = self.sim.state()

    def policies(self, *options):
        """{role: document}; both nodes' are the same."""
        found = []
        for node in (self.one, self.two):
            got = node.cloudvip("--json", "policy", *options)
            self.t.equal(got.status, 0)
            found.append({d["for"].rsplit("/")[-1].replace("nodes", "node"): d["policy"] for d in got.json()})
        self.t.equal(found[0], found[1], "one policy serves all nodes")
        return found[0]

    def begin_with(self, policies):
        world = copy.deepcopy(self.first)
        for role in world[self.cloud]["roles"]:
            role["policy"] = policies.get(role["name"], {"Version": "1", "Statement": []})
        self.sim.put_world(world)
        self.mover.give(self.sim, self.eni1)
        for path in os.listdir(self.two.rundir):
            os.unlink(os.path.join(self.two.rundir, path))

    def works(self, policies, known=frozenset()):
        """None; or what did not: the program's Result.  `known`: rules that need not be known; None: none need."""
        self.begin_with(policies)
        self.unknown = set()
        for step in self.case.steps:
            if callable(step):
                step(self)
                continue
            got = self.two.run(step, self.mover.tag)
            self.unknown |= unknown(got)
            if got.status or known is not None and self.unknown - known or self.kept(step):
                return got
        return None

    def kept(self, step):
        """A remove that could not ask ends well, as the cluster wants it, and has released nothing."""
        return step == "remove" and self.mover.released_by_remove and self.eni2 in self.holders()


def unknown(got):
    """The rules that plan could not check, but those about this host: no policy changes its interfaces."""
    return set(re.findall(r"\? rule (\d+): could not be checked", got.out)) - HOST_RULES


def lines(policies):
    """Of each document all lines: (what it is, the actions that need it, the policies without it)."""
    for role, document in policies.items():
        for i, statement in enumerate(document["Statement"]):
            for member in ("Action", "Resource"):
                for one in statement[member] if member == "Action" or len(statement[member]) > 1 else ():
                    without = copy.deepcopy(policies)
                    left = without[role]["Statement"][i]
                    left[member].remove(one)
                    if not left[member]:
                        del without[role]["Statement"][i]
                    yield (role, i, one), [one] if member == "Action" else statement["Action"], without


def expect_needed(t, s, what, actions, without, known):
    got = s.works(without, known)
    t.check(got, "%s is superfluous: all works without it" % (what,))
    said = got.out + got.err
    t.check([a for a in actions if a.split(":")[1] in said], "%s: it says which permission is missing: %s" % (what, said))


@tap.cases(CASES, lambda case: case.title)
def test_exactly_what_the_actions_need(t, case):
    with Scene(t, case, False) as s:
        policies = s.policies()
        got = s.works(policies, None)
        t.check(got is None, "with this policy: %s" % got)
        known = s.unknown  # what only warnings ask about
        for what, actions, without in lines(policies):
            expect_needed(t, s, what, actions, without, known)


@tap.cases(CASES, lambda case: case.title)
def test_and_what_its_warnings_need(t, case):
    with Scene(t, case, True) as s:
        before = {(role, a) for role, d in s.policies().items() for st in d["Statement"] for a in st["Action"]}
        policies = s.policies("--advice")
        got = s.works(policies)
        t.check(got is None, "with this policy, nothing is unknown: %s" % got)
        for what, actions, without in lines(policies):
            if (what[0], what[2]) not in before and ":" in what[2] and not what[2].startswith(("arn:", "acs:")):
                expect_needed(t, s, what, actions, without, frozenset())


# ---- the command ---------------------------------------------------------------------------------

class Node:
    """A node without a cloud: the policy is made of its files alone."""

    def __init__(self, t):
        self.sim = lab.Sim(t, lab.world("two-nodes"))
        self.node = lab.Node(t, self.sim)
        self.node.defaults()

    def __enter__(self):
        return self.node

    def __exit__(self, *_):
        self.sim.stop()


VIP = {"scenario": "route-table", "address": "10.1.0.10", "eni": "eni-1", "local_address": "no"}
EIP = {"scenario": "elastic-ip", "address": "203.0.113.10", "eni": "eni-1"}


def grants(document):
    return sorted((a, r, json.dumps(st.get("Condition"))) for st in document["Statement"]
                  for a in st["Action"] for r in st["Resource"])


def test_several_resources_merge(t):
    with Node(t) as node:
        node.resource("a", provider="aws", **VIP)
        node.resource("b", provider="aws", **dict(VIP, address="10.1.0.11", route_tables="rtb-1"))
        node.resource("c", provider="aws", **EIP)
        got = node.cloudvip("policy")
        t.equal(got.status, 0)
        document = got.json()
        t.equal(document["Version"], "2012-10-17")
        t.equal({st["Effect"] for st in document["Statement"]}, {"Allow"})
        found = grants(document)
        t.equal(len(set(found)), len(found), "nothing twice")
        t.equal([r for a, r, _ in found if a == "ec2:ReplaceRoute"], ["arn:aws:ec2:*:*:route-table/*"], "all, so each")
        t.equal([c for a, r, c in found if r.endswith("elastic-ip/*")],
                2 * ['{"StringEquals": {"ec2:PublicIpAddress": "203.0.113.10"}}'])
        t.equal(node.cloudvip("policy", "c", "a", "b").out, got.out, "whatever their order")
        t.equal([r for a, r, _ in grants(node.cloudvip("policy", "b").json()) if a == "ec2:ReplaceRoute"],
                ["arn:aws:ec2:*:*:route-table/rtb-1"])


def test_arns_of_other_partitions_and_accounts(t):
    with Node(t) as node:
        node.resource("a", provider="aws", region="cn-north-1", **dict(VIP, route_tables="rtb-1"))
        t.check("arn:aws-cn:ec2:cn-north-1:*:route-table/rtb-1" in node.cloudvip("policy").out, "China's partition")
        node.resource("a", provider="aws", role_arn="arn:aws-us-gov:iam::123456789012:role/path/mover",
                      **dict(VIP, route_tables="rtb-1"))
        got = node.cloudvip("policy", "--for", "arn:aws-us-gov:iam::123456789012:role/path/mover")
        t.check("arn:aws-us-gov:ec2:*:123456789012:route-table/rtb-1" in got.out, "the role's account")
        node.resource("a", provider="aliyun", region="cn-shanghai", role_arn="acs:ram::1234567890123456:role/mover",
                      **dict(EIP, allocation_id="eip-1"))
        got = node.cloudvip("policy", "--for=acs:ram::1234567890123456:role/mover")
        t.equal(got.json()["Version"], "1")
        t.check("acs:vpc:cn-shanghai:1234567890123456:eip/eip-1" in got.out, "the role's account")


def test_several_policies_are_chosen_from(t):
    with Node(t) as node:
        node.resource("a", provider="aws", role_arn=ROLE, **VIP)
        got = node.cloudvip("policy")
        t.equal(got.status, 2)
        t.equal(got.out, "")
        t.check("nodes (aws)" in got.err and ROLE in got.err and "--for" in got.err, "which there are")
        document = node.cloudvip("policy", "--for", "nodes").json()
        t.equal(grants(document), [("sts:AssumeRole", ROLE, "null")], "the nodes need no more")
        t.check("sts:" not in node.cloudvip("policy", "--for", ROLE).out, "and the role not that")
        t.equal([d["for"] for d in node.cloudvip("--json", "policy").json()], ["nodes", ROLE])
        t.equal(node.cloudvip("policy", "--for", "nobody").status, 2)
        node.resource("a", provider="aws", **VIP)
        node.resource("b", provider="aliyun", **EIP)
        t.equal(node.cloudvip("policy").status, 2)
        t.equal([d["provider"] for d in node.cloudvip("policy", "--json").json()], ["aws", "aliyun"])
        t.equal(node.cloudvip("policy", "a").json()["Version"], "2012-10-17")
        t.equal(node.cloudvip("policy", "b").json()["Version"], "1")


def test_why(t):
    with Node(t) as node:
        node.resource("a", provider="aws", **VIP)
        node.resource("b", provider="aws", **dict(VIP, address="10.1.0.11"))
        got = node.cloudvip("policy", "--why")
        t.equal(got.status, 0)
        t.check(re.search(r"ec2:ReplaceRoute +arn:aws:ec2:\*:\*:route-table/\*\n +a, b: to point it here\n", got.out),
                "what, on what, for which, and why")
        t.check("of `plan` alone" not in got.out, "no advice")
        t.check("of `plan` alone" in node.cloudvip("policy", "--why", "--advice").out, "unless it is asked for")
        rows = node.cloudvip("--json", "policy", "--why").json()[0]["why"]
        t.equal([(r["resource"], r["tags"]) for r in rows if r["action"] == "ec2:ReplaceRoute"],
                [("arn:aws:ec2:*:*:route-table/*", ["a", "b"])])


def test_a_resource_that_cannot_be_used_ends_it(t):
    with Node(t) as node:
        node.resource("a", provider="aws", **VIP)
        node.resource("b", provider="aws", scenario="havip", address="10.0.1.50", interface="eth0")
        for words in ((), ("b",), ("a", "b"), ("nosuch",)):
            got = node.cloudvip("policy", *words)
            t.equal(got.status, 4)
            t.equal(got.out, "", "half a policy would be found wanting in a failover")
            got = node.cloudvip("--json", "policy", *words)
            t.equal((got.status, got.json()["status"], got.json()["error"]["kind"]), (4, 4, "CONFIG"), "one document all the same")
        t.equal(node.cloudvip("policy", "a").status, 0)
        node.file("resources.d/c.conf", "[c]\nnonsense = 1\n")
        t.equal(node.cloudvip("policy", "a").status, 0)
        t.equal(node.cloudvip("policy").status, 4)


def test_the_examples_and_the_manuals_can_be_used(t):
    examples = {os.path.basename(path)[:-5]: open(path).read()
                for path in glob.glob(lab.ROOT + "/packaging/conf/examples/*.conf")}
    with open(lab.ROOT + "/packaging/man/cloudvip-scenarios.7.in") as f:
        blocks = re.findall(r"^\.Ss Configuration\n\.Bd.*\n((?:[^.].*\n)+)\.Ed", f.read(), re.M)
    for block in blocks:
        examples["the manual: " + " ".join(re.findall(r"(?:provider|scenario) *= *(\S+)", block))] = block
    t.equal(len(examples), 2 * len(movers.MOVERS), "one of each for each mover")
    with Node(t) as node:
        for name, text in sorted(examples.items()):
            node.file("resources.d/x.conf", text)
            got = node.cloudvip("policy")
            t.equal((got.status, got.err), (0, ""), name)


def test_usage(t):
    with Node(t) as node:
        t.equal(node.cloudvip("policy").status, 4, "there are no resources")
        got = node.cloudvip("policy", "--help")
        t.equal(got.status, 0)
        t.check("--why" in got.out and "--advice" in got.out, "the options")
        for words in (("--nosuch",), ("--for",)):
            got = node.cloudvip("policy", *words)
            t.equal(got.status, 2)
            t.check("usage: cloudvip" in got.err, "how it is called")


if __name__ == "__main__":
    netns.enter()
    tap.main()
