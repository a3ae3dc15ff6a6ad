#!/usr/bin/env python3
# tests/run: timeout=600
"""The site's hooks in the actions: each point's row of hooks/CONTRACT.md, and hooks that break it."""
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
from hooks_lab import CHOSE, CIDR, DECIDED, FAILED, REFUSED, SAID, TABLES, VIP, Server, Site, message, tag_table  # noqa: E402


# ---- before ---------------------------------------------------------------------------------------

def test_a_refusing_pre_restore_changes_nothing(t):
    with lab.Sim(t) as sim:
        site, before = Site(t, sim), sim.routes(CIDR)
        site.point("pre_restore", "return false, 'maintenance until six'")
        got = site.run("restore")
        t.equal(got.status, 1)
        t.equal(len(message(got, REFUSED)), 1)
        t.has(message(got, REFUSED)[0], "10.lua: pre_restore refuses: maintenance until six")
        t.equal(sim.routes(CIDR), before)
        t.equal(sim.api_actions(), [], "nothing was even asked")
        answer = site.run("restore", "--json").json()
        t.equal((answer["outcome"], answer["status"], answer["changed"]), ("wrong", 1, False))
        t.equal(answer["error"]["kind"], "HOOK")
        t.has(answer["error"]["message"], "maintenance until six")
        t.equal(site.run("restore", as_lifekeeper=True).status, 1)


