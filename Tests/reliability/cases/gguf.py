"""Broken GGUF files, G01-G44, as the model of `teacher-score` and `train` and as the vocabulary of `tokenize`.

A file that must be accepted has to give the scores that its weights have (`tiny_model`) and the ids that its vocabulary gives.
"""
import json
import math
import os
import pathlib
import struct

import gate
from cases import Case, model_folders, tiny_model

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
FORMATS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}
CORPUS, IDS = '{"text":"a ab"}\n', [5, 5, 6]
MOST = (1 << 64) - 1


# Files from parts

def string(text):
    data = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, content):
    """The bytes of a value; `content` of an array is (type, list) or (type, count, bytes)."""
    if isinstance(content, bytes) and kind != STRING:
        return content
    if kind == STRING:
        return string(content)
    if kind == ARRAY:
        if len(content) == 3:
            return struct.pack("<IQ", *content[:2]) + content[2]
        return struct.pack("<IQ", content[0], len(content[1])) + b"".join(value(content[0], each) for each in content[1])
    return struct.pack("<" + FORMATS[kind], content)


TOKENS = ["<unk>", "<s>", "</s>", "\u2581", "a", "\u2581a", "b", "ab"]
VOCABULARY = [
    ("tokenizer.ggml.model", STRING, "llama"), ("tokenizer.ggml.tokens", ARRAY, (STRING, TOKENS)),
    ("tokenizer.ggml.scores", ARRAY, (F32, [0, 0, 0, -3, -4, -1, -5, -2])), ("tokenizer.ggml.token_type", ARRAY, (I32, [2, 3, 3, 1, 1, 1, 1, 1])),
    ("tokenizer.ggml.bos_token_id", U32, 1), ("tokenizer.ggml.eos_token_id", U32, 2), ("tokenizer.ggml.unknown_token_id", U32, 0),
    ("tokenizer.ggml.add_bos_token", BOOL, 0),
]
ENTRIES = [
    ("general.architecture", STRING, "llama"), ("llama.vocab_size", U32, 8), ("llama.context_length", U32, 32), ("llama.embedding_length", U32, 4),
    ("llama.block_count", U32, 1), ("llama.feed_forward_length", U32, 4), ("llama.attention.head_count", U32, 1),
    ("llama.attention.head_count_kv", U32, 1), ("llama.attention.layer_norm_rms_epsilon", F32, tiny_model.EPSILON),
    ("llama.rope.dimension_count", U32, 4), *VOCABULARY,
]


def changed(*entries):
    """The entries of the tiny model with these in the place of their namesakes, or behind the last; None for the type takes one away."""
    found = list(ENTRIES)
    for entry in entries:
        place = next((at for at, old in enumerate(found) if old[0] == entry[0]), None)
        if place is None:
            found.append(entry)
        else:
            found[place] = entry
    return [entry for entry in found if entry[1] is not None]


