"""One picture for each scenario: who answered the client, and what happened beside it (SVG).

Two panels, the whole and the takeover alone, each with the same lanes: the packets that each node
answered, those that nobody did, where the route led, the calls of the resource agent, the API's.
"""
import html
import math

import takes

WIDTH, LEFT, RIGHT = 1120, 150, 130   # the right margin is for labels that begin at the edge
FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
CHAR = 6.7                            # of a label, in pixels; on the safe side
ROW, LANE, GAP = 16, 15, 5
NODE_COLOURS = {"node1": "#1f77b4", "node2": "#e07b00", "node3": "#2a8a3e"}
BAD, LATE, QUIET, INK = "#c8102e", "#b9d3e8", "#8a8f98", "#20242a"
CALL_COLOURS = {"start": "#20242a", "stop": "#6b4fa0", "monitor": "#c3c8d0"}


class Panel:
    """A stretch of time on the paper."""

    def __init__(self, take, begin_s, end_s, zero_s, top, ticks):
        self.take, self.begin_s, self.end_s, self.zero_s, self.top = take, begin_s, end_s, zero_s, top
        self.ticks = ticks  # one for each packet, however dense
        self.out = []
        self.bottom = top

    def x(self, at_s):
        share = (at_s - self.begin_s) / (self.end_s - self.begin_s)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def seen(self, at_s):
        return self.begin_s <= at_s <= self.end_s

    def text(self, x, y, words, colour=INK, anchor="start", weight="normal", size=11.5):
        self.out.append('<text x="%.1f" y="%.1f" fill="%s" text-anchor="%s" font-weight="%s" font-size="%g">%s</text>'
                        % (x, y, colour, anchor, weight, size, html.escape(words)))

    def bar(self, begin_s, end_s, y, colour, height=LANE - 4, title=""):
        if end_s < self.begin_s or begin_s > self.end_s:
            return
        x = self.x(begin_s)
        self.out.append('<rect x="%.2f" y="%.1f" width="%.2f" height="%g" fill="%s"><title>%s</title></rect>'
                        % (x, y, max(self.x(end_s) - x, 1.2), height, colour, html.escape(title)))

    # -- the parts --------------------------------------------------------------------------------
    def draw(self, caption):
        """Returns the picture's parts; self.bottom is where they end."""
        marks = sorted((at, words) for at, words in self.take.marks if self.seen(at))
        rows = rows_of([(self.x(at), len(words) * CHAR + 12) for at, words in marks])
        self.text(16, self.top + 12, caption, weight="bold", size=12.5)
        labels = self.top + 24
        plot = labels + ROW * (max(rows, default=0) + 1) + 4
        end = self._lanes(plot)
        for (at, words), row in zip(marks, rows):
            y = plot - 8 - ROW * row
            self.out.append('<path d="M%.2f %.1fV%.1f" stroke="%s" stroke-width="1" stroke-dasharray="3 2" fill="none"/>'
                            % (self.x(at), y - 9, end, INK))
            self.text(self.x(at) + 4, y, words)
        self._axis(end)
        self.bottom = end + 34
        return self.out

    def _lanes(self, y):
        names = sorted({h.name for h in self.take.stage.hosts})
        for name in names:
            for protocol in ("udp", "tcp"):
                self._lane(y, "%s answers %s" % (name, protocol.upper()))
                mine = [a for a in self.take.all_answers if a.name == name and a.protocol == protocol]
                self._packets(y, NODE_COLOURS[name], [a for a in mine if not takes.is_late(a)])
                self._packets(y, LATE, [a for a in mine if takes.is_late(a)])
                y += LANE
            y += GAP
        for protocol in ("udp", "tcp"):
            self._lane(y, "no answer %s" % protocol.upper())
            self._packets(y, BAD, [a for a in self.take.all_answers
                                   if a.protocol == protocol and (a.name is None or takes.is_late(a))])
            y += LANE
        y += GAP
        self._lane(y, "route leads to")
        changes = self.take.known_changes()
        for change, following in zip(changes, changes[1:] + [None]):
            name = self.take.name_of(change.holder) if change.next_hop not in ("dropped", "gone") else None
            until = following.at_s if following else self.take.ended_s
            self.bar(change.at_s, until, y, NODE_COLOURS.get(name, BAD), title=name or change.next_hop)
            if name and change.at_s < self.end_s:
                self._name(self.x(change.at_s), self.x(until), y, name)
        y += LANE + GAP
        for name in names:
            self._lane(y, "%s agent" % name)
            for call in self.take.all_calls:
                if call.node == name:
                    self.bar(call.begin_s, self.take.end_of(call), y, CALL_COLOURS.get(call.action, QUIET),
                             title="%s: %s" % (call.action, call.status))
            y += LANE
        y += GAP
        self._lane(y, "API calls")
        for request in self.take.all_requests:
            good = request.status and request.status < 400
            self.bar(request.begin_s, request.end_s or self.take.ended_s, y, QUIET if good else BAD,
                     title="%s %s: %s" % (request.node, request.action, request.code or request.status or "no answer"))
        return y + LANE

    def _name(self, left, right, y, name):
        """On a bar, where no dashed line crosses it."""
        half = len(name) * CHAR / 2
        lines = [self.x(at) for at, _ in self.take.marks if self.seen(at)]
        for place in (0.5, 0.35, 0.65, 0.2, 0.8):
            x = left + (right - left) * place
            if x - left > half + 4 and right - x > half + 4 and all(abs(x - line) > half + 3 for line in lines):
                self.text(x, y + 9.5, name, "white", "middle", size=10)
                return

    def _lane(self, y, label):
        self.text(LEFT - 8, y + 10, label, anchor="end")
        self.out.append('<rect x="%d" y="%.1f" width="%d" height="%d" fill="#f3f4f6"/>'
                        % (LEFT, y, WIDTH - LEFT - RIGHT, LANE - 4))

    def _packets(self, y, colour, answers):
        xs = [self.x(a.sent_s) for a in answers if self.seen(a.sent_s)]
        if not xs:
            return
        if self.ticks:
            path = "".join("M%.2f %.1fv%d" % (x, y, LANE - 4) for x in xs)
            self.out.append('<path d="%s" stroke="%s" stroke-width="1" fill="none"/>' % (path, colour))
            return
        # Packets that lie closer than the eye sees become one bar.
        near = 4.0
        begin = before = xs[0]
        for x in xs[1:] + [float("inf")]:
            if x - before > near:
                self.out.append('<rect x="%.2f" y="%.1f" width="%.2f" height="%d" fill="%s"/>'
                                % (begin, y, max(before - begin, 1.0), LANE - 4, colour))
                begin = x
            before = x

    def _axis(self, y):
        step = nice_step((self.end_s - self.begin_s) / 9)
        digits = max(0, -int(math.floor(math.log10(step) + 1e-9)))
        n = math.ceil((self.begin_s - self.zero_s) / step)
        while self.zero_s + n * step <= self.end_s:
            x = self.x(self.zero_s + n * step)
            self.out.append('<path d="M%.1f %.1fv5" stroke="%s" fill="none"/>' % (x, y, INK))
            self.text(x, y + 18, "%.*f s" % (digits, n * step), anchor="middle", size=11)
            n += 1


