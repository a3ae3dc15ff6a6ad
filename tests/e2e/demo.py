#!/usr/bin/env python3
# tests/run: timeout=400 variants=default
"""`make demo`: it plays to its end, draws what is, and leaves nothing behind however it ends."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
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
sys.path.insert(0, os.path.dirname(SCRIPT))
sys.dont_write_bytecode = True
import aliyun
import aws
import draw
LIMIT_S = 120
ACTS = ("Where is the address?", "The network, as the cloud has it", "What would a failover change?",
        "node1 dies", "The check that runs every two minutes", "The cloud says: not so fast",
        "An answer gets lost", "Alibaba Cloud: an EIP moves in two tasks", "Alibaba Cloud: a HAVIP is announced",
        "What it took")
AWS_PLACES = ("rtb-0c000001", "rtb-0c000002", "rtb-0c000003", "203.0.113.10")
ALI_PLACES = ("198.51.100.7", "10.2.1.50")
NODES = {"aws": ("node1", "node2"), "aliyun": ("ecs1", "ecs2")}
F_SETPIPE_SZ = 1031  # linux/fcntl.h
COLOUR = re.compile("\033\\[[0-9;]*m")


def start(t, *options, stdout=subprocess.PIPE, bindir=None, before=(), script=SCRIPT, **env):
    """The demonstration in a session of its own, its files below t.tmp; `before`: what starts it."""
    bindir = bindir or os.path.dirname(lab.program("cloudsim"))
    for name in ("cloudvip", "quickCheck"):
        lab.program(name)
    process = subprocess.Popen(list(before) + [sys.executable, script, "--bindir", bindir] + list(options), cwd=t.tmp,
                               env=lab.clean_env(TMPDIR=t.tmp, HOME=t.tmp, **env),
                               stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT,
                               start_new_session=True)
    t.cleanup(end, process)
    if process.stdout:
        # As small as can be: what is not read holds it up, and it does not end before the test comes to it.
        fcntl.fcntl(process.stdout, F_SETPIPE_SZ, 4096)
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
    """{place: (0 for the node at the left, 1; "serves", "lost" or "new")} of one picture in ASCII; None without wire."""
    found = {}
    for place in places(lines):
        row = [line for line in lines if re.search(r"[|+] %s +[|+]" % re.escape(place), line)]
        if len(row) != 1:
            raise tap.Failed("%d rows of %s in:\n%s" % (len(row), place, "\n".join(lines)))
        left, right = re.match(r".*\|([^|]*)[|+] %s +[|+]([^|]*)\|" % re.escape(place), row[0]).groups()
        ends = {"<-------": (0, "serves"), "<= new =": (0, "new"), "x.......": (0, "lost"),
                "------->": (1, "serves"), "= new =>": (1, "new"), ".......x": (1, "lost")}
        wires = [w for w in (left, right) if w.strip()]
        if not wires:
            found[place] = None
            continue
        if len(wires) != 1 or wires[0] not in ends or (ends[wires[0]][0] == 0) != (wires[0] == left):
            raise tap.Failed("not one whole wire: %s" % row[0])
        found[place] = ends[wires[0]]
    return found


def cloud_of(lines):
    return "aliyun" if "cn-shanghai" in lines[0] else "aws"


def places(lines):
    return ALI_PLACES if cloud_of(lines) == "aliyun" else AWS_PLACES


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


def aws_state(state):
    """(which nodes run, {place: (node, is it served?)}), read from the cloud's state, not by the demonstration's code."""
    aws_world = state["aws"]
    node_of = {"eni-0a000001": 0, "eni-0b000002": 1}
    runs = [i["state"] == "running" for i in aws_world["instances"]]
    found = {}
    for table in aws_world["route_tables"]:
        for route in table["routes"]:
            if route["destination"] == "10.1.0.10/32":
                found[table["route_table_id"]] = (node_of[route["target"]], route["state"] == "active")
    address = aws_world["addresses"][0]
    node = node_of[address["network_interface_id"]]
    found[address["public_ip"]] = (node, runs[node])
    return runs, found


def ali_state(state):
    """As aws_state; None is nobody."""
    world = state["aliyun"]
    runs = [i["status"] == "Running" for i in world["instances"]]
    eip, havip = world["eips"][0], world["havips"][0]
    node_of = {"eni-c0000001": 0, "eni-c0000002": 1, "i-c0000001": 0, "i-c0000002": 1}
    held = {eip["ip_address"]: eip.get("instance_id"), havip["ip_address"]: havip["master"]}
    return runs, {address: (node_of[holder], runs[node_of[holder]]) if holder else None
                  for address, holder in held.items()}


def agrees(t, picture, state, before):
    read = ali_state if cloud_of(picture) == "aliyun" else aws_state
    (runs, now), (_, then) = read(state), read(before)
    want = {}
    for place, holder in now.items():
        moved = then[place] is None or holder is not None and then[place][0] != holder[0]
        want[place] = holder and (holder[0], "lost" if not holder[1] else "new" if moved else "serves")
    t.equal(drawn(picture), want)
    for name, up in zip(NODES[cloud_of(picture)], runs):
        t.check(re.search(r"%s +%s" % (name, r"\* running" if up else "o stopped"), "\n".join(picture)), name)


def can_announce():
    """May we make interfaces?  Then the demonstration does."""
    try:
        return os.geteuid() == 0 and subprocess.call(
            ["unshare", "-n", "ip", "link", "add", "cvx", "type", "veth", "peer", "name", "cvy"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def check_played(t, said, announced):
    titles = re.findall(r"^-- (\d+)  (.*?) -+$", said, re.MULTILINE)
    t.equal(titles, [(str(n), title) for n, title in enumerate(ACTS, 1)])
    t.equal([line for line in said.split("\n") if len(line) > 80 or not all(" " <= c <= "~" for c in line)], [],
            "lines that are too wide, or not ASCII, or coloured")
    shown = pictures(said)
    t.equal(len(shown), 7)
    for n, want in enumerate(((0, "serves"), (0, "lost"), (1, "new"))):
        t.equal(drawn(shown[n]), {place: want for place in AWS_PLACES}, "picture %d" % (n + 1))
    t.equal(drawn(shown[5]), {place: (0, "serves") for place in ALI_PLACES})
    t.equal(drawn(shown[6]), dict.fromkeys(ALI_PLACES, (1, "new")) if announced else
            {ALI_PLACES[0]: (1, "new"), ALI_PLACES[1]: None})
    t.equal(len(re.findall(r"ReplaceRoute rtb-\w+ .* answer lost$", said, re.MULTILINE)), 1)
    t.equal(len(re.findall(r"^  \w+.* throttled$", said, re.MULTILINE)), 3)
    moves = dict(re.findall(r"^  (\w+ to \w+: [\w ]+?) +\d+ +(\d+) +\d+$", said, re.MULTILINE))
    t.equal(moves["vip1 to node2: node1 died"], "6")
    t.check(int(moves["eip2 to ecs2: ecs1 died"]) >= 7, "two tasks are waited for: %s" % moves)
    t.equal("havip1 to ecs2: ecs1 died" in moves, announced)
    t.equal("Without root" in said, not announced)
    t.equal("10.2.1.50/32" in said, announced, "the interface has it")
    order = re.findall(r"^  (\w*(?:Eip)\w*) +\S+ +\d+$", said, re.MULTILINE)
    t.equal([a for i, a in enumerate(order) if i == 0 or order[i - 1] != a],
            ["DescribeEipAddresses", "UnassociateEipAddress", "DescribeEipAddresses", "AssociateEipAddress",
             "DescribeEipAddresses"], "it looks before, between and after the two tasks")


def test_plays_to_its_end(t):
    status, said = finish(t, start(t, "--fast", "--ascii"))
    t.equal(status, 0)
    check_played(t, said, can_announce())
    check_nothing_left(t)
    t.equal([n for n in os.listdir(os.path.dirname(SCRIPT)) if n.startswith("__")], [], "what Python leaves")


def test_without_privileges(t):
    """Whoever may not make interfaces sees a HAVIP's check and plan; root without capabilities is such a one."""
    before = []
    if os.geteuid() == 0:
        before = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
        if not shutil.which("setpriv"):
            t.skip("there is no setpriv")
    status, said = finish(t, start(t, "--fast", "--ascii", before=before))
    t.equal(status, 0)
    check_played(t, said, False)
    check_nothing_left(t)


