"""A host with three interfaces of its instance, and whoever manages its network: for the tests of `cloudvip nic`.

    with nics.Scene(t, "aws") as s:              # eth0 is configured, eth1 and eth2 are not
        s.nic("setup", "eth1")
        s.nic("unset", "eth1")
        s.unchanged()

The program runs in a network and a mount namespace of its own: netns.enter(mounts=True).
"""
import json
import os
import re
import shutil
import subprocess

import lab
import netns
import tap

PROVIDERS = ("aws", "aliyun")
HEADER = "# Made by `cloudvip nic setup eth1`; `cloudvip nic unset eth1` removes it.\n"
NETWORKD = "/etc/systemd/network/05-cloudvip-%s.network"


# ---- the world ------------------------------------------------------------------------------------

def aws_world(ipv6):
    world = lab.world("two-nodes-ipv6" if ipv6 else "two-nodes")
    enis = world["aws"]["network_interfaces"]
    mine = [e for e in enis if (e.get("attachment") or {}).get("instance_id") == lab.NODE_1]
    first, second = sorted(mine, key=lambda e: e["attachment"]["device_index"])[:2]
    second["private_ips"] = ["10.0.1.11", "10.0.1.60"]
    third = json.loads(json.dumps(second))
    third.update(network_interface_id="eni-0cc00000000000001", mac="06:00:0a:00:01:03", private_ips=["10.0.1.21"])
    third["attachment"].update(attachment_id="eni-attach-0cc00000000000001", device_index=2)
    enis.append(third)
    if ipv6:
        second["ipv6"] = ["2001:db8:0:1::11", "2001:db8:0:1::60"]
        third["ipv6"] = []
    return world, [first, second, third], "10.0.1.1"


def ali_world(ipv6):
    world = lab.world("ali-two-nodes")
    ali = world["aliyun"]
    enis = {e["network_interface_id"]: e for e in ali["network_interfaces"]}
    found = [enis["eni-node1"], enis["eni-svc1"], enis["eni-move"]]
    if ipv6:
        ali["vpcs"][0]["ipv6_cidr_block"] = "2001:db8::/56"
        for n, vswitch in enumerate(ali["vswitches"]):
            vswitch["ipv6_cidr_block"] = "2001:db8:0:%d::/64" % (n + 1)
        found[1]["ipv6"] = ["2001:db8:0:1::11", "2001:db8:0:1::60"]
    return world, found, "10.0.1.253"


# ---- this machine ---------------------------------------------------------------------------------

def private_machine():
    """/etc and /run of this program's own: /etc as it is, /run empty."""
    if os.path.ismount("/run") and os.path.exists("/run/cloudvip-test"):
        return
    subprocess.check_call(["mount", "-t", "tmpfs", "none", "/run"])
    for name in ("etc", "work", "cloudvip-test"):
        os.mkdir("/run/" + name)
    subprocess.check_call(["mount", "-t", "overlay", "overlay", "-o",
                           "lowerdir=/etc,upperdir=/run/etc,workdir=/run/work", "/etc"])
    # That of this network namespace; where it cannot be written, nobody waits for udev.
    subprocess.check_call(["mount", "-t", "sysfs", "-o", "ro", "sysfs", "/sys"])


# What each manager leaves lying about, by which it is found.
SIGNS = {
    "systemd-networkd": ["/run/systemd/netif/state"],
    "NetworkManager": ["/run/NetworkManager/no-stub-resolv.conf"],
    "wicked": ["/run/wicked/state.xml"],
    "network-scripts": ["/etc/sysconfig/network-scripts/ifup-eth", "/run/lock/subsys/network"],
    "ifupdown": ["/run/network/ifstate", "/etc/network/interfaces"],
}
PLACES = ("/run/systemd", "/run/NetworkManager", "/run/wicked", "/run/lock", "/run/network", "/etc/wicked",
          "/etc/systemd/network", "/etc/systemd/system", "/etc/NetworkManager", "/etc/sysconfig", "/etc/network",
          "/etc/iproute2")


def put(path, text=""):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def read(path):
    with open(path) as f:
        return f.read()


def machine(*managers):
    """Its network is managed by these."""
    for place in PLACES:
        shutil.rmtree(place, ignore_errors=True)
    for manager in managers:
        for sign in SIGNS[manager]:
            put(sign)
    if "ifupdown" in managers:
        put("/etc/network/interfaces", "source /etc/network/interfaces.d/*\n\nauto lo\niface lo inet loopback\n")


