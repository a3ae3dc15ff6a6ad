#!/usr/bin/env python3
# tests/run: variants=default
"""packaging/bootstrap against package managers that only say what they were asked."""
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import tap

OS_RELEASE = {
    "debian": "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n",
    "ubuntu": "NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\n",
    "mint": "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
    "rhel": "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nID_LIKE=\"fedora\"\n",
    "rocky": "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
    "fedora": "ID=fedora\n",
    "opensuse-leap": "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n",
    "sles": "ID=\"sles\"\nID_LIKE=\"suse\"\n",
}
APT_BUILD = ("gcc", "libc6-dev", "make", "pkg-config", "libcurl4-openssl-dev", "libxml2-dev", "libjson-c-dev",
             "libssl-dev", "libinih-dev", "libmnl-dev", "liblua5.4-dev", "libmicrohttpd-dev")
RPM_LIBRARIES = ("libcurl", "libxml-2.0", "json-c", "libcrypto", "inih", "libmnl", "libmicrohttpd")
LUA = {"dnf": "lua", "zypper": "lua5.4"}

# The state of the pretended machine: directories of empty files named by package, and a log.
STUBS = {
    "dpkg-query": 'for p; do :; done; [ -e "$STATE/installed/$p" ] && printf installed',
    "rpm": 'for p; do :; done; [ -e "$STATE/installed/$p" ]',
    "apt-cache": 'for p; do :; done; [ -e "$STATE/known/$p" ] && echo "Package: $p"; exit 0',
    "apt-get": 'log apt-get "$@"; case " $* " in *" update "*) may_fail update;'
               ' cp "$STATE"/mirror/* "$STATE/known/" 2>/dev/null; exit 0 ;;'
               ' *) may_fail install; put "$@" ;; esac',
    "dnf": 'case " $* " in *" repolist "*) cat "$STATE/repos" ;;'
           ' *" repoquery "*) for p; do :; done; [ -e "$STATE/known/$p" ] && echo "$p"; exit 0 ;;'
           ' *) log dnf "$@"; may_fail install; put "$@" ;; esac',
    "zypper": 'case " $* " in *" search "*) for p; do :; done; [ -e "$STATE/known/$p" ] || exit 104 ;;'
              ' *" refresh "*) log zypper "$@" ;; *) log zypper "$@"; may_fail install; put "$@" ;; esac',
    "sudo": 'log sudo; exec "$@"',
    "id": 'cat "$STATE/uid"',
    "nproc": 'echo 3',
    "sleep": ':',
    "make": 'log make "$@"',
}
STUB_HEAD = """#!/bin/sh
log() { printf '%s\\n' "$*" >>"$STATE/log"; }
may_fail() { [ ! -e "$STATE/fail-$1" ] || { rm "$STATE/fail-$1"; exit 1; }; }
put() { for p; do case $p in -*|install|*=*) ;; *) : >"$STATE/installed/$p" ;; esac; done; }
"""


