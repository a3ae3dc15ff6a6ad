"""The scenarios: what happens to a cluster while a client keeps talking, and what must come of it.

Each is a function of a Play; it ends when the client is served again, and checks that order, counts
and who answered are right.  Times are measured and never judged.
"""
import contextlib
import os
import socket
import threading
import time

import node as nodes
import pacemaker
import stage
import takes
import vrrp

GRACE_S = 1.1   # the client's last questions are settled


class Play:
    """A stage, its nodes, and their cluster, formed; the client asks.

    `everywhere`: every node has the address for good, and only the route decides.  `engine`: the cluster
    manager, which gets the other options.
    """

    def __init__(self, t, kind, nodes_count=2, everywhere=False, settings=None, engine=pacemaker.Pacemaker, **options):
        stage.need(t, *engine.programs)
        self.t, self.kind = t, kind
        self.stage = stage.Stage(t, kind, nodes_count, settings)
        self.cluster = engine(self.stage.hosts, **options)
        # An elastic address is routed to the node, which knows it; nothing puts it there.
        on_all = [kind.address] if everywhere or kind.scenario == "elastic-ip" else []
        self.nodes = [nodes.Node(self.stage, h, self.cluster, on_all) for h in self.stage.hosts]
        self.one, self.two = self.nodes[:2]
        self.power = None
        if options.get("fencing"):
            self.power = PowerSwitch(self)
        for n in self.nodes:
            t.attach(os.path.join(n.dir, "console"))
        t.attach(self.stage.events_file)
        with self.explained():
            for n in self.nodes:
                n.boot()
                self.cluster.booted(t, n)
            self.cluster.form(t, self.nodes)
        self.stage.ask()
        t.wait_until(lambda: takes.Take(self.stage, "", "").answered_by(self.one.name, 0), "node1 answers")
        self.take = None

    @contextlib.contextmanager
    def explained(self):
        """What fails leaves its logs behind."""
        try:
            yield
        except Exception:
            self.t.log("logs: " + takes.keep_logs(self.nodes, self.stage))
            raise

    @contextlib.contextmanager
    def scene(self, name, title):
        """One scenario on this stage: what happens in it is on its take."""
        self.take = takes.Take(self.stage, name, title, self.cluster.name)
        time.sleep(0.5)  # of peace, for the picture
        with self.explained():
            yield self.take
            time.sleep(GRACE_S)
            self.take.cut()

    def again(self):
        """For another scenario: every node is up, and `one` is whoever has the address."""
        for node in self.nodes:
            node.boot()
        well = [n for n in self.nodes if n is not self.one][0]
        with self.explained():
            self.t.wait_until(lambda: len(self.cluster.online(well)) == len(self.nodes), "all nodes are back", 60, 0.1)
            holder = self.settled_holder(well)
        self.one, self.two = [holder] + [n for n in self.nodes if n is not holder][:1]

    def served_by(self, node, since_s, timeout_s=60):
        self.t.wait_until(lambda: self.take.answered_by(node.name, since_s), "%s answers" % node.name, timeout_s)

    def api_faults(self, kind, times):
        """The API, and not the metadata service, answers so; the first `times` requests of each of its kinds, 0: all."""
        self.stage.sim.faults(*[{"match": {"kind": k}, "times": times, "do": {"type": kind}}
                                for k in ("ec2", "vpc", "ecs", "sts")])

    def starts(self, node, since_s):
        return [c for c in self.take.calls(since_s) if (c.node, c.action) == (node.name, "start")]

    def check_moved(self, old, new, since_s):
        """The cloud sends packets to the new node, and the old one has answered none that came later."""
        moved = self.take.moved_s(new.host, since_s)
        self.t.check(moved, "the client's route goes to %s" % new.name)
        self.t.equal(self.take.strays(old.name, moved), [], "asked after the route had moved")
        return moved

    def settled_holder(self, node):
        """The one node that runs the resource once the cluster is idle."""
        def found():
            names = self.cluster.holder(node)
            return len(names) == 1 and self.cluster.idle(node) and self.cluster.holder(node) == names and names[0]

        name = self.t.wait_until(found, "one node has it, and the cluster is idle", 60, 0.1)
        return [n for n in self.nodes if n.name == name][0]

    def detected_s(self, node, since_s):
        """When Corosync there saw that somebody had left; None if it never did."""
        found = [at for at, text in self.cluster.memberships(node) if at >= since_s and "left" in text]
        return found[0] if found else None


