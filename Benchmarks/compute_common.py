"""What the parts of `make bench` share: running our tools, peers that stay loaded, token documents, tables, time.

A peer is a process that loads once and answers requests, one line of JSON each (serve). Ours are whole processes, as a user starts them.
"""
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / ".build/release"
CACHE = pathlib.Path(os.environ.get("PRECEPTOR_CACHE", pathlib.Path.home() / ".cache/preceptor"))
FOLDER = CACHE / "bench-compute"
SMOLLM2 = CACHE / "smollm2.gguf"
MISTRAL = CACHE / "mistral-v1.model"
WALL = ROOT / "Benchmarks/tokenizing_wall.py"
TORCH_PYTHON = os.environ.get("PRECEPTOR_PYTHON", sys.executable)
LLAMA_PYTHON = os.environ.get("PRECEPTOR_PYTHON_LLAMA", TORCH_PYTHON)
# OpenBLAS chooses its core by itself; no peer looks for anything on the net; what torch.compile made is kept.
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")} | {
    "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONDONTWRITEBYTECODE": "1",
    "TORCHINDUCTOR_CACHE_DIR": str(FOLDER / "inductor")}


class Failed(Exception):
    pass


# Ours.

def run(command, **more):
    """Seconds and peak bytes of resident memory of a whole process."""
    with tempfile.NamedTemporaryFile("r") as result, tempfile.TemporaryFile("w+") as errors:
        subprocess.run([sys.executable, "-I", "-S", WALL, result.name, *map(str, command)], check=True, env=ENVIRONMENT, stderr=errors, **more)
        seconds, status, peak = result.read().split()
        if status != "0":
            errors.seek(0)
            raise Failed(f"status {status} of {' '.join(map(str, command))}: {errors.read().strip()}")
    return float(seconds), int(peak)


def output(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=ENVIRONMENT)
    if done.returncode != 0:
        raise Failed(f"status {done.returncode} of {' '.join(map(str, command))}: {done.stdout[-300:]}{done.stderr.strip()}")
    return done.stdout


def precisions(tool):
    """Names that --precision of a tool takes."""
    text = " ".join(output([BIN / tool, "--help"]).split())
    names = text.partition("--precision <name>")[2].partition("(values: ")[2].partition(";")[0]
    return names.split(", ") if names else ["float32"]


# Peers.

def serve(facts, answer):
    """The peer's side: says that it is ready, then answers each line of standard input."""
    print(json.dumps(facts), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), flush=True)


def peak_memory():
    """Of this process, in bytes."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


class Peer:
    """A peer that is loaded once. `absent` says why there is none."""

    def __init__(self, python, script, *arguments, seconds=120):
        self.errors, self.lines = tempfile.TemporaryFile("w+"), queue.Queue()
        self.absent, self.seconds = None, seconds
        try:
            self.process = subprocess.Popen(
                [python, str(ROOT / "Benchmarks" / script), *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=self.errors, text=True, env=ENVIRONMENT)
        except OSError as error:
            self.process, self.absent = None, f"{python}: {error.strerror}"
            return
        threading.Thread(target=self.read, daemon=True).start()
        self.facts = self.answer()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def answer(self):
        try:
            line = self.lines.get(timeout=self.seconds)
        except queue.Empty:
            self.absent = f"no answer within {self.seconds} s"
            self.process.kill()
            return None
        if line is None:
            self.errors.seek(0)
            self.absent = ([""] + self.errors.read().strip().splitlines())[-1][:200] or f"ended with {self.process.wait()}"
            return None
        return json.loads(line)

    def ask(self, **request):
        """The answer, or None when there is none any more."""
        if self.absent:
            return None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except OSError:
            pass  # Why it ended stands in what it left.
        return self.answer()

    def close(self):
        if self.process:
            try:
                self.process.stdin.close()
            except OSError:
                pass
            self.process.wait()


# Documents.

def documents(tokenizer, length, count):
    """A stream of `count` token documents of exactly `length` tokens of sympy's docstrings. Its path."""
    path = FOLDER / f"{tokenizer.stem}-{length}x{count}.ndjson"
    if path.exists():
        return path
    texts = FOLDER / "sympy.ndjson"
    if not texts.exists():
        with tempfile.TemporaryDirectory(dir=FOLDER) as other:
            output([ROOT / "scripts/demo-corpus", "--bytes", 600_000, "--train", texts, "--held-out", pathlib.Path(other) / "held-out", CACHE / "sympy.whl"])
    header, *records = output([BIN / "tokenize", "--tokenizer", tokenizer, "--format", "ndjson", "--no-provenance", texts]).splitlines()
    ids = [token for record in records for token in json.loads(record)["input_ids"]]
    if len(ids) < length * count:
        raise Failed(f"{texts}: {len(ids)} tokens, fewer than {count} x {length}")
    part = path.with_suffix(f".{os.getpid()}.part")
    with open(part, "w", encoding="utf-8") as out:
        print(header, file=out)
        for number in range(count):
            one = ids[number * length : (number + 1) * length]
            offsets = [[place, place + 1] for place in range(length)]
            print(json.dumps({"id": str(number), "text_hash": f"{number:016x}", "input_ids": one, "offsets": offsets}), file=out)
    part.rename(path)
    return path


