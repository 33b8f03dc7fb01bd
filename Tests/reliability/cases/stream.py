"""The tensor stream, X01-X18, and its records as NDJSON, X19. Each goes through `stream-cat --check` and every tool that reads its kind."""
import copy
import functools
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import zlib

import gate as gates
import tensor_stream
from cases import Case, _ways

KINDS = ("tokens", "scores", "aligned")


@functools.cache
def streams():
    """A good stream of each kind in three data records, as records."""
    pathlib.Path("good").mkdir(exist_ok=True)

    def make(name, *command):
        outcome = gates.run([command[0], "--no-provenance", *command[1:], "-o", f"good/{name}"])
        assert outcome.status == 0, outcome.message

    corpus = gates.INPUTS / "corpus.ndjson"
    vocabularies = gates.FIXTURES / "vocabularies"
    make("tokens", "tokenize", "--tokenizer", vocabularies / "teacher", "--batch-tokens", "30", corpus)
    make("student", "tokenize", "--tokenizer", vocabularies / "student", "--batch-tokens", "30", corpus)
    make("scores", "teacher-score", "--model", gates.INPUTS / "teacher", "--bos", "always", "--top-k", "3", "--batch-tokens", "30", "good/tokens")
    make("aligned", "align", "good/student", "good/scores")
    found = {kind: tensor_stream.parse(pathlib.Path(f"good/{kind}").read_bytes()) for kind in KINDS}
    assert all(len(records) >= 4 for records in found.values()), "fewer than two data records"
    return found


def readers(kind, path):
    """A command for every tool that reads a stream of the kind."""
    streams()
    config = {"tokens": gates.INPUTS / "teacher/config.json", "scores": gates.INPUTS / "teacher/config.json",
              "aligned": gates.FIXTURES / "vocabularies/student/config.json"}[kind]
    train = ["train", "--model", config, "--out", "trained", "--steps", "2", "--threads", "1"]
    yield ["stream-cat", "--check", path]
    yield ["stream-cat", path]
    yield ["stream-cat", "--stat", path]
    yield ["stream-cat", "--checksum", path]
    yield ["stream-cat", "--to-megatron", "shard", path]
    if kind == "tokens":
        yield ["tokenize", "--decode", "--tokenizer", gates.FIXTURES / "vocabularies/teacher", path]
        yield ["align", path, "good/scores"]
        yield ["teacher-score", "--model", gates.INPUTS / "teacher", "--bos", "always", "--threads", "1", "-o", "scored", path]
        yield train + [path]
    if kind == "scores":
        yield ["align", "good/student", path]
        yield ["sample", "--scores-only", "--allow-same-model", "--teacher", path, "--reference", "good/scores"]
        yield ["sample", "--scores-only", "--allow-same-model", "--teacher", "good/scores", "--reference", path]
        yield train + ["--distill", "forward-kl", path]
    if kind == "aligned":
        yield train + ["--loss", "guided", path]


def case(name, must, kind, change, pattern="", record=None, seal=True):
    """A case made from a good stream by change(records); `record`: the number of the record whose first byte is the place."""
    records = copy.deepcopy(streams()[kind])
    records = change(records) or records
    data = tensor_stream.sealed(records) if seal else tensor_stream.join(records)
    at = None if record is None else len(tensor_stream.join(records[:record]))
    return Case(name, must, data, pattern, at, more=kind)


def fact(record, key, value):
    """A change of one fact of a record."""
    def change(records):
        if value is None:
            del records[record].facts[key]
        else:
            records[record].facts[key] = value
    return change


def cell(record, tensor, at, form, value):
    """A change of one number of a tensor."""
    def change(records):
        data = bytearray(records[record].tensor(tensor))
        size = struct.calcsize(form)
        struct.pack_into("<" + form, data, at * size if at >= 0 else len(data) + at * size, value)
        records[record].set(tensor, bytes(data))
    return change