class PowerSwitch:
    """What fence_lab talks to: the power of the nodes, and the cloud's view of it."""

    def __init__(self, play):
        self.play = play
        self.events = []  # (s, what, node)
        self.lock = threading.Lock()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(os.path.join(play.stage.shared, "power"))
        self.socket.listen()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        play.t.cleanup(self.close)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join(10)

    def _serve(self):
        while True:
            try:
                wire, _ = self.socket.accept()
            except OSError:
                return
            with wire:
                words = wire.makefile().readline().split()
                with self.lock:
                    answer = self._do(words[0], words[1] if len(words) > 1 else "")
                with contextlib.suppress(OSError):
                    wire.sendall((answer + "\n").encode())

    def _do(self, what, name):
        found = [n for n in self.play.nodes if n.name == name]
        if what == "list":
            return " ".join(n.name for n in self.play.nodes)
        if not found:
            return "there is no " + name
        node = found[0]
        if what == "status":
            return "on" if node.alive() else "off"
        if what in ("off", "reboot"):
            self.events.append((stage.now_s(), "off", name))
            node.kill()
            self.play.stage.sim.do("stop_instance", id=node.host.instance)
        if what in ("on", "reboot"):
            self.play.stage.sim.do("start_instance", id=node.host.instance)
            node.boot()
        return "ok" if what in ("on", "off", "reboot") else "what"


# ---- the scenarios ---------------------------------------------------------------------------------

def planned_move(play):
    """An administrator moves the address; both nodes are well."""
    t, one, two = play.t, play.one, play.two
    with play.scene("planned-move", "planned move") as take:
        since = take.mark("crm_resource --move")
        play.cluster.move(one, two.name)
        play.served_by(two, since)
        play.cluster.settle(t, one, two.name)
    play.check_moved(one, two, since)
    take.measure(since, two.host)
    play.cluster.clear(one)
    t.equal(len(play.starts(two, since)), 1, "one start")
    return take


def planned_move_in_place(play):
    """As before, with the address on every node and only the route to move: nothing is lost."""
    take = planned_move(play)
    take.name, take.title = "planned-move-in-place", "planned move, address on both nodes"
    play.t.equal(take.lost("udp", take.began_s), [], "datagrams lost")
    broken = take.lost("tcp", take.began_s)
    moved = take.moved_s(play.two.host, take.began_s)
    play.t.check(len(broken) <= 1 and all(abs(a.sent_s - moved) < 0.1 for a in broken),
                 "only a connection that is half way when the route moves can break: %s" % broken)
    return take


def node_killed(play):
    """The node's power is gone; afterwards it comes back, and takes nothing away."""
    t, one, two = play.t, play.one, play.two
    with play.scene("node-killed", "node killed, and back") as take:
        since = take.mark("kill")
        one.kill()
        play.served_by(two, since)
        play.cluster.settle(t, two, two.name)
        back = take.mark("node1 boots")
        one.boot()
        t.wait_until(lambda: len(play.cluster.online(two)) == len(play.nodes), "node1 is back", 60, 0.1)
        play.cluster.settle(t, two, two.name)
    play.check_moved(one, two, since)
    take.measure(since, two.host, play.detected_s(two, since))
    t.equal(len(play.starts(two, since)), 1, "one start")
    t.equal(play.starts(one, since), [], "the node that came back starts nothing")
    t.equal([r for r in take.requests(back) if r.applied and r.node == one.name], [], "and changes nothing in the cloud")
    t.equal((take.lost("udp", back), take.lost("tcp", back)), ([], []), "and nobody notices that it is back")
    return take