def test_installed_elsewhere(t):
    """Its files beside each other are all it needs; a link to it leads to them."""
    shutil.copytree(os.path.dirname(SCRIPT), t.path("libexec"))
    os.symlink(t.path("libexec/cloudvip-demo"), t.path("demo"))
    status, said = finish(t, start(t, "--fast", "--ascii", script=t.path("demo")))
    t.equal(status, 0)
    t.has(said, "All of it ended as it should")
    t.equal(sorted(os.listdir(t.path("libexec"))), sorted(os.listdir(os.path.dirname(SCRIPT))))
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
    before = {}
    for n, state in enumerate(states):
        with t.subtest("picture %d is the cloud's state" % (n + 1)):
            agrees(t, shown[n], state, before.get(cloud_of(shown[n]), state))
        before[cloud_of(shown[n])] = state
    with open(os.path.join(kept, "demo.log")) as f:
        commands = re.findall(r"^(?:node|ecs)\d# (.*)$", f.read(), re.MULTILINE)
    t.equal(re.findall(r"^(?:node|ecs)\d# ((?!cat ).*)$", re.sub(r" \\\n +", " ", plain), re.MULTILINE), commands)


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


def check_picture(t, module, state, before):
    """As it is drawn in ASCII, and that the other one is the same."""
    rows = ["".join(c for c, _ in row) for row in module.picture(state, before, draw.ASCII).cells]
    agrees(t, rows, state, before)
    fine = ["".join(c for c, _ in row) for row in module.picture(state, before, draw.UNICODE).cells]
    t.equal([len(row) for row in fine], [80] * len(rows))
    t.equal("\n".join(fine).count("new"), "\n".join(rows).count("new"))