def described(record, tensor, **entry):
    """A change of a tensor's dtype or shape, its bytes as they are."""
    def change(records):
        records[record].header[tensor].update(entry)
    return change


def cases():
    whole = {kind: tensor_stream.join(records) for kind, records in streams().items()}
    for kind in KINDS:
        sizes = [len(record.bytes()) for record in streams()[kind]]
        ends = {sum(sizes[:at]) for at in range(len(sizes))}
        step = 211 if gates.QUICK else 37
        for length in sorted({*range(0, len(whole[kind]), step), *(end + more for end in ends for more in (0, 1, 8)), len(whole[kind]) - 1}):
            # Less than a length is no stream yet: it may be cut NDJSON as well.
            at = max(end for end in ends if end <= length) if length >= 8 else None
            yield Case(f"X01-{kind}-{length}", "reject", whole[kind][:length], "empty|ends|cut", at, more=kind)
        yield case(f"X02-{kind}", "reject", kind, lambda records: records[:-1], "ends without its end record", len(sizes) - 1)
        for key in ("records", "documents", "tokens"):
            yield case(f"X03-{kind}-{key}", "reject", kind, fact(-1, key, "4711"), f"4711' {key}", len(sizes) - 1)
        yield case(f"X04-{kind}", "reject", kind, fact(-1, "xxh64", "0123456789abcdef"), "xxh64", len(sizes) - 1, seal=False)
        yield case(f"X05-{kind}", "reject", kind, fact(2, "crc32c", "01234567"), "crc32c", 2, seal=False)
    yield case("X03-none", "reject", "tokens", fact(-1, "tokens", None), "tokens", len(streams()["tokens"]) - 1)
    yield case("X04-none", "reject", "tokens", fact(-1, "xxh64", None), "xxh64", len(streams()["tokens"]) - 1)
    yield case("X04-other-order", "reject", "tokens", lambda records: [records[0], records[2], records[1], *records[3:]], "index", 1)
    yield case("X05-none", "reject", "tokens", fact(1, "crc32c", None), "crc32c", 1)
    first = whole["tokens"]
    for name, length in (("zero", 0), ("one", 1), ("above", (1 << 24) + 1), ("2^63", 1 << 63), ("2^64-1", (1 << 64) - 1), ("2^64-8", (1 << 64) - 8)):
        yield Case(f"X06-{name}", "reject", first + struct.pack("<Q", length) + b"{}" * 8, f"{length} bytes", len(first), more="tokens")
        head = len(streams()["tokens"][0].bytes())
        yield Case(f"X06-data-{name}", "reject", first[:head] + struct.pack("<Q", length) + first[head + 8 :], f"{length} bytes", head, more="tokens")
    yield case("X07", "reject", "tokens", fact(0, "version", "2"), "version '2'", 0)
    yield case("X07-none", "reject", "tokens", fact(0, "version", None), "version", 0)
    yield case("X08", "reject", "tokens", fact(0, "stream", "dreams"), "unknown stream 'dreams'", 0)
    yield case("X08-none", "reject", "tokens", fact(0, "stream", None), "stream", 0)
    yield case("X08-kind", "reject", "tokens", fact(1, "kind", "more"), "kind 'more'", 1)
    yield case("X08-two-headers", "reject", "tokens", lambda records: [records[0], *records], "out of place", 1)
    yield case("X09", "reject", "tokens", described(1, "input_ids", dtype="U31"), "U31|dtype", 1)
    for name, more, pattern in (("byte", b"\0", "after the end"), ("words", b"and more words", "after the end"), ("zeros", bytes(64), "after the end")):
        yield Case(f"X10-{name}", "reject", first + more, pattern, len(first), more="tokens")
    # A record of a stream that has ended, and a safetensors file, are no new stream.
    yield case("X10-data", "reject", "tokens", lambda records: [*records, records[1]], "out of place", len(streams()["tokens"]))
    for kind in KINDS:
        yield Case(f"X11-{kind}", "accept", whole[kind] + whole[kind], more=kind)
    other = copy.deepcopy(streams()["tokens"])
    for key, value in (("vocabulary_sha256", "0" * 64), ("vocabulary_size", "999"), ("special_tokens", "added"), ("bos_id", None)):
        changed = copy.deepcopy(other)
        fact(0, key, value)(changed)
        yield Case(f"X12-{key}", "reject", first + tensor_stream.sealed(changed), f"disagrees: '{key}'", len(first), more="tokens")
    yield Case("X12-stream", "reject", first + whole["scores"], "disagrees: 'stream'", len(first), more="tokens")
    yield from payload_cases()
    yield from shape_cases()
    yield from line_cases()
    for kind in KINDS:
        yield Case(f"X17-{kind}", "one byte", whole[kind], more=kind)
        yield Case(f"X17-{kind}-cut", "one byte, reject", whole[kind][:-9], more=kind)
        yield Case(f"X18-{kind}", "gone", whole[kind], more=kind)


