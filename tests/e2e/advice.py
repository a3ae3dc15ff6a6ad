#!/usr/bin/env python3
"""What `cloudvip plan` warns of, and no action asks for: each rule broken, holding, and without its permission."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import movers  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

MOVER = {mover.name: mover for mover in movers.MOVERS}


def change(cloud, array, name, **members):
    """Of the object with this id in an array of the world."""
    for entry in cloud[array]:
        if name in entry.values():
            entry.update(members)
            return
    raise tap.Failed("%s: no %s" % (array, name))


# ---- how each rule is broken, in the world of the mover's own suite; returns settings of node 2 --------------

def full_ecs(world):
    world["aliyun"]["instance_types"] = [{"instance_type": "ecs.g6.large", "eni_quantity": 1}]
    change(world["aliyun"], "network_interfaces", "eni-svc2", instance_id="", status="Available")


def full_ec2(world):
    world["aws"]["instance_types"] = [{"instance_type": "m5.large", "network_interfaces": 2}]


def no_route_to_gateway(world):
    world["aliyun"]["ipv4_gateways"] = [{"ipv4_gateway_id": "ipv4gw-1", "vpc_id": "vpc-main"}]


def nic_without_rules(world):
    netns.wire("node2", [e["mac"] for e in world["aliyun"]["network_interfaces"]
                         if e["network_interface_id"] == "eni-svc2"][0])


def eip_in_the_guest(world):
    subprocess.check_call(["ip", "address", "add", MOVER["aliyun elastic-ip"].address + "/32", "dev", "lo"])


def hundred_interfaces(world):
    for n in range(100):
        world["aliyun"]["network_interfaces"].append({
            "network_interface_id": "eni-x%d" % n, "vswitch_id": "vsw-1", "mac": "00:16:3e:01:00:%02x" % n,
            "private_ips": ["10.0.1.%d" % (120 + n)], "security_group_ids": ["sg-main"]})


def dies_with_ecs(world):
    change(world["aliyun"], "network_interfaces", "eni-move", delete_on_release=True)


def dies_with_ec2(world):
    for entry in world["aws"]["network_interfaces"]:
        if entry["network_interface_id"] == MOVER["aws eni"].eni:
            entry["attachment"]["delete_on_termination"] = True


def vip_in_a_vswitch(_world):
    return {"scenario": "route-table", "address": "10.0.2.99", "create_route": "yes"}


def table_without_the_route(world):
    world["aws"]["route_tables"][2]["routes"].pop()


def subnet_behind_nat(world):
    world["aws"]["route_tables"][1]["routes"][1]["target"] = "nat-0aa00000000000001"


def seat_is_taken(world):
    nic = [e for e in world["aws"]["network_interfaces"] if e["network_interface_id"] == "eni-0bb00000000000002"][0]
    world["aws"]["addresses"].append({"allocation_id": "eipalloc-0aa00000000000002", "public_ip": "203.0.113.11",
                                      "association_id": "eipassoc-0aa00000000000002",
                                      "network_interface_id": nic["network_interface_id"],
                                      "private_ip": nic["private_ips"][0]})


def one_zone(world):
    for subnet in world["aws"]["subnets"]:
        subnet["availability_zone"] = "ap-northeast-1a"


# (mover, rule, how it is broken, what plan says, without which permission nobody knows)
RULES = [
    ("aliyun elastic-ip", 20, full_ecs, "i-node2 (ecs.g6.large) has 1 interfaces of 1", "ecs:DescribeInstanceTypes"),
    ("aliyun elastic-ip", 20, full_ecs, "i-node2 (ecs.g6.large) has 1 interfaces of 1", "ecs:DescribeInstances"),
    ("aliyun elastic-ip", 23, no_route_to_gateway, "vtb-2 has no route to ipv4gw-1", "vpc:ListIpv4Gateways"),
    ("aliyun elastic-ip", 23, no_route_to_gateway, "vtb-2 has no route to ipv4gw-1", "vpc:DescribeVSwitches"),
    ("aliyun elastic-ip", 23, no_route_to_gateway, "vtb-2 has no route to ipv4gw-1", "vpc:DescribeRouteEntryList"),
    ("aliyun elastic-ip", 24, eip_in_the_guest, "198.51.100.20 is on the interface lo", None),
    ("aliyun elastic-ip", 25, nic_without_rules, "does not leave by node2: no rule from it leads there", None),
    ("aliyun eni", 57, hundred_interfaces, "the region has 10", None),
    ("aliyun eni", 59, dies_with_ecs, "eni-move is deleted with the instance that has it", None),
    ("aliyun route-table", 62, vip_in_a_vswitch, "10.0.2.99 is in 10.0.2.0/24 of vsw-2", "vpc:DescribeVSwitches"),
    ("aws eni", 20, full_ec2, "(m5.large) has 2 interfaces of 2", "ec2:DescribeInstanceTypes"),
    ("aws eni", 59, dies_with_ec2, "is deleted with %s when that is terminated" % lab.NODE_1, None),
    ("aws route-table", 67, table_without_the_route, "1 without the route: rtb-0aa00000000000003", None),
    ("aws route-table", 72, one_zone, "are in ap-northeast-1a", None),
    ("aws elastic-ip", 21, seat_is_taken, "has eipalloc-0aa00000000000002 there already", None),
    ("aws elastic-ip", 71, subnet_behind_nat, "sends 0.0.0.0/0 to nat-0aa00000000000001", "ec2:DescribeRouteTables"),
    ("aws elastic-ip", 72, one_zone, "are in ap-northeast-1a", "ec2:DescribeNetworkInterfaces"),
]


class Scene(movers.Scene):
    """The mover's own scene, which is broken then."""

    def __init__(self, t, mover, how=None):
        super().__init__(t, mover)
        world = self.sim.state()
        if mover.name == "aliyun eni":
            change(world["aliyun"], "network_interfaces", mover.eni, delete_on_release=False)
        settings = how(world) if how else None
        self.sim.put_world(world)
        if settings:
            self.two.resource(mover.tag, **settings)
        self.sim.clear_log()


