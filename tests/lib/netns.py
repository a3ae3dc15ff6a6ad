"""A network namespace of the test program's own, and the interfaces in it.

    if __name__ == "__main__":
        netns.enter()                            # before tap.main()
        tap.main()

    netns.need(t)                                # in a test: skips it where none could be made
    netns.wire("node1", mac)                     # node1, and its other end node1p
    with netns.link(t, mac) as nic:              # the same for a block

    with netns.Segment() as seg:                 # hosts with a network stack each, on one bridge
        one = seg.host("one", mac, "10.0.1.21/24")
        one.ip("addr", "show")                   # there; one.prefix runs any program there
"""
import contextlib
import json
import os
import re
import subprocess
import sys
import time

_INSIDE = "CLOUDVIP_TEST_OWN_NAMESPACE"


def enter(mounts=False):
    """Runs this program again in a network namespace of its own, where one can be made; `mounts`: and
    in a mount namespace, where what it mounts is seen by nobody else."""
    if os.environ.get(_INSIDE):
        return
    own = ["unshare", "-n"] + (["-m"] if mounts else [])
    probe = own + ["ip", "link", "set", "lo", "up"]
    try:
        can = subprocess.call(probe, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        can = False
    if can:
        os.environ[_INSIDE] = "yes"
        os.execvp("unshare", own + ["sh", "-c", "ip link set lo up && exec \"$@\"", "sh",
                              sys.executable] + sys.argv)


def need(t):
    if not os.environ.get(_INSIDE):
        t.skip("needs a network namespace: interfaces are made")


def ip(*args):
    return subprocess.check_output(["ip"] + list(args)).decode()


def unwire(nic):
    """Whether it is there or not."""
    subprocess.call(["ip", "link", "del", nic], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wire(nic, mac):
    """An interface with that MAC, and its carrier, the other end of a veth pair: its name and a "p"."""
    unwire(nic)  # of a test that never began
    ip("link", "add", nic, "address", mac, "type", "veth", "peer", "name", nic + "p")
    ip("link", "set", nic, "up")
    ip("link", "set", nic + "p", "up")


@contextlib.contextmanager
def link(t, mac, up=True):
    """An interface as wire() makes it, for as long as the block runs; gives its name."""
    need(t)
    wire("link0", mac)
    try:
        if not up:
            ip("link", "set", "link0", "down")
        yield "link0"
    finally:
        unwire("link0")


def is_up(nic, address):
    """Is the address on that interface?"""
    return any(a["local"] == address for link in json.loads(ip("-json", "addr", "show", "dev", nic))
               for a in link.get("addr_info", ()))


def keeps_who_put_an_address():
    """IFA_PROTO: Linux 5.18."""
    return tuple(int(n) for n in re.findall(r"\d+", os.uname().release)[:2]) >= (5, 18)


def put(nic, *addresses):
    """These addresses are on the interface, and no other."""
    ip("addr", "flush", "dev", nic)
    for address in addresses:
        ip("addr", "add", address + "/32", "dev", nic)


class Host:
    """A network namespace with one interface, `nic`, on a segment; it lives as long as a process in it."""

    def __init__(self, segment, name, mac, *addresses):
        self.name, self.nic, self.mac = name, "eth0", mac
        self._holder = subprocess.Popen(["unshare", "-n", "sleep", "1000000"], stdin=subprocess.DEVNULL)
        ours = os.readlink("/proc/self/ns/net")
        end = time.monotonic() + 10
        while os.readlink("/proc/%d/ns/net" % self._holder.pid) == ours:
            if time.monotonic() > end:
                raise RuntimeError("no namespace for " + name)
            time.sleep(0.005)
        self.prefix = ["nsenter", "--net=/proc/%d/ns/net" % self._holder.pid, "--"]
        self.port = name + "p"  # its other end, on the bridge
        ip("link", "add", self.port, "type", "veth", "peer", "name", self.nic, "address", mac,
           "netns", str(self._holder.pid))
        ip("link", "set", self.port, "master", segment.bridge, "up")
        self.ip("link", "set", "lo", "up")
        self.ip("link", "set", self.nic, "up")
        for address in addresses:
            self.ip("addr", "add", address, "dev", self.nic, *["nodad"] if ":" in address else [])

    def run(self, *argv):
        """A program there; returns what it wrote."""
        return subprocess.check_output(self.prefix + list(argv), stderr=subprocess.STDOUT).decode()

    def ip(self, *args):
        return self.run("ip", *args)

    def has(self, address, nic=None):
        """Is the address on the interface?"""
        return any(a["local"] == address for link in json.loads(self.ip("-json", "addr", "show", "dev", nic or self.nic))
                   for a in link.get("addr_info", ()))

    def neighbour(self, address):
        """The MAC that it would send to, or None."""
        for entry in json.loads(self.ip("-json", "neigh", "show", "to", address, "dev", self.nic) or "[]"):
            if entry.get("lladdr") and "FAILED" not in entry.get("state", ()):
                return entry["lladdr"]
        return None

    def end(self):
        self._holder.kill()
        self._holder.wait()


class Segment:
    """One Ethernet segment: a bridge of the test's namespace, which has the address `gateway` on it."""

    bridge = "seg0"

    def __init__(self, *gateway):
        self._hosts = []
        unwire(self.bridge)
        ip("link", "add", self.bridge, "type", "bridge", "forward_delay", "0")
        ip("link", "set", self.bridge, "up")
        for address in gateway:
            ip("addr", "add", address, "dev", self.bridge)

    def host(self, name, mac, *addresses):
        self._hosts.append(Host(self, name, mac, *addresses))
        return self._hosts[-1]

    def end(self):
        for host in self._hosts:
            host.end()
            unwire(host.port)
        unwire(self.bridge)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()