def test_hooks_run_in_the_order_of_their_names_until_one_refuses(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        for name in ("20-b.lua", "10-a.lua", "30-c.lua", "05.txt", ".00.lua"):
            site.point("pre_restore", "cloudvip.log('here') return %s" % ("false, 'no'" if name == "20-b.lua" else "true"), name)
        got = site.run("restore")
        t.equal([line.rsplit(":", 2)[1] for line in message(got, SAID)], ["10-a.lua", "20-b.lua"])
        t.equal(got.status, 1)


REASONS = {
    "a line that looks like one of ours": ("'a\\nERROR:cloudvip:restore:vip1:720001:b'", "a?ERROR:cloudvip:restore:vip1:720001:b"),
    "a terminal's commands": ("'a\\27[2J\\u{9b}31mb'", "a?[2J??31mb"),
    "a NUL byte": ("'because\\0of'", "because"),
    "no UTF-8": ("'a\\xffb'", "a\N{REPLACEMENT CHARACTER}b"),
    "cut in a character": ("'a' .. ('\\u{65e5}'):rep(99)", "a" + 80 * "\u65e5"),
    "no text": ("{}", "no reason given"),
}


@tap.cases(sorted(REASONS))
def test_a_refusal_is_one_whatever_its_reason_holds(t, name):
    said, shown = REASONS[name]
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        site.point("pre_restore", "return false, " + said)
        got = site.run("restore")
        t.equal(got.status, 1)
        t.has(message(got, REFUSED)[0], "pre_restore refuses: " + shown)
        t.equal(len(got.err.splitlines()), 3, "begin, refused, end")


def test_pre_recover_refuses_so_that_the_manager_fails_over(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        site.point("pre_recover", "return false, 'let the other one have it'")
        t.equal(site.run("recover", as_lifekeeper=True).status, 1)
        t.equal(sim.api_actions(), [])


def test_pre_remove_refuses_and_the_address_stays_in_service(t):
    with lab.Sim(t, "two-nodes") as sim:
        site = Site(t, sim)
        t.equal(site.run("restore").status, 0)
        site.point("pre_remove", "return false, 'not now'")
        got = site.run("remove", as_lifekeeper=True)
        t.equal(got.status, 1, "0 would say that it is out of service")
        t.check(json.loads(list(site.node.record("vip1").values())[0])["in_service"], "the record still says so")
        site.point("pre_remove", "error('broken')")
        got = site.run("remove", as_lifekeeper=True)
        t.equal(got.status, 0, "a hook that breaks does not halt the node")
        t.equal(len(message(got, FAILED)), 1)


BROKEN = {
    "an error": "error('oh')",
    "a table as an error": "error({})",
    "an endless loop": "while true do end",
    "a loop under pcall": "while true do pcall(function() while true do end end) end",
    "a pattern": "return string.rep('a', 300000):find('.-.-.-.-b')",
    "a memory bomb": "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000000) .. i end",
    "the wrong type": "return 'no'",
    "a verdict that cannot be passed on": "return function() end",
    "output": "while true do cloudvip.log(('x'):rep(5000)) end",
    "os": "os.exit(0)",
    "a change of the facts": "facts.tag = 'other'",
}


@tap.cases(sorted(BROKEN))
def test_a_broken_pre_restore_does_not_stop_a_failover(t, name):
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_timeout=1)
        site.point("pre_restore", BROKEN[name])
        got = site.run("restore")
        t.equal(got.status, 0)
        t.equal(len(message(got, FAILED)), 1)
        t.has(message(got, FAILED)[0], "10.lua: pre_restore: ")
        t.equal(sim.targets(CIDR), {(sim.eni(lab.NODE_2), "active")})


def test_unless_the_site_wants_it_to(t):
    with lab.Sim(t) as sim:
        site, before = Site(t, sim, hook_failure="refuse"), sim.routes(CIDR)
        site.point("pre_restore", "error('oh')")
        got = site.run("restore")
        t.equal(got.status, 1)
        t.has(message(got, REFUSED)[0], "hook_failure = refuse")
        t.equal(sim.routes(CIDR), before)
        site.point("pre_restore", "return true", mode=0o666)
        t.equal(site.run("restore").status, 1, "a guard that is not to be trusted")
        site.hook("10.lua", b"\x1bLua\0")
        t.equal(site.run("restore").status, 1, "a file that cannot be read may have been a guard")
        t.equal(site.run("quickCheck").status, 3, "and may have chosen tables: what is meant is not known")
        os.unlink(os.path.join(site.dir, "10.lua"))
        site.point("post_restore", "error('oh')")
        t.equal(site.run("restore").status, 0, "what comes afterwards never turns a success into a failure")


def test_a_directory_that_is_not_there(t):
    """Named and missing, or a link that leads nowhere: its guards are not simply forgotten."""
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        os.rename(site.dir, site.dir + ".away")
        got = site.run("restore")
        t.equal((got.status, len(message(got, FAILED))), (0, 1), "it does not block the failover")
        strict, before = Site(t, sim, hook_failure="refuse"), sim.routes(CIDR)
        for what in ("named and missing", "a link that leads nowhere"):
            os.rename(strict.dir, strict.dir + ".away") if what == "named and missing" else os.symlink("nowhere", strict.dir)
            got = strict.run("restore")
            t.equal(got.status, 1, what)
            t.has(message(got, REFUSED)[0], strict.dir, what)
            t.equal(strict.run("quickCheck").status, 3, what)
            t.equal(strict.node.cloudvip("--json", "hooks", "list").json()["status"], 4, what)
        t.equal(sim.routes(CIDR), before)


# ---- after ----------------------------------------------------------------------------------------

def test_a_failing_post_restore_is_only_reported(t):
    for name, body in (("error", "error('oh')"), ("refusal", "return false, 'no'"), ("loop", "while true do end")):
        with t.subtest(name), lab.Sim(t) as sim:
            site = Site(t, sim, hook_timeout=1)
            site.point("post_restore", body)
            got = site.run("restore")
            t.equal(got.status, 0)
            t.equal(len(message(got, FAILED)), 0 if name == "refusal" else 1)
            t.equal(sim.targets(CIDR), {(sim.eni(lab.NODE_2), "active")})


def test_post_hooks_are_told_how_it_ended(t):
    with lab.Sim(t) as sim:
        site, eni = Site(t, sim), sim.eni(lab.NODE_2)
        got, facts = site.told("restore", "post_restore")
        t.equal(got.status, 0)
        want = {"point": "post_restore", "action": "restore", "tag": "vip1", "provider": "aws", "scenario": "route-table",
                "address": VIP, "eni": eni, "me": eni, "node": lab.NODE_2, "outcome": "right", "status": 0, "changed": True,
                "in_service": True, "where": "here", "shape": "here", "caller": "a person"}
        t.equal({k: facts.get(k) for k in want}, want)
        t.equal([b["place"] for b in facts["bindings"]], TABLES)
        t.equal({(b["state"], b["holder"], b["mine"], b["right"]) for b in facts["bindings"]}, {("held", eni, True, True)})
        t.check(isinstance(facts["took_ms"], int) and 0 < facts["deadline_ms"] <= 300000, facts)

        sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 0, "do": {"type": "deny"}})
        got, facts = site.told("restore", "post_restore")
        t.equal((got.status, facts["outcome"], facts["status"], facts["changed"]), (5, "permission", 5, False))
        t.equal((facts["error"]["kind"], facts["error"]["code"]), ("DENIED", "UnauthorizedOperation"))
        t.check("bindings" not in facts, "nothing was seen")

        sim.faults()
        got, facts = site.told("quickCheck", "post_check")
        t.equal((got.status, facts["outcome"], facts["where"]), (0, "right", "here"))
        got, facts = site.told("remove", "post_remove")
        t.equal((got.status, facts["outcome"], facts["in_service"]), (0, "right", False))
        t.check("bindings" not in facts, "nothing was looked at")


