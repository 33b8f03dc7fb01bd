"""Malformed vocabularies, each through `tokenize`: T01-T20 tokenizer.json, P01-P20 SentencePiece, K01-K12 ranks of tiktoken.

    malformed.py FOLDER       prints "pass NAME" or "fail NAME: why" for each

What is refused ends with 65 and one message that names the file and the place. Every run stays below a second of processor time and
64 MiB over the bytes of its files and what a good vocabulary takes, and ends by itself.
"""
import base64
import itertools
import json
import os
import pathlib
import random
import re
import resource
import struct
import subprocess
import sys
import time

folder = pathlib.Path(sys.argv[1])
# A second on an idle machine; processor time grows on a busy one too.
SECONDS, MEMORY, HANG = 2.0, 64 << 20, 20


# tokenizer.json

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}


def tokenizer_json(**changes):
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2, "c": 3}, "merges": ["a b"]}
    value = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": BYTE_LEVEL, "post_processor": None, "decoder": None}
    model.update(changes.pop("model", {}))
    value.update(changes)
    value["model"] = {key: entry for key, entry in model.items() if entry != "absent"}
    return json.dumps({key: entry for key, entry in value.items() if entry != "absent"}, ensure_ascii=False)


def byte_letters():
    """The byte-level alphabet: bytes that print stand for themselves, the others for the characters from U+0100 on."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    return {**{chr(byte): byte for byte in plain}, **{chr(256 + at): byte for at, byte in enumerate(others)}}


def word(content, at, **more):
    return {"id": at, "content": content, "special": True, "normalized": False, "single_word": False, "lstrip": False, "rstrip": False, **more}


def unigram(vocab, **more):
    model = {"type": "Unigram", "vocab": vocab, "merges": "absent", "unk_id": 0, **more}
    return tokenizer_json(model=model, pre_tokenizer={"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True})


def word_piece(vocab, **more):
    return tokenizer_json(model={"type": "WordPiece", "vocab": vocab, "merges": "absent", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, **more}, pre_tokenizer={"type": "BertPreTokenizer"})


def split(pattern):
    return {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}, {**BYTE_LEVEL, "use_regex": False}]}


def template(name):
    return {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": name, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [], "special_tokens": {}}


def json_cases():
    whole = tokenizer_json(added_tokens=[word("<s>", 4)])
    yield "T01-comma", "reject", whole.replace('"c": 3}', '"c": 3,}'), "byte|line"
    yield "T01-comment", "reject", "// a\n" + whole, ""
    yield "T01-nan", "reject", whole.replace('"c": 3', '"c": NaN'), "byte|line"
    yield "T01-two-documents", "reject", whole + whole, "byte|line"
    generator = random.Random(1)
    for length in sorted(generator.sample(range(1, len(whole.encode())), 40)):
        yield f"T02-{length}", "reject", whole.encode()[:length], ""
    yield "T03-no-model", "reject", json.dumps({"version": "1.0"}), "'model'"
    yield "T03-unknown-type", "reject", tokenizer_json(model={"type": "Quantum"}), "Quantum"
    yield "T03-null-type", "reject", tokenizer_json(model={"type": None}), "type"
    yield "T04", "reject", tokenizer_json(model={"vocab": {"a": 0, "b": 1, "ab": 1}}), "id"
    yield "T05-gap", "accept", tokenizer_json(model={"vocab": {"a": 0, "b": 10, "ab": 20}}), ""
    for name, at in (("negative", -1), ("real", 1.5), ("huge", 1 << 40)):
        yield f"T05-{name}", "reject", tokenizer_json(model={"vocab": {"a": 0, "b": 1, "ab": at}}), "ab"
    yield "T06", "accept", tokenizer_json(model={"vocab": {"\u00e9": 0, "e\u0301": 1, "\u2581": 2}, "merges": []}, pre_tokenizer={"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never", "split": False}), ""
    yield "T07", "reject", tokenizer_json(model={"merges": ["a b", "a x"]}), "merge 1"
    yield "T08", "reject", tokenizer_json(model={"merges": ["ab ab"]}), "merge 0"
    for name, merge in (("one-part", "a"), ("three-parts", "a b c"), ("list-of-one", ["a"]), ("list-of-three", ["a", "b", "c"])):
        yield f"T09-{name}", "reject", tokenizer_json(model={"merges": [merge]}), "merge 0"
    yield "T09-text", "accept", tokenizer_json(model={"merges": ["a b"]}), ""
    yield "T09-list", "accept", tokenizer_json(model={"merges": [["a", "b"]]}), ""
    yield "T10-longer", "reject", tokenizer_json(model={"continuing_subword_prefix": "abcdefgh"}), "continuing_subword_prefix|merge 0"
    yield "T10-cuts", "reject", tokenizer_json(model={"continuing_subword_prefix": "\u00e9\u00e9"}), "continuing_subword_prefix|merge 0"
    yield "T11-unk", "reject", unigram([["a", 0.0], ["b", -1.0]], unk_id=2), "unk_id"
    yield "T11-empty", "reject", unigram([]), "empty|no pieces|vocab"
    yield "T11-nan", "reject", unigram([["a", 0.0]]).replace("0.0", "NaN"), "byte|line|score"
    yield "T11-infinite", "reject", unigram([["a", 0.0]]).replace("0.0", "1e999"), "byte|line|score"
    yield "T11-text", "reject", unigram([["a", "0.0"]]), "score|entry|0"
    for name, blob in (("base64", "!!"), ("short", "AAAA"), ("trie", base64.b64encode(struct.pack("<I", 1 << 30) + bytes(8)).decode())):
        yield f"T12-{name}", "reject", tokenizer_json(normalizer={"type": "Precompiled", "precompiled_charsmap": blob}), "precompiled_charsmap|Precompiled"
    yield "T13-invalid", "reject", tokenizer_json(pre_tokenizer=split("(a")), re.escape("(a")
    yield "T13-catastrophic", "either", tokenizer_json(pre_tokenizer=split("(a+)+$")), ""
    deep = '{"type":"Sequence","normalizers":[' * 100_000 + "]}" * 100_000
    yield "T14", "reject", tokenizer_json(normalizer="X").replace('"X"', deep), ""
    yield "T15-empty", "reject", tokenizer_json(added_tokens=[word("", 4)]), "empty"
    yield "T15-twice", "reject", tokenizer_json(added_tokens=[word("<s>", 4), word("<s>", 5)]), "<s>"
    yield "T15-conflict", "reject", tokenizer_json(added_tokens=[word("<s>", 1)]), "<s>"
    yield "T15-many", "accept", tokenizer_json(added_tokens=[word(f"<{at}>", at + 4) for at in range(100_000)]), ""
    yield "T16", "reject", tokenizer_json(post_processor=template("<none>")), "<none>"
    yield "T17-truncation", "reject", tokenizer_json(truncation={"max_length": 2, "stride": 4, "strategy": "LongestFirst", "direction": "Right"}), "truncation|stride"
    yield "T17-strip", "either", tokenizer_json(normalizer={"type": "Strip", "strip_left": True, "strip_right": True}), ""
    yield "T18", "reject", tokenizer_json(model={"vocab": {"a": 0, "\u03b1": 1}, "merges": []}), "\u03b1.*alphabet"
    # Command-R and its kin list emoji beside all 256 bytes.
    yield "T18-beside-all-bytes", "accept", tokenizer_json(model={"vocab": {**byte_letters(), "\u03b1": 256}, "merges": []}), ""
    yield "T18-word-piece", "reject", word_piece({"a": 0}), "UNK"
    for name, dropout in (("two", 2), ("negative", -1)):
        yield f"T19-{name}", "reject", tokenizer_json(model={"dropout": dropout}), "dropout"
    yield "T19-nan", "reject", tokenizer_json(model={"dropout": 0.5}).replace("0.5", "NaN"), "byte|line"
    yield "T20", "accept", tokenizer_json(vocab_file="/etc/x", model={"merges_file": "/etc/y"}), ""


# SentencePiece

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


def piece_cases():
    yield "P01", "reject", b"", "empty"
    yield "P02-eleven", "reject", model() + b"\x0a" + b"\x80" * 11, "byte"
    yield "P02-cut", "reject", model() + b"\x0a\x80", "byte"
    yield "P03-past-end", "reject", model() + varint(1 << 3 | 2) + varint(1 << 40), "byte"
    yield "P03-wraps", "reject", model() + varint(1 << 3 | 2) + varint(1 << 63), "byte"
    for kind in (3, 4, 6, 7):
        yield f"P04-type-{kind}", "reject", model() + bytes([5 << 3 | kind]), "wire type"
    yield "P04-field-0", "reject", model() + b"\x02\x00", "field number"
    yield "P05", "reject", model() + integer(1, 5), "piece"
    yield "P06", "accept", model() + field(99, b"abc") + integer(77, 5), ""
    nested = b""
    for _ in range(20_000):
        nested = field(9, nested)
    yield "P07", "either", model() + nested, ""
    yield "P08-none", "reject", field(2, integer(3, 2)) + field(3, integer(4, 0)), "piece|not a vocabulary"
    yield "P08-empty", "reject", model(piece("")), "empty"
    yield "P08-twice", "reject", model(piece("a")), "twice"
    yield "P09-none", "reject", model(unknown=False), "unknown"
    yield "P09-two", "reject", model(piece("<u>", kind=2)), "unknown"
    yield "P10-no-fallback", "reject", model(piece("<0x41>", kind=6)), "byte"
    yield "P10-bad", "reject", model(piece("<0xZZ>", kind=6), trainer=integer(35, 1)), "byte"
    yield "P10-255", "reject", model(b"".join(piece(f"<0x{byte:02X}>", kind=6) for byte in range(255)), trainer=integer(35, 1)), "byte"
    yield "P11", "accept", model(piece(b"a\0b")), ""
    yield "P12-1-MB", "either", model(piece("a" * (1 << 20))), ""
    yield "P12-100-MB", "either", huge_piece(100), ""
    yield "P13", "reject", model(piece(b"a\xff")), "UTF-8"
    for name in ("four-bytes", "size-minus-3", "size-minus-1", "size-huge", "size-odd", "root-leaf", "no-final-nul"):
        yield f"P14-{name}", "reject", model(normalizer=field(2, charsmap(name))), "precompiled_charsmap"
    for name, score in (("nan", float("nan")), ("inf", float("inf")), ("minus-inf", float("-inf"))):
        yield f"P15-{name}", "reject", model(piece("b", score)), "score"
    yield "P15-missing", "accept", model(piece("b", None)), ""
    for kind in (0, 9):
        yield f"P16-{kind}", "reject", model(trainer=integer(3, kind)), "model_type"
    yield "P17-size", "accept", model(trainer=integer(4, 32000)), ""
    yield "P17-unk", "reject", model(trainer=integer(40, 6)), "unk_id"
    yield "P19", "reject", model() + model(), "twice"


# tiktoken

def line(token, rank):
    return base64.b64encode(token) + b" " + (rank if isinstance(rank, bytes) else b"%d" % rank) + b"\n"


def ranks(count=256, skip=()):
    return b"".join(line(bytes([byte]), byte) for byte in range(count) if byte not in skip)


def whole_ranks(count, skip=()):
    """As many ranks as a known vocabulary has, for its split pattern: bytes, then pairs of bytes; the last two are no UTF-8."""
    pairs = (bytes([first, second]) for first in range(256) for second in range(256))
    tokens = [*itertools.islice(pairs, count - 256 - 2), b"\xe2\x82", b"\xff\xfe"]
    rank = itertools.filterfalse(skip.__contains__, itertools.count(256))
    return ranks() + b"".join(line(token, at) for token, at in zip(tokens, rank))


def rank_cases():
    good, whole = ranks(), whole_ranks(50256)
    for name, bad in (("character", b"I!== 256\n"), ("padding", b"YWI 256\n"), ("spare-bits", b"YWJ= 256\n"), ("long", b"YWI== 256\n")):
        yield f"K01-{name}", "reject", good + bad, "257|line"
    for name, rank in (("missing", b""), ("three", b"256 7"), ("negative", b"-1"), ("real", b"256.0"), ("wraps", b"18446744073709551616"), ("plus", b"+256"), ("space", b" 256")):
        yield f"K02-{name}", "reject", good + line(b"ab", rank), "257|line"
    yield "K03-rank", "reject", good + line(b"ab", 255), "257.*255.*twice"
    yield "K03-token", "reject", good + line(b"a", 256), "257.*twice.*256"
    yield "K04", "reject", good + line(b"ab", 300), "257:.*300.*256"
    yield "K04-other-gap", "reject", whole_ranks(50280, skip=(50255,)), "50256:.*50256.*50255"
    # p50k leaves out the one rank of its special token.
    yield "K04-p50k", "accept", whole_ranks(50280, skip=(50256,)), ""
    yield "K04-p50k-cut", "reject", whole_ranks(50279, skip=(50256,)), "50257:.*50257.*50256"
    yield "K05", "reject", ranks(skip=(65,)).replace(b" 255\n", b" 65\n"), "byte|65|0x41"
    yield "K06", "reject", good + b" 256\n", "257.*empty"
    yield "K06-equals", "reject", good + b"= 256\n", "257"
    yield "K07-crlf", "accept", whole.replace(b"\n", b"\r\n"), ""
    yield "K07-no-newline", "accept", whole[:-1], ""
    yield "K07-blank", "accept", whole.replace(b" 255\n", b" 255\n\n") + b"\n", ""
    yield "K08", "reject", good + line(b"ab", 256) + b"YWJj 12", "12|258"
    yield "K10", "reject", good + line(b"a" * 70_000, 256), "257|long|bytes"
    yield "K11", "accept", whole, ""
    long = b"".join(line(bytes([at]) * 65_000 + b"a" * at, 256 + at) for at in range(60))
    yield "K10-many", "reject", good + long, "316 ranks"
    yield "other-count", "reject", good + line(b"ab", 256), "257 ranks"


def tekken(specials):
    entries = [{"rank": byte, "token_bytes": base64.b64encode(bytes([byte])).decode(), "token_str": None} for byte in range(256)]
    special = [{"rank": rank, "token_str": token, "is_control": True} for token, rank in specials]
    config = {"pattern": r"\p{L}+|.", "num_vocab_tokens": 256, "default_vocab_size": 266, "default_num_special_tokens": 10, "version": "v7"}
    return json.dumps({"config": config, "vocab": entries, "special_tokens": special})


def tekken_cases():
    yield "K09-good", "accept", tekken([("<unk>", 0), ("<s>", 1)]), ""
    yield "K09-rank", "reject", tekken([("<unk>", 0), ("<s>", 0)]), "special_tokens: '<s>'"
    yield "K09-token", "reject", tekken([("<s>", 0), ("<s>", 1)]), "special_tokens: '<s>'"
    yield "K09-past-end", "reject", tekken([("<unk>", 0), ("<s>", 10)]), "special_tokens: entry 1"


# Running

def run(command, standard_input=subprocess.DEVNULL):
    """Status, standard error, processor seconds and most bytes held."""
    with open(folder / "err", "wb") as err:
        child = subprocess.Popen(command, stdin=standard_input, stdout=subprocess.DEVNULL, stderr=err)
        end = time.monotonic() + HANG
        while True:
            pid, status, usage = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                child.kill()
                os.wait4(child.pid, 0)
                child.returncode = -9
                return "hang", "", 0, 0
            time.sleep(0.002)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, (folder / "err").read_text(errors="replace"), usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10


def problem(name, must, path, pattern, base):
    status, message, seconds, held = run(["tokenize", "--tokenizer", str(path), "--format", "ndjson", str(folder / "text.ndjson")])
    size = path.stat().st_size
    if status == "hang" or isinstance(status, int) and status < 0:
        return f"status {status}"
    allowed = {"reject": (65,), "accept": (0,), "either": (0, 65)}[must]
    if status not in allowed:
        return f"status {status}, {must} it must: {message[:200]}"
    if status == 65:
        lines = message.splitlines()
        if not lines or not lines[0].startswith("tokenize: ") or path.name not in lines[0] or any(not line.startswith("  ") for line in lines[1:]):
            return f"not one message that names the file: {message[:300]}"
        if pattern and not re.search(pattern, lines[0]):
            return f"expected '{pattern}' in: {lines[0][:300]}"
    if seconds > SECONDS + size / 200e6:
        return f"{seconds:.2f} s of processor time"
    if held > base + size + MEMORY:
        return f"{held >> 20} MiB held, {size >> 20} of them the file's"
    return None


def main():
    (folder / "text.ndjson").write_text(json.dumps({"text": "ab abc aab"}) + "\n" + json.dumps({"text": "a" * 100_000 + "b"}) + "\n")
    cases = itertools.chain(((*case, "tokenizer.json") for case in json_cases()), ((*case, "tokenizer.model") for case in piece_cases()), ((*case, "cl100k_base.tiktoken") for case in rank_cases()), ((*case, "tekken.json") for case in tekken_cases()), [
        ("K12-piece", "either", model(), "", "x.tiktoken"), ("K12-json", "either", tokenizer_json(), "", "x.tiktoken"), ("K12-ranks", "either", ranks(), "", "tokenizer.json"), ("K12-ranks-model", "either", ranks(), "", "x.model"),
    ])
    good = folder / "tokenizer.json"
    good.write_text(tokenizer_json())
    status, message, _, base = run(["tokenize", "--tokenizer", str(good), "--format", "ndjson", str(folder / "text.ndjson")])
    if status != 0:
        print(f"fail good: status {status}: {message}")
    for name, must, data, pattern, file in cases:
        path = folder / file
        with open(path, "wb") as out:
            out.writelines(data if isinstance(data, list) else [data if isinstance(data, bytes) else data.encode()])
        # A child starts as a copy of this process: its memory then is the least that can be seen.
        found = problem(name, must, path, pattern, max(base, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10))
        print(f"pass {name}" if found is None else f"fail {name}: {found}")
        path.unlink()
    # P18: ids that no token has, through --decode.
    path = folder / "tokenizer.model"
    path.write_bytes(model())
    for at in (6, -1, 1 << 31, 1 << 32):
        records = folder / "ids.ndjson"
        records.write_text(json.dumps({"id": "0", "input_ids": [4, at], "offsets": [[0, 1], [1, 2]]}) + "\n")
        status, message, _, _ = run(["tokenize", "--decode", "--tokenizer", str(path), str(records)])
        print(f"pass P18-{at}" if status == 65 and "ids.ndjson" in message else f"fail P18-{at}: status {status}: {message[:200]}")
    # P20: more than 2 GiB, all but the first bytes a hole.
    with open(path, "r+b") as out:
        out.truncate((2 << 30) + 1)
    found = problem("P20", "either", path, "", base)
    print("pass P20" if found is None else f"fail P20: {found}")


main()
