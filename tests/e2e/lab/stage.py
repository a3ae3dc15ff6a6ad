"""Where the lab plays: a VPC of network namespaces around a simulated cloud.

The program itself runs in namespaces of its own (enter()), and its network namespace is the VPC's
router: a bridge for each subnet with the wires of the nodes in it, the client's wire beside them,
and cloudsim with `--dataplane .`, so that the routes here are what the cloud's API says.  Nothing of
it is left when the program ends, however it ends.

    10.0.N.1     the router in subnet N        10.0.9.2                     the client
    10.0.0.2     the API, by https             169.254.169.254 port 8000+N  metadata of node N
"""
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../lib"))
import lab  # noqa: E402
import tap  # noqa: E402

API = "10.0.0.2"
METADATA = "169.254.169.254"
METADATA_PORT = 8000
CLIENT = "10.0.9.2"
PORT = 7777           # where the nodes answer
ASK_EVERY_MS = 5
_INSIDE = "CLOUDVIP_LAB_INSIDE"
_NAMESPACES = ["--mount", "--net", "--pid", "--ipc", "--fork", "--kill-child=TERM", "--mount-proc",
               "--propagation", "private"]
_PROBE = "mount -t tmpfs lab /mnt && cd /mnt && mkdir image upper work root && " \
         "mount -t overlay lab -o lowerdir=image:/,upperdir=upper,workdir=work root && ip link add type bridge"


def enter():
    """Runs this program again as the first process of its own namespaces, where they can be made."""
    if os.environ.get(_INSIDE):
        return
    try:
        can = subprocess.call(["unshare"] + _NAMESPACES + ["sh", "-c", _PROBE], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) == 0
    except OSError:
        can = False
    if can:
        os.environ[_INSIDE] = "yes"
        os.execvp("unshare", ["unshare"] + _NAMESPACES + ["--", sys.executable] + sys.argv)


def need(t, *programs):
    """Skips the test where the lab cannot be played."""
    if not os.environ.get(_INSIDE):
        t.skip("needs root, namespaces and overlay mounts")
    for name in programs:
        if shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin") is None:
            t.skip("there is no %s here (packaging/bootstrap lab installs it)" % name)


def now_s():
    """The clock of everything here: the same in every namespace."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def command(*argv, check=True):
    """Runs a program of the system; returns what it wrote."""
    argv = [str(a) for a in argv]
    done = subprocess.run(argv, env=lab.clean_env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    text = done.stdout.decode("utf-8", "replace").strip()
    if check and done.returncode:
        raise tap.Failed("%s: status %d: %s" % (" ".join(argv), done.returncode, text))
    return text


def ip(*args, check=True):
    return command("ip", *args, check=check)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def packets_program():
    path = os.path.join(lab.BUILD, "tests/e2e/lab/packets")
    if not os.path.exists(path):
        raise tap.Failed("%s was not built (make lab, make e2e)" % path)
    return path


# ---- the protected addresses -----------------------------------------------------------------------

class Kind:
    """A provider and a scenario: its world, its resource's settings, where its packets go."""

    def __init__(self, provider, scenario, address, **settings):
        self.provider, self.scenario, self.address = provider, scenario, address
        self.name = provider + " " + scenario
        self.settings = dict(settings, provider=provider, scenario=scenario, address=address, interface="eth1")
        # Moved in place, with the address on every node: nothing need be lost.
        self.in_place = scenario == "route-table"

    def world(self, nodes):
        if self.provider == "aws":
            return lab.generated_world(tables=nodes + 1, nodes=nodes)
        world = lab.generated_world("ali_gen.py", nodes=nodes, **({"one_zone": True} if self.scenario == "havip" else {}))
        havip = world["aliyun"]["havips"][0]
        enis = ["eni-svc%d" % n for n in range(1, nodes + 1)] if self.scenario == "havip" else ["eni-svc1"]
        havip.update(instances=enis, instance_type="NetworkInterface", master=enis[0])
        return world

    def hosts(self, world):
        """A Host for each instance, in the order of their numbers."""
        if self.provider == "aws":
            enis = sorted((e["attachment"]["instance_id"], e["attachment"]["device_index"], e)
                          for e in world["aws"]["network_interfaces"])
            instances = [i["instance_id"] for i in world["aws"]["instances"]]
            return [Host(n, i, [e for owner, _, e in enis if owner == i]) for n, i in enumerate(instances, 1)]
        enis = {e["network_interface_id"]: e for e in world["aliyun"]["network_interfaces"]}
        return [Host(n, i["instance_id"], [enis["eni-node%d" % n], enis["eni-svc%d" % n]])
                for n, i in enumerate(world["aliyun"]["instances"], 1)]

    def table(self, sim):
        """The route table that decides for the client, as `GET dataplane` names it."""
        if self.scenario != "route-table":
            return ""
        for entry in sim.state()[self.provider]["route_tables"]:
            if entry.get("type") == "System" or any(a.get("main") for a in entry.get("associations", ())):
                return entry["route_table_id"]
        raise tap.Failed("the world has no main route table")


