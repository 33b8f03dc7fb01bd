"""A run of training that is killed or stopped again and again, gone on with each time, and compared at its end with an untouched run.

Moments, signals and threads are drawn from the seed. The log is NAME.log, one part of the run behind the other.
"""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

from gate import FIXTURES, HANG, INPUTS, SEED

VOCABULARIES = FIXTURES / "vocabularies"
STUDENT = VOCABULARIES / "student/config.json"
TEACHER = VOCABULARIES / "teacher/config.json"
# Steps of some milliseconds.
TINY = ["train", "--no-provenance", "--learning-rate", "0.01", "--batch-tokens", "64", "--sequence-length", "32"]
FINISHED, STOPPED = 0, 75
# Seconds in which a process may not listen to signals yet, on a busy machine.
STARTING = 0.3


def write_model(path, hidden, layers, like=STUDENT):
    """A configuration of another size."""
    fields = json.loads(like.read_text())
    fields.update(hidden_size=hidden, intermediate_size=2 * hidden, num_hidden_layers=layers)
    pathlib.Path(path).write_text(json.dumps(fields))
    return path


def lists():
    """Scores with lists, made here: top.scores."""
    if not os.path.exists("top.scores"):
        command = ["teacher-score", "--no-provenance", "--model", INPUTS / "teacher", "--bos", "always", "--top-k", "8", "--resume",
                   "-o", "top.scores", INPUTS / "teacher.tokens"]
        subprocess.run(command, check=True)
    return "top.scores"


def logged(path):
    """The whole lines of every step, as often as it was written. A run that was killed leaves half a line, before the first of the run that
    goes on."""
    lines = {}
    for line in pathlib.Path(path).read_bytes().splitlines(keepends=True):
        line = line[max(0, line.rfind(b'{"step"')):]
        try:
            lines.setdefault(json.loads(line)["step"], []).append(line)
        except ValueError:
            pass
    return lines


def joined(path):
    """The last whole line of every step, in order."""
    return b"".join(lines[-1] for _, lines in sorted(logged(path).items()))


def without_held_out(line):
    """The line of a step as a run leaves it that is stopped while it measures the held-out loss."""
    return re.sub(rb',"held_out_.*(?=}\n)', b"", line)


def steps_in(folder):
    """Steps of the checkpoints in a folder, in order."""
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(int(name[5:]) for name in names if name.startswith("step-") and name[5:].isdigit())


