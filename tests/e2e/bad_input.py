#!/usr/bin/env python3
"""Bad input, from the configuration to the cloud's answers: a clear error, nothing changed, no secret told."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import lab  # noqa: E402
import tap  # noqa: E402

VIP = "10.1.0.10"
GOOD = "[vip1]\nprovider = aws\nscenario = route-table\naddress = 10.1.0.10\neni = %s\n"


class Scene:
    """Node 1 has the address; node 2 is configured, with keys in its environment."""

    def __init__(self, t, tls=False):
        self.t = t
        self.sim = lab.Sim(t, tls=tls)
        self.node = lab.Node(t, self.sim, lab.NODE_2, credentials="keys", tls=tls)
        self.eni = self.sim.eni(lab.NODE_2)
        self.before = self.sim.routes(VIP + "/32")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sim.stop()

    def refused(self, status, *words, action="restore", **how):
        """The action ends with that status and names these; nothing was changed; no secret was told."""
        got = self.node.run(action, "vip1", **how)
        self.t.equal(got.status, status)
        for word in words:
            self.t.check(word in got.err, "the error says %r" % word)
        self.t.equal(self.sim.routes(VIP + "/32"), self.before, "routes")
        for secret in (self.node.env["AWS_SECRET_ACCESS_KEY"], "hunter2"):
            self.t.check(secret not in got.out + got.err, "a secret was told")
        return got


def test_configuration(t):
    with Scene(t) as s:
        good = GOOD % s.eni
        cases = (
            ("unknown key", good + "adress = 10.1.0.11\n", ("vip1.conf:6", "adress", "address")),
            ("secret under an unknown key", good + "secret_access_key = hunter2\n", ("vip1.conf:6", "secret_access_key")),
            ("wrong type: number", good + "api_timeout = soon\n", ("vip1.conf:6", "api_timeout")),
            ("wrong type: out of range", good + "restore_timeout = 0\n", ("vip1.conf:6", "restore_timeout")),
            ("wrong type: word", good + "create_route = maybe\n", ("vip1.conf:6", "create_route")),
            ("wrong type: address", good.replace("10.1.0.10", "10.1.0.310"), ("vip1.conf:4", "address")),
            ("wrong type: choice", good.replace("route-table", "routes"), ("vip1.conf:3", "scenario")),
            ("repeated key", good + "eni = eni-0cc00000000000001\n", ("vip1.conf:6", "eni")),
            ("missing address", good.replace("address = 10.1.0.10\n", ""), ("address",)),
            ("missing scenario", good.replace("scenario = route-table\n", ""), ("scenario",)),
            ("neither interface nor eni", good.replace("eni = %s\n" % s.eni, ""), ("interface", "eni")),
            ("no section", "address = 10.1.0.10\n", ("vip1.conf:1",)),
            ("no INI at all", "{\"vip1\": {}}\n", ("vip1.conf:1",)),
            ("a line too long", good + "route_tables = " + "rtb-0aa00000000000001, " * 20 + "\n", ("vip1.conf:6",)),
            ("a NUL byte", good + "region = us\0east\n", ("vip1.conf",)),
            ("a scenario that the provider lacks", good.replace("route-table", "havip"), ("havip", "route-table, elastic-ip")),
        )
        for name, text, words in cases:
            with t.subtest(name):
                s.node.file("resources.d/vip1.conf", text)
                s.sim.clear_log()
                s.refused(4, *words)
                t.equal(s.sim.api_actions(), [], "the cloud is not asked")


def test_files(t):
    with Scene(t) as s:
        path = s.node.file("resources.d/vip1.conf", GOOD % s.eni)
        for mode in (0o646, 0o664):
            with t.subtest("mode %o" % mode):
                os.chmod(path, mode)
                s.refused(4, "vip1.conf", "%o" % mode)
        os.chmod(path, 0o644)
        with t.subtest("of somebody else"):
            if os.geteuid():
                t.skip("only root can give files away")
            os.chown(path, 65534, 65534)
            s.refused(4, "vip1.conf")
            os.chown(path, 0, 0)
        with t.subtest("duplicate tag"):
            other = s.node.file("resources.d/other.conf", GOOD % s.eni)
            s.refused(4, "vip1", "other.conf", "vip1.conf")
            os.unlink(other)
        with t.subtest("a directory instead of a file"):
            os.mkdir(os.path.join(s.node.confdir, "resources.d/dir.conf"))
            got = s.node.run("restore", "vip2")
            t.equal(got.status, 4)
            os.rmdir(os.path.join(s.node.confdir, "resources.d/dir.conf"))
        with t.subtest("a broken file of another resource hinders nobody"):
            s.node.file("resources.d/other.conf", "[vip2]\nnonsense = 1\n")
            got = s.node.run("restore", "vip1")
            t.equal(got.status, 0)
            t.check("other.conf:2" in got.err, "but it is told of")


def test_absent_interface(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP, interface="nosuch0")
        s.refused(4, "nosuch0", "lo")
        s.node.resource("vip1", scenario="route-table", address=VIP, interface="lo")
        s.refused(4, "lo")


def test_ids_that_do_not_exist(t):
    with Scene(t) as s:
        with t.subtest("eni"):
            s.node.resource("vip1", scenario="route-table", address=VIP, eni="eni-0dead000000000001")
            s.refused(4, "eni-0dead000000000001")
        with t.subtest("route table"):
            s.node.resource("vip1", scenario="route-table", address=VIP,
                            route_tables="rtb-0aa00000000000001, rtb-0dead000000000001")
            s.refused(4, "rtb-0dead000000000001")
        with t.subtest("tag"):
            got = s.node.run("restore", "vip9")
            t.equal(got.status, 4)
            t.check("vip1" in got.err, "it says which there are")


def test_answers(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP, restore_timeout=20)
        for fault, word in (({"type": "malformed"}, "XML"), ({"type": "dtd"}, "DOCTYPE"), ({"type": "html_200"}, "HTTP 200"),
                            ({"type": "big_body"}, "larger than"),
                            ({"type": "redirect", "location": "http://192.0.2.1/"}, "192.0.2.1")):
            with t.subtest(fault["type"]):
                s.sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 0, "do": fault})
                s.refused(3, "DescribeRouteTables", word)
                got = s.node.run("quickCheck", "vip1", as_lifekeeper=True)
                t.equal(got.status, 0, "an answer that makes no sense is no lost address")
        with t.subtest("truncated, for ever"):
            s.sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 0, "do": {"type": "truncate"}})
            s.refused(3, "DescribeRouteTables", action="quickCheck")


def test_an_answer_that_is_garbled_once_is_asked_for_again(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP)
        s.sim.faults({"match": {"action": "DescribeRouteTables"}, "do": {"type": "malformed"}})
        t.equal(s.node.run("restore", "vip1").status, 0)


def test_large_answers_are_read_in_pages(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP)
        s.sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 1, "do": {"type": "big_body"}})
        t.equal(s.node.run("restore", "vip1").status, 0)
        asked = [e["params"].get("MaxResults") for e in s.sim.log(action="DescribeRouteTables")]
        t.equal(asked[:2], [None, "40"])


def test_an_answer_without_its_list_is_no_answer(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP)
        for body in ("<DescribeRouteTablesResponse><requestId>x</requestId></DescribeRouteTablesResponse>",
                     "<LoginResponse><fault>sign in</fault></LoginResponse>",
                     "<html><body>sign in</body></html>"):
            with t.subtest(body[:30]):
                s.sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 0,
                              "do": {"type": "error", "status": 200, "body": body, "content_type": "text/xml"}})
                t.equal(s.node.run("quickCheck", "vip1", as_lifekeeper=True).status, 0, "nothing is known, nothing is lost")
                s.refused(3, "DescribeRouteTables")


def test_no_secret_of_a_proxy_or_a_redirect(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP, proxy="htp://u:hunter2@127.0.0.1:9")
        s.refused(4, "vip1.conf", "proxy")
        s.node.resource("vip1", scenario="route-table", address=VIP, restore_timeout=1)
        s.refused(3, env={"http_proxy": "htp://u:hunter2@127.0.0.1:9", "https_proxy": "htp://u:hunter2@127.0.0.1:9"})
        s.node.resource("vip1", scenario="route-table", address=VIP, restore_timeout=20)
        s.sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 0,
                      "do": {"type": "redirect", "location": "http://u:hunter2@192.0.2.1/?token=hunter2"}})
        s.refused(3, "192.0.2.1")


def test_certificates(t):
    with Scene(t, tls=True) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP)
        t.equal(s.node.run("quickCheck", "vip1").status, 1, "with the right authority it is asked")
        other = lab.Authority(t, "other")
        s.node.resource("vip1", scenario="route-table", address=VIP, ca_file=other.ca_file)
        s.refused(4, "certificate", "ca_file")
        s.node.resource("vip1", scenario="route-table", address=VIP, ca_file="/nonexistent.pem")
        s.refused(4, "/nonexistent.pem")


def test_plain_http_goes_nowhere_else(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP, endpoint="http://192.0.2.7/")
        s.refused(4, "192.0.2.7")


def test_credentials(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP)
        s.refused(5, env={"AWS_SECRET_ACCESS_KEY": "hunter2"})
        got = s.refused(5, env={"AWS_ACCESS_KEY_ID": "AKIDNOSUCHKEY"})
        t.check("AuthFailure" in got.err, "with the cloud's word")


def test_help_is_given_by_every_program_and_command(t):
    """On standard output, with 0, and nothing else is done: not even where there is no configuration."""
    env = lab.clean_env(CLOUDVIP_CONFDIR=t.tmp + "/none", LKROOT=t.tmp + "/none",
                        AWS_EC2_METADATA_DISABLED="true", ALIBABA_CLOUD_ECS_METADATA_DISABLED="true")
    commands = re.findall(r"^  (\w+) ", subprocess.check_output([lab.program("cloudvip"), "--help"], env=env).decode(), re.M)
    t.check(len(commands) > 15, commands)
    calls = [[action] for action in lab.ACTIONS] + [["cloudsim"], ["cloudvip"]] + [["cloudvip", c] for c in commands] + [
        ["cloudvip"] + words.split() for words in
        ("lifekeeper create", "lifekeeper register", "eni attach", "havip bind", "eip convert", "nic setup",
         "nic queues", "egress unify", "hooks test")]
    for words in calls:
        for option in ("--help", "-h"):
            got = subprocess.run([lab.program(words[0])] + words[1:] + [option], stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
            t.equal((got.returncode, got.stderr), (0, b""), " ".join(words + [option]))
            t.check(b"cloudvip" in got.stdout or b"usage: " + words[0].encode() in got.stdout, " ".join(words))


def test_what_no_cloud_knows_is_usage_wherever_it_is(t):
    """It is said before a provider is looked for, which may be in vain."""
    env = lab.clean_env(CLOUDVIP_CONFDIR=t.tmp + "/none", AWS_EC2_METADATA_DISABLED="true")
    for words in ("eni nosuch", "eip nosuch", "eni attach", "eni attach eni-1 i-1 --nosuch", "eip bind",
                  "status --prometheus /nonexistent/metrics"):
        got = subprocess.run([lab.program("cloudvip")] + words.split(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=env)
        t.equal((got.returncode, got.stdout), (2, b""), words)
        t.check(b"nosuch" in got.stderr or b"missing" in got.stderr or b"--prometheus" in got.stderr, got.stderr)


def test_command_line(t):
    with Scene(t) as s:
        s.node.resource("vip1", scenario="route-table", address=VIP)
        t.equal(s.node.cloudvip().status, 2)
        t.equal(s.node.cloudvip("nosuch").status, 2)
        t.equal(s.node.cloudvip("--nosuch", "check").status, 2)
        t.equal(s.node.cloudvip("plan").status, 2)
        t.equal(s.node.cloudvip("restore").status, 2)
        t.equal(s.node.cloudvip("restore", "../etc/passwd").status, 4)
        t.equal(s.node.cloudvip("restore", "a tag").status, 4)
        t.equal(s.node.start("quickCheck", "vip1", "-R", "--what", "ever", binary=True).wait().status, 1,
                "an action ignores what it does not know")


if __name__ == "__main__":
    tap.main()