def test_what_a_refusal_ends_in_is_told_as_well(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        site.point("pre_restore", "return false, 'no'")
        got, facts = site.told("restore", "post_restore")
        t.equal((got.status, facts["outcome"], facts["error"]["kind"]), (1, "wrong", "HOOK"))


def test_facts_before(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        got, facts = site.told("restore", "pre_restore")
        t.equal(got.status, 0)
        t.equal((facts["point"], facts["in_service"]), ("pre_restore", False))
        t.check("bindings" not in facts and "outcome" not in facts and "since" not in facts, facts)
        got, facts = site.told("recover", "pre_recover")
        t.equal(facts["in_service"], True)
        t.has(facts["last"]["where"], TABLES[0])
        t.check(facts["since"] > 1600000000 and facts["last"]["checked"] >= facts["since"] - 60, facts)


def test_post_hooks_have_time_even_when_the_action_ran_out_of_its_own(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim, restore_timeout=3)
        sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 0, "do": {"type": "error", "status": 503, "code": "Unavailable"}})
        got, facts = site.told("restore", "post_restore")
        t.check(got.status != 0 and facts["outcome"] != "right", facts)


# ---- not known ------------------------------------------------------------------------------------

def unknown(sim):
    sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 0, "do": {"type": "error", "status": 503, "code": "Unavailable"}})


def test_on_unknown_decides(t):
    for word, setting, status in (("'fail', 'the witness is gone'", "ok", 1), ("'ok'", "fail", 3), ("nil", "ok", 3),
                                  ("nil", "fail", 1), ("'maybe'", "fail", 1), ("false", "ok", 3)):
        with t.subtest(word + " with " + setting), lab.Sim(t) as sim:
            site = Site(t, sim, on_unknown=setting)
            t.equal(site.run("restore").status, 0)
            unknown(sim)
            site.point("on_unknown", "return " + word)
            got = site.run("quickCheck")
            t.equal(got.status, status)
            t.equal(len(message(got, DECIDED)), 1 if word.startswith(("'fail'", "'ok'")) else 0)
            t.equal(len(message(got, FAILED)), 1 if word in ("'maybe'", "false") else 0)


