#!/usr/bin/env python3
# tests/run: timeout=900 variants=default
"""The packages: built twice to the same bytes, installed by dnf into a root of their own with real
scriptlets, verified, used without the source tree, upgraded with an edited configuration kept, and
erased without a trace.

The root is this machine's own, overlaid: what the packages bring is real, and what they require of
the distribution comes from a package of this test that provides it, since the libraries here are no
rpm's.
"""
import ctypes
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import lab
import lifekeeper
import tap

PACKAGES = ("cloudvip", "cloudvip-lifekeeper", "cloudvip-pacemaker", "cloudvip-sim")
# What the programs are linked with, and what the scriptlets and the demonstration start.
REQUIRES = re.compile(r"""
    /bin/sh | /usr/bin/sh | /usr/bin/python3 | /usr/bin/env | python3 | openssl | ca-certificates
    | cloudvip(\(x86-64\))?\ =\ \S+ | config\(cloudvip\)\ =\ \S+ | rtld\(GNU_HASH\) | ld-linux-\S+
    | lib(c|m|curl|xml2|json-c|crypto|ssl|inih|mnl|microhttpd|lua\S*|pthread|dl)\.so\.\d+(\([A-Z0-9_.]*\))?(\(64bit\))?
    | liblua\S*\.so\S* | libinih\.so\S*
    | rpmlib\(\S+\)\ <=\ \S+""", re.X)
TRACES = ("etc", "usr", "opt", "var", "run")
# Where rpm, dnf and the loader keep their own things.
NOT_OURS = re.compile(r"^(var/lib/(rpm|dnf)|var/log|var/cache|usr/lib/sysimage|etc/ld\.so\.cache|usr/lib/\.build-id$)")
CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 16384, 1 << 18


def run(t, argv, status=0, **options):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    out = done.stdout.decode("utf-8", "replace")
    t.log("$ %s\n%s" % (" ".join(str(a) for a in argv), out[-4000:]))
    if status is not None:
        t.equal(done.returncode, status, "%s\n%s" % (argv[0], out[-2000:]))
    return out


def need(t, *programs):
    if os.geteuid() != 0:
        t.skip("needs root: a root file system is mounted")
    for program in programs:
        if not shutil.which(program):
            t.skip("%s is not installed" % program)


class Built:
    """The packages, built once for all tests."""
    top = None  # a directory for each build

    @classmethod
    def get(cls, t):
        if not cls.top:
            top = "/var/tmp/cloudvip-rpm-test.%d" % os.getpid()
            shutil.rmtree(top, ignore_errors=True)
            os.makedirs(top)
            try:
                cls.build(t, top, "first", "--without check")
                cls.build(t, top, "second", "--without check")
                cls.build(t, top, "next", "--with check --define 'release_number 2'")
            except BaseException:
                shutil.rmtree(top, ignore_errors=True)
                raise
            cls.top = top
        return cls

    @staticmethod
    def build(t, top, name, flags):
        run(t, ["make", "-C", ROOT, "VARIANT=", "rpm", "RPMTOP=%s/%s" % (top, name), "RPMFLAGS=" + flags],
            env=lab.clean_env(PATH=os.environ["PATH"]))

    @classmethod
    def files(cls, name):
        """NAME of a package -> its file"""
        found = {}
        for path in glob.glob("%s/%s/RPMS/*/*.rpm" % (cls.top, name)):
            found[re.sub(r"-[0-9][^-]*-[^-]*\.[^.]+\.rpm$", "", os.path.basename(path))] = path
        return found


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


# ---- a root of its own ---------------------------------------------------------------------------

