"""What was written down while a scenario was played: answers, calls, changes of routes; and what they say."""
import collections
import os
import shutil
import tempfile

import stage

# One question of the client.  got_s: None if it was not answered.
Answer = collections.namedtuple("Answer", "protocol number sent_s got_s name")
# One call of the resource agent.  end_s, status: None if it never ended (the node died).
Call = collections.namedtuple("Call", "node action begin_s end_s status")
# One request of a node to the cloud's API.
Request = collections.namedtuple("Request", "node action begin_s end_s status code applied")
Change = collections.namedtuple("Change", "at_s holder next_hop")

LATE_S = 0.25    # an answer that comes later than this is none to a person or a protocol


def is_late(answer):
    """It came when nobody waited for it any more, from a node that had been frozen."""
    return answer.name is not None and answer.got_s - answer.sent_s >= LATE_S


class Take:
    """`name` and `kind` say which scenario of which address; `title` is the picture's."""

    def __init__(self, ground, name, title, engine=""):
        self.stage, self.name, self.kind, self.title = ground, name, ground.kind.name, title
        self.engine = engine
        self.began_s = stage.now_s()
        self.ended_s = None
        self.marks = []      # (s, text): what the scenario did, and what else is worth a line
        self.notes = {}      # what else the table shows
        self.table = ground.kind.table(ground.sim)

    def mark(self, text, at_s=None):
        self.marks.append((stage.now_s() if at_s is None else at_s, text))
        return self.marks[-1][0]

    # -- as it goes -----------------------------------------------------------------------------
    def answers(self, since_s=0.0):
        """All questions since then that are settled."""
        found = {}
        with open(self.stage.asked_file) as f:
            for line in f:
                if not line.endswith("\n"):
                    break
                protocol, number, sent, got, name = line.split()
                if int(sent) < since_s * 1e9:
                    continue
                # An answer that came too late to be waited for replaces its loss.
                found[protocol, int(number)] = Answer(protocol, int(number), int(sent) / 1e9, int(got) / 1e9 or None,
                                                      None if name == "-" else name)
        return sorted(found.values(), key=lambda a: a.sent_s)

    def calls(self, since_s=0.0):
        open_calls, found = {}, []
        with open(self.stage.events_file) as f:
            for line in f:
                at, node, action, what, *status = line.split()
                at = int(at) / 1e9
                if what == "begin":
                    open_calls[node, action] = at
                    found.append(Call(node, action, at, None, None))
                elif (node, action) in open_calls:
                    begin = open_calls.pop((node, action))
                    place = [i for i, c in enumerate(found) if (c.node, c.action, c.begin_s) == (node, action, begin)][-1]
                    found[place] = Call(node, action, begin, at, int(status[0]))
        return [c for c in found if c.begin_s >= since_s]

    def end_of(self, call):
        """Of a call that never ended: when its node died."""
        died = [at for name, at in self.stage.deaths if name == call.node and at > call.begin_s]
        return call.end_s or (min(died) if died else self.ended_s)

    def requests(self, since_s=0.0):
        names = {h.instance: h.name for h in self.stage.hosts}
        found = []
        for e in self.stage.sim.log():
            begin = self.stage.epoch_s + e["start_ms"] / 1000
            if e["kind"] != "imds" and begin >= since_s:
                end = self.stage.epoch_s + e["end_ms"] / 1000 if e["end_ms"] else None
                found.append(Request(names.get(e["node"]), e["action"], begin, end, e["status"], e["code"], e["applied"]))
        return sorted(found, key=lambda r: r.begin_s)

    def changes(self, since_s=0.0):
        """When the client's packets were sent elsewhere."""
        found = [Change(self.stage.epoch_s + c["at_ms"] / 1000, c["holder"], c["next_hop"])
                 for c in self.stage.dataplane()["changes"]
                 if c["table"] == self.table and c["destination"] == self.stage.kind.address + "/32"]
        return [c for c in found if c.at_s >= since_s]

    def answered_by(self, name, since_s):
        """Has that node answered both protocols, asked since then?"""
        return {a.protocol for a in self.answers(since_s) if a.name == name} == {"udp", "tcp"}

    def name_of(self, holder):
        """The name of the node that an id of the cloud belongs to."""
        return {i: h.name for h in self.stage.hosts for i in (h.eni, h.instance)}.get(holder)

    # -- afterwards -----------------------------------------------------------------------------
    def cut(self):
        """The scenario is over: everything is read, and nothing is asked any more."""
        self.ended_s = stage.now_s()
        self.all_answers = self.answers(self.began_s)
        self.all_calls = self.calls(self.began_s)
        self.all_requests = self.requests(self.began_s)
        self.all_changes = self.changes()

    def known_changes(self):
        """Those that held while it lasted."""
        before = [c for c in self.all_changes if c.at_s < self.began_s][-1:]
        return before + [c for c in self.all_changes if self.began_s <= c.at_s <= self.ended_s]

    def lost(self, protocol, since_s=0.0, until_s=float("inf")):
        """Questions of that time without an answer; the last ones may still be on their way."""
        settled = min(until_s, self.ended_s - 1.0) if self.ended_s else until_s
        return [a for a in self.answers(since_s) if a.protocol == protocol and a.name is None and a.sent_s < settled]

    def longest_gap(self, protocol, since_s=0.0):
        """(begin, end) of the longest time in which nothing that was asked was answered, or much too late."""
        times = [a.sent_s for a in self.answers(since_s)
                 if a.protocol == protocol and a.name and not is_late(a)]
        gaps = [(b - a, a, b) for a, b in zip(times, times[1:])]
        return max(gaps)[1:] if gaps else (0.0, 0.0)

    def moved_s(self, host, since_s=0.0):
        """When the client's packets were sent to that node first; None if never."""
        found = [c.at_s for c in self.changes(since_s) if c.holder in (host.eni, host.instance)]
        return found[0] if found else None

    def strays(self, name, after_s):
        """What that node answered although it was asked after the route had left it."""
        return [a for a in self.answers(after_s) if a.name == name]

    def first_answer_s(self, name, since_s):
        found = [a.got_s for a in self.answers(since_s) if a.name == name]
        return min(found) if found else None

    def call(self, node, action, since_s):
        """The first call of that action on that node that has ended; None if there is none."""
        found = [c for c in self.calls(since_s) if (c.node, c.action) == (node, action) and c.end_s]
        return found[0] if found else None

    def measure(self, since_s, host, detected_s=None):
        """The figures of a takeover that began at `since_s`, for the table."""
        start, answer = self.call(host.name, "start", since_s), self.first_answer_s(host.name, since_s)
        if start is None or answer is None:
            return {}
        figures = {"whole_ms": (answer - since_s) * 1000, "start_ms": (start.end_s - start.begin_s) * 1000,
                   "share": (start.end_s - start.begin_s) / (max(answer, start.end_s) - since_s),
                   "start_called_ms": (start.begin_s - since_s) * 1000,
                   "api_calls": len([r for r in self.requests(start.begin_s) if r.begin_s <= start.end_s])}
        if detected_s is not None:
            figures["detected_ms"] = (detected_s - since_s) * 1000
            self.mark("membership", detected_s)
        moved = self.moved_s(host, since_s)
        if moved:
            figures["moved_ms"] = (moved - since_s) * 1000
            self.mark("route moved", moved)
        self.mark("start called", start.begin_s)
        self.mark("start done", start.end_s)
        self.mark("first answer", answer)
        self.notes.update(figures)
        return figures


def keep_logs(nodes, ground):
    """Copies what a failed scenario left, for whoever wants to look; returns the directory."""
    below = os.path.join(stage.lab.BUILD, "lab")
    os.makedirs(below, exist_ok=True)
    kept = tempfile.mkdtemp(prefix="logs-", dir=below)
    for node in nodes:
        for inside in ("/var/log/pacemaker/pacemaker.log", "/var/log/corosync/corosync.log"):
            if os.path.exists(node.path(inside)):
                shutil.copy(node.path(inside), os.path.join(kept, node.name + "-" + os.path.basename(inside)))
        shutil.copy(os.path.join(node.dir, "console"), os.path.join(kept, node.name + "-console"))
    shutil.copy(ground.events_file, kept)
    return kept
