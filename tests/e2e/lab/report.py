"""What a run of the lab leaves behind: pictures, a table, and the same as JSON."""
import json
import os
import re
import statistics

import draw

# key of a take's notes, heading, how it is shown
COLUMNS = (
    ("detected_ms", "detected", "%.0f"), ("start_called_ms", "start called", "%.0f"), ("start_ms", "start took", "%.0f"),
    ("whole_ms", "first answer", "%.0f"), ("share", "share", "%.1f %%"), ("api_calls", "API calls", "%.0f"),
    ("lost_udp", "lost UDP", "%.0f"), ("lost_tcp", "lost TCP", "%.0f"), ("gap_ms", "longest gap", "%.0f"),
)


def figures(take):
    """The numbers of one take."""
    found = dict(take.notes)
    for protocol in ("udp", "tcp"):
        found["lost_" + protocol] = len(take.lost(protocol, take.began_s))
    begin, end = take.longest_gap("udp", take.began_s)
    found["gap_ms"] = (end - begin) * 1000
    return found


class Report:
    """Collects takes as they end."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, exist_ok=True)
        self.rows = []  # (kind, name, title, engine, figures, marks)

    def add(self, take):
        zero = take.marks[0][0] if take.marks else take.began_s
        self.rows.append({"kind": take.kind, "scenario": take.name, "title": take.title, "engine": take.engine,
                          "figures": figures(take),
                          "moments_ms": [[round((at - zero) * 1000, 1), words] for at, words in sorted(take.marks)]})
        path = os.path.join(self.directory, re.sub("[^a-z0-9]+", "-", "%s %s" % (take.kind, take.name)) + ".svg")
        with open(path, "w", encoding="utf-8") as f:
            f.write(draw.picture(take))

    def write(self):
        """lab.json; returns the table."""
        with open(os.path.join(self.directory, "lab.json"), "w", encoding="utf-8") as f:
            json.dump(self.rows, f, indent=1, sort_keys=True)
            f.write("\n")
        return self.table()

    def table(self):
        """Medians of the runs of each scenario; times are milliseconds since what happened."""
        keys = []
        for row in self.rows:
            key = (row["kind"], row["scenario"], row["title"])
            if key not in keys:
                keys.append(key)
        lines = [["", "", "runs"] + [heading for _, heading, _ in COLUMNS]]
        for kind, scenario, title in keys:
            runs = [r["figures"] for r in self.rows if (r["kind"], r["scenario"]) == (kind, scenario)]
            line = [kind, title, "%d" % len(runs)]
            for name, _, form in COLUMNS:
                values = [r[name] * (100 if name == "share" else 1) for r in runs if name in r]
                line.append(form % statistics.median(values) if values else "-")
            lines.append(line)
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        return "\n".join("  ".join(cell.ljust(w) if i < 2 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
                         .rstrip() for line in lines)
