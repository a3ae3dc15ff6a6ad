#!/usr/bin/env python3
# tests/run: timeout=400
"""`make demo`: it plays to its end, draws what is, and leaves nothing behind however it ends."""
import importlib.machinery
import importlib.util
import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import lab
import tap

SCRIPT = os.path.join(ROOT, "packaging/demo/cloudvip-demo")
LIMIT_S = 120
ACTS = ("Where is the address?", "The network, as the cloud has it", "What would a failover change?",
        "node1 dies", "The check that runs every two minutes", "The cloud says: not so fast",
        "An answer gets lost", "What it took")
PLACES = ("rtb-0c000001", "rtb-0c000002", "rtb-0c000003", "203.0.113.10")
NODE_1, NODE_2 = "eni-0a000001", "eni-0b000002"
COLOUR = re.compile("\033\\[[0-9;]*m")


def load():
    """The script as a module."""
    loader = importlib.machinery.SourceFileLoader("cloudvip_demo", SCRIPT)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cloudvip_demo", loader))
    loader.exec_module(module)
    return module


def start(t, *options, stdout=subprocess.PIPE, bindir=None, **env):
    """The demonstration in a session of its own, its files below t.tmp."""
    bindir = bindir or os.path.dirname(lab.program("cloudsim"))
    for name in ("cloudvip", "quickCheck"):
        lab.program(name)
    process = subprocess.Popen([sys.executable, SCRIPT, "--bindir", bindir] + list(options), cwd=t.tmp,
                               env=lab.clean_env(TMPDIR=t.tmp, HOME=t.tmp, PYTHONDONTWRITEBYTECODE="1", **env),
                               stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT,
                               start_new_session=True)
    t.cleanup(end, process)
    return process


def end(process):
    if process.poll() is None:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def finish(t, process):
    """(exit status, what it said)"""
    said = process.communicate(timeout=LIMIT_S)[0].decode("utf-8", "replace")
    t.log(said)
    lab.check_sanitizers("the demonstration", said)
    return process.returncode, said


