#!/usr/bin/env python3
# tests/run: timeout=600 variants=default
"""What each action costs: every row of the table in kit/cloud/README.md, measured.

API calls are counted by the simulated cloud.  Rounds are counted by it as well and told by the program:
both must agree with the table.
"""
import copy
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import ali_havip  # noqa: E402
import lab  # noqa: E402
import netns  # noqa: E402
import movers  # noqa: E402
import tap  # noqa: E402

README = "kit/cloud/README.md"
REGISTRY = "kit/cloud/registry.c"
HEADING = ["provider", "scenario, and what is not as by default", "takeover", "already here", "quickCheck", "remove"]
ACTIONS = ("restore", "restore", "quickCheck", "remove")  # of the last four columns, in the order of their measuring
COUNTS = (1, 3, 6)  # of what a row calls N
# Without it, calls sent together may not overlap, and rounds could not be counted; the next one is for a
# machine that is so busy that they did not overlap nevertheless.
LATENCIES_MS = (40, 150, 600, 2400)


def read(name):
    with open(os.path.join(lab.ROOT, name), encoding="utf-8") as f:
        return f.read()


# ---- the table -----------------------------------------------------------------------------------

class Row:
    """A line of the table: of which mover, under which circumstances, what it says."""

    def __init__(self, line):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != len(HEADING):
            raise tap.Failed("%s: %d cells in: %s" % (README, len(cells), line))
        scenario, *self.circumstances = cells[1].split(", ")
        self.name = "%s %s" % (cells[0].strip("`"), scenario.strip("`"))
        self.title = ", ".join([self.name] + self.circumstances)
        self.cells = cells[2:]
        self.counted = any("N" in word for word in self.circumstances)

    def claims(self, n):
        """[(calls, rounds)] of the actions, for N = n."""
        return [tuple(value(part, n) for part in cell.split("/")) for cell in self.cells]


def value(text, n):
    """Of "4 N + 3"."""
    terms = [re.match(r"^(\d*) *(N?)$", term.strip()) for term in text.split("+")]
    if not all(term and term.group(0) for term in terms):
        raise tap.Failed("%s: what is %r?" % (README, text))
    return sum(int(term.group(1) or 1) * (n if term.group(2) else 1) for term in terms)


def rows():
    """The rows below the one line that is the table's heading."""
    lines = read(README).split("\n")
    found = [i for i, line in enumerate(lines) if [c.strip() for c in line.strip("|").split("|")] == HEADING]
    if len(found) != 1:
        raise tap.Failed("%s: %d tables of costs" % (README, len(found)))
    table = []
    for line in lines[found[0] + 2:]:
        if not line.startswith("|"):
            break
        table.append(Row(line))
    return table


def registered():
    """The movers of the registry: {"aws route-table", …}."""
    listed = re.search(r"kit_registry_movers\[\] = \{(.*?)NULL\};", read(REGISTRY), re.DOTALL).group(1)
    names = re.findall(r"&kit_([a-z]+)_(\w+)", listed)
    return sorted("%s %s" % (provider, scenario.replace("_", "-")) for provider, scenario in names)


# ---- the circumstances ---------------------------------------------------------------------------

def own_address(s):
    return {"private_address": s.sim.interface(s.eni2)["private_ips"][0]}


def every_table(s):
    return {"route_tables": ", ".join(s.mover.holders(s.sim))}


def check_is_on(s):
    s.sim.do("source_dest_check", eni=s.eni2, value=True)
    return {}


def no_route(s):
    s.mover.gone(s.sim)
    return {"create_route": "yes", "route_tables": ", ".join(s.tables)}


def nobody_has_it(s):
    s.mover.free(s.sim, s.mover.nodes[0])
    return {}


def not_bound(s):
    s.sim.do("unbind_havip", havip=ali_havip.HAVIP, instance=ali_havip.TWO)
    return {}


def role(s):
    """The nodes' role may assume another one, which anybody may."""
    world = s.sim.state()
    world["aws"]["roles"].append({"name": "network", "trust": {"principals": ["*"]}})
    s.sim.put_world(world)
    return {"role_arn": "arn:aws:iam::%s:role/network" % world["aws"]["account"]}


