"""The stage of the demonstration: a running cloudsim, nodes with their configuration, programs run on them."""
import http.client
import json
import os
import subprocess
import time

import draw

PROGRAM_LIMIT_S = 60    # none of the programs has a reason to take longer here
LATENCY_MS = 40         # of each API call: enough to see in the pictures what waits for what


class Surprise(Exception):
    """An act did not end as expected."""

    def __init__(self, what, expected, came):
        Exception.__init__(self, what)
        self.what, self.expected, self.came = what, expected, came


class Stopped(BaseException):
    """A signal asked us to end."""

    def __init__(self, number):
        BaseException.__init__(self)
        self.number = number


class Deferred:
    """Signals wait until its end: a process has to be known before it can be ended."""

    depth = 0
    number = None

    def __enter__(self):
        Deferred.depth += 1

    def __exit__(self, *_):
        Deferred.depth -= 1
        if Deferred.number is not None and not Deferred.depth:
            raise Stopped(Deferred.number)


def on_signal(number, _frame):
    Deferred.number = number
    if not Deferred.depth:
        raise Stopped(number)


# ---- the simulated cloud -------------------------------------------------------------------------

class Cloud:
    """A running cloudsim and its control API."""

    def __init__(self, program, directory):
        self.directory = directory
        self.process = self.port = self.url = None
        self.world = os.path.join(directory, "world.json")
        self.program = program

    def start(self, world, segments=()):
        """`segments`: (interface, instance); what is announced there is that instance's (root only)."""
        with open(self.world, "w") as f:
            json.dump(world, f, indent=1)
        directory = self.directory
        ports = os.path.join(directory, "ports")
        said = os.path.join(directory, "cloudsim.log")
        command = [self.program, "--listen", "127.0.0.1:0", "--world", self.world, "--port-file", ports,
                   "--latency", str(LATENCY_MS), "--log", os.path.join(directory, "requests.log"), "--quiet"]
        for segment in segments:
            command += ["--segment", "%s=%s" % segment]
        with open(said, "wb") as out, Deferred():
            # A session of its own: Ctrl-C is for us, and we end it in order.
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            start_new_session=True)
        end = time.monotonic() + 20
        while not os.path.exists(ports):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(said) as f:
                    raise Surprise("start the simulated cloud", "it listens", f.read().strip() or "nothing within 20 s")
            time.sleep(0.01)
        with open(ports) as f:
            self.port = int(f.readline())
        self.url = "http://127.0.0.1:%d/" % self.port

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, "/_cloudsim/" + path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode("utf-8")
        except (OSError, http.client.HTTPException) as e:
            raise Surprise("%s %s at the simulated cloud" % (method, path), "an answer", e)
        finally:
            connection.close()
        if answer.status // 100 != 2:
            raise Surprise("%s %s at the simulated cloud" % (method, path), "HTTP 200", text)
        return json.loads(text) if text.strip() else None

    def do(self, op, **fields):
        self.ask("POST", "do", dict(fields, op=op))

    def faults(self, *faults):
        self.ask("PUT", "faults", list(faults))

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Run:
    """How a program ended, and what it asked of the cloud."""

    def __init__(self, status, text, wall_ms, log, summary):
        self.status, self.text, self.wall_ms, self.log = status, text, wall_ms, log
        self.calls = [e for e in log if e["kind"] != "imds"]
        self.rounds = summary["rounds"]

    def actions(self):
        return [e["action"] for e in self.calls]

    def faults(self, kind):
        return sum(1 for e in self.log if e["fault"] == kind)


# ---- nodes and their programs --------------------------------------------------------------------

