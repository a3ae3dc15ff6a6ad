"""One run of one program, measured from outside and in the cloud's log."""
import json
import os
import subprocess

import lab

RUN_LIMIT_S = 180  # a run that takes longer is a failure

API = ("ec2", "sts")


class Failed(Exception):
    """Something could not be measured, or a program did not do its work."""


def timed(ground, argv, env):
    """Runs it through tests/bench/timed; (what timed says, what the program wrote)."""
    output = ground.path("output")
    helper = os.path.join(lab.BUILD, "tests/bench/timed")
    done = subprocess.Popen([helper, output, str(RUN_LIMIT_S)] + argv, env=env, cwd=ground.tmp,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = done.communicate()
    except BaseException:
        done.terminate()
        done.wait()
        raise
    if done.returncode:
        raise Failed(err.decode("utf-8", "replace").strip() or "timed: status %d" % done.returncode)
    with open(output, "rb") as f:
        return json.loads(out.decode()), f.read().decode("utf-8", "replace")


def served_ms(log):
    """The time in which at least one request was with the server: what no client can save."""
    total = end = 0
    for entry in sorted(log, key=lambda e: e["start_ms"]):
        if entry["end_ms"] is not None and entry["end_ms"] > end:
            total += entry["end_ms"] - max(entry["start_ms"], end)
            end = entry["end_ms"]
    return total


def rounds(log):
    """The longest chain of API requests in which each began after the one before had ended."""
    longest = []  # (end, length), of the API requests so far
    for entry in sorted((e for e in log if e["kind"] in API), key=lambda e: e["start_ms"]):
        before = [length for end, length in longest if end <= entry["start_ms"]]
        end = entry["end_ms"]
        longest.append((float("inf") if end is None else end, 1 + max(before, default=0)))
    return max((length for _, length in longest), default=0)


def run(place, argv, env, statuses=(0,)):
    """One run as a dictionary; Failed when it ends otherwise than with one of `statuses`."""
    used, output = timed(place.ground, argv, env)
    log = place.sim.log()
    if used["signal"] or used["status"] not in statuses:
        how = "killed by signal %d" % used["signal"] if used["signal"] else "status %d" % used["status"]
        raise Failed("%s: %s after %d ms\n%s" % (" ".join(argv), how, used["wall_us"] / 1000, output[-2000:]))
    calls = {}
    for entry in log:
        if entry["kind"] in API:
            calls[entry["action"]] = calls.get(entry["action"], 0) + 1
    return {
        "wall_ms": used["wall_us"] / 1000.0,
        "cpu_ms": (used["user_us"] + used["system_us"]) / 1000.0,
        "user_ms": used["user_us"] / 1000.0,
        "system_ms": used["system_us"] / 1000.0,
        "rss_mib": used["max_rss_kib"] / 1024.0,
        "api_calls": sum(calls.values()),
        "actions": calls,
        "metadata_calls": sum(e["kind"] == "imds" for e in log),
        "refused": sum(e["code"] is not None for e in log),
        "connections": len(set(e["connection"] for e in log if e["kind"] in API)),
        "rounds": rounds(log),
        "in_flight": max([e["in_flight"] for e in log if e["kind"] in API], default=0),
        "server_ms": served_ms(log),
        "faults": used["minor_faults"] + used["major_faults"],
        "switches": used["switches"],
    }


def median(numbers):
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0


def summary(samples):
    """{measure: {"median", "min", "max"}} of several runs."""
    return {name: {"median": median([s[name] for s in samples]),
                   "min": min(s[name] for s in samples), "max": max(s[name] for s in samples)}
            for name, value in samples[0].items() if isinstance(value, (int, float))}