def copy(state):
    return json.loads(json.dumps(state))


def test_picture_of_any_state(t):
    world = aws.world()
    for table in world["aws"]["route_tables"]:
        for route in table["routes"]:
            route["state"] = "active"
    t.equal(len(world["aws"]["route_tables"]), 3)
    split = copy(world)
    split["aws"]["route_tables"][1]["routes"][1]["target"] = "eni-0b000002"
    dead = copy(split)
    dead["aws"]["instances"][1]["state"] = "stopped"
    dead["aws"]["route_tables"][1]["routes"][1]["state"] = "blackhole"
    for name, state, before in (("at first", world, world), ("split", split, world), ("split still", split, split),
                                ("half dead", dead, split), ("back", world, split)):
        with t.subtest(name):
            check_picture(t, aws, state, before)


def test_picture_of_any_state_of_alibaba_cloud(t):
    world = aliyun.world()
    for instance in world["aliyun"]["instances"]:
        instance["status"] = "Running"
    moved = copy(world)
    moved["aliyun"]["eips"][0]["instance_id"] = "i-c0000002"
    moved["aliyun"]["havips"][0]["master"] = "i-c0000002"
    nowhere = copy(world)
    nowhere["aliyun"]["eips"][0]["instance_id"] = ""
    nowhere["aliyun"]["havips"][0]["master"] = ""
    dead = copy(world)
    dead["aliyun"]["instances"][0]["status"] = "Stopped"
    for name, state, before in (("at first", world, world), ("moved", moved, world), ("nowhere", nowhere, world),
                                ("back", world, nowhere), ("dead", dead, world)):
        with t.subtest(name):
            check_picture(t, aliyun, state, before)


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
    for number, act, options in ((signal.SIGINT, 4, ()), (signal.SIGTERM, 6, ()), (signal.SIGHUP, 1, ()), (signal.SIGTERM, 9, ()),
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


def test_an_eip_that_does_not_move(t):
    check_surprise(t, "['UnassociateEipAddress', 'AssociateEipAddress']", "[]",
                   cloudvip="[ \"$*\" = 'restore eip2' ] && exit 0\nexec '%s' \"$@\"" % lab.program("cloudvip"))


def test_a_havip_that_does_not_move(t):
    if not can_announce():
        t.skip("needs a network namespace: interfaces are made")
    check_surprise(t, "'10.2.1.50' in it", "ecs2-eth1",
                   cloudvip="[ \"$*\" = 'restore havip1' ] && exit 0\nexec '%s' \"$@\"" % lab.program("cloudvip"))


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
