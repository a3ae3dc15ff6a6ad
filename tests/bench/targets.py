"""What the kit is meant to reach, beside what was measured.  Reported, never a reason to fail:
times are the machine's as much as the kit's."""

WALL_MS = 40        # takeover of 3 tables over http, beside the server's own time
CPU_MS = 15
RSS_BYTES = 16e6    # any action over http, up to 3 tables
EXTRA_CALLS = 4     # takeover of N tables: N and so many more
ROUNDS = 4
CHECK_CALLS = 1     # quickCheck
HOOK_MS = 1.5       # one point with a hook that does nothing


def _kits(result, action):
    """The kit's own entries, those over http; without those that failed."""
    return [entry for group in result["groups"] for entry in group["cases"]
            if entry["program"] == "cloudvip" and entry["action"] == action and "summary" in entry
            and group["name"] != "start" and (group["name"] != "tls" or entry["label"] == "http")]


def _routes(result):
    return [e for group in result["groups"] if group["name"] in ("takeover", "alone", "tls")
            for e in group["cases"]
            if e["program"] == "cloudvip" and e["action"] == "restore" and "summary" in e]


def _by_tables(entries, value):
    """"1: 4, 3: 6": the largest value for each number of tables."""
    largest = {}
    for entry in entries:
        largest[entry["tables"]] = max(value(entry), largest.get(entry["tables"], 0))
    return ", ".join("%d: %d" % pair for pair in sorted(largest.items()))


def _largest(name):
    return lambda entry: entry["summary"][name]["max"]


def judge(result):
    """[{"what", "target", "measured", "met"}]; what was not measured is left out, and where no target was
    set `met` is None."""
    found = []

    def add(what, target, measured, met):
        found.append({"what": what, "target": target, "measured": measured, "met": met})

    for group in result["groups"]:
        for e in group["cases"]:
            if group["name"] == "takeover" and e["program"] == "cloudvip" and e["tables"] == 3 and "summary" in e:
                s = e["summary"]
                beside = s["wall_ms"]["median"] - s["server_ms"]["median"]
                add("takeover of 3 tables: wall beside the server's own time", "below %d ms" % WALL_MS,
                    "%.1f ms (%.1f less %.1f)" % (beside, s["wall_ms"]["median"], s["server_ms"]["median"]),
                    beside < WALL_MS)
                add("takeover of 3 tables: CPU", "below %d ms" % CPU_MS, "%.1f ms" % s["cpu_ms"]["median"],
                    s["cpu_ms"]["median"] < CPU_MS)
    every = sum((_kits(result, a) for a in ("restore", "quickCheck", "remove")), [])
    for few, what in ((True, "up to 3 tables"), (False, "more tables")):
        entries = [e for e in every if (e["tables"] <= 3) == few]
        if entries:
            peak = max(e["summary"]["rss_mib"]["max"] for e in entries) * 1048576
            add("peak memory of every action over http, " + what,
                "below %.0f MB" % (RSS_BYTES / 1e6) if few else "no target", "%.1f MB" % (peak / 1e6),
                peak < RSS_BYTES if few else None)
    routes = _routes(result)
    if routes:
        add("API calls of a takeover of N tables", "at most N + %d" % EXTRA_CALLS,
            _by_tables(routes, _largest("api_calls")),
            all(e["summary"]["api_calls"]["max"] <= e["tables"] + EXTRA_CALLS for e in routes))
        bound = int(max(e["summary"]["in_flight"]["max"] for e in routes))
        for entries, what in (([e for e in routes if e["tables"] <= bound], ""),
                              ([e for e in routes if e["tables"] > bound],
                               ", more than the %d calls in flight together" % bound)):
            if entries:
                add("rounds of a takeover of N tables" + what, "at most %d" % ROUNDS,
                    _by_tables(entries, _largest("rounds")),
                    all(e["summary"]["rounds"]["max"] <= ROUNDS for e in entries))
    checks = _kits(result, "quickCheck")
    if checks:
        add("API calls of quickCheck, N tables", "%d" % CHECK_CALLS, _by_tables(checks, _largest("api_calls")),
            all(e["summary"]["api_calls"]["max"] == CHECK_CALLS for e in checks))
    for point, m in sorted((result.get("hooks") or {}).items()):
        add("a hook that does nothing, at " + point, "below %.1f ms" % HOOK_MS, "%.2f ms" % (m["median_us"] / 1000),
            m["median_us"] / 1000 < HOOK_MS)
    return found


def show(found):
    if found:
        print("\nTargets")
    for t in found:
        verdict = {True: "met", False: "not met", None: "-"}[t["met"]]
        print("  %-8s %s: %s (%s)" % (verdict, t["what"], t["measured"], t["target"]))


def show_tls(result):
    """What https costs beside http, in the medians of the same group."""
    for group in result["groups"]:
        rows = [e for e in group["cases"] if group["name"] == "tls" and "summary" in e]
        if not rows or rows[0]["label"] != "http":
            continue
        plain = rows[0]["summary"]
        print("\nTLS costs a takeover of 3 tables, on %d connections" % rows[-1]["summary"]["connections"]["median"])
        for e in rows[1:]:
            print("  %-22s%+6.1f ms wall, %+6.1f ms CPU, %+5.1f MiB" % ((e["label"],) + tuple(
                e["summary"][name]["median"] - plain[name]["median"] for name in ("wall_ms", "cpu_ms", "rss_mib"))))
