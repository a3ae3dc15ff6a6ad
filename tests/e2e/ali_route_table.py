#!/usr/bin/env python3
"""aliyun route-table in every form: listed tables, missing and odd routes, a VPC that changes one route at a
time, endpoints that cannot change a next hop."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

VIP, CIDR = "10.1.0.10", "10.1.0.10/32"
LIST, READ, LOOK = "DescribeRouteTableList", "DescribeRouteEntryList", "DescribeNetworkInterfaces"
MODIFY, CREATE, DELETE = "ModifyRouteEntry", "CreateRouteEntry", "DeleteRouteEntry"


class Scene:
    """Two nodes; the first one's service interface has the routes of all tables.  `change`: a function
    that changes the world before it begins."""

    def __init__(self, t, change=None, delay_ms=0, **settings):
        self.t = t
        world = lab.world("ali-two-nodes")
        world["aliyun"]["delays_ms"] = dict(world["aliyun"].get("delays_ms") or {}, route=delay_ms)
        if change:
            change(world["aliyun"])
        self.sim = lab.Sim(t, world)
        self.tables = sorted(table["route_table_id"] for table in self.ali()["route_tables"])
        self.eni1, self.eni2 = "eni-svc1", "eni-svc2"
        self.one, self.two = (lab.Node(t, self.sim, node, provider="aliyun") for node in ("i-node1", "i-node2"))
        self.configure(**settings)
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def ali(self):
        return self.sim.state()["aliyun"]

    def configure(self, **settings):
        for node, eni in ((self.one, self.eni1), (self.two, self.eni2)):
            node.resource("vip1", **dict({"scenario": "route-table", "address": VIP, "eni": eni}, **settings))

    def routes(self, destination=CIDR):
        """{table: next hop} of the entries for this destination."""
        return {table["route_table_id"]: route.get("next_hop_id") for table in self.ali()["route_tables"]
                for route in table["routes"] if route["destination"] == destination}

    def all_on(self, hop):
        return {table: hop for table in self.tables}

    def set(self, tables, target, destination=CIDR):
        for table in tables:
            self.sim.do("set_route", table=table, destination=destination, target=target)

    def drop(self, *tables):
        for table in tables:
            self.sim.do("delete_route", table=table, destination=CIDR)

    def calls(self, action=None):
        seen = [e["action"] for e in self.sim.log() if e["kind"] in ("vpc", "ecs", "sts")]
        return seen if action is None else seen.count(action)


def test_calls_and_rounds(t):
    with Scene(t) as s:
        n = len(s.tables)
        t.equal(s.two.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on(s.eni2))
        t.equal(s.calls(), [LIST] + [READ] * n + [LOOK] + [MODIFY, READ] * n + [LIST] + [READ] * n)
        for action, calls in (("quickCheck", 1 + n), ("restore", 2 + n), ("remove", 0)):
            s.sim.clear_log()
            t.equal(s.two.run(action, "vip1").status, 0, action)
            t.equal(len(s.calls()), calls, "%s: %s" % (action, s.calls()))
        s.configure(route_tables=", ".join(s.tables))
        s.sim.clear_log()
        t.equal(s.two.run("quickCheck", "vip1").status, 0)
        t.equal(s.calls(), [READ] * n, "named tables need no list")


def test_other_destinations_are_never_touched(t):
    near = ("10.1.0.1/32", "10.1.0.100/32", "10.1.0.0/24", "110.1.0.10/32")
    with Scene(t) as s:
        for destination in near:
            s.set(s.tables, s.eni1, destination)
        t.equal(s.two.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on(s.eni2))
        for destination in near:
            t.equal(s.routes(destination), s.all_on(s.eni1), destination)


def test_only_listed_tables(t):
    with Scene(t) as s:
        s.configure(route_tables=s.tables[0])
        t.equal(s.two.run("restore", "vip1").status, 0)
        expected = s.all_on(s.eni1)
        expected[s.tables[0]] = s.eni2
        t.equal(s.routes(), expected)
        t.equal(s.two.run("quickCheck", "vip1").status, 0, "the others are not this resource's")


def test_missing_routes(t):
    with Scene(t) as s:
        s.drop(*s.tables)
        got = s.two.run("restore", "vip1")
        t.equal(got.status, 4)
        for word in s.tables + [CIDR, "create_route"]:
            t.check(word in got.err, word)
        s.set(s.tables[:1], s.eni1)
        s.configure(route_tables=", ".join(s.tables))
        got = s.two.run("restore", "vip1")
        t.equal(got.status, 4)
        t.check(s.tables[1] in got.err and s.tables[0] not in got.err, "the one that lacks it is named")
        s.configure(route_tables="vtb-none")
        got = s.two.run("restore", "vip1")
        t.equal(got.status, 4)
        t.check("vtb-none" in got.err, "a table that is not there")
        t.equal(s.calls(MODIFY) + s.calls(CREATE), 0)


def test_create_route(t):
    with Scene(t, delay_ms=150, create_route="yes") as s:
        s.drop(s.tables[1])
        t.equal(s.two.run("quickCheck", "vip1").status, 1)
        t.check("+ " + s.tables[1] in s.two.run("plan", "vip1").out, "the plan shows what is created")
        t.equal(s.two.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on(s.eni2))
        t.equal(s.calls(CREATE), 1)
        s.drop(*s.tables)
        s.sim.faults({"match": {"action": CREATE}, "do": {"type": "lost_answer"}})
        t.equal(s.one.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on(s.eni1))


def test_created_by_another_node_meanwhile(t):
    with Scene(t, create_route="yes") as s:
        s.drop(s.tables[0])
        event = {"op": "set_route", "table": s.tables[0], "destination": CIDR, "eni": s.eni1}
        s.sim.faults({"match": {"action": CREATE}, "do": {"type": "op", "event": event, "when": "before"}})
        got = s.two.run("restore", "vip1")
        t.equal(got.status, 1, "whoever was quicker has it: we look, and do not fight")
        t.check(s.eni1 in got.err, "it says who has it")


def test_next_hops_that_are_no_node(t):
    with Scene(t) as s:
        for hop in ("havip-1", "vpn-1", "ngw-1"):
            s.set(s.tables[1:2], hop)
            s.sim.clear_log()
            got = s.two.run("restore", "vip1")
            t.equal(got.status, 4, hop)
            t.check(hop in got.err and s.tables[1] in got.err, "what holds it, where")
            t.equal(s.calls(MODIFY), 0)
            t.equal(s.two.run("quickCheck", "vip1").status, 1)


def ecmp(ali):
    for table in ali["route_tables"]:
        for route in table["routes"]:
            if route["destination"] == CIDR:
                hop = {"type": route.pop("next_hop_type", "NetworkInterface"), "id": route.pop("next_hop_id")}
                route["next_hops"] = [hop, dict(hop)]
        break


def test_ecmp_is_ambiguous(t):
    with Scene(t, ecmp) as s:
        got = s.two.run("restore", "vip1")
        t.equal(got.status, 4)
        t.check("ECMP" in got.err, "why it is refused")
        t.equal(s.calls(MODIFY), 0)


def test_a_primary_interface_is_reached_through_its_instance(t):
    with Scene(t) as s:
        s.two.resource("vip1", scenario="route-table", address=VIP, eni="eni-node2")
        t.equal(s.two.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on("i-node2"))
        t.equal(s.two.run("quickCheck", "vip1").status, 0)
        t.equal(s.one.run("quickCheck", "vip1").status, 1)


def test_a_route_to_nothing_is_elsewhere(t):
    with Scene(t) as s:
        s.sim.do("detach_eni", eni=s.eni1)
        t.equal(s.two.run("quickCheck", "vip1").status, 1)
        t.check("blackhole" in s.two.run("plan", "vip1").out, "the plan says what it is")
        t.equal(s.two.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on(s.eni2))
        got = s.one.run("restore", "vip1")
        t.equal(got.status, 4)
        t.check("rule 64" in got.err and s.eni1 in got.err, "an interface attached to nothing serves nobody")
        t.equal(s.routes(), s.all_on(s.eni2))


def test_an_eni_and_an_interface_that_contradict_each_other(t):
    """A file that was copied from the other node."""
    with Scene(t) as s:
        mac = [e["mac"] for e in s.ali()["network_interfaces"] if e["network_interface_id"] == s.eni2][0]
        with netns.link(t, mac) as link:
            s.two.resource("vip1", scenario="route-table", address=VIP, eni=s.eni1, interface=link, local_address="no")
            for action in ("quickCheck", "restore"):
                got = s.two.run(action, "vip1")
                t.equal(got.status, 4)
                t.check(link in got.err and s.eni1 in got.err and "contradict" in got.err, got.err)
            s.two.resource("vip1", scenario="route-table", address=VIP, eni=s.eni2, interface=link, local_address="no")
            t.equal(s.two.run("restore", "vip1").status, 0)
            t.equal(s.routes(), s.all_on(s.eni2))


def test_one_change_at_a_time(t):
    with Scene(t, delay_ms=200) as s:
        runs = [s.one.start("restore", "vip1"), s.two.start("restore", "vip1")]
        for got in [run.wait() for run in runs]:
            t.check(got.status == 0 or ":720015:" in got.err, "it has it, or says who took it: %s" % got.err)
        t.equal(s.two.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on(s.eni2))
        s.sim.faults({"match": {"action": MODIFY}, "times": 4, "do": {"type": "task_conflict"}})
        t.equal(s.one.run("restore", "vip1").status, 0, "another task is waited for")
        t.equal(s.routes(), s.all_on(s.eni1))


def test_between_two_states_is_not_here(t):
    with Scene(t) as s:
        entry = [r["route_entry_id"] for r in s.ali()["route_tables"][0]["routes"] if r["destination"] == CIDR][0]
        s.sim.do("set_status", id=entry, status="Modifying")
        t.equal(s.one.run("quickCheck", "vip1").status, 1)


def only_names(ali):
    ali["modify_route_entry"] = "name-only"


def test_old_endpoint_without_create_route(t):
    with Scene(t, only_names) as s:
        got = s.two.run("restore", "vip1")
        t.equal(got.status, 4)
        t.check("create_route = yes" in got.err and MODIFY in got.err, "what to do")
        t.equal(s.calls(DELETE), 0)
        t.equal(s.routes(), s.all_on(s.eni1))


def test_old_endpoint_deletes_and_creates(t):
    with Scene(t, only_names, delay_ms=100, create_route="yes") as s:
        t.equal(s.two.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on(s.eni2))
        t.equal(s.calls(DELETE), len(s.tables))
        for action in (DELETE, CREATE):
            for kind in ("hang", "lost_timeout"):
                with t.subtest("killed, %s %s" % (action, kind)):
                    s.set(s.tables, s.eni1)
                    s.sim.clear_log()
                    s.sim.faults({"match": {"action": action}, "times": 0, "do": {"type": kind}})
                    running = s.two.start("restore", "vip1")
                    t.wait_until(lambda: s.calls(action) > 0, action)
                    running.kill()
                    s.sim.faults()
                    t.equal(s.two.run("restore", "vip1").status, 0)
                    t.equal(s.routes(), s.all_on(s.eni2))


def test_moved_by_another_between_look_and_deletion(t):
    with Scene(t, only_names, create_route="yes") as s:
        event = {"op": "set_route", "table": s.tables[0], "destination": CIDR, "target": "i-node1"}
        s.sim.faults({"match": {"action": DELETE}, "do": {"type": "op", "event": event, "when": "before"}})
        got = s.two.run("restore", "vip1")
        t.equal(got.status, 1, "the deletion names the next hop that was seen, and hits nothing else")
        t.equal(s.routes()[s.tables[0]], "i-node1")
        t.check("i-node1" in got.err, "it says who has it")


def ignored(ali):
    ali["modify_route_entry"] = "ignored"


def test_endpoint_that_ignores_the_next_hop(t):
    with Scene(t, ignored, create_route="yes") as s:
        got = s.two.run("restore", "vip1")
        t.equal(got.status, 1)
        t.check("NewNextHopId" in got.err and s.eni1 in got.err, "what it may be")
        t.equal(s.calls(DELETE), 0)
        t.equal(s.routes(), s.all_on(s.eni1))


def test_many_tables(t):
    def more(ali):
        ali["route_tables"] += [{"route_table_id": "vtb-more%d" % n, "vpc_id": "vpc-main", "routes": [
            {"route_entry_id": "rte-more%d" % n, "destination": CIDR, "next_hop_id": "eni-svc1"}]} for n in range(60)]

    with Scene(t, more) as s:
        n = len(s.tables)
        # Reads that are sent together are all there before one is answered.
        s.sim.faults({"match": {"action": READ}, "times": 0, "do": {"type": "hang"}})
        running = s.two.start("restore", "vip1")
        s.sim.wait(2 + 4)
        running.kill()
        s.sim.faults()
        s.sim.clear_log()
        t.equal(s.two.run("restore", "vip1").status, 0)
        t.equal(s.routes(), s.all_on(s.eni2))
        t.equal(s.calls(LIST), 4, "two pages of 50, twice")
        t.equal(len(s.calls()), 4 + 1 + 4 * n)


if __name__ == "__main__":
    netns.enter()
    tap.main()
