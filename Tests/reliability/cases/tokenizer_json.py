"""tokenizer.json: T01-T20."""
import base64
import json
import random
import re
import struct

import gate as gates
from cases import Case, _vocabulary
from cases._vocabulary import try_file  # noqa: F401: of this module too

FILE = "tokenizer.json"

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


def cases():
    whole = tokenizer_json(added_tokens=[word("<s>", 4)])
    yield Case("T01-comma", "reject", whole.replace('"c": 3}', '"c": 3,}'), "byte|line")
    yield Case("T01-comment", "reject", "// a\n" + whole, "not a vocabulary")
    yield Case("T01-nan", "reject", whole.replace('"c": 3', '"c": NaN'), "byte|line")
    yield Case("T01-two-documents", "reject", whole + whole, "byte|line")
    lengths = range(1, len(whole))
    for length in random.Random(gates.SEED).sample(lengths, 40) if gates.QUICK else lengths:
        yield Case(f"T02-{length}", "reject", whole[:length], "not valid JSON", length)
    yield Case("T03-no-model", "reject", json.dumps({"version": "1.0"}), "'model'")
    yield Case("T03-unknown-type", "reject", tokenizer_json(model={"type": "Quantum"}), "Quantum")
    yield Case("T03-null-type", "reject", tokenizer_json(model={"type": None}), "type")
    yield Case("T04", "reject", tokenizer_json(model={"vocab": {"a": 0, "b": 1, "ab": 1}}), "id")
    yield Case("T05-gap", "accept", tokenizer_json(model={"vocab": {"a": 0, "b": 10, "ab": 20}}), "")
    for name, at in (("negative", -1), ("real", 1.5), ("huge", 1 << 40)):
        yield Case(f"T05-{name}", "reject", tokenizer_json(model={"vocab": {"a": 0, "b": 1, "ab": at}}), "ab")
    yield Case("T06", "accept", tokenizer_json(model={"vocab": {"\u00e9": 0, "e\u0301": 1, "\u2581": 2}, "merges": []}, pre_tokenizer={"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never", "split": False}), "")
    yield Case("T07", "reject", tokenizer_json(model={"merges": ["a b", "a x"]}), "merge 1")
    yield Case("T08", "reject", tokenizer_json(model={"merges": ["ab ab"]}), "merge 0")
    for name, merge in (("one-part", "a"), ("three-parts", "a b c"), ("list-of-one", ["a"]), ("list-of-three", ["a", "b", "c"])):
        yield Case(f"T09-{name}", "reject", tokenizer_json(model={"merges": [merge]}), "merge 0")
    yield Case("T09-text", "accept", tokenizer_json(model={"merges": ["a b"]}), "")
    yield Case("T09-list", "accept", tokenizer_json(model={"merges": [["a", "b"]]}), "")
    yield Case("T10-longer", "reject", tokenizer_json(model={"continuing_subword_prefix": "abcdefgh"}), "continuing_subword_prefix|merge 0")
    yield Case("T10-cuts", "reject", tokenizer_json(model={"continuing_subword_prefix": "\u00e9\u00e9"}), "continuing_subword_prefix|merge 0")
    yield Case("T11-unk", "reject", unigram([["a", 0.0], ["b", -1.0]], unk_id=2), "unk_id")
    yield Case("T11-empty", "reject", unigram([]), "empty|no pieces|vocab")
    yield Case("T11-nan", "reject", unigram([["a", 0.0]]).replace("0.0", "NaN"), "byte|line|score")
    yield Case("T11-infinite", "reject", unigram([["a", 0.0]]).replace("0.0", "1e999"), "byte|line|score")
    yield Case("T11-text", "reject", unigram([["a", "0.0"]]), "score|entry|0")
    for name, blob in (("base64", "!!"), ("short", "AAAA"), ("trie", base64.b64encode(struct.pack("<I", 1 << 30) + bytes(8)).decode())):
        yield Case(f"T12-{name}", "reject", tokenizer_json(normalizer={"type": "Precompiled", "precompiled_charsmap": blob}), "precompiled_charsmap|Precompiled")
    yield Case("T13-invalid", "reject", tokenizer_json(pre_tokenizer=split("(a")), re.escape("(a"))
    yield Case("T13-catastrophic", "either", tokenizer_json(pre_tokenizer=split("(a+)+$")), "")
    deep = '{"type":"Sequence","normalizers":[' * 100_000 + "]}" * 100_000
    yield Case("T14", "reject", tokenizer_json(normalizer="X").replace('"X"', deep), "maximum parsing depth")
    yield Case("T15-empty", "reject", tokenizer_json(added_tokens=[word("", 4)]), "empty")
    yield Case("T15-twice", "reject", tokenizer_json(added_tokens=[word("<s>", 4), word("<s>", 5)]), "<s>")
    yield Case("T15-rule", "reject", tokenizer_json(added_tokens=[word("<s>", 4, lstrip="yes")]), "lstrip")
    yield Case("T15-conflict", "reject", tokenizer_json(added_tokens=[word("<s>", 1)]), "<s>")
    yield Case("T15-many", "accept", tokenizer_json(added_tokens=[word(f"<{at}>", at + 4) for at in range(100_000)]), "")
    yield Case("T15-null", "reject", tokenizer_json(added_tokens=None), "added_tokens")
    yield Case("T16", "reject", tokenizer_json(post_processor=template("<none>")), "<none>")
    yield Case("T17-truncation", "reject", tokenizer_json(truncation={"max_length": 2, "stride": 4, "strategy": "LongestFirst", "direction": "Right"}), "truncation|stride")
    yield Case("T17-fixed-length", "reject", tokenizer_json(pre_tokenizer={"type": "FixedLength", "length": 0}), "FixedLength|length")
    yield Case("T17-strip", "either", tokenizer_json(normalizer={"type": "Strip", "strip_left": True, "strip_right": True}), "")
    yield Case("T18", "reject", tokenizer_json(model={"vocab": {"a": 0, "\u03b1": 1}, "merges": []}), "\u03b1.*alphabet")
    # Command-R and its kin list emoji beside all 256 bytes.
    yield Case("T18-beside-all-bytes", "accept", tokenizer_json(model={"vocab": {**byte_letters(), "\u03b1": 256}, "merges": []}), "")
    yield Case("T18-word-piece", "reject", word_piece({"a": 0}), "UNK")
    for name, dropout in (("two", 2), ("negative", -1)):
        yield Case(f"T19-{name}", "reject", tokenizer_json(model={"dropout": dropout}), "dropout")
    yield Case("T19-nan", "reject", tokenizer_json(model={"dropout": 0.5}).replace("0.5", "NaN"), "byte|line")
    yield Case("T20", "accept", tokenizer_json(model={"vocab_file": "/etc/x", "merges_file": "/etc/y"}), "")
    yield Case("T20-member", "reject", tokenizer_json(vocab_file="/etc/x"), "vocab_file")
    yield Case("T20-misspelt", "reject", tokenizer_json(normaliser={"type": "Lowercase"}), "normaliser")


def seeds():
    fixtures = gates.FIXTURES
    for name in ("vocabularies/student/tokenizer.json", "text/branches/byte-level-added.json", "text/branches/legacy-added.json",
                 "text/branches/metaspace-first.json", "text/branches/unknown-fused.json", "text/shapes/unigram-bytes.json"):
        yield name.rpartition("/")[2], (fixtures / name).read_bytes()


def try_case(case, gate):
    return _vocabulary.try_vocabulary(case, case.file or FILE)
