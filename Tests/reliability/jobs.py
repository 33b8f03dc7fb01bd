"""The tools at work, as the gates that disturb them run them, and the library that disturbs them: failing.c."""
import os
import pathlib
import re
import shutil
import struct
import subprocess

from gate import BIN, FIXTURES, INPUTS, ROOT

VOCABULARY = FIXTURES / "vocabularies"
KINDS = ("open", "create", "read", "write", "pread", "pwrite", "fsync", "close", "mmap", "rename", "mkdir", "unlink", "truncate")


class Job:
    """A command that writes files of known names into its folder; `source`: what is on its standard input."""

    def __init__(self, name, words, outputs=(), source=None, again=()):
        self.name, self.words, self.outputs, self.source = name, [str(word) for word in words], outputs, source
        # What the same command has more when it goes on where another was stopped; None where a run begins anew.
        self.again = again
        self.tool = self.words[0]
        self.command = [BIN / self.tool, *self.words[1:]]


def jobs():
    """One of each kind of work and of output, on small inputs; a few milliseconds each."""
    tokens, scores, reference = INPUTS / "student.tokens", INPUTS / "teacher.scores", INPUTS / "reference.scores"
    teacher, corpus = INPUTS / "teacher", INPUTS / "corpus.ndjson"
    plain = "--no-provenance"
    return [
        Job("tokenize", ["tokenize", plain, "--tokenizer", VOCABULARY / "student", "-o", "out", corpus], ["out"]),
        Job("tokenize-pipe", ["tokenize", plain, "--format", "ndjson", "--tokenizer", VOCABULARY / "student"], source=corpus),
        Job("align", ["align", plain, "-o", "out", tokens, scores], ["out"]),
        Job("align-page", ["align", plain, "--html", "out", "--text", corpus, tokens, scores], ["out"]),
        Job("teacher-score", ["teacher-score", plain, "--model", teacher, "-o", "out", INPUTS / "teacher.tokens"], ["out"]),
        Job("teacher-score-resumed",
            ["teacher-score", plain, "--model", teacher, "--batch-tokens", "16", "--resume", "-o", "out", INPUTS / "teacher.tokens"],
            ["out"]),
        Job("sample", ["sample", plain, "--ratio", "0.5", "--teacher", scores, "--reference", reference, "--report", "report", "--plot",
                       "plot", "-o", "out", corpus], ["out", "report", "plot"]),
        Job("evaluate", ["evaluate", "perplexity", plain, "--model", teacher, "-o", "out", corpus], ["out"]),
        Job("evaluate-choices", ["evaluate", "choices", plain, "--items", "--model", teacher, "-o", "out", questions()], ["out"]),
        Job("evaluate-generate", ["evaluate", "generate", plain, "--items", "--max-tokens", "3", "--model", teacher, "-o", "out", prompts()],
            ["out"]),
        Job("stream-cat", ["stream-cat", "--format", "tensor", "-o", "out", tokens], ["out"]),
        Job("stream-cat-shard", ["stream-cat", "--to-megatron", "shard", tokens], ["shard.bin", "shard.idx"]),
        training(),
    ]


def questions():
    """Two questions with choices."""
    return written("questions.ndjson", '{"id":"a","context":"the cat sat on","choices":["the mat","the inn"],"answer":0}\n'
                   '{"id":"b","contexts":["12","the thing"],"continuation":" times","answer":1}\n')


def prompts():
    """Two prompts with their answers."""
    return written("prompts.ndjson", '{"id":"a","prompt":"the cat","answer":"sat"}\n{"id":"b","prompt":"12","answer":"7"}\n')


def written(name, text):
    """The path of a file of this text in the present folder."""
    path = pathlib.Path(name).absolute()
    path.write_text(text)
    return path


def long_inputs():
    """20,000 documents in the teacher's tokens and their scores by two models, made once in the present folder."""
    if not os.path.exists("long.reference.scores"):
        plain, corpus = "--no-provenance", INPUTS / "long.ndjson"
        for name, words in [
            ("long.teacher.tokens", ["tokenize", plain, "--tokenizer", VOCABULARY / "teacher", "--batch-tokens", "8192", corpus]),
            ("long.teacher.scores", ["teacher-score", plain, "--model", INPUTS / "teacher", "long.teacher.tokens"]),
            ("long.reference.scores", ["teacher-score", plain, "--model", INPUTS / "reference", "long.teacher.tokens"]),
        ]:
            with open(name, "wb") as output:
                subprocess.run([BIN / words[0], *words[1:]], stdout=output, check=True)
    return [pathlib.Path(f"long.{name}").absolute() for name in ("teacher.tokens", "teacher.scores", "reference.scores")]


def long_sample():
    """So many units that what is remembered of them goes to a temporary file."""
    _, scores, reference = long_inputs()
    words = ["sample", "--no-provenance", "--ratio", "0.5", "--teacher", scores, "--reference", reference, "--memory", "1M",
             "--temporary", "spool", "-o", "out", INPUTS / "long.ndjson"]
    return Job("sample-spooled", words, ["out"])


def training(steps=3):
    """Three steps, a checkpoint after each, the finished model and a second copy of it."""
    words = ["train", "--no-provenance", "--model", INPUTS / "teacher", "--out", "model", "--export", "exported", "--steps", steps,
             "--checkpoint-every", "1", "--batch-tokens", "64", "--sequence-length", "64", INPUTS / "teacher.tokens"]
    return Job("train", words, ["model", "exported"], again=["--resume"])


def contents(path):
    """The bytes of a file, or of every file below a folder by its name; None where there is nothing."""
    path = pathlib.Path(path)
    if path.is_dir():
        return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
    return path.read_bytes() if path.exists() else None


def litter(folder):
    """Names below a folder that no user asked for: unfinished files and folders."""
    found = [str(path.relative_to(folder)) for path in pathlib.Path(folder).rglob("*")]
    return [name for name in found if re.search(r"(^|/)\.|\.part$|^spool/", name) and not name.endswith(".partial")]


def fresh(folder):
    """An empty folder, with a place for temporary files in it."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(f"{folder}/spool")
    return pathlib.Path(folder)


class Shim:
    """failing.c, compiled; `env` for a run under it, and what it noted of the last one."""

    def __init__(self):
        self.library = os.path.abspath("failing.so")
        compiler = os.environ.get("CC") or shutil.which("cc") or "clang"
        subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", self.library, ROOT / "Tests/reliability/failing.c", "-ldl"], check=True)
        self.file = os.path.abspath("failing.note")

    def env(self, call="", at=1, how="", last=None, quota=None):
        pathlib.Path(self.file).write_bytes(bytes(4096))
        values = {"LD_PRELOAD": self.library, "FAIL_NOTE": self.file, "FAIL_CALL": call, "FAIL_AT": at, "FAIL_HOW": how,
                  "FAIL_LAST": at if last is None else last}
        if quota is not None:
            values["FAIL_QUOTA"] = quota
        return {name: str(value) for name, value in values.items()}

    @property
    def counts(self):
        numbers = struct.unpack_from(f"{len(KINDS)}q", pathlib.Path(self.file).read_bytes())
        return dict(zip(KINDS, numbers))

    @property
    def failed(self):
        """How many calls failed, how many of them on a file with bytes not synced, and the paths of the first and the last."""
        note = pathlib.Path(self.file).read_bytes()
        return struct.unpack_from("2q", note, 8 * len(KINDS)) + tuple(
            path.split(b"\0")[0].decode() for path in struct.unpack_from("1024s1024s", note, 8 * len(KINDS) + 16))
