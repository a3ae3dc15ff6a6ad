#!/usr/bin/env python3
"""Pacemaker's resource agent: every answer, the meta-data, ocf-tester, and the example configurations."""
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import netns  # noqa: E402
import tap  # noqa: E402

VIP, CIDR = "10.1.0.10", "10.1.0.10/32"
EXAMPLES = os.path.join(lab.ROOT, "packaging/ocf/examples")
OCF_DIR = "/usr/lib/ocf"
SUCCESS, GENERIC, ARGS, UNIMPLEMENTED, PERM, INSTALLED, CONFIGURED, NOT_RUNNING = range(8)


def install(t):
    """The agent as `make install-pacemaker` puts it, with the programs under test; returns the OCF root.
    Others may read all of it: ocf-tester asks for the meta-data as nobody."""
    root = t.path("root")
    sbin = os.path.join(root, "sbin")
    os.makedirs(sbin)
    shutil.copy(lab.program("cloudvip"), sbin)
    subprocess.check_call(["make", "-s", "-C", lab.ROOT, "install-pacemaker", "SBINDIR=" + sbin,
                           "OCFDIR=" + os.path.join(root, "ocf"), "DOCDIR=" + os.path.join(root, "doc")],
                          stdout=subprocess.DEVNULL, env=lab.clean_env())
    path = root
    while path.startswith(t.tmp):
        os.chmod(path, 0o755)
        path = os.path.dirname(path)
    return os.path.join(root, "ocf")


class Agent:
    """The agent on one node; `params` are the resource's parameters in the cluster."""

    def __init__(self, t, node, root, name="vip1", **params):
        self.node, self.name, self.params = node, name, params
        self.path = os.path.join(root, "resource.d/cloudvip/cloudvip")
        self.env = {"OCF_ROOT": root, "OCF_RA_VERSION_MAJOR": "1", "OCF_RA_VERSION_MINOR": "1",
                    "OCF_RESOURCE_INSTANCE": name, "OCF_RESOURCE_TYPE": "cloudvip",
                    "OCF_RESOURCE_PROVIDER": "cloudvip", "OCF_EXIT_REASON_PREFIX": "ocf-exit-reason:",
                    "OCF_RESKEY_crm_feature_set": "3.16.2", "OCF_RESKEY_CRM_meta_on_node": "node1"}

    def start(self, action, interval_s=None, timeout_s=20, env=None, **params):
        environment = dict(self.node.env, **self.env)
        environment["OCF_RESKEY_CRM_meta_timeout"] = int(timeout_s * 1000)
        environment["OCF_RESKEY_CRM_meta_name"] = action
        if interval_s is not None:
            environment["OCF_RESKEY_CRM_meta_interval"] = int(interval_s * 1000)
        for key, value in dict(self.params, **params).items():
            environment["OCF_RESKEY_" + key] = value
        environment.update(env or {})
        return lab.Running(self.node, [self.path, action], lab.clean_env(**environment))

    def run(self, action, *args, **how):
        return self.start(action, *args, **how).wait()

    def probe(self, **how):
        return self.run("monitor", 0, **how)

    def monitor(self, **how):
        return self.run("monitor", 10, **how)


def cluster(t, sim, files=True, **params):
    """The resource on both nodes; `files`: its settings are in the nodes' files, else in the cluster."""
    root = install(t)
    agents = []
    for instance in (lab.NODE_1, lab.NODE_2):
        node = lab.Node(t, sim, instance)
        settings = dict(scenario="route-table", address=VIP, local_address="no", **params)
        if files:
            node.resource("vip1", **settings)
            agents.append(Agent(t, node, root))
        else:
            agents.append(Agent(t, node, root, eni=sim.eni(instance), **settings))
    return agents


def reason(got):
    """What Pacemaker would show of it."""
    lines = [line for line in got.err.splitlines() if line.startswith("ocf-exit-reason:")]
    return lines[-1][len("ocf-exit-reason:"):] if lines else None