KINDS = [
    Kind("aws", "route-table", "10.1.0.10"),
    Kind("aws", "elastic-ip", "203.0.113.10"),
    Kind("aliyun", "route-table", "10.1.0.10"),
    Kind("aliyun", "elastic-ip", "198.51.100.20"),
    Kind("aliyun", "havip", "10.0.1.50", bind_to="eni"),
]


class Host:
    """An instance as the world has it: eth0 is its primary interface, eth1 the service one."""

    def __init__(self, number, instance, enis):
        self.number, self.name, self.instance = number, "node%d" % number, instance
        self.eni = enis[1]["network_interface_id"]
        self.macs = [e["mac"] for e in enis]
        self.addresses = [e["private_ips"][0] for e in enis]
        self.subnet = int(self.addresses[0].split(".")[2])
        self.gateway = "10.0.%d.1" % self.subnet

    def wire(self, nic):
        """The router's end of the wire."""
        return "n%de%d" % (self.number, nic)


# ---- the VPC ---------------------------------------------------------------------------------------

class Stage:
    """The router with its bridges, the cloud, and a client that asks."""

    def __init__(self, t, kind, nodes=2, settings=None):
        self.t, self.kind = t, kind
        self.settings = dict(kind.settings, **(settings or {}))
        world = kind.world(nodes)
        self.hosts = kind.hosts(world)
        self.dir = t.path("stage")
        os.makedirs(self.dir)
        command("mount", "-t", "tmpfs", "-o", "mode=755", "lab", self.dir)
        t.cleanup(command, "umount", "-l", self.dir)
        self.shared = os.path.join(self.dir, "shared")
        self.image = os.path.join(self.dir, "image")
        os.makedirs(self.shared)
        self.events_file = write(os.path.join(self.shared, "events"), "", 0o666)
        self.deaths = []  # (name of a node, when its power was cut)
        self._asking = None
        self._router()
        self._cloud(world)
        self._client()
        self._image()

    # -- namespaces and wires -------------------------------------------------------------------
    def _router(self):
        command("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0",
                "net.ipv4.conf.default.rp_filter=0", "net.ipv4.conf.all.send_redirects=0",
                "net.ipv4.conf.default.send_redirects=0")
        ip("link", "set", "lo", "up")
        for address in (API, METADATA):
            ip("addr", "add", address + "/32", "dev", "lo")
        for subnet in sorted({h.subnet for h in self.hosts}):
            bridge = "br%d" % subnet
            # An address of its own: that of a port would change when a node dies, under the others' feet.
            ip("link", "add", bridge, "address", "06:00:00:00:00:%02x" % subnet, "type", "bridge", "forward_delay", "0")
            ip("addr", "add", "10.0.%d.1/24" % subnet, "dev", bridge)
            ip("link", "set", bridge, "up")
            self.t.cleanup(ip, "link", "del", bridge)
        for address in (API, METADATA):
            self.t.cleanup(ip, "addr", "del", address + "/32", "dev", "lo")

    def _client(self):
        self.client = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        self.t.cleanup(self.client.wait)
        self.t.cleanup(self.client.kill)
        mine = os.stat("/proc/self/ns/net").st_ino
        self.t.wait_until(lambda: os.stat("/proc/%d/ns/net" % self.client.pid).st_ino != mine, "the client's namespace",
                          every_s=0.005)
        ip("link", "add", "client", "type", "veth", "peer", "name", "eth0", "netns", self.client.pid)
        ip("addr", "add", "10.0.9.1/24", "dev", "client")
        ip("link", "set", "client", "up")
        inside = ["nsenter", "--net", "-t", self.client.pid, "ip"]
        command(*inside, "addr", "add", CLIENT + "/24", "dev", "eth0")
        command(*inside, "link", "set", "eth0", "up")
        command(*inside, "route", "add", "default", "via", "10.0.9.1")

    # -- the cloud ------------------------------------------------------------------------------
    def _cloud(self, world):
        authority = lab.Authority(self.t)
        certificate, key = authority.issue("api", "IP:" + API)
        self.ca_file = authority.ca_file
        args = ["--listen-tls", API + ":443", "--tls-cert", certificate, "--tls-key", key, "--dataplane", "."]
        for host in self.hosts:
            args += ["--imds", "%s:%d=%s" % (METADATA, METADATA_PORT + host.number, host.instance)]
        self.wires = {}
        for host in self.hosts:  # cloudsim listens on them from the start
            self.plug(host, None)
            if self.kind.scenario == "havip":
                args += ["--segment", "%s=%s" % (host.wire(1), host.eni)]
        self.sim = lab.Sim(self.t, world, args=args)
        self.epoch_s = self.dataplane()["epoch_ms"] / 1000

    def dataplane(self):
        return self.sim.control("GET", "dataplane")[1]

    def plug(self, host, pid):
        """New wires for that node: into the namespaces of process `pid`, or lying about."""
        for nic, mac in enumerate(host.macs):
            ip("link", "del", host.wire(nic), check=False)
            peer = ["name", "eth%d" % nic, "netns", pid] if pid else ["name", "n%dx%d" % (host.number, nic)]
            ip("link", "add", host.wire(nic), "type", "veth", "peer", *peer[:2], "address", mac, *peer[2:])
            ip("link", "set", host.wire(nic), "master", "br%d" % host.subnet, "up")

    def unplug(self, host):
        for nic in range(len(host.macs)):
            ip("link", "del", host.wire(nic), check=False)

    # -- what all nodes have on their disk --------------------------------------------------------
    def _image(self):
        def copy(source, *target, mode=0o755):
            path = os.path.join(self.image, *target)
            os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
            shutil.copy(source, path)
            os.chmod(path, mode)

        os.makedirs(self.image, 0o755)
        for name in lab.ACTIONS:
            copy(lab.program(name), "usr/libexec/cloudvip", name)
        copy(lab.program("cloudvip"), "usr/sbin/cloudvip")
        copy(packets_program(), "usr/libexec/lab/packets")
        copy(self.ca_file, "etc/lab/ca.pem", mode=0o644)
        copy(os.path.join(lab.ROOT, "packaging/ocf/cloudvip"), "usr/lib/ocf/resource.d/cloudvip/cloudvip")
        copy(os.path.join(lab.ROOT, "packaging/keepalived/cloudvip-notify"), "usr/libexec/cloudvip/cloudvip-notify")
        for name in os.listdir(os.path.join(HERE, "agents")):
            target = {"fence_lab": "usr/sbin", "notify": "usr/libexec/lab", "aws": "usr/libexec/lab"}
            copy(os.path.join(HERE, "agents", name), target.get(name, "usr/lib/ocf/resource.d/lab"), name)
        write(os.path.join(self.image, "root/.aws/config"), "[default]\noutput = json\n")
        names = "".join("%s %s\n" % (h.addresses[0], h.name) for h in self.hosts)
        write(os.path.join(self.image, "etc/hosts"), "127.0.0.1 localhost\n" + names)

    # -- the client -----------------------------------------------------------------------------
    def ask(self):
        """The client starts to ask; answers() reads what it got."""
        self.asked_file = write(os.path.join(self.dir, "asked"), "")
        self._asking = subprocess.Popen(
            ["nsenter", "--net", "-t", str(self.client.pid), packets_program(), "ask", self.kind.address, str(PORT),
             str(ASK_EVERY_MS), self.asked_file])
        self.t.cleanup(self.stop_asking)

    def stop_asking(self):
        if self._asking is not None:
            asking, self._asking = self._asking, None
            asking.terminate()
            asking.wait()