class Stage:
    """The cloud, its nodes' files and programs, what they did; nothing of any one cloud."""

    def __init__(self, screen, programs, directory):
        self.screen, self.programs, self.directory = screen, programs, directory
        self.cloud = self.child = None
        self.moves, self.pictures, self.seen = [], 0, {}

    # -- nodes and their programs ---------------------------------------------------------------
    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, name, text):
        """Root's configuration must be writable by root alone, whatever the umask."""
        parent = os.path.dirname(self.path(name))
        os.makedirs(parent, exist_ok=True)
        while parent != self.directory:
            os.chmod(parent, 0o755)
            parent = os.path.dirname(parent)
        with open(self.path(name), "w") as f:
            f.write(text)
        os.chmod(self.path(name), 0o644)

    def configure(self, node, provider, **resources):
        """resources: {tag: {setting: value}}"""
        self.write("%s/etc/cloudvip.conf" % node.name,
                   "[defaults]\nprovider = %s\nendpoint = %s\nmetadata_endpoint = %s_cloudsim/node/%s/\n"
                   % (provider, self.cloud.url, self.cloud.url, node.instance))
        for tag, settings in resources.items():
            self.write("%s/etc/resources.d/%s.conf" % (node.name, tag),
                       "[%s]\n%s" % (tag, "".join("%-9s = %s\n" % item for item in settings.items())))
        self.write("%s/env" % node.name, "# . this file, to be on %s\n%s" % (
            node.name, "".join("export %s=%s\n" % item for item in sorted(self.environment(node).items())
                               if item[0].startswith("CLOUDVIP_"))))
        os.makedirs(self.path(node.name, "run"))
        os.chmod(self.path(node.name, "run"), 0o755)

    def environment(self, node):
        """Nothing of the caller's: neither credentials nor proxies nor a cluster manager's variables."""
        env = {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C", "HOME": self.path(node.name),
               "CLOUDVIP_CONFDIR": self.path(node.name, "etc"), "CLOUDVIP_RUNDIR": self.path(node.name, "run")}
        env.update((k, v) for k, v in os.environ.items() if k in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"))
        return env

    def run(self, node, *words, **variables):
        """Types a command at a node; shows it, what it said, its status and time; returns a Run."""
        prompt = node.name + "# "
        typed = " ".join(["%s=%s" % item for item in variables.items()] + list(words))
        self.screen.typed(prompt, typed)
        self.cloud.ask("DELETE", "log")
        began = time.perf_counter()
        with Deferred():
            self.child = subprocess.Popen(
                words, executable=self.programs.get(words[0]), stdin=subprocess.DEVNULL,
                env=dict(self.environment(node), **variables), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True)
        try:
            said = self.child.communicate(timeout=PROGRAM_LIMIT_S)[0]
        except subprocess.TimeoutExpired:
            raise Surprise(typed, "it ends within %d s" % PROGRAM_LIMIT_S, "it still runs")
        wall_ms = 1000 * (time.perf_counter() - began)
        run = Run(self.child.returncode, said.decode("utf-8", "replace"), wall_ms, self.cloud.ask("GET", "log"),
                  self.cloud.ask("GET", "summary"))
        self.note("%s%s\n%sexit status %d, %.0f ms\n\n" % (prompt, typed, run.text, run.status, wall_ms))
        if run.text:
            self.screen.output(run.text)
        self.screen.after("exit status %d, %.0f ms, %s" % (run.status, wall_ms, plural(len(run.calls), "API call")))
        return run

    def note(self, text):
        with open(self.path("demo.log"), "a") as f:
            f.write(text)

    def move(self, name, node, *words):
        """A run that moves an address; it is in the table at the end, and its calls are drawn."""
        run = self.run(node, *words)
        self.moves.append((name, run))
        return run

    def show_calls(self, run):
        for line in draw.waterfall(run.log, self.screen.glyphs):
            self.screen.line(line)
        self.screen.line()

    def draw(self, holders, picture):
        """The picture of what the cloud says now; what has moved since the last of its kind is marked."""
        state = self.cloud.ask("GET", "state")
        before = self.seen.get(picture, state)
        self.pictures += 1
        with open(self.path("picture-%d.json" % self.pictures), "w") as f:
            json.dump(state, f)
        g = self.screen.glyphs
        picture(state, before, g).show(self.screen)
        self.screen.line(draw.legend(g, holders(state), holders(before)).rjust(draw.WIDTH - 1), "dim")
        self.seen[picture] = state

    def show_file(self, node, name):
        """As cat shows a file of its configuration."""
        self.screen.typed(node.name + "# ", "cat $CLOUDVIP_CONFDIR/" + name)
        with open(self.path(node.name, "etc", name)) as f:
            self.screen.output(f.read())
        self.screen.line()

    # -- what has to come -----------------------------------------------------------------------
    @staticmethod
    def expect(what, came, expected):
        if came != expected:
            raise Surprise(what, expected, came)

    def expect_run(self, run, what, status, *texts):
        if run.status != status:
            raise Surprise(what + ": exit status", status, run.status)
        for text in texts:
            if text not in run.text:
                raise Surprise(what + ": its output", "%r in it" % text, run.text.strip())


def plural(count, noun):
    return "%d %s%s" % (count, noun, "" if count == 1 else "s")
