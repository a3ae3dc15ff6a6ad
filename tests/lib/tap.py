"""A small TAP library: what the Python tests of this project are written with.

A test program ends in `tap.main()`; every function of it named test_* is a test and gets one
argument, a `Test`:

    import tap

    def test_adds_up(t):
        t.equal(2 + 2, 4)
        for n in (1, 2):
            with t.subtest("n=%d" % n):
                t.check(n > 0, "n is positive")

    if __name__ == "__main__":
        tap.main()

One test for each of several things, each with its own result:

    @tap.cases(MOVERS, lambda mover: mover.name)
    def test_moves(t, mover):
        …

    ./x.py [-k PART-OF-A-NAME] [-v] [-l]      -v shows the log of passing tests too, -l lists them

Results go to stdout as TAP 12.  What a test logs is shown when it fails.  Whatever the tests print
themselves is turned into diagnostics, so that it can never be taken for a result.
"""
import argparse
import contextlib
import functools
import io
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback

_LOG_TAIL_LINES = 200  # of an attached log; the head of a long log seldom tells


class Skip(Exception):
    """Raised by Test.skip: this test cannot run here, and why."""


def cases(items, name=str):
    """The test is run once for each item, with it as a second argument; name(item) is shown."""
    def mark(function):
        function.cases = [(name(item), item) for item in items]
        return function
    return mark


class Failed(AssertionError):
    """A check of this library that did not hold; shown without the library's own frames."""


def _one_line(text):
    return " ".join(str(text).replace("#", "\\#").split())


class _Out:
    """Collects the result lines and keeps count."""

    def __init__(self, stream):
        self.stream = stream
        self.count = 0
        self.failed = 0

    def line(self, text):
        self.stream.write(text + "\n")
        self.stream.flush()

    def diagnose(self, text):
        for line in str(text).rstrip("\n").split("\n"):
            self.line("# " + line)

    def result(self, ok, name, skip=None):
        self.count += 1
        if not ok:
            self.failed += 1
        self.line("%sok %d - %s%s" % ("" if ok else "not ", self.count, _one_line(name),
                                      "" if skip is None else " # SKIP " + _one_line(skip)))