def payload_cases():
    """Numbers that no record may have, under sums that fit."""
    for name, value in (("infinite", float("inf")), ("minus-infinite", float("-inf")), ("positive", 0.5)):
        yield case(f"X13-log_probs-{name}", "reject", "scores", cell(2, "log_probs", 1, "f", value), "log_probs", 2)
    for name, value in (("nan", 0x7E00), ("infinite", 0x7C00), ("positive", 0x3C00)):
        yield case(f"X13-top_log_probs-{name}", "reject", "scores", cell(2, "top_log_probs", 0, "H", value), "top_log_probs", 2)
    for name, value in (("infinite", float("inf")), ("two", 2.0), ("negative", -0.5)):
        yield case(f"X13-kept_masses-{name}", "reject", "scores", cell(2, "kept_masses", 1, "f", value), "kept_masses", 2)
    for name, value in (("infinite", float("inf")), ("minus-infinite", float("-inf"))):
        yield case(f"X13-teacher_losses-{name}", "reject", "aligned", cell(2, "teacher_losses", 1, "f", value), "teacher_losses", 2)
    yield case("X13-id", "reject", "tokens", cell(2, "input_ids", 1, "I", 264), "input_ids.*264", 2)
    yield case("X13-id-highest", "reject", "tokens", cell(2, "input_ids", 1, "I", (1 << 32) - 1), "input_ids", 2)
    yield case("X13-top-id", "reject", "scores", cell(2, "top_ids", 0, "I", 1 << 31), "top_ids", 2)


