"""Where the benchmark runs: a node of the simulated cloud, in a network namespace of its own.

In it are one interface with the MAC of the node's service ENI, the metadata address 169.254.169.254
with the node's metadata service on port 80, and cloudsim.  So the stock agents and the kit run as on
an instance: they find instance, ENI and credentials by themselves.
"""
import ctypes
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab
import tap

METADATA = "169.254.169.254"  # docs.aws.amazon.com: "Use the Instance Metadata Service"
INTERFACE = "eth1"
OTHER = lab.NODE_1            # has the address before a takeover
HERE = lab.NODE_2             # where we are
ADDRESS = "10.1.0.10"
PUBLIC = "203.0.113.10"
ALLOCATION = "eipalloc-0aa00000000000001"

CLONE_NEWNS = 0x00020000      # sched.h
CLONE_NEWNET = 0x40000000


def enter_namespace():
    """A network namespace, and /sys to go with it; both end with this process and its children."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare: " + os.strerror(ctypes.get_errno()))
    command("mount", "--make-rprivate", "/")
    # /sys/class/net shows the interfaces of the namespace that sysfs was mounted in.
    command("mount", "-t", "sysfs", "sysfs", "/sys")


def command(*argv):
    """Runs a program of the system; returns what it wrote."""
    done = subprocess.Popen(argv, env=lab.clean_env(), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = done.communicate()[0].decode("utf-8", "replace").strip()
    if done.returncode:
        raise RuntimeError("%s: %s" % (" ".join(argv), out or "status %d" % done.returncode))
    return out


class Ground(tap.Test):
    """What tests/lib/lab.py wants of a test: a directory, clean-up, waiting."""

    def __init__(self):
        super().__init__("bench", None, False)

    def close(self):
        self._end()


class Place:
    """The namespace with its cloud; `close()` ends it."""

    def __init__(self, most_tables):
        self.ground = Ground()
        try:
            self._open(most_tables)
        except BaseException:
            self.close()
            raise

    def _open(self, most_tables):
        enter_namespace()
        self.worlds = {}
        os.mkdir(self.ground.path("bin"), 0o755)
        for name in lab.ACTIONS:
            shutil.copy(lab.program(name), self.program(name))
        first = self.world(most_tables)
        mac = [e["mac"] for e in first["aws"]["network_interfaces"]
               if e["network_interface_id"] == self.eni(HERE)][0]
        # A veth pair, since not every kernel has the dummy driver.
        command("ip", "link", "set", "lo", "up")
        command("ip", "link", "add", INTERFACE, "address", mac, "type", "veth", "peer", "name", "vpc0")
        command("ip", "address", "add", "10.0.2.11/24", "dev", INTERFACE)
        command("ip", "link", "set", INTERFACE, "up")
        command("ip", "link", "set", "vpc0", "up")
        command("ip", "address", "add", METADATA + "/32", "dev", "lo")
        self.authority = lab.Authority(self.ground)
        self.sim = lab.Sim(self.ground, world=first, tls=self.authority,
                           args=["--imds", "%s:80=%s" % (METADATA, HERE)])
        self.home = self.ground.path("home")
        os.makedirs(os.path.join(self.home, ".aws"))
        # What the agents' manuals ask for; credentials are the instance role's, as for the kit.
        self.ground.write("home/.aws/config", "[default]\nregion = %s\noutput = json\n" % first["aws"]["region"])
        self.awscli = self.ground.write("aws", "#!/bin/sh\nexec aws --endpoint-url %s \"$@\"\n" % self.sim.url, 0o755)

    def close(self):
        self.ground.close()

    # -- the cloud ------------------------------------------------------------------------------
    @staticmethod
    def eni(instance):
        """The service ENI of worlds/gen.py."""
        return instance.replace("i-0aa", "eni-0bb")

    @staticmethod
    def primary_eni(instance):
        return instance.replace("i-0aa", "eni-0aa")

    def world(self, tables, here=False, one_interface=False):
        """A world with so many route tables; all bindings at the other node, or here.

        `one_interface`: our node has no interface but the service ENI, as awseip wants it.
        """
        if (tables, here, one_interface) not in self.worlds:
            world = lab.generated_world(tables=tables, nodes=2, eips=1)
            if one_interface:
                enis = world["aws"]["network_interfaces"]
                enis[:] = [e for e in enis if e["network_interface_id"] != self.primary_eni(HERE)]
                enis[-1]["attachment"]["device_index"] = 0
            if here:
                for table in world["aws"]["route_tables"]:
                    for route in table["routes"]:
                        if route["destination"] == ADDRESS + "/32":
                            route["target"] = self.eni(HERE)
                world["aws"]["addresses"][0].update(network_interface_id=self.eni(HERE), private_ip="10.0.2.11")
            self.worlds[tables, here, one_interface] = world
        return self.worlds[tables, here, one_interface]

    def reset(self, tables, here, one_interface=False):
        """Everything as before the first run: the world, the faults, the interface, the log."""
        self.sim.put_world(self.world(tables, here, one_interface))
        self.sim.faults()
        if ADDRESS in command("ip", "-o", "address", "show", "dev", INTERFACE):
            command("ip", "address", "delete", ADDRESS + "/32", "dev", INTERFACE)
        self.sim.clear_log()

    def latency(self, latency_ms):
        """EC2 answers so much later, from now on."""
        self.sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "latency", "ms": latency_ms}})

    @staticmethod
    def add_address():
        """What the agent's start does besides, and its monitor looks for."""
        command("ip", "address", "add", ADDRESS + "/32", "dev", INTERFACE)

    def route_holders(self):
        return set(target for target, _ in self.sim.routes(ADDRESS + "/32").values())

    def eip_holder(self):
        return self.sim.address(ALLOCATION).get("network_interface_id")

    def program(self, name):
        """Our copy of an action: what is built meanwhile does not change what is measured."""
        return self.ground.path("bin", name)

    # -- who runs in it -------------------------------------------------------------------------
    def kit(self, tls=False, ca_file=None):
        """A node with the tags vip1 and eip1, as a configuration for HERE would say it."""
        node = lab.Node(self.ground, self.sim, HERE, tls=tls, metadata_endpoint=None,
                        ca_file=ca_file, interface=INTERFACE)
        node.resource("vip1", interface=INTERFACE, scenario="route-table", address=ADDRESS)
        node.resource("eip1", interface=INTERFACE, scenario="elastic-ip", address=PUBLIC)
        return node

    def agent_env(self, **parameters):
        """The environment in which a cluster manager starts an OCF agent."""
        env = {"HOME": self.home, "OCF_ROOT": "/usr/lib/ocf", "OCF_RESOURCE_INSTANCE": "vip1",
               "OCF_RA_VERSION_MAJOR": "1", "OCF_RA_VERSION_MINOR": "1", "HA_RSCTMP": self.ground.path("ha"),
               "OCF_RESKEY_awscli": self.awscli, "OCF_RESKEY_CRM_meta_interval": "60000"}
        os.makedirs(env["HA_RSCTMP"], exist_ok=True)
        env.update(("OCF_RESKEY_" + name, value) for name, value in parameters.items())
        return lab.clean_env(**env)

    # -- certificates ---------------------------------------------------------------------------
    def trust(self, system="/etc/ssl/certs"):
        """{"how": (path, certificates in it)}: our authority as one file, among the system's in a
        hashed directory, and last in a bundle."""
        with open(self.authority.ca_file) as f:
            own = f.read()
        roots = set()
        for name in sorted(os.listdir(system)) if os.path.isdir(system) else []:
            path = os.path.realpath(os.path.join(system, name))
            if os.path.isfile(path):
                with open(path, errors="replace") as f:
                    text = f.read()
                if text.count("BEGIN CERTIFICATE") == 1:
                    roots.add(text if text.endswith("\n") else text + "\n")
        for n, text in enumerate(sorted(roots)):
            self.ground.write("trust/root%03d.pem" % n, text)
        self.ground.write("trust/own.pem", own)
        command("openssl", "rehash", self.ground.path("trust"))
        bundle = self.ground.write("bundle.pem", "".join(sorted(roots)) + own)
        count = len(roots) + 1
        return [("directory", self.ground.path("trust"), count),
                ("file", self.authority.ca_file, 1), ("bundle", bundle, count)]
