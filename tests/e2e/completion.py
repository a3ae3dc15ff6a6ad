#!/usr/bin/env python3
# tests/run: timeout=120 variants=default
"""bash completes cloudvip's words: commands, verbs, options, tags and ids of the local configuration."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import lab
import tap

SCRIPT = os.path.join(ROOT, "packaging/completion/cloudvip")
RESOURCES = """
[vip1]
provider = aliyun
scenario = havip
havip_id = havip-2ze1
address = 10.0.0.1
interface = eth0

[vip2]
provider = aws
scenario = elastic-ip
allocation_id = eipalloc-0a1
interface = eth0
"""


def confdir(t):
    path = os.path.join(t.tmp, "etc")
    os.makedirs(path + "/resources.d", exist_ok=True)
    with open(path + "/resources.d/all.conf", "w") as f:
        f.write(RESOURCES)
    return path


def complete(t, *words):
    """What bash would offer for the last word."""
    script = ("source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _cloudvip; "
              "printf '%s\\n' \"${COMPREPLY[@]}\"")
    env = lab.clean_env(PATH=os.path.dirname(lab.program("cloudvip")) + ":" + os.environ["PATH"],
                        CLOUDVIP_CONFDIR=confdir(t))
    out = subprocess.check_output(["bash", "--norc", "-c", script, "bash", SCRIPT, "cloudvip"] + list(words), env=env)
    return out.decode().split("\n")[:-1]


def help_of(t, *words):
    return subprocess.run([lab.program("cloudvip")] + list(words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=lab.clean_env(CLOUDVIP_CONFDIR=confdir(t))).stdout.decode()


def test_commands(t):
    shown = re.findall(r"^  ([a-zA-Z]+) ", help_of(t, "--help"), re.M)
    offered = complete(t, "")
    for command in shown:
        t.has(offered, command)
    t.equal(complete(t, "qu"), ["quickCheck"])
    t.lacks(offered, "complete", "that one is for the shell")


def test_tags(t):
    for command in ("restore", "check", "plan", "policy"):
        t.equal(complete(t, command, "v"), ["vip1", "vip2"])
    t.equal(complete(t, "check", "vip1", "vip2"), ["vip2"])


def test_verbs_are_those_of_the_help(t):
    for command in ("havip", "eni", "eip"):
        for verb in complete(t, command, ""):
            t.has(help_of(t, command, "--help"), verb, command)
    for command in ("nic", "hooks", "egress"):
        verbs = [word for word in complete(t, command, "") if not word.startswith("-")]
        t.check(len(verbs) > 1, command)
        for verb in verbs:
            t.has(help_of(t, command, "--help"), verb, command)


def test_options_and_values_of_operations(t):
    t.has(complete(t, "eip", "bind", "--m"), "--mode")
    t.equal(complete(t, "eip", "bind", "--mode", ""), ["cut-through", "multi", "nat"])
    t.equal(complete(t, "eip", "bind", "--resource", ""), ["vip1", "vip2"])
    t.equal(complete(t, "havip", "delete", "h"), ["havip-2ze1"])
    t.has(complete(t, "eip", "bind", "e"), "eipalloc-0a1")


def test_options_of_commands_are_those_of_the_help(t):
    for words in (("check",), ("policy",), ("hooks", "list"), ("hooks", "test"), ("nic", "setup"), ("nic", "check"),
                  ("nic", "unset"), ("nic", "queues"), ("egress", "status"), ("egress", "unify")):
        shown = help_of(t, *words + ("--help",))
        if words[0] == "hooks":  # both verbs, a line of usage each
            shown = re.search(r"cloudvip hooks %s .*" % words[1], shown).group(0)
        elif words[-1] == "status":
            shown = re.sub(r"  unify alone:.*  both:", "", shown, flags=re.S)
        elif words[0] == "nic" and words[1] != "queues":  # what is behind the list of verbs; unset and check take less
            shown = re.search(r"\n  --%s .*" % ("metric" if words[1] == "setup" else "resource"), shown, re.S).group(0)
        elif words == ("check",):
            shown = "--prometheus"
        offered = complete(t, *words + ("--",))
        for option in set(re.findall(r"--[a-z][a-z-]*", shown)) - {"--dry-run"} | {"--json", "--help"}:
            t.has(offered, option, " ".join(words))
        for option in offered:
            t.has(help_of(t, *words + ("--help",)) + "--confdir --json --help", option, " ".join(words))


def test_values_of_their_options(t):
    t.equal(complete(t, "hooks", "test", "x", "--tag", ""), ["vip1", "vip2"])
    t.has(complete(t, "hooks", "test", "x", "--point", "pre_"), "pre_restore")
    t.equal(complete(t, "nic", "setup", "lo", "--provider", "al"), ["aliyun"])
    t.equal(complete(t, "policy", "--for", ""), ["nodes"])
    t.equal(complete(t, "policy", "--for", "="), ["nodes"], "as bash splits it")
    t.equal(complete(t, "eip", "bind", "--mode", "=", "n"), ["nat"])
    t.equal(complete(t, "nic", "setup", "lo", "--metric", ""), [""], "a number")


def test_interfaces(t):
    t.has(complete(t, "nic", "setup", ""), "lo")


def test_a_file_is_the_shell_s(t):
    t.equal(complete(t, "check", "--prometheus", ""), [""])


def test_what_is_typed_is_never_run(t):
    marker = os.path.join(t.tmp, "marker")
    complete(t, "check", "$(touch %s)" % marker)
    complete(t, "eip", "bind", "`touch %s`" % marker, "")
    t.check(not os.path.exists(marker), "nothing was started")
    t.equal(complete(t, "no-such-command", "x"), [""])


if __name__ == "__main__":
    tap.main()
