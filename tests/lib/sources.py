"""What the analyzers need: the C files, how they are compiled, two at a time with a verdict each."""
import os
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor

import rooms

TOPS = ("kit", "lua", "actions", "tests/sim", "tests/unit", "tests/fuzz", "tests/lib")


def run(command, cwd):
    """(exit status, what it said), or (None, why it could not be started)."""
    try:
        done = subprocess.Popen(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)
    except OSError as e:
        return None, str(e)
    out, _ = done.communicate()
    return done.returncode, out.decode("utf-8", "replace")


def compile_flags(root):
    """As the Makefile compiles; actions/main.c wants one action on top."""
    done = subprocess.Popen([os.environ.get("MAKE", "make"), "-s", "--no-print-directory", "VARIANT=",
                             "print-compile"], cwd=root, stdout=subprocess.PIPE)
    out, _ = done.communicate()
    if done.returncode:
        raise AssertionError("make print-compile: exit status %d" % done.returncode)
    return shlex.split(out.decode()) + ["-DACTION=act_restore"]


def files(root, tops=TOPS):
    return rooms.sources(root, tops, (".c",))


def each(call, names):
    """call(name) -> complaint or None, for every name, as many at a time as there are processors."""
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        return [(name, what) for name, what in zip(names, pool.map(call, names)) if what]
