#!/usr/bin/env python3
"""The lab of the end-to-end tests: a world that answers, and programs that cannot leak or linger."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import lab
import tap


def test_a_world_that_answers(t):
    sim = lab.Sim(t, tls=True)
    t.equal({target for target, _ in sim.targets("10.1.0.10/32")} & {sim.eni(lab.NODE_1), sim.eni(lab.NODE_2)},
            {sim.eni(lab.NODE_1)})
    t.equal(len(sim.routes("10.1.0.10/32")), 3)
    t.check(sim.tls_url.startswith("https://"), sim.tls_url)
    t.equal(sim.log(), [])
    t.equal(sim.summary()["api_requests"], 0)
    table = sorted(sim.routes("10.1.0.10/32"))[0]
    sim.do("set_route", table=table, destination="10.1.0.10/32", eni=sim.eni(lab.NODE_2))
    t.equal(sim.routes("10.1.0.10/32")[table][0], sim.eni(lab.NODE_2))
    sim.do("stop_instance", id=lab.NODE_2)
    t.equal(sim.routes("10.1.0.10/32")[table][1], "blackhole")
    status, _ = sim.control("POST", "do", {"op": "nonsense"})
    t.equal(status // 100, 4)


def test_a_changed_world(t):
    world = lab.world()
    world["aws"]["region"] = "eu-central-1"
    for subnet in world["aws"]["subnets"]:
        subnet["availability_zone"] = "eu-central-1" + subnet["availability_zone"][-1]
    world["aws"].pop("availability_zones", None)
    with lab.Sim(t, world) as sim:
        t.equal(sim.aws()["region"], "eu-central-1")


def test_faults_and_wait(t):
    sim = lab.Sim(t)
    sim.faults({"match": {"kind": "ec2"}, "do": "throttle"})
    sim.add_fault({"match": {"kind": "sts"}, "do": {"type": "reset"}})
    t.equal(len(sim.control("GET", "faults")[1]), 2)
    sim.faults()
    t.equal(sim.control("GET", "faults")[1], [])
    t.raises(tap.Failed, sim.wait, 1, timeout_ms=50)


def test_a_world_that_does_not_hold_together(t):
    error = t.raises(tap.Failed, lab.Sim, t, {"nonsense": {}})
    t.has(str(error), "cloudsim ended with 1")


def test_a_node_sees_nothing_of_ours(t):
    sim = lab.Sim(t)
    os.environ["AWS_PROFILE"] = "ours"
    t.cleanup(os.environ.pop, "AWS_PROFILE")
    node = lab.Node(t, sim)
    got = lab.Running(node, ["/usr/bin/env"], lab.clean_env(**node.env)).wait()
    t.lacks(got.out, "AWS_")
    t.has(got.out, "CLOUDVIP_RUNDIR=" + node.rundir)
    keys = lab.Node(t, sim, credentials="keys")
    t.check("AWS_SECRET_ACCESS_KEY" in keys.env, "no key")


def test_a_program_that_does_not_end(t):
    node = lab.Node(t, lab.Sim(t))
    running = lab.Running(node, ["/bin/sleep", "600"], lab.clean_env())
    t.raises(tap.Failed, running.wait, 0.2)
    t.check(running.process.poll() is not None, "it still runs")
    t.equal(lab.Running(node, ["/bin/sleep", "600"], lab.clean_env()).kill().status, -9)


def test_a_cloud_that_dies_ends_the_wait(t):
    sim = lab.Sim(t)
    node = lab.Node(t, sim)
    running = lab.Running(node, ["/bin/sleep", "600"], lab.clean_env())
    sim.process.kill()
    t.has(str(t.raises(tap.Failed, running.wait, 300)), "cloudsim died")
    t.raises(tap.Failed, sim.stop)


def test_a_word_of_a_sanitizer_fails(t):
    node = lab.Node(t, lab.Sim(t))
    said = lab.Running(node, ["/bin/sh", "-c", "echo 'x.c:1: runtime error: shift' >&2"], lab.clean_env())
    t.raises(tap.Failed, said.wait)


def test_stand_in_of_lifekeeper(t):
    node = lab.Node(t, lab.Sim(t))
    node.lifekeeper(vip1="scenario=route-table address=10.1.0.10")
    got = lab.Running(node, [os.path.join(node.lkroot, "bin/ins_list"), "-t", "vip1"], lab.clean_env()).wait()
    fields = got.out.split("\x01")
    t.equal((fields[3], fields[5], fields[6]), ("vip1", "scenario=route-table address=10.1.0.10", "ISP"))
    t.equal(lab.Running(node, [os.path.join(node.lkroot, "bin/ins_list"), "-t", "x"], lab.clean_env()).wait().status, 1)


if __name__ == "__main__":
    tap.main()
