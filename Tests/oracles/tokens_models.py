#!/usr/bin/env python3
"""Unigram and WordPiece models by themselves: pieces of nasty words by sentencepiece and by the tokenizers package.

    venv/bin/pip install -r Tests/oracles/requirements-tokens.txt
    venv/bin/python Tests/oracles/tokens_models.py     # writes Tests/fixtures/text/word-models.ndjson

A line holds a model, words, and the ids of each. For sentencepiece a word is a text as its normaliser leaves it, and one is so long
that the sums of scores pass 100,000. Scores are rounded, so that many cuts are equally good.
"""
import io
import json
import pathlib
import random

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import models

OUTPUT = pathlib.Path(__file__).parent.parent / "fixtures/text/word-models.ndjson"
ALPHABET = "aabbcde\u00e9\u2581"


def random_words(source, count):
    extra = ["<unk>", "<s>", "<0x61>", "xy", "z", "\u2603\u2603", "\U0001d518", "\u00e9", "<u>", "ab"]
    words = []
    for _ in range(count):
        words.append("".join(source.choice(extra) if source.random() < 0.15 else source.choice(ALPHABET) for _ in range(source.randrange(1, 16))))
    return words


def unigram(source, fallback, words):
    """A model with made-up pieces of every kind."""
    names = {"".join(source.choices(ALPHABET, k=source.randrange(1, 6))) for _ in range(250)} | set("ac")
    proto = sentencepiece_model_pb2.ModelProto()
    kinds = [("<unk>", 2), ("<s>", 3), ("</s>", 3), ("<u>", 4), ("xy", 4), ("xyab", 4)]
    kinds += [(f"<0x{byte:02X}>", 6) for byte in range(256)] if fallback else []
    kinds += [(name, 5 if source.random() < 0.05 else 1) for name in sorted(names)]
    for name, kind in kinds:
        score = 0 if kind > 1 and kind != 5 else -source.choice([1, 2, 2.5, 3, 4, 5, 6.25, 7.1, 9.3]) * max(1, len(name) - source.randrange(3))
        proto.pieces.add(piece=name, score=score, type=kind)
    proto.trainer_spec.model_type, proto.trainer_spec.byte_fallback = 1, fallback
    proto.normalizer_spec.add_dummy_prefix = proto.normalizer_spec.remove_extra_whitespaces = False
    processor = sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())
    pieces = [[piece.piece, piece.score, piece.type] for piece in proto.pieces]
    words = [processor.normalize(word) for word in words]
    line = {"model": "unigram", "unknown": 0, "fallback": fallback, "pieces": pieces, "words": words}
    whole = "".join(source.choices(ALPHABET, k=60)) * 1000
    yield line | {"rules": "sentencepiece", "ids": [processor.encode(word) for word in words]} | long(processor.encode, whole)
    peer = models.Unigram([(piece.piece, piece.score) for piece in proto.pieces], 0, fallback)
    encode = lambda word: [token.id for token in peer.tokenize(word)]
    yield line | {"rules": "tokenizers", "ids": [encode(word) for word in words]} | long(encode, whole)


def long(encode, whole):
    """A long text as 1,000 times its beginning, and a polynomial hash of its ids."""
    ids = encode(whole)
    total = 0
    for number in ids:
        total = (total * 31 + number) % (1 << 32)
    return {"repeated": whole[: len(whole) // 1000], "count": len(ids), "hash": total}


def word_piece(source, prefix, longest):
    names = {"".join(source.choices(ALPHABET, k=source.randrange(1, 4))) for _ in range(60)}
    entries = ["[UNK]", *sorted(names), *sorted(prefix + name for name in names if source.random() < 0.8), "#"]
    entries = list(dict.fromkeys(entries))
    vocabulary = {entry: number for number, entry in enumerate(entries)}
    peer = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=longest, continuing_subword_prefix=prefix)
    words = random_words(source, 120) + ["##a", "#", "##", "\u00e9" * longest, "\u00e9" * (longest + 1), "a" * longest, "a" * (longest + 1)]
    words += ["".join(source.choices(ALPHABET, k=source.randrange(1, 10))) for _ in range(120)]
    ids = [[token.id for token in peer.tokenize(word)] for word in words]
    return {"model": "wordpiece", "unknown": 0, "prefix": prefix, "longest": longest, "pieces": entries, "words": words, "ids": ids}


def main():
    source = random.Random(17)
    words = random_words(source, 250)
    with open(OUTPUT, "w", encoding="utf-8") as output:
        for fallback in (False, True):
            for line in unigram(source, fallback, words):
                print(json.dumps(line, ensure_ascii=False, separators=(",", ":")), file=output)
        for prefix, longest in (("##", 12), ("", 100)):
            print(json.dumps(word_piece(source, prefix, longest), ensure_ascii=False, separators=(",", ":")), file=output)


if __name__ == "__main__":
    main()
