"""What the end-to-end tests are made of: a simulated cloud, and nodes that have their place in it.

    with lab.Sim(t) as sim:                      # build/bin/cloudsim with worlds/two-nodes.json
        one = lab.Node(t, sim, NODE_1)
        one.resource("vip1", scenario="route-table", address="10.1.0.10")
        got = one.run("restore", "vip1")         # got.status, got.out, got.err, got.wall_s
        t.equal(sim.targets("10.1.0.10/32"), {…})

Both belong to the test `t` (tests/lib/tap.py): what they wrote is shown when it fails, and they end
with it.  A node's programs see nothing of the caller's environment.
"""
import contextlib
import http.client
import json
import os
import signal
import subprocess
import threading
import time

import tap

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WORLDS = os.path.join(ROOT, "tests/sim/worlds")
BUILD = os.path.join(ROOT, os.environ.get("BUILD") or "build")

# The ids of worlds/two-nodes.json.
NODE_1 = "i-0aa00000000000001"
NODE_2 = "i-0aa00000000000002"
# Those of worlds/ali-two-nodes.json and worlds/ali-havip.json.
ALI_NODE_1 = "i-node1"
ALI_NODE_2 = "i-node2"

ACTIONS = ("restore", "remove", "quickCheck", "recover")
# What a test's own environment hands to programs of the sanitizer builds.
SANITIZER_NAMES = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
SANITIZER_SIGNS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                   "WARNING: ThreadSanitizer")


def program(name):
    """The path of one of our programs in the build under test."""
    path = os.path.join(BUILD, "bin", name)
    if not os.access(path, os.X_OK):
        raise tap.Failed("%s was not built" % os.path.relpath(path, ROOT))
    return path


def clean_env(**more):
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    env.update((name, os.environ[name]) for name in SANITIZER_NAMES if name in os.environ)
    env.update((name, str(value)) for name, value in more.items() if value is not None)
    return env


def check_sanitizers(name, text):
    """Whatever a sanitizer has to say fails the test, whatever the exit status was."""
    for sign in SANITIZER_SIGNS:
        if sign in text:
            raise tap.Failed("%s: %s\n%s" % (name, sign, text))