def shape_cases():
    """Tensors of another type or shape, splits and offsets that do not rise."""
    tokens = streams()["tokens"][1].header
    count, = tokens["input_ids"]["shape"]
    documents = tokens["document_splits"]["shape"][0] - 1
    yield case("X14-dtype", "reject", "tokens", described(1, "input_ids", dtype="I32"), "input_ids.*I32.*U32", 1)
    yield case("X14-float", "reject", "tokens", described(1, "input_ids", dtype="F32"), "input_ids.*F32.*U32", 1)
    yield case("X14-rank", "reject", "tokens", described(1, "input_ids", shape=[1, count]), "input_ids", 1)
    yield case("X14-scalar", "reject", "tokens", described(1, "document_splits", dtype="I64", shape=[]), "document_splits", 1)
    yield case("X14-offsets", "reject", "tokens", described(1, "offsets", shape=[2, count]), "offsets", 1)
    yield case("X14-hashes", "reject", "tokens", described(1, "text_hashes", dtype="I64"), "text_hashes", 1)
    yield case("X14-log_probs", "reject", "scores", described(1, "log_probs", dtype="U32"), "log_probs", 1)
    for power in range(31, 63, 3):
        # Bytes that are declared and do not come must not be paid for.
        begin, _ = tokens["document_ids"]["data_offsets"]
        huge = described(1, "document_ids", shape=[1 << power], data_offsets=[begin, begin + (1 << power)])
        yield case(f"X14-huge-{power}", "reject", "tokens", lambda records: huge(records[:2]) or records[:2], "the stream ends after", 1)
    yield case("X14-unknown", "reject", "tokens", renamed(1, "offsets", "onsets"), "onsets", 1)
    yield case("X14-missing", "reject", "scores", renamed(1, "log_probs", "entropies"), "log_probs", 1)
    yield case("X14-columns", "reject", "tokens", lambda records: without(records, 2, "document_ids"), "document_ids", 2)
    yield case("X14-other-columns", "reject", "scores", renamed(2, "kept_masses", "entropies"), "columns", 2)
    yield case("X14-metadata", "reject", "tokens", fact(1, "colour", "red"), "colour", 1)
    assert documents >= 2, "splits of one document cannot fall"
    for name, at, value in (("first", 0, 1), ("last", -1, count - 1), ("past-end", -1, count + 1), ("falls", 1, count + 5), ("negative", 0, -1),
                            ("huge", 1, (1 << 63) - 1), ("least", 1, -(1 << 63))):
        for tensor in ("document_splits", "document_id_splits"):
            yield case(f"X15-{tensor}-{name}", "reject", "tokens", cell(1, tensor, at, "q", value), tensor, 1)
    for name, at, value in (("first", 0, 1), ("past-end", -1, 1 << 40), ("falls", 1, 1 << 40), ("negative", 1, -1)):
        yield case(f"X15-top-{name}", "reject", "scores", cell(1, "top_splits", at, "q", value), "top_splits", 1)
    yield case("X15-utf8", "reject", "tokens", cell(1, "document_ids", 0, "B", 255), "UTF-8", 1)
    yield case("X16-reversed", "reject", "tokens", cell(1, "offsets", 2, "I", 1 << 30), "offsets", 1)
    yield case("X16-falls", "reject", "tokens", offsets_that_fall, "offsets", 1)
    yield case("X16-highest", "reject", "tokens", cell(1, "offsets", 4, "I", (1 << 32) - 1), "offsets", 1)
    yield case("X16-ranges", "reject", "aligned", cell(1, "teacher_ranges", 2, "I", 1 << 30), "teacher_ranges", 1)


@functools.cache
def lines(kind):
    """The good stream of a kind as lines of NDJSON: a header and its documents."""
    streams()
    outcome = gates.run(["stream-cat", "--no-provenance", f"good/{kind}"])
    assert outcome.status == 0, outcome.message
    return outcome.out.decode().splitlines()


def line_case(name, kind, change, pattern, line):
    """A case made from the lines of a good stream by change(the members of one): it gives them, or the line's text.

    The place is the line's first byte, or in what is no JSON a byte further on."""
    made = list(lines(kind))
    changed = change(json.loads(made[line]))
    made[line] = changed if isinstance(changed, str) else json.dumps(changed)
    data = "".join(f"{one}\n" for one in made)
    if "not valid JSON" in pattern:
        return Case(f"X19-{name}", "reject", data, rf":{line + 1}: byte \d+: {pattern}", more=kind)
    return Case(f"X19-{name}", "reject", data, pattern, sum(len(one.encode()) + 1 for one in made[:line]), more=kind)


def member(key, value):
    """A change of one member; `value`: what it is, or a function of what it was."""
    return lambda members: {**members, key: value(members[key]) if callable(value) else value}


def dropped(key):
    return lambda members: {name: value for name, value in members.items() if name != key}


