"""Broken folders of models: S44, an index and its shards; S46, files that are none, or that change while they are read."""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import time
import typing
import zlib

import gate
from cases import Case, tiny_model

TOKENS = tiny_model.records(tiny_model.IDS)
INDEX = "model.safetensors.index.json"


@dataclasses.dataclass
class Trial:
    """How a case of this module is tried: a function of the folder that says why it went wrong, or None."""
    run: typing.Callable


def make(name):
    """A folder with a config.json and without weights."""
    folder = pathlib.Path(name)
    remove(folder)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(tiny_model.CONFIG))
    return folder


def remove(path):
    shutil.rmtree(path, ignore_errors=True)


def is_thorough(case):
    """Whether a case is tried in every way: all are but in the quick share, in which every eighth is, by its name."""
    return not gate.QUICK or zlib.crc32(case.name.encode()) % 8 == 0


def tokens():
    path = pathlib.Path("tokens.ndjson")
    if not path.exists():
        path.write_text(TOKENS)
    return path


base_bytes = {}


def base(tool, command):
    """The bytes that a tool holds for a small good model."""
    if tool not in base_bytes:
        from cases import safetensors
        folder = make("base")
        (folder / "model.safetensors").write_bytes(safetensors.model())
        outcome = gate.run([word if word != "MODEL" else folder for word in command])
        assert outcome.status == 0, outcome.message
        base_bytes[tool] = outcome.held
        remove(folder)
        remove("out")
    return base_bytes[tool]


SCORE = ["teacher-score", "--no-provenance", "--format", "ndjson", "--threads", "1", "--model", "MODEL", "tokens.ndjson"]
TRAIN = ["train", "--no-provenance", "--threads", "1", "--steps", "1", "--out", "out", "--model", "MODEL", "tokens.ndjson"]


def score(path, must, file, pattern="", at=None, size=0, numbers=True, twice=True):
    """Runs `teacher-score --model path`, to standard output, and where it refuses `twice` into a file as well."""
    tokens()
    outcome = gate.run([word if word != "MODEL" else path for word in SCORE])
    why = gate.judge(outcome, must, "teacher-score", file, pattern, at, size, base("teacher-score", SCORE))
    if why:
        return why
    if outcome.status == 65:
        if outcome.out:
            return f"{len(outcome.out)} bytes on standard output beside a refusal"
        if not twice:
            return None
        again = gate.run([word if word != "MODEL" else path for word in SCORE] + ["-o", "out.ndjson"])
        if again.status != 65 or again.message != outcome.message:
            return f"-o FILE ends otherwise: {again.status}: {again.message[:200]}"
        return leftovers()
    return tiny_model.wrong_scores(outcome.out) if numbers else None


def train(path, must, file, pattern="", at=None, size=0):
    """Runs a step of `train --model path`, which must end like `teacher-score`."""
    tokens()
    outcome = gate.run([word if word != "MODEL" else path for word in TRAIN])
    why = gate.judge(outcome, must, "train", file, pattern, at, size, base("train", TRAIN))
    if outcome.status == 65:
        why = why or leftovers()
        if outcome.out:
            why = why or f"{len(outcome.out)} bytes on standard output beside a refusal"
    remove("out")
    return why and f"train: {why}"


def pipe(file):
    """A model is no stream of records, whole or broken: the tools that read pipes say so and end."""
    size = file.stat().st_size
    if size > 1 << 20:
        return None
    outcome = gate.run(["stream-cat"], stdin=file.read_bytes())
    why = gate.judge(outcome, "reject" if size else "either", "stream-cat", "<stdin>", size=size)
    return why and f"through a pipe: {why}"


def leftovers():
    """What a refusal has left in the current folder, or None."""
    found = [str(path) for path in pathlib.Path(".").iterdir() if path.name.startswith(("out", ".out"))]
    return f"left behind: {found}" if found else None


# S44: an index and its shards

def sharded(folder, change=None, index_bytes=None, first=None):
    """Two shards with an index; `change` alters the index as an object, `first` the tensors that the first shard holds."""
    from cases import safetensors
    listed = safetensors.tensors()
    shards = {"model-00001-of-00002.safetensors": first or listed[:5], "model-00002-of-00002.safetensors": listed[5:]}
    for name, part in shards.items():
        (folder / name).write_bytes(safetensors.document(*safetensors.header(part)))
    index = {"metadata": {"total_size": sum(len(tensor[3]) for tensor in listed)},
             "weight_map": {tensor[0]: name for name, part in shards.items() for tensor in part}}
    if change:
        change(index, folder)
    (folder / INDEX).write_bytes(json.dumps(index).encode() if index_bytes is None else index_bytes)