DOWN = {"match": {"kind": "ec2"}, "times": 0, "do": {"type": "http_503"}}
THROTTLED = {"match": {"kind": "ec2"}, "times": 0, "do": {"type": "throttle"}}
DENY = {"match": {"kind": "ec2"}, "times": 0, "do": {"type": "deny"}}
BROKEN = "[vip1]\nnonsense = 1\n"

# What is found by | start, stop, monitor, probe where the record says in service | where it does not.
ANSWERS = (
    ("here", (SUCCESS, SUCCESS, SUCCESS, SUCCESS), (SUCCESS, SUCCESS, NOT_RUNNING, NOT_RUNNING)),
    ("elsewhere", (SUCCESS, SUCCESS, GENERIC, NOT_RUNNING), (SUCCESS, SUCCESS, NOT_RUNNING, NOT_RUNNING)),
    ("down", (GENERIC, SUCCESS, SUCCESS, SUCCESS), (GENERIC, SUCCESS, NOT_RUNNING, NOT_RUNNING)),
    ("throttled", (GENERIC, SUCCESS, SUCCESS, SUCCESS), (GENERIC, SUCCESS, NOT_RUNNING, NOT_RUNNING)),
    ("denied", (PERM, SUCCESS, SUCCESS, SUCCESS), (PERM, SUCCESS, NOT_RUNNING, NOT_RUNNING)),
    ("broken file", (INSTALLED, SUCCESS, SUCCESS, SUCCESS), (INSTALLED, SUCCESS, NOT_RUNNING, NOT_RUNNING)),
)


@tap.cases(ANSWERS, lambda row: row[0])
def test_answers(t, row):
    found, serving, idle = row
    faults = {"down": DOWN, "throttled": THROTTLED, "denied": DENY}.get(found)
    with lab.Sim(t) as sim:
        one, two = cluster(t, sim)
        good = open(os.path.join(two.node.confdir, "resources.d/vip1.conf")).read()

        def put(in_service):
            sim.faults()
            two.node.file("resources.d/vip1.conf", good)
            t.equal(two.run("start", timeout_s=60).status, SUCCESS)
            if not in_service:
                t.equal(two.run("stop").status, SUCCESS)
            if found == "elsewhere":
                t.equal(one.run("start", timeout_s=60).status, SUCCESS)
            if found == "broken file":
                two.node.file("resources.d/vip1.conf", BROKEN)
            if faults:
                sim.faults(faults)

        for in_service, wanted in ((True, serving), (False, idle)):
            for action, interval, status in (("start", None, wanted[0]), ("stop", None, wanted[1]),
                                             ("monitor", 10, wanted[2]), ("monitor", 0, wanted[3])):
                with t.subtest("%s %s, %s" % (action, interval, "in service" if in_service else "not")):
                    put(in_service)
                    got = two.run(action, interval, timeout_s=2 if found in ("down", "throttled") else 60)
                    t.equal(got.status, status)
                    probe = interval == 0
                    t.equal(reason(got) is not None, status != SUCCESS and not probe, "a reason for crm_mon")


def test_a_check_is_silent_unless_something_is_wrong(t):
    with lab.Sim(t) as sim:
        one, two = cluster(t, sim)
        t.equal(two.run("start").status, SUCCESS)
        t.equal(two.monitor().err, "", "in service")
        t.equal(one.probe().err, "", "the probe on the standby node")
        t.has(two.monitor(env={"HA_debug": "1"}).err, ":720001:", "debug shows all")
        sim.faults(DOWN)
        t.has(two.monitor(timeout_s=2).err, "WARN:cloudvip:quickCheck:vip1:720009:", "why it says yes")


def test_probe_and_record(t):
    with lab.Sim(t) as sim:
        one, two = cluster(t, sim)
        t.equal(one.probe().status, NOT_RUNNING, "the route points here, and nothing was started here")
        t.equal(two.run("start").status, SUCCESS)
        t.equal(two.probe().status, SUCCESS)
        sim.faults(DOWN)
        t.equal(two.probe(timeout_s=2, on_unknown="fail").status, SUCCESS, "on_unknown is no matter of a probe")
        t.equal(two.monitor(timeout_s=2, on_unknown="fail").status, GENERIC)
        two.node.file("resources.d/vip1.conf", BROKEN)
        t.equal(two.probe().status, SUCCESS, "nor is a broken file")


