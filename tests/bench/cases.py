"""What is measured: the kit's actions, the stock agents', and what has to be true before and after."""
import os
import shutil

import lab
import measure
from place import ADDRESS, ALLOCATION, HERE, INTERFACE, PUBLIC

AGENTS = "/usr/lib/ocf/resource.d/heartbeat"
ROUTE_AGENT = os.path.join(AGENTS, "aws-vpc-move-ip")
EIP_AGENT = os.path.join(AGENTS, "awseip")

# Enough that each request is still under way when the next one of the same round arrives.
ROUNDS_LATENCY_MS = 20


def _at(holder, eni, what):
    if holder != eni:
        raise measure.Failed("afterwards %s is at %s and not at %s" % (what, holder, eni))


def route_is_here(place):
    _at(place.route_holders(), {place.eni(HERE)}, "the route")


def eip_is_here(place):
    _at(place.eip_holder(), place.eni(HERE), "the address")


def eip_is_free(place):
    _at(place.eip_holder(), None, "the address")


class Kit:
    """One of the kit's actions."""

    program = "cloudvip"

    def __init__(self, action, tag, after=None, tls=False, ca_file=None):
        self.action, self.tag, self.after, self.tls, self.ca_file = action, tag, after, tls, ca_file
        self.node = None

    def argv(self, place, action=None):
        return [place.program(action or self.action), "-t", self.tag, "-i", self.tag + "-id"]

    def prepare(self, place, tables, latency_ms):
        """The address is elsewhere and we have no record; or it is here, and in service."""
        if self.node is None:
            self.node = place.kit(self.tls, self.ca_file)
        takeover = self.action == "restore"
        place.reset(tables, not takeover, one_interface=self.tag == "eip1")
        shutil.rmtree(self.node.rundir)
        os.mkdir(self.node.rundir, 0o755)
        if not takeover:
            measure.run(place, self.argv(place, "restore"), self.env())
        if latency_ms:
            place.latency(latency_ms)
        place.sim.clear_log()

    def env(self):
        return lab.clean_env(**self.node.env)

    def sample(self, place, tables, latency_ms=0):
        self.prepare(place, tables, latency_ms)
        measured = measure.run(place, self.argv(place), self.env())
        if self.after:
            self.after(place)
        return measured

    def warm_up(self, place, tables):
        """Into the page cache."""
        for _ in range(2):
            self.sample(place, tables)

    def count_rounds(self, place, tables, samples):
        """Without latency requests that are sent together need not overlap."""
        spread = self.sample(place, tables, ROUNDS_LATENCY_MS)
        for measured in samples:
            measured.update((name, spread[name]) for name in ("rounds", "in_flight"))


class Hooked(Kit):
    """An action with hooks: {file name: text}, in a directory of their own; None: it is not there."""

    def __init__(self, action, tag, files, after=None):
        super().__init__(action, tag, after)
        self.files = files

    def prepare(self, place, tables, latency_ms):
        if self.node is None:
            self.node = place.kit(self.tls, self.ca_file)
            where = os.path.join(self.node.dir, "hooks")
            if self.files is not None:
                os.mkdir(where, 0o755)
            for name, text in (self.files or {}).items():
                with open(os.path.join(where, name), "w") as f:
                    f.write(text)
            self.node.resource("vip1", interface=INTERFACE, scenario="route-table", address=ADDRESS, hook_dir=where)
        super().prepare(place, tables, latency_ms)


class Start(Kit):
    """The start of a program that then does nothing: what loading it and its libraries costs."""

    def argv(self, place, action=None):
        return [place.program("restore"), "--version"]


class Agent:
    """One of the stock agents."""

    def __init__(self, path, action, parameters, after=None):
        self.path, self.action, self.parameters, self.after = path, action, parameters, after
        self.program = os.path.basename(path)

    def warm_up(self, place, tables):
        """The kit runs often and briefly; this one is left to its first run."""

    def sample(self, place, tables, latency_ms=0):
        parameters = self.parameters(tables)
        place.reset(tables, self.action != "start", one_interface=self.path == EIP_AGENT)
        if self.action != "start" and self.path == ROUTE_AGENT:
            place.add_address()
        measured = measure.run(place, [self.path, self.action], place.agent_env(**parameters))
        if self.after:
            self.after(place)
        return measured

    def count_rounds(self, place, tables, samples):
        """Each run's are in the log: it never sends two requests at once."""


def route_parameters(monapi):
    """Of aws-vpc-move-ip; what is not named has its default."""
    def parameters(tables):
        ids = ",".join("rtb-0aa%014d" % n for n in range(1, tables + 1))
        return {"ip": ADDRESS, "interface": INTERFACE, "routing_table": ids, "monapi": monapi}
    return parameters