def cases():
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    name = "model.embed_tokens.weight"

    def place(shard):
        def change(index, _):
            index["weight_map"][name] = shard
        return change

    def total(size):
        def change(index, _):
            index["metadata"]["total_size"] = size
        return change

    def listed(index, _):
        index["weight_map"]["model.extra.weight"] = second

    def unlisted(index, _):
        del index["weight_map"][name]

    def absent(_, folder):
        (folder / second).unlink()

    def cut(_, folder):
        with open(folder / second, "r+b") as out:
            out.truncate((folder / second).stat().st_size - 1)

    def without_map(index, _):
        del index["weight_map"]

    def empty_map(index, _):
        index["weight_map"] = {}

    def folder_for_shard(_, folder):
        (folder / second).unlink()
        (folder / second).mkdir()

    yield index_case("S44-good", "accept")
    for title, shard in (("upwards", f"../{first}"), ("absolute", "/etc/passwd"), ("inside", f"./{first}"), ("dots", ".."), ("empty", ""), ("nul", "a\0b"), ("number", 3), ("null", None)):
        yield index_case(f"S44-{title}", "reject", f"tensor '{name}': the shard must be the plain name", change=place(shard))
    yield index_case("S44-missing-shard", "reject", f"names the shard '{second}', which is missing", change=absent)
    yield index_case("S44-other-shard", "reject", f"does not place tensor '{name}' in the shard '{first}', which holds it", change=place(second))
    yield index_case("S44-both", "reject", "does not place tensor 'lm_head.weight' in the shard", more_in_first="lm_head.weight")
    yield index_case("S44-not-in-shard", "reject", f"places tensor 'model.extra.weight' in the shard '{second}', which does not hold it", change=listed)
    yield index_case("S44-not-in-index", "reject", f"does not place tensor '{name}'", change=unlisted)
    for size in (0, -1, 1 << 62):
        yield index_case(f"S44-total-{size}", "reject", f"'total_size' is {size}, but the shards hold", change=total(size))
    yield index_case("S44-total-text", "reject", "'total_size' must be an integer", change=total("1"))
    yield index_case("S44-cut-shard", "reject", "follow the header", file=second, change=cut)
    yield index_case("S44-no-map", "reject", "'weight_map' must be an object", change=without_map)
    yield index_case("S44-empty-map", "reject", "'weight_map' must be an object", change=empty_map)
    twice = json.dumps({"weight_map": {name: first}})[:-2] + f',"{name}":"{second}"}}}}'
    yield index_case("S44-duplicate", "reject", f"duplicate object key.*{name}", index_bytes=twice.encode())
    for title, data in (("nothing", b""), ("array", b"[]"), ("cut", b'{"weight_map":{"a'), ("bom", b"\xef\xbb\xbf{}"), ("deep", b'{"weight_map":' + b"[" * 100_000)):
        yield index_case(f"S44-{title}-json", "reject", "JSON|weight_map", index_bytes=data)
    yield index_case("S44-no-file", "cannot open", "expected a file, found a folder", file=second, change=folder_for_shard)
    yield from kinds()
    yield from changes()


def index_case(name, must, pattern="", file=INDEX, more_in_first=None, **how):
    def build(folder):
        from cases import safetensors
        listed = safetensors.tensors()
        first = listed[:5] + [tensor for tensor in listed if tensor[0] == more_in_first] if more_in_first else None
        sharded(folder, first=first, **how)

    def attempt(case):
        folder = make("m")
        build(folder)
        path = folder / file
        if case.must == "cannot open":
            why = cannot_open(["teacher-score", "--model", folder, "tokens.ndjson"], "teacher-score", path, case.pattern)
        else:
            why = score(folder, case.must, path, case.pattern, case.at, twice=is_thorough(case))
            if not why and case.must == "reject" and is_thorough(case):
                why = train(folder, case.must, path, case.pattern)
        remove(folder)
        return why or None

    return Case(name, must, build, pattern, file=file, more=Trial(attempt))


# S46: what is no file, or may not be read

