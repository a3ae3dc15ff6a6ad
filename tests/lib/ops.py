"""What the tests of `cloudvip havip|eni|eip …` are made of: a simulated cloud, and one host that asks.

    with ops.Scene(t, "ali-havip") as s:
        got = s.do("havip", "bind", "havip-1", "i-node2")      # got.status, got.answer (its JSON)
        s.refused(1, "havip", "bind", "havip-1", "i-other")    # by that rule, and nothing was changed
"""
import copy
import json
import os
import pty
import select
import time

import lab
import tap

API = ("ec2", "vpc", "ecs")
READS = ("Describe", "List", "Get", "Check")


class Scene:
    def __init__(self, t, world, change=None, delays=None, **settings):
        self.t = t
        document = world if isinstance(world, dict) else lab.world(world)
        self.cloud = "aws" if "aws" in document else "aliyun"
        document = copy.deepcopy(document)
        if delays:
            document[self.cloud]["delays_ms"] = delays
        if change:
            change(document[self.cloud])
        self.document = document
        self.sim = lab.Sim(t, document)
        # With keys and a region there is no request but those to the API.
        region = document[self.cloud]["region" if self.cloud == "aws" else "region_id"]
        self.host = lab.Node(t, self.sim, credentials="keys", region=region, **settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    # -- the world --------------------------------------------------------------------------------
    def reset(self):
        """The world as it began; nothing is going on, nothing is logged."""
        self.sim.faults()
        self.sim.put_world(self.document)
        self.sim.clear_log()

    def world(self):
        """Everything but what only looking at it changes."""
        world = dict(self.sim.state()[self.cloud])
        for key in ("credentials", "limits", "next_id", "client_tokens"):
            world.pop(key, None)
        return world

    def all(self, kind, **fields):
        return [o for o in self.world().get(kind, []) if all(o.get(k) == v for k, v in fields.items())]

    def one(self, kind, **fields):
        found = self.all(kind, **fields)
        if len(found) != 1:
            raise tap.Failed("%d %s with %s" % (len(found), kind, fields))
        return found[0]

    def calls(self, action=None):
        seen = [e["action"] for e in self.sim.log() if e["kind"] in API]
        return seen if action is None else seen.count(action)

    def changes(self):
        """The calls that could change something, as far as they were sent."""
        return [a for a in self.calls() if not a.startswith(READS)]

    # -- the command ------------------------------------------------------------------------------
    def start(self, *words, env=None):
        argv = [lab.program("cloudvip"), "--json"] + list(words)
        return lab.Running(self.host, argv, lab.clean_env(**dict(self.host.env, **(env or {}))))

    def end(self, running):
        got = running.wait()
        got.answer = json.loads(got.out)
        self.t.equal(got.answer["status"], got.status, "the status in the answer is the program's")
        return got

    def do(self, *words, env=None):
        """`cloudvip --json WORDS`; the answer is parsed whatever came of it."""
        return self.end(self.start(*words, env=env))

    def done(self, *words, changed=True):
        """As do(); it succeeds."""
        got = self.do(*words)
        self.t.equal(got.status, 0, " ".join(words))
        self.t.equal(got.answer["changed"], changed, "changed: " + " ".join(words))
        return got.answer

    def failed(self, status, text, *words):
        """It fails so, its message says `text`, and the world is as it was."""
        before = self.world()
        self.sim.clear_log()
        got = self.do(*words)
        self.t.equal(got.status, status, " ".join(words))
        self.t.check(text in got.answer["error"]["message"], "%r is in: %s" % (text, got.answer["error"]["message"]))
        self.t.equal(self.changes(), [], "no change was sent")
        self.t.equal(self.world(), before, "nothing was changed")
        return got

    def refused(self, rule, *words):
        """That rule refuses it, by its number and with its remedy, before anything is changed; so may
        others, and the message is of the first one."""
        got = self.failed(1, "rule ", *words)
        broken = [b for b in got.answer["breaches"] if b["rule"] == rule and b["level"] == "refuse"]
        self.t.equal(len(broken), 1, "rule %d is among the breaches: %s" % (rule, got.answer["breaches"]))
        self.t.check(broken[0]["detail"] and broken[0]["means"] and broken[0]["remedy"], "it says what and what to do")
        return broken[0]

    def dry(self, *words):
        """--dry-run: it would, and nothing was changed."""
        before = self.world()
        self.sim.clear_log()
        answer = self.done(*(words + ("--dry-run",)), changed=False)
        self.t.check(answer["text"].startswith("would "), answer["text"])
        self.t.equal(self.changes(), [], "no change was sent")
        self.t.equal(self.world(), before, "nothing was changed")
        return answer

    def survives(self, expect, *words, most=30):
        """Killed at each of its requests, before and after it was applied, and run again: as if nothing
        had been.  `expect(t)` looks at the world at the end."""
        for kind in ("hang", "lost_timeout"):
            for n in range(1, most):
                self.reset()
                self.sim.faults({"skip": n - 1, "times": 0, "do": {"type": kind}})
                running = self.start(*words)
                while self.sim.summary()["api_requests"] < n and running.process.poll() is None:
                    time.sleep(0.005)
                ended = running.process.poll() is not None
                with self.t.subtest("%s at request %d" % (kind, n)):
                    if ended:
                        got = self.end(running)
                    else:
                        running.kill()
                        self.sim.faults()
                        got = self.do(*words)
                    self.t.equal(got.status, 0)
                    expect(self)
                if ended:
                    break
            else:
                raise tap.Failed("it asks for ever")

    def through(self, fault, expect, *words, **match):
        """Done in spite of that fault, of the requests that fit."""
        self.reset()
        self.sim.faults({"match": match, "times": 1, "do": fault})
        got = self.do(*words)
        self.t.equal(got.status, 0, "%s: %s" % (fault, got.err))
        expect(self)
        return got


def at_terminal(scene, words, answer, timeout_s=30):
    """Runs `cloudvip WORDS` with a terminal, types `answer` when it is asked; (status, what was shown)."""
    env = lab.clean_env(**scene.host.env)
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(lab.program("cloudvip"), ["cloudvip"] + list(words), env)
    shown, typed, until = b"", False, time.monotonic() + timeout_s
    while time.monotonic() < until:
        if not select.select([fd], [], [], 0.2)[0]:
            continue
        try:
            data = os.read(fd, 4096)
        except OSError:  # EIO: the other end is closed
            data = b""
        if not data:
            break
        shown += data
        if not typed and b"[y/N]" in shown:
            os.write(fd, answer.encode() + b"\n")
            typed = True
    os.close(fd)
    return os.WEXITSTATUS(os.waitpid(pid, 0)[1]), shown.decode("utf-8", "replace")
