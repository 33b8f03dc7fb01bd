"""What the gates beside it share: checks that count, a run of a tool under limits, and what a refusal of a bad file must look like.

A gate is an executable R01-topic … R25-topic. It runs in an empty folder with BIN, ROOT, FIXTURES, INPUTS, ASSETS and SEED in its
environment, QUICK=1 for the short share; it names each miss on standard error, and its last line of output is its figure.
"""
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import time

BIN = pathlib.Path(os.environ["BIN"])
ROOT = pathlib.Path(os.environ["ROOT"])
FIXTURES = pathlib.Path(os.environ["FIXTURES"])
INPUTS = pathlib.Path(os.environ["INPUTS"])
ASSETS = pathlib.Path(os.environ["ASSETS"])
QUICK = os.environ.get("QUICK") == "1"
SEED = int(os.environ.get("SEED", "1"))
TOOLS = ("tokenize", "align", "teacher-score", "sample", "train", "evaluate", "stream-cat")

# The exit statuses that a tool may end with; every other, and every signal but these, is a fault of the tool.
STATUSES = {0, 1, 64, 65, 66, 70, 73, 74, 75, 141, 143, 130, 129, 138, 140}

# What a job in the background of a script ignores, its children would ignore too.
for one in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
    if signal.getsignal(one) == signal.SIG_IGN:
        signal.signal(one, signal.SIG_DFL)

# A second on an idle machine; processor time grows on a busy one too.
SECONDS, MEMORY, HANG = 2.0, 64 << 20, 120.0

# Bytes of address space that each tool may have, by its name, where a gate sets them.
ADDRESS_SPACE = {}


class Gate:
    """Counts checks; `end` prints the figure and leaves with 1 after any miss, or where nothing was checked."""

    def __init__(self):
        self.checked = 0
        self.misses = 0

    def check(self, ok, name, why=""):
        self.checked += 1
        if not ok:
            self.misses += 1
            print(f"  miss {name}: {why}" if why else f"  miss {name}", file=sys.stderr, flush=True)
        return ok

    def none(self, why, name):
        """A check by a reason: None is a pass."""
        return self.check(why is None, name, why or "")

    def end(self, figure):
        if not self.checked:
            self.check(False, "nothing was checked")
        print(f"{figure}; {self.misses} misses", flush=True)
        sys.exit(1 if self.misses else 0)


class Outcome:
    """How a command ended: status ("hang" after the limit, -n by signal n), its streams as bytes, processor seconds, most bytes held
    (and `floor`, the least that could be seen), seconds."""

    def __init__(self, status, out, err, cpu, held, floor, wall):
        self.status, self.out, self.err, self.cpu = status, out, err, cpu
        self.held, self.floor, self.wall = held, floor, wall

    @property
    def message(self):
        return self.err.decode(errors="replace")

    def bad_exit(self):
        """Why this end is none that a tool may have, or None."""
        if self.status == "hang":
            return f"it hangs (stopped after {self.wall:.0f} s): {self.message[-300:]}"
        if self.status < 0:
            return f"killed by {signal.Signals(-self.status).name}: {self.message[-300:]}"
        if self.status not in STATUSES:
            return f"status {self.status}: {self.message[-300:]}"
        return None


def run(command, stdin=b"", env=None, limits=(), hang=HANG, cwd=None, output=None):
    """Runs a command to its end. `stdin`: bytes, or a file; `limits`: pairs (resource.RLIMIT_…, value); `output`: a file for stdout."""
    with open("gate.out" if output is None else output, "wb") as out, open("gate.err", "wb") as err:
        if isinstance(stdin, bytes):
            pathlib.Path("gate.in").write_bytes(stdin)
            source = open("gate.in", "rb")
        else:
            source = stdin

        def prepare():
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            for name, value in allowed:
                resource.setrlimit(name, (value, value))

        space = ADDRESS_SPACE.get(str(command[0]))
        allowed = [*limits, *([(resource.RLIMIT_AS, space)] if space else [])]
        began = time.monotonic()
        child = subprocess.Popen([str(word) for word in command], stdin=source, stdout=out, stderr=err, preexec_fn=prepare, cwd=cwd,
                                 env={**os.environ, **(env or {})})
        if isinstance(stdin, bytes):
            source.close()
        # A child starts as a copy of this process: its memory then is the least that can be seen.
        floor = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        pause, hung = 0.0005, False
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if not hung and time.monotonic() - began > hang:
                child.kill()
                hung = True
            time.sleep(pause)
            pause = min(pause * 1.5, 0.02)
    child.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    body = pathlib.Path("gate.out").read_bytes() if output is None else b""
    return Outcome("hang" if hung else child.returncode, body, pathlib.Path("gate.err").read_bytes(), usage.ru_utime + usage.ru_stime,
                   usage.ru_maxrss << 10, floor, wall)


def judge(outcome, must, tool, file, pattern="", at=None, size=0, base=0):
    """Why an outcome is not what a bad file (`must` "reject"), a good one ("accept") or one of either kind ("either") has to meet, or None.

    A refusal is status 65 and one message, whose first line names the tool and the file; `pattern` is found in that line; `at` is the byte
    that it names. `size`: bytes of the input; `base`: bytes that the tool holds for a good small file.
    """
    why = outcome.bad_exit()
    if why:
        return why
    allowed = {"reject": (65,), "accept": (0,), "either": (0, 65)}[must]
    if outcome.status not in allowed:
        return f"status {outcome.status}, {must} it must: {outcome.message[:300]}"
    if outcome.status == 65:
        lines = outcome.message.splitlines()
        if not lines or not lines[0].startswith(f"{tool}: ") or str(file) not in lines[0]:
            return f"no message that names {file}: {outcome.message[:300]}"
        if any(not line.startswith("  ") for line in lines[1:]):
            return f"more than one message: {outcome.message[:300]}"
        if pattern and not re.search(pattern, lines[0]):
            return f"expected '{pattern}' in: {lines[0][:300]}"
        if at is not None and not re.search(rf"\bbyte {at}\b", lines[0]):
            return f"expected byte {at} in: {lines[0][:300]}"
    if outcome.cpu > SECONDS + size / 200e6:
        return f"{outcome.cpu:.2f} s of processor time"
    if base and outcome.held > max(base, outcome.floor) + size + MEMORY:
        return f"{outcome.held >> 20} MiB held, {size >> 20} of them the file's"
    return None