def eip_parameters(_tables):
    """Of awseip, which takes the node's only interface: without more it refuses to choose."""
    return {"elastic_ip": PUBLIC, "allocation_id": ALLOCATION}


class Case:
    """A row: the kit and perhaps an agent, with so many route tables."""

    def __init__(self, label, tables, kit, agent=None, agent_runs=None, latency_ms=0):
        self.label, self.tables, self.kit, self.agent = label, tables, kit, agent
        self.agent_runs, self.latency_ms = agent_runs, latency_ms


class Group:
    def __init__(self, name, title, note, cases):
        self.name, self.title, self.note, self.cases = name, title, note, cases


def tables_label(tables):
    return "%d table%s" % (tables, "" if tables == 1 else "s")


def beside_agents():
    """The groups that compare.  Ten tables take an agent most of a minute: it runs once."""
    def restore():
        return Kit("restore", "vip1", route_is_here)

    def check():
        return Kit("quickCheck", "vip1")

    return [
        Group("takeover", "Takeover of a route: restore / the agent's start",
              "Both put the address on the interface; the kit announces it, and sees to the source/destination check.",
              [Case(tables_label(n), n, restore(),
                    Agent(ROUTE_AGENT, "start", route_parameters("true"), route_is_here), 1 if n == 10 else None)
               for n in (1, 3, 10)]),
        Group("eip", "Takeover of an Elastic IP: restore / the agent's start",
              "The kit finds the ENI of its interface and looks again afterwards; the agent does neither.",
              [Case("Elastic IP", 3, Kit("restore", "eip1", eip_is_here),
                    Agent(EIP_AGENT, "start", eip_parameters, eip_is_here))]),
        Group("monitor", "Is it still here?  quickCheck / the agent's monitor",
              "monapi=true: the agent asks the cloud too.  Its default is monapi=false: it looks at the interface alone.",
              [Case(tables_label(n), n, check(),
                    Agent(ROUTE_AGENT, "monitor", route_parameters("true")), 1 if n == 10 else None)
               for n in (1, 3, 10)]
              + [Case("3 tables, local only", 3, check(), Agent(ROUTE_AGENT, "monitor", route_parameters("false"))),
                 Case("Elastic IP", 3, Kit("quickCheck", "eip1"), Agent(EIP_AGENT, "monitor", eip_parameters))]),
        Group("stop", "Out of service: remove / the agent's stop",
              "Routes are left alone by both; an Elastic IP is disassociated, and the kit looks again afterwards.",
              [Case("route, monapi=false", 1, Kit("remove", "vip1"),
                    Agent(ROUTE_AGENT, "stop", route_parameters("false"))),
               Case("route, monapi=true", 1, Kit("remove", "vip1"),
                    Agent(ROUTE_AGENT, "stop", route_parameters("true"))),
               Case("Elastic IP", 3, Kit("remove", "eip1", eip_is_free),
                    Agent(EIP_AGENT, "stop", eip_parameters, eip_is_free))]),
    ]


def alone():
    """The kit by itself, with more tables and a slower API."""
    groups = [Group("start", "The kit alone: start-up", "", [Case("restore --version", 1, Start("restore", "vip1"))])]
    for action, title in (("restore", "Takeover of a route"), ("quickCheck", "quickCheck")):
        for latency_ms in (0, 50):
            after = route_is_here if action == "restore" else None
            groups.append(Group(
                "alone", "The kit alone: %s, API answers %d ms late" % (title, latency_ms), "",
                [Case(tables_label(n), n, Kit(action, "vip1", after), latency_ms=latency_ms)
                 for n in (1, 10, 50, 200)]))
    return groups


TRIVIAL = "return { %s = function(facts) end }\n"


def with_hooks():
    """What hooks cost where there are none, where they are for something else, and where they run."""
    rows = [("no directory", None), ("an empty directory", {}), ("a hook for restore", {"10.lua": TRIVIAL % "pre_restore"}),
            ("post_check", {"10.lua": TRIVIAL % "post_check"}), ("choose_tables", {"10.lua": TRIVIAL % "choose_tables"}),
            ("both", {"10.lua": TRIVIAL % "post_check", "20.lua": TRIVIAL % "choose_tables"})]
    return Group("hooks", "quickCheck of 3 tables, with hooks that do nothing", "",
                 [Case(label, 3, Hooked("quickCheck", "vip1", files)) for label, files in rows])


def over_tls(place):
    """Three tables over https: what handshake, verification and loading of the authorities cost."""
    kits = [("http", Kit("restore", "vip1", route_is_here))]
    kits += [("https, %s of %d" % (how, count),
              Kit("restore", "vip1", route_is_here, tls=True, ca_file=path))
             for how, path, count in place.trust()]
    return Group("tls", "Takeover of 3 tables over https, by where the authorities are (and how many)",
                 "Metadata stay on http, as on an instance.",
                 [Case(label, 3, kit) for label, kit in kits])
