"""Files damaged at random: one engine for every format. What it makes depends on the random numbers it is given alone."""
import json
import re
import struct

import tensor_stream

NUMBERS = [0, 1, 2, 255, 256, 0x7FFF, 0xFFFF, 0x10FFFF, 0x110000, (1 << 31) - 1, 1 << 31, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1]
DEEP = "[" * 900 + "]" * 900


def mutant(name, data, rng):
    """A damaged copy of a file; its name says what it is."""
    for ending, ways in WAYS.items():
        if name.endswith(ending):
            return rng.choice(ways)(data, rng)
    raise ValueError(f"no way to damage {name}")


# Bytes

def flip(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 4, 16])):
        at = rng.randrange(len(data))
        data[at] = rng.choice([rng.randrange(256), data[at] ^ 1 << rng.randrange(8), (data[at] + 1) % 256, (data[at] - 1) % 256, 0, 255])
    return bytes(data)


def cut(data, rng):
    return data[: rng.randrange(len(data))]


def splice(data, rng):
    start, length, to = rng.randrange(len(data)), rng.choice([1, 4, 8, 100, 1000]), rng.randrange(len(data))
    part, rest = data[start : start + length], data[:start] + data[start + length :]
    return rng.choice([rest, data[:to] + part + data[to:], rest[:to] + part + rest[to:], data[:to] + part + data[to + len(part) :]])


# Numbers

def number(data, rng):
    """A fixed-size number, GGUF's, with another value."""
    size, at = rng.choice([4, 8]), rng.randrange(max(1, len(data) - 8))
    if rng.random() < 0.7:
        # Just behind a key, where types and counts are; or in the header.
        keys = [found.end() for found in re.finditer(rb"(tokenizer|general|blk|llama|token_embd|output)[a-z0-9_.]+", data)] + [4, 8, 16]
        at = max(0, min(rng.choice(keys) + rng.choice([0, 4, 8, 12, 16]), len(data) - size))
    value = rng.choice(NUMBERS + [len(data), len(data) * 2, int.from_bytes(data[at : at + size], "little") + rng.choice([-1, 1])])
    return data[:at] + (value % (1 << 8 * size)).to_bytes(size, "little") + data[at + size :]


def varint(data, rng):
    """A number of variable size, protobuf's, with another value."""
    at = rng.randrange(len(data))
    value, code = rng.choice(NUMBERS + [len(data)]), bytearray()
    while value > 127:
        code.append(value & 127 | 128)
        value >>= 7
    code.append(value)
    end = at
    while end + 1 < len(data) and data[end] & 128 and end - at < 9:
        end += 1
    return data[:at] + bytes(code) + data[end + 1 :]


def digits(data, rng):
    """A number in digits with another value."""
    found = list(re.finditer(rb"-?[0-9]+", data))
    if not found:
        return flip(data, rng)
    place = rng.choice(found)
    value = rng.choice(NUMBERS + [-1, -(1 << 63), int(place[0][:18]) + rng.choice([-1, 1])])
    return data[: place.start()] + rng.choice([str(value), "1e400", "1.5", "-0", "007", str(value) + "0" * 30]).encode() + data[place.end() :]


# JSON

def places(value, found, parent=None, key=None):
    if parent is not None:
        found.append((parent, key))
    for inner in value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []:
        places(value[inner], found, value, inner)
    return found


def changed(root, rng):
    """Values of JSON changed, swapped, taken away and nested."""
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        found = places(root, [])
        if not found:
            break
        # Small parts as often as the many entries of a vocabulary.
        rare = [place for place in found if not isinstance(place[1], int) and len(place[0]) < 20]
        parent, key = rng.choice(rare if rare and rng.random() < 0.6 else found)
        other, inner = rng.choice(found)
        choices = [None, True, False, -1, 0.5, 1e308, "", "a", "\u2581", "\0", "\ud800", [], {}, [[]], {"type": "Sequence"},
                   json.loads(rng.choice(["[[[[]]]]", DEEP])),
                   json.loads(json.dumps(other[inner]))]
        kind = rng.randrange(4)
        if kind == 0:
            del parent[key]
        elif kind == 1 and isinstance(parent, dict):
            parent[rng.choice(["", "\u2581", "type", str(rng.randrange(99))])] = parent.pop(key)
        elif isinstance(parent[key], int) and rng.random() < 0.5:
            parent[key] = rng.choice(NUMBERS + [-1, parent[key] + 1, parent[key] - 1])
        else:
            parent[key] = rng.choice(choices)
    return root


def written(value, rng):
    return json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def tree(data, rng):
    return written(changed(json.loads(data), rng), rng)


def lines(data, rng):
    """Lines of NDJSON changed, dropped, doubled, joined and mixed."""
    found = data.splitlines(keepends=True)
    at, to = rng.randrange(len(found)), rng.randrange(len(found))
    kind = rng.randrange(6)
    if kind == 0:
        del found[at]
    elif kind == 1:
        found.insert(to, found[at])
    elif kind == 2:
        found[at] = found[at].rstrip(b"\n")
    else:
        found[at] = tree(found[at], rng) + b"\n"
    return b"".join(found)


# Safetensors and records of them

def header(data, rng):
    """The JSON in front of the tensors, its length as it then is, or nearly."""
    length, = struct.unpack_from("<Q", data)
    text = rng.choice([tree, tree, digits, flip])(data[8 : 8 + length], rng)
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", max(0, len(text) + rng.choice([0, 0, 0, 0, 0, 0, -1, 1, 8]))) + text + data[8 + length :]


def record(data, rng):
    """One record of a stream changed, dropped, doubled or moved, with sums that fit: what is wrong lies deeper."""
    records = tensor_stream.parse(data)
    at, to = rng.randrange(len(records)), rng.randrange(len(records))
    kind = rng.randrange(8)
    if kind == 0:
        del records[at]
    elif kind == 1:
        records.insert(to, records[at])
    elif kind == 2:
        records[at], records[to] = records[to], records[at]
    elif kind < 5 and records[at].data:
        records[at].data = flip(records[at].data, rng)
    else:
        records[at].header = changed(records[at].header, rng)
        if not isinstance(records[at].header.get("__metadata__"), dict):
            return tensor_stream.join(records)
    return tensor_stream.sealed(records)


WAYS = {
    ".json": [flip, cut, splice, digits, tree, tree, tree, tree],
    ".tiktoken": [flip, flip, cut, splice, digits, digits],
    ".gguf": [flip, flip, cut, splice, number, number],
    ".model": [flip, flip, cut, splice, varint, varint],
    ".safetensors": [flip, cut, splice, header, header, header, header],
    ".ndjson": [flip, cut, splice, digits, lines, lines, lines],
    ".tokens": [flip, cut, splice, header, record, record, record, record],
}
WAYS[".scores"] = WAYS[".aligned"] = WAYS[".tokens"]