def processes_below(directory):
    """The command lines and environments that name this directory: what a demonstration there left."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) == os.getpid():
            continue
        try:
            with open("/proc/%s/cmdline" % pid, "rb") as f:
                words = f.read()
            with open("/proc/%s/environ" % pid, "rb") as f:
                words += b"\0" + f.read()
        except OSError:
            continue
        if directory.encode() in words:
            found.append(words.split(b"\0")[0].decode("utf-8", "replace"))
    return found


def check_nothing_left(t, but=0):
    t.equal(processes_below(t.tmp), [], "processes that are left")
    t.equal(len([n for n in os.listdir(t.tmp) if n.startswith("cloudvip-demo-")]), but, "directories that are left")


def drawn(lines):
    """{place: (interface, "serves", "lost" or "new")} of one picture in ASCII."""
    found = {}
    for place in PLACES:
        row = [line for line in lines if "| %s " % place in line or "+ %s " % place in line]
        if len(row) != 1:
            raise tap.Failed("%d rows of %s in:\n%s" % (len(row), place, "\n".join(lines)))
        left, right = re.match(r".*\|([^|]*)[|+] %s [|+]([^|]*)\|" % re.escape(place), row[0]).groups()
        ends = {"<-------": (NODE_1, "serves"), "<= new =": (NODE_1, "new"), "x.......": (NODE_1, "lost"),
                "------->": (NODE_2, "serves"), "= new =>": (NODE_2, "new"), ".......x": (NODE_2, "lost")}
        wires = [w for w in (left, right) if w.strip()]
        if len(wires) != 1 or wires[0] not in ends or (ends[wires[0]][0] == NODE_1) != (wires[0] == left):
            raise tap.Failed("not one whole wire: %s" % row[0])
        found[place] = ends[wires[0]]
    return found


def pictures(text):
    """The lines of each picture."""
    found, current = [], None
    for line in text.split("\n"):
        if line.startswith("+-- VPC"):
            current = []
        if current is not None:
            current.append(line)
            if line.startswith("+---"):
                found.append(current)
                current = None
    return found


def in_state(state):
    """{place: (interface, is it served?)}, read from the simulated cloud's state, not by the script's code."""
    aws = state["aws"]
    stopped = {i["instance_id"] for i in aws["instances"] if i["state"] != "running"}
    dead = {e["network_interface_id"] for e in aws["network_interfaces"]
            if e["attachment"]["instance_id"] in stopped}
    found = {}
    for table in aws["route_tables"]:
        for route in table["routes"]:
            if route["destination"] == "10.1.0.10/32":
                found[table["route_table_id"]] = (route["target"], route["state"] == "active")
    address = aws["addresses"][0]
    found[address["public_ip"]] = (address["network_interface_id"], address["network_interface_id"] not in dead)
    return found


def agrees(t, picture, state, before):
    now, then = in_state(state), in_state(before)
    want = {}
    for place, (eni, served) in now.items():
        want[place] = (eni, "lost" if not served else "new" if then[place][0] != eni else "serves")
    t.equal(drawn(picture), want)
    for node, eni in (("node1", NODE_1), ("node2", NODE_2)):
        dead = any(i["state"] != "running" for i in state["aws"]["instances"]
                   for e in state["aws"]["network_interfaces"] if e["network_interface_id"] == eni
                   and e["attachment"]["instance_id"] == i["instance_id"])
        t.has("\n".join(picture), "%s    %s" % (node, "o stopped" if dead else "* running"))


def test_plays_to_its_end(t):
    status, said = finish(t, start(t, "--fast", "--ascii"))
    t.equal(status, 0)
    titles = re.findall(r"^-- (\d)  (.*?) -+$", said, re.MULTILINE)
    t.equal(titles, [(str(n), title) for n, title in enumerate(ACTS, 1)])
    t.equal([line for line in said.split("\n") if len(line) > 80 or not all(" " <= c <= "~" for c in line)], [],
            "lines that are too wide, or not ASCII, or coloured")
    t.equal(len(pictures(said)), 5)
    t.equal(drawn(pictures(said)[0]), {place: (NODE_1, "serves") for place in PLACES})
    t.equal(drawn(pictures(said)[1]), {place: (NODE_1, "lost") for place in PLACES})
    t.equal(drawn(pictures(said)[2]), {place: (NODE_2, "new") for place in PLACES})
    t.equal(len(re.findall(r"ReplaceRoute rtb-\w+ .* answer lost$", said, re.MULTILINE)), 1)
    t.equal(len(re.findall(r"^  \w+.* throttled$", said, re.MULTILINE)), 3)
    t.equal(re.findall(r"^  vip1 to node2: node1 died +\d+ +(\d+) +\d+$", said, re.MULTILINE), ["6"])
    check_nothing_left(t)


def test_on_a_terminal_in_colour_and_kept(t):
    ours, theirs = pty.openpty()
    process = start(t, "--fast", "--ascii", "--keep", stdout=theirs, TERM="xterm")
    os.close(theirs)
    said = read_terminal(ours)
    status = process.wait(timeout=LIMIT_S)
    t.log(said)
    t.equal(status, 0)
    t.check(COLOUR.search(said), "no colour on a terminal")
    plain = COLOUR.sub("", said).replace("\r\n", "\n")
    t.lacks(plain, "\033")
    check_nothing_left(t, but=1)
    kept = os.path.join(t.tmp, [n for n in os.listdir(t.tmp) if n.startswith("cloudvip-demo-")][0])
    t.has(plain, kept)
    states = []
    while os.path.exists(os.path.join(kept, "picture-%d.json" % (len(states) + 1))):
        with open(os.path.join(kept, "picture-%d.json" % (len(states) + 1))) as f:
            states.append(json.load(f))
    shown = pictures(plain)
    t.equal(len(shown), len(states))
    for n, state in enumerate(states):
        with t.subtest("picture %d is the cloud's state" % (n + 1)):
            agrees(t, shown[n], state, states[max(n - 1, 0)])
    with open(os.path.join(kept, "demo.log")) as f:
        commands = re.findall(r"^node\d# (.*)$", f.read(), re.MULTILINE)
    t.equal(re.findall(r"^node\d# ((?!cat ).*)$", re.sub(r" \\\n +", " ", plain), re.MULTILINE), commands)


def read_terminal(descriptor):
    parts = []
    deadline = time.monotonic() + LIMIT_S
    try:
        while select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))[0]:
            part = os.read(descriptor, 65536)
            if not part:
                break
            parts.append(part)
    except OSError:  # EIO: the other side is closed
        pass
    finally:
        os.close(descriptor)
    return b"".join(parts).decode("utf-8", "replace")


def test_picture_of_any_state(t):
    demo = load()
    world = demo.world()
    for table in world["aws"]["route_tables"]:
        for route in table["routes"]:
            route["state"] = "active"
    tables = world["aws"]["route_tables"]
    split = json.loads(json.dumps(world))
    split["aws"]["route_tables"][1]["routes"][1]["target"] = NODE_2
    dead = json.loads(json.dumps(split))
    dead["aws"]["instances"][1]["state"] = "stopped"
    dead["aws"]["route_tables"][1]["routes"][1]["state"] = "blackhole"
    t.equal(len(tables), 3)
    for name, state, before in (("at first", world, world), ("split", split, world), ("split still", split, split),
                                ("half dead", dead, split), ("back", world, split)):
        with t.subtest(name):
            rows = ["".join(c for c, _ in row) for row in demo.picture(state, before, demo.ASCII).cells]
            agrees(t, rows, state, before)
            fine = ["".join(c for c, _ in row) for row in demo.picture(state, before, demo.UNICODE).cells]
            t.equal([len(row) for row in fine], [80] * len(rows))
            t.equal("\n".join(fine).count("new"), "\n".join(rows).count("new"))


def test_character_set(t):
    """By the locale: LANG=C has no box drawing; Python's own idea of it does not count."""
    for variables, ascii_only in ((dict(LANG="C"), True), (dict(LANG="C.UTF-8"), False), (dict(LANG="de_DE.utf8"), False),
                                  (dict(LANG="C.UTF-8", LC_ALL="POSIX"), True)):
        with t.subtest(" ".join("%s=%s" % v for v in variables.items())):
            process = start(t, "--fast", **variables)
            head = b""
            while b"\n" not in head.strip(b"\n"):
                part = os.read(process.stdout.fileno(), 256)
                t.check(part, "it ended")
                head += part
            process.send_signal(signal.SIGTERM)
            finish(t, process)
            t.equal(all(c < 128 for c in head), ascii_only)
    check_nothing_left(t)