def line_cases():
    """Records of NDJSON that are no records. (A document may be there twice, as in X11.)"""
    yield line_case("input_ids-text", "tokens", member("input_ids", "5 6"), "'input_ids' must be an array", 2)
    for name, token in (("real", 1.5), ("negative", -1), ("null", None), ("past-32-bits", 1 << 32)):
        yield line_case(f"input_ids-{name}", "tokens", member("input_ids", [token]), "'input_ids' entry 0 must be an integer", 2)
    yield line_case("input_ids-outside", "tokens", member("input_ids", lambda ids: [264, *ids[1:]]), "input_ids.*264", 2)
    yield line_case("input_ids-missing", "tokens", dropped("input_ids"), "'input_ids' is missing", 2)
    yield line_case("input_ids-longer", "tokens", member("input_ids", lambda ids: [*ids, 1]), r"'input_ids' has \d+ entries but", 2)
    yield line_case("id-object", "tokens", member("id", {}), "'id' must be a string or an integer", 2)
    yield line_case("offsets-missing", "tokens", dropped("offsets"), "'offsets' is missing, which the records before have", 2)
    yield line_case("offsets-numbers", "tokens", member("offsets", lambda pairs: [at for at, _ in pairs]), r"\[begin, end\] of integers", 2)
    yield line_case("offsets-fall", "tokens", member("offsets", lambda pairs: pairs[::-1]), "offsets", 2)
    yield line_case("text_hash", "tokens", member("text_hash", "0123"), "'text_hash' must be 16", 2)
    scored = lambda members: {**members, "log_probs": [-1] * len(members["input_ids"])}
    yield line_case("new-field", "tokens", scored, "'log_probs' is here, which the records before lack", 2)
    for name, value, pattern in (("positive", 0.5, "log_probs"), ("text", "-1", "entry 1 must be a number or null"),
                                 ("infinite", float("inf"), "not valid JSON"), ("nan", float("nan"), "not valid JSON")):
        yield line_case(f"log_probs-{name}", "scores", member("log_probs", lambda old, value=value: [old[0], value, *old[2:]]), pattern, 2)
    yield line_case("log_probs-shorter", "scores", member("log_probs", lambda old: old[:-1]), "'log_probs' has", 2)
    yield line_case("top_ids-alone", "scores", dropped("top_log_probs"), "'top_log_probs' is missing", 2)
    yield line_case("top_ids-shorter", "scores", member("top_ids", lambda old: [*old[:-1], old[-1][:-1]]), "different lengths for token", 2)
    yield line_case("teacher_ranges", "aligned", member("teacher_ranges", lambda old: [[1 << 30, 0], *old[1:]]), "teacher_ranges", 2)
    yield line_case("header-kind", "tokens", member("stream", "dreams"), "unknown stream 'dreams'", 0)
    yield line_case("header-version", "tokens", member("version", 2), "version '2'", 0)
    yield line_case("header-list", "tokens", member("version", [1]), "'version' must be a string, an integer or a boolean", 0)
    yield header_late()
    yield line_case("two-records", "tokens", lambda members: json.dumps(members) * 2, "not valid JSON", 2)
    yield line_case("words", "tokens", lambda members: json.dumps(members) + " and more", "not valid JSON", 2)
    yield line_case("cut", "tokens", lambda members: json.dumps(members)[:-1], "not valid JSON", 2)
    yield line_case("list", "tokens", lambda members: json.dumps([members]), "object", 2)
    yield line_case("twice", "tokens", lambda members: '{"id":"z",' + json.dumps(members)[1:], "not valid JSON: duplicate", 2)
    yield line_case("zeros", "tokens", lambda _: "\0" * 64, "not valid JSON: a zero byte", 2)


def header_late():
    """A header behind records that have none."""
    made = lines("tokens")
    data = f"{made[1]}\n{made[0]}\n"
    return Case("X19-header-late", "reject", data, "a header after records that have none", len(made[1].encode()) + 1, more="tokens")


def offsets_that_fall(records):
    cell(1, "offsets", 2, "I", 9)(records)
    cell(1, "offsets", 3, "I", 9)(records)


def renamed(record, old, new):
    def change(records):
        header = records[record].header
        records[record].header = {new if name == old else name: entry for name, entry in header.items()}
    return change


def without(records, record, tensor):
    """Takes away the tensor that lies last."""
    header = records[record].header
    begin, _ = header.pop(tensor)["data_offsets"]
    records[record].data = records[record].data[:begin]


