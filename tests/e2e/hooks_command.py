#!/usr/bin/env python3
"""`cloudvip hooks list` and `cloudvip hooks test`, and the contract's table of points."""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402
from hooks_lab import TABLES, Site  # noqa: E402

POINTS = ["pre_restore", "post_restore", "pre_remove", "post_remove", "post_check", "pre_recover", "post_recover",
          "on_unknown", "choose_tables"]


def test_points_are_those_of_the_contract(t):
    with open(os.path.join(lab.ROOT, "hooks/CONTRACT.md"), encoding="utf-8") as f:
        rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| [^|]+ \|$", f.read(), re.MULTILINE)
    t.equal(rows[:len(POINTS)], POINTS)
    with lab.Sim(t) as sim:
        got = Site(t, sim).node.cloudvip("hooks", "--help")
        t.equal((got.status, re.findall(r"^  (\w+) +(?:before|after|when)", got.out, re.MULTILINE)), (0, POINTS))


def test_facts_are_those_of_the_contract(t):
    """Every field that a hook is told has its row."""
    with open(os.path.join(lab.ROOT, "hooks/CONTRACT.md"), encoding="utf-8") as f:
        text = f.read().split("## Facts")[1].split("## What a hook")[0]
    rows = set(re.findall(r"`\.?([\w.\[\]]+)`", " ".join(row.split("|")[1] for row in text.splitlines() if row.startswith("|"))))
    fields = {re.sub(r"^(bindings\[i\]|last|error)\.", "", row) for row in rows}
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        got, facts = site.told("restore", "post_restore")
        t.equal(got.status, 0)
        told = set(facts) | set(facts["bindings"][0]) | set(facts["last"])
        t.equal(told - fields - {"last", "error"}, set())


def test_list(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        got = site.node.cloudvip("hooks", "list")
        t.equal((got.status, got.out), (0, site.dir + ": no hooks\n"))
        site.hook("20-two.lua", "return { on_unknown = function() end, post_check = function() error('not run') end }")
        site.hook("10-one.lua", "return { pre_restore = function() end }")
        got = site.node.cloudvip("hooks", "list")
        t.equal(got.status, 0)
        lines = got.out.splitlines()
        t.equal(lines[0], site.dir + ":")
        t.equal([line.split()[0] for line in lines[1:]], ["10-one.lua", "20-two.lua"])
        t.equal([line.split()[2:] for line in lines[1:]], [["0644", "pre_restore"], ["0644", "post_check", "on_unknown"]])
        site.hook("30-\x1b[2J.lua", "return { pre_restore = function() end }")
        t.has(site.node.cloudvip("hooks", "list").out, "  30-?[2J.lua ", "what a terminal can take")


BAD = {"a syntax error": ("return {", 0o644), "an endless chunk": ("while true do end", 0o644), "no table": ("return 1", 0o644),
       "a name that is no point": ("return { pre_restor = function() end }", 0o644), "bytecode": (b"\x1bLua\0", 0o644),
       "a mode": ("return {}", 0o666)}


@tap.cases(sorted(BAD))
def test_list_shows_what_is_wrong(t, name):
    text, mode = BAD[name]
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_timeout=1 if name == "an endless chunk" else 10)
        path = site.hook("10.lua", text, mode)
        if name == "a mode" and os.geteuid() != 0:
            t.skip("only root distrusts its own files")
        got = site.node.cloudvip("hooks", "list", "--json")
        t.equal(got.status, 4)
        answer = got.json()
        t.equal((answer["status"], answer["dirs"][0]["hook_dir"]), (4, site.dir))
        file, = answer["dirs"][0]["files"]
        t.equal((file["file"], file["path"], file["mode"]), ("10.lua", path, "%04o" % mode))
        t.equal((file["runs"], file["unknown"]), (True, ["pre_restor"]) if "point" in name else (False, []))
        t.equal(site.node.cloudvip("hooks", "list").status, 4)


