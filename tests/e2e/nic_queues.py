#!/usr/bin/env python3
"""`cloudvip nic queues`: the queues of a real interface, RPS, irqbalance; what the kernel has is read from /sys.

It runs in a network and a mount namespace of its own, where /sys shows its interfaces.
"""
import contextlib
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

NIC, QUEUES = "mq0", 4
CPUS = os.sysconf("SC_NPROCESSORS_ONLN")
ALL = "%x" % sum(1 << cpu for cpu in range(CPUS))


def own_sys():
    """That of this network namespace."""
    if not os.path.exists("/sys/class/net/" + NIC):
        subprocess.check_call(["mount", "-t", "sysfs", "sysfs", "/sys"])


class Scene:
    def __init__(self, t):
        netns.need(t)
        self.t = t
        netns.unwire(NIC)
        netns.ip("link", "add", NIC, "numrxqueues", str(QUEUES), "numtxqueues", str(QUEUES), "type", "veth",
                 "peer", "name", NIC + "p", "numrxqueues", str(QUEUES), "numtxqueues", str(QUEUES))
        netns.ip("link", "set", NIC, "up")
        netns.ip("link", "set", NIC + "p", "up")
        own_sys()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        netns.unwire(NIC)

    def run(self, *args, status=0, json=False, prefix=()):
        argv = list(prefix) + [lab.program("cloudvip")] + (["--json"] if json else []) + ["nic", "queues"] + list(args)
        done = subprocess.Popen(argv, env=lab.clean_env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)
        out, err = (text.decode() for text in done.communicate())
        self.t.log("%s: %d\n%s%s" % (" ".join(argv), done.returncode, out, err))
        lab.check_sanitizers("cloudvip", err)
        self.t.equal(done.returncode, status, "status")
        return lab.Result(argv, done.returncode, out, err, 0)

    def queues(self, kind="rx"):
        return sorted(name for name in os.listdir("/sys/class/net/%s/queues" % NIC) if name.startswith(kind))

    def masks(self):
        found = []
        for name in self.queues():
            with open("/sys/class/net/%s/queues/%s/rps_cpus" % (NIC, name)) as f:
                found.append(int(f.read().replace(",", ""), 16))
        return found