def cannot_open(command, tool, file, pattern):
    """Why a command does not end with 66 and a message at once, or None."""
    tokens()
    outcome = gate.run(command, hang=10)
    lines = outcome.message.splitlines()
    if outcome.status != 66:
        return f"status {outcome.status}, expected 66: {outcome.message[:200]}"
    if not lines or not lines[0].startswith(f"{tool}: {file}: ") or any(not line.startswith("  ") for line in lines[1:]):
        return f"no message that names {file}: {outcome.message[:300]}"
    if pattern not in lines[0]:
        return f"expected '{pattern}' in: {lines[0]}"
    return f"{outcome.cpu:.2f} s of processor time" if outcome.cpu > gate.SECONDS else leftovers()


def kinds():
    def directory(path):
        path.mkdir()

    def forbidden(path):
        path.write_bytes(b"x")
        path.chmod(0)

    # Root may read anything, unless it gives that right away.
    lowered = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    for title, build, prefix, pattern in (
        ("directory", directory, [], "found a folder"), ("fifo", os.mkfifo, [], "found a pipe or a device"),
        ("zero", lambda path: path.symlink_to("/dev/zero"), [], "found a pipe or a device"),
        ("forbidden", forbidden, lowered, "Permission denied"), ("loop", lambda path: path.symlink_to(path.name), [], "holds neither"),
    ):
        yield Case(f"S46-{title}", "cannot open", build, pattern, more=Trial(lambda case, prefix=prefix: try_kind(case, prefix)))
    # A model comes as a file, for it is mapped.
    yield Case("S46-pipe", "cannot open", None, "found a pipe or a device", more=Trial(try_pipe))


def try_kind(case, prefix):
    folder = make("m")
    file = folder / "model.safetensors"
    case.data(file)
    named = folder if case.name == "S46-loop" else file
    why = cannot_open([*prefix, "teacher-score", "--model", folder, "tokens.ndjson"], "teacher-score", named, case.pattern)
    why = why or cannot_open([*prefix, "train", "--model", folder, "--out", "out", "--steps", "1", "tokens.ndjson"], "train", named, case.pattern)
    remove(folder)
    return why


def try_pipe(case):
    tokens()
    command = "cat tokens.ndjson | teacher-score --model /dev/stdin tokens.ndjson"
    return cannot_open(["sh", "-c", command], "teacher-score", "/dev/stdin", case.pattern)


# S46: changes while the file is read

def changes():
    size = 1 << 20

    def shrink(path):
        os.truncate(path, 0)

    def shrink_inside_a_page(path):
        os.truncate(path, path.stat().st_size - 16)

    def write_into(path):
        with open(path, "r+b") as out:
            out.seek(-8, os.SEEK_END)
            out.write(b"\0\0\0\0")

    def replace(path):
        other = path.with_name("other")
        other.write_bytes(bytes(100))
        other.rename(path)

    def unlink(path):
        path.unlink()

    for title, must, change, pattern in (
        ("shrunk", "reject", shrink, "cut short while it was read"), ("shrunk-in-page", "reject", shrink_inside_a_page, "changed from .* bytes"),
        ("written", "reject", write_into, "was written to"), ("replaced", "accept", replace, ""), ("removed", "accept", unlink, ""),
    ):
        yield Case(f"S46-{title}", must, change, pattern, more=Trial(lambda case: try_change(case)))


def try_change(case):
    from cases import safetensors
    folder = make("m")
    (folder / "model.safetensors").write_bytes(safetensors.model())
    why = change_while_scoring(folder, folder / "model.safetensors", case)
    remove(folder)
    return why


def change_while_scoring(path, file, case):
    """Changes the file of a model once it is mapped, while the tool waits for the rest of its tokens."""
    command = [word if word != "MODEL" else str(path) for word in SCORE[:-1]]
    with open("gate.out", "wb") as out, open("gate.err", "wb") as err:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=err)
        end = time.monotonic() + gate.HANG
        try:
            child.stdin.write(b'{"stream":"tokens","version":1}\n')
            child.stdin.flush()
            while file.name not in pathlib.Path(f"/proc/{child.pid}/maps").read_text():
                if child.poll() is not None or time.monotonic() > end:
                    return f"the tool does not map {file}: {pathlib.Path('gate.err').read_text()}"
                time.sleep(0.001)
            time.sleep(0.05)
            case.data(file)
            child.stdin.write(TOKENS.encode())
            child.stdin.close()
            status = child.wait(gate.HANG)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            child.kill()
            status = child.wait()
    outcome = gate.Outcome(status, pathlib.Path("gate.out").read_bytes(), pathlib.Path("gate.err").read_bytes(), 0, 0, 0, 0)
    return gate.judge(outcome, case.must, "teacher-score", file, case.pattern) or (status == 0 and tiny_model.wrong_scores(outcome.out)) or None
