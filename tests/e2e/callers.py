#!/usr/bin/env python3
"""Who calls and what they hear: statuses, deadlines, settings, locks, records, log lines."""
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402

VIP, CIDR = "10.1.0.10", "10.1.0.10/32"
LINE = re.compile(r"^(EMERG|NOTIFY|ERROR|WARN|INFO):cloudvip:(restore|remove|quickCheck|recover):[^:]*:72\d{4}:.+$")


def nodes(t, sim, **settings):
    pair = [lab.Node(t, sim, lab.NODE_1), lab.Node(t, sim, lab.NODE_2)]
    for node in pair:
        node.resource("vip1", scenario="route-table", address=VIP, **settings)
    return pair


def api_down(sim):
    sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "http_503"}})


def test_every_log_line_has_the_form(t):
    with lab.Sim(t) as sim:
        one, two = nodes(t, sim)
        runs = [two.run("restore", "vip1"), one.run("quickCheck", "vip1"), one.run("remove", "vip1")]
        api_down(sim)
        runs.append(two.run("quickCheck", "vip1", as_lifekeeper=True))
        runs.append(two.run("restore", "nosuch"))
        for got in runs:
            for line in got.err.splitlines():
                t.check(LINE.match(line), "log line %r" % line)


def test_person_and_lifekeeper(t):
    with lab.Sim(t) as sim:
        one, two = nodes(t, sim, restore_timeout=1, recover_timeout=1, remove_timeout=1)
        cases = [("restore", 3, 1), ("recover", 3, 1), ("quickCheck", 3, 0), ("remove", 0, 0)]
        api_down(sim)
        for action, person, lifekeeper in cases:
            with t.subtest("unknown: " + action):
                t.equal(two.run(action, "vip1").status, person)
                t.equal(two.run(action, "vip1", as_lifekeeper=True).status, lifekeeper)
        one, two = nodes(t, sim)
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "deny"}})
        for action, person, lifekeeper in (("restore", 5, 1), ("quickCheck", 5, 0), ("remove", 0, 0)):
            with t.subtest("denied: " + action):
                t.equal(two.run(action, "vip1").status, person)
                t.equal(two.run(action, "vip1", as_lifekeeper=True).status, lifekeeper)
        sim.faults()
        for node in (one, two):
            node.file("resources.d/vip1.conf", "[vip1]\nnonsense = 1\n")
        for action, person, lifekeeper in (("restore", 4, 1), ("quickCheck", 4, 0), ("remove", 4, 0)):
            with t.subtest("broken configuration: " + action):
                t.equal(two.run(action, "vip1").status, person)
                got = two.run(action, "vip1", as_lifekeeper=True)
                t.equal(got.status, lifekeeper)
                t.check("ERROR:cloudvip" in got.err, "an ERROR in the log")


def test_both_ways_to_call_an_action(t):
    with lab.Sim(t) as sim:
        one, two = nodes(t, sim)
        for how in ({}, {"binary": True}):
            t.equal(one.run("quickCheck", "vip1", **how).status, 0)
            t.equal(two.run("quickCheck", "vip1", **how).status, 1)


def test_lifekeeper_info_field_goes_before_the_files(t):
    with lab.Sim(t) as sim:
        two = lab.Node(t, sim, lab.NODE_2)
        eni2 = sim.eni(lab.NODE_2)
        two.lifekeeper(vip1="scenario=route-table address=10.1.0.10 eni=%s" % eni2)
        t.equal(two.run("restore", "vip1", as_lifekeeper=True).status, 0)
        t.equal(sim.targets(CIDR), {(eni2, "active")})
        two.resource("vip2", scenario="route-table", address="10.9.9.9")
        two.lifekeeper(vip2="address=10.1.0.10")
        t.equal(two.run("quickCheck", "vip2", as_lifekeeper=True).status, 0, "the rest comes from the files")
        two.lifekeeper(vip2="adress=10.1.0.10")
        got = two.run("restore", "vip2", as_lifekeeper=True)
        t.equal(got.status, 1)
        t.check("adress" in got.err and "info field" in got.err, "what is wrong, and where")


def test_on_unknown(t):
    with lab.Sim(t) as sim:
        for value, statuses in (("ok", [0, 0, 0]), ("fail", [1, 1]), ("fail-after 3", [0, 0, 1, 1])):
            with t.subtest(value):
                sim.faults()
                one = lab.Node(t, sim, lab.NODE_1)
                one.resource("vip1", scenario="route-table", address=VIP, on_unknown=value)
                api_down(sim)
                t.equal([one.run("quickCheck", "vip1", as_lifekeeper=True).status for _ in statuses], statuses)
        with t.subtest("an answer in between starts the count again"):
            sim.faults()
            one = lab.Node(t, sim, lab.NODE_1)
            one.resource("vip1", scenario="route-table", address=VIP, on_unknown="fail-after 2")
            seen = []
            for down in (True, False, True, True):
                sim.faults()
                if down:
                    api_down(sim)
                seen.append(one.run("quickCheck", "vip1", as_lifekeeper=True).status)
            t.equal(seen, [0, 0, 0, 1])


