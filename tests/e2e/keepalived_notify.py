#!/usr/bin/env python3
"""keepalived's notify script: every state, changes that overlap, and a real keepalived that starts it."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

VIP, CIDR = "10.1.0.10", "10.1.0.10/32"
EXAMPLES = os.path.join(lab.ROOT, "packaging/keepalived")
HANG = {"match": {"action": "ReplaceRoute"}, "times": 0, "do": {"type": "hang"}}


def install(t):
    """The script as `make install-keepalived` puts it, with the programs under test; its path."""
    root = t.path("root")
    sbin = os.path.join(root, "sbin")
    os.makedirs(sbin)
    shutil.copy(lab.program("cloudvip"), sbin)
    subprocess.check_call(["make", "-s", "-C", lab.ROOT, "install-keepalived", "SBINDIR=" + sbin,
                           "LIBEXECDIR=" + os.path.join(root, "libexec"), "DOCDIR=" + os.path.join(root, "doc")],
                          stdout=subprocess.DEVNULL, env=lab.clean_env())
    for path, _, _ in os.walk(root):
        os.chmod(path, 0o755)
    return os.path.join(root, "libexec/cloudvip/cloudvip-notify")


class Notified(lab.Node):
    """A node whose keepalived tells of transitions."""

    def __init__(self, t, sim, script, instance=lab.NODE_2):
        super().__init__(t, sim, instance)
        self.script = script
        self.resource("VI_1", scenario="route-table", address=VIP)

    def tell(self, state, *options, name="VI_1", kind="INSTANCE", after=None):
        """Starts it; `after`: it was started now, and gets to run only when this file is there."""
        argv = [self.script] + list(options) + [kind, name, state, "100"]
        if after:
            argv = ["sh", "-c", "until [ -e \"$0\" ]; do sleep 0.05; done; exec \"$@\"", after] + argv
        return lab.Running(self, argv, lab.clean_env(**self.env))

    def told(self, state, *options, **how):
        return self.tell(state, *options, **how).wait()

    def in_service(self, tag="VI_1"):
        return '"in_service": true' in self.record(tag)[tag + ".json"]


def test_states(t):
    with lab.Sim(t) as sim:
        two = Notified(t, sim, install(t))
        eni1, eni2 = sim.eni(lab.NODE_1), sim.eni(lab.NODE_2)
        t.equal(two.told("BACKUP").status, 0, "as keepalived begins")
        t.equal(sim.targets(CIDR), {(eni1, "active")})
        for state, serves in (("MASTER", True), ("BACKUP", False), ("MASTER", True), ("FAULT", False),
                              ("MASTER_RX_LOWER_PRI", True), ("STOP", False), ("MASTER", True), ("DELETED", False)):
            t.equal(two.told(state).status, 0, state)
            t.equal(two.in_service(), serves, state)
        t.equal(sim.targets(CIDR), {(eni2, "active")})
        sim.clear_log()
        for state in ("MASTER_PRIORITY", "BACKUP_PRIORITY"):
            t.equal(two.told(state).status, 0, state)
        t.equal(sim.log(), [], "of no interest")


def test_statuses(t):
    with lab.Sim(t) as sim:
        two = Notified(t, sim, install(t))
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "deny"}})
        t.equal(two.told("MASTER").status, 1)
        t.equal(two.told("BACKUP").status, 0)
        got = two.told("MASTER", name="nosuch")
        t.equal(got.status, 1)
        t.has(got.err, "nosuch")
        t.equal(two.told("BACKUP", name="nosuch").status, 0, "nothing to let go of")
        for words in (["INSTANCE", "VI_1"], ["INSTANCE", "VI_1", "NONSENSE", "1"], ["HOST", "VI_1", "MASTER", "1"], ["-t"], []):
            got = lab.Running(two, [two.script] + words, lab.clean_env(**two.env)).wait()
            t.equal(got.status, 1, str(words))
            t.has(got.err, "usage")


def test_several_resources(t):
    with lab.Sim(t) as sim:
        two = Notified(t, sim, install(t))
        allocation = sim.aws()["addresses"][0]
        two.resource("vip1", scenario="route-table", address=VIP)
        two.resource("eip1", scenario="elastic-ip", address=allocation["public_ip"])
        got = two.told("MASTER", "-t", "vip1", "-t", "eip1", kind="GROUP", name="VG_1")
        t.equal(got.status, 0)
        t.check(two.in_service("vip1") and two.in_service("eip1"), "both")
        t.equal(two.told("MASTER", "-t", "vip1", "-t", "nosuch", kind="GROUP", name="VG_1").status, 1, "one of them failed")
        t.equal(two.told("BACKUP", "-t", "vip1", "-t", "eip1", kind="GROUP", name="VG_1").status, 0)
        t.check(not two.in_service("vip1") and not two.in_service("eip1"), "both")


def test_a_newer_state_ends_an_older_one(t):
    with lab.Sim(t) as sim:
        two = Notified(t, sim, install(t))
        sim.faults(HANG)
        master = two.tell("MASTER")
        sim.wait(3)
        t.equal(two.told("BACKUP").status, 0, "it does not wait for the older one's deadline")
        t.equal(master.wait().status, -signal.SIGTERM)
        t.equal(two.in_service(), False)
        sim.clear_log()
        first = two.tell("MASTER")
        sim.wait(3)
        second = two.tell("MASTER")
        t.wait_until(lambda: "720051" in open(second._err).read(), "the second one is there")
        t.equal(two.told("BACKUP").status, 0)
        t.equal(first.wait().status, -signal.SIGTERM)
        t.check(second.wait().status in (0, -signal.SIGTERM), "superseded")
        t.equal(two.in_service(), False, "it ends in the newest state")


def test_a_release_that_was_sent_is_seen_to_its_end(t):
    with lab.Sim(t) as sim:
        two = Notified(t, sim, install(t))
        two.resource("VI_1", scenario="elastic-ip", address=sim.aws()["addresses"][0]["public_ip"])
        for fault, ended in (({"type": "latency", "ms": 200}, 0), ({"type": "hang"}, -signal.SIGTERM)):
            with t.subtest(fault["type"]):
                t.equal(two.told("MASTER").status, 0)
                sim.faults({"match": {"action": "DisassociateAddress"}, "times": 0, "do": fault})
                sim.clear_log()
                backup = two.tell("BACKUP")
                sim.wait(2)
                t.equal(two.told("MASTER").status, 0)
                t.equal(backup.wait().status, ended)
                t.equal(sim.aws()["addresses"][0].get("network_interface_id"), sim.eni(lab.NODE_2), "it is here")
                sim.faults()


def test_when_they_were_started_decides(t):
    with lab.Sim(t) as sim:
        two = Notified(t, sim, install(t))
        late = two.tell("MASTER", after=t.path("first"))
        t.equal(two.told("BACKUP").status, 0)
        t.write("first", "")
        got = late.wait()
        t.equal(got.status, 0)
        t.has(got.err, ":720052:", "an older one that gets to run later does nothing")
        t.equal(sim.targets(CIDR), {(sim.eni(lab.NODE_1), "active")})
        late = two.tell("BACKUP", after=t.path("second"))
        t.equal(two.told("MASTER").status, 0)
        t.write("second", "")
        t.has(late.wait().err, ":720052:")
        t.equal(two.in_service(), True)
        for _ in range(3):
            racing = [two.tell(state) for state in ("MASTER", "BACKUP", "MASTER", "BACKUP", "MASTER")]
            for one in racing:
                one.wait()
            t.equal(two.in_service(), True, "five at once: the last one counts")


def test_the_same_state_again_waits(t):
    with lab.Sim(t) as sim:
        two = Notified(t, sim, install(t))
        sim.faults({"match": {"action": "ReplaceRoute"}, "times": 0, "do": {"type": "latency", "ms": 500}})
        first = two.tell("MASTER")
        sim.wait(3)
        again = two.tell("MASTER_RX_LOWER_PRI")
        t.equal((first.wait().status, again.wait().status), (0, 0))
        t.equal(two.in_service(), True)


def test_without_a_run_directory_it_still_moves(t):
    with lab.Sim(t) as sim:
        two = Notified(t, sim, install(t))
        os.rmdir(two.rundir)
        t.write("in-the-way", "")
        two.env["CLOUDVIP_RUNDIR"] = t.path("in-the-way")
        got = two.told("MASTER")
        t.has(got.err, ":720053:", "it says what it cannot know")
        two.env["CLOUDVIP_RUNDIR"] = two.rundir
        os.makedirs(two.rundir)
        with open(os.path.join(two.rundir, "VI_1.state"), "w") as f:
            f.write("{\"newest\": {\"pid\": 12, \"state")
        t.equal(two.told("MASTER").status, 0, "garbage is as good as nothing")
        path = os.path.join(two.rundir, "VI_1.state")
        with open(path) as f:
            state = json.load(f)
        state["newest"].update(state="restore", ticks=2**60)
        for boot, serves in ((state["boot"], True), ("of another life", False)):
            with open(path, "w") as f:
                json.dump(dict(state, boot=boot), f)
            t.equal(two.told("BACKUP").status, 0)
            t.equal(two.in_service(), serves, "a newer one of this boot counts, one of another does not")


# ---- keepalived itself -----------------------------------------------------------------------------

def need_keepalived(t):
    netns.need(t)
    if os.geteuid() or not shutil.which("keepalived"):
        t.skip("no keepalived, or not root")


def example(t, name, script, **changes):
    """A copy of the example for this host: the staged script, interfaces that there are."""
    with open(os.path.join(EXAMPLES, name)) as f:
        text = f.read().replace("/usr/libexec/cloudvip/cloudvip-notify", script)
    for old, new in changes.items():
        text = text.replace(old.replace("_", " "), new)
    return t.write(name, text, 0o644)


@tap.cases(sorted(name for name in os.listdir(EXAMPLES) if name.endswith(".conf")))
def test_example(t, name):
    need_keepalived(t)
    script = install(t)
    for nic in ("eth0", "eth1"):
        netns.wire(nic, "02:00:5e:00:53:0" + nic[-1])
    done = subprocess.run(["keepalived", "-t", "-f", example(t, name, script)], env=lab.clean_env(),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    t.log(done.stdout.decode())
    t.equal(done.returncode, 0, "keepalived --config-test")
    t.equal(done.stdout.decode().strip(), "", "nothing to remark")


def test_keepalived_starts_it(t):
    need_keepalived(t)
    script = install(t)
    netns.wire("eth0", "02:00:5e:00:53:00")
    netns.ip("addr", "replace", "10.0.1.11/24", "dev", "eth0")
    with lab.Sim(t) as sim:
        two = Notified(t, sim, script)
        conf = example(t, "keepalived.conf", script, advert_int_1="advert_int 0.1")
        argv = ["keepalived", "-n", "-l", "-P", "-D", "-f", conf, "-p", t.path("ka.pid"), "-r", t.path("vrrp.pid")]
        running = lab.Running(two, argv, lab.clean_env(**two.env))
        t.attach(running._err)
        eni2 = sim.eni(lab.NODE_2)
        t.wait_until(lambda: sim.targets(CIDR) == {(eni2, "active")}, "the master has the address", 30)
        t.wait_until(lambda: "VI_1.json" in two.record("VI_1") and two.in_service(), "it is in service", 30)
        t.check(netns.is_up("lo", VIP), "keepalived has it on lo")
        running.process.send_signal(signal.SIGTERM)
        got = running.wait()
        t.equal(got.status, 0)
        t.wait_until(lambda: not two.in_service(), "STOP removes")
        t.check(not re.search(r"Unsafe permissions|SECURITY VIOLATION|disabl", got.err + got.out), "script security is content")


if __name__ == "__main__":
    netns.enter()
    tap.main()