def test_parameters_come_from_the_cluster(t):
    with lab.Sim(t) as sim:
        one, two = cluster(t, sim, files=False)
        t.equal(two.run("start").status, SUCCESS)
        t.equal(sim.targets(CIDR), {(sim.eni(lab.NODE_2), "active")})
        t.equal(two.monitor().status, SUCCESS)
        t.equal(two.monitor(trace_ra="1", trace_file="/nowhere").status, SUCCESS, "crm resource trace")
        with t.subtest("wrong on every node: stopped everywhere, and only by start"):
            for wrong in ({"adress": VIP}, {"address": "10.1.0"}, {"scenario": "nonsense"}):
                got = two.run("start", **wrong)
                t.equal(got.status, CONFIGURED, str(wrong))
                t.check(reason(got), "the reason")
                t.equal(two.run("validate-all", **wrong).status, CONFIGURED, str(wrong))
            nothing = {"CLOUDVIP_CONFDIR": two.node.home}
            t.equal(two.run("start", env=nothing, provider="aws", address="").status, CONFIGURED, "no address anywhere")
        with t.subtest("wrong on this node"):
            t.equal(two.run("start", address="").status, ARGS, "this node's files could have given it")
            t.equal(two.run("start", eni="", interface="nosuch0").status, ARGS)
        t.equal(two.run("start").status, SUCCESS)
        t.equal(one.run("start").status, SUCCESS, "a move back")
        t.equal(two.monitor().status, GENERIC)


def test_the_address_on_the_interface_counts(t):
    netns.need(t)
    with lab.Sim(t) as sim:
        one, two = cluster(t, sim, files=False)
        eni = sim.eni(lab.NODE_2)
        netns.wire("node2", sim.interface(eni)["mac"])
        two.params = {"scenario": "route-table", "address": VIP, "interface": "node2"}
        t.equal(two.run("start").status, SUCCESS)
        t.check(netns.is_up("node2", VIP), "Pacemaker's default: it is there")
        t.equal((two.monitor().status, two.probe().status), (SUCCESS, SUCCESS))
        netns.put("node2")
        t.equal(two.monitor().status, GENERIC, "gone from the interface")
        t.equal(two.run("stop").status, SUCCESS)
        t.equal(two.run("start").status, SUCCESS)
        sim.faults(DOWN)
        t.equal(two.run("stop", timeout_s=5).status, SUCCESS, "no API is needed to let go of it")
        t.check(not netns.is_up("node2", VIP), "it is off")
        t.equal((two.monitor(timeout_s=2).status, two.probe(timeout_s=2).status), (NOT_RUNNING, NOT_RUNNING))
        netns.unwire("node2")


def test_names(t):
    with lab.Sim(t) as sim:
        one, two = cluster(t, sim)
        two.node.resource("other", scenario="route-table", address=VIP, local_address="no")
        t.equal(two.run("start", env={"OCF_RESOURCE_INSTANCE": "vip1:1"}).status, SUCCESS, "a clone's instance")
        t.check("vip1.json" in two.node.record("vip1"), "the record of vip1")
        t.equal(two.run("start", tag="other", env={"OCF_RESOURCE_INSTANCE": "nosuch"}).status, SUCCESS)
        t.check("other.json" in two.node.record("other"), "the record of other")
        got = two.run("start", env={"OCF_RESOURCE_INSTANCE": "nosuch"})
        t.equal(got.status, INSTALLED, "neither in the cluster nor in the files")
        t.has(reason(got), "nosuch")
        t.equal(two.run("monitor", env={"OCF_RESOURCE_INSTANCE": "nosuch"}).status, NOT_RUNNING)
        t.equal(two.run("stop", env={"OCF_RESOURCE_INSTANCE": "nosuch"}).status, SUCCESS)
        t.equal(two.run("start", env={"OCF_RESOURCE_INSTANCE": ""}).status, ARGS)


