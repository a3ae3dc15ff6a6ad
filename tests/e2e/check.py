#!/usr/bin/env python3
"""cloudvip check, status, plan: what an administrator sees, and what it costs."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402

VIP, CIDR = "10.1.0.10", "10.1.0.10/32"
TABLES = ["rtb-0aa0000000000000%d" % n for n in (1, 2, 3)]


def scene(t, sim, instance=lab.NODE_1):
    node = lab.Node(t, sim, instance)
    node.resource("vip1", scenario="route-table", address=VIP)
    node.resource("eip1", scenario="elastic-ip", address=sim.aws()["addresses"][0]["public_ip"])
    return node


def state_of(got, tag):
    return [row for row in got.json()["resources"] if row["tag"] == tag][0]


def test_check_tells_right_from_wrong(t):
    with lab.Sim(t) as sim:
        one, two = scene(t, sim), scene(t, sim, lab.NODE_2)
        eip = sim.aws()["addresses"][0]["allocation_id"]
        sim.do("associate", allocation_id=eip, eni=sim.eni(lab.NODE_1))
        with t.subtest("wholly here"):
            t.equal(one.cloudvip("check").status, 0)
            t.equal(state_of(one.cloudvip("--json", "check"), "vip1")["state"], "here")
        with t.subtest("wholly on the other node"):
            t.equal(two.cloudvip("check").status, 0)
            t.equal(state_of(two.cloudvip("--json", "check"), "vip1")["state"], "other")
        with t.subtest("elsewhere although our record says in service"):
            t.equal(one.run("restore", "vip1").status, 0)
            for table in TABLES:
                sim.do("set_route", table=table, destination=CIDR, eni=sim.eni(lab.NODE_2))
            got = one.cloudvip("check", "vip1")
            t.equal(got.status, 1)
            t.check("should be in service here" in got.out, "it says why")
            t.equal(one.cloudvip("check", "eip1").status, 0, "the other resource is well")
            t.equal(one.run("remove", "vip1").status, 0)
            t.equal(one.cloudvip("check", "vip1").status, 0)
        with t.subtest("split"):
            sim.do("set_route", table=TABLES[0], destination=CIDR, eni=sim.eni(lab.NODE_1))
            got = two.cloudvip("--json", "check")
            t.equal((got.status, state_of(got, "vip1")["state"]), (1, "split"))
        with t.subtest("blackhole"):
            sim.do("stop_instance", id=lab.NODE_1)
            got = two.cloudvip("--json", "check")
            t.equal((got.status, state_of(got, "vip1")["state"]), (1, "blackhole"))
        with t.subtest("nowhere"):
            sim.do("disassociate", allocation_id=eip)
            got = two.cloudvip("--json", "check")
            t.equal((got.status, state_of(got, "eip1")["state"]), (1, "nowhere"))


def test_check_that_cannot_ask(t):
    with lab.Sim(t) as sim:
        one = scene(t, sim)
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "throttle"}})
        got = one.cloudvip("check")
        t.equal(got.status, 3)
        t.check("unknown" in got.out and "RequestLimitExceeded" in got.out, "a table all the same, with the reason")
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "deny"}})
        t.equal(one.cloudvip("check").status, 5)
        t.equal(one.cloudvip("--json", "check").json()["status"], 5)


def test_check_of_a_broken_configuration(t):
    with lab.Sim(t) as sim:
        one = scene(t, sim)
        one.file("resources.d/broken.conf", "[vip3]\nadress = 1\n")
        got = one.cloudvip("check")
        t.check("vip1" in got.out and "eip1" in got.out, "the others are checked")
        t.check("broken.conf:2" in got.err, "the broken one is named")
        t.equal(got.status, 4)
        t.equal(one.cloudvip("check", "vip1").status, 0)
        t.equal(one.cloudvip("check", "vip9").status, 4)


def test_a_hundred_resources_one_call(t):
    with lab.Sim(t, lab.generated_world(tables=3, nodes=2, vips=100)) as sim:
        destinations = sorted({r["destination"] for table in sim.aws()["route_tables"] for r in table["routes"]
                               if r["destination"].endswith("/32")})
        t.equal(len(destinations), 100)
        one = lab.Node(t, sim, lab.NODE_1)
        for n, destination in enumerate(destinations):
            one.resource("vip%03d" % n, scenario="route-table", address=destination[:-3])
        sim.clear_log()
        got = one.cloudvip("check")
        t.equal(got.status, 0)
        t.equal(len(got.out.splitlines()), 101)
        t.equal(sim.api_actions(), ["DescribeRouteTables"])


def test_more_addresses_than_one_request_takes(t):
    with lab.Sim(t, lab.generated_world(tables=1, nodes=2, vips=250)) as sim:
        one = lab.Node(t, sim, lab.NODE_1)
        for n, destination in enumerate(sorted({r["destination"] for r in sim.aws()["route_tables"][0]["routes"]
                                                if r["destination"].endswith("/32")})):
            one.resource("vip%03d" % n, scenario="route-table", address=destination[:-3])
        sim.clear_log()
        t.equal(one.cloudvip("check").status, 0)
        t.equal(sim.api_actions(), ["DescribeRouteTables"] * 3, "at most 200 filter values each")


def test_status(t):
    with lab.Sim(t) as sim:
        two = scene(t, sim, lab.NODE_2)
        t.equal(two.run("restore", "vip1").status, 0)
        got = two.cloudvip("status", "vip1")
        t.equal(got.status, 0)
        for word in TABLES + [sim.eni(lab.NODE_2), "in service here since", "restore"]:
            t.check(word in got.out, "%s is shown" % word)
        rows = two.cloudvip("--json", "status").json()
        t.equal({row["tag"] for row in rows}, {"vip1", "eip1"})
        t.equal([len(row["bindings"]) for row in rows if row["tag"] == "vip1"], [3])


def test_plan_changes_nothing(t):
    with lab.Sim(t) as sim:
        two = scene(t, sim, lab.NODE_2)
        before = sim.routes(CIDR)
        got = two.cloudvip("plan", "vip1")
        t.equal(got.status, 0)
        for table in TABLES:
            t.check("~ %s: %s" % (table, sim.eni(lab.NODE_1)) in got.out, table)
        t.equal(sim.routes(CIDR), before)
        t.equal(len(two.cloudvip("--json", "plan", "vip1").json()["changes"]), 3)
        t.equal(two.run("restore", "vip1").status, 0)
        got = two.cloudvip("plan", "vip1")
        t.check("nothing to change" in got.out and "= " + TABLES[0] in got.out, "what is right stays")


def test_prometheus(t):
    with lab.Sim(t) as sim:
        one = scene(t, sim)
        path = os.path.join(one.dir, "cloudvip.prom")
        sim.do("disassociate", allocation_id=sim.aws()["addresses"][0]["allocation_id"])
        t.equal(one.cloudvip("check", "--prometheus", path).status, 1)
        with open(path) as f:
            lines = f.read().splitlines()
        labels = 'tag="vip1",scenario="route-table",address="10.1.0.10"'
        t.check("cloudvip_ok{%s} 1" % labels in lines, "what is well")
        t.check('cloudvip_state{%s,state="here"} 1' % labels in lines, "its state")
        t.equal([line[-2:] for line in lines if line.startswith('cloudvip_ok{tag="eip1"')], [" 0"], "what is not")
        for line in lines:
            t.check(line.startswith("# ") or len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0, line)
        t.equal(one.cloudvip("check", "--prometheus", "/nonexistent/x").status, 1, "wrong is worse than unwritten")


def test_a_local_address_needs_an_interface(t):
    with lab.Sim(t) as sim:
        one = lab.Node(t, sim, lab.NODE_1)
        one.resource("vip1", scenario="route-table", address=VIP, local_address="yes")
        got = one.run("restore", "vip1")
        t.equal(got.status, 4)
        t.check("local_address" in got.err, "which setting")
        one.resource("vip1", scenario="route-table", address=VIP, local_address="no")
        t.equal(one.run("restore", "vip1").status, 0)


def test_no_resources(t):
    with lab.Sim(t) as sim:
        one = lab.Node(t, sim, lab.NODE_1)
        got = one.cloudvip("check")
        t.equal(got.status, 4)
        t.check("resources.d" in got.err, "where they belong")
        t.equal(one.cloudvip("--json", "check").json()["status"], 4)


if __name__ == "__main__":
    tap.main()