def listens(pid):
    """Whether the process has installed its handlers: of SIGUSR2, which only a tool that saves its state waits for."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")), 0)
    return bool(caught >> (signal.SIGUSR2 - 1) & 1)


class Run:
    """A command of train without --out, under NAME, and the folders and the log that come of it."""

    def __init__(self, gate, name, command, export=False):
        self.gate, self.name, self.command, self.export = gate, name, [str(word) for word in command], export
        self.random = random.Random(f"{SEED} {name}")
        self.counts = {"kills": 0, "saving": 0, "runs": 0, "parts": 0, "stops": 0, "slowest_s": 0.0}
        self.step_s = 0.0
        self.seen = set()

    def arguments(self, out, threads, resume):
        folders = ["--out", out] + (["--export", f"{out}.export"] if self.export else [])
        return [*self.command, *folders, "--threads", str(threads)] + (["--resume"] if resume else [])

    def part(self, out, moment, threads, signals):
        """Runs until the end, or until the moment comes for one of the signals; the status."""
        resume = os.path.exists(out) or os.path.exists(f"{out}.checkpoints")
        with open(f"{out}.log", "ab") as log, open(f"{out}.err", "wb") as err:
            process = subprocess.Popen(self.arguments(out, threads, resume), stdout=log, stderr=err)
            sent, ready, left = None, False, 0.0
            try:
                process.wait(moment)
            except subprocess.TimeoutExpired:
                sent = self.random.choice(signals)
                ready = listens(process.pid)
                self.notice(out)
                process.send_signal(sent)
                began = time.monotonic()
                try:
                    process.wait(HANG)
                except subprocess.TimeoutExpired:
                    process.kill()
                left = time.monotonic() - began
            status = process.wait()
        message = pathlib.Path(f"{out}.err").read_text(errors="replace")
        name = f"{out}: {sent.name if sent else 'no signal'} at {moment} s, SEED={SEED}"
        self.counts["parts"] += 1
        self.counts["kills"] += status == -signal.SIGKILL
        expected = {FINISHED}
        if sent:
            # A signal that comes before the tool listens to it ends the process as it ends any.
            deadly = sent == signal.SIGKILL or not ready and moment < STARTING
            expected |= {-sent, STOPPED} if deadly else {STOPPED}
            self.gate.check(left <= 2 + self.step_s or deadly, name, f"it took {left:.1f} s to leave, a step takes {self.step_s:.2f}")
        self.gate.check(status in expected, name, f"status {status}: {message[-300:]}")
        self.gate.check("XXH64" not in message and "damaged" not in message, name, f"a checkpoint is not whole: {message[-300:]}")
        if status == STOPPED:
            self.counts["stops"] += 1
            self.counts["slowest_s"] = max(self.counts["slowest_s"], left)
            last = max(logged(f"{out}.log"), default=None)
            steps = steps_in(f"{out}.checkpoints")
            finished = last == self.steps and not steps
            self.gate.check(finished or (steps[-1] if steps else None) == last, name, f"logged up to step {last}, saved {steps}")
        return status

    def notice(self, out):
        """What the run is at, as far as its files tell."""
        folder = f"{out}.checkpoints"
        names = os.listdir(folder) if os.path.isdir(folder) else []
        log = pathlib.Path(f"{out}.log").read_bytes()
        beside = os.listdir(".")
        self.seen.add(
            "save" if any(name.endswith(".part") for name in names) or any(name.startswith(f".{out}.") for name in beside)
            else "begin" if not names and not log else "steps")
        self.counts["saving"] += any(name.endswith(".part") for name in names)

    def unbroken(self):
        """The run that nobody touches."""
        began = time.monotonic()
        self.steps = 0
        status = self.part(f"{self.name}-unbroken", None, 2, [])
        self.whole_s = time.monotonic() - began
        self.log = joined(f"{self.name}-unbroken.log")
        self.steps = self.log.count(b"\n")
        return status == 0 and self.steps > 0

    def time_step(self):
        """Measures the first step by one thread, as the tool itself logs it: without what is loaded, and without held-out text."""
        out = f"{self.name}-timed"
        command = [word for word in self.arguments(out, 1, False) if word != "--no-provenance"]
        done = subprocess.run([*command, "--steps", "1"], stdout=subprocess.PIPE, check=True)
        self.step_s = json.loads(done.stdout)["step_s"]
        shutil.rmtree(out)

    def interrupt(self, times, signals, parts=10):
        """So many kills, or stops by other signals, about `parts` of a run each time it is run to its end."""
        counted = "kills" if signal.SIGKILL in signals else "stops"

        def more():
            # Of a tool that never stops there is an end, too.
            return self.counts[counted] < times and self.counts["parts"] < 10 * times + 20

        while more():
            self.counts["runs"] += 1
            out = f"{self.name}-{self.counts['runs']}"
            status = None
            while status != FINISHED:
                # A part lasts as long as it needs to start, and as much of the run as makes so many parts of it, more or less.
                moment = self.random.uniform(0, 0.03 + 2 * self.whole_s / parts) if more() else None
                status = self.part(out, moment, self.random.choice([1, 2, 4]), signals)
                # Two are kept; an interruption between a new one and the end of an old one leaves one more, until the next is written.
                found = steps_in(f"{out}.checkpoints")
                few = self.gate.check(len(found) <= 8, out, f"too many checkpoints: {found}")
                if not few or status not in (FINISHED, STOPPED, *(-number for number in signals)):
                    return
            self.compare(out)

    def compare(self, out):
        """Every file of the finished model with its state, the joined log, and nothing else."""
        for ending in [""] + ([".export"] if self.export else []):
            names = [sorted(os.listdir(f"{one}{ending}")) for one in (f"{self.name}-unbroken", out)]
            self.gate.check(names[0] == names[1], f"{out}{ending}", f"expected {names[0]}, found {names[1]}")
            for name in names[0]:
                one, other = (pathlib.Path(f"{one}{ending}/{name}").read_bytes() for one in (f"{self.name}-unbroken", out))
                self.gate.check(one == other, f"{out}{ending}/{name}", f"differs from the unbroken run's; SEED={SEED}")
        self.gate.check(joined(f"{out}.log") == self.log, f"{out}.log", f"differs from the unbroken run's; SEED={SEED}")
        for step, lines in logged(f"{out}.log").items():
            same = set(lines) <= {lines[-1], without_held_out(lines[-1])}
            self.gate.check(same, f"{out}.log", f"step {step} is there with different lines: {sorted(set(lines))}; SEED={SEED}")
        folder = f"{out}.checkpoints"
        litter = [name for name in os.listdir(".") if name.startswith(f".{out}")]
        litter += [name for name in os.listdir(folder) if name.startswith(".")] if os.path.isdir(folder) else []
        self.gate.check(not litter, out, f"left behind: {litter}")
        for name in (out, folder, f"{out}.export"):
            shutil.rmtree(name, ignore_errors=True)


def runs(gate):
    """Runs of several kinds: guided, shuffled, with held-out text; every step saved; distilled; two streams, exported at the end."""
    inputs = INPUTS
    held_out = ["--held-out", inputs / "student.tokens", "--held-out-every", "7"]
    guided = [*TINY, "--model", STUDENT, "--loss", "guided", "--shuffle", "3", "--steps", "120", "--checkpoint-every", "3", *held_out]
    every = [*TINY, "--model", STUDENT, "--steps", "60", "--checkpoint-every", "1", "--keep", "1"]
    distilled = [*TINY, "--model", TEACHER, "--distill", "jsd", "--alpha-schedule", "wsd", "--schedule", "wsd", "--warmup", "5", "--steps",
                 "120", "--checkpoint-every", "4", "--recompute", "--micro-batch-tokens", "32"]
    weighed = [*TINY, "--model", STUDENT, "--weights", "2,1", "--steps", "90", "--checkpoint-every", "5", "--on-bad-step", "skip"]
    return [
        Run(gate, "guided", [*guided, inputs / "guided.aligned"]),
        Run(gate, "every", [*every, inputs / "student.tokens"]),
        Run(gate, "distilled", [*distilled, lists()]),
        Run(gate, "weighed", [*weighed, inputs / "student.tokens", inputs / "guided.aligned"], export=True),
    ]