def rows_of(labels):
    """A row for each label, (x, width) from left to right, so that no label and no line of a label meets another.

    Its line comes from below at its left end: what lies right of it within its width goes below it.
    """
    rows = [0] * len(labels)
    for i in range(len(labels) - 1, -1, -1):
        x, width = labels[i]
        below = [rows[j] for j in range(i + 1, len(labels)) if labels[j][0] < x + width]
        rows[i] = 1 + max(below) if below else 0
    return rows


def nice_step(least):
    power = 10.0 ** math.floor(math.log10(least))
    return [power * m for m in (1, 2, 5, 10) if power * m >= least - 1e-12][0]


def legend(y):
    out, x = [], LEFT
    for colour, words in ((CALL_COLOURS["start"], "start"), (CALL_COLOURS["stop"], "stop"),
                          (CALL_COLOURS["monitor"], "monitor"), (QUIET, "API call answered"), (BAD, "refused, or lost"),
                          (LATE, "answered when nobody waited any more")):
        out.append('<rect x="%d" y="%d" width="12" height="10" fill="%s"/>' % (x, y, colour))
        out.append('<text x="%d" y="%d" font-size="11" fill="%s">%s</text>' % (x + 17, y + 9, INK, words))
        x += 17 + len(words) * CHAR + 22
    return out


def picture(take):
    """The SVG of a take that is over."""
    zero = take.marks[0][0] if take.marks else take.began_s
    whole = Panel(take, take.began_s, take.ended_s, zero, 48, False)
    parts = whole.draw("The whole")
    y = whole.bottom
    named = {words: at for at, words in take.marks}
    if "start called" in named and "first answer" in named:
        begin = min(named["start called"], named["first answer"], named.get("route moved", named["first answer"]))
        end = max(named["start done"], named["first answer"])
        margin = max((end - begin) * 0.35, 0.03)
        takeover = Panel(take, begin - margin, end + margin, zero, y + 10, True)
        parts += takeover.draw("The takeover")
        y = takeover.bottom
    parts += legend(y + 4)
    title = "%s: %s" % (take.kind, take.title)
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="%s">'
            '<title>%s</title><rect width="100%%" height="100%%" fill="white"/>'
            '<text x="16" y="28" font-size="17" font-weight="bold" fill="%s">%s</text>%s</svg>\n'
            % (WIDTH, y + 26, WIDTH, y + 26, FONT, html.escape(title), INK, html.escape(title), "\n".join(parts)))