def test_on_unknown_under_lifekeeper(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        t.equal(site.run("restore").status, 0)
        unknown(sim)
        t.equal(site.run("quickCheck", as_lifekeeper=True).status, 0)
        site.point("on_unknown", "return facts.unknown_in_a_row >= 3 and 'fail' or nil")
        t.equal([site.run("quickCheck", as_lifekeeper=True).status for _ in range(2)], [0, 1])
        path = site.point("on_unknown", "while true do end")
        site.node.resource("vip1", scenario="route-table", address=VIP, hook_timeout=1)
        t.equal(site.run("quickCheck", as_lifekeeper=True).status, 0, "a hook that breaks decides nothing")
        os.unlink(path)
        site.node.resource("vip1", scenario="route-table", address=VIP)
        got, facts = site.told("quickCheck", "on_unknown")
        t.equal(facts["error"]["kind"], "TRANSIENT")


def test_on_unknown_is_not_asked_when_it_is_known(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        site.point("on_unknown", "cloudvip.log('asked') return 'fail'")
        t.equal(site.run("restore").status, 0)
        got = site.run("quickCheck")
        t.equal((got.status, message(got, SAID)), (0, []))
        other = Site(t, sim, lab.NODE_1)
        other.point("on_unknown", "cloudvip.log('asked') return 'ok'")
        got = other.run("quickCheck")
        t.equal((got.status, message(got, SAID)), (1, []))


# ---- which tables ---------------------------------------------------------------------------------

BY_TAG = """
local chosen = {}
for _, b in ipairs(facts.bindings) do
    if not b.tags or b.tags.vip ~= 'no' then chosen[#chosen + 1] = b.place end
end
return chosen
"""


def test_choose_tables_narrows_the_list(t):
    world = lab.world()
    tag_table(world, TABLES[1], vip="no", Name="inspection")
    with lab.Sim(t, world) as sim:
        site, eni1, eni2 = Site(t, sim), sim.eni(lab.NODE_1), sim.eni(lab.NODE_2)
        site.point("choose_tables", BY_TAG)
        t.lacks(site.node.run("plan", "vip1").out, TABLES[1])
        t.equal(sim.routes(CIDR)[TABLES[1]], (eni1, "active"))
        got = site.run("restore")
        t.equal(got.status, 0)
        t.has(message(got, CHOSE)[0], "leaves out " + TABLES[1])
        t.equal(sim.routes(CIDR), {TABLES[0]: (eni2, "active"), TABLES[1]: (eni1, "active"), TABLES[2]: (eni2, "active")})
        t.equal(site.run("quickCheck").status, 0, "only the chosen ones are judged")
        t.equal(site.node.run("check", "vip1").status, 0)
        t.lacks(site.node.run("status", "vip1").out, TABLES[1])
        os.unlink(os.path.join(site.dir, "10.lua"))
        t.equal(site.run("quickCheck").status, 1, "without the hook all of them count")


def test_choose_tables_of_several_files_narrow_one_after_the_other(t):
    with lab.Sim(t) as sim:
        site, eni2 = Site(t, sim), sim.eni(lab.NODE_2)
        site.point("choose_tables", "return { facts.bindings[1].place, facts.bindings[2].place }", "10.lua")
        site.point("choose_tables", "return { facts.bindings[#facts.bindings].place }", "20.lua")
        site.point("choose_tables", "return nil", "30.lua")
        t.equal(site.run("restore").status, 0)
        t.equal([table for table, to in sorted(sim.routes(CIDR).items()) if to[0] == eni2], [TABLES[1]])


NO_CHOICE = {"an error": "error('oh')", "an empty list": "return {}", "no list": "return 'rtb-1'",
             "another table": "return { 'rtb-0dead' }", "no ids": "return { 7 }", "a loop": "while true do end"}


@tap.cases(sorted(NO_CHOICE))
def test_without_a_choice_nothing_is_changed_and_nothing_is_concluded(t, name):
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_timeout=1)
        t.equal(site.run("restore").status, 0)
        site.point("choose_tables", NO_CHOICE[name])
        got = site.run("quickCheck")
        t.equal(got.status, 3, "a person")
        t.equal(site.run("quickCheck", as_lifekeeper=True).status, 0, "no failover comes of it")
        t.equal(site.node.run("check", "vip1").status, 3)
        other, before = Site(t, sim, lab.NODE_1, hook_timeout=1), sim.routes(CIDR)
        other.point("choose_tables", NO_CHOICE[name])
        got = other.run("restore")
        t.equal(got.status, 1)
        t.has(message(got, REFUSED)[0], "choose_tables: ")
        t.equal(sim.routes(CIDR), before)


def test_choose_tables_on_alibaba_cloud(t):
    world = lab.world("ali-two-nodes")
    tables = sorted(r["route_table_id"] for r in world["aliyun"]["route_tables"]
                    if any(e["destination"] == "192.168.100.10/32" for e in r["routes"]))
    t.log(tables)
    destination = None
    for table in world["aliyun"]["route_tables"]:
        for route in table["routes"]:
            if route["destination"].endswith("/32"):
                destination = route["destination"]
    tables = sorted(r["route_table_id"] for r in world["aliyun"]["route_tables"]
                    if any(e["destination"] == destination for e in r["routes"]))
    t.check(len(tables) > 1, "the world has several tables with the address")
    for entry in world["aliyun"]["route_tables"]:
        if entry["route_table_id"] == tables[0]:
            entry["tags"] = {"vip": "no"}
    with lab.Sim(t, world) as sim:
        site = Site(t, sim, lab.ALI_NODE_2, address=destination.split("/")[0])
        site.point("choose_tables", BY_TAG)
        before = sim.routes(destination)[tables[0]]
        t.equal(site.run("restore").status, 0)
        after = sim.routes(destination)
        t.equal(after[tables[0]], before)
        t.equal({after[table][0] for table in tables[1:]}, {sim.eni(lab.ALI_NODE_2)})
        t.equal(site.run("quickCheck").status, 0)


# ---- files ----------------------------------------------------------------------------------------

def test_files_that_are_not_to_be_trusted_are_named_and_not_run(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        path = site.point("pre_restore", "return false, 'run all the same'", mode=0o666)
        if os.geteuid() == 0:
            got = site.run("restore")
            t.equal(got.status, 0, "it does not block the failover")
            t.equal(len(message(got, FAILED)), 1)
            t.has(message(got, FAILED)[0], path)
            t.has(message(got, FAILED)[0], "0666")
        os.chmod(path, 0o644)
        os.chmod(site.dir, 0o777)
        got = site.run("restore")
        t.equal(got.status, 0)
        t.has(message(got, FAILED)[0], site.dir)
        t.has(message(got, FAILED)[0], "0777")
        os.chmod(site.dir, 0o755)
        t.equal(site.run("restore").status, 1, "now it is run")


def test_a_choice_that_is_not_to_be_trusted_is_none(t):
    if os.geteuid() != 0:
        t.skip("only root distrusts its own files")
    with lab.Sim(t) as sim:
        site, before = Site(t, sim), sim.routes(CIDR)
        path = site.point("choose_tables", "return nil", mode=0o666)
        got = site.run("restore")
        t.equal(got.status, 1, "which tables are meant is not known")
        t.has(message(got, REFUSED)[0], path)
        t.equal(sim.routes(CIDR), before)


def test_files_that_are_none(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        site.hook("10-bytecode.lua", b"\x1bLuaT\0pre_restore")
        site.hook("20-large.lua", b"-- pre_restore\n" * 20000)
        os.mkdir(os.path.join(site.dir, "30-dir.lua"))
        os.mkfifo(os.path.join(site.dir, "40-fifo.lua"))
        os.symlink("/nonexistent", os.path.join(site.dir, "50-dangling.lua"))
        site.hook("60-syntax.lua", "return { pre_restore = ")
        got = site.run("restore")
        t.equal(got.status, 0)
        t.equal(len(message(got, FAILED)), 6, got.err)


def children_of(t, site, action):
    """How many processes an action makes, by strace."""
    log = t.path("strace")
    done = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=process", "-o", log, lab.program("cloudvip"), action, "vip1"],
                            env=lab.clean_env(**site.node.env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out, _ = done.communicate()
    t.equal(done.returncode, 0, out.decode("utf-8", "replace"))
    with open(log) as f:
        return sum(1 for line in f if re.search(r"\b(clone|clone3|fork|vfork)\(.*SIGCHLD", line))


def test_without_hooks_nothing_is_started(t):
    if not shutil.which("strace") or os.environ.get("VARIANT"):
        t.skip("without strace, or with a sanitizer that it disturbs, processes are not counted")
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        t.equal([children_of(t, site, action) for action in ("restore", "quickCheck", "recover")], [0, 0, 0])
        site.point("pre_remove", "return true")
        t.equal([children_of(t, site, action) for action in ("restore", "quickCheck", "remove")], [0, 0, 1],
                "a file is started for the points that it speaks of")
        site.point("choose_tables", "return nil", "20.lua")
        t.equal([children_of(t, site, action) for action in ("quickCheck", "restore")], [1, 1],
                "asked once, however often the tables are read")


# ---- what hooks reach -----------------------------------------------------------------------------

def test_http(t):
    server = Server(t, body=b'{"healthy":true}')
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_hosts=server.host)
        site.point("pre_restore", """
            local answer, why = cloudvip.http{url = '%s' .. 'ask?a=b%%20c', method = 'POST', body = 'the body',
                headers = {['Content-Type'] = 'text/plain', ['X-Site'] = 'here'}}
            if not answer then return false, why end
            for _, name in ipairs{'host', 'Content-Length', 'Transfer-Encoding', 'CONNECTION', 'Expect'} do
                local set, why = pcall(cloudvip.http, {url = '%s', headers = {[name] = 'other.example.org'}})
                if set or not why:find('a hook cannot set it', 1, true) then return false, name .. ' was set' end
            end
            if pcall(cloudvip.http, {url = '%s', headers = {X = 'a\\0b'}}) then return false, 'cut at the NUL' end
            local state = cloudvip.json.decode(answer.body)
            return false, answer.status .. answer.type .. tostring(state.healthy)""" % (server.url, server.url, server.url))
        t.has(site.run("restore").err, "refuses: 200application/jsontrue")
        (method, path, headers, body), = server.requests
        t.equal((method, path, body), ("POST", "/ask?a=b%20c", b"the body"))
        t.equal((headers["Content-Type"], headers["X-Site"]), ("text/plain", "here"))
        site.point("pre_restore", "cloudvip.http{url = 'https://example.org/'}")
        t.has(message(site.run("restore"), FAILED)[0], "example.org is not among hook_hosts")
        site.point("pre_restore", "local a, why = cloudvip.http{url = 'http://127.0.0.1:1/'} return false, why")
        site.node.defaults(provider="aws", endpoint=sim.url, sts_endpoint=sim.url, hook_hosts="127.0.0.1:1",
                           metadata_endpoint=sim.metadata_url(lab.NODE_2), hook_dir=site.dir)
        t.has(message(site.run("restore"), REFUSED)[0], "refuses: ")


def test_http_again_and_again(t):
    """As a hook does that waits for something: more requests than it may have open files."""
    server = Server(t)
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_hosts=server.host)
        site.point("pre_restore", """
            local answers = 0
            for i = 1, 200 do if cloudvip.http{url = '%s'} then answers = answers + 1 end end
            return false, answers .. ' answers'""" % server.url)
        t.has(site.run("restore").err, "refuses: 200 answers")


def test_http_verifies_certificates(t):
    authority = lab.Authority(t)
    server = Server(t, cert=authority.issue())
    with lab.Sim(t) as sim:
        body = "local a, why = cloudvip.http{url = '%s'} return a and true or false, why" % server.url
        for ca_file, says in ((None, "certificate"), (authority.ca_file, None)):
            site = Site(t, sim, hook_hosts=server.host, ca_file=ca_file)
            site.point("pre_restore", body)
            got = site.run("restore")
            t.equal(got.status, 1 if says else 0)
            t.check(not says or says in message(got, REFUSED)[0], got.err)


def test_a_slow_server_is_not_waited_for(t):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)
    t.cleanup(listener.close)
    host = "127.0.0.1:%d" % listener.getsockname()[1]
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_hosts=host, hook_timeout=5)
        site.point("pre_restore", "local a, why = cloudvip.http{url = 'http://%s/', timeout_ms = 200} return false, why" % host)
        t.equal(len(message(site.run("restore"), REFUSED)), 1)
        site.point("pre_restore", "while true do cloudvip.http{url = 'http://%s/'} end" % host)
        t.equal(len(message(site.run("restore"), FAILED)), 1)


