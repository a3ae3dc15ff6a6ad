#!/usr/bin/env python3
"""hooks/examples and hooks/lib, as they are shipped: against real servers, programs and route tables."""
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402
from hooks_lab import CIDR, FAILED, REFUSED, TABLES, WARNED, Server, Site, message, tag_table  # noqa: E402

HOOKS = os.path.join(lab.ROOT, "hooks")
EXAMPLES = sorted(os.path.basename(p) for p in glob.glob(os.path.join(HOOKS, "examples/[0-9]*.lua")))
POINTS = {"10-maintenance.lua": ["pre_restore", "pre_recover"], "20-quorum.lua": ["pre_restore"], "30-peer.lua": ["pre_restore"],
          "40-tables.lua": ["choose_tables"], "80-audit.lua": ["post_restore", "post_remove", "post_check", "post_recover"],
          "90-notify.lua": ["post_restore", "post_remove", "post_check", "post_recover"]}


def lua(value):
    """A Python value as Lua text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s = %s" % (k, lua(v)) for k, v in value.items())
    if isinstance(value, list):
        return "{%s}" % ", ".join(lua(v) for v in value)
    return json.dumps(value)


def with_example(t, sim, *names, site=None, **settings):
    """A site that has these examples, the modules that are shipped, and a site.lua of its own."""
    s = Site(t, sim, **settings)
    for path in glob.glob(os.path.join(HOOKS, "lib/*.lua")):
        with open(path, encoding="utf-8") as f:
            s.hook("lib/" + os.path.basename(path), f.read())
    for name in names:
        with open(os.path.join(HOOKS, "examples", name), encoding="utf-8") as f:
            s.hook(name, f.read())
    s.hook("lib/site.lua", "return " + lua(site or {}))
    return s


def nobody(t):
    """A host and port where nobody listens, nor any other program can."""
    s = socket.socket()
    t.cleanup(s.close)
    s.bind(("127.0.0.1", 0))
    return "127.0.0.1:%d" % s.getsockname()[1]


def test_all_are_whole(t):
    t.equal(EXAMPLES, sorted(POINTS), "each example has its tests here")
    with lab.Sim(t) as sim:
        s = with_example(t, sim, *EXAMPLES)
        shutil.copy(os.path.join(HOOKS, "examples/site.lua"), os.path.join(s.dir, "lib/site.lua"))
        got = s.node.cloudvip("--json", "hooks", "list")
        t.equal(got.status, 0, got.out)
        t.equal({f["file"]: f["points"] for f in got.json()["dirs"][0]["files"]}, POINTS)


def test_a_site_that_says_nothing_is_told(t):
    with lab.Sim(t) as sim:
        s = with_example(t, sim, *[name for name in EXAMPLES if name != "40-tables.lua"])
        got = s.run("restore")
        t.equal(got.status, 0, "and nothing is stopped")
        said = " ".join(message(got, FAILED))
        for part in ("maintenance", "quorum", "peer", "audit", "notify"):
            t.has(said, "lib/site.lua has no " + part)


# ---- maintenance ----------------------------------------------------------------------------------

def test_maintenance(t):
    always, never = [{"zone": "utc", "from": "00:00", "to": "24:00"}], [{"weekdays": [], "from": "00:00", "to": "24:00"}]
    with lab.Sim(t) as sim:
        before = sim.routes(CIDR)
        s = with_example(t, sim, "10-maintenance.lua", site={"maintenance": always})
        got = s.run("restore")
        t.equal(got.status, 1)
        t.has(message(got, REFUSED)[0], "vip1: maintenance until 24:00 UTC")
        t.equal(s.run("recover").status, 1)
        t.equal(sim.routes(CIDR), before)
        s = with_example(t, sim, "10-maintenance.lua", site={"maintenance": never})
        t.equal(s.run("restore").status, 0)


WINDOWS = [
    # weekdays, from, to, [(weekday, time, within)]
    (None, "02:00", "04:00", [(3, "01:59", False), (3, "02:00", True), (3, "03:59", True), (3, "04:00", False)]),
    ([7], "02:00", "04:00", [(7, "03:00", True), (6, "03:00", False), (1, "03:00", False)]),
    ([5], "22:00", "06:00", [(5, "21:59", False), (5, "22:00", True), (6, "05:59", True), (6, "06:00", False), (6, "22:30", False),
                             (5, "03:00", False)]),
    ([7], "22:00", "06:00", [(1, "05:00", True), (7, "05:00", False)]),
    (None, "00:00", "24:00", [(1, "00:00", True), (1, "23:59", True)]),
    (None, "12:00", "12:00", [(1, "11:59", True), (1, "12:00", True)]),
]


def test_windows_of_the_week(t):
    with lab.Sim(t) as sim:
        s = with_example(t, sim)
        lines = ["local window, wrong = require 'window', ''"]
        for weekdays, start, end, moments in WINDOWS:
            w = {"from": start, "to": end}
            if weekdays:
                w["weekdays"] = weekdays
            w = lua(w).replace("from =", "['from'] =")
            for weekday, clock, within in moments:
                hour, minute = clock.split(":")
                lines.append("if window.holds(%s, {weekday=%d, hour=%d, min=%d}) ~= %s then wrong = wrong .. %s end" % (
                    w, weekday, int(hour), int(minute), lua(within), lua(" %s-%s %s %d %s" % (start, end, weekdays, weekday, clock))))
        for bad in ("25:00", "24:01", "9", "9:60", "x"):
            lines.append("if pcall(window.holds, {from = %s, to = '10:00'}, {weekday=1, hour=1, min=1}) then wrong = wrong .. ' %s' end"
                         % (lua(bad), bad))
        s.point("pre_restore", "\n".join(lines) + "\nreturn false, 'wrong:' .. wrong")
        t.check(s.run("restore").err.count("refuses: wrong:\n") == 1, "every moment is as it should be")


# ---- quorum ---------------------------------------------------------------------------------------

def test_quorum(t):
    up, sick = Server(t), Server(t, status=500)
    gone = nobody(t)
    hosts = ",".join((up.host, sick.host, gone))
    url = {"up": up.url, "sick": sick.url, "gone": "http://%s/" % gone}
    for names, need, status in ((["up"], 1, 0), (["gone", "up"], 1, 0), (["gone", "sick"], 1, 1), (["up", "sick", "gone"], 2, 1),
                                (["up", "up"], 2, 0), ([], 1, 1)):
        with t.subtest("%s of %s" % (need, names)), lab.Sim(t) as sim:
            before = sim.routes(CIDR)
            s = with_example(t, sim, "20-quorum.lua", hook_hosts=hosts,
                             site={"quorum": {"witnesses": [url[n] for n in names], "need": need}})
            got = s.run("restore")
            t.equal(got.status, status, got.err)
            t.equal(message(got, FAILED), [])
            if status:
                t.has(message(got, REFUSED)[0], "of %d witnesses answer, %d are needed to take vip1" % (len(names), need))
                t.equal(sim.routes(CIDR), before)


def test_a_witness_that_hangs_is_one_that_does_not_answer(t):
    hanging = socket.socket()
    hanging.bind(("127.0.0.1", 0))
    hanging.listen(8)
    t.cleanup(hanging.close)
    up, host = Server(t), "127.0.0.1:%d" % hanging.getsockname()[1]
    with lab.Sim(t) as sim:
        s = with_example(t, sim, "20-quorum.lua", hook_hosts=up.host + "," + host, hook_timeout=8,
                         site={"quorum": {"witnesses": ["http://%s/" % host, up.url], "need": 1}})
        t.equal(s.run("restore").status, 0)
        t.equal(len(up.requests), 1)


# ---- peer -----------------------------------------------------------------------------------------

def test_peer(t):
    gone = nobody(t)
    with lab.Sim(t) as sim:
        s = with_example(t, sim, "30-peer.lua", hook_hosts=gone, site={"peer": {"url": "http://%s/" % gone, "wait_s": 5, "refuse": True}})
        t.equal(s.run("restore").status, 0, "it serves no more")
        serving = Server(t)
        for refuse in (True, False):
            s = with_example(t, sim, "30-peer.lua", hook_hosts=serving.host,
                             site={"peer": {"url": serving.url, "wait_s": 3, "refuse": refuse}})
            got = s.run("restore")
            t.equal(got.status, 1 if refuse else 0)
            t.check(refuse or "taken all the same" in message(got, WARNED)[0], got.err)
        t.check(len(serving.requests) > 2, "asked again")

    # It stops serving while it is waited for.
    ending = Server(t)
    with lab.Sim(t) as sim:
        s = with_example(t, sim, "30-peer.lua", hook_hosts=ending.host, site={"peer": {"url": ending.url, "wait_s": 9, "refuse": True}})
        running = s.node.start("restore", "vip1")
        t.wait_until(lambda: ending.requests, "the peer is asked")
        ending.status = 503
        t.equal(running.wait().status, 0)


# ---- tables ---------------------------------------------------------------------------------------

def test_tables_by_tag(t):
    world = lab.world()
    tag_table(world, TABLES[0], cloudvip="no")
    tag_table(world, TABLES[1], cloudvip="yes", env="prod")
    for tables, moved in (({"without": {"key": "cloudvip", "value": "no"}}, [1, 2]), ({"without": {"key": "cloudvip"}}, [2]),
                          ({"with": {"key": "env", "value": "prod"}}, [1]), ({"with": {"key": "env"}}, [1])):
        with t.subtest(lua(tables)), lab.Sim(t, world) as sim:
            s = with_example(t, sim, "40-tables.lua", site={"tables": tables})
            t.equal(s.run("restore").status, 0)
            eni = sim.eni(lab.NODE_2)
            t.equal([table for table in TABLES if sim.routes(CIDR)[table][0] == eni], [TABLES[n] for n in moved])
            t.equal(s.run("quickCheck").status, 0)


# ---- audit ----------------------------------------------------------------------------------------

def test_audit(t):
    with lab.Sim(t) as sim:
        log = t.path("audit.log")
        program = t.write("bin/log", "#!/bin/sh\n[ \"$1\" = -t ] || exit 9\nprintf '%%s\\n' \"$3\" >> %s\n" % log, 0o755)
        s = with_example(t, sim, "80-audit.lua", hook_programs=program, site={"audit": {"program": program, "arguments": ["-t", "audit"]}})
        t.equal([s.run(action).status for action in ("restore", "quickCheck", "remove")], [0, 0, 0])
        with open(log) as f:
            lines = [json.loads(line) for line in f]
        t.equal([(e["action"], e["tag"], e["outcome"]) for e in lines], [("restore", "vip1", "right"), ("remove", "vip1", "right")])
        t.equal((lines[0]["changed"], lines[0]["node"], lines[0]["address"]), (True, lab.NODE_2, "10.1.0.10"))
        t.check(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", lines[0]["at"]), lines[0])
        t.write("bin/log", "#!/bin/sh\nexit 3\n", 0o755)
        got = s.run("restore")
        t.equal(got.status, 0)
        t.has(message(got, WARNED)[0], "audit line not written: status 3")


# ---- notify ---------------------------------------------------------------------------------------

def test_notify(t):
    server = Server(t)
    with lab.Sim(t) as sim:
        s = with_example(t, sim, "90-notify.lua", hook_hosts=server.host,
                         site={"notify": {"url": server.url + "services/T/B/key", "channel": "#ops"}})
        t.equal(s.run("restore").status, 0)
        (method, path, headers, body), = server.requests
        t.equal((method, path, headers["Content-Type"]), ("POST", "/services/T/B/key", "application/json"))
        told = json.loads(body)
        t.equal(told["channel"], "#ops")
        t.check(re.match(r"restore of vip1 \(10\.1\.0\.10\) on %s: right, moved in \d+ ms$" % lab.NODE_2, told["text"]), told)
        attachment, = told["attachments"]
        t.equal(attachment["color"], "good")
        t.equal([f["title"] for f in attachment["fields"]], ["Resource", "Address", "Node", "Took"])
        t.check(isinstance(attachment["ts"], int), attachment)

        t.equal(s.run("restore").status, 0)
        t.equal(s.run("quickCheck").status, 0)
        t.equal(len(server.requests), 1, "nothing happened: no news")

        for table in TABLES:
            sim.do("set_route", table=table, destination=CIDR, eni=sim.eni(lab.NODE_1))
        t.equal(s.run("quickCheck").status, 1)
        t.has(json.loads(server.requests[-1][3])["text"], "quickCheck of vip1")
        t.equal(json.loads(server.requests[-1][3])["attachments"][0]["color"], "danger")

        server.status = 500
        got = s.run("restore")
        t.equal(got.status, 0, "the restore is right although nobody was told")
        t.has(message(got, WARNED)[0], "nobody was told: HTTP 500")
        t.equal(len(server.requests), 4, "tried twice")
        t.lacks(got.err, "B/key", "the webhook's secret is not in the log")


def test_what_is_installed_is_found(t):
    """The modules that are shipped are where the programs look for them."""
    if os.environ.get("VARIANT"):
        t.skip("what is installed is the plain build")
    destdir = t.path("root")
    done = subprocess.Popen(["make", "-s", "-C", lab.ROOT, "install", "DESTDIR=" + destdir], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, env=lab.clean_env(HOME=t.tmp))
    out, _ = done.communicate()
    t.equal(done.returncode, 0, out.decode("utf-8", "replace"))
    share = os.path.join(destdir, "usr/share/cloudvip/hooks")
    t.equal(sorted(os.listdir(share)), ["CONTRACT.md", "examples", "lib"])
    t.equal(sorted(os.listdir(share + "/lib")), sorted(os.listdir(HOOKS + "/lib")))
    t.equal(sorted(os.listdir(share + "/examples")), sorted(os.listdir(HOOKS + "/examples")))
    t.equal(os.stat(os.path.join(destdir, "etc/cloudvip/hooks")).st_mode & 0o777, 0o755)
    with open(os.path.join(destdir, "usr/libexec/cloudvip/restore"), "rb") as f:
        t.has(f.read(), b"/usr/share/cloudvip/hooks/lib")


if __name__ == "__main__":
    tap.main()