def test_deadline_is_the_earlier_one(t):
    with lab.Sim(t) as sim:
        _, two = nodes(t, sim, restore_timeout=100, api_timeout=60)
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "hang"}})
        got = two.run("restore", "vip1", as_lifekeeper=True, env={"CLOUDVIP_RESTORE_TIMEOUT": "5"})
        t.equal(got.status, 1, "it answers before LifeKeeper's own limit, not after ours")
        t.check("DescribeRouteTables" in got.err, "with what it was waiting for")


def test_one_action_per_address_at_a_time(t):
    with lab.Sim(t) as sim:
        _, two = nodes(t, sim, quickcheck_timeout=4)
        two.resource("again", scenario="route-table", address=VIP, quickcheck_timeout=4)
        sim.faults({"match": {"action": "ReplaceRoute"}, "times": 0, "do": {"type": "hang"}})
        running = two.start("restore", "vip1")
        sim.wait(3)
        got = two.run("quickCheck", "again", as_lifekeeper=True)
        t.equal(got.status, 0, "a check that cannot have its turn knows nothing")
        t.check("restore" in got.err and str(running.process.pid) in got.err, "who holds the lock")
        running.kill()
        sim.faults()
        t.equal(two.run("restore", "vip1").status, 0, "a killed holder holds nothing")


def test_record(t):
    with lab.Sim(t) as sim:
        one, two = nodes(t, sim)

        def record(node):
            return json.loads(node.record("vip1")["vip1.json"])

        t.equal(two.run("restore", "vip1").status, 0)
        first = record(two)
        t.equal((first["in_service"], first["action"]), (True, "restore"))
        t.check(abs(first["since"] - time.time()) < 3600, "since when")
        t.equal(two.run("quickCheck", "vip1").status, 0)
        t.equal(record(two)["since"], first["since"], "a check changes nothing about that")
        t.equal(two.run("remove", "vip1").status, 0)
        t.equal(record(two)["in_service"], False)
        with t.subtest("garbage in it hinders nobody"):
            with open(os.path.join(two.rundir, "vip1.json"), "w") as f:
                f.write("{\"in_service\": ")
            got = two.run("restore", "vip1")
            t.equal(got.status, 0)
            t.check(":720025:" in got.err, "but it is said")
            t.equal(record(two)["in_service"], True)


def test_clock_skew_is_corrected_once(t):
    with lab.Sim(t) as sim:
        _, two = nodes(t, sim)
        sim.do("advance_clock", s=3600)
        got = two.run("restore", "vip1")
        t.equal(got.status, 0)
        told = [int(n) for line in got.err.splitlines() if ":720026:" in line for n in re.findall(r"\b\d{4}\b", line)]
        t.check(any(abs(n - 3600) < 60 for n in told), "by how much: %s" % got.err)
        t.check(len(sim.api_actions()) <= 8, "one corrected try for each call of the first round: %s" % sim.api_actions())


def test_expired_credentials_are_renewed_once(t):
    with lab.Sim(t) as sim:
        one, _ = nodes(t, sim)
        sim.faults({"match": {"kind": "ec2"}, "do": {"type": "expired_token"}})
        t.equal(one.run("quickCheck", "vip1").status, 0)
        roles = [e for e in sim.log(kind="imds") if e["action"].startswith("GET latest/meta-data/iam/security-credentials/n")]
        t.equal(len(roles), 2, "asked for twice")


def test_json(t):
    with lab.Sim(t) as sim:
        one, two = nodes(t, sim)
        got = two.run("restore", "vip1", "--json")
        said = got.json()
        t.equal((said["action"], said["tag"], said["outcome"], said["status"], said["changed"]),
                ("restore", "vip1", "right", 0, True))
        t.equal((said["api_calls"], said["api_rounds"]), (6, 3))
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "deny"}})
        said = one.run("quickCheck", "vip1", "--json").json()
        t.equal((said["outcome"], said["error"]["kind"], said["error"]["code"]),
                ("permission", "DENIED", "UnauthorizedOperation"))
        t.check(said["error"]["request_id"], "the request id")


def test_interrupted_by_a_signal(t):
    with lab.Sim(t) as sim:
        _, two = nodes(t, sim)
        sim.faults({"match": {"action": "ReplaceRoute"}, "times": 0, "do": {"type": "hang"}})
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            sim.clear_log()
            running = two.start("restore", "vip1")
            sim.wait(3)
            running.process.send_signal(number)
            t.equal(running.wait().status, -number)
        sim.faults()
        t.equal(two.run("restore", "vip1").status, 0)


def test_no_secret_in_what_a_child_sees(t):
    with lab.Sim(t) as sim:
        two = lab.Node(t, sim, lab.NODE_2, credentials="keys")
        two.resource("vip1", scenario="route-table", address=VIP)
        two.lifekeeper(vip1="")
        spy = os.path.join(two.lkroot, "bin", "ins_list")
        seen = os.path.join(two.dir, "seen")
        with open(spy, "w") as f:
            f.write("#!/bin/sh\nenv > %s\nexit 1\n" % seen)
        t.equal(two.run("restore", "vip1", as_lifekeeper=True).status, 0)
        with open(seen) as f:
            t.check(two.env["AWS_SECRET_ACCESS_KEY"] not in f.read(), "no secret in the environment of a child")


if __name__ == "__main__":
    tap.main()