def test_stopped_half_way(t):
    for number, act, options in ((signal.SIGINT, 4, ()), (signal.SIGTERM, 6, ()), (signal.SIGHUP, 1, ()),
                                 (signal.SIGINT, 6, ("--keep",))):
        with t.subtest("%s in act %d %s" % (number.name, act, " ".join(options))):
            process = start(t, "--fast", "--ascii", *options)
            head = b""
            while b"\n-- %d  " % act not in head:
                part = os.read(process.stdout.fileno(), 4096)
                t.check(part, "it ended before act %d" % act)
                head += part
            t.check(processes_below(t.tmp), "there is something to clean up")
            process.send_signal(number)
            status, said = finish(t, process)
            t.equal(status, 128 + number)
            t.lacks(said, "Traceback")
            t.has(said, number.name + ": stopped, and cleaned up")
            check_nothing_left(t, but=1 if options else 0)


def test_nobody_looks(t):
    """As in `make demo | head`."""
    process = start(t, "--fast", "--ascii", stdout=subprocess.PIPE)
    os.read(process.stdout.fileno(), 64)
    process.stdout.close()
    process.stdout = None
    t.check(process.wait(timeout=LIMIT_S) != 0, "it claims to have shown everything")
    check_nothing_left(t)


def other_programs(t, **scripts):
    """A directory with our programs, some of them replaced by shell scripts."""
    directory = t.path("bin")
    os.makedirs(directory, exist_ok=True)
    for name in ("cloudsim", "cloudvip", "quickCheck"):
        if name in scripts:
            path = t.write("bin/" + name, "#!/bin/sh\n" + scripts[name] + "\n")
            os.chmod(path, stat.S_IRWXU)
        else:
            os.symlink(lab.program(name), os.path.join(directory, name))
    return directory


def check_surprise(t, expected, came, **scripts):
    status, said = finish(t, start(t, "--fast", "--ascii", bindir=other_programs(t, **scripts)))
    t.equal(status, 1)
    t.has(said, "This was not expected")
    t.has(said, "expected: " + expected)
    t.has(said, "came:     " + came)
    t.lacks(said, "All of it ended as it should")
    kept = re.search(r"kept in (\S+)", said).group(1)
    t.check(os.path.isdir(kept) and os.path.exists(os.path.join(kept, "demo.log")), "its logs are kept in " + kept)
    check_nothing_left(t, but=1)


def test_a_program_that_fails(t):
    check_surprise(t, "0", "9", cloudvip="echo broken; exit 9")


def test_a_program_that_does_nothing(t):
    """It says all that is looked for in its output, and ends well: the cloud's own state tells."""
    real = lab.program("cloudvip")
    check_surprise(t, "3", "0", cloudvip="[ \"$1\" = restore ] && exit 0\nexec '%s' \"$@\"" % real)


def test_a_cloud_that_does_not_start(t):
    check_surprise(t, "it listens", "no world for you", cloudsim="echo no world for you >&2; exit 1")


def test_a_cloud_that_dies(t):
    script = "'%s' \"$@\" &\ncloud=$!\nsleep 1\nkill -9 $cloud\nwait" % lab.program("cloudsim")
    status, said = finish(t, start(t, "--fast", "--ascii", bindir=other_programs(t, cloudsim=script)))
    t.equal(status, 1)
    t.has(said, "This was not expected")
    t.lacks(said, "Traceback")
    t.equal(processes_below(t.tmp), [])


def test_no_programs(t):
    status, said = finish(t, start(t, "--fast", bindir=t.tmp))
    t.equal(status, 1)
    t.has(said, "cloudvip-demo: look for the program cloudsim: not in " + t.tmp)
    check_nothing_left(t)


if __name__ == "__main__":
    tap.main()
