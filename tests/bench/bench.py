#!/usr/bin/env python3
"""The kit beside the stock agents aws-vpc-move-ip and awseip, on the same simulated cloud, in one run.

Each run begins with the same world, is started directly (no shell around the kit's), and is checked
afterwards: the address must be where it belongs.  wall: from before the start of the process to its
end.  CPU: user and system time of it and all its children.  MiB: the memory (RSS) of its largest
process.  calls: API calls; rounds: how many of them waited for each other (the kit's counted in one
more run, with %d ms of latency); conn.: connections to the API.  meta: calls of the metadata service.
server: milliseconds during which at least one request was with the simulator, part of wall.
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab
import cases
import measure
import place
import report
import targets

__doc__ %= cases.ROUNDS_LATENCY_MS

MOST_TABLES = 200


def output_of(*argv):
    """The first line that a program prints, or None."""
    try:
        out = subprocess.check_output(argv, env=lab.clean_env(), stdin=subprocess.DEVNULL,
                                      stderr=subprocess.STDOUT)
    except (OSError, subprocess.CalledProcessError):
        return None
    return out.decode("utf-8", "replace").strip().split("\n")[0]


def first_match(path, pattern):
    try:
        with open(path, errors="replace") as f:
            found = re.search(pattern, f.read(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1).strip().strip('"') if found else None


def machine():
    return {
        "cpu": first_match("/proc/cpuinfo", r"^model name\s*:\s*(.*)$"),
        "cores": os.cpu_count(),
        "memory_mib": int(first_match("/proc/meminfo", r"^MemTotal:\s*(\d+)") or 0) // 1024,
        "kernel": os.uname().release,
        "system": first_match("/etc/os-release", r"^PRETTY_NAME=(.*)$"),
        "load": os.getloadavg()[0],
    }


def versions():
    package = output_of("dpkg-query", "-W", "-f", "${Version}", "resource-agents") or \
        output_of("rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", "resource-agents")
    return {
        "cloudvip": output_of(lab.program("cloudvip"), "--version"),
        "commit": output_of("git", "-C", lab.ROOT, "describe", "--always", "--dirty"),
        "resource-agents": package,
        "aws": output_of("aws", "--version"),
        "libcurl": (re.findall(r"libcurl/\S+", output_of("curl", "--version") or "") or [None])[0],
        "openssl": output_of("openssl", "version"),
        "valgrind": output_of("valgrind", "--version"),
        "python": "Python " + sys.version.split()[0],
    }


def agents_missing():
    """Why the stock agents cannot be run here, or None."""
    for path in (cases.ROUTE_AGENT, cases.EIP_AGENT):
        if not os.access(path, os.X_OK):
            return "%s is not there (package resource-agents)" % path
    for name in ("aws", "curl"):
        if not shutil.which(name):
            return "the program %s is not there" % name
    return None


class Bench:
    """The runs, and what becomes of them."""

    def __init__(self, where, options, total):
        self.place, self.options = where, options
        self.progress = report.Progress(total)
        self.groups, self.failures = [], 0

    def _try(self, row, call, *more):
        """Calls, unless the row has failed already; a failure is kept in its entry."""
        case, who, entry = row
        if "failed" in entry:
            return None
        try:
            return call(self.place, case.tables, *more)
        except (measure.Failed, lab.tap.Failed) as e:
            entry["failed"] = str(e)
            self.failures += 1
            return None

    def _measure(self, rows, runs):
        """Several (case, program) by turns, so that a machine that slows down slows all of them."""
        rows = [(case, who, {"label": case.label, "tables": case.tables, "latency_ms": case.latency_ms,
                             "program": who.program, "action": who.action, "samples": []})
                for case, who in rows]
        for row in rows:
            self._try(row, row[1].warm_up)
        for run in range(runs):
            for row in rows:
                case, who, entry = row
                self.progress.say("%s: %s %s, %d of %d" % (case.label, who.program, who.action, run + 1, runs))
                measured = self._try(row, who.sample, case.latency_ms)
                if measured:
                    entry["samples"].append(measured)
        for row in rows:
            self._try(row, row[1].count_rounds, row[2]["samples"])
            if "failed" not in row[2]:
                row[2]["summary"] = measure.summary(row[2]["samples"])
        return [entry for _, _, entry in rows]

    def group(self, group):
        done = {"name": group.name, "title": group.title, "cases": []}
        self.groups.append(done)
        self.progress.clear()
        report.heading(group.title, group.note)
        kits = self._measure([(case, case.kit) for case in group.cases], self.options.runs)
        for case, kit in zip(group.cases, kits):
            entries = [kit]
            if case.agent and self.options.agents:
                runs = min(self.options.agent_runs, case.agent_runs or self.options.agent_runs)
                entries += self._measure([(case, case.agent)], runs)
                if not any("failed" in e for e in entries):
                    entries[1]["ratio"] = report.ratio(*entries)
            done["cases"] += entries
            self.progress.step()
            self.progress.clear()
            report.case(entries)

    def instructions(self):
        """Instructions by callgrind: hardly different from run to run, whatever else the machine does."""
        counted = {}
        for action in ("restore", "quickCheck"):
            kit = cases.Kit(action, "vip1")
            numbers = []
            for _ in range(2):
                self.progress.say("callgrind: " + action)
                kit.prepare(self.place, 3, 0)
                argv = [shutil.which("valgrind"), "--tool=callgrind",
                        "--callgrind-out-file=" + self.place.ground.path("callgrind")] + kit.argv(self.place)
                used, output = measure.timed(self.place.ground, argv, kit.env())
                found = re.search(r"Collected : (\d+)", output)
                if used["status"] or not found:
                    raise measure.Failed("%s: status %d\n%s" % (" ".join(argv), used["status"], output))
                numbers.append(int(found.group(1)))
            counted[action] = numbers
            self.progress.clear()
            print("  %-22s%s" % (action, ", ".join("%.1f million" % (n / 1e6) for n in numbers)))
        return counted


HOOK_RUNS = 300


def hook_points(ground):
    """One run of a hook that does nothing, in an action's process (tests/bench/hooks.c)."""
    found = {}
    for point in ("pre_restore", "post_check", "choose_tables"):
        where = ground.path("hook-" + point)
        os.mkdir(where, 0o755)
        with open(os.path.join(where, "10.lua"), "w") as f:
            f.write(cases.TRIVIAL % point)
        out = subprocess.check_output([os.path.join(lab.BUILD, "tests/bench/hooks"), where, point, str(HOOK_RUNS)],
                                      env=lab.clean_env(), stdin=subprocess.DEVNULL)
        found[point] = json.loads(out.decode())
        print("  %-22smedian %.2f ms  [%.2f .. %.2f, 95 %% below %.2f], Lua's heap %d KiB" % (
            (point,) + tuple(found[point][name] / 1000 for name in ("median_us", "min_us", "max_us", "p95_us"))
            + (found[point]["heap_bytes"] // 1024,)))
    return found


def measure_all(where, options):
    groups = cases.beside_agents() + cases.alone() + [cases.with_hooks(), cases.over_tls(where)]
    groups = [g for g in groups if not options.group or g.name in options.group]
    bench = Bench(where, options, sum(len(g.cases) for g in groups))
    result = {"groups": bench.groups, "instructions": None, "hooks": None}
    for group in groups:
        bench.group(group)
    if not options.group or "hooks" in options.group:
        print("\nOne point with a hook that does nothing, %d runs each" % HOOK_RUNS)
        result["hooks"] = hook_points(where.ground)
    if not options.group or "instructions" in options.group:
        print("\nInstructions of an action with 3 tables, over http (callgrind, two runs)")
        if not shutil.which("valgrind"):
            print("  not counted: valgrind is not installed")
        else:
            try:
                result["instructions"] = bench.instructions()
            except measure.Failed as e:
                bench.failures += 1
                print("  failed: %s" % e)
    bench.progress.clear()
    return result, bench.failures


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=20, metavar="N", help="runs of each of the kit's cases (20)")
    p.add_argument("--agent-runs", type=int, default=3, metavar="N",
                   help="of each of the agents' (3; with ten tables once: it takes most of a minute)")
    p.add_argument("--no-agents", dest="agents", action="store_false", help="the kit alone")
    p.add_argument("--group", action="append", metavar="NAME",
                   choices=["takeover", "eip", "monitor", "stop", "start", "alone", "hooks", "tls", "instructions"],
                   help="only this group: %(choices)s; may be repeated")
    p.add_argument("--json", metavar="FILE", default=os.path.join(lab.BUILD, "bench.json"),
                   help="all samples go there (build/bench.json)")
    options = p.parse_args()
    if options.runs < 1 or options.agent_runs < 1:
        p.error("at least one run")
    return options


def show_machine(result):
    m, v = result["machine"], result["versions"]
    print("%s, %d cores, %d MiB, %s, Linux %s" % (m["cpu"], m["cores"], m["memory_mib"], m["system"], m["kernel"]))
    print("%s (%s), resource-agents %s, %s" % (v["cloudvip"], v["commit"], v["resource-agents"], v["aws"]))
    print("%s; %s; %s" % (v["libcurl"], v["openssl"], v["python"]))
    if m["load"] > m["cores"] / 2.0:
        print("The machine is busy (load %.1f on %d cores): the times below are too long." % (m["load"], m["cores"]))
    print("\n" + "\n".join(__doc__.strip().split("\n\n")[1:]))


def main():
    options = parse()
    if os.geteuid() != 0:
        sys.stderr.write("bench: run it as root: it makes a network namespace of its own for the metadata address\n")
        return 1
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda n, _frame: sys.exit(128 + n))  # so that everything is cleaned up
    began = time.monotonic()
    result = {"when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": machine(),
              "versions": versions(), "skipped": []}
    show_machine(result)
    missing = options.agents and agents_missing()
    if missing:
        options.agents = False
        result["skipped"].append("the stock agents: " + missing)
        print("\nWithout the stock agents: %s." % missing)
    where = place.Place(MOST_TABLES)
    try:
        measured, failures = measure_all(where, options)
    finally:
        where.close()
    result.update(measured)
    result["targets"] = targets.judge(result)
    targets.show_tls(result)
    targets.show(result["targets"])
    result["seconds"] = round(time.monotonic() - began, 1)
    with open(options.json, "w") as f:
        json.dump(result, f, indent=1, sort_keys=True)
        f.write("\n")
    print("\n%d s; all samples are in %s" % (result["seconds"], os.path.relpath(options.json)))
    if failures:
        print("%d of the cases failed" % failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
