#!/usr/bin/env python3
"""aws elastic-ip in every form: by address or allocation, primary or named private address, who may lose it, the NIC."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402


class Scene:
    def __init__(self, t, change=None):
        self.t = t
        world = lab.world("two-nodes")
        if change:
            change(world["aws"])
        self.sim = lab.Sim(t, world)
        address = self.sim.aws()["addresses"][0]
        self.allocation, self.public = address["allocation_id"], address["public_ip"]
        self.eni1, self.eni2 = self.sim.eni(lab.NODE_1), self.sim.eni(lab.NODE_2)
        self.sim.do("associate", allocation_id=self.allocation, eni=self.eni1)
        self.two = lab.Node(t, self.sim, lab.NODE_2)
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def configure(self, **settings):
        self.two.resource("eip1", scenario="elastic-ip", **settings)

    def address(self):
        return self.sim.address(self.allocation)

    def calls(self, action):
        return self.sim.api_actions().count(action)


def test_by_address_or_allocation(t):
    for key in ("address", "allocation_id"):
        with t.subtest(key), Scene(t) as s:
            s.configure(**{key: s.public if key == "address" else s.allocation})
            t.equal(s.two.run("restore", "eip1").status, 0)
            t.equal(s.address()["network_interface_id"], s.eni2)
            sent = s.sim.log(action="AssociateAddress")
            t.equal(len(sent), 1, "takeover in one call")
            t.equal(sent[0]["params"]["AllowReassociation"], "true")
            t.equal(s.two.run("quickCheck", "eip1").status, 0)
            t.equal(s.two.run("remove", "eip1").status, 0)
            t.equal(s.address().get("network_interface_id"), None)


def second_address(aws):
    for eni in aws["network_interfaces"]:
        if eni["attachment"]["instance_id"] == lab.NODE_2 and eni["attachment"]["device_index"] == 1:
            first = eni["private_ips"][0]
            eni["private_ips"] = [first, first.rsplit(".", 1)[0] + ".77"]


def test_named_private_address(t):
    with Scene(t, second_address) as s:
        second = s.sim.interface(s.eni2)["private_ips"][1]
        s.configure(address=s.public, private_address=second)
        s.sim.do("associate", allocation_id=s.allocation, eni=s.eni2)
        t.equal(s.two.run("quickCheck", "eip1").status, 1, "it is on the primary address")
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.address()["private_ip"], second)
        t.equal(s.two.run("quickCheck", "eip1").status, 0)


def test_private_address_that_is_not_there(t):
    with Scene(t) as s:
        s.configure(address=s.public, private_address="10.0.2.250")
        got = s.two.run("restore", "eip1")
        t.check(got.status not in (0, 3), "a clear failure, status %d" % got.status)
        t.check("AssociateAddress" in got.err, "what was tried")
        t.equal(s.address()["network_interface_id"], s.eni1, "the old node keeps it")


def test_remove_only_our_own_association(t):
    with Scene(t) as s:
        s.configure(address=s.public)
        s.sim.do("associate", allocation_id=s.allocation, eni=s.eni2)
        # Between our look and our release another node takes it: its association has a new id.
        event = {"op": "associate", "allocation_id": s.allocation, "eni": s.eni1}
        s.sim.faults({"match": {"action": "DisassociateAddress"}, "do": {"type": "op", "event": event, "when": "before"}})
        t.equal(s.two.run("remove", "eip1").status, 0)
        t.equal(s.address()["network_interface_id"], s.eni1, "the other node keeps it")


def test_remove_that_is_not_allowed(t):
    with Scene(t) as s:
        s.configure(address=s.public)
        s.sim.do("associate", allocation_id=s.allocation, eni=s.eni2)
        s.sim.faults({"match": {"action": "DisassociateAddress"}, "times": 0, "do": {"type": "deny"}})
        got = s.two.run("remove", "eip1", as_lifekeeper=True)
        t.equal(got.status, 1, "it is certain that we still have it")
        t.check(":720030:" in got.err and "DisassociateAddress" in got.err, "and said so")


def test_address_and_allocation_that_contradict_each_other(t):
    def second(aws):
        aws["addresses"].append({"allocation_id": "eipalloc-0dd00000000000002", "public_ip": "203.0.113.100"})

    with Scene(t, second) as s:
        s.configure(address=s.public, allocation_id="eipalloc-0dd00000000000002")
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 4)
        t.check("203.0.113.100" in got.err and s.public in got.err, "both are named")
        t.equal(s.calls("AssociateAddress"), 0)


def test_remove_while_the_api_fails_halts_nobody(t):
    for fault in ({"type": "http_500"}, {"type": "throttle"}):
        with t.subtest(fault["type"]), Scene(t) as s:
            s.configure(address=s.public, remove_timeout=5)
            s.sim.do("associate", allocation_id=s.allocation, eni=s.eni2)
            s.sim.faults({"match": {"action": "DisassociateAddress"}, "times": 0, "do": fault})
            got = s.two.run("remove", "eip1", as_lifekeeper=True)
            t.equal(got.status, 0, "the next restore takes it from here")
            t.check("WARN:cloudvip:remove:eip1:720009:" in got.err and "DisassociateAddress" in got.err, "what failed")


def test_named_eni_of_another_node(t):
    with Scene(t) as s:
        s.configure(address=s.public, eni=s.eni1)
        for action in ("restore", "quickCheck"):
            got = s.two.run(action, "eip1")
            t.equal(got.status, 4, action)
            t.check(lab.NODE_1 in got.err and lab.NODE_2 in got.err, "whose it is, and who we are")


def nat_gateway(aws):
    subnet = aws["subnets"][0]
    cidr = subnet["cidr_block"].rsplit(".", 1)[0]
    aws["network_interfaces"].append({
        "network_interface_id": "eni-0ee00000000000001", "subnet_id": subnet["subnet_id"], "mac": "06:00:0a:00:99:01",
        "private_ips": [cidr + ".99"], "interface_type": "nat_gateway", "requester_managed": True})


def lonely_eni(aws):
    nat_gateway(aws)
    aws["network_interfaces"][-1].update(interface_type="interface", requester_managed=False)


def test_held_by_what_is_no_node(t):
    with Scene(t, nat_gateway) as s:
        s.configure(address=s.public)
        s.sim.do("associate", allocation_id=s.allocation, eni="eni-0ee00000000000001")
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 4)
        t.check("eni-0ee00000000000001" in got.err, "what has it")
        t.equal(s.calls("AssociateAddress"), 0)


def test_held_by_an_interface_that_lost_its_instance(t):
    with Scene(t, lonely_eni) as s:
        s.configure(address=s.public)
        s.sim.do("associate", allocation_id=s.allocation, eni="eni-0ee00000000000001")
        t.equal(s.two.run("restore", "eip1").status, 0)
        t.equal(s.address()["network_interface_id"], s.eni2)


def service_managed(aws):
    aws["addresses"][0]["service_managed"] = "nlb"


def test_managed_by_a_service(t):
    with Scene(t, service_managed) as s:
        s.configure(address=s.public)
        t.equal(s.two.run("restore", "eip1").status, 4)
        t.equal(s.calls("AssociateAddress"), 0)


def set_link(name, state):
    subprocess.check_call(["ip", "link", "set", name, state])


def test_the_nic_is_checked_and_brought_up(t):
    with Scene(t) as s, netns.link(t, s.sim.interface(s.eni2)["mac"], up=False) as nic:
        s.configure(address=s.public, interface=nic)
        got = s.two.run("restore", "eip1")
        t.equal(got.status, 0)
        t.check(":720022:" in got.err, "it says that it brought the interface up")
        t.has(netns.ip("link", "show", "dev", nic, "up"), nic, "the interface is up")
        t.equal(s.two.run("quickCheck", "eip1").status, 0)
        set_link(nic, "down")
        got = s.two.run("quickCheck", "eip1")
        t.equal(got.status, 1, "the cloud has it here, and nothing serves it")
        t.check(nic in got.err and ":720023:" in got.err, "which interface")
        t.equal(s.two.cloudvip("check").status, 1)
        t.equal(s.two.run("recover", "eip1").status, 0)
        t.equal(s.two.run("quickCheck", "eip1").status, 0)


def test_no_carrier_takes_nothing_away(t):
    with Scene(t) as s, netns.link(t, s.sim.interface(s.eni2)["mac"], up=False) as nic:
        set_link(nic + "p", "down")
        s.configure(address=s.public, interface=nic, restore_timeout=5)
        got = s.two.run("restore", "eip1")
        t.check(got.status != 0, "it cannot serve")
        t.check("carrier" in got.err and nic in got.err, "why")
        t.equal(s.address()["network_interface_id"], s.eni1, "the node that serves it keeps it")


if __name__ == "__main__":
    netns.enter()
    tap.main()
