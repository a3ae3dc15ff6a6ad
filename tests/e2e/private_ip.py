#!/usr/bin/env python3
"""aws private-ip in every form: IPv4 and IPv6, by interface or ENI, what may not be moved, who keeps it."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

V4, V6 = "10.0.1.100", "2001:db8:1::100"


def one_subnet():
    world = lab.world("two-nodes")
    subnet = world["aws"]["subnets"][0]
    subnet["ipv6_cidr_block"] = "2001:db8:1::/64"
    for entry in world["aws"]["instances"] + world["aws"]["network_interfaces"]:
        entry["subnet_id"] = subnet["subnet_id"]
        if "private_ips" in entry:
            entry["private_ips"] = [ip.replace("10.0.2.1", "10.0.1.2") for ip in entry["private_ips"]]
    for role in world["aws"]["roles"]:
        role["policy"] = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}
    return world


class Scene:
    def __init__(self, t, change=None, address=V4, **settings):
        self.t, self.address = t, address
        world = one_subnet()
        if change:
            change(world["aws"])
        self.sim = lab.Sim(t, world)
        self.eni1, self.eni2 = self.sim.eni(lab.NODE_1), self.sim.eni(lab.NODE_2)
        self.two = lab.Node(t, self.sim, lab.NODE_2)
        self.settings = settings
        self.configure()
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def configure(self, **more):
        self.two.resource("ip1", scenario="private-ip", address=self.address, **dict(self.settings, **more))

    def put(self, eni):
        self.sim.do("assign_ip", eni=eni, ip=self.address)
        self.sim.clear_log()

    def holder(self):
        found = [e["network_interface_id"] for e in self.sim.aws()["network_interfaces"]
                 if self.address in e["private_ips"] + e.get("ipv6", [])]
        self.t.check(len(found) < 2, "one interface at most has it: %s" % found)
        return found[0] if found else None

    def changes(self):
        return [a for a in self.sim.api_actions() if "ssign" in a]


def test_ipv4_is_taken_in_one_call(t):
    with Scene(t) as s:
        s.put(s.eni1)
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.holder(), s.eni2)
        sent = s.sim.log(action="AssignPrivateIpAddresses")
        t.equal(len(sent), 1)
        t.equal(sent[0]["params"]["AllowReassignment"], "true")
        t.equal(s.two.run("remove", "ip1").status, 0)
        t.equal(s.holder(), None)


def test_ipv6_is_taken_off_there_and_put_here(t):
    with Scene(t, address=V6) as s:
        s.put(s.eni1)
        t.equal(s.two.run("quickCheck", "ip1").status, 1)
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.holder(), s.eni2)
        t.equal(s.changes(), ["UnassignIpv6Addresses", "AssignIpv6Addresses"])
        t.equal(s.two.run("quickCheck", "ip1").status, 0)
        t.equal(s.two.run("remove", "ip1").status, 0)
        t.equal(s.holder(), None)


def test_ipv6_killed_in_between_is_finished_by_the_next_run(t):
    for action in ("UnassignIpv6Addresses", "AssignIpv6Addresses"):
        for kind in ("hang", "lost_timeout"):
            with t.subtest("%s %s" % (kind, action)), Scene(t, address=V6) as s:
                s.put(s.eni1)
                s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": kind}})
                running = s.two.start("restore", "ip1")
                t.wait_until(lambda: action in s.sim.api_actions(), "the change is under way")
                running.kill()
                s.sim.faults()
                t.equal(s.two.run("restore", "ip1").status, 0)
                t.equal(s.holder(), s.eni2)


def test_ipv6_lost_answers_end_in_success(t):
    for action in ("UnassignIpv6Addresses", "AssignIpv6Addresses"):
        for kind in ("lost_answer", "reset"):
            with t.subtest("%s %s" % (kind, action)), Scene(t, address=V6) as s:
                s.put(s.eni1)
                s.sim.faults({"match": {"action": action}, "do": {"type": kind}})
                t.equal(s.two.run("restore", "ip1").status, 0)
                t.equal(s.holder(), s.eni2)


def test_ipv6_that_another_node_took_in_between_is_a_conflict(t):
    with Scene(t, address=V6, restore_timeout=20) as s:
        s.put(s.eni1)
        third = s.sim.eni(lab.NODE_1, 0)
        event = {"op": "assign_ip", "eni": third, "ip": V6}
        s.sim.faults({"match": {"action": "UnassignIpv6Addresses"}, "do": {"type": "op", "event": event}})
        got = s.two.run("restore", "ip1")
        t.equal(got.status, 1)
        t.check(third in got.err and ":720015:" in got.err, "the conflict names who has it")
        t.equal(s.holder(), third)


def test_by_interface_asks_the_api_less_and_sees_it_in_the_metadata(t):
    with Scene(t) as s, netns.link(t, s.sim.interface(s.eni2)["mac"]) as nic:
        s.put(s.eni1)
        s.configure(interface=nic)
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.sim.api_actions(), ["DescribeNetworkInterfaces", "AssignPrivateIpAddresses", "DescribeNetworkInterfaces"])
        shown = [e["action"] for e in s.sim.log(kind="imds")]
        t.check(any(a.endswith("/local-ipv4s") for a in shown[-1:]), "the last it asked: %s" % shown[-1:])


def test_metadata_that_goes_away_after_the_change_is_no_failure(t):
    with Scene(t) as s, netns.link(t, s.sim.interface(s.eni2)["mac"]) as nic:
        s.put(s.eni1)
        s.configure(interface=nic)
        event = {"op": "set_imds", "id": lab.NODE_2, "mode": "off"}
        s.sim.faults({"match": {"action": "AssignPrivateIpAddresses"}, "do": {"type": "op", "event": event}})
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.holder(), s.eni2)


def test_addresses_are_compared_whole(t):
    with Scene(t) as s:
        s.sim.do("assign_ip", eni=s.eni2, ip="10.0.1.10" + "1")
        s.put(s.eni1)
        t.equal(s.two.run("quickCheck", "ip1").status, 1)
        s.sim.do("unassign_ip", eni=s.eni1, ip=V4)
        t.equal(s.two.run("quickCheck", "ip1").status, 1)
        t.equal(s.two.run("remove", "ip1").status, 0)
        t.equal(s.changes(), [])


def refused(t, s, rule):
    s.sim.clear_log()
    got = s.two.run("restore", "ip1")
    t.equal(got.status, 4)
    t.check(rule in got.err, "the reason: %s" % rule)
    t.equal(s.changes(), [], "nothing was tried")


def test_a_primary_address_is_never_moved(t):
    with Scene(t) as s:
        s.address = s.sim.interface(s.eni1)["private_ips"][0]
        s.configure()
        refused(t, s, "primary address of " + s.eni1)
        t.equal(s.two.run("quickCheck", "ip1").status, 1)
        s.address = s.sim.interface(s.eni2)["private_ips"][0]
        s.configure()
        refused(t, s, "primary address of " + s.eni2)
        t.equal(s.two.run("remove", "ip1").status, 0)


def other_subnet(aws):
    for entry in aws["instances"] + aws["network_interfaces"]:
        if lab.NODE_2 in (entry.get("instance_id"), (entry.get("attachment") or {}).get("instance_id")):
            entry["subnet_id"] = aws["subnets"][1]["subnet_id"]
            if "private_ips" in entry:
                entry["private_ips"] = [ip.replace("10.0.1.2", "10.0.2.1") for ip in entry["private_ips"]]


def test_another_subnet_is_refused_before_anything_changes(t):
    with Scene(t, other_subnet) as s:
        s.put(s.eni1)
        refused(t, s, "rule 44")
        t.equal(s.holder(), s.eni1)
        s.sim.do("unassign_ip", eni=s.eni1, ip=V4)
        refused(t, s, "rule 44")


def test_an_interface_that_is_attached_to_nothing_is_refused(t):
    with Scene(t) as s:
        s.put(s.eni1)
        s.sim.do("detach_eni", eni=s.eni2)
        s.configure(eni=s.eni2)
        refused(t, s, "rule 50")


def test_an_address_on_a_detached_interface_serves_nobody_and_is_taken(t):
    with Scene(t) as s:
        s.put(s.eni1)
        s.sim.do("detach_eni", eni=s.eni1)
        t.equal(s.two.cloudvip("check").status, 1)
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.holder(), s.eni2)


def test_remove_that_is_overtaken_leaves_the_other_node_alone(t):
    for address in (V4, V6):
        with t.subtest(address), Scene(t, address=address) as s:
            s.put(s.eni2)
            event = {"op": "assign_ip", "eni": s.eni1, "ip": address}
            s.sim.faults({"match": {"action": "Unassign*"}, "do": {"type": "op", "event": event, "when": "before"}})
            t.equal(s.two.run("remove", "ip1").status, 0)
            t.equal(s.holder(), s.eni1)


def test_another_vpc_with_the_same_address_is_not_ours(t):
    def second_vpc(aws):
        aws["vpcs"].append({"vpc_id": "vpc-0bb00000000000001", "cidr_blocks": ["10.0.0.0/16"]})
        aws["subnets"].append({"subnet_id": "subnet-0bb00000000000001", "vpc_id": "vpc-0bb00000000000001",
                               "availability_zone": "ap-northeast-1a", "cidr_block": "10.0.1.0/24"})
        aws["network_interfaces"].append({
            "network_interface_id": "eni-0dd00000000000001", "subnet_id": "subnet-0bb00000000000001",
            "mac": "06:00:0a:00:09:01", "private_ips": ["10.0.1.9", V4]})

    with Scene(t, second_vpc) as s:
        got = s.two.run("quickCheck", "ip1")
        t.equal(got.status, 1)
        t.lacks(got.err, "eni-0dd00000000000001")
        t.equal(s.two.run("restore", "ip1").status, 0)
        t.equal(s.sim.interface("eni-0dd00000000000001")["private_ips"], ["10.0.1.9", V4], "the other VPC's")
        t.check(V4 in s.sim.interface(s.eni2)["private_ips"])


if __name__ == "__main__":
    netns.enter()
    tap.main()
