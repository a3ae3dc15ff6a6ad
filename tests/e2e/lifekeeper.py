#!/usr/bin/env python3
"""The kit under LifeKeeper, as far as it can be imitated: a stand-in for its commands (tests/lib/lcdi)."""
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import lifekeeper  # noqa: E402
import tap  # noqa: E402

VIP, CIDR = "10.1.0.10", "10.1.0.10/32"
WORDS = ("scenario=route-table", "address=" + VIP)


class World:
    """Two servers; the address is an ENI's of node 1 at first."""

    def __init__(self, t, sim):
        lifekeeper.need(t)
        self.t, self.sim = t, sim
        self.one, self.two = lifekeeper.pair(t, sim)
        for server in (self.one, self.two):
            # What differs from server to server stands in its own file: the info field is the same.
            server.resource("vip1")

    def at(self, server):
        return self.sim.targets(CIDR) == {(self.sim.eni(server.instance), "active")}

    def extended(self):
        self.t.equal(self.one.create("vip1", *WORDS).status, 0)
        self.t.equal(self.two.extend(self.one, "vip1").status, 0)
        return self


def test_create_extend_delete(t):
    with lab.Sim(t) as sim:
        w = World(t, sim)
        t.equal(w.one.create("vip1", *WORDS).status, 0)
        t.equal(w.one.calls("ins_create")[-1], ["-a", "comm", "-r", "cloudvip", "-I", "AUTORES_ISP", "-s", "INTELLIGENT",
                                                "-t", "vip1", "-i", "vip1", "-v", " ".join(WORDS)])
        t.equal((w.one.state("vip1"), w.at(w.one)), ("ISP", True))
        t.equal(w.one.create("vip1", *WORDS).status, 1, "there already")
        t.equal(w.two.extend(w.one, "vip1").status, 0)
        t.equal((w.two.state("vip1"), w.two.server.find("vip1")["info"]), ("OSU", " ".join(WORDS)))
        t.equal(w.two.extend(w.one, "vip1").status, 0, "twice is the same as once")
        t.equal([len(s.server.read()["eqvs"]) for s in (w.one, w.two)], [1, 1], "each knows the other")
        eqv = w.one.server.read()["eqvs"][0]
        t.equal((eqv["system"], eqv["other"], eqv["priority"], eqv["their_priority"]), ("node2", "vip1", 1, 10))
        t.check(w.at(w.one), "the standby took nothing")
        t.equal(w.two.delete("vip1").status, 0)
        t.equal(w.one.delete("vip1").status, 0)
        t.equal((w.one.state("vip1"), w.two.state("vip1")), (None, None))
        t.equal(w.one.record("vip1.json"), {}, "nothing is remembered")
        t.equal(w.one.delete("vip1").status, 0, "twice is the same as once")


def test_create_refuses_before_anything_is_made(t):
    with lab.Sim(t) as sim:
        w = World(t, sim)
        cases = [(("scenario=route-table", "adress=" + VIP), "adress"), (("scenario=route-table", "address=10.1"), "10.1"),
                 (("scenario=route-table", "address=10.9.9.9"), "10.9.9.9"),
                 (WORDS + ("route_tables=rtb-1,rtb-2",), "comma"), (WORDS + ("on_unknown=fail-after 3",), "space"),
                 (("scenario=havip", "address=" + VIP), "havip")]
        for words, said in cases:
            with t.subtest(" ".join(words)):
                got = w.one.create("vip1", *words)
                t.equal(got.status, 1)
                t.has(got.err, said)
                t.equal(w.one.state("vip1"), None)
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "deny"}})
        got = w.one.create("vip1", *WORDS)
        t.equal(got.status, 1)
        t.has(got.err, "DescribeRouteTables", "the permission that is missing")
        sim.faults()
        for tag in ("a b", "+x", ".x"):
            t.equal(w.one.create(tag, *WORDS).status, 1, tag)
        t.equal(w.one.calls("ins_create"), [])
        t.equal(w.one.create("vip1", *WORDS, "-s", "SOMETIMES").status, 1)
        t.equal(w.one.create("vip1", *WORDS, "-o", "-s", "automatic").status, 0, "as lkcli writes it")
        t.check("AUTOMATIC" in w.one.calls("ins_create")[-1], "as ins_create wants it")
        t.check(w.at(w.one))


def test_what_fails_halfway_is_undone(t):
    with lab.Sim(t) as sim:
        w = World(t, sim)
        sim.faults({"match": {"action": "ReplaceRoute"}, "times": 0, "do": {"type": "deny"}})
        t.equal(w.one.perform("vip1", "restore").status, lifekeeper.lcdi.NONE)
        with w.two.server.db() as db:
            db["broken"]["ins_create"] = 3
        t.equal(w.two.create("vip1", *WORDS).status, 1)
        with w.two.server.db() as db:
            db["broken"].clear()
        got = w.two.create("vip1", *WORDS)
        t.equal((got.status, w.two.state("vip1")), (1, None), "restore failed: no instance is left")
        sim.faults()
        t.equal(w.one.create("vip1", *WORDS).status, 0)
        for command in ("ins_setstate", "eqv_create", "lcduname"):
            with t.subtest("extend without " + command):
                with w.two.server.db() as db:
                    db["broken"] = {command: 1}
                t.equal(w.two.extend(w.one, "vip1").status, 1)
                t.equal(w.two.state("vip1"), None)
        with w.two.server.db() as db:
            db["broken"].clear()
        t.equal(w.two.extend(w.one, "nosuch").status, 1)
        t.equal(w.two.extend(w.one, "vip1").status, 0)


