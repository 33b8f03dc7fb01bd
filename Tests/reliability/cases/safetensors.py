"""Broken safetensors files, S01-S46, as the weights of a model folder that `teacher-score` and `train` open.

A file that must be accepted has to give the scores that its weights have (`tiny_model`). The folder around the weights, and files that
change or are none, are in `model_folders`.
"""
import gzip
import io
import itertools
import json
import math
import pathlib
import pickle
import struct
import sys
import zipfile

import gate
from cases import Case, model_folders, tiny_model

SIZES = {"F32": 4, "F16": 2, "BF16": 2, "I32": 4, "U8": 1}
# What no Llama needs and none refuses, whatever its type and shape: a place for tensors of any kind beside those of the model.
SPARE = ".rotary_emb.inv_freq"


# Files from parts

def document(text, data=b"", length=None):
    """A file from the text of its header and its data."""
    header = text if isinstance(text, bytes) else text.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entry(name, kind, shape, begin, end):
    return f'{json.dumps(name, ensure_ascii=False)}:{{"dtype":"{kind}","shape":{json.dumps(list(shape))},"data_offsets":[{begin},{end}]}}'


def tensors(kind="F32", more=()):
    """The tensors of the tiny model and `more`, each (name, type, shape, bytes)."""
    return [(name, kind, shape, tiny_model.floats(values, kind)) for name, _, shape, values in tiny_model.weights()] + list(more)


def header(listed, first=""):
    """The header's text and the data."""
    parts, data = ([first] if first else []), b""
    for name, kind, shape, body in listed:
        parts.append(entry(name, kind, shape, len(data), len(data) + len(body)))
        data += body
    return "{" + ",".join(parts) + "}", data


def model(kind="F32", more=(), first="", pad=None):
    """A whole model; its data begins at a multiple of 8, or `pad` spaces behind the header."""
    text, data = header(tensors(kind, more), first)
    return document(text + " " * (-len(text) % 8 if pad is None else pad), data)


NORM = "model.norm.weight"
TEXT, DATA = header(tensors())


def norm(**fields):
    """The tiny model with the entry of its last norm written otherwise, and the byte at which that entry stands.

    `fields`: dtype, shape, data_offsets as they are in JSON, None to leave one out; more: what follows them.
    """
    old = next(part for part in split_entries(TEXT) if part.startswith(f'"{NORM}"'))
    good = json.loads("{" + old + "}")[NORM]
    more = fields.pop("more", "")
    parts = {key: fields.get(key, json.dumps(value)) for key, value in good.items()}
    new = f'"{NORM}":{{' + ",".join(f'"{key}":{value}' for key, value in parts.items() if value is not None) + more + "}"
    return document(TEXT.replace(old, new), DATA), 8 + TEXT.index(f'"{NORM}"')


def split_entries(text):
    """The entries of a header's text."""
    return text[1:-1].replace('},"', '}\n"').split("\n")


def two(first, second, data=8, length=None):
    """A file of two U8 tensors at these ranges, and the byte of the second one's entry."""
    a = entry("a", "U8", [first[1] - first[0]], *first)
    b = entry("b", "U8", [second[1] - second[0]], *second)
    return document("{" + a + "," + b + "}", bytes(data), length), 8 + 1 + len(a) + 1


# Cases

def cases():
    return itertools.chain(lengths(), texts(), entries(), shapes(), ranges(), extremes(), other_files(), cuts(), model_folders.cases())