def title(row):
    return "%s: rule %d%s" % (row[0], row[1], " (%s)" % row[4] if row[4] else "")


def no_eip_here():
    netns.unwire("node2")
    subprocess.call(["ip", "address", "flush", "dev", "lo", "to", MOVER["aliyun elastic-ip"].address],
                    stderr=subprocess.DEVNULL)


@tap.cases(RULES, title)
def test_plan_warns(t, row):
    name, rule, how, says, permission = row
    mover = MOVER[name]
    no_eip_here()
    with Scene(t, mover, how) as s:
        got = s.two.cloudvip("plan", mover.tag)
        t.equal(got.status, 0, "a warning refuses nothing")
        t.check("! rule %d: " % rule in got.out and says in got.out, "what it is, and where")
        told = [r for r in s.two.cloudvip("--json", "plan", mover.tag).json()["rules"] if r["rule"] == rule]
        t.equal([(r["state"], r["level"]) for r in told], [("broken", "warn")])
        if permission:
            s.sim.faults({"match": {"action": permission.split(":")[1]}, "times": 0, "do": {"type": "deny"}})
            got = s.two.cloudvip("plan", mover.tag)
            t.equal(got.status, 0, "the plan does without")
            t.check("? rule %d: could not be checked: " % rule in got.out, "it says what it does not know")
            t.check(permission.split(":")[1] in got.out, "and which permission is missing")
    no_eip_here()


@tap.cases(sorted({row[0] for row in RULES}), lambda name: name)
def test_all_is_well(t, name):
    mover = MOVER[name]
    with Scene(t, mover) as s:
        got = s.two.cloudvip("plan", mover.tag)
        t.equal(got.status, 0)
        # The nodes' interfaces are not on this host.
        rules = [line for line in got.out.splitlines() if "rule" in line and "no interface of this host" not in line]
        t.equal(rules, [], "nothing to warn of")


def test_an_address_of_the_vpc_is_refused(t):
    mover = MOVER["aws route-table"]
    with Scene(t, mover) as s:
        for more in ({"create_route": "yes"}, {}):
            s.two.resource(mover.tag, scenario="route-table", address="10.0.9.9", **more)
            for action in ("plan", "restore"):
                got = s.two.run(action, mover.tag)
                t.equal(got.status, 4)
                t.check("rule 65: " in got.err and "10.0.0.0/16" in got.err, "why")
        t.equal(s.calls("CreateRoute"), 0)


if __name__ == "__main__":
    netns.enter()
    tap.main()