# Times run on, and an interface that goes down and comes up tells of it.
VOLATILE = re.compile(r" (?:expires|age) \S+")


def dump():
    """All that ip(8) shows of addresses, routes and rules; of the other ends of the cables nothing."""
    text = []
    for words in (["addr"], ["-4", "route", "show", "table", "all"], ["-6", "route", "show", "table", "all"],
                  ["-4", "rule"], ["-6", "rule"]):
        text.append("ip " + " ".join(words))
        ours = True
        for line in netns.ip(*words).splitlines():
            if words == ["addr"] and not line.startswith(" "):
                ours = not re.match(r"\d+: eth\dp@", line)
            if ours and not re.search(r" dev eth\dp ", line):
                text.append(VOLATILE.sub("", line).rstrip())
    return text


def facts(text):
    """The parts of such dumps that the pages speak of, whichever interface has which number: rules, and
    the routes but those of the kernel's own table."""
    found = set()
    for line in text:
        line = " ".join(line.split())
        if " lookup " in line or line.startswith("default") or " dev eth" in line and "table local" not in line:
            if "fe80::" not in line.split()[0] and "multicast" not in line:
                found.add(re.sub(r"^\d+: from", "from", line))
    return found


class Scene:
    """Node 1 with three interfaces, of which eth0 is configured."""

    def __init__(self, t, provider="aws", ipv6=False, manager="systemd-networkd", up=False, metric=100, change=None,
                 **defaults):
        netns.need(t)
        private_machine()
        self.t = t
        self.world, enis, self.gateway = (aws_world if provider == "aws" else ali_world)(ipv6)
        self.enis = [e["network_interface_id"] for e in enis]
        if change:
            change(self.world)
        machine(*([manager] if manager else []))
        self.macs = [e["mac"] for e in enis]
        self.wire(up, metric)
        self.sim = lab.Sim(t, self.world)
        self.node = lab.Node(t, self.sim, provider=provider, credentials=None, **defaults)
        self.statedir = t.path("state%d" % getattr(t, "nic_scenes", 0))
        t.nic_scenes = getattr(t, "nic_scenes", 0) + 1
        self.node.env["CLOUDVIP_STATEDIR"] = self.statedir
        self.before = dump()

    def wire(self, up, metric):
        for n, mac in enumerate(self.macs):
            nic = "eth%d" % n
            netns.wire(nic, mac)
            if n and not up:
                netns.ip("link", "set", nic, "down")
        netns.ip("addr", "add", "10.0.1.10/24", "dev", "eth0", "metric", str(metric))
        netns.ip("route", "add", "default", "via", self.gateway, "dev", "eth0", "metric", str(metric))
        self.t.wait_until(lambda: "tentative" not in "".join(dump()), "addresses are settled")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.sim.stop()
        finally:
            for n in range(len(self.macs)):
                netns.unwire("eth%d" % n)
            for family in ("-4", "-6"):
                for rule in netns.ip(family, "rule").splitlines():
                    if "lookup 1" in rule or "lookup 7" in rule:
                        netns.ip(family, "rule", "del", "priority", rule.split(":")[0])

    def nic(self, *words, status=0, env=None, **how):
        got = self.node.cloudvip("nic", *words, env=env, **how)
        self.t.equal(got.status, status, repr(got))
        return got

    def state(self):
        return sorted(os.path.join(d, f) for d, _, names in os.walk(self.statedir) for f in names)

    def unchanged(self, message=""):
        self.t.equal(dump(), self.before, message)
        self.t.equal(self.state(), [], message)


def elsewhere(scene, commands, up=False):
    """What the kernel has after these commands in a namespace with the same interfaces."""
    script = ["set -e", "ip link set lo up"]
    for n, mac in enumerate(scene.macs):
        script += ["ip link add eth%d address %s type veth peer name eth%dp" % (n, mac, n), "ip link set eth%dp up" % n]
        if n == 0 or up:
            script += ["ip link set eth%d up" % n]
    script += ["ip addr add 10.0.1.10/24 dev eth0 metric 100",
               "ip route add default via %s dev eth0 metric 100" % scene.gateway]
    script += list(commands) + ["ip -4 route show table all", "ip -6 route show table all", "ip -4 rule", "ip -6 rule"]
    done = subprocess.run(["unshare", "-n", "sh", "-c", "\n".join(script)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=lab.clean_env())
    text = done.stdout.decode()
    if done.returncode:
        raise tap.Failed("%s\n%s" % ("\n".join(script), text))
    return text.splitlines()