class Test:
    """What a test function gets: checks, a log, a directory of its own, clean-up."""

    def __init__(self, name, out, verbose):
        self.name = name
        self._out = out
        self._verbose = verbose
        self._log = []
        self._files = []
        self._stack = contextlib.ExitStack()
        self._tmp = None
        self.sub_failures = 0

    # -- checks ---------------------------------------------------------------------------------
    def check(self, truth, message="not true"):
        if not truth:
            raise Failed(message)

    def equal(self, got, want, message=""):
        if got != want:
            raise Failed("%sgot  %r\nwant %r" % (message + "\n" if message else "", got, want))

    def has(self, text, part, message=""):
        """`part` occurs in `text` (or in a list)."""
        if part not in text:
            raise Failed("%s%r is not in:\n%s" % (message + "\n" if message else "", part, text))

    def lacks(self, text, part, message=""):
        if part in text:
            raise Failed("%s%r is in:\n%s" % (message + "\n" if message else "", part, text))

    def raises(self, kind, call, *args, **named):
        """Calls; returns the exception of that kind, fails when there is none."""
        try:
            call(*args, **named)
        except kind as e:
            return e
        raise Failed("no %s was raised" % getattr(kind, "__name__", kind))

    def wait_until(self, call, what, timeout_s=60.0, every_s=0.02):
        """Calls until the answer is true, and returns it; fails after `timeout_s`."""
        end = time.monotonic() + timeout_s
        while True:
            answer = call()
            if answer:
                return answer
            if time.monotonic() > end:
                raise Failed("%s: not within %g s" % (what, timeout_s))
            time.sleep(every_s)

    def skip(self, reason):
        raise Skip(reason)

    # -- the log, shown when the test fails -----------------------------------------------------
    def log(self, text):
        self._log.append(str(text))

    def attach(self, path, lines=_LOG_TAIL_LINES):
        """Shows the last lines of this file, if it is there, when the test fails."""
        self._files.append((str(path), lines))

    # -- what a test owns -----------------------------------------------------------------------
    @property
    def tmp(self):
        """A directory of this test alone, gone when it ends."""
        if self._tmp is None:
            self._tmp = tempfile.mkdtemp(prefix="cloudvip-test-")
            self._stack.callback(shutil.rmtree, self._tmp, True)
        return self._tmp

    def path(self, *parts):
        return os.path.join(self.tmp, *parts)

    def write(self, name, text, mode=0o644):
        """A file below tmp; returns its path."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def cleanup(self, call, *args):
        """Called at the end of the test, last one first."""
        self._stack.callback(call, *args)

    def use(self, manager):
        """Enters a context manager until the end of the test; returns what it gives."""
        return self._stack.enter_context(manager)

    @contextlib.contextmanager
    def subtest(self, name):
        """A result of its own; its failure fails the test, and the test goes on."""
        full = "%s: %s" % (self.name, name)
        since = (len(self._log), len(self._files))
        try:
            yield
        except Skip as e:
            self._out.result(True, full, skip=str(e))
        except Exception:  # pylint: disable=broad-except
            self.sub_failures += 1
            self._out.result(False, full)
            self._explain(since)
        else:
            self._out.result(True, full)

    # -- for main -------------------------------------------------------------------------------
    def _explain(self, since=(0, 0)):
        kind, value, trace = sys.exc_info()
        if kind is not None:
            frames = traceback.extract_tb(trace)
            if issubclass(kind, Failed):
                own = os.path.abspath(__file__)
                frames = [f for f in frames if os.path.abspath(f.filename) != own]
                for f in frames[-3:]:
                    self._out.diagnose("%s:%d: %s" % (os.path.relpath(f.filename), f.lineno, f.line))
                self._out.diagnose(value)
            else:
                self._out.diagnose("".join(traceback.format_exception(kind, value, trace)))
        self._show_log(since)

    def _show_log(self, since=(0, 0)):
        for text in self._log[since[0]:]:
            self._out.diagnose("log: " + text)
        for path, tail in self._files[since[1]:]:
            try:
                with open(path, "rb") as f:
                    lines = f.read().decode("utf-8", "replace").splitlines()
            except OSError:
                continue
            if not lines:
                continue
            self._out.diagnose("---- %s" % path)
            for line in lines[-tail:]:
                self._out.diagnose("  " + line)

    def _end(self):
        self._stack.close()


class _Prints(io.TextIOBase):
    """sys.stdout while tests run."""

    def __init__(self, out):
        super().__init__()
        self._out = out
        self._rest = ""

    def writable(self):
        return True

    def write(self, text):
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._out.diagnose(line)
        return len(text)

    def done(self):
        if self._rest:
            self._out.diagnose(self._rest)
            self._rest = ""


def _run_one(name, function, out, verbose):
    test = Test(name, out, verbose)
    outcome = "ok"
    try:
        try:
            function(test)
            if test.sub_failures:
                outcome = "failed"
                out.result(False, name)
                out.diagnose("%d of its parts failed" % test.sub_failures)
        except Skip as e:
            outcome = "skipped"
            out.result(True, name, skip=str(e))
        except Exception:  # pylint: disable=broad-except
            outcome = "failed"
            out.result(False, name)
            test._explain()
        if verbose and outcome == "ok":
            test._show_log()
    finally:
        try:
            test._end()
        except Exception:  # pylint: disable=broad-except
            if outcome == "ok":
                outcome = "failed"
                out.result(False, name + " (clean-up)")
            out.diagnose("clean-up: " + traceback.format_exc())
    if outcome == "ok":
        out.result(True, name)


def _with_case(function, item, test):
    function(test, item)


def main(tests=None):
    """Runs the test_* functions of the program (or of the mapping `tests`), and exits."""
    if tests is None:
        tests = vars(sys.modules["__main__"])
    chosen = []
    for n, f in tests.items():
        if n.startswith("test_") and callable(f):
            of = getattr(f, "cases", None)
            chosen += [(n, f)] if of is None else [
                ("%s: %s" % (n, label), functools.partial(_with_case, f, item)) for label, item in of]

    args = argparse.ArgumentParser(description="a test program; prints TAP")
    args.add_argument("-k", metavar="NAME", default="", help="only tests with NAME in their name")
    args.add_argument("-v", action="store_true", help="show the log of passing tests too")
    args.add_argument("-l", action="store_true", help="list the tests")
    args = args.parse_args()

    chosen = [(n, f) for n, f in chosen if args.k in n]
    if args.l:
        for n, _ in chosen:
            print(n)
        sys.exit(0)

    # A killed test program must still clean up what it started.
    def on_signal(number, _frame):
        raise SystemExit(128 + number)

    for s in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(s, on_signal)
    # A shell's background job ignores these, and all that it starts would.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)

    out = _Out(sys.stdout)
    prints = _Prints(out)
    with contextlib.redirect_stdout(prints):
        for name, function in chosen:
            _run_one(name[len("test_"):].replace("_", " "), function, out, args.v)
            prints.done()
    if out.count == 0:
        out.line("1..0 # SKIP no test named %s" % args.k if args.k else "Bail out! no tests")
        sys.exit(1)
    out.line("1..%d" % out.count)
    sys.exit(1 if out.failed else 0)
