#!/usr/bin/env python3
"""What every mover of every cloud must do, from one table: a new mover is a new row.

The suite: free, mine, another's, gone, throttled, lost answer, stale read, denied, conflict, and killed at
the n-th call for every n.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402


class RouteTable:
    """aws route-table: the route of the address in three tables."""

    name = "aws route-table"
    tag = "vip1"
    change = "ReplaceRoute"
    changes = 3
    claim_permission = "ReplaceRoute"
    read = "DescribeRouteTables"
    takeover_calls = 3 + 3  # tables and interface, three changes, tables again
    released_by_remove = False
    destination = "10.1.0.10/32"

    def world(self):
        return lab.world("two-nodes")

    def configure(self, node, **more):
        node.resource(self.tag, scenario="route-table", address="10.1.0.10", **more)

    def holders(self, sim):
        """{binding: the interface that has it and works}"""
        return {table: target if state == "active" else None
                for table, (target, state) in sim.routes(self.destination).items()}

    def give(self, sim, eni):
        for table in sim.routes(self.destination):
            sim.do("set_route", table=table, destination=self.destination, eni=eni)

    def free(self, sim, old_node):
        sim.do("stop_instance", id=old_node)  # its routes are blackholes now

    def gone(self, sim):
        for table in sim.routes(self.destination):
            sim.do("delete_route", table=table, destination=self.destination)


class ElasticIp:
    """aws elastic-ip: the association of one address."""

    name = "aws elastic-ip"
    tag = "eip1"
    change = "AssociateAddress"
    changes = 1
    claim_permission = "AssociateAddress"
    read = "DescribeAddresses"
    takeover_calls = 3
    released_by_remove = True

    def world(self):
        return lab.world("two-nodes")

    def _address(self, sim):
        return sim.aws()["addresses"][0]

    def configure(self, node, **more):
        address = self._address(node.sim)["public_ip"]
        node.resource(self.tag, scenario="elastic-ip", address=address, **more)

    def holders(self, sim):
        address = self._address(sim)
        return {address["allocation_id"]: address.get("network_interface_id")}

    def give(self, sim, eni):
        sim.do("associate", allocation_id=self._address(sim)["allocation_id"], eni=eni)

    def free(self, sim, old_node):
        sim.do("disassociate", allocation_id=self._address(sim)["allocation_id"])

    def gone(self, sim):
        world = sim.state()
        world["aws"]["addresses"] = []
        sim.put_world(world)


MOVERS = (RouteTable(), ElasticIp())


class Scene:
    """A simulated cloud where node 1 has the address, and both nodes configured."""

    def __init__(self, t, mover, **settings):
        self.t, self.mover = t, mover
        self.sim = lab.Sim(t, mover.world())
        self.one = lab.Node(t, self.sim, lab.NODE_1)
        self.two = lab.Node(t, self.sim, lab.NODE_2)
        self.eni1, self.eni2 = self.sim.eni(lab.NODE_1), self.sim.eni(lab.NODE_2)
        mover.give(self.sim, self.eni1)
        for node in (self.one, self.two):
            mover.configure(node, **settings)
        self.sim.clear_log()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def holders(self):
        return set(self.mover.holders(self.sim).values())

    def expect_on(self, eni):
        self.t.equal(self.holders(), {eni}, "who has the address")

    def calls(self, action):
        return self.sim.api_actions().count(action)


def each(t, **settings):
    for mover in MOVERS:
        with t.subtest(mover.name):
            with Scene(t, mover, **settings) as scene:
                yield scene


def test_takes_over_from_another_node(t):
    for s in each(t):
        got = s.two.run("restore", s.mover.tag)
        t.equal(got.status, 0)
        s.expect_on(s.eni2)
        t.equal(len(s.sim.api_actions()), s.mover.takeover_calls, "API calls: %s" % s.sim.api_actions())
        t.equal(s.two.run("quickCheck", s.mover.tag).status, 0)
        t.equal(s.one.run("quickCheck", s.mover.tag).status, 1)


def test_mine_already_changes_nothing(t):
    for s in each(t):
        for action in ("restore", "recover", "quickCheck"):
            t.equal(s.one.run(action, s.mover.tag).status, 0, action)
        t.equal(s.calls(s.mover.change), 0, "changes")
        s.expect_on(s.eni1)


def test_quick_check_is_one_call(t):
    for s in each(t):
        t.equal(s.one.run("quickCheck", s.mover.tag).status, 0)
        t.equal(s.sim.api_actions(), [s.mover.read])


def test_free_or_dead_is_taken(t):
    for s in each(t):
        s.mover.free(s.sim, lab.NODE_1)
        t.equal(s.two.run("quickCheck", s.mover.tag).status, 1)
        t.equal(s.two.run("restore", s.mover.tag).status, 0)
        s.expect_on(s.eni2)


def test_gone_is_a_clear_error(t):
    for s in each(t):
        s.mover.gone(s.sim)
        s.sim.clear_log()
        got = s.two.run("restore", s.mover.tag)
        t.equal(got.status, 4)
        t.check("10.1.0.10/32" in got.err or "203.0.113.10" in got.err, "the error names the address")
        t.equal(s.calls(s.mover.change), 0, "changes")
        t.equal(s.two.run("quickCheck", s.mover.tag).status, 1)


def test_remove_leaves_other_nodes_alone(t):
    for s in each(t):
        t.equal(s.two.run("remove", s.mover.tag).status, 0)
        s.expect_on(s.eni1)


def test_remove_releases_what_is_ours(t):
    for s in each(t):
        t.equal(s.one.run("remove", s.mover.tag).status, 0)
        s.expect_on(None if s.mover.released_by_remove else s.eni1)
        t.equal(s.one.run("remove", s.mover.tag).status, 0, "twice is the same as once")
        if not s.mover.released_by_remove:
            t.equal(s.sim.api_actions(), [], "nothing to release needs no API")


def test_recover_moves_it_back(t):
    for s in each(t):
        t.equal(s.one.run("restore", s.mover.tag).status, 0)
        s.mover.give(s.sim, s.eni2)
        t.equal(s.one.run("quickCheck", s.mover.tag).status, 1)
        t.equal(s.one.run("recover", s.mover.tag).status, 0)
        s.expect_on(s.eni1)


def test_throttled_check_is_unknown_and_restore_waits(t):
    for s in each(t):
        s.sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "throttle"}})
        t.equal(s.one.run("quickCheck", s.mover.tag).status, 3, "a person hears that it is not known")
        got = s.one.run("quickCheck", s.mover.tag, as_lifekeeper=True)
        t.equal(got.status, 0, "LifeKeeper hears of no failure")
        t.check("WARN:cloudvip:quickCheck:%s:720009:" % s.mover.tag in got.err, "and the log says why")
        t.check("RequestLimitExceeded" in got.err, "with the cloud's word")
        s.sim.faults({"match": {"kind": "ec2"}, "times": 4, "do": {"type": "throttle"}})
        t.equal(s.two.run("restore", s.mover.tag).status, 0)
        s.expect_on(s.eni2)


def test_api_away_is_never_a_lost_address(t):
    for s in each(t, api_timeout=1, connect_timeout=1):
        for fault in ({"type": "http_503", "body": "html"}, {"type": "http_500"}, {"type": "reset"}, {"type": "hang"}):
            with t.subtest(str(fault)):
                s.sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": fault})
                t.equal(s.one.run("quickCheck", s.mover.tag, as_lifekeeper=True).status, 0)
                t.equal(s.one.run("quickCheck", s.mover.tag).status, 3)
        s.sim.faults()
        s.sim.do("set_imds", id=lab.NODE_1, mode="off")
        got = s.one.run("quickCheck", s.mover.tag, as_lifekeeper=True)
        t.equal(got.status, 0, "the metadata service is away")


def test_api_away_ends_restore_at_its_deadline(t):
    for s in each(t, restore_timeout=2, api_timeout=1):
        s.sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "http_503"}})
        got = s.two.run("restore", s.mover.tag, as_lifekeeper=True)
        t.equal(got.status, 1)
        s.expect_on(s.eni1)
        got = s.two.run("remove", s.mover.tag, as_lifekeeper=True, env={"CLOUDVIP_REMOVE_TIMEOUT": "2"})
        t.equal(got.status, 0, "a failing remove would halt the node")


def test_lost_answer_ends_in_success(t):
    for s in each(t):
        for kind in ("lost_answer", "reset"):
            with t.subtest(kind):
                s.mover.give(s.sim, s.eni1)
                s.sim.faults({"match": {"action": s.mover.change}, "do": {"type": kind}})
                got = s.two.run("restore", s.mover.tag)
                t.equal(got.status, 0)
                s.expect_on(s.eni2)
                t.check("720018" in got.err, "the log says that an answer was lost")


def test_lost_answer_that_was_applied_is_not_repeated(t):
    for s in each(t):
        s.sim.faults({"match": {"action": s.mover.change}, "do": {"type": "lost_answer"}})
        t.equal(s.two.run("restore", s.mover.tag).status, 0)
        t.equal(s.calls(s.mover.change), s.mover.changes, "changes sent")


def test_unreadable_answer_to_a_change_ends_in_success(t):
    for s in each(t):
        for kind in ("malformed", "truncate", "dtd", "big_body"):
            with t.subtest(kind):
                s.mover.give(s.sim, s.eni1)
                s.sim.faults({"match": {"action": s.mover.change}, "do": {"type": kind}})
                t.equal(s.two.run("restore", s.mover.tag).status, 0)
                s.expect_on(s.eni2)


def test_stale_reads_are_waited_out(t):
    for s in each(t):
        s.sim.faults({"match": {"action": s.mover.read}, "skip": 1, "times": 3, "do": {"type": "stale"}})
        got = s.two.run("restore", s.mover.tag)
        t.equal(got.status, 0)
        s.expect_on(s.eni2)
        t.equal(s.calls(s.mover.change), s.mover.changes, "changes sent: stale reads are no reason to repeat one")


def test_denied_names_the_action_and_changes_nothing(t):
    for s in each(t):
        s.sim.faults({"match": {"action": s.mover.read}, "times": 0, "do": {"type": "deny"}})
        got = s.two.run("restore", s.mover.tag)
        t.equal(got.status, 5)
        t.check(s.mover.read in got.err and "UnauthorizedOperation" in got.err, "what was denied")
        s.expect_on(s.eni1)
        got = s.one.run("quickCheck", s.mover.tag, as_lifekeeper=True)
        t.equal(got.status, 0)
        t.check("ERROR:cloudvip:quickCheck:%s:720010:" % s.mover.tag in got.err, "a person is called")


def test_denied_change_is_reported_binding_by_binding(t):
    for s in each(t):
        s.sim.faults({"match": {"action": s.mover.change}, "do": {"type": "deny"}})
        got = s.two.run("restore", s.mover.tag)
        t.equal(got.status, 5)
        t.equal(got.err.count(":720017:"), 1, "bindings that failed")
        t.equal(got.err.count(":720016:"), s.mover.changes - 1, "bindings that were moved")
        t.equal(s.two.run("restore", s.mover.tag).status, 0, "the next restore does the rest")
        s.expect_on(s.eni2)


def test_taken_back_by_a_third_node_is_a_conflict(t):
    for s in each(t):
        third = s.sim.eni(lab.NODE_1, 0)
        s.sim.faults({"match": {"action": s.mover.change}, "times": 0, "do": {"type": "steal", "eni": third}})
        got = s.two.run("restore", s.mover.tag)
        t.equal(got.status, 1)
        t.check(third in got.err and ":720015:" in got.err, "the conflict names who has it")
        t.equal(s.calls(s.mover.change), s.mover.changes, "changes sent: it does not fight")


def test_taken_back_by_the_old_node_is_a_conflict(t):
    for s in each(t, restore_timeout=3):
        s.sim.faults({"match": {"action": s.mover.change}, "times": 0, "do": {"type": "steal", "eni": s.eni1}})
        got = s.two.run("restore", s.mover.tag)
        t.equal(got.status, 1)
        t.check(s.eni1 in got.err, "the conflict names who has it")
        t.equal(s.calls(s.mover.change), s.mover.changes, "changes sent: it does not fight")


def test_killed_after_any_request_and_run_again(t):
    for s in each(t):
        for kind in ("hang", "lost_timeout"):
            for n in range(1, s.mover.takeover_calls + 1):
                with t.subtest("%s at request %d" % (kind, n)):
                    s.mover.give(s.sim, s.eni1)
                    s.sim.clear_log()
                    s.sim.faults({"match": {"kind": "ec2"}, "skip": n - 1, "times": 0, "do": {"type": kind}})
                    running = s.two.start("restore", s.mover.tag)
                    s.sim.wait(n)
                    t.check(running.process.poll() is None, "it waits for the answer")
                    running.kill()
                    s.sim.faults()
                    t.check(s.holders() <= {s.eni1, s.eni2}, "between the two, nobody else has it")
                    t.equal(s.two.run("restore", s.mover.tag).status, 0)
                    s.expect_on(s.eni2)


def test_killed_remove_and_run_again(t):
    for s in each(t):
        if not s.mover.released_by_remove:
            continue
        for kind in ("hang", "lost_timeout"):
            for n in (1, 2, 3):
                with t.subtest("%s at request %d" % (kind, n)):
                    s.mover.give(s.sim, s.eni1)
                    s.sim.clear_log()
                    s.sim.faults({"match": {"kind": "ec2"}, "skip": n - 1, "times": 0, "do": {"type": kind}})
                    running = s.one.start("remove", s.mover.tag)
                    s.sim.wait(n)
                    running.kill()
                    s.sim.faults()
                    t.equal(s.one.run("remove", s.mover.tag).status, 0)
                    s.expect_on(None)


def test_two_nodes_at_once_end_with_one_of_them(t):
    for s in each(t):
        s.mover.free(s.sim, lab.NODE_1)
        s.sim.do("start_instance", id=lab.NODE_1)
        runs = [s.one.start("restore", s.mover.tag), s.two.start("restore", s.mover.tag)]
        statuses = [run.wait().status for run in runs]
        t.check(0 in statuses, "one of them has it: %s" % statuses)
        # However the race went, one more restore settles it.
        t.equal(s.two.run("restore", s.mover.tag).status, 0)
        s.expect_on(s.eni2)


if __name__ == "__main__":
    tap.main()