def tensors(alignment=32, kind="F32"):
    """(name, dimensions, type, offset, bytes) of the tiny model."""
    listed, offset = [], 0
    for _, name, shape, values in tiny_model.weights():
        vector = len(shape) == 1
        body = tiny_model.floats(values, "F32" if vector else kind)
        listed.append((name, list(reversed(shape)), 0 if vector or kind == "F32" else {"F16": 1, "BF16": 30}[kind], offset, body))
        offset += -(-len(body) // alignment) * alignment
    return listed


class File:
    """The bytes of a file, and where its entries and its tensors stand."""

    def __init__(self, entries=None, listed=None, version=3, alignment=32, entry_count=None, tensor_count=None, padding=b"\0", order="<"):
        entries = ENTRIES if entries is None else entries
        listed = tensors(alignment) if listed is None else listed
        self.places = {}
        self.data = b"GGUF" + struct.pack(order + "IQQ", version, len(listed) if tensor_count is None else tensor_count,
                                          len(entries) if entry_count is None else entry_count)
        for key, kind, content in entries:
            self.places.setdefault(key, len(self.data))
            self.places["last " + (key if isinstance(key, str) else "")] = len(self.data)
            self.data += string(key) + struct.pack("<I", kind & 0xFFFFFFFF) + value(kind, content)
        for name, dimensions, kind, offset, _ in listed:
            self.places["last " + (name if isinstance(name, str) else "")] = self.places[name] = len(self.data)
            self.data += string(name) + struct.pack("<I", len(dimensions)) + b"".join(struct.pack("<Q", size & MOST) for size in dimensions)
            self.data += struct.pack("<IQ", kind & 0xFFFFFFFF, offset & MOST)
        self.metadata = len(self.data)
        if listed:
            self.data += padding * (-len(self.data) % alignment)
        self.start = len(self.data)
        body = b""
        for _, _, _, offset, part in listed:
            if 0 <= offset <= 1 << 20:
                body += padding * (offset - len(body)) + part
        self.data += body + padding * (-len(body) % alignment)


def one_entry(key, kind, content, room=bytes(64)):
    """A file that begins with this entry: it stands at byte 24, its type behind the key."""
    file = File([(key, kind, content)], [])
    return file.data + room


def with_tensor(name="t", dimensions=(1,), kind=0, offset=None, body=bytes(4)):
    """The tiny model with one more tensor behind its own: accepted by what reads the vocabulary alone."""
    listed = tensors()
    end = listed[-1][3] + -(-len(listed[-1][4]) // 32) * 32
    return File(listed=listed + [(name, list(dimensions), kind, end if offset is None else offset, body)])


# How a case is tried: the verdicts that differ from the case's own, by tool.
MODEL_ONLY = {"tokenize": "accept"}
VOCABULARY_ONLY = {"teacher-score": None}


# Cases

def cases():
    yield from headers()
    yield from metadata()
    yield from alignments()
    yield from names_and_shapes()
    yield from sizes()
    yield from placement()
    yield from vocabularies()
    yield from configurations()
    yield from wholes()


def header(version=3, tensor_count=0, entry_count=0, order="<"):
    return b"GGUF" + struct.pack(order + "IQQ", version, tensor_count, entry_count)


def headers():
    whole = File().data
    yield Case("G04-version-3", "accept", whole)
    for kind in ("F16", "BF16"):
        yield Case(f"G04-{kind}", "accept", File(listed=tensors(kind=kind)).data)
    yield Case("G01-empty", "reject", b"", "empty")
    for length in (1, 2, 3):
        yield Case(f"G01-{length}", "reject", whole[:length], "", None)
    yield Case("G01-magic", "reject", b"FUGG" + whole[4:], "other byte order|GGUF", None)
    for length in range(4, 24):
        yield Case(f"G01-header-{length}", "reject", whole[:length], "expected|cannot stand", 4 if length < 8 else 8)
    for version in (0, 1, 4, MOST >> 32):
        yield Case(f"G02-{version}", "reject", header(version) + whole[24:], f"version {version} is not supported", 4)
    big = File(order=">").data
    yield Case("G03", "reject", big, "version 3 in the other byte order.*big-endian", 4)
    yield Case("G04-version-2", "accept", File(version=2).data)
    for name, count in (("minus-1", MOST), ("2-62", 1 << 62), ("1d", 0x1D1D1D1D1D1D1D1D), ("2-32", 1 << 32), ("1", 1)):
        number = {"minus-1": "G05", "2-62": "G06", "1d": "G06", "2-32": "G07", "1": "G07"}[name]
        yield Case(f"{number}-tensors-{name}", "reject", header(3, count, 0), f"{count} tensors cannot stand", 8)
        yield Case(f"{number}-entries-{name}", "reject", header(3, 0, count), f"{count} metadata entries cannot stand", 16)
    yield Case("G07-too-many", "reject", File(entry_count=len(ENTRIES) + 1).data, "", None)
    yield Case("G07-too-few", "reject", File(entry_count=len(ENTRIES) - 1).data, "", None)


def metadata():
    room = bytes(64)
    for name, length in (("minus-1", MOST), ("2-63", 1 << 63), ("65536", 65_536)):
        yield Case(f"G08-{name}", "reject", header(3, 0, 1) + struct.pack("<Q", length) + room, f"key of {length} bytes", 24)
    yield Case("G09-empty", "reject", one_entry("", U8, 1), "an empty key", 24)
    yield Case("G09-utf8", "reject", one_entry(b"ab\xc3(", U8, 1), "not UTF-8", 24 + 8 + 2)
    yield Case("G09-nul", "reject", one_entry("a\0b", U8, 1), "NUL", 24 + 8)
    twice = File(ENTRIES + [("llama.block_count", U32, 1)])
    yield Case("G10", "reject", twice.data, "key 'llama.block_count' occurs twice", twice.places["last llama.block_count"])
    for kind in (13, 255, -1):
        yield Case(f"G11-{kind}", "reject", one_entry("key", kind, b""), f"key 'key'.*value type {kind & 0xFFFFFFFF}", 24 + 8 + 3)
        yield Case(f"G11-array-{kind}", "reject", one_entry("key", ARRAY, (kind & 0xFFFFFFFF, 1, b"")), f"key 'key'.*type {kind & 0xFFFFFFFF}", 24 + 8 + 3 + 4)
    yield Case("G12", "reject", one_entry("key", ARRAY, (ARRAY, 1, b"")), "key 'key': arrays of arrays", 39)
    yield Case("G12-deep", "reject", one_entry("key", ARRAY, (ARRAY, 1, struct.pack("<IQ", ARRAY, 1) * 100_000)), "arrays of arrays", 39)
    for name, kind, count in (("2-63", U32, 1 << 63), ("wraps", U64, 1 << 62), ("strings", STRING, 1 << 31), ("minus-1", U8, MOST), ("one-more", U8, 65)):
        data = one_entry("key", ARRAY, (kind, count, b""), bytes(1024 if name == "strings" else 64))
        yield Case(f"G13-{name}", "reject", data, f"key 'key': an array of {count}", 39)
    for name, length in (("past-end", 65), ("minus-1", MOST), ("2-63", 1 << 63)):
        yield Case(f"G14-{name}", "reject", header(3, 0, 1) + string("key") + struct.pack("<IQ", STRING, length) + room, f"key 'key': a string of {length} bytes", 39)
    inner = struct.pack("<Q", 1) + b"a" + struct.pack("<Q", MOST)
    yield Case("G14-in-array", "reject", one_entry("key", ARRAY, (STRING, 2, inner)), f"a string of {MOST} bytes", 39 + 12 + 9)
    yield Case("G15", "reject", one_entry("key", BOOL, 2), "key 'key': a boolean of value 2", 39)
    yield Case("G15-in-array", "reject", one_entry("key", ARRAY, (BOOL, [1, 3])), "a boolean of value 3", 39 + 12 + 1)


def alignments():
    for name, kind, content in (("0", U32, 0), ("13", U32, 13), ("2-31", U32, 1 << 31), ("int32", I32, 32), ("uint8", U8, 32), ("uint64", U64, 64), ("string", STRING, "32"), ("float", F32, 32), ("array", ARRAY, (U32, [32]))):
        file = File(changed(("general.alignment", kind, content)))
        yield Case(f"G16-{name}", "reject", file.data, "key 'general.alignment' must be", file.places["general.alignment"])
    for alignment in (1, 2, 4096):
        yield Case(f"G17-{alignment}", "accept", File(changed(("general.alignment", U32, alignment)), alignment=alignment).data)


def names_and_shapes():
    for name, bad, words, shift in (("64", "n" * 64, "a tensor name of 64 bytes", 0), ("empty", "", "an empty tensor name", 0), ("utf8", b"a\xff", "not UTF-8", 9), ("nul", "a\0", "NUL", 8), ("2-63", None, "a tensor name of", 0)):
        file = with_tensor(bad if bad is not None else "x")
        data, at = file.data, file.places[bad if bad is not None else "x"]
        if bad is None:
            data = data[:at] + struct.pack("<Q", 1 << 63) + data[at + 8:]
        yield Case(f"G18-{name}", "reject", data, words, at + shift)
    yield Case("G18-63", "accept", with_tensor("n" * 63).data, more={"teacher-score": "reject"})
    twice = with_tensor("output.weight", (4, 8), 0, None, bytes(128))
    yield Case("G19", "reject", twice.data, "tensor 'output.weight' occurs twice", twice.places["last output.weight"])
    yield Case("G20-0", "accept", with_tensor(dimensions=()).data, more={"teacher-score": "reject"})
    for rank in (5, MOST >> 32):
        file = with_tensor(dimensions=(1,) * min(rank, 5))
        at = file.places["t"] + 8 + 1
        yield Case(f"G20-{rank}", "reject", file.data[:at] + struct.pack("<I", rank) + file.data[at + 4:], f"tensor 't': {rank} dimensions", at)
    for name, dimensions in (("", (-1,)), ("-second", (1, -1)), ("-least", (1 << 63,))):
        file = with_tensor(dimensions=dimensions)
        yield Case(f"G21{name}", "reject", file.data, "tensor 't': dimensions .* overflow", file.places["t"])
    for name, dimensions, kind in (("", (0,), 0), ("-blocks", (0, 7), 2), ("-second", (32, 0), 8)):
        yield Case(f"G22{name}", "accept", with_tensor(dimensions=dimensions, kind=kind, body=b"").data, more={"teacher-score": "reject"})
    zero = [(name, [4, 0] if name == "output.weight" else dims, *rest) for name, dims, *rest in tensors()]
    yield Case("G22-head", "reject", File(listed=zero).data, "tensor 'output.weight' has the shape", None, more=MODEL_ONLY)


def sizes():
    for name, dimensions, kind, words in (
        ("G23", (4 * ((1 << 31) - 1), 4 * ((1 << 31) - 1)), 0, "overflow"), ("G24", (1_518_500_250, 1_518_500_250), 27, "overflow|cut short"),
        ("G24-small", (1_518_500_249, 1_518_500_249), 27, "overflow|cut short"), ("G25", (MOST // 4,), 0, "overflow|cut short"),
        ("G26", (5_124_095_576_030_431_008,), 2, "cut short|overflow"), ("G27", (0x7FFFFFFFFFFFFFC0,), 24, "cut short"),
        ("G27-four-dims", (1 << 16, 1 << 16, 1 << 16, 1 << 15), 24, "cut short|overflow"),
    ):
        file = with_tensor(dimensions=dimensions, kind=kind)
        yield Case(name, "reject", file.data, f"tensor 't'.*({words})", file.places["t"])
    huge = 0x7FFFFFFFFFFFFFC0
    file = File(listed=[("a", [huge], 24, 0, b""), ("b", [huge], 24, huge, b"")])
    yield Case("G27-two", "reject", file.data, "tensor 'a'.*cut short", file.places["a"])
    for kind in (-1, 42, 4, 5, 31, 32, 33, 36, 37, 38, 255):
        file = with_tensor(dimensions=(32,), kind=kind)
        yield Case(f"G28-{kind}", "reject", file.data, f"tensor 't': unknown type {kind & 0xFFFFFFFF}", file.places["t"] + 8 + 1 + 4 + 8)
    for elements, kind in ((33, 8), (31, 2), (1, 2), (255, 12), (16, 39)):
        file = with_tensor(dimensions=(elements,), kind=kind)
        yield Case(f"G29-{elements}-{kind}", "reject", file.data, f"tensor 't': rows of {elements} elements are not whole", file.places["t"])
    # 32 elements in all, but no row of a whole block.
    file = with_tensor(dimensions=(8, 4), kind=8)
    yield Case("G29-rows", "reject", file.data, "tensor 't': rows of 8 elements", file.places["t"])
    # A type that is known and cannot be computed with.
    integers = [(name, dims, 26 if name == "output.weight" else kind, offset, body) for name, dims, kind, offset, body in tensors()]
    yield Case("G28-int32", "reject", File(listed=integers).data, "tensor 'output.weight' is I32, which is not supported", None, more=MODEL_ONLY)


def placement():
    """Offsets of two tensors of 32 bytes each."""
    room = bytes(32)
    for name, first, second, bad, words in (
        ("G30-minus-1", -1, 32, "a", "expected 0"), ("G30-overlap", 0, 0, "b", "has offset 0, expected 32"), ("G30-gap", 0, 64, "b", "has offset 64, expected 32"),
        ("G30-descending", 32, 0, "a", "has offset 32, expected 0"), ("G30-first", 32, 64, "a", "has offset 32, expected 0"), ("G31", 0, 33, "b", "expected 32"),
        ("G31-half", 0, 16, "b", "expected 32"), ("G30-wraps", 0, MOST - 31, "b", "expected 32"),
    ):
        file = File(listed=[("a", [8], 0, first, room), ("b", [8], 0, second, room)])
        yield Case(name, "reject", file.data, f"tensor '{bad}'.*{words}", file.places[bad])
    packed = File(changed(("general.alignment", U32, 64)), tensors(1), alignment=64)
    yield Case("G32", "reject", packed.data, "tensor 'blk.0.input_norm.weight'|tensor 'blk.0..*expected", None)
    whole = File()
    # The padding behind the last tensor may be absent, no byte of the tensor.
    last = tensors()[-1]
    end = whole.start + last[3] + len(last[4])
    yield Case("G33-padding", "accept", whole.data[:end])
    yield Case("G33", "reject", whole.data[:end - 1], "tensor 'output.weight'.*cut short", whole.places["output.weight"])
    for share in (0, 1, 10, 50, 99):
        length = whole.start + (end - whole.start) * share // 100
        yield Case(f"G34-{share}", "reject", whole.data[:length], "cut short", None)
    for name, more in (("byte", b"\1"), ("model", whole.data), ("zeros", bytes(4096))):
        yield Case(f"G35-{name}", "accept", whole.data + more, more={"note": f"{len(more)} bytes behind the last tensor are ignored"})
    yield Case("G36", "accept", File(changed(("general.alignment", U32, 128)), alignment=128, padding=b"\xff").data)


def vocabularies():
    for key, kind, values, more in (("tokens", STRING, TOKENS[:7], {}), ("scores", F32, [0] * 7, {}), ("token_type", I32, [1] * 9, {})):
        file = File(changed((f"tokenizer.ggml.{key}", ARRAY, (kind, values))))
        yield Case(f"G37-{key}", "reject", file.data, f"tokenizer.ggml.{key}", None if key == "tokens" else file.places[f"tokenizer.ggml.{key}"], more=more)
    for key in ("scores", "token_type", "tokens"):
        file = File(changed((f"tokenizer.ggml.{key}", U32, 8)))
        yield Case(f"G37-{key}-number", "reject", file.data, f"tokenizer.ggml.{key}", file.places[f"tokenizer.ggml.{key}"] if key != "token_type" else None)
    for key in ("bos", "eos", "unknown"):
        for name, kind, number in (("most", U32, MOST >> 32), ("size", U32, 8), ("minus", I32, -1), ("text", STRING, "1"), ("wide", U64, 1 << 40)):
            file = File(changed((f"tokenizer.ggml.{key}_token_id", kind, number)))
            more = {} if key != "unknown" else MODEL_ONLY
            yield Case(f"G38-{key}-{name}", "reject", file.data, f"tokenizer.ggml.{key}_token_id", file.places[f"tokenizer.ggml.{key}_token_id"], more=more)
    letters = [f"<0x{byte:02X}>" for byte in range(256)]
    for name, pieces in (("minus", ["<0x-1>"]), ("letters", ["<0xZZ>"]), ("three", ["<0x1FF>"]), ("255", letters[:255]), ("twice", letters[:255] + ["<0x00>"]), ("one", ["<0x41>"])):
        yield Case(f"G39-{name}", "reject", pieces_file(pieces), "byte|twice", None, more=VOCABULARY_ONLY)
    yield Case("G39-good", "accept", pieces_file(letters), more=VOCABULARY_ONLY)
    yield Case("G40-empty", "reject", File(changed(("tokenizer.ggml.tokens", ARRAY, (STRING, [])))).data, "tokenizer.ggml.tokens", None)
    yield Case("G40-long", "reject", long_token, "token|piece", None, more={"teacher-score": None})
    file = File(changed(("tokenizer.ggml.model", STRING, "quantum")))
    yield Case("G42-vocabulary", "reject", file.data, "'quantum' is not supported", file.places["tokenizer.ggml.model"], more=VOCABULARY_ONLY)
    file = File(changed(("tokenizer.ggml.model", None, None)))
    yield Case("G42-no-vocabulary", "reject", file.data, "tokenizer.ggml.model", None, more=VOCABULARY_ONLY)
    file = File(changed(("tokenizer.ggml.model", U32, 1)))
    yield Case("G42-vocabulary-number", "reject", file.data, "tokenizer.ggml.model", None, more=VOCABULARY_ONLY)
    template = "{{ ''.__class__.__mro__[1].__subclasses__() }}{% for x in range(10**9) %}{{ cycler.__init__.__globals__.os.system('touch out') }}{% endfor %}"
    yield Case("G43", "accept", File(changed(("tokenizer.chat_template", STRING, template))).data)


def pieces_file(pieces):
    """The tiny vocabulary with byte tokens behind its own, and no model."""
    count = len(pieces)
    return File(changed(
        ("tokenizer.ggml.tokens", ARRAY, (STRING, TOKENS + pieces)), ("tokenizer.ggml.scores", ARRAY, (F32, [0, 0, 0, -3, -4, -1, -5, -2] + [0] * count)),
        ("tokenizer.ggml.token_type", ARRAY, (I32, [2, 3, 3, 1, 1, 1, 1, 1] + [6] * count)),
    ), []).data


def long_token(path):
    """A token of 2 GiB and a bit, all of it a hole; the data behind it stays aligned."""
    file = File()
    at = file.data.index(string("ab"))
    length = (1 << 31) + 2
    with open(path, "wb") as out:
        out.write(file.data[:at] + struct.pack("<Q", length))
        out.seek(length, os.SEEK_CUR)
        out.write(file.data[at + 10:])


def configurations():
    for name, key, kind, content, words in (
        ("blocks", "llama.block_count", U32, 1 << 31, ""), ("blocks-0", "llama.block_count", U32, 0, ""), ("blocks-text", "llama.block_count", STRING, "1", ""),
        ("heads-0", "llama.attention.head_count", U32, 0, ""), ("heads-array", "llama.attention.head_count", ARRAY, (U32, [1]), ""),
        ("width", "llama.embedding_length", U32, 0, ""), ("rope", "llama.rope.dimension_count", U32, 8, ""), ("rope-less", "llama.rope.dimension_count", U32, 2, ""),
        ("eps-nan", "llama.attention.layer_norm_rms_epsilon", F32, math.nan, ""), ("eps-0", "llama.attention.layer_norm_rms_epsilon", F32, 0, ""),
        ("eps-minus", "llama.attention.layer_norm_rms_epsilon", F32, -1, ""), ("eps-inf", "llama.attention.layer_norm_rms_epsilon", F32, math.inf, ""),
        ("vocabulary", "llama.vocab_size", U32, 9, ""), ("context", "llama.context_length", U32, 0, ""), ("theta", "llama.rope.freq_base", F32, math.inf, ""),
        ("experts", "llama.expert_count", U32, 8, ""), ("new", "llama.new_feature", U32, 1, ""),
    ):
        file = File(changed((key, kind, content)))
        yield Case(f"G41-{name}", "reject", file.data, f"key '{key}' {words}", file.places[key], more=MODEL_ONLY)
    file = File(changed(("llama.embedding_length", U32, 5), ("llama.attention.head_count", U32, 2), ("llama.rope.dimension_count", None, None)))
    yield Case("G41-width-heads", "reject", file.data, "llama.embedding_length.*llama.attention.head_count", file.places["llama.embedding_length"], more=MODEL_ONLY)
    file = File(changed(("llama.attention.head_count_kv", U32, 3)))
    yield Case("G41-kv", "reject", file.data, "head_count_kv", file.places["llama.attention.head_count_kv"], more=MODEL_ONLY)
    file = File(changed(("llama.block_count", U32, 1 << 30)))
    yield Case("G41-blocks-many", "reject", file.data, "layers", None, more=MODEL_ONLY)
    for key in ("llama.block_count", "llama.attention.head_count", "llama.embedding_length", "llama.context_length", "llama.feed_forward_length", "llama.attention.layer_norm_rms_epsilon", "general.architecture"):
        number = "G42-missing" if key == "general.architecture" else f"G41-no-{key}"
        yield Case(number, "reject", File(changed((key, None, None))).data, f"key '{key}' is missing", None, more=MODEL_ONLY)
    for name, kind, content in (("unknown", STRING, "quantum"), ("number", U32, 1), ("bytes", STRING, b"llama\xff"), ("long", STRING, b"l" * 100_000)):
        file = File(changed(("general.architecture", kind, content)))
        yield Case(f"G42-{name}", "reject", file.data, "key 'general.architecture'", file.places["general.architecture"], more=MODEL_ONLY)


def wholes():
    for count in (3, 2, 65535):
        file = File(changed(("split.count", U16, count)))
        yield Case(f"G44-split-{count}", "reject", file.data, f"one of {count} parts", file.places["split.count"])
    yield Case("G44-split-1", "accept", File(changed(("split.count", U16, 1))).data)
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
    yield Case("G44-lfs", "reject", pointer, "", None)
    whole = File()
    for length in range(24, whole.metadata, 41 if gate.QUICK else 1):
        yield Case(f"G44-cut-{length}", "reject", whole.data[:length], r"byte \d+", None)


# Running

def try_case(case, _=None):
    """Why the tools do not do with a case what they must, or None."""
    file = case.write(case.file or "m.gguf")
    more = case.more or {}
    size = file.stat().st_size
    model = more.get("teacher-score", case.must)
    # A place and words are of the case's own verdict; another tool may refuse for a reason of its own.
    pattern, at = (case.pattern, case.at) if model == case.must else ("", None)
    why, thorough = None, model_folders.is_thorough(case)
    if model:
        why = model_folders.score(file, model, file, pattern, at, size, twice=thorough)
        if thorough and model == "reject":
            why = why or model_folders.train(file, model, file, pattern, at, size)
    why = why or vocabulary(more.get("tokenize", case.must), file, case, size)
    if "note" in more:
        why = why or note(file, more["note"])
    if thorough:
        why = why or model_folders.pipe(file)
    file.unlink()
    return why


base = None


def vocabulary(must, file, case, size, numbers=True):
    """Runs `tokenize --tokenizer file`."""
    global base
    command = ["tokenize", "--no-provenance", "--format", "ndjson", "--threads", "1", "--tokenizer"]
    if base is None:
        pathlib.Path("good.gguf").write_bytes(File().data)
        base = gate.run([*command, "good.gguf"], stdin=CORPUS.encode()).held
    outcome = gate.run([*command, file], stdin=CORPUS.encode())
    pattern, at = (case.pattern, case.at) if case and must == case.must else ("", None)
    why = gate.judge(outcome, must, "tokenize", file, pattern, at, size, base)
    if not why and outcome.status == 65:
        why = f"{len(outcome.out)} bytes on standard output beside a refusal" if outcome.out else model_folders.leftovers()
    if not why and outcome.status == 0 and numbers:
        ids = json.loads(outcome.out.decode().splitlines()[-1])["input_ids"]
        why = None if ids == IDS else f"ids {ids}, expected {IDS}"
    return why


def note(file, words):
    """What `teacher-score --verbose` has to say of a file that it accepts."""
    outcome = gate.run(["teacher-score", "--verbose", "--model", file, "tokens.ndjson"])
    return None if words in outcome.message else f"expected '{words}' in: {outcome.message}"


def try_file(path):
    """Why a file, whatever is in it, does more than end with 0 or 65 as a model and as a vocabulary, or None."""
    file = pathlib.Path(path)
    size = file.stat().st_size
    return model_folders.score(file, "either", file, "", None, size, numbers=False) or vocabulary("either", file, None, size, numbers=False)


def seeds():
    yield "model-f32.gguf", File().data
    yield "model-f16.gguf", File(version=2, listed=tensors(kind="F16")).data
    yield "pieces.gguf", pieces_file([f"<0x{byte:02X}>" for byte in range(256)])
    for name in ("gguf-gpt-2", "gguf-bert", "gguf-t5"):
        yield f"{name}.gguf", (gate.FIXTURES / "text" / "shapes" / f"{name}.gguf").read_bytes()