def corosync_killed(play):
    """The cluster's own process is gone; the node goes on, with the address on its interface."""
    t, one, two = play.t, play.one, play.two
    with play.scene("corosync-killed", "corosync killed") as take:
        since = take.mark("kill corosync")
        one.kill_program("corosync")
        play.served_by(two, since)
        play.cluster.settle(t, two, two.name)
    play.check_moved(one, two, since)
    take.measure(since, two.host, play.detected_s(two, since))
    return take


def api_down(play, down_s=4):
    """The node dies while the cloud's API is away: the start waits for it, and then succeeds."""
    t, one, two = play.t, play.one, play.two
    with play.scene("api-down", "node killed while the API is away") as take:
        play.api_faults("reset", times=0)
        since = take.mark("kill")
        one.kill()
        t.wait_until(lambda: play.starts(two, since), "the start is called", 30)
        time.sleep(down_s)
        back = take.mark("API is back")
        play.stage.sim.faults()
        play.served_by(two, since)
        play.cluster.settle(t, two, two.name)
    moved = play.check_moved(one, two, since)
    t.check(moved > back, "not before the API is back")
    start = play.starts(two, since)
    t.equal([c.status for c in start], [0], "one start, which waited")
    t.check(start[0].begin_s < back < start[0].end_s, "it was called while the API was away")
    take.measure(since, two.host, play.detected_s(two, since))
    return take


def api_throttled(play):
    """The node dies while the cloud says "slow down"."""
    t, one, two = play.t, play.one, play.two
    with play.scene("api-throttled", "node killed while the API throttles") as take:
        play.api_faults("throttle", times=2)
        since = take.mark("kill")
        one.kill()
        play.served_by(two, since)
        play.cluster.settle(t, two, two.name)
    play.check_moved(one, two, since)
    t.check([r for r in take.requests(since) if r.code in ("RequestLimitExceeded", "Throttling.User")], "calls were throttled")
    t.equal([c.status for c in play.starts(two, since)], [0], "one start")
    take.measure(since, two.host, play.detected_s(two, since))
    return take


def frozen_node(play):
    """Nothing on the node runs, and it does not know: both nodes hold the address, the cloud decides."""
    t, one, two = play.t, play.one, play.two
    with play.scene("frozen-node", "node frozen, and thawed") as take:
        since = take.mark("freeze")
        one.freeze()
        play.served_by(two, since)
        play.cluster.settle(t, two, two.name)
        both = one.holds(play.kind.address) and two.holds(play.kind.address)
        thawed = take.mark("thaw")
        one.thaw()
        status, said = one.run("/usr/libexec/cloudvip/quickCheck", "-t", "vip1", "-i", "vip1")
        # Two nodes run it: Pacemaker stops both and chooses again, as it is told by default.
        t.wait_until(lambda: take.call(one.name, "stop", thawed), "node1 is told to stop", 60, 0.05)
        t.wait_until(lambda: len(play.cluster.online(two)) == len(play.nodes), "node1 is back", 60, 0.1)
        holder = play.settled_holder(two)
        play.served_by(holder, stage.now_s())
    moved = take.moved_s(two.host, since)
    t.check(moved, "the client's route goes to node2")
    again = take.moved_s(one.host, moved) or float("inf")
    t.equal([a for a in take.strays(one.name, moved) if a.sent_s < again], [], "asked after the route had moved")
    if play.kind.scenario != "elastic-ip":
        t.check(both, "both nodes have the address on an interface")
    t.equal(status, 1, "quickCheck on the thawed node: " + said)
    t.check("not here" in said and two.host.eni in said, "it says where: " + said)
    take.notes["thawed_ms"] = (thawed - since) * 1000
    take.measure(since, two.host, play.detected_s(two, since))
    return take