def test_deadline_is_pacemakers_less_a_tenth(t):
    with lab.Sim(t) as sim:
        _, two = cluster(t, sim, api_timeout=60)
        sim.faults({"match": {"kind": "ec2"}, "times": 0, "do": {"type": "hang"}})
        got = two.run("start", timeout_s=5)
        t.equal(got.status, GENERIC, "it answers before it is killed")
        t.has(reason(got), "DescribeRouteTables", "with what it waited for")


def test_validate_all(t):
    with lab.Sim(t) as sim:
        _, two = cluster(t, sim)
        sim.clear_log()
        t.equal(two.run("validate-all").status, SUCCESS)
        t.equal(sim.log(), [], "at level 0 nothing is asked")
        t.equal(two.node.record("vip1"), {}, "and nothing is written")
        deep = {"OCF_CHECK_LEVEL": "10"}
        t.equal(two.run("validate-all", env=deep).status, SUCCESS)
        t.check("DescribeRouteTables" in sim.api_actions(), "at level 10 the cloud is asked")
        t.equal(sim.targets(CIDR), {(sim.eni(lab.NODE_1), "active")}, "nothing is changed")
        sim.faults(DENY)
        got = two.run("validate-all", env=deep)
        t.equal(got.status, PERM)
        t.has(reason(got), "DescribeRouteTables")
        t.equal(two.run("validate-all").status, SUCCESS)
        sim.faults()
        t.equal(two.run("validate-all", env=deep, address="10.9.9.9").status, ARGS, "no such route")
        t.equal(two.run("reload-agent").status, SUCCESS)
        t.equal(two.run("reload-agent", api_timeout="soon").status, CONFIGURED)