def world(name="two-nodes"):
    """A world file of tests/sim/worlds, to be changed before it is given to Sim."""
    with open(os.path.join(WORLDS, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def generated_world(generator="gen.py", **options):
    """A world of worlds/gen.py or worlds/ali_gen.py: generated_world(tables=200, nodes=2)."""
    command = ["python3", os.path.join(WORLDS, generator)]
    for name, value in options.items():
        name = name.replace("_", "-")
        command += ["--" + name] if value is True else ["--" + name, str(value)]
    return json.loads(subprocess.check_output(command, env=clean_env()).decode())


# ---- certificates --------------------------------------------------------------------------------

class Authority:
    """A certificate authority of this test, made with the openssl program."""

    def __init__(self, t, name="ca"):
        self.t = t
        self.dir = t.path(name)
        os.makedirs(self.dir)
        self.ca_file = self._path("ca.pem")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                      "-keyout", self._path("ca.key"), "-out", self.ca_file, "-days", "2",
                      "-subj", "/CN=test authority " + name)

    def _path(self, name):
        return os.path.join(self.dir, name)

    def _openssl(self, *args):
        done = subprocess.Popen(["openssl"] + list(args), env=clean_env(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        out, _ = done.communicate()
        if done.returncode:
            raise tap.Failed("openssl %s: %s" % (" ".join(args), out.decode("utf-8", "replace")))

    def issue(self, name="server", alt="IP:127.0.0.1,DNS:localhost"):
        """(certificate file, key file) for these names."""
        cert, key, request, extensions = (self._path(name + s) for s in (".pem", ".key", ".csr", ".ext"))
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                      "-keyout", key, "-out", request, "-subj", "/CN=" + name)
        with open(extensions, "w") as f:
            f.write("subjectAltName=%s\n" % alt)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self._path("ca.key"),
                      "-set_serial", str(time.time_ns() if hasattr(time, "time_ns") else int(time.time() * 1e9)),
                      "-days", "2", "-extfile", extensions, "-out", cert)
        return cert, key


# ---- the simulated cloud -------------------------------------------------------------------------

class Sim:
    """A running cloudsim.

    `world`: the name of a file in tests/sim/worlds, or a world as a dictionary.  `tls`: serves https
    as well; sim.tls_url, and sim.ca_file for who shall trust it.  `imds`: instances that get a
    metadata service of their own port, sim.imds[ID].
    """

    def __init__(self, t, world="two-nodes", tls=False, latency_ms=0, imds=(), args=()):
        self.t = t
        self._faults_used = False
        number = getattr(t, "lab_sims", 0) + 1
        t.lab_sims = number
        self.dir = t.path("sim%d" % number)
        os.makedirs(self.dir)
        self.ca_file = None
        if isinstance(world, dict):
            path = os.path.join(self.dir, "world.json")
            with open(path, "w") as f:
                json.dump(world, f)
        else:
            path = os.path.join(WORLDS, world + ".json")
        command = [program("cloudsim"), "--listen", "127.0.0.1:0"]
        if tls:
            authority = tls if isinstance(tls, Authority) else Authority(t, "ca%d" % number)
            cert, key = authority.issue("cloud%d" % number)
            self.ca_file = authority.ca_file
            command += ["--listen-tls", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key]
        for instance in imds:
            command += ["--imds", "127.0.0.1:0=" + instance]
        if latency_ms:
            command += ["--latency", str(latency_ms)]
        ports = os.path.join(self.dir, "ports")
        requests = os.path.join(self.dir, "requests")
        command += ["--world", path, "--port-file", ports, "--log", requests, "--quiet"] + list(args)
        self._stderr = os.path.join(self.dir, "stderr")
        with open(self._stderr, "wb") as err:
            self.process = subprocess.Popen(command, env=clean_env(), cwd=self.dir, stdin=subprocess.DEVNULL,
                                            stdout=err, stderr=err)
        t.attach(self._stderr)
        t.attach(requests, 40)
        t.cleanup(self.stop)
        t.wait_until(lambda: os.path.exists(ports) or self.process.poll() is not None, "cloudsim is ready", 20)
        if self.process.poll() is not None:
            process, self.process = self.process, None
            raise tap.Failed("cloudsim ended with %d: %s" % (process.returncode, self.stderr()))
        with open(ports) as f:
            numbers = [int(line) for line in f]
        self.port = numbers[0]
        self.url = "http://127.0.0.1:%d/" % self.port
        self.tls_url = "https://127.0.0.1:%d/" % numbers[1] if tls else None
        self.imds = {i: "http://127.0.0.1:%d/" % n for i, n in zip(imds, numbers[2 if tls else 1:])}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stderr(self):
        with open(self._stderr, "rb") as f:
            return f.read().decode("utf-8", "replace")

    def died(self):
        """It ended, and nobody told it to."""
        return self.process is not None and self.process.poll() is not None

    def stop(self):
        """Ends it; a status other than 0, or a word of a sanitizer, fails the test."""
        if self.process is None:
            return
        process, self.process = self.process, None
        process.terminate()
        try:
            status = process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise tap.Failed("cloudsim did not end within 20 s of SIGTERM")
        check_sanitizers("cloudsim", self.stderr())
        if status != 0:
            raise tap.Failed("cloudsim ended with %d: %s" % (status, self.stderr()))

    # -- the control API ------------------------------------------------------------------------
    def control(self, method, path, body=None, timeout_s=30):
        """(HTTP status, what came back, parsed)"""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        with contextlib.closing(connection):
            connection.request(method, "/_cloudsim/" + path, None if body is None else json.dumps(body),
                               {"Content-Type": "application/json"} if body is not None else {})
            answer = connection.getresponse()
            text = answer.read().decode("utf-8", "replace")
        return answer.status, json.loads(text) if text.strip() else None

    def _ask(self, method, path, body=None, timeout_s=30):
        status, answer = self.control(method, path, body, timeout_s)
        if status // 100 != 2:
            raise tap.Failed("cloudsim: %s %s: HTTP %d: %s" % (method, path, status, answer))
        return answer

    def state(self):
        """The whole world."""
        return self._ask("GET", "state")

    def aws(self):
        return self.state()["aws"]

    def aliyun(self):
        return self.state()["aliyun"]

    @property
    def provider(self):
        """Whose world it is: "aws" or "aliyun"; of a world with both, "aws"."""
        return "aws" if "aws" in self.state() else "aliyun"

    def put_world(self, new):
        return self._ask("PUT", "world", new)

    def log(self, **fields):
        """The requests so far, those whose fields have these values: log(kind="ec2", code=None)."""
        return [entry for entry in self._ask("GET", "log")
                if all(entry.get(name) == value for name, value in fields.items())]

    def api_actions(self):
        """The names of the API calls so far, in the order of their arrival."""
        return [e["action"] for e in self.log() if e["kind"] != "imds"]

    def clear_log(self):
        return self._ask("DELETE", "log")

    def summary(self):
        return self._ask("GET", "summary")

    def faults(self, *faults):
        """Replaces all faults; without any, there are none any more."""
        return self._ask("PUT", "faults", list(faults)) if faults else self._ask("DELETE", "faults")

    def add_fault(self, *faults):
        return self._ask("POST", "faults", list(faults))

    def do(self, op, **fields):
        return self._ask("POST", "do", dict(fields, op=op))

    def wait(self, requests, timeout_ms=10000):
        """Returns once so many API requests are decided since the last clear_log."""
        return self._ask("POST", "wait?requests=%d&timeout_ms=%d" % (requests, timeout_ms),
                         timeout_s=timeout_ms / 1000.0 + 10)

    # -- the world, as tests ask for it ---------------------------------------------------------
    def metadata_url(self, instance):
        return "%s_cloudsim/node/%s/" % (self.url, instance)

    def routes(self, destination):
        """{route table id: (target, state)} of the routes to this destination; in an aliyun world the
        target is the next hop and the state the entry's status."""
        if self.provider == "aliyun":
            return {table["route_table_id"]: (route.get("next_hop_id"), route["status"])
                    for table in self.aliyun()["route_tables"] for route in table["routes"]
                    if route["destination"] == destination}
        return {table["route_table_id"]: (route["target"], route.get("state", "active"))
                for table in self.aws()["route_tables"] for route in table["routes"]
                if route["destination"] == destination}

    def targets(self, destination):
        """The set of (target, state) that the tables have for this destination."""
        return set(self.routes(destination).values())

    def address(self, allocation_id):
        """The Elastic IP: a dictionary as in the world file."""
        world = self.state()
        for address in world.get("aws", {}).get("addresses", []) + world.get("aliyun", {}).get("eips", []):
            if address["allocation_id"] == allocation_id:
                return address
        raise tap.Failed("there is no address %s" % allocation_id)

    def eni(self, instance, device_index=None):
        """The interface of an instance: the one with this index, else the last one; in an aliyun world
        its primary one (0), else its first secondary one."""
        if self.provider == "aliyun":
            kind = "Primary" if device_index == 0 else "Secondary"
            enis = [e["network_interface_id"] for e in self.aliyun()["network_interfaces"]
                    if e.get("instance_id") == instance and e["type"] == kind]
            if not enis:
                raise tap.Failed("%s has no %s interface" % (instance, kind))
            return enis[0]
        found = sorted((e["attachment"]["device_index"], e["network_interface_id"])
                       for e in self.aws()["network_interfaces"]
                       if (e.get("attachment") or {}).get("instance_id") == instance)
        for index, eni in found:
            if index == device_index:
                return eni
        if device_index is not None or not found:
            raise tap.Failed("%s has no interface %s" % (instance, device_index))
        return found[-1][1]

    def interface(self, eni):
        """A network interface: a dictionary as in the world file."""
        for entry in self.state()[self.provider]["network_interfaces"]:
            if entry["network_interface_id"] == eni:
                return entry
        raise tap.Failed("there is no interface %s" % eni)

    def havip(self, havip_id="havip-1"):
        """An HAVIP: a dictionary as in the world file."""
        for entry in self.aliyun()["havips"]:
            if entry["havip_id"] == havip_id:
                return entry
        raise tap.Failed("there is no HAVIP %s" % havip_id)


# ---- a node of the cluster -----------------------------------------------------------------------

class Result:
    """How a program ended."""

    def __init__(self, argv, status, out, err, wall_s):
        self.argv, self.status, self.out, self.err, self.wall_s = argv, status, out, err, wall_s

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return "%s: status %s in %.2f s\n%s%s" % (" ".join(self.argv), self.status, self.wall_s, self.out, self.err)


class Running:
    """A program that was started: wait() for its Result, or kill() it."""

    def __init__(self, node, argv, env, stdin=subprocess.DEVNULL):
        self.node, self.argv = node, argv
        number = len(node.ran)
        node.ran.append(self)
        self._out = os.path.join(node.dir, "out.%d" % number)
        self._err = os.path.join(node.dir, "err.%d" % number)
        self._began = time.monotonic()
        with open(self._out, "wb") as out, open(self._err, "wb") as err:
            self.process = subprocess.Popen(list(node.prefix) + argv, env=env, cwd=node.dir, stdin=stdin, stdout=out,
                                            stderr=err, start_new_session=True)
        node.t.cleanup(self._end)

    def _signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def _end(self):
        if self.process.poll() is None:
            self._signal(signal.SIGKILL)
            self.process.wait()

    def kill(self):
        """SIGKILL, now; returns the Result."""
        self._signal(signal.SIGKILL)
        return self.wait()

    def wait(self, timeout_s=60):
        """The Result; a program that does not end by then is killed, and fails the test; so does
        one whose cloud has died under it."""
        ended = threading.Event()
        killed = []

        def watch():
            while not ended.wait(0.1):
                if self.node.sim.died():
                    killed.append("cloudsim died: " + self.node.sim.stderr())
                elif time.monotonic() - self._began > timeout_s:
                    killed.append("it did not end within %g s" % timeout_s)
                if killed:
                    self._signal(signal.SIGKILL)
                    return

        # A blocking wait in this thread: a polling one would measure its own interval.
        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            status = self.process.wait()
        finally:
            ended.set()
        wall_s = time.monotonic() - self._began
        watcher.join()
        texts = []
        for path in (self._out, self._err):
            with open(path, "rb") as f:
                texts.append(f.read().decode("utf-8", "replace"))
        result = Result(self.argv, status, texts[0], texts[1], wall_s)
        self.node.t.log(repr(result))
        check_sanitizers(self.argv[0], result.err)
        if killed:
            raise tap.Failed("%s: %s" % (" ".join(self.argv), killed[0]))
        return result


class Node:
    """A cluster node: its configuration, its run directory, its environment.

    `credentials`: "role" (the metadata service gives them), "keys" (the world's first access key, in
    the environment), or None.  `tls`: API calls go to sim.tls_url.  `provider`: whose node it is, "aws"
    or "aliyun"; without it, sim.provider.  Its programs run behind `prefix`: in a network namespace of
    the node's own, say (netns.Host.prefix).
    """

    prefix = ()

    def __init__(self, t, sim, instance=None, credentials="role", tls=False, provider=None, **defaults):
        provider = provider or sim.provider
        if instance is None:
            instance = ALI_NODE_1 if provider == "aliyun" else NODE_1
        self.t, self.sim, self.instance = t, sim, instance
        self.ran = []
        number = getattr(t, "lab_nodes", 0) + 1
        t.lab_nodes = number
        self.dir = t.path("node%d" % number)
        self.confdir = os.path.join(self.dir, "etc")
        self.rundir = os.path.join(self.dir, "run")
        self.home = os.path.join(self.dir, "home")
        self.lkroot = os.path.join(self.dir, "lk")
        for path in (self.confdir, os.path.join(self.confdir, "resources.d"), self.rundir, self.home):
            os.makedirs(path, 0o755)
            os.chmod(path, 0o755)
        endpoint = sim.tls_url if tls else sim.url
        settings = {"provider": provider, "endpoint": endpoint, "sts_endpoint": endpoint,
                    "metadata_endpoint": sim.metadata_url(instance)}
        if tls:
            settings["ca_file"] = sim.ca_file
        settings.update(defaults)
        self.defaults(**settings)
        self.env = {"HOME": self.home, "CLOUDVIP_CONFDIR": self.confdir, "CLOUDVIP_RUNDIR": self.rundir}
        if credentials == "keys" and provider == "aliyun":
            key = [c for c in sim.aliyun()["credentials"] if not c.get("security_token")][0]
            self.env["ALIBABA_CLOUD_ACCESS_KEY_ID"] = key["access_key_id"]
            self.env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] = key["access_key_secret"]
        elif credentials == "keys":
            key = [c for c in sim.aws()["credentials"] if not c.get("session_token")][0]
            self.env["AWS_ACCESS_KEY_ID"] = key["access_key_id"]
            self.env["AWS_SECRET_ACCESS_KEY"] = key["secret_access_key"]

    # -- configuration --------------------------------------------------------------------------
    def file(self, name, text, mode=0o644):
        """A file of the configuration directory; returns its path."""
        path = os.path.join(self.confdir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    @staticmethod
    def _section(name, settings):
        return "[%s]\n%s" % (name, "".join("%s = %s\n" % (k, v) for k, v in settings.items() if v is not None))

    def defaults(self, **settings):
        return self.file("cloudvip.conf", self._section("defaults", settings))

    def resource(self, tag, **settings):
        """resources.d/TAG.conf; without `eni` and `interface` the node's own last interface."""
        if "eni" not in settings and "interface" not in settings:
            settings["eni"] = self.sim.eni(self.instance)
        return self.file("resources.d/%s.conf" % tag, self._section(tag, settings))

    # -- LifeKeeper -----------------------------------------------------------------------------
    def lifekeeper(self, **info):
        """A stand-in for LifeKeeper's command set: ins_list answers info[TAG], `key=value` words."""
        for tag, words in info.items():
            path = os.path.join(self.lkroot, "info", tag)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(words)
        script = "#!/bin/sh\n# ins_list -t TAG\n[ \"$1\" = -t ] && [ -e \"%s/info/$2\" ] || exit 1\n" \
                 "info=$(cat \"%s/info/$2\")\n" \
                 "printf '%%s\\001' node1 comm cloudvip \"$2\" \"$2-id\" \"$info\" ISP AUTORES_ISP\n" \
                 "printf 'restore action has succeeded\\001INTELLIGENT\\n'\n" % (self.lkroot, self.lkroot)
        path = os.path.join(self.lkroot, "bin", "ins_list")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.chmod(os.path.dirname(path), 0o755)  # whatever the umask: root runs what is in it
        with open(path, "w") as f:
            f.write(script)
        os.chmod(path, 0o755)

    # -- programs -------------------------------------------------------------------------------
    def start(self, action, tag=None, *args, env=None, as_lifekeeper=False, binary=False):
        """Starts an action or another command of `cloudvip`; returns Running.

        `binary`: the action's own program instead of `cloudvip ACTION`; always so under LifeKeeper.
        """
        environment = clean_env(**dict(self.env, **(env or {})))
        if as_lifekeeper or binary:
            argv = [program(action), "-t", tag, "-i", tag + "-id"] + list(args)
        else:
            argv = [program("cloudvip")] + list(args) + [action] + ([tag] if tag is not None else [])
        if as_lifekeeper:
            if not os.path.exists(os.path.join(self.lkroot, "bin", "ins_list")):
                self.lifekeeper(**{tag: ""})
            environment["LKROOT"] = self.lkroot
        return Running(self, argv, environment)

    def run(self, action, tag=None, *args, timeout_s=60, **how):
        """As start(); waits for the end; returns Result."""
        return self.start(action, tag, *args, **how).wait(timeout_s)

    def cloudvip(self, *args, timeout_s=60, env=None):
        """`cloudvip ARGS…` as they stand."""
        return Running(self, [program("cloudvip")] + list(args), clean_env(**dict(self.env, **(env or {})))).wait(timeout_s)

    def record(self, tag):
        """What is in the run directory about this resource: {file name: text}."""
        found = {}
        for name in sorted(os.listdir(self.rundir)):
            if tag in name:
                with open(os.path.join(self.rundir, name), errors="replace") as f:
                    found[name] = f.read()
        return found
