"""SentencePiece's .model: P01-P20."""
import json
import struct

import gate as gates
from cases import Case, _vocabulary
from cases._vocabulary import try_file  # noqa: F401: of this module too

FILE = "tokenizer.model"

def varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def integer(number, value):
    return varint(number << 3) + varint(value)


def piece(text, score=-1.0, kind=None):
    text = text if isinstance(text, bytes) else text.encode()
    data = field(1, text)
    if score is not None:
        data += varint(2 << 3 | 5) + struct.pack("<f", score)
    return field(1, data + (integer(3, kind) if kind else b""))


def huge_piece(megabytes):
    """A model with one huge piece, in parts, so that this process stays small."""
    count = megabytes << 20
    text = varint(1 << 3 | 2) + varint(count)
    return [varint(1 << 3 | 2) + varint(len(text) + count) + text, *[b"a" * (1 << 20)] * megabytes, model()]


def model(more=b"", trainer=b"", normalizer=b"", unknown=True):
    first = piece("<unk>", 0.0, 2) if unknown else b""
    return first + piece("<s>", kind=3) + piece("</s>", kind=3) + piece("\u2581") + piece("a") + piece("\u2581a") + more + field(2, integer(3, 2) + trainer) + field(3, integer(4, 0) + normalizer)


def charsmap(name):
    """A map with one rule, A -> a, and what the case breaks in it."""
    text = b"a\0"
    # Root, then the unit of 'A' (0x41) and its value: as Darts lays out a double array.
    units = [0] * 256
    units[0] = 1 << 10 & 0xFFFFFFFF
    trie = struct.pack("<256I", *units)
    blob = struct.pack("<I", len(trie)) + trie + text
    broken = {
        "four-bytes": blob[:4], "size-minus-3": struct.pack("<I", len(blob) - 3) + blob[4:], "size-minus-1": struct.pack("<I", len(blob) - 1) + blob[4:],
        "size-huge": struct.pack("<I", 0xFFFFFFFF) + blob[4:], "size-odd": struct.pack("<I", len(trie) - 2) + blob[4:],
        "root-leaf": struct.pack("<II", len(trie), 0xFFFFFFFF) + blob[8:], "no-final-nul": struct.pack("<I", len(trie)) + trie + b"a",
    }
    return broken[name]


def cases():
    yield Case("P01", "reject", b"", "empty")
    end = len(model())
    yield Case("P02-eleven", "reject", model() + b"\x0a" + b"\x80" * 11, "", end + 1)
    yield Case("P02-cut", "reject", model() + b"\x0a\x80", "", end + 2)
    yield Case("P03-past-end", "reject", model() + varint(1 << 3 | 2) + varint(1 << 40), "", end)
    yield Case("P03-wraps", "reject", model() + varint(1 << 3 | 2) + varint(1 << 63), "", end)
    for kind in (3, 4, 6, 7):
        yield Case(f"P04-type-{kind}", "reject", model() + bytes([5 << 3 | kind]), "wire type", end)
    yield Case("P04-field-0", "reject", model() + b"\x02\x00", "field number", end)
    yield Case("P05", "reject", model() + integer(1, 5), "piece")
    yield Case("P06", "accept", model() + field(99, b"abc") + integer(77, 5), "")
    nested = b""
    for _ in range(20_000):
        nested = field(9, nested)
    yield Case("P07", "either", model() + nested, "")
    yield Case("P08-none", "reject", field(2, integer(3, 2)) + field(3, integer(4, 0)), "piece|not a vocabulary")
    yield Case("P08-empty", "reject", model(piece("")), "empty")
    yield Case("P08-twice", "reject", model(piece("a")), "twice")
    yield Case("P09-none", "reject", model(unknown=False), "unknown")
    yield Case("P09-two", "reject", model(piece("<u>", kind=2)), "unknown")
    yield Case("P10-no-fallback", "reject", model(piece("<0x41>", kind=6)), "byte")
    yield Case("P10-bad", "reject", model(piece("<0xZZ>", kind=6), trainer=integer(35, 1)), "byte")
    yield Case("P10-255", "reject", model(b"".join(piece(f"<0x{byte:02X}>", kind=6) for byte in range(255)), trainer=integer(35, 1)), "byte")
    yield Case("P11", "accept", model(piece(b"a\0b")), "")
    yield Case("P12-1-MB", "reject", model(piece("a" * (1 << 20))), "more than 1024")
    yield Case("P12-100-MB", "reject", huge_piece(100), "byte 5: piece 0 has .* more than 1024")
    yield Case("P13", "reject", model(piece(b"a\xff")), "UTF-8")
    for name in ("four-bytes", "size-minus-3", "size-minus-1", "size-huge", "size-odd", "root-leaf", "no-final-nul"):
        yield Case(f"P14-{name}", "reject", model(normalizer=field(2, charsmap(name))), "precompiled_charsmap")
    for name, score in (("nan", float("nan")), ("inf", float("inf")), ("minus-inf", float("-inf"))):
        yield Case(f"P15-{name}", "reject", model(piece("b", score)), "score")
    yield Case("P15-missing", "accept", model(piece("b", None)), "")
    for kind in (0, 9):
        yield Case(f"P16-{kind}", "reject", model(trainer=integer(3, kind)), "model_type")
    yield Case("P17-size", "accept", model(trainer=integer(4, 32000)), "")
    yield Case("P17-unk", "reject", model(trainer=integer(40, 6)), "unk_id")
    yield Case("P19", "reject", model() + model(), "twice")
    for at in (6, -1, 1 << 31, 1 << 32):
        records = json.dumps({"id": "0", "input_ids": [4, at], "offsets": [[0, 1], [1, 2]]}) + "\n"
        yield Case(f"P18-{at}", "reject", model(), f"{at}.*outside the vocabulary" if 0 < at < 1 << 32 else "input_ids", more=records)
    yield Case("P20", "either", more_than_2_gib)


def more_than_2_gib(path):
    """All but the first bytes a hole."""
    with open(path, "wb") as out:
        out.write(model())
        out.truncate((2 << 30) + 1)


def seeds():
    for name in ("branches/symbols.model", "shapes/spm-bpe-rules-bytes.model", "shapes/spm-unigram-rules-strips.model",
                 "shapes/spm-unigram-symbols.model"):
        yield name.rpartition("/")[2], (gates.FIXTURES / "text" / name).read_bytes()


def try_case(case, gate):
    return (_vocabulary.try_ids if case.more else _vocabulary.try_vocabulary)(case, case.file or FILE)
