#!/usr/bin/env python3
"""aws route-table in every form: IPv6, listed tables, missing routes, the source/destination check, another account."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

VIP, CIDR = "10.1.0.10", "10.1.0.10/32"
VIP6, CIDR6 = "fd00:cafe::10", "fd00:cafe::10/128"
TABLES = ["rtb-0aa0000000000000%d" % n for n in (1, 2, 3)]


def node_2(t, sim, **settings):
    node = lab.Node(t, sim, lab.NODE_2)
    settings.setdefault("address", VIP)
    node.resource("vip1", scenario="route-table", **settings)
    return node


def on(eni):
    return {table: (eni, "active") for table in TABLES}


def test_ipv6(t):
    with lab.Sim(t, "two-nodes-ipv6") as sim:
        two, eni2 = node_2(t, sim, address="fd00:CAFE:0:0::10"), sim.eni(lab.NODE_2)
        t.equal(two.run("restore", "vip1").status, 0)
        t.equal(sim.routes(CIDR6), on(eni2))
        t.equal(two.run("quickCheck", "vip1").status, 0)


def test_other_destinations_are_never_touched(t):
    with lab.Sim(t) as sim:
        eni1 = sim.eni(lab.NODE_1)
        for near in ("10.1.0.1/32", "10.1.0.100/32", "10.1.0.0/24", "110.1.0.10/32"):
            for table in TABLES:
                sim.do("set_route", table=table, destination=near, eni=eni1)
        two, eni2 = node_2(t, sim), sim.eni(lab.NODE_2)
        t.equal(two.run("restore", "vip1").status, 0)
        t.equal(sim.routes(CIDR), on(eni2))
        for near in ("10.1.0.1/32", "10.1.0.100/32", "10.1.0.0/24", "110.1.0.10/32"):
            t.equal(sim.routes(near), on(eni1), near)


def test_only_listed_tables(t):
    with lab.Sim(t) as sim:
        eni1, eni2 = sim.eni(lab.NODE_1), sim.eni(lab.NODE_2)
        two = node_2(t, sim, route_tables=", ".join(TABLES[:2]))
        t.equal(two.run("restore", "vip1").status, 0)
        t.equal(sim.routes(CIDR), {TABLES[0]: (eni2, "active"), TABLES[1]: (eni2, "active"),
                                   TABLES[2]: (eni1, "active")})
        t.equal(two.run("quickCheck", "vip1").status, 0, "the third table is not this resource's")


def test_many_listed_tables_on_indented_lines(t):
    with lab.Sim(t) as sim:
        two = lab.Node(t, sim, lab.NODE_2)
        two.file("resources.d/vip1.conf", "[vip1]\nscenario = route-table\naddress = %s\neni = %s\nroute_tables = %s\n"
                 % (VIP, sim.eni(lab.NODE_2), "\n    ".join(table + "," for table in TABLES)))
        t.equal(two.run("restore", "vip1").status, 0)
        t.equal(sim.routes(CIDR), on(sim.eni(lab.NODE_2)))


def test_missing_route_names_the_tables_looked_at(t):
    with lab.Sim(t) as sim:
        for table in TABLES:
            sim.do("delete_route", table=table, destination=CIDR)
        got = node_2(t, sim).run("restore", "vip1")
        t.equal(got.status, 4)
        for table in TABLES:
            t.check(table in got.err, table + " is named")
        t.check("create_route" in got.err, "and what to do")


def test_listed_table_without_the_route(t):
    with lab.Sim(t) as sim:
        eni1 = sim.eni(lab.NODE_1)
        sim.do("delete_route", table=TABLES[1], destination=CIDR)
        two = node_2(t, sim, route_tables=", ".join(TABLES))
        got = two.run("restore", "vip1")
        t.equal(got.status, 4)
        t.check(TABLES[1] in got.err and TABLES[0] not in got.err, "the one that lacks it is named")
        t.equal(sim.routes(CIDR), {TABLES[0]: (eni1, "active"), TABLES[2]: (eni1, "active")})


def test_create_route(t):
    with lab.Sim(t) as sim:
        eni2 = sim.eni(lab.NODE_2)
        sim.do("delete_route", table=TABLES[1], destination=CIDR)
        two = node_2(t, sim, create_route="yes", route_tables=", ".join(TABLES))
        t.equal(two.run("quickCheck", "vip1").status, 1)
        t.check("+ " + TABLES[1] in two.run("plan", "vip1").out, "the plan shows what is created")
        t.equal(two.run("restore", "vip1").status, 0)
        t.equal(sim.routes(CIDR), on(eni2))
        t.equal(sim.api_actions().count("CreateRoute"), 1)
        t.equal(two.run("quickCheck", "vip1").status, 0)


def test_create_route_in_the_whole_vpc(t):
    with lab.Sim(t) as sim:
        for table in TABLES:
            sim.do("delete_route", table=table, destination=CIDR)
        two = node_2(t, sim, create_route="yes")
        t.equal(two.run("restore", "vip1").status, 0)
        t.equal(set(sim.routes(CIDR)) >= set(TABLES), True)
        t.equal(sim.targets(CIDR), {(sim.eni(lab.NODE_2), "active")})


def test_created_by_another_node_meanwhile(t):
    with lab.Sim(t) as sim:
        sim.do("delete_route", table=TABLES[0], destination=CIDR)
        two = node_2(t, sim, create_route="yes", route_tables=TABLES[0])
        event = {"op": "set_route", "table": TABLES[0], "destination": CIDR, "eni": sim.eni(lab.NODE_1)}
        sim.faults({"match": {"action": "CreateRoute"}, "do": {"type": "op", "event": event, "when": "before"}})
        got = two.run("restore", "vip1")
        # RouteAlreadyExists: whoever was quicker has it now; we look, and do not fight.
        t.equal(got.status, 1)
        t.check(sim.eni(lab.NODE_1) in got.err, "it says who has it")


def test_source_dest_check(t):
    with lab.Sim(t) as sim:
        eni2 = sim.eni(lab.NODE_2)

        def scene(value):
            two = node_2(t, sim, source_dest_check=value)
            for table in TABLES:
                sim.do("set_route", table=table, destination=CIDR, eni=sim.eni(lab.NODE_1))
            sim.do("source_dest_check", eni=eni2, value=True)
            sim.clear_log()
            return two

        with t.subtest("disable"):
            two = scene("disable")
            t.equal(two.run("restore", "vip1").status, 0)
            t.equal(sim.interface(eni2)["source_dest_check"], False)
            t.equal(len(sim.api_actions()), 3 + 4, "N + 4 calls: %s" % sim.api_actions())
        with t.subtest("verify"):
            got = scene("verify").run("restore", "vip1")
            t.equal(got.status, 4)
            t.check("rule 66" in got.err and eni2 in got.err, "which rule, on what")
            t.equal(sim.api_actions().count("ReplaceRoute"), 0)
        with t.subtest("ignore"):
            t.equal(scene("ignore").run("restore", "vip1").status, 0)
            t.check("DescribeNetworkInterfaces" not in sim.api_actions(), "it is not even looked at")
            t.equal(sim.interface(eni2)["source_dest_check"], True)
        with t.subtest("off already, and may not be read"):
            two = scene("disable")
            sim.do("source_dest_check", eni=eni2, value=False)
            sim.faults({"match": {"action": "DescribeNetworkInterfaces"}, "times": 0, "do": {"type": "deny"}})
            got = two.run("restore", "vip1")
            t.equal(got.status, 5)
            t.check("DescribeNetworkInterfaces" in got.err and "source_dest_check = ignore" in got.err, "what to do")


def test_a_gateway_is_no_node(t):
    with lab.Sim(t) as sim:
        gateway = sim.aws()["internet_gateways"][0]["internet_gateway_id"]
        sim.do("set_route", table=TABLES[1], destination=CIDR, target=gateway)
        two = node_2(t, sim)
        got = two.run("restore", "vip1")
        t.equal(got.status, 4)
        t.check(gateway in got.err and TABLES[1] in got.err, "what holds it, where")
        t.equal(sim.api_actions().count("ReplaceRoute"), 0)
        t.equal(two.run("quickCheck", "vip1").status, 1)


def test_blackhole_is_elsewhere(t):
    with lab.Sim(t) as sim:
        one = lab.Node(t, sim, lab.NODE_1)
        one.resource("vip1", scenario="route-table", address=VIP)
        t.equal(one.run("quickCheck", "vip1").status, 0)
        for table in TABLES[1:2]:
            sim.do("set_route", table=table, destination=CIDR, eni=sim.eni(lab.NODE_2))
        sim.do("stop_instance", id=lab.NODE_2)
        got = one.run("quickCheck", "vip1")
        t.equal(got.status, 1)
        t.check("blackhole" in got.err and TABLES[1] in got.err, "which table, what it is")
        t.equal(one.run("recover", "vip1").status, 0)


def test_tables_that_appear_are_claimed(t):
    with lab.Sim(t) as sim:
        two, eni1, eni2 = node_2(t, sim), sim.eni(lab.NODE_1), sim.eni(lab.NODE_2)
        sim.do("delete_route", table=TABLES[2], destination=CIDR)
        event = {"op": "set_route", "table": TABLES[2], "destination": CIDR, "eni": eni1}
        sim.faults({"match": {"action": "ReplaceRoute"}, "do": {"type": "op", "event": event}})
        t.equal(two.run("restore", "vip1").status, 0)
        t.equal(sim.routes(CIDR), on(eni2))


def test_role_of_another_account(t):
    world = lab.world("two-nodes")
    world["aws"]["roles"].append({"name": "network", "account": "210987654321",
                                  "trust": {"principals": ["*"], "external_id": "site 7"}})
    arn = "arn:aws:iam::210987654321:role/network"
    with lab.Sim(t, world) as sim:
        two = node_2(t, sim, role_arn=arn, external_id="site 7")
        t.equal(two.run("restore", "vip1").status, 0)
        t.equal(sim.api_actions().count("AssumeRole"), 1, "once for the whole action")
        t.equal(sim.routes(CIDR), on(sim.eni(lab.NODE_2)))
        two.resource("vip1", scenario="route-table", address=VIP, role_arn=arn, external_id="wrong")
        got = two.run("restore", "vip1")
        t.equal(got.status, 5)
        t.check(arn in got.err, "which role")


def test_many_tables_three_rounds(t):
    with lab.Sim(t, lab.generated_world(tables=200, nodes=2), latency_ms=20) as sim:
        two = node_2(t, sim)
        got = two.run("restore", "vip1", "--json")
        t.equal(got.status, 0)
        t.equal(sim.targets(CIDR), {(sim.eni(lab.NODE_2), "active")})
        t.check(got.json()["api_calls"] <= 204, "at most N + 4 calls: %d" % got.json()["api_calls"])
        t.check(got.json()["api_rounds"] <= 4, "at most 4 rounds")
        t.check(sim.summary()["max_in_flight"] <= 100, "and no more than half of a VPC's quota of tables")


def test_changes_fly_together(t):
    with lab.Sim(t, lab.generated_world(tables=50, nodes=2)) as sim:
        two = node_2(t, sim)
        sim.faults({"match": {"action": "ReplaceRoute"}, "times": 0, "do": {"type": "hang"}})
        running = two.start("restore", "vip1")
        sim.wait(2 + 50)
        t.equal(sim.api_actions().count("ReplaceRoute"), 50, "none was answered, and all are sent")
        running.kill()
        sim.faults()
        t.equal(two.run("restore", "vip1", "--json").json()["api_rounds"], 3, "describe, change, look again")


def test_token_bucket_of_the_account(t):
    world = lab.generated_world(tables=60, nodes=2)
    world["aws"]["limits"] = {"mutating": {"bucket": 20, "refill_per_s": 20}}
    with lab.Sim(t, world) as sim:
        t.equal(node_2(t, sim).run("restore", "vip1").status, 0)
        t.equal(sim.targets(CIDR), {(sim.eni(lab.NODE_2), "active")})


def test_pages(t):
    with lab.Sim(t, lab.generated_world(tables=130, nodes=2)) as sim:
        two = node_2(t, sim)
        sim.faults({"match": {"action": "DescribeRouteTables"}, "do": {"type": "big_body"}})
        t.equal(two.run("quickCheck", "vip1").status, 1)
        asked = [e["params"].get("MaxResults") for e in sim.log(action="DescribeRouteTables")]
        t.equal(asked, [None] + ["40"] * 4)


def test_named_eni_of_another_node(t):
    with lab.Sim(t) as sim:
        eni1 = sim.eni(lab.NODE_1)
        got = node_2(t, sim, eni=eni1).run("restore", "vip1")
        t.equal(got.status, 4)
        t.check(eni1 in got.err and lab.NODE_1 in got.err, "whose it is")
        with netns.link(t, sim.interface(sim.eni(lab.NODE_2))["mac"]) as link:
            got = node_2(t, sim, eni=eni1, interface=link).run("quickCheck", "vip1")
            t.equal(got.status, 4)
            t.check(link in got.err and "contradict" in got.err, "which two contradict each other")


def test_interface_by_mac(t):
    with lab.Sim(t) as sim:
        eni2 = sim.eni(lab.NODE_2)
        with netns.link(t, sim.interface(eni2)["mac"]) as link:
            two = node_2(t, sim, interface=link)
            t.equal(two.run("restore", "vip1").status, 0)
            t.equal(sim.routes(CIDR), on(eni2))


if __name__ == "__main__":
    netns.enter()
    tap.main()