def test_meta_data(t):
    root = install(t)
    with lab.Sim(t) as sim:
        agent = Agent(t, lab.Node(t, sim, lab.NODE_1), root)
        got = agent.run("meta-data")
        t.equal((got.status, got.err), (SUCCESS, ""))
        tree = ET.fromstring(got.out)
        names = [p.get("name") for p in tree.find("parameters")]
        t.equal(len(names), len(set(names)), "each once")
        for name in ("tag", "address", "route_tables", "on_unknown", "proxy"):
            t.check(name in names, name)
        with open(os.path.join(lab.ROOT, "kit/conf/schema.h")) as f:
            for line in f:
                if line.strip().startswith("X(") and '", ' in line:
                    t.check(line.split('"')[1] in names, line)
        actions = {a.get("name") for a in tree.find("actions")}
        t.equal(actions, {"start", "stop", "monitor", "validate-all", "reload-agent", "meta-data"})
        for action in actions - {"meta-data"}:
            t.check(agent.run(action, timeout_s=60, scenario="route-table").status != UNIMPLEMENTED, action)
        t.equal(agent.run("promote").status, UNIMPLEMENTED)
        t.equal(agent.run("usage").status, SUCCESS)
        for schema, option in (("/usr/share/pcs/data/ocf-1.1.rng", "--relaxng"),
                               ("/usr/share/resource-agents/ra-api-1.dtd", "--dtdvalid")):
            with t.subtest(schema):
                if not os.path.exists(schema) or not shutil.which("xmllint"):
                    t.skip("no %s, or no xmllint" % schema)
                xml = t.write("meta.xml", got.out)
                # The DTD as the document names it: with what the document declares in front of it.
                command = ["xmllint", "--noout", "--nonet"] + ([option, schema] if option == "--relaxng" else ["--valid"])
                done = subprocess.run(command + [xml if option == "--relaxng" else "-"], cwd=os.path.dirname(schema),
                                      input=None if option == "--relaxng" else got.out.encode(),
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                t.equal(done.returncode, 0, done.stdout.decode())


def test_ocf_tester(t):
    if not shutil.which("ocf-tester") or os.geteuid():
        t.skip("no ocf-tester (resource-agents), or not root")
    with lab.Sim(t) as sim:
        _, two = cluster(t, sim)
        argv = ["ocf-tester", "-n", "vip1", "-o", "scenario=route-table", "-o", "address=" + VIP,
                "-o", "local_address=no", two.path]
        env = dict(two.node.env, OCF_ROOT=OCF_DIR)
        got = lab.Running(two.node, argv, lab.clean_env(**env)).wait(120)
        t.equal(got.status, 0)
        t.has(got.out, "passed all tests")
        t.lacks(got.out, "* rc=")


# ---- the examples ----------------------------------------------------------------------------------

INSIDE = """
mount --bind "$1" /usr/lib/ocf/resource.d
shift
exec "$@"
"""
BASE = ("<crm_config><cluster_property_set id='o'><nvpair id='s' name='stonith-enabled' value='false'/>"
        "<nvpair id='q' name='no-quorum-policy' value='ignore'/>"
        "</cluster_property_set></crm_config>")


class Cib:
    """An offline CIB; programs see the agent of this build in its place."""

    def __init__(self, t):
        if os.geteuid() or not os.path.isdir(OCF_DIR + "/resource.d") or not shutil.which("cibadmin"):
            t.skip("not root, or no Pacemaker")
        self.t = t
        self.agents = os.path.join(install(t), "resource.d")
        for name in os.listdir(OCF_DIR + "/resource.d"):
            if name != "cloudvip":
                shutil.copytree(os.path.join(OCF_DIR, "resource.d", name), os.path.join(self.agents, name), symlinks=True)
        self.file = t.path("cib.xml")
        with open(self.file, "wb") as f:
            f.write(subprocess.check_output(["cibadmin", "--empty"]))
        self.run("cibadmin", "-o", "crm_config", "-M", "-c", "-X", BASE)

    def run(self, *command):
        home = self.t.path("home")
        os.makedirs(home, exist_ok=True)
        done = subprocess.run(["unshare", "-m", "sh", "-c", INSIDE, "sh", self.agents] + list(command),
                              env=lab.clean_env(HOME=home, CIB_file=self.file, TERM="dumb"), cwd=home,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out = done.stdout.decode("utf-8", "replace")
        self.t.log("%s: %d\n%s" % (" ".join(command), done.returncode, out))
        self.t.equal(done.returncode, 0, "%s: %s" % (command[0], out))
        return out

    def primitives(self):
        return {p.get("id"): p.get("provider") + ":" + p.get("type")
                for p in ET.parse(self.file).getroot().iter("primitive")}

    def verify(self):
        out = self.run("crm_verify", "-x", self.file, "-V")
        self.t.equal([line for line in out.splitlines() if "Blind faith" not in line], [])


def examples(suffix):
    return sorted(name for name in os.listdir(EXAMPLES) if name.endswith(suffix))


@tap.cases(examples(".crm"))
def test_example_for_crmsh(t, name):
    if not shutil.which("crm"):
        t.skip("no crmsh")
    cib = Cib(t)
    cib.run("crm", "configure", "load", "update", os.path.join(EXAMPLES, name))
    t.check("cloudvip:cloudvip" in cib.primitives().values(), "the resource is there: %s" % cib.primitives())
    out = cib.run("crm", "configure", "verify")
    t.equal([line for line in out.splitlines() if "Blind faith" not in line], [], "nothing to remark")
    cib.verify()


@tap.cases(examples(".pcs"))
def test_example_for_pcs(t, name):
    if not shutil.which("pcs"):
        t.skip("no pcs")
    cib = Cib(t)
    script = "pcs() { command pcs -f '%s' \"$@\"; }\nset -e\n. '%s'\n" % (cib.file, os.path.join(EXAMPLES, name))
    cib.run("sh", "-c", script)
    t.check("cloudvip:cloudvip" in cib.primitives().values(), "the resource is there: %s" % cib.primitives())
    cib.verify()


def test_pcs_and_crmsh_know_the_agent(t):
    cib = Cib(t)
    for command in (["pcs", "resource", "describe", "ocf:cloudvip:cloudvip"], ["crm", "ra", "info", "ocf:cloudvip:cloudvip"]):
        if shutil.which(command[0]):
            t.has(cib.run(*command), "route_tables")


if __name__ == "__main__":
    netns.enter()
    tap.main()