def test_canextend_asks_from_the_standby(t):
    with lab.Sim(t) as sim:
        w = World(t, sim)
        t.equal(w.one.create("vip1", *WORDS).status, 0)
        with t.subtest("its API cannot be used"):
            sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "deny"}})
            t.equal(w.two.call(w.two.admin("canextend"), "node1", "vip1").status, 1)
            sim.faults()
        with t.subtest("its interface is not there"):
            w.two.resource("vip1", interface="nosuch0")
            got = w.two.call(w.two.admin("canextend"), "node1", "vip1")
            t.equal(got.status, 1)
            t.has(got.err, "nosuch0")
        with t.subtest("another resource has the tag"):
            w.two.resource("vip1")
            t.equal(w.two.call("ins_create", "-a", "comm", "-r", "ip", "-t", "vip1", "-i", "x").status, 0)
            got = w.two.call(w.two.admin("canextend"), "node1", "vip1")
            t.equal(got.status, 1)
            t.has(got.err, "type ip")
            t.equal(w.two.call("ins_remove", "-t", "vip1").status, 0)
        t.equal(w.two.call(w.two.admin("canextend"), "node1", "vip1").status, 0)
        t.equal(w.two.state("vip1"), None, "nothing is made")
        t.check(w.at(w.one), "nothing is moved")


def test_switchover_and_failover(t):
    with lab.Sim(t) as sim:
        w = World(t, sim).extended()
        t.equal(w.one.perform("vip1", "remove").status, 0)
        t.equal(w.two.perform("vip1", "restore").status, 0)
        t.equal((w.one.state("vip1"), w.two.state("vip1"), w.at(w.two)), ("OSU", "ISP", True))
        w.two.dies()
        t.equal(w.one.perform("vip1", "restore").status, 0, "without a remove on the dead one")
        t.check(w.at(w.one))


def test_quick_check_raises_the_event(t):
    with lab.Sim(t) as sim:
        w = World(t, sim).extended()
        t.equal(w.one.check("vip1").status, 0)
        t.equal(w.one.calls("sendevent"), [], "all is well")
        with t.subtest("recovered here"):
            t.equal(w.two.run("restore", "vip1", env={"LKROOT": None}).status, 4, "the files alone do not say all")
            w.two.resource("other", scenario="route-table", address=VIP)
            t.equal(w.two.run("restore", "other").status, 0, "somebody takes the address")
            got = w.one.check("vip1")
            t.equal(got.status, 1)
            t.equal(w.one.calls("sendevent"), [["-C", "cloudvip", "-E", "cloudvip", "-m", "vip1", "-n", "vip1"]])
            t.has(got.err, "NOTIFY:cloudvip:quickCheck:vip1:720054:")
            t.equal((w.one.state("vip1"), w.at(w.one)), ("ISP", True), "local recovery took it back")
        with t.subtest("not recoverable here: the other server"):
            t.equal(w.two.run("restore", "other").status, 0)
            w.one.env["CLOUDVIP_RECOVER_TIMEOUT"] = "2"
            with w.one.server.db() as db:
                db["env"]["CLOUDVIP_RECOVER_TIMEOUT"] = "1"
            # Node 1 may look, and not change.
            eni = sim.eni(lab.NODE_1)
            sim.faults({"match": {"action": "ReplaceRoute", "params": {"NetworkInterfaceId": eni}}, "times": 0,
                        "do": {"type": "deny"}})
            t.equal(w.one.check("vip1").status, 1)
            t.equal((w.one.state("vip1"), w.two.state("vip1"), w.at(w.two)), ("OSU", "ISP", True))
            t.equal(w.one.server.read()["halted"], None)
        with t.subtest("out of service: no event"):
            sim.faults()
            before = len(w.one.calls("sendevent"))
            got = w.one.check("vip1")
            t.equal((got.status, len(w.one.calls("sendevent"))), (1, before))
            t.has(got.err, ":720056:")


def test_what_cannot_be_asked_raises_nothing(t):
    with lab.Sim(t) as sim:
        w = World(t, sim).extended()
        for fault in ("http_503", "deny", "throttle"):
            with t.subtest(fault):
                sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": fault}})
                t.equal(w.one.check("vip1", env={"CLOUDVIP_QUICKCHECK_TIMEOUT": "2"}).status, 0)
        sim.faults()
        w.one.file("resources.d/vip1.conf", "[vip1]\nnonsense = 1\n")
        t.equal(w.one.check("vip1").status, 0, "a broken file")
        t.equal(w.one.perform("vip1", "remove").status, 0, "remove never halts the server for it")
        t.equal(w.one.calls("sendevent"), [])


