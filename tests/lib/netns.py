"""A network namespace of the test program's own, and the interfaces in it.

    if __name__ == "__main__":
        netns.enter()                            # before tap.main()
        tap.main()

    netns.need(t)                                # in a test: skips it where none could be made
    netns.wire("node1", mac)                     # node1, and its other end node1p
"""
import json
import os
import subprocess
import sys

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


def is_up(nic, address):
    """Is the address on that interface?"""
    return any(a["local"] == address for link in json.loads(ip("-json", "addr", "show", "dev", nic))
               for a in link.get("addr_info", ()))


def put(nic, *addresses):
    """These addresses are on the interface, and no other."""
    ip("addr", "flush", "dev", nic)
    for address in addresses:
        ip("addr", "add", address + "/32", "dev", nic)