def cut_link(play):
    """The cluster's link of node1 is away, its service link is not: it is fenced before anybody else starts."""
    t, one, two = play.t, play.one, play.two
    with play.scene("cut-link", "cluster link cut, fencing") as take:
        since = take.mark("cut")
        one.cut()
        play.served_by(two, since)
        t.wait_until(lambda: len(play.cluster.online(two)) == len(play.nodes), "node1 is back", 90, 0.1)
        play.cluster.settle(t, two, two.name)
    play.check_moved(one, two, since)
    off = [at for at, what, name in play.power.events if what == "off" and name == one.name and at >= since]
    t.equal([name for _, what, name in play.power.events if what == "off"], [one.name], "node1 alone was fenced")
    t.check(play.starts(two, since)[0].begin_s > off[0], "fenced before the start")
    take.mark("node1 fenced", off[0])
    take.measure(since, two.host, play.detected_s(two, since))
    return take


def api_away_for_long(play, monitors=60):
    """The API throttles, fails, and is away for as many monitors as ten minutes have: nothing happens."""
    return api_away(play, "API throttled, failing and away for %d monitors" % monitors,
                    lambda take, since, share: len([c for c in take.calls(since) if c.action == "monitor" and c.end_s])
                    >= monitors * share)


def api_away_ten_minutes(play):
    """The same, in real time, with the monitors and time limits of an ordinary configuration."""
    return api_away(play, "API throttled, failing and away for ten minutes",
                    lambda take, since, share: stage.now_s() - since >= 600 * share)


def api_away(play, title, over):
    t, one = play.t, play.one
    with play.scene("api-away", title) as take:
        since = take.mark("API throttles")
        for share, fault, following in ((1 / 3, "throttle", "API fails"), (2 / 3, "http_503", "API is away"),
                                        (1, "reset", "API is back")):
            play.api_faults(fault, times=0)
            t.wait_until(lambda s=share: over(take, since, s), "the monitors run", 1800, 0.1)
            take.mark(following)
        play.stage.sim.faults()
        play.cluster.settle(t, one, one.name)
    calls = take.calls(since)
    t.equal({c.action for c in calls}, {"monitor"}, "no stop and no start")
    t.equal({c.status for c in calls if c.end_s}, {0})
    t.equal((take.lost("udp", since), take.lost("tcp", since)), ([], []), "nothing was lost")
    text = one.read("/var/log/pacemaker/pacemaker.log")
    for word in ("WARN:cloudvip", "RequestLimitExceeded" if play.kind.provider == "aws" else "Throttling", "503"):
        t.check(word in text, "the log says why: " + word)
    take.notes["monitors"] = len([c for c in calls if c.end_s])
    return take


def hook_refuses(play):
    """The node dies, and a hook on the next one refuses: the third one starts."""
    t, one, two = play.t, play.one, play.two
    three = play.nodes[2]
    hook = 'return { pre_restore = function(facts) return false, "not on this node" end }\n'
    two.put("/etc/cloudvip/hooks/10-lab.lua", hook)
    play.cluster.prefer(one, two.name)
    with play.scene("hook-refuses", "node killed, a hook on node2 refuses") as take:
        since = take.mark("kill")
        one.kill()
        play.served_by(three, since)
        play.cluster.settle(t, three, three.name)
    play.check_moved(one, three, since)
    refused = take.call(two.name, "start", since)
    t.check(refused is not None and refused.status != 0, "node2 was asked first, and did not start")
    take.mark("node2 refuses", refused.end_s)
    t.equal(take.moved_s(two.host, since), None, "no packet was sent to node2")
    t.equal([r for r in take.requests(since) if r.node == two.name and r.applied], [], "node2 changed nothing")
    t.has(two.read("/var/log/pacemaker/pacemaker.log"), "not on this node", "the log says why")
    take.measure(since, three.host, play.detected_s(three, since))
    return take


