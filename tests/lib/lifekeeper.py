"""Servers with LifeKeeper on them, as far as tests/lib/lcdi imitates it.

    one, two = lifekeeper.pair(t, sim)           # the kit is installed on both, and registered
    one.create("vip1", "scenario=route-table", "address=10.1.0.10")
    two.extend(one, "vip1")
    one.check("vip1")                            # what lkcheck does
    one.state("vip1")                            # "ISP"
"""
import importlib.machinery
import importlib.util
import json
import os
import shutil
import subprocess

import lab
import tap

STAND_IN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lcdi")
_loader = importlib.machinery.SourceFileLoader("lcdi", STAND_IN)
lcdi = importlib.util.module_from_spec(importlib.util.spec_from_loader("lcdi", _loader))
_loader.exec_module(lcdi)


class Server(lab.Node):
    """A node with LifeKeeper.  Its programs are run as LifeKeeper runs them: LKROOT is set, and little
    else; what belongs to the test (directories, the metadata service) comes with it."""

    def __init__(self, t, sim, instance, name, install=True):
        super().__init__(t, sim, instance)
        self.name = name
        for path in ("bin", "subsys", "lkadm"):
            os.makedirs(os.path.join(self.lkroot, path))
        for path, _, _ in os.walk(self.lkroot):
            os.chmod(path, 0o755)
        for command in lcdi.COMMANDS:
            os.symlink(STAND_IN, os.path.join(self.lkroot, "bin", command))
        self.server = lcdi.Server(self.lkroot)
        with open(os.path.join(self.lkroot, "db.json"), "w") as f:
            json.dump({"system": name, "alive": True, "apps": ["comm", "gen"], "types": [["comm", "ip"], ["gen", "app"]],
                       "instances": {}, "eqvs": [], "flags": [], "peers": {}, "broken": {}, "halted": None,
                       "env": lab.clean_env(**self.env)}, f)
        t.attach(os.path.join(self.lkroot, "out"))
        if install:
            self.install()

    def install(self):
        """As `make install install-lifekeeper` would, with the programs under test; then registers."""
        sbin = os.path.join(self.dir, "sbin")
        os.makedirs(sbin)
        shutil.copy(lab.program("cloudvip"), sbin)
        subprocess.check_call(["make", "-s", "-C", lab.ROOT, "install-lifekeeper", "LKROOT=" + self.lkroot, "SBINDIR=" + sbin,
                               "VARIANT=" + (os.environ.get("VARIANT") or "")], stdout=subprocess.DEVNULL,
                              env=lab.clean_env())
        self.program = os.path.join(sbin, "cloudvip")
        self.t.equal(self.lifekeeper_word("register").status, 0)

    def call(self, *argv, timeout_s=60, env=None):
        """One of LifeKeeper's own programs, or one of the kit's below its root."""
        path = argv[0] if argv[0].startswith("/") else os.path.join(self.lkroot, "bin", argv[0])
        environment = lab.clean_env(**dict(self.env, LKROOT=self.lkroot, **(env or {})))
        return lab.Running(self, [path] + list(argv[1:]), environment).wait(timeout_s)

    def lifekeeper_word(self, *words):
        return self.call(self.program, "lifekeeper", *words)

    # -- administration ------------------------------------------------------------------------------
    def admin(self, name):
        return os.path.join(self.lkroot, "lkadm/subsys/comm/cloudvip/bin", name)

    def create(self, tag, *words, **how):
        return self.call(self.admin("create"), "-t", tag, *words, **how)

    def extend(self, source, tag, *words):
        """As the extend manager does, which runs on the source: canextend there, then extend."""
        got = source.call("lcdremexec", "-d", self.name, "--", self.admin("canextend"), source.name, tag)
        if got.status:
            return got
        return source.call("lcdremexec", "-d", self.name, "--", self.admin("extend"), source.name, tag, *words)

    def delete(self, tag):
        return self.call(self.admin("delete"), "-t", tag)

    def generic(self, tag, ident=None, info=""):
        """A generic application with the kit's actions as its scripts, copied as LifeKeeper does."""
        self.t.equal(self.call("ins_create", "-a", "gen", "-r", "app", "-t", tag, "-i", ident or tag, "-v", info).status, 0)
        instance = self.server.find(tag)
        for action in lab.ACTIONS:
            path = self.server.program(instance, action)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(lab.program(action), path)

    # -- what LifeKeeper does by itself ----------------------------------------------------------------
    def perform(self, tag, action):
        return self.call("perform_action", "-t", tag, "-a", action)

    def check(self, tag, **how):
        """lkcheck's turn; of a generic application also what its wrapper makes of the status."""
        instance = self.server.find(tag)
        got = self.call(self.server.program(instance, "quickCheck"), "-t", tag, "-i", instance["id"], **how)
        if got.status and instance["type"] == "app":
            self.server.recover(tag, "recover")
        return got

    def dies(self):
        with self.server.db() as db:
            db["alive"] = False

    def state(self, tag):
        instance = self.server.find(tag)
        return instance and instance["state"]

    def calls(self, name):
        """The arguments of every call of this command so far."""
        with open(os.path.join(self.lkroot, "calls")) as f:
            return [call[1:] for call in map(json.loads, f) if call[0] == name]

    def said(self):
        with open(os.path.join(self.lkroot, "out")) as f:
            return f.read()


def pair(t, sim):
    servers = [Server(t, sim, lab.NODE_1, "node1"), Server(t, sim, lab.NODE_2, "node2")]
    for server in servers:
        with server.server.db() as db:
            db["peers"] = {s.name: s.lkroot for s in servers if s is not server}
    return servers


def need(t):
    if os.geteuid():
        raise tap.Skip("not root: LifeKeeper's programs are run from a directory of root's")
