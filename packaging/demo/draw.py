"""What the demonstration shows: a terminal's lines, the picture of a network, the calls on a time line.

Standard library only; knows nothing of any cloud.
"""
import io
import os
import sys
import textwrap
import time

WIDTH = 80
PAUSE_S = 2.0           # between acts, on a terminal

# ---- the terminal --------------------------------------------------------------------------------

UNICODE = dict(h="─", v="│", tl="┌", tr="┐", bl="└", br="┘",
               to_left="◄", to_right="►", wire="─", new="═",
               lost="·", cross="×", from_left="┤", from_right="├", new_left="╡", new_right="╞",
               bar="█", bar_throttled="▒", bar_lost="░", on="●", off="○", between=" · ")
ASCII = dict(h="-", v="|", tl="+", tr="+", bl="+", br="+",
             to_left="<", to_right=">", wire="-", new="=",
             lost=".", cross="x", from_left="+", from_right="+", new_left="+", new_right="+",
             bar="#", bar_throttled="!", bar_lost="?", on="*", off="o", between=", ")
COLOURS = {"": "", "title": "1", "command": "1;36", "dim": "2", "good": "32", "bad": "1;31", "new": "1;33"}


def locale_is_utf8():
    """By the environment we were given: Python itself turns LANG=C into UTF-8 (PEP 538)."""
    try:
        with open("/proc/self/environ", "rb") as f:
            words = f.read().decode("utf-8", "replace").split("\0")
        given = dict(word.split("=", 1) for word in words if "=" in word)
    except OSError:
        given = os.environ
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        if given.get(name):
            return given[name].upper().replace("-", "").endswith("UTF8")
    return False


class Screen:
    """80 columns of text, in the terminal's character set, coloured if it is a terminal."""

    def __init__(self, ascii_only, fast):
        terminal = sys.stdout.isatty()
        self.ascii = ascii_only or not locale_is_utf8()
        self.glyphs = ASCII if self.ascii else UNICODE
        self.colour = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM", "dumb") != "dumb"
        self.pauses = terminal and not fast
        self._out = io.TextIOWrapper(sys.stdout.detach(), "ascii" if self.ascii else "utf-8",
                                     "replace", write_through=True)
        sys.stdout = self._out
        self._empty = False

    def style(self, text, style):
        return "\033[%sm%s\033[0m" % (COLOURS[style], text) if self.colour and COLOURS[style] and text else text

    def line(self, text="", style=""):
        """One line; never a second empty one in a row."""
        if not text and self._empty:
            return
        self._empty = not text
        self._out.write(self.style(text, style) + "\n")
        self._out.flush()

    def title(self, number, text):
        g = self.glyphs
        head = "%s %s " % (g["h"] * 2, "%d  %s" % (number, text) if number else text)
        self.line()
        self.line(head + g["h"] * (WIDTH - len(head)), "title")

    def say(self, text):
        for line in textwrap.wrap(" ".join(text.split()), WIDTH - 1, break_on_hyphens=False):
            self.line(line)
        self.line()

    def typed(self, prompt, command):
        """A command line; one that is too long goes on behind a backslash, as a shell takes it."""
        lines = textwrap.wrap(command, WIDTH - 3, initial_indent=" " * len(prompt), subsequent_indent="    ",
                              break_long_words=False, break_on_hyphens=False)
        lines[0] = lines[0][len(prompt):]
        for n, line in enumerate(lines):
            more = " \\" if n + 1 < len(lines) else ""
            self.line((self.style(prompt, "dim") if n == 0 else "") + self.style(line + more, "command"))

    def output(self, text):
        """What a program said; lines that are too long are continued, further to the right."""
        for line in text.rstrip("\n").split("\n"):
            style = {"WARN": "new", "ERROR": "bad", "NOTIFY": "title"}.get(line.split(":")[0], "")
            indent = " " * (2 + len(line) - len(line.lstrip()))
            for part in textwrap.wrap(line, WIDTH - 1, initial_indent="  ",
                                      subsequent_indent=indent + "    ",
                                      replace_whitespace=False, break_on_hyphens=False):
                self.line(part, style)

    def after(self, text):
        """A remark at the right margin."""
        self.line(text.replace(", ", self.glyphs["between"]).rjust(WIDTH - 1), "dim")

    def pause(self):
        if self.pauses:
            time.sleep(PAUSE_S)


