#!/usr/bin/env python3
"""Nasty texts as the normalisers of the tokenizers package leave them, and as sentencepiece's own normalisation does.

    venv/bin/pip install -r Tests/oracles/requirements-tokens.txt
    venv/bin/python Tests/oracles/tokens_normalised.py     # writes Tests/fixtures/text/normalised*.ndjson

A line holds a normaliser with what becomes of each text of the first line; null: nothing changes. For the normal forms it holds the
spans too: a text is cut where both sides, brought into the form apart, give the whole; what stays as it is stands for itself.
Both files share one small charsmap, which sentencepiece's trainer makes of rules that collide, delete and insert.
"""
import base64
import io
import itertools
import json
import pathlib
import random
import tempfile
import unicodedata

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Tokenizer

FOLDER = pathlib.Path(__file__).parent.parent / "fixtures/text"
RULES = {
    "a": "A", "ab": "(ab)", "abc": "", "e\u0301": "\u00e9", "\u0301": "'", "\u00a8": " \u0308", "\u3000": " ", "\t": " ", "\u200b": " ",
    "\u00ad": "", "\uff21": "A", "\ufb01": "fi", "\u2460": "1", "\u304b\u3099": "\u304c", "\uff76": "\u30ab", "\u0e33": "\u0e4d\u0e32",
    "x": " x ", "\u1100\u1161": "\uac00", "\U0001f469": "W", "\u00b4": "  ",
}  # fmt: skip
WRITTEN = [
    "a", " ", "  ", "Hello World", " a  b ", "\u2581", "\u2581\u2581 a\u2581", "abc", "abab", "xx", "x x", "  x  ", "\u00b4\u00b4", "e\u0301",
    "a\u0301", "a\u0323\u0301", "a\u0301\u0323", "\u00e1\u0323", "b\u0301\u0323", "\u1e69", "\u1e9b\u0323", "\u0344", "\u0301\u0344",
    "a\u0300\u0340\u0301\u0341", "\u212b", "\u2126", "\u1100\u1161\u11a8", "\uac00\u11a8", "\uac01\u11a8", "\u1161\u11a8", "\u1100\u1100\u1161",
    "\u09c7\u09be", "\u09c7\u0301\u09be", "\u0dd9\u0dcf\u0dca", "\u0f73", "\u0f71\u0f72", "\u0b47\u0b56", "\u0958", "\u0915\u093c",
    "\ufb01", "\u2460", "\u3000", "\uff76\uff9e", "\u304b\u3099", "\u32ff", "\u338f", "\ufdfa", "\u00bd", "\u0130", "I\u0307", "\u1e9e",
    "\u03a3\u0391\u03a3", "\u01c5", "\u10a0", "\u13a0", "\ua64a", "\U00010400", "\U0001e900", "\u00df", "\x00a\x01", "a\x7f\u0085b",
    "\u200b\u200d\u2060\ufeff", "\u2028\u2029", "\ufffd", "\u00ad", "\ue000", "\U000e0001", "\u4e2d\u6587abc", "\u9fff\u3400\U00020000",
    "\U0002b81f\U0002b820", "\uf900", "\u0300a", "a\u0488", "\u0903\u0940", "\u0e33\u0e01\u0e33", "\U0001f469\u200d\U0001f467",
    "\U0001f1e9\U0001f1ea", "a\u0301\u200d", "\r\n", "\r\n\u0301", "\u0600a", "\u0d4ea", "\u0915\u094d\u0937", "a\u0300\u0301\u0302\u0303",
    "fia\u0301\u4e2d \u00a0X\t\nY", "\u1f82", "\u1fb7", "\u0061\u0328\u0301", "\u0105\u0301", "\u006f\u0304\u0301\u031b",
]  # fmt: skip


def random_texts(count, seed):
    """Texts rich in what normalisers change."""
    source = random.Random(seed)
    assigned = [chr(code) for code in range(0x30000) if unicodedata.ucd_3_2_0.category(chr(code)) not in ("Cn", "Cs", "Co")]
    pools = [
        [char for char in assigned if unicodedata.combining(char)],
        [char for char in assigned if unicodedata.decomposition(char)],
        [char for char in assigned if unicodedata.decomposition(char) and "<" not in unicodedata.decomposition(char)],
        [chr(code) for code in [*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A7, 0x11C3), *range(0xAC00, 0xD7A4, 97)]],
        list("\u09be\u0bbe\u0cd5\u0d57\u0dcf\u0dca\u102e\u3099\u309a\u09c7\u0bc6\u0dd9\u1025\u304b\u30cf"),
        list("aeiounAEIOUN  \t\u3000\u2581"),
        list(RULES),
    ]
    return ["".join(source.choice(source.choice(pools)) for _ in range(source.choice([2, 3, 4, 6]))) for _ in range(count)]


