"""A node of the lab: a machine of its own made of namespaces, that can be killed, frozen and cut off."""
import os
import re
import signal
import subprocess
import time

import stage
import tap

HERE = os.path.dirname(os.path.abspath(__file__))


class Node:
    """Not booted yet.  `engine`: a cluster manager's part of it: files(node), {path: text} that are on
    its disk, and start(node), the shell commands that start it."""

    def __init__(self, ground, host, engine, everywhere=()):
        self.stage, self.host, self.engine = ground, host, engine
        self.t, self.name, self.number = ground.t, host.name, host.number
        self.everywhere = everywhere  # addresses that every node has, held or not
        self.dir = os.path.join(ground.dir, self.name)
        self.pid = None
        self._outer = None
        for part in ("upper", "work", "root"):
            os.makedirs(os.path.join(self.dir, part), 0o755)
        self._disk()
        self.t.cleanup(self.kill)

    # -- its disk -------------------------------------------------------------------------------
    def path(self, inside):
        """Where a file of its disk is for us."""
        return os.path.join(self.dir, "upper", inside.lstrip("/"))

    def _disk(self):
        endpoint = "https://" + stage.API
        defaults = {"endpoint": endpoint, "sts_endpoint": endpoint, "ca_file": "/etc/lab/ca.pem",
                    "metadata_endpoint": "http://%s:%d/" % (stage.METADATA, stage.METADATA_PORT + self.number)}
        self.write("/etc/cloudvip/cloudvip.conf", ini("defaults", defaults))
        self.write("/etc/cloudvip/resources.d/vip1.conf", ini("vip1", self.stage.settings))
        self.write("/etc/lab/start", self._start(self.stage.kind))
        for path, text in self.engine.files(self).items():
            self.write(path, text)

    def write(self, inside, text, mode=0o644):
        return stage.write(self.path(inside), text, mode)

    def _start(self, kind):
        """What it does at boot, after its wires are there."""
        host = self.host
        lines = ["sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 "
                 "net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2"]
        for nic, address in enumerate(host.addresses):
            lines += ["ip addr add %s/24 dev eth%d" % (address, nic), "ip link set eth%d up" % nic]
        # Two interfaces in one subnet: what has an address of the second leaves by the second.
        lines += ["ip route add default via %s dev eth0" % host.gateway,
                  "ip route add default via %s dev eth1 table 101" % host.gateway]
        lines += ["ip rule add from %s lookup 101" % a for a in (host.addresses[1], kind.address)]
        lines += ["ip addr add %s/32 dev lo" % a for a in self.everywhere]
        lines.append("/usr/libexec/lab/packets serve %s %d &" % (self.name, stage.PORT))
        return "\n".join(lines + self.engine.start(self)) + "\n"

    # -- its power ------------------------------------------------------------------------------
    def boot(self):
        if self.alive():
            return
        with open(os.path.join(self.dir, "console"), "ab") as console:
            self._outer = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--ipc", "--uts", "--net", "--fork",
                 "sh", os.path.join(HERE, "node-init"), self.dir, self.stage.image, self.name],
                env=stage.lab.clean_env(), stdin=subprocess.DEVNULL, stdout=console, stderr=console)
        children = "/proc/%d/task/%d/children" % (self._outer.pid, self._outer.pid)

        def first():
            with open(children) as f:
                return f.read().split()

        self.pid = int(self.t.wait_until(first, "%s has a first process" % self.name, every_s=0.002)[0])
        self.stage.plug(self.host, self.pid)

    def alive(self):
        return self._outer is not None and self._outer.poll() is None

    def kill(self):
        """The power is cut: every process is gone at once, and with them the wires."""
        if self._outer is None:
            return
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._outer.wait()
        self._outer = None
        self.stage.deaths.append((self.name, stage.now_s()))
        self.stage.unplug(self.host)

    # -- what happens to it ---------------------------------------------------------------------
    def pids(self):
        """All of its processes."""
        mine = os.readlink("/proc/%d/ns/pid_for_children" % self.pid)
        found = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and os.readlink("/proc/%s/ns/pid" % name) == mine:
                    found.append(int(name))
            except OSError:
                continue
        return found

    def _signal(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def freeze(self):
        """Nothing in it runs any more; its kernel goes on."""
        self._signal(signal.SIGSTOP)
        self._signal(signal.SIGSTOP)  # what was forked meanwhile

    def thaw(self):
        self._signal(signal.SIGCONT)

    def kill_program(self, name):
        for pid in self.pids():
            with open("/proc/%d/comm" % pid) as f:
                if f.read().strip() == name:
                    os.kill(pid, signal.SIGKILL)
                    return
        raise tap.Failed("no %s runs on %s" % (name, self.name))

    def cut(self, nic=0):
        """Its link is away; the node goes on."""
        stage.ip("link", "set", self.host.wire(nic), "down")

    def heal(self, nic=0):
        stage.ip("link", "set", self.host.wire(nic), "up")

    # -- from inside ----------------------------------------------------------------------------
    def run(self, *argv, timeout_s=60):
        """A program on the node: (status, what it wrote)."""
        inside = ["nsenter", "-t", str(self.pid), "-m", "-p", "-i", "-u", "-n", "-r", "-w", "--"]
        done = subprocess.run(inside + [str(a) for a in argv], env=stage.lab.clean_env(HOME="/root"),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                              timeout=timeout_s)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def put(self, inside, text):
        """A file, while it runs: its disk is not ours to write to then."""
        stage.write("/proc/%d/root%s" % (self.pid, inside), text)

    def holds(self, address):
        """Is the address on one of its interfaces?"""
        return re.search(r"inet %s/" % re.escape(address), self.run("ip", "-o", "-4", "addr")[1]) is not None

    def console(self):
        """What its first process and its children said."""
        with open(os.path.join(self.dir, "console"), errors="replace") as f:
            return f.read()

    def read(self, inside):
        """A file of its disk, as it is now."""
        try:
            with open(self.path(inside), errors="replace") as f:
                return f.read()
        except OSError:
            return ""


def ini(section, settings):
    return "[%s]\n%s" % (section, "".join("%s = %s\n" % item for item in settings.items()))


def wall_to_monotonic(stamp_s):
    """A time of the day, in seconds since 1970, on the clock that everything else here uses."""
    return stamp_s - (time.time() - stage.now_s())