# ---- pictures ------------------------------------------------------------------------------------

class Canvas:
    """A rectangle of characters, each with a style."""

    def __init__(self, rows, columns=WIDTH):
        self.cells = [[(" ", "")] * columns for _ in range(rows)]

    def put(self, row, column, text, style=""):
        for i, character in enumerate(text):
            self.cells[row][column + i] = (character, style)

    def box(self, g, row, column, rows, columns, style=""):
        self.put(row, column, g["tl"] + g["h"] * (columns - 2) + g["tr"], style)
        for r in range(row + 1, row + rows - 1):
            self.put(r, column, g["v"], style)
            self.put(r, column + columns - 1, g["v"], style)
        self.put(row + rows - 1, column, g["bl"] + g["h"] * (columns - 2) + g["br"], style)

    def show(self, screen):
        for row in self.cells:
            text, run, last = "", "", ""
            for character, style in row + [("", None)]:
                if style != last:
                    text += screen.style(run, last)
                    run, last = "", style
                run += character
            screen.line(text.rstrip())

class Node:
    """What the demonstration knows of a node before it starts; `ip` is shown."""

    def __init__(self, name, instance, eni, zone, ip):
        self.name, self.instance, self.eni, self.zone, self.ip = name, instance, eni, zone, ip


class Place:
    """A line of a middle box: what an address hangs on in the cloud, and what is said below it."""

    def __init__(self, place, row, text, below):
        self.place, self.row, self.text, self.below = place, row, text, below


# Columns: border, node box, wire, the middle box, wire, node box, border.
NODE_W, WIRE_W, MIDDLE_W = 22, 8, 16
LEFT_AT, MIDDLE_AT = 2, 2 + NODE_W + WIRE_W
RIGHT_AT = MIDDLE_AT + MIDDLE_W + WIRE_W
BOX_AT = 2