@contextlib.contextmanager
def irqbalance(t):
    """A process of that name."""
    path = t.path("irqbalance")
    shutil.copy(shutil.which("sleep"), path)
    process = subprocess.Popen([path, "1000"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def test_it_shows_them(t):
    with Scene(t) as s:
        before = (s.queues(), s.masks())
        out = s.run(NIC).out
        t.has(out, "%s  %d CPU" % (NIC, CPUS))
        row = [line.split() for line in out.splitlines() if line.split()[:1] == ["queues"]]
        t.equal(row, [["queues", str(len(before[0])), str(QUEUES)]])
        t.has(out, "RPS               off\n")
        t.has(out, "OK   rule 61: %d of %d queues used" % (QUEUES, QUEUES))
        t.equal((s.queues(), s.masks()), before, "and changes nothing")


def test_set_and_back(t):
    with Scene(t) as s:
        got = s.run(NIC, "--set", "1")
        t.equal((s.queues(), s.queues("tx")), (["rx-0"], ["tx-0"]))
        row = [line.split() for line in got.out.splitlines() if line.split()[:1] == ["queues"]]
        t.equal(row, [["queues", str(QUEUES), "1", str(QUEUES)]], "before, after, possible")
        if CPUS > 1:
            t.equal(s.masks(), [int(ALL, 16)], "fewer queues than CPUs: to all of them")
            t.has(got.out, "OK   rule 61: RPS is on")
            t.has(got.out, "WARN rule 61: 1 of %d queues used: cloudvip nic queues %s --set max" % (QUEUES, NIC))
        again = s.run(NIC, "--set", "1", json=True).json()
        t.equal(again["changed"], False, "twice is the same as once")
        got = s.run(NIC, "--set", "max", json=True).json()
        t.equal((got["changed"], got["before"]["queues"], got["after"]["queues"], got["max"]), (True, 1, QUEUES, QUEUES))
        t.equal(len(s.queues()), QUEUES)
        t.equal([len(got["before"]["rps"]), len(got["after"]["rps"])], [1, QUEUES])
        if QUEUES >= CPUS:
            t.equal(s.masks()[1:], [0] * (QUEUES - 1), "enough queues: nothing is steered")


def test_a_mask_of_somebody_elses_stays(t):
    if CPUS < 2:
        t.skip("needs two CPUs: with one nothing is steered")
    with Scene(t) as s:
        with open("/sys/class/net/%s/queues/rx-0/rps_cpus" % NIC, "w") as f:
            f.write("2")
        s.run(NIC, "--set", "1")
        t.equal(s.masks(), [2])


def test_a_dry_run(t):
    with Scene(t) as s:
        before = (s.queues(), s.masks())
        out = s.run(NIC, "--set", "1", "--dry-run").out
        t.has(out.splitlines(), "ethtool -L %s rx 1 tx 1" % NIC)
        if CPUS > 1:
            t.has(out.splitlines(), "echo %s > /sys/class/net/%s/queues/rx-0/rps_cpus" % (ALL, NIC))
        t.equal((s.queues(), s.masks()), before, "and changes nothing")
        got = s.run(NIC, "--set", "1", "--dry-run", json=True).json()
        t.equal((got["dry_run"], got["changed"], got["after"]["queues"]), (True, True, 1))
        t.equal((s.queues(), s.masks()), before)


def test_irqbalance(t):
    with Scene(t) as s:
        if CPUS < 2:
            t.skip("needs two CPUs: with one there is nothing to balance")
        t.has(s.run(NIC).out, "WARN rule 61: irqbalance does not run")
        with irqbalance(t):
            out = s.run(NIC).out
            t.has(out, "OK   rule 61: irqbalance runs")
            t.equal(s.run(NIC, json=True).json()["irqbalance"], True)
        rules = s.run(NIC, json=True).json()["rules"]
        t.equal({r["rule"] for r in rules}, {61})
        t.has([r["state"] for r in rules], "broken")


def test_refused(t):
    with Scene(t) as s:
        before = (s.queues(), s.masks())
        t.has(s.run(NIC, "--set", str(QUEUES + 1), status=1).err, "%s has no more than %d" % (NIC, QUEUES))
        for words in (["--set", "0"], ["--set", "-1"], ["--set", "many"], ["--set"], ["--st", "1"], ["--set=99999"]):
            t.check(s.run(NIC, *words, status=2).err, str(words))
        s.run(status=2)
        s.run("no/such", status=2)
        t.has(s.run("nosuch0", status=1).err, "there is no interface nosuch0")
        t.has(s.run("lo", "--set", "max", status=1).err, "tells nothing of its channels")
        t.has(s.run("lo").out, "not known")
        got = s.run(NIC, "--set", "1", status=5, json=True, prefix=["setpriv", "--bounding-set", "-net_admin"])
        t.has(got.json()["error"]["message"], "CAP_NET_ADMIN")
        t.equal((s.queues(), s.masks()), before, "and nothing was changed")


def test_the_sys_of_another_network(t):
    """An interface of the same name there is not ours to change."""
    if CPUS < 2:
        t.skip("needs two CPUs: with one nothing is steered")
    with Scene(t) as s:
        inside = ("ip link add %s numrxqueues 4 numtxqueues 4 type veth peer name %sp numrxqueues 4 numtxqueues 4 && "
                  "ip link set lo up && exec \"$@\"") % (NIC, NIC)
        got = s.run(NIC, "--set", "1", status=1, prefix=["unshare", "-n", "sh", "-c", inside, "sh"])
        t.has(got.err, "/sys does not show")
        t.equal(s.masks(), [0] * QUEUES)


if __name__ == "__main__":
    netns.enter(mounts=True)
    tap.main()
