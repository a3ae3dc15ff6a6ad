"""How the benchmark's results are shown: tables on standard output, progress on a terminal."""
import sys
import time

# (heading, measure, whether the range is shown, width)
COLUMNS = (("  wall ms  [min .. max]", "wall_ms", True, 29), ("CPU ms", "cpu_ms", False, 8), ("MiB", "rss_mib", False, 7),
           ("calls", "api_calls", False, 7), ("rounds", "rounds", False, 8), ("conn.", "connections", False, 7),
           ("meta", "metadata_calls", False, 6), ("server", "server_ms", False, 8))
RATIOS = ("wall_ms", "cpu_ms", "rss_mib", "api_calls")
LABEL = 24
PROGRAM = 16


def number(value):
    if isinstance(value, int) or value >= 1000:
        return "%d" % round(value)
    return "%.1f" % value


def _cell(name, measured, ranged):
    whole = name in ("api_calls", "rounds", "connections", "metadata_calls")
    text = "%d" % measured["median"] if whole else number(measured["median"])
    return "%9s  [%s .. %s]" % (text, number(measured["min"]), number(measured["max"])) if ranged else text


def _row(label, program, runs, cells):
    line = "  %-*s%-*s%4s" % (LABEL, label, PROGRAM, program, runs)
    for (_, _, ranged, width), cell in zip(COLUMNS, cells):
        line += "%-*s" % (width, cell) if ranged else "%*s" % (width, cell)
    return line.rstrip()


def heading(title, note):
    print("\n%s" % title)
    if note:
        print("  %s" % note)
    print(_row("", "", "runs", [heading for heading, _, _, _ in COLUMNS]))


def _measured(entry):
    return _row(entry["label"], entry["program"], len(entry["samples"]),
                [_cell(name, entry["summary"][name], ranged) for _, name, ranged, _ in COLUMNS])


def case(entries):
    """The rows of one case: the kit's, and another program's with the ratio to it."""
    first = entries[0]
    for i, entry in enumerate(entries):
        if i:
            entry = dict(entry, label="")
        if "failed" in entry:
            print("  %-*s%-*s failed: %s" % (LABEL, entry["label"], PROGRAM, entry["program"],
                                             entry["failed"].split("\n")[0]))
        else:
            print(_measured(entry))
    for other in entries[1:]:
        if "ratio" in other:
            cells = [times(other["ratio"][name]) if name in other["ratio"] else "" for _, name, _, _ in COLUMNS]
            cells[0] = "%9s" % cells[0]
            print(_row("", "  to the kit's", "", cells))
    sys.stdout.flush()
    for entry in entries:
        if "failed" in entry:
            sys.stderr.write("%s, %s: %s\n" % (first["label"], entry["program"], entry["failed"]))


def ratio(kit, other):
    """How many times the kit's median the other's is; nothing where one of them is 0."""
    return {name: other["summary"][name]["median"] / float(kit["summary"][name]["median"])
            for name in RATIOS if kit["summary"][name]["median"] and other["summary"][name]["median"]}


def times(value):
    return "x%.0f" % value if value >= 10 else "x%.1f" % value


class Progress:
    """One line on a terminal that says what runs now; nothing elsewhere."""

    def __init__(self, total):
        self.total, self.at = total, 0
        self.began = time.monotonic()
        self.shown = sys.stderr.isatty()

    def step(self):
        self.at += 1

    def say(self, text):
        if self.shown:
            passed = int(time.monotonic() - self.began)
            line = "[%d/%d] %d:%02d  %s" % (min(self.at + 1, self.total), self.total, passed // 60, passed % 60, text)
            sys.stderr.write("\r\033[K" + line[:120])
            sys.stderr.flush()

    def clear(self):
        if self.shown:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