def test_list_of_a_resource_with_a_directory_of_its_own(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        site.point("pre_restore", "return true")
        site.node.resource("vip2", scenario="route-table", address="10.1.0.11", hook_dir=t.path("other"))
        t.equal([d["hook_dir"] for d in site.node.cloudvip("--json", "hooks", "list").json()["dirs"]], [site.dir, t.path("other")])
        t.equal([d["hook_dir"] for d in site.node.cloudvip("--json", "hooks", "list", "--tag", "vip2").json()["dirs"]], [t.path("other")])
        t.equal(site.node.cloudvip("hooks", "list", "--tag", "none").status, 4)


ALL = """return {
    pre_restore = function(f) cloudvip.log('warn', f.tag .. ' ' .. f.address) return false, 'why not' end,
    post_restore = function(f) return f.outcome end,
    on_unknown = function(f) return 'fail', f.error.kind end,
    choose_tables = function(f) return { f.bindings[2].place } end,
    post_check = function(f) while true do end end,
}"""


def test_test_on_made_up_facts(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_timeout=4)
        site.hook("10-all.lua", ALL)
        sim.clear_log()
        got = site.node.cloudvip("hooks", "test", "10-all", "--json")
        t.equal(sim.log(), [], "nobody was asked")
        t.equal(got.status, 1, "one of them fails")
        points = {p["point"]: p for p in got.json()["points"]}
        t.equal([p["point"] for p in got.json()["points"]], [p for p in POINTS if p in points])
        t.equal({n: (p["failed"], p["says"]) for n, p in points.items() if n != "post_check"}, {
            "pre_restore": (False, "refuses: why not"), "post_restore": (False, "done"), "on_unknown": (False, "fail: TRANSIENT"),
            "choose_tables": (False, "keeps rtb-example2 of rtb-example1, rtb-example2")})
        t.equal(points["pre_restore"]["log"], [{"level": "warn", "text": "example 192.0.2.10"}])
        t.check(points["post_check"]["failed"] and "time limit" in points["post_check"]["says"], points["post_check"])
        t.check(all(0 < p["heap_bytes"] < 16 << 20 and p["took_ms"] > 0 for p in points.values()), points)

        got = site.node.cloudvip("hooks", "test", "10-all.lua", "--point", "pre_restore", "--tag", "vip1")
        t.equal(got.status, 0, "a refusal is no failure of the hook")
        t.check(re.search(r"^pre_restore +refuses: why not  \([\d.]+ ms, CPU [\d.]+ ms, \d+ KiB\)\n  warn  vip1 10\.1\.0\.10$",
                          got.out, re.MULTILINE), got.out)


def test_test_on_live_facts(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        site.hook("10.lua", "return { choose_tables = function(f) return { f.bindings[1].place } end,"
                            "post_check = function(f) cloudvip.log(f.bindings[1].holder) end }")
        got = site.node.cloudvip("hooks", "test", "10", "--tag", "vip1", "--live", "--json")
        t.equal(got.status, 0)
        says = {p["point"]: p for p in got.json()["points"]}
        t.equal(says["choose_tables"]["says"], "keeps %s of %s" % (TABLES[0], ", ".join(TABLES)))
        t.equal(says["post_check"]["log"][0]["text"], sim.eni(lab.NODE_1))


def test_test_of_a_file_elsewhere(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        path = t.write("new.lua", "return { pre_remove = function() return require('mine') end }")
        site.hook("lib/mine.lua", "return false")
        t.has(site.node.cloudvip("hooks", "test", path).out, "pre_remove     refuses")


def test_words_that_are_wrong(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        site.hook("10.lua", "return { pre_restore = function() end }")
        for status, words in ((2, []), (2, ["lst"]), (2, ["list", "x"]), (2, ["test"]), (2, ["test", "10", "--live"]),
                              (2, ["test", "10", "--point", "pre_restor"]), (2, ["test", "10", "--pont", "x"]),
                              (4, ["test", "10", "--point", "post_check"]), (4, ["test", "11"]), (4, ["test", "10", "--tag", "none"])):
            with t.subtest(" ".join(words) or "nothing"):
                got = site.node.cloudvip("hooks", *words)
                t.equal((got.status, got.out), (status, ""))
                t.check(got.err, "it says why")


if __name__ == "__main__":
    tap.main()