class Machine:
    """This machine's root under an overlay, without the source tree, with an rpm database of its own."""

    def __init__(self, t):
        self.t = t
        self.top = t.tmp
        self.root = os.path.join(self.top, "root")
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNS) or libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None):
            t.skip("needs a mount namespace")
        self.mount("-t", "tmpfs", "none", self.directory("disk"))
        upper, work = self.directory("disk/upper"), self.directory("disk/work")
        self.mount("-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir=%s,workdir=%s" % (upper, work),
                   self.directory("root"))
        self.mount("--bind", "/proc", self.root + "/proc")
        self.mount("--bind", "/dev", self.root + "/dev")
        self.mount("-t", "tmpfs", "none", self.root + ROOT)  # nobody looks into the source tree
        self.mount("-t", "tmpfs", "none", self.root + "/tmp")
        self.mount("-t", "tmpfs", "none", self.root + "/run")
        for old in ("/etc/cloudvip", "/usr/libexec/cloudvip", "/root/.rpmdb"):
            shutil.rmtree(self.root + old, ignore_errors=True)

    def directory(self, name):
        path = os.path.join(self.top, name)
        os.makedirs(path, exist_ok=True)
        return path

    def mount(self, *argv):
        if subprocess.call(["mount"] + list(argv), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
            self.t.skip("cannot mount here: mount %s" % " ".join(argv))
        self.t.cleanup(subprocess.call, ["umount", "-l", argv[-1]])

    def dnf(self, *argv, status=0):
        repository = os.path.join(self.top, "repository")
        return run(self.t, ["dnf", "-y", "--refresh", "--installroot", self.root, "--repofrompath",
                            "local,file://" + repository, "--repo", "local", "--nogpgcheck", "--releasever", "9",
                            "--setopt=cachedir=" + os.path.join(self.top, "cache"),
                            "--setopt=install_weak_deps=False"] + list(argv), status)

    def publish(self, *files):
        repository = self.directory("repository")
        for path in files:
            shutil.copy(path, repository)
        run(self.t, ["createrepo_c", "-q", repository])

    def rpm(self, *argv, status=0):
        return run(self.t, ["rpm", "--root", self.root] + list(argv), status)

    def do(self, *argv, status=0, **env):
        return run(self.t, ["chroot", self.root] + list(argv), status, cwd="/",
                   env=dict({"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}, **env))

    def listing(self):
        found = set()
        for top in TRACES:
            for directory, names, files in os.walk(os.path.join(self.root, top)):
                for name in names + files:
                    path = os.path.relpath(os.path.join(directory, name), self.root)
                    if not NOT_OURS.match(path):
                        found.add(path)
        return found


def platform(t, machine, files):
    """A package that provides what the distribution would."""
    wanted = set()
    for name in PACKAGES:
        for line in run(t, ["rpm", "-qpR", files[name]]).splitlines():
            if not re.match(r"(rpmlib|config|cloudvip)\b", line) and " " not in line:
                wanted.add(line)
    spec = os.path.join(t.tmp, "platform.spec")
    with open(spec, "w") as f:
        f.write("Name: platform\nVersion: 1\nRelease: 1\nSummary: what this machine has\nLicense: none\n"
                "BuildArch: noarch\n%s\n%%description\nIt has it.\n%%files\n"
                % "\n".join("Provides: " + name for name in sorted(wanted)))
    run(t, ["rpmbuild", "-bb", "--define", "_topdir " + machine.directory("platform"), spec])
    return glob.glob(os.path.join(t.tmp, "platform/RPMS/noarch/*.rpm"))[0]


# ---- the tests -----------------------------------------------------------------------------------

def test_the_same_tree_makes_the_same_bytes_anywhere(t):
    need(t, "rpmbuild", "eu-strip")
    built = Built.get(t)
    first, second = built.files("first"), built.files("second")
    t.equal(sorted(n for n in first if "debug" not in n), sorted(PACKAGES))
    t.check(any("debuginfo" in name for name in first), "there is debug information")
    for name, path in first.items():
        t.equal(digest(path), digest(second[name]), name)
    sources = [glob.glob("%s/%s/SRPMS/*.src.rpm" % (built.top, n))[0] for n in ("first", "second")]
    t.equal(digest(sources[0]), digest(sources[1]))


def test_what_is_required_is_right(t):
    need(t, "rpmbuild", "eu-strip")
    files = Built.get(t).files("first")
    for name in PACKAGES:
        lines = run(t, ["rpm", "-qpR", files[name]]).splitlines()
        strange = [line for line in lines if not REQUIRES.fullmatch(line.strip())]
        t.equal(strange, [], name)
        t.lacks("\n".join(lines), "CURL_OPENSSL", "Debian's symbol versions")
    own = "\n".join(run(t, ["rpm", "-qpR", files["cloudvip"]]).splitlines())
    needed = set()
    for program in ("restore", "remove", "quickCheck", "recover", "cloudvip"):
        out = run(t, ["readelf", "-d", lab.program(program)])
        needed.update(re.findall(r"\(NEEDED\).*\[(\S+)\]", out))
    for library in sorted(needed):
        t.has(own, library + "()(64bit)" if not library.startswith("ld-") else "")


def test_rpmlint(t):
    need(t, "rpmbuild", "eu-strip", "rpmlint")
    files = Built.get(t).files("first")
    out = run(t, ["rpmlint", "-c", os.path.join(ROOT, "packaging/rpm/rpmlint.toml"),
                  os.path.join(ROOT, "packaging/rpm/cloudvip.spec")] + [files[n] for n in PACKAGES], None)
    t.check(re.search(r" 0 errors, 0 warnings", out), out)


def test_programs_are_hardened(t):
    need(t, "rpmbuild", "eu-strip", "checksec", "rpm2cpio", "cpio")
    files = Built.get(t).files("first")
    for name in ("cloudvip", "cloudvip-sim"):
        directory = os.path.join(t.tmp, name)
        os.makedirs(directory)
        run(t, ["sh", "-c", "rpm2cpio \"$1\" | cpio -idm --quiet", "sh", files[name]], cwd=directory)
        for path in glob.glob(directory + "/usr/*bin/*") + glob.glob(directory + "/usr/libexec/cloudvip/*"):
            with open(path, "rb") as f:
                if os.path.islink(path) or f.read(4) != b"\x7fELF":
                    continue
            row = run(t, ["checksec", "--format=csv", "--file=" + path]).strip().splitlines()[-1]
            for wanted in ("Full RELRO", "Canary found", "PIE enabled", "No RPATH", "No RUNPATH", "NX enabled"):
                t.has(row, wanted, path)
            t.has(row.split(","), "Yes", "fortify: %s: %s" % (path, row))


def test_the_life_of_the_packages(t):
    need(t, "rpmbuild", "eu-strip", "createrepo_c", "dnf", "mount")
    built = Built.get(t)
    files, later = built.files("first"), built.files("next")
    machine = Machine(t)

    machine.publish(*(files[name] for name in PACKAGES))
    with t.subtest("dnf says what the distribution lacks"):
        t.has(machine.dnf("install", *PACKAGES, status=1), "nothing provides libcurl.so.4")

    machine.publish(platform(t, machine, files))
    machine.dnf("install", "platform")
    before = machine.listing()
    machine.dnf("install", *PACKAGES)

    with t.subtest("installed: rpm -V has nothing to say"):
        t.equal(machine.rpm("-V", *PACKAGES).strip(), "")
    with t.subtest("every directory is owned"):
        owned = set(line.strip("/") for line in machine.rpm("-ql", *PACKAGES).splitlines())
        t.equal(sorted(machine.listing() - before - owned), [])
    use(t, machine)

    config = machine.root + "/etc/cloudvip/cloudvip.conf"
    with open(config, "a") as f:
        f.write("# the site's own line\n")
    with t.subtest("an edit shows"):
        t.has(machine.rpm("-V", "cloudvip", status=1), "c /etc/cloudvip/cloudvip.conf")
    resource = machine.root + "/etc/cloudvip/resources.d/vip1.conf"
    with open(resource, "w") as f:
        f.write("[vip1]\nprovider = aws\nscenario = route-table\naddress = 10.1.0.10\ninterface = eth1\n")

    machine.publish(*(later[name] for name in PACKAGES))
    machine.dnf("upgrade", *PACKAGES)
    with t.subtest("upgraded: the edited configuration is kept"):
        t.has(machine.rpm("-q", "cloudvip"), "-2")
        with open(config) as f:
            t.has(f.read(), "# the site's own line")
        t.check(os.path.exists(resource), "the resource is there still")

    machine.dnf("remove", *PACKAGES)
    with t.subtest("erased: what the site wrote stays, and nothing else"):
        t.equal(machine.listing() - before, {"etc/cloudvip", "etc/cloudvip/cloudvip.conf.rpmsave", "etc/cloudvip/resources.d",
                                            "etc/cloudvip/resources.d/vip1.conf"})
    shutil.rmtree(machine.root + "/etc/cloudvip")
    with t.subtest("installed and erased untouched: no trace at all"):
        machine.dnf("install", *PACKAGES)
        machine.do("cloudvip", "check", "--prometheus", "/var/lib/cloudvip/metrics.prom", status=4)  # as the timer does
        machine.dnf("remove", *PACKAGES)
        t.equal(sorted(machine.listing() - before), [])


class LifeKeeper:
    """Its stand-in on that machine, where the real one would be."""

    def __init__(self, machine):
        self.machine = machine
        self.root = machine.root + "/opt/LifeKeeper"
        os.makedirs(self.root + "/bin")
        shutil.copy(lifekeeper.STAND_IN, self.root + "/lcdi")
        for command in lifekeeper.lcdi.COMMANDS:
            os.symlink("../lcdi", self.root + "/bin/" + command)
        with open(self.root + "/db.json", "w") as f:
            json.dump({"system": "node1", "alive": True, "apps": ["comm"], "types": [["comm", "ip"]], "instances": {},
                       "eqvs": [], "flags": [], "peers": {}, "broken": {}, "halted": None, "env": {}}, f)

    def has_type(self):
        with open(self.root + "/db.json") as f:
            return ["comm", "cloudvip"] in json.load(f)["types"]

    def do(self, command, *argv):
        return self.machine.do("/opt/LifeKeeper/bin/" + command, *argv)


def test_lifekeeper_knows_the_type_and_loses_no_instance(t):
    need(t, "rpmbuild", "eu-strip", "createrepo_c", "dnf", "mount")
    built = Built.get(t)
    files, later = built.files("first"), built.files("next")
    machine = Machine(t)
    server = LifeKeeper(machine)
    kit = ("cloudvip", "cloudvip-lifekeeper")
    machine.publish(platform(t, machine, files), *(files[name] for name in kit))
    machine.dnf("install", *kit)
    t.check(server.has_type(), "the package registers its type")
    server.do("ins_create", "-a", "comm", "-r", "cloudvip", "-t", "vip1", "-i", "vip1")

    machine.publish(*(later[name] for name in kit))
    machine.dnf("upgrade", *kit)
    t.check(server.has_type(), "an upgrade keeps it")
    t.has(server.do("ins_list"), "vip1")
    machine.dnf("remove", "cloudvip-lifekeeper", status=None)
    t.has(machine.rpm("-q", "cloudvip-lifekeeper"), "-2", "it stays while there are resources of its type")
    t.check(server.has_type() and "vip1" in server.do("ins_list"), "nothing is lost")

    server.do("ins_remove", "-t", "vip1")
    machine.dnf("remove", "cloudvip-lifekeeper")
    t.check(not server.has_type(), "the type goes with the package")
    t.check(os.path.exists(server.root + "/bin/ins_list"), "what is LifeKeeper's stays")
    t.check(not os.path.exists(server.root + "/subsys/comm/resources/cloudvip"), "what was ours goes")


def use(t, machine):
    """What a user does first, with nothing but the packages."""
    with t.subtest("the programs run"):
        t.has(machine.do("cloudvip", "--version"), "cloudvip 0.")
        t.has(machine.do("/usr/libexec/cloudvip/quickCheck", "-t", "none", status=4), "none")
    with t.subtest("the demonstration"):
        t.has(machine.do("cloudvip-demo", "--fast", "--ascii"), "What it took")
    with t.subtest("the hooks"):
        examples = "/usr/share/cloudvip/hooks/examples/"
        machine.do("cp", examples + "site.lua", "/etc/cloudvip/hooks/lib/")
        for example in os.listdir(machine.root + examples):
            if example != "site.lua":  # what the site says of itself, which the others read
                machine.do("cp", examples + example, "/etc/cloudvip/hooks/")
                t.has(machine.do("cloudvip", "hooks", "list"), example)
                machine.do("rm", "/etc/cloudvip/hooks/" + example)
        machine.do("rm", "/etc/cloudvip/hooks/lib/site.lua")
    with t.subtest("the resource agent"):
        agent = "/usr/lib/ocf/resource.d/cloudvip/cloudvip"
        described = machine.do(agent, "meta-data", OCF_ROOT="/usr/lib/ocf")
        t.has(described, '<resource-agent name="cloudvip"')
        t.has(described, '<parameter name="scenario"')
        machine.do(agent, "validate-all", OCF_ROOT="/usr/lib/ocf", OCF_RESOURCE_INSTANCE="vip1",
                   OCF_RESKEY_scenario="none", status=6)
    with t.subtest("completion"):
        t.has(machine.do("bash", "-c", ". /usr/share/bash-completion/completions/cloudvip; COMP_WORDS=(cloudvip pl); "
                         "COMP_CWORD=1; _cloudvip; echo ${COMPREPLY[@]}"), "plan")
    with t.subtest("the manual"):
        for page in ("cloudvip", "cloudvip.conf", "cloudvip-scenarios", "cloudvip-messages", "cloudvip-restore",
                     "cloudvip-remove", "cloudvip-hooks"):
            path = glob.glob(machine.root + "/usr/share/man/man?/%s.[0-9]*" % page)
            t.equal(len(path), 1, page)


if __name__ == "__main__":
    try:
        tap.main()
    finally:
        if Built.top:
            shutil.rmtree(Built.top, ignore_errors=True)
