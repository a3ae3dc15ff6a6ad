#!/usr/bin/env python3
# tests/run: variants=default
"""What `cloudvip nic setup` keeps over a reboot, given to the programs that manage the network: the
real systemd-networkd, NetworkManager and ifup make of it what setup had made.

It runs in a network and a mount namespace of its own.  packaging/bootstrap installs none of them:
on the machine of whoever develops this, each would begin to manage the network.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402
from nics import Scene, facts, dump, machine, put  # noqa: E402


def program(t, *paths):
    for path in paths:
        if os.access(path, os.X_OK):
            return path
    t.skip("needs %s" % os.path.basename(paths[0]))


class Manager:
    """Starts it; it is ended with the test."""

    def __init__(self, t):
        self.t = t
        self.running = []

    def start(self, name, *argv):
        log = self.t.path(name + ".log")
        with open(log, "wb") as out:
            process = subprocess.Popen(argv, env=lab.clean_env(), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.t.attach(log)
        self.running.append(process)
        self.t.cleanup(self.stop)
        return process

    def stop(self):
        for process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
                process.wait()
        self.running = []


class Networkd(Manager):
    name = "systemd-networkd"

    def prepare(self):
        self.path = program(self.t, "/lib/systemd/systemd-networkd", "/usr/lib/systemd/systemd-networkd")

    def boot(self):
        shutil.rmtree("/run/systemd/netif", ignore_errors=True)  # it makes its own, and gives up its rights first
        self.start("networkd", self.path)


class NetworkManager(Manager):
    name = "NetworkManager"

    def prepare(self):
        self.path = program(self.t, "/usr/sbin/NetworkManager")
        self.bus = program(self.t, "/usr/bin/dbus-daemon")

    def boot(self):
        shutil.rmtree("/run/NetworkManager", ignore_errors=True)
        put("/etc/NetworkManager/NetworkManager.conf",
            "[main]\nplugins=keyfile\n[logging]\nlevel=INFO\n[keyfile]\nunmanaged-devices=interface-name:eth0;interface-name:*p\n")
        os.makedirs("/run/dbus", exist_ok=True)
        if not os.path.ismount("/var/lib/NetworkManager"):
            subprocess.check_call(["mount", "-t", "tmpfs", "none", "/var/lib/NetworkManager"])
        self.start("dbus", self.bus, "--system", "--nofork", "--nopidfile")
        self.t.wait_until(lambda: os.path.exists("/run/dbus/system_bus_socket"), "the bus is there")
        self.start("NetworkManager", self.path, "--debug")


class Ifupdown(Manager):
    name = "ifupdown"

    def prepare(self):
        self.path = program(self.t, "/sbin/ifup", "/usr/sbin/ifup")

    def boot(self):
        shutil.rmtree("/run/network", ignore_errors=True)
        for path in ["/run/network"] + ["/etc/network/if-%s.d" % x for x in ("pre-up", "up", "down", "post-down")]:
            os.makedirs(path, exist_ok=True)
        done = self.start("ifup", self.path, "-a", "--no-loopback").wait()
        self.t.equal(done, 0, "ifup -a")


def plain(text):
    """Facts without what depends on who made it: the protocol, and a metric where there is nothing to
    choose from: in a table of its own, and of the interface's own address."""
    found = set()
    for line in facts(text):
        line = re.sub(r" proto (?:static|boot)\b", "", line)
        if re.search(r" table 10\d\b", line) or re.match(r"[0-9a-f:]+ dev \S+ proto kernel metric", line):
            line = re.sub(r" metric \d+", "", line)
        found.add(line)
    return found


@tap.cases((Networkd, NetworkManager, Ifupdown), lambda m: m.name)
def test_rebooted(t, kind):
    manager = kind(t)
    manager.prepare()
    with Scene(t, "aliyun", ipv6=True, manager=kind.name) as s:
        bare = plain(dump())
        got = s.nic("setup", "eth1")
        t.has(got.out, "kept over a reboot by " + kind.name)
        made = plain(dump())
        t.check(made > bare, "something was made")
        for n in range(3):
            netns.unwire("eth%d" % n)
        for family in ("-4", "-6"):
            netns.ip(family, "rule", "flush")
            for priority, table in (("32766", "main"),) + ((("32767", "default"),) if family == "-4" else ()):
                netns.ip(family, "rule", "add", "from", "all", "lookup", table, "priority", priority)
        s.wire(False, 100)
        t.equal(plain(dump()), bare)
        manager.boot()
        try:
            t.wait_until(lambda: plain(dump()) >= made, "%s made it again" % kind.name, 30)
        finally:
            t.log("missing: %s\nmore: %s" % (made - plain(dump()), plain(dump()) - made))
        t.equal(plain(dump()), made)
        t.check(netns.is_up("eth1", "10.0.1.60") and netns.is_up("eth1", "2001:db8:0:1::60"), "every address")
        t.has(s.nic("setup", "eth1").out, "nothing to change")
        s.nic("check", "eth1")
        s.nic("unset", "eth1")
        t.equal(plain(dump()) & (made - bare), set(), "nothing of it is left")
        manager.stop()
        machine()
        t.equal(s.state(), [])


@tap.cases((Networkd, NetworkManager), lambda m: m.name)
def test_found_by_what_runs(t, kind):
    """Signs of all of them lie about; the one that has the interface in hand is asked."""
    manager = kind(t)
    manager.prepare()
    with Scene(t, manager=kind.name) as s:
        s.nic("setup", "eth1")
        manager.boot()
        ran = {"systemd-networkd": "/run/systemd/netif/links", "NetworkManager": "/run/NetworkManager/devices"}[kind.name]
        t.wait_until(lambda: os.path.isdir(ran) and os.listdir(ran), "it runs", 30)
        for other in ("/run/systemd/netif/state", "/run/NetworkManager/x", "/run/wicked/x", "/run/network/ifstate"):
            if not os.path.exists(os.path.dirname(other)):
                put(other)
        t.wait_until(lambda: s.node.cloudvip("nic", "setup", "eth1", "--dry-run", "--json").json()["kept_by"] == kind.name,
                     "%s is asked" % kind.name, 30)
        manager.stop()


if __name__ == "__main__":
    netns.enter(mounts=True)
    tap.main()