class Machine:
    def __init__(self, t, name, known=None, uid=0, repos=""):
        self.t = t
        self.state = t.path("state-" + name)
        for kind in ("installed", "known", "mirror"):
            os.makedirs(os.path.join(self.state, kind))
        self.put("uid", str(uid))
        self.put("repos", repos)
        self.put("log", "")
        self.put("os-release", OS_RELEASE.get(name, name))
        for stub, body in STUBS.items():
            t.write(os.path.join("bin", stub), STUB_HEAD + body + "\n", 0o755)
        for package in known or ():
            self.put("known/" + package)

    def put(self, name, text=""):
        with open(os.path.join(self.state, name), "w") as f:
            f.write(text)

    def run(self, *args):
        """(exit status, lines of stdout, stderr, lines of the log)"""
        env = {"PATH": self.t.path("bin") + ":/usr/bin:/bin", "STATE": self.state}
        done = subprocess.Popen([os.path.join(ROOT, "packaging/bootstrap"), "--os-release",
                                 os.path.join(self.state, "os-release")] + list(args), env=env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = (b.decode() for b in done.communicate(timeout=60))
        with open(os.path.join(self.state, "log")) as f:
            log = f.read().splitlines()
        self.put("log", "")
        self.t.log("status %d\n%s\n%s\n%s" % (done.returncode, out, err, "\n".join(log)))
        return done.returncode, out.splitlines(), err, log


def everything(manager):
    """All packages that the script may ask this manager for."""
    column = {"apt": 1, "dnf": 2, "zypper": 3}[manager]
    with open(os.path.join(ROOT, "packaging/bootstrap")) as f:
        rows = [[c.strip() for c in line.split("|")] for line in f if line.count(" | ") == 4]
    return sorted({r[column] for r in rows if not r[0].startswith("#")} - {"-"})


def test_printed_commands(t):
    expect = {
        "debian": ("apt", "env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends"),
        "ubuntu": ("apt", "env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends"),
        "mint": ("apt", "env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends"),
        "rhel": ("dnf", "dnf -q install -y"),
        "rocky": ("dnf", "dnf -q install -y"),
        "fedora": ("dnf", "dnf -q install -y"),
        "opensuse-leap": ("zypper", "zypper --non-interactive install --no-recommends"),
        "sles": ("zypper", "zypper --non-interactive install --no-recommends"),
    }
    for name, (manager, command) in expect.items():
        with t.subtest(name):
            machine = Machine(t, name, everything(manager))
            status, out, err, log = machine.run("--print", "build")
            t.equal((status, log), (0, []))
            t.equal(len(out), 2, err)
            t.check(out[0].startswith(command), out[0])
            t.equal(out[1], "make -j3 all")
            words = out[0].split()
            libraries = APT_BUILD if manager == "apt" else ["'pkgconfig(%s)'" % m for m in RPM_LIBRARIES + (LUA[manager],)]
            for package in libraries:
                t.has(words, package)
            for package in ("python3", "openssl", "python3-boto3", "resource-agents"):
                t.lacks(words, package)


def test_sets_of_packages(t):
    machine = Machine(t, "debian", everything("apt"))
    asked = {}
    for target in ("build", "demo", "check", "lab", "bench", "rpm"):
        asked[target] = set(machine.run("--print", target)[1][0].split())
    t.equal(asked["demo"] - asked["build"], {"openssl", "python3"})
    # Node.js may be here from elsewhere: then it is not asked for.
    node = {package for package, command in (("nodejs", "node"), ("npm", "npm"))
            if not shutil.which(command, path="/usr/bin:/bin")}
    t.equal(asked["check"] - asked["demo"], {"libcmocka-dev", "python3-boto3", "awscli", "iproute2",
                                             "clang-format", "clang-tidy", "cppcheck", "libxml2-utils",
                                             "resource-agents", "pacemaker", "corosync", "pcs", "crmsh", "keepalived",
                                             "strace", "rpm", "elfutils", "debugedit", "dnf", "createrepo-c",
                                             "rpmlint", "checksec", "cpio", "mandoc"} | node)
    t.equal(asked["lab"] - asked["demo"], {"resource-agents", "awscli", "iproute2", "pacemaker", "corosync", "keepalived",
                                           "curl", "nftables"})
    t.check({"rpm", "elfutils", "debugedit"} <= asked["rpm"], "what builds a package")
    t.equal(asked["bench"] - asked["demo"], {"resource-agents", "awscli", "iproute2", "curl", "valgrind"})
    both = set(machine.run("--print", "check", "bench")[1][0].split())
    t.equal(both, asked["check"] | asked["bench"])


def test_it_installs_and_goes_on(t):
    for name, manager in (("debian", "apt"), ("rocky", "dnf"), ("sles", "zypper")):
        with t.subtest(name):
            machine = Machine(t, name, everything(manager))
            status, _, _, log = machine.run("check")
            t.equal((status, len(log)), (0, 2))
            t.equal(log[1], "make -j3 check")
            with_all = machine.run("check")
            t.equal((with_all[0], with_all[3]), (0, ["make -j3 check"]), "nothing is missing: nothing is installed")


def test_only_what_is_missing(t):
    machine = Machine(t, "debian", everything("apt"))
    for package in APT_BUILD:
        if package != "libinih-dev":
            machine.put("installed/" + package)
    status, out, _, _ = machine.run("--print", "build")
    t.equal(status, 0)
    t.equal(out[0].split()[-1], "libinih-dev")
    t.lacks(out[0].split(), "gcc")


def test_nothing_missing_needs_no_root(t):
    machine = Machine(t, "debian", uid=1000)
    for package in APT_BUILD:
        machine.put("installed/" + package)
    t.equal(machine.run("build")[3], ["make -j3 all"])


def test_sudo(t):
    machine = Machine(t, "debian", everything("apt"), uid=1000)
    status, _, _, log = machine.run("build")
    t.equal((status, log[0]), (0, "sudo"))
    t.check(machine.run("--print", "demo")[1][0].startswith("sudo env DEBIAN_FRONTEND=noninteractive apt-get"))
    os.unlink(t.path("bin/sudo"))
    if not os.path.exists("/usr/bin/sudo"):
        machine = Machine(t, "ubuntu", everything("apt"), uid=1000)
        os.unlink(t.path("bin/sudo"))
        status, _, err, log = machine.run("build")
        t.equal((status, log), (1, []))
        t.has(err, "run this as root")


def test_empty_lists_are_updated_first(t):
    machine = Machine(t, "debian")
    for package in everything("apt"):
        machine.put("mirror/" + package)
    machine.put("fail-update")  # a mirror that fails once
    status, _, _, log = machine.run("build")
    t.equal(status, 0)
    t.equal([line.split()[0:3] for line in log],
            [["apt-get", "-q", "update"], ["apt-get", "-q", "update"], ["apt-get", "-q", "install"], ["make", "-j3", "all"]])


def test_install_is_tried_again_with_new_lists(t):
    machine = Machine(t, "debian", everything("apt"))
    machine.put("fail-install")
    status, _, _, log = machine.run("build")
    t.equal((status, [line.split()[2] for line in log[:3]]), (0, ["install", "update", "install"]))


def test_what_a_distribution_lacks(t):
    for name, manager, lacks in (("ubuntu", "apt", "awscli"), ("rocky", "dnf", "cppcheck"),
                                 ("opensuse-leap", "zypper", "aws-cli")):
        with t.subtest(name + ", of use but not needed"):
            machine = Machine(t, name, set(everything(manager)) - {lacks})
            status, _, err, log = machine.run("check")
            t.equal((status, log[-1]), (0, "make -j3 check"))
            t.has(err, "this distribution has no %s; skipped: the " % lacks)
            t.lacks(" ".join(log).split(), lacks)
    for name, manager, lacks, hint in (("ubuntu", "apt", "libinih-dev", "universe"),
                                       ("rhel", "dnf", "pkgconfig(cmocka)", "EPEL"),
                                       ("sles", "zypper", "pkgconfig(inih)", "PackageHub")):
        with t.subtest(name + ", needed"):
            machine = Machine(t, name + "-2", set(everything(manager)) - {lacks})
            machine.put("os-release", OS_RELEASE[name])
            status, _, err, log = machine.run("check")
            t.equal(status, 1)
            t.has(err, "cannot be installed here: " + lacks)
            t.has(err, hint)
            t.lacks("\n".join(log), "make")


def test_repository_of_development_files(t):
    repos = "repo id  repo name\nappstream  AppStream\ncrb  CRB\ncrb-debug  Debug\n"
    machine = Machine(t, "rocky", everything("dnf"), repos=repos)
    t.has(machine.run("--print", "build")[1][0], " --enablerepo=crb gcc ")


def test_refusals(t):
    machine = Machine(t, "ID=plan9\n")
    status, out, err, log = machine.run("build")
    t.equal((status, out, log), (1, [], []))
    t.has(err, "'plan9'")
    t.has(err, "libmicrohttpd")
    for args in ((), ("nonsense",), ("--nonsense",), ("--print",)):
        t.equal(machine.run(*args)[0], 2)
    os.unlink(os.path.join(machine.state, "os-release"))
    t.equal(machine.run("build")[0], 1)


def test_it_is_posix_sh(t):
    path = os.path.join(ROOT, "packaging/bootstrap")
    for shell in (["dash"], ["bash", "--posix"]):
        if any(os.access(os.path.join(d, shell[0]), os.X_OK) for d in ("/bin", "/usr/bin")):
            t.equal(subprocess.call(shell + ["-n", path]), 0, shell[0])
    with open(path) as f:
        t.equal(f.readline(), "#!/bin/sh\n")


if __name__ == "__main__":
    tap.main()