def keepalived_killed(play):
    """The master's power is gone; the other node's keepalived notices, and its notify script moves the address."""
    t, one, two = play.t, play.one, play.two
    with play.scene("keepalived-node-killed", "keepalived: master killed, and back") as take:
        since = take.mark("kill")
        one.kill()
        play.served_by(two, since)
        back = take.mark("node1 boots")
        one.boot()
        t.wait_until(lambda: take.call(one.name, "stop", back), "node1 is backup", 30, 0.05)
        time.sleep(1)
    play.check_moved(one, two, since)
    take.measure(since, two.host)
    t.equal(len(play.starts(two, since)), 1, "one start")
    t.equal(play.starts(one, since), [], "the node that came back starts nothing")
    t.equal([r for r in take.requests(back) if r.applied and r.node == one.name], [], "and changes nothing in the cloud")
    t.equal((take.lost("udp", back), take.lost("tcp", back)), ([], []), "and nobody notices that it is back")
    return take


def keepalived_stopped(play):
    """An administrator stops the master's keepalived: it says so, and the other one takes over at once."""
    t, one, two = play.t, play.one, play.two
    with play.scene("keepalived-stopped", "keepalived stopped on the master") as take:
        since = take.mark("SIGTERM")
        play.cluster.stop(one)
        play.served_by(two, since)
        time.sleep(0.5)
    play.check_moved(one, two, since)
    t.equal(len(play.starts(two, since)), 1, "one start")
    take.measure(since, two.host)
    return take


def stock_agent(play):
    """The node dies, and the stock agent of resource-agents moves the address: for comparison."""
    take = node_killed(play)
    take.name, take.title = "stock-agent", "node killed, aws-vpc-move-ip"
    return take


# ---- the list --------------------------------------------------------------------------------------

class Row:
    """A scenario of a kind of address, with the options of its Play; `label`: its name, if not the function's."""

    def __init__(self, function, kind, label="", **options):
        self.function, self.kind, self.options = function, kind, options
        self.label = label
        self.name = "%s %s" % (kind.name, label or function.__name__.replace("_", " "))

    def play(self, t):
        take = self.function(Play(t, self.kind, **self.options))
        if self.label:
            take.name, take.title = self.label.replace(" ", "-"), self.label
        return take


def everything(long=False):
    """All rows; `long`: with those that take minutes."""
    rows = []
    for kind in stage.KINDS:
        rows.append(Row(planned_move, kind))
        if kind.in_place:
            rows.append(Row(planned_move_in_place, kind, everywhere=True, settings={"local_address": "no"}))
        rows.append(Row(node_killed, kind))
        if kind.in_place:
            rows.append(Row(node_killed, kind, "node killed, of three", nodes_count=3))
        rows += [Row(corosync_killed, kind), Row(api_down, kind), Row(api_throttled, kind),
                 Row(cut_link, kind, fencing={"node1": 0, "node2": 5}), Row(frozen_node, kind)]
        if long:
            rows.append(Row(api_away_ten_minutes, kind, monitor_s=10))
        elif kind.in_place:  # as many monitors, sooner
            rows.append(Row(api_away_for_long, kind, monitor_s=0.5, settings={"quickcheck_timeout": 1}))
        if kind.in_place:
            rows.append(Row(hook_refuses, kind, nodes_count=3))
            for scenario in (keepalived_killed, keepalived_stopped):
                rows.append(Row(scenario, kind, engine=vrrp.Keepalived, settings={"local_address": "no"}))
    if long:
        rows.append(Row(stock_agent, stage.KINDS[0], agent="aws-vpc-move-ip", monitor_s=10, parameters={
            "ip": "10.1.0.10", "interface": "eth1", "region": "ap-northeast-1", "awscli": "/usr/libexec/lab/aws",
            "routing_table": ",".join("rtb-0aa0000000000000%d" % n for n in (1, 2, 3))}))
    return rows