def test_an_event_that_cannot_be_raised_is_said(t):
    with lab.Sim(t) as sim:
        w = World(t, sim).extended()
        w.two.resource("other", scenario="route-table", address=VIP)
        t.equal(w.two.run("restore", "other").status, 0)
        with w.one.server.db() as db:
            db["broken"]["sendevent"] = 3
        got = w.one.check("vip1")
        t.equal(got.status, 1)
        t.has(got.err, "ERROR:cloudvip:quickCheck:vip1:720055:")
        os.unlink(os.path.join(w.one.lkroot, "bin/sendevent"))
        t.has(w.one.check("vip1").err, ":720055:")


def test_a_recovery_that_takes_its_time_is_not_waited_for(t):
    with lab.Sim(t) as sim:
        w = World(t, sim).extended()
        w.two.resource("other", scenario="route-table", address=VIP)
        t.equal(w.two.run("restore", "other").status, 0)
        path = os.path.join(w.one.lkroot, "bin/sendevent")
        os.unlink(path)
        began, over = t.path("began"), t.path("over")
        with open(path, "w") as f:
            f.write("#!/bin/sh\necho $$ > %s\nsleep 12\ntouch %s\n" % (began, over))
        os.chmod(path, 0o755)
        t.equal(w.one.check("vip1", env={"CLOUDVIP_QUICKCHECK_TIMEOUT": "3"}).status, 1)
        with open(began) as f:
            pid = int(f.read())
        t.check(not os.path.exists(over), "the check has ended before the recovery")
        os.kill(pid, signal.SIGKILL)  # no such process: it did not go on by itself


def test_generic_application(t):
    with lab.Sim(t) as sim:
        w = World(t, sim)
        for server in (w.one, w.two):
            server.generic("vip1", info=" ".join(WORDS))
            t.equal(server.call("ins_setstate", "-t", "vip1", "-S", "OSU").status, 0)
        t.equal(w.one.call("eqv_create", "-t", "vip1", "-p", "1", "-S", "node2", "-r", "10", "-o", "vip1", "-e", "SHARED").status, 0)
        t.equal(w.two.perform("vip1", "restore").status, 0)
        t.equal(w.one.perform("vip1", "restore").status, 0)
        t.equal(w.one.check("vip1").status, 0)
        w.two.resource("other", scenario="route-table", address=VIP)
        t.equal(w.two.run("restore", "other").status, 0)
        got = w.one.check("vip1")
        t.equal((got.status, w.one.calls("sendevent")), (1, []), "it only says so: the wrapper recovers")
        t.equal((w.one.state("vip1"), w.at(w.one)), ("ISP", True))
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "hang"}})
        got = w.one.check("vip1", env={"LKCHECKINTERVAL": "2"}, timeout_s=30)
        t.equal(got.status, 0, "it answers before the next one is due")


def test_registration(t):
    with lab.Sim(t) as sim:
        w = World(t, sim)
        t.check(["comm", "cloudvip"] in w.one.server.read()["types"])
        t.equal(w.one.lifekeeper_word("register").status, 0, "twice is the same as once")
        t.equal(w.one.create("vip1", *WORDS, "-o").status, 0)
        t.equal(w.one.state("vip1"), "ILLSTATE", "-o: not brought into service")
        got = w.one.lifekeeper_word("unregister")
        t.equal(got.status, 1, "resources of the type are there")
        with w.one.server.db() as db:
            db["broken"]["ins_list"] = 9
        got = w.one.lifekeeper_word("unregister")
        t.equal(got.status, 1, "it cannot be told whether there are")
        t.has(got.err, "ins_list ended with status 9")
        t.check(["comm", "cloudvip"] in w.one.server.read()["types"])
        with w.one.server.db() as db:
            db["broken"].clear()
        t.equal(w.one.delete("vip1").status, 0)
        t.equal(w.one.lifekeeper_word("unregister").status, 0)
        t.check(["comm", "cloudvip"] not in w.one.server.read()["types"])
        t.equal(w.one.lifekeeper_word("unregister").status, 0)
        t.equal(w.one.create("vip1", *WORDS).status, 1, "without the type there is no instance")
        for words in ([], ["nonsense"], ["create"], ["create", "-t"], ["extend", "node1"]):
            got = w.one.lifekeeper_word(*words)
            t.equal(got.status, 1, str(words))
            t.has(got.err, ":720013:")
        bare = lab.Running(w.one, [w.one.program, "lifekeeper", "register"],
                           lab.clean_env(**dict(w.one.env, LKROOT=t.path("nothing")))).wait()
        t.equal(bare.status, 0, "no LifeKeeper: nothing to do")


if __name__ == "__main__":
    tap.main()