def train(**settings):
    """A tiny model with the rules, as a message."""
    with tempfile.TemporaryDirectory() as folder:
        rules = pathlib.Path(folder, "rules.tsv")
        hexadecimal = lambda text: " ".join(f"{ord(char):X}" for char in text)
        rules.write_text("".join(f"{hexadecimal(source)}\t{hexadecimal(target)}\n" for source, target in RULES.items()))
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["c d e"] * 10), model_writer=model, model_type="char", vocab_size=12, hard_vocab_limit=False,
            normalization_rule_tsv=str(rules), minloglevel=9, **settings)
    return sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())


def peer(normaliser):
    empty = {"type": "BPE", "vocab": {}, "merges": []}
    file = {"version": "1.0", "added_tokens": [], "normalizer": normaliser, "pre_tokenizer": None, "post_processor": None, "decoder": None}
    return Tokenizer.from_str(json.dumps(file | {"model": empty})).normalizer.normalize_str


def spans(normalise, text):
    """Start and end of what each byte of the normalised text stands for, flat."""
    whole = normalise(text)
    cuts = [at for at in range(1, len(text)) if normalise(text[:at]) + normalise(text[at:]) == whole]
    result, start = [], 0
    for first, end in itertools.pairwise([0, *cuts, len(text)]):
        before, after = text[first:end].encode(), normalise(text[first:end]).encode()
        for at in range(len(after)):
            result += [start + at, start + at + 1] if before == after else [start, start + len(before)]
        start += len(before)
    return result


def normalisers(charsmap):
    yield from ({"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"))
    yield {"type": "Precompiled", "precompiled_charsmap": charsmap}
    yield {"type": "Prepend", "prepend": "\u2581"}
    for pattern, content in ((" ", "\u2581"), ("", "-"), ("a", ""), ("\u0301", "<\u00e9>")):
        yield {"type": "Replace", "pattern": {"String": pattern}, "content": content}
    for left, right in ((True, True), (True, False), (False, True)):
        yield {"type": "Strip", "strip_left": left, "strip_right": right}
    for clean, spaced, strip, lower in ((True, True, None, True), (True, False, True, False), (False, True, False, True)):
        yield {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": spaced, "strip_accents": strip, "lowercase": lower}
    steps = ["NFKD", "StripAccents", "Lowercase", "Nmt", "NFC"]
    yield {"type": "Sequence", "normalizers": [*({"type": name} for name in steps), {"type": "Prepend", "prepend": "\u2581"}]}


def write(name, lines):
    with open(FOLDER / name, "w", encoding="utf-8") as output:
        for line in lines:
            print(json.dumps(line, ensure_ascii=False, separators=(",", ":")), file=output)


def main():
    texts = list(dict.fromkeys([*WRITTEN, *random_texts(270 - len(WRITTEN), seed=5)]))
    model = train(user_defined_symbols=["<u>", "<u >", "\u2581b", "ab", "\u00a8"])
    charsmap = base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()
    lines = [{"texts": texts}]
    for normaliser in normalisers(charsmap):
        normalise = peer(normaliser)
        line = {"normalizer": normaliser, "results": [None if normalise(text) == text else normalise(text) for text in texts]}
        if normaliser["type"].startswith("NF"):
            line["spans"] = [None if normalise(text) == text else spans(normalise, text) for text in texts]
        lines.append(line)
    write("normalised.ndjson", lines)

    texts = [text.replace("\0", "") for text in texts if set(text) & set("".join(RULES) + "\u2581 ")]
    texts = list(dict.fromkeys(["", "<u>a<u > <u >", "  <u > ", "ab\u2581b", " ab  abab ", *texts]))[:120]
    user = [piece.piece for piece in model.pieces if piece.type == 4]
    lines = [{"texts": texts, "charsmap": charsmap, "user_defined": user}]
    for dummy, remove, escape, suffix in itertools.product((True, False), repeat=4):
        model.normalizer_spec.add_dummy_prefix, model.normalizer_spec.remove_extra_whitespaces = dummy, remove
        model.normalizer_spec.escape_whitespaces, model.trainer_spec.treat_whitespace_as_suffix = escape, suffix
        processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
        flags = {"dummy": dummy, "remove": remove, "escape": escape, "suffix": suffix}
        lines.append({**flags, "results": [processor.normalize(text) for text in texts]})
    write("normalised-pieces.ndjson", lines)


if __name__ == "__main__":
    main()