class Network:
    """The frame of a picture: two nodes, the boxes between them.

    `boxes` are (first row, rows) within the node boxes, `places` lists Place; rows count from the first
    one of the node boxes.
    """

    def __init__(self, frame, heading, nodes, rows, boxes, places):
        self.frame, self.heading, self.nodes, self.rows, self.boxes, self.places = \
            frame, heading, nodes, rows, boxes, places

    def picture(self, g, running, serves, now, then):
        """A Canvas.  `running`: instances; `serves`: {row: (address, instance)} to be said in a node;
        `now` and `then`: {place: (instance, does it answer there?)}; what is not as then is marked."""
        canvas = Canvas(BOX_AT + self.rows + 1)
        canvas.box(g, 0, 0, BOX_AT + self.rows + 1, WIDTH, "dim")
        canvas.put(0, 3, " %s " % self.frame, "dim")
        canvas.put(1, MIDDLE_AT + (MIDDLE_W - len(self.heading)) // 2, self.heading)
        for node, column in zip(self.nodes, (LEFT_AT, RIGHT_AT)):
            self._node(canvas, g, node, node.instance in running, column)
            for row, (address, instance) in serves.items():
                if instance == node.instance:
                    canvas.put(BOX_AT + row, column + 2, "has " + address, "good")
        for row, rows in self.boxes:
            canvas.box(g, BOX_AT + row, MIDDLE_AT, rows, MIDDLE_W)
        for p in self.places:
            canvas.put(BOX_AT + p.row, MIDDLE_AT + 2, p.text)
            canvas.put(BOX_AT + p.row + 1, MIDDLE_AT + 4, p.below, "dim")
            if p.place in now:
                holder = now[p.place]
                self._wire(canvas, g, BOX_AT + p.row, holder, holder[0] != then.get(p.place, (None, None))[0])
        return canvas

    def _node(self, canvas, g, node, running, column):
        canvas.put(1, column + 1, "zone " + node.zone, "dim")
        canvas.box(g, BOX_AT, column, self.rows, NODE_W, "" if running else "bad")
        canvas.put(BOX_AT + 1, column + 2, node.name, "title")
        word = "%s %s" % (g["on"] if running else g["off"], "running" if running else "stopped")
        canvas.put(BOX_AT + 1, column + NODE_W - 2 - len(word), word, "good" if running else "bad")
        for row, text in enumerate((node.instance, node.eni, node.ip), BOX_AT + 3):
            canvas.put(row, column + 2, text)

    def _wire(self, canvas, g, row, holder, changed):
        """From the middle box in this row to the node that holds it."""
        instance, answers = holder
        line = g["new" if changed else "wire"] * (WIRE_W - 1)
        if changed:
            line = " new ".center(WIRE_W - 1, g["new"])
        if not answers:
            line = g["lost"] * (WIRE_W - 1)
        style = "bad" if not answers else "new" if changed else "good"
        if instance == self.nodes[0].instance:
            canvas.put(row, LEFT_AT + NODE_W, (g["to_left"] if answers else g["cross"]) + line, style)
            canvas.put(row, MIDDLE_AT, g["new_left" if changed else "from_left"])
        else:
            canvas.put(row, MIDDLE_AT + MIDDLE_W, line + (g["to_right"] if answers else g["cross"]), style)
            canvas.put(row, MIDDLE_AT + MIDDLE_W - 1, g["new_right" if changed else "from_right"])


def legend(g, now, then):
    """What the wires of such a picture mean."""
    marks = ["%s%s serves" % (g["to_left"], g["wire"] * 3)]
    if any(then[place][0] != holder[0] for place, holder in now.items() if place in then):
        marks.append("%s%s has just moved" % (g["to_left"], g["new"] * 3))
    if any(not answers for _, answers in now.values()):
        marks.append("%s%s leads to a node that is down" % (g["cross"], g["lost"] * 3))
    return "   ".join(marks)


# ---- calls ---------------------------------------------------------------------------------------

def named(entry):
    table = entry["params"].get("RouteTableId")
    return "%s %s" % (entry["action"], table) if table else entry["action"]


def waterfall(log, g):
    """Lines that show when each request of the log was under way; those for metadata as one."""
    rows = []
    for entry in sorted(log, key=lambda e: (e["start_ms"], e["seq"])):
        name = "metadata service" if entry["kind"] == "imds" else named(entry)
        end = entry["end_ms"] if entry["end_ms"] is not None else entry["start_ms"]
        if entry["kind"] == "imds" and rows and rows[-1]["name"] == name:
            rows[-1]["end"], rows[-1]["count"] = end, rows[-1]["count"] + 1
            continue
        rows.append({"name": name, "start": entry["start_ms"], "end": end, "count": 1, "fault": entry["fault"]})
    if not rows:
        return []
    first, last = rows[0]["start"], max(r["end"] for r in rows)
    scale = 30.0 / max(last - first, 1e-6)
    lines = ["%-29s0 ms%s %5s" % ("", ("%.0f ms" % (last - first)).rjust(26), "took")]
    for row in rows:
        start = min(int((row["start"] - first) * scale), 29)
        length = max(1, min(int(round((row["end"] - row["start"]) * scale)), 30 - start))
        glyph = {"throttle": g["bar_throttled"], "lost_answer": g["bar_lost"]}.get(row["fault"], g["bar"])
        remark = {"throttle": " throttled", "lost_answer": " answer lost"}.get(row["fault"], "")
        name = row["name"] + (", %dx" % row["count"] if row["count"] > 1 else "")
        lines.append("  %-26s %-30s %5.0f%s" % (name[:26], " " * start + glyph * length, row["end"] - row["start"],
                                                remark))
    return lines