def test_exec(t):
    with lab.Sim(t) as sim:
        program = t.write("bin/tell", "#!/bin/sh\necho \"$#:$1:$2\"; env; echo oops >&2; exit 3\n", 0o755)
        site = Site(t, sim, hook_programs=program)
        site.node.env["AWS_SECRET_ACCESS_KEY"] = "very-secret"
        site.point("pre_restore", """
            local done = cloudvip.exec{'%s', 'two words; id', '$HOME'}
            return false, done.status .. ' ' .. done.output:match('[^\\n]*') ..
                (done.output:find('very', 1, true) and ' leaked' or ' clean')""" % program)
        t.has(message(site.run("restore"), REFUSED)[0], "refuses: 3 2:two words; id:$HOME clean")
        site.point("pre_restore", "cloudvip.exec{'/bin/sh', '-c', 'id'}")
        t.has(message(site.run("restore"), FAILED)[0], "/bin/sh is not among hook_programs")
        os.chmod(program, 0o777)
        site.point("pre_restore", "cloudvip.exec{'%s'}" % program)
        if os.geteuid() == 0:
            t.has(message(site.run("restore"), FAILED)[0], "0777")


def test_a_program_that_is_too_slow_dies_with_its_hook(t):
    with lab.Sim(t) as sim:
        pidfile = t.path("pid")
        program = t.write("bin/slow", "#!/bin/sh\necho $$ > %s\nsleep 1000 &\nwait\n" % pidfile, 0o755)
        site = Site(t, sim, hook_programs=program, hook_timeout=4)
        site.point("pre_restore", "cloudvip.exec{'%s', timeout_ms = 60000}" % program)
        t.equal(site.run("restore").status, 0)
        with open(pidfile) as f:
            pid = int(f.read())
        t.wait_until(lambda: not os.path.exists("/proc/%d" % pid), "the program is gone")