def lengths():
    whole = model()
    yield Case("S01-empty", "reject", b"", "0 bytes", 0)
    for count in range(1, 8):
        yield Case(f"S02-{count}", "reject", whole[:count], f"{count} bytes", 0)
    yield Case("S03", "reject", document(TEXT, DATA, 0), "length is 0", 0)
    yield Case("S04", "reject", document(TEXT, DATA, len(whole) - 7), f"length is {len(whole) - 7}", 0)
    for name, length in (("63", 1 << 63), ("64", (1 << 64) - 1), ("wraps", (1 << 64) - 8)):
        yield Case(f"S05-{name}", "reject", document(TEXT, DATA, length), f"length is {length}, more than", 0)

    def sparse(path):
        with open(path, "wb") as out:
            out.write(struct.pack("<Q", 100_000_001) + b"{")
            out.truncate(100_000_009)

    yield Case("S06", "reject", sparse, "length is 100000001, more than 100000000", 0)
    yield Case("S07", "reject", document(TEXT, DATA, len(TEXT) // 2), "not valid JSON", 8 + len(TEXT) // 2)


def texts():
    yield Case("S08", "reject", document("  " + TEXT, DATA), "expected '{'", 0)
    yield Case("S09", "accept", document(TEXT + " \t\n\r", DATA))
    yield Case("S10", "reject", document(TEXT + "\0" * 8, DATA), "zero byte", 8 + len(TEXT))
    place = TEXT.index(NORM) + 3
    for name, bad in (("S11", b"\xff"), ("S12-overlong", b"\xc0\x80"), ("S12-surrogate", b"\xed\xa0\x80"), ("S12-beyond", b"\xf4\x90\x80\x80")):
        yield Case(name, "reject", document(TEXT[:place].encode() + bad + TEXT[place:].encode(), DATA), "decode", 8 + place)
    yield Case("S13", "reject", document("\ufeff" + TEXT, DATA), "expected '{'", 0)
    yield Case("S14-little", "reject", document(TEXT.encode("utf-16-le"), DATA), "zero byte", 8 + 1)
    yield Case("S14-big", "reject", document(TEXT.encode("utf-16-be"), DATA), "expected '{'", 0)
    for text in ("[]", "1", "null", '"a"', "true"):
        yield Case(f"S15-{text}", "reject", document(text, DATA), "expected '{'", 0)
    for name, text in (("comma", TEXT[:-1] + ",}"), ("twice", TEXT + "{}"), ("single", TEXT.replace('"', "'")), ("nan", TEXT.replace("[4]", "[NaN]", 1)), ("comment", TEXT[:-1] + "/**/}")):
        yield Case(f"S15-{name}", "reject", document(text, DATA), "not valid JSON")
    twice = TEXT[:-1] + "," + next(part for part in split_entries(TEXT) if NORM in part) + "}"
    yield Case("S16", "reject", document(twice, DATA), f"duplicate object key.*{NORM}", 8 + twice.rindex(NORM) + len(NORM) + 1)
    data, _ = norm(more=',"dtype":"F32"')
    yield Case("S17", "reject", data, "duplicate object key.*dtype", data.rindex(b'"dtype":"F32"}') + len('"dtype"'))
    twins = [(letter + SPARE, "U8", [1], b"\1") for letter in ("\u00e9", "e\u0301")]
    yield Case("S18", "accept", model(more=twins))
    for name, odd in (("newline", "a\nb"), ("escape", "\x1b[2J"), ("upwards", "../../x"), ("absolute", "/etc/x"), ("empty", "")):
        yield Case(f"S19-{name}", "accept", model(more=[(odd + SPARE, "U8", [1], b"\1")]))
    shown = model(more=[("../\x1b[31m\n", "U8", [1], b"\1")])
    yield Case("S19-shown", "reject", shown, r"'\.\./\\x1b\[31m\\x0a' does not belong", len(shown) - 1)
    # Jansson holds no key with NUL; such a name is refused rather than cut short.
    yield Case("S19-nul", "reject", model(more=[("a\0b", "U8", [1], b"\1")]), "NUL")


def entries():
    for name, kind in (("unknown", '"F31"'), ("lower", '"f32"'), ("number", "32"), ("null", "null"), ("array", '["F32"]'), ("f4", '"F4"')):
        yield Case(f"S20-{name}", "reject", *named(norm(dtype=kind), kind.strip('"') if kind[0] == '"' else "dtype"))
    for field in ("shape", "dtype", "data_offsets"):
        yield Case(f"S21-{field}", "reject", *named(norm(**{field: None}), f"'{field}' must be"))
    yield Case("S21-no-object", "reject", *named(model_with_entry("3"), "must be an object"))
    yield Case("S21-unknown-field", "reject", *named(norm(more=',"size":4'), "unknown field 'size'"))
    # Two names of one field's place: only exact ones count.
    yield Case("S21-case", "reject", *named(norm(more=',"Shape":[4]'), "unknown field 'Shape'"))


def model_with_entry(value):
    """The tiny model with another value under the name of its last norm, and the byte of that entry."""
    old = next(part for part in split_entries(TEXT) if part.startswith(f'"{NORM}"'))
    return document(TEXT.replace(old, f'"{NORM}":{value}'), DATA), 8 + TEXT.index(f'"{NORM}"')


def named(pair, pattern, name=NORM):
    """A file and its place as what a case takes, the tensor's name in front of the pattern."""
    data, at = pair
    return data, f"tensor '{name}'.*{pattern}", at


def shapes():
    for dim in ("-1", "2.0", "1e3", '"2"', "null", "true", "[4]"):
        yield Case(f"S22-{dim}", "reject", *named(norm(shape=f"[{dim}]"), "integers from 0"))
    for power in (63, 64):
        data, at = norm(shape=f"[{1 << power}]")
        yield Case(f"S23-{power}", "reject", data, "too big", data.index(b"%d" % (1 << power)) + len(str(1 << power)))
    data, _ = norm(shape=f"[2,{(1 << 64) - 2}]")
    yield Case("S24", "reject", data, "too big", data.index(b"18446744073709551614") + 20)
    yield Case("S24-63", "reject", *named(norm(dtype='"U8"', shape=f"[3,{(1 << 63) - 1}]"), "overflows"))
    yield Case("S25", "reject", *named(norm(dtype='"I32"', shape=f"[2,{(1 << 63) - 1}]"), "overflows"))
    yield Case("S26", "reject", *named(norm(shape=f"[{1 << 62},{1 << 62},0]", data_offsets="[0,0]"), "overflows"))
    data, _ = norm(shape=f"[{1 << 63},{1 << 63},0]", data_offsets="[0,0]")
    yield Case("S26-63", "reject", data, "too big")
    yield Case("S27", "accept", model(more=[("a" + SPARE, "F32", [2, 0], b"")]))
    yield Case("S28", "accept", model(more=[("a" + SPARE, "F32", [], bytes(4))]))
    ones = "[" + "1," * 99_999 + "1]"
    yield Case("S29", "reject", *named(norm(shape=ones), "100000 dimensions, more than 64"))
    yield Case("S29-64", "accept", model(more=[("a" + SPARE, "U8", [1] * 64, b"\1")]))
    yield Case("S29-65", "reject", *named(norm(shape="[" + "1," * 64 + "1]"), "65 dimensions"))


def ranges():
    norm_begin = json.loads(TEXT)[NORM]["data_offsets"][0]
    yield Case("S30", "reject", *named(norm(shape="[3]"), "takes 12 bytes.*span 16"))
    yield Case("S30-more", "reject", *named(norm(shape="[5]"), "takes 20 bytes.*span 16"))
    yield Case("S31", "reject", *named(norm(data_offsets=f"[{norm_begin + 16},{norm_begin}]"), "begin <= end"))
    for count, offsets in ((0, "[]"), (1, f"[{norm_begin}]"), (3, f"[{norm_begin},{norm_begin},{norm_begin + 16}]")):
        yield Case(f"S32-{count}", "reject", *named(norm(data_offsets=offsets), r"begin, end"))
    yield Case("S32-number", "reject", *named(norm(data_offsets="16"), "array of integers"))
    yield Case("S32-huge", "reject", *named(norm(data_offsets=f"[{(1 << 63) - 17},{(1 << 63) - 1}]"), "begin, end"))
    data, at = two((0, 5), (3, 8))
    yield Case("S33", "reject", data, "tensor 'b' overlaps", at)
    data, at = two((0, 8), (2, 6))
    yield Case("S33-inside", "reject", data, "tensor 'b' overlaps", at)
    ten = [entry(f"t{number}", "U8", [8], 0, 8) for number in range(10)]
    yield Case("S33-ten", "reject", document("{" + ",".join(ten) + "}", bytes(8)), "overlaps", None)
    data, at = two((0, 3), (4, 8))
    yield Case("S34", "reject", data, "tensor 'b' starts at data byte 4, expected 3: a gap", at)
    yield Case("S35", "reject", document("{" + entry("a", "U8", [4], 4, 8) + "}", bytes(8)), "tensor 'a' starts at data byte 4, expected 0", 8 + 1)
    whole = model()
    yield Case("S36-end", "reject", document("{" + entry("a", "U8", [8], 0, 8) + "}", bytes(4)), "take 8 bytes, but 4 follow", 8 + 2 + len(entry("a", "U8", [8], 0, 8)) + 4)
    yield Case("S36-byte", "reject", whole[:-1], f"take {len(DATA)} bytes, but {len(DATA) - 1} follow", len(whole) - 1)
    yield Case("S36-no-data", "reject", whole[:-len(DATA)], f"take {len(DATA)} bytes, but 0 follow", len(whole) - len(DATA))
    yield Case("S37", "reject", whole + b"\0", f"take {len(DATA)} bytes, but {len(DATA) + 1} follow", len(whole))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("data.pkl", pickle.dumps([1]))
    yield Case("S37-zip", "reject", whole + archive.getvalue(), "follow the header", len(whole))
    yield Case("S38", "reject", *named(norm(dtype='"F4"', shape="[3]"), "unknown type 'F4'"))


def extremes():
    for name, value in (("number", '{"a":1}'), ("object", '{"a":{}}'), ("array", "[]"), ("text", '"pt"')):
        yield Case(f"S39-{name}", "reject", model(first=f'"__metadata__":{value}'), "__metadata__", 8 + 1)
    yield Case("S39-null", "accept", model(first='"__metadata__":null'))
    yield Case("S39-good", "accept", model(first='"__metadata__":{"format":"pt","\u00e9\\n":""}'))
    for name, opening in (("arrays", "["), ("objects", '{"a":')):
        text = '{"t":' + opening * 100_000
        yield Case(f"S40-{name}", "reject", document(text), "depth", None)
        yield Case(f"S40-{name}-closed", "reject", document(text + {"[": "]"}.get(opening, "}") * 100_000 + "}"), "depth|duplicate|JSON", None)
    for pad in range(1, 8):
        yield Case(f"S42-{pad}", "accept", document(TEXT + " " * (-len(TEXT) % 8 + pad), DATA))
    for kind in ("F16", "BF16"):
        yield Case(f"S42-{kind}", "accept", model(kind, pad=1 - len(TEXT) % 2))
    shuffled = list(reversed(tensors()))
    yield Case("S42-order", "accept", document(*header(shuffled)))
    count = 20_000 if gate.QUICK else 3_000_000

    def many(path):
        """As many tensors as fit 100 MB, none of which takes a byte."""
        with open(path, "wb") as out:
            out.write(bytes(8) + b"{")
            for number in range(count):
                out.write(b'%s"%x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}' % (b"," if number else b"", number))
                if out.tell() > 99_999_900:
                    break
            out.write(b"}")
            size = out.tell() - 8
            out.seek(0)
            out.write(struct.pack("<Q", size))

    yield Case("S41", "reject", many, "more than 262144 objects|does not belong|missing", None)


def other_files():
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("archive/data.pkl", pickle.dumps({"a": 1}))
    for name, data, words in (
        ("lfs", pointer, "Git LFS pointer"), ("html", "<!DOCTYPE html>\n<html><body>404</body></html>", "HTML page"),
        ("zip", archive.getvalue(), "zip archive"), ("pickle", pickle.dumps({"a": 1}, protocol=2), "pickle"),
        ("gzip", gzip.compress(model()), "gzip"), ("gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(40), "GGUF"),
        ("zeros", bytes(4096), "zero bytes"), ("json", json.dumps(tiny_model.CONFIG), "JSON"), ("hdf5", b"\x89HDF\r\n\x1a\n" + bytes(64), "HDF5"),
    ):
        yield Case(f"S43-{name}", "reject", data, f"this is .*{words}", 0)


def cuts():
    """A file of three tensors, cut at every byte."""
    whole = document(*header([("a", "F32", [2], bytes(8)), ("b", "U8", [3], bytes(3)), ("c", "F16", [1, 2], bytes(4))]))
    start = len(whole) - 15
    for length in range(0, len(whole), 7 if gate.QUICK else 1):
        place = length if length >= start else 0
        yield Case(f"S45-{length}", "reject", whole[:length], "not a whole safetensors file|not a safetensors file" if length < start else f"but {length - start} follow", place)


# Running

def try_case(case, _=None):
    """Why the tools do not do with a case what they must, or None."""
    if isinstance(case.more, model_folders.Trial):
        return case.more.run(case)
    folder = model_folders.make("m")
    file = case.write(folder / "model.safetensors")
    expected = (folder, case.must, file, case.pattern, case.at, file.stat().st_size)
    thorough = model_folders.is_thorough(case)
    why = model_folders.score(*expected, twice=thorough)
    if thorough and case.must == "reject":
        why = why or model_folders.train(*expected)
    if thorough:
        why = why or model_folders.pipe(file)
    model_folders.remove(folder)
    return why


def try_file(path):
    """Why a file, whatever is in it, does more than end with 0 or 65 as the weights of a model, or None."""
    path = pathlib.Path(path)
    folder = model_folders.make("f")
    file = folder / "model.safetensors"
    file.write_bytes(path.read_bytes())
    why = model_folders.score(folder, "either", file, "", None, file.stat().st_size, numbers=False)
    model_folders.remove(folder)
    # Weights that hold NaN are whole: the model is named, not one of its files.
    return None if why and f"teacher-score: {folder}: gives no finite score" in why else why


def seeds():
    yield "model-f32.safetensors", model()
    yield "model-bf16.safetensors", model("BF16")
    yield "model-metadata.safetensors", model("F16", first='"__metadata__":{"format":"pt"}')
    yield "three.safetensors", document(*header([("a", "F32", [2], bytes(8)), ("b", "U8", [3], bytes(3)), ("c", "F16", [1, 2], bytes(4))]))