# What a row may say besides `setting = value` and "N tables": what is done in the scene, and the settings it takes.
WORDS = {"`private_address`": own_address, "`route_tables`": every_table, "source/destination check on": check_is_on,
         "`create_route`": no_route, "nobody has it": nobody_has_it, "not bound yet": not_bound, "`role_arn`": role}


def prepare(s, circumstances):
    """Brings the scene about; returns the settings of node 2."""
    settings = {}
    for word in circumstances:
        given = re.match(r"^`(\w+) = ([\w-]+)`$", word)
        if given:
            settings[given.group(1)] = given.group(2)
        elif word != "N tables":
            if word not in WORDS:
                raise tap.Failed("%s: no test knows what %r is" % (README, word))
            settings.update(WORDS[word](s))
    return settings


# ---- measuring -----------------------------------------------------------------------------------

def scene_of(t, row, n):
    """(the scene, what configures its node 2)"""
    if row.name == "aliyun havip":
        s = ali_havip.Scene(t, lambda aliyun: aliyun.update(delays_ms={"havip": 0}))
        return s, "havip1", s.configure
    mover = [m for m in movers.MOVERS if m.name == row.name]
    t.equal(len(mover), 1, "rows of %s in movers.py" % row.name)
    mover = copy.copy(mover[0])
    world = mover.world()
    if row.counted:
        cloud = row.name.split()[0]
        generated = lab.generated_world(**({"generator": "ali_gen.py"} if cloud == "aliyun" else {}), tables=n)
        world[cloud]["route_tables"] = generated[cloud]["route_tables"]
    mover.world = lambda: world
    s = movers.Scene(t, mover)
    s.tables = sorted(mover.holders(s.sim))
    return s, mover.tag, lambda **settings: mover.configure(s.two, **settings)


def cost(t, s, action, tag):
    """((calls, rounds as the program tells them), rounds as the cloud saw them)"""
    s.sim.clear_log()
    got = s.two.run(action, tag, "--json")
    t.equal(got.status, 0, action)
    said = got.json()
    seen = s.sim.api_actions()
    t.log("%s: %s" % (action, " ".join(seen)))
    t.equal(said["api_calls"], len(seen), "API calls, as the program and as the cloud counts them")
    return (len(seen), said["api_rounds"]), s.sim.summary()["rounds"]


def measured(t, row, n, latency_ms):
    """What the row claims, as it is; None if calls that were sent together did not overlap."""
    s, tag, configure = scene_of(t, row, n)
    with s:
        configure(**prepare(s, row.circumstances))
        s.sim.faults({"match": {"kind": "*"}, "times": 0, "do": {"type": "latency", "ms": latency_ms}})
        found = [cost(t, s, action, tag) for action in ACTIONS]
    return [said for said, _ in found] if all(said[1] == seen for said, seen in found) else None


@tap.cases(rows(), lambda row: row.title)
def test_costs(t, row):
    for n in COUNTS if row.counted else COUNTS[:1]:
        found = None
        for latency_ms in LATENCIES_MS:
            found = found or measured(t, row, n, latency_ms)
        t.check(found, "the program and the cloud do not agree on the rounds")
        t.equal(found, row.claims(n), "%s, N = %d: (calls, rounds) of %s" % (row.title, n, ", ".join(HEADING[2:])))


def test_every_mover_has_a_row_and_every_row_a_mover(t):
    t.equal(sorted({row.name for row in rows()}), registered())
    plain = [row.name for row in rows() if row.circumstances in ([], ["N tables"])]
    t.equal(sorted(plain), registered(), "one row with the defaults for each")
    titles = [row.title for row in rows()]
    t.equal(len(set(titles)), len(titles), "the same row twice: %s" % titles)


def test_values(t):
    t.equal([value(text, 5) for text in ("0", "4 N + 3", "N", "N + 3", "2 + 2 N", "12")], [0, 23, 5, 8, 12, 12])
    for text in ("", "N N", "2 +", "n", "-1", "3 M"):
        t.raises(tap.Failed, lambda text=text: value(text, 5))


if __name__ == "__main__":
    netns.enter()
    tap.main()