def test_env_and_time(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_env="SITE_NAME")
        site.node.env.update(SITE_NAME="berlin", TZ="UTC")
        site.point("pre_restore", "local n = cloudvip.time() return false, cloudvip.env('SITE_NAME') .. n.iso:sub(-5)")
        t.has(message(site.run("restore"), REFUSED)[0], "refuses: berlin+0000")
        site.point("pre_restore", "return false, cloudvip.env('PATH')")
        t.has(message(site.run("restore"), FAILED)[0], "PATH is not among hook_env")


def test_modules(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        path = site.hook("lib/words.lua", "return { no = function() return false, 'by a module' end }")
        site.point("pre_restore", "return require('words').no()")
        t.has(message(site.run("restore"), REFUSED)[0], "by a module")
        if os.geteuid() == 0:
            os.chmod(path, 0o666)
            t.has(message(site.run("restore"), FAILED)[0], "0666")
        os.chmod(path, 0o644)
        site.hook("lib/words.lua", "return require('words')")
        t.has(message(site.run("restore"), FAILED)[0], "words requires itself")
        site.hook("lib/words.lua", b"\x1bLua")
        t.has(message(site.run("restore"), FAILED)[0], "binary")


def test_no_child_is_left_behind(t):
    """The hook's process is gone when the action ends, and dies with an action that is killed."""
    with lab.Sim(t) as sim:
        site = Site(t, sim, hook_timeout=60)
        pidfile = t.path("child")
        program = t.write("bin/parent", "#!/bin/sh\necho $PPID > %s.new; mv %s.new %s\n" % (pidfile, pidfile, pidfile), 0o755)
        site.node.defaults(provider="aws", endpoint=sim.url, sts_endpoint=sim.url, hook_programs=program, hook_timeout=60,
                           metadata_endpoint=sim.metadata_url(lab.NODE_2), hook_dir=site.dir)
        site.point("pre_restore", "cloudvip.exec{'%s'} while true do end" % program)
        running = site.node.start("restore", "vip1")
        t.wait_until(lambda: os.path.exists(pidfile), "the hook runs")
        with open(pidfile) as f:
            pid = int(f.read())
        t.check(os.path.exists("/proc/%d" % pid), "its process is there")
        os.kill(running.process.pid, 9)
        running.wait()
        t.wait_until(lambda: not os.path.exists("/proc/%d" % pid), "its process is gone")


def test_descriptors_are_the_hooks_own(t):
    with lab.Sim(t) as sim:
        site = Site(t, sim)
        seen = t.path("fds")
        program = t.write("bin/fds", "#!/bin/sh\nls -l /proc/$PPID/fd > %s\n" % seen, 0o755)
        site.node.defaults(provider="aws", endpoint=sim.url, sts_endpoint=sim.url, hook_programs=program,
                           metadata_endpoint=sim.metadata_url(lab.NODE_2), hook_dir=site.dir)
        site.point("pre_restore", "cloudvip.exec{'%s'}" % program)
        t.equal(site.run("restore").status, 0)
        with open(seen) as f:
            targets = [line.split(" -> ")[1].strip() for line in f if " -> " in line]
        t.equal(targets[:3], ["/dev/null"] * 3)
        t.check(all(x.startswith(("/dev/null", "pipe:", "/proc/")) for x in targets), targets)
        t.equal([x for x in targets if x.endswith(".lock") or "socket" in x], [])


if __name__ == "__main__":
    tap.main()