# Trying

@functools.cache
def base(tool, kind):
    """The most bytes that a tool holds for a good stream of the kind."""
    return max(gates.run(command).held for command in readers(kind, f"good/{kind}") if command[0] == tool)


def try_case(case, gate):
    path = case.write(f"bad.{case.more}")
    if case.must == "gone":
        return reader_gone(path)
    if case.must.startswith("one byte"):
        return one_byte(path, "reject" if case.must.endswith("reject") else "accept")
    commands = list(readers(case.more, path))
    if gates.QUICK:
        # The check, and one of the others in turn.
        commands = [commands[0], commands[1 + zlib.crc32(case.name.encode()) % (len(commands) - 1)]]
    for command in commands:
        if case.name.startswith("X11") and command[0] in ("align", "sample"):
            # Its other input does not hold every document twice.
            continue
        why = judged(command, case, case.more)
        if why:
            return f"{' '.join(map(str, command[:2]))}: {why}"
    return None


def clear():
    for name in ("shard.idx", "shard.bin", "scored"):
        pathlib.Path(name).unlink(missing_ok=True)
    for name in ("trained", "trained.checkpoints"):
        shutil.rmtree(name, ignore_errors=True)


def judged(command, case, kind):
    tool, path = command[0], pathlib.Path(f"bad.{case.more}")
    held = base(tool, kind)
    clear()
    outcome = gates.run(command)
    why = gates.judge(outcome, case.must, tool, path.name, case.pattern, case.at, path.stat().st_size, held)
    left = [name for name in ("shard.idx", "shard.bin", "scored", "trained") if pathlib.Path(name).exists()]
    return why or (f"left {left}" if left and outcome.status != 0 else None)


def one_byte(path, must):
    """The same bytes come out whether the stream is a file or comes through a pipe byte by byte."""
    command = ["stream-cat", "--no-provenance"]
    file, pipe = gates.run([*command, path]), _ways.piped(command, path, one_byte=True)
    whys = gates.judge(file, must, "stream-cat", path.name), gates.judge(pipe, must, "stream-cat", "<stdin>")
    if any(whys):
        return next(filter(None, whys))
    if file.out != pipe.out:
        return "another output from one-byte reads"
    if file.message.replace(path.name, "<stdin>") != pipe.message:
        return f"another message from one-byte reads: {pipe.message}"
    return None


def reader_gone(path):
    """Every tool that writes dies of SIGPIPE, without a word, when nobody reads."""
    for command in (["stream-cat", path], ["stream-cat", "--format", "tensor", path]):
        reader, writer = os.pipe()
        os.close(reader)
        child = subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                                 preexec_fn=lambda: signal.signal(signal.SIGPIPE, signal.SIG_DFL))
        os.close(writer)
        words = child.communicate(timeout=gates.HANG)[1]
        if child.returncode not in (-signal.SIGPIPE, 141) or words:
            return f"{command[:2]}: status {child.returncode}: {words.decode(errors='replace')[:200]}"
    return None


def seeds():
    streams()
    for name in ("tiny.tokens", "tiny.scores", "tiny.aligned", "full.scores", "full.aligned"):
        yield name, (gates.FIXTURES / name).read_bytes()
    # These go with what the readers are given beside them.
    for kind in KINDS:
        yield f"good.{kind}", pathlib.Path(f"good/{kind}").read_bytes()


def try_file(path):
    """A damaged stream through one of the tools that read its kind: which one, its bytes say."""
    path = pathlib.Path(path)
    kind = path.suffix[1:]
    commands = list(readers(kind, path))
    command = commands[zlib.crc32(path.read_bytes()) % len(commands)]
    clear()
    outcome = gates.run(command)
    why = gates.judge(outcome, "either", command[0], path.name, size=path.stat().st_size, base=base(command[0], kind))
    return why and f"{' '.join(map(str, command[:2]))}: {why}"