def config(shape):
    """A config.json of a shape of scripts/make-random-model."""
    folder = FOLDER / f"config-{shape}"
    if not folder.exists():
        output([ROOT / "scripts/make-random-model", "--config-only", "--shape", shape, folder])
    return folder / "config.json"


SAVE = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
from smollm2_model import load_model
load_model(sys.argv[2]).to(getattr(torch, sys.argv[3])).save_pretrained(sys.argv[4])
"""


def smollm2_folder(precision):
    """SmolLM2's GGUF file as a Hugging Face folder, made by transformers once; None without it. In float32 no weight is rounded."""
    path = FOLDER / f"smollm2-{precision}"
    if not (path / "model.safetensors").exists():
        try:
            output([TORCH_PYTHON, "-c", SAVE, ROOT / "Tests/oracles", SMOLLM2, precision, path])
        except (OSError, Failed):
            return None
    return path


def shapes():
    loader = importlib.machinery.SourceFileLoader("make_random_model", str(ROOT / "scripts/make-random-model"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("make_random_model", loader))
    loader.exec_module(module)
    return module.SHAPES


def forward_flops(shape, length):
    """FLOPs of one token's forward pass with the head, at the mean context of documents of `length` tokens."""
    hidden, inner, layers, heads, key_heads, vocabulary, *_ = shapes()[shape]
    keys = hidden // heads * key_heads
    return layers * (4 * hidden * hidden + 4 * hidden * keys + 6 * hidden * inner + 2 * hidden * length) + 2 * hidden * vocabulary


def peak(threads, precision):
    """FLOP/s of the largest product, by compute-bench: (2,048, 2,048) with (2,048, 2,048)."""
    line = next(line for line in output([BIN / "compute-bench", threads, "none", precision]).splitlines() if line.startswith("peak "))
    return float(line.split()[1]) * 1e9


# Figures.

def median(values):
    return statistics.median(values) if values else None


def ratio(ours, theirs):
    """Median of the ratios of runs that followed one another."""
    return median([mine / other for mine, other in zip(ours, theirs)])


def number(value, places=0):
    return "-" if value is None else f"{value:,.{places}f}"


def times(value, target=None):
    """A ratio, beside its target if it has one."""
    if value is None:
        return "-"
    return f"{value:.2f}" + ("" if target is None else f" ({'met' if value >= target else 'NOT'} {target:g})")


def gigabytes(value):
    return "-" if value is None else f"{value / 1e9:.2f}"


def heading(title, note=""):
    print(f"\n## {title}\n" + (f"\n{note}\n" if note else ""), flush=True)


def table(columns, rows):
    print("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


class Rounds:
    """Rounds of a part: at most `most`, and none that would end behind the part's share of time, but for the first."""

    def __init__(self, most, seconds):
        self.most, self.end, self.done = most, time.monotonic() + seconds, 0

    def __iter__(self):
        longest = 0.0
        while self.done < self.most and (self.done == 0 or time.monotonic() + longest <= self.end):
            began = time.monotonic()
            yield self.done
            longest = max(longest, time.monotonic() - began)
            self.done += 1
