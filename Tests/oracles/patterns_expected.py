#!/usr/bin/env python3
"""What patterns match in nasty texts: by Hugging Face's tokenizers (Oniguruma) and by tiktoken (fancy-regex).

    venv/bin/pip install -r Tests/oracles/requirements-tokens.txt
    venv/bin/python Tests/oracles/patterns_expected.py     # writes Tests/fixtures/text/patterns.ndjson

The first line holds the texts; each further line a pattern and, for each text, a hash (FNV-1a of 32 bits) of the bytes of its matches
that are not empty: "first-last," in decimal, one behind the other.
"""
import json
import pathlib

import tiktoken
from tokenizers import Regex, pre_tokenizers

from patterns_cases import RUBY, RUST
from tokens_words_texts import WRITTEN, random_texts

OUTPUT = pathlib.Path(__file__).parent.parent / "fixtures/text/patterns.ndjson"
MORE = [
    "ab abc bc c aab", "aaaa aab aaab", "a\nb\n\nc", "xxyxx", "abcabcaabbcc", "HELLO hello Hello hEl", "kK\u212asS\u017f 'S 'k", "1234567 12 1,234,567.89", "12345678901234567890", "a1b22c333",
    "IMGIMGABCZ IMGIMGABCDEZ", "foo_bar-baz's \"quoted\"", "e\u0301 \u00e9 E\u0301", "\t\v\f\x07\x1b\0\b\x7f", "tail \n", "tail\n", "\n", "\n\n", "[]-^a]", "a{ a{x} {", "\u00df ss SS \u1e9e", "\U0001f600\U0001f468\u200d\U0001f469 1\ufe0f\u20e3",
    "\u6570\u5b66abc\u3042\u3044\u30ab\u30bf\uac00\ub098", "   three   spaces  two one ", " " * 300 + "x", " " * 700, "\r\n\r\n \r\n", "$+<=>^`|~!?#%", "zza c z", "the eagle ate here", "<|startoftext|>a photo<|endoftext|>",
]


def by_tokenizers(pattern, text):
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode()))
    # Neighbouring matches stay apart: each is a piece.
    return [(at[first], at[last]) for _, (first, last) in split.pre_tokenize_str(text)]


def by_tiktoken(pattern, text):
    """A vocabulary of all pieces of the text, so that each match is one token; what lies between matches is not seen."""
    data = text.encode()
    marked = {bytes([byte]) for byte in range(256)}
    marked |= {data[first:last] for first in range(len(data)) for last in range(first + 1, min(len(data), first + 160) + 1)}
    ranks = {piece: rank for rank, piece in enumerate(sorted(marked, key=lambda piece: (len(piece), piece)))}
    encoding = tiktoken.Encoding("all", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    pieces = [encoding.decode_single_token_bytes(token) for token in encoding.encode_ordinary(text)]
    spans, at = [], 0
    for piece in pieces:
        at = data.index(piece, at)
        spans.append((at, at + len(piece)))
        at += len(piece)
    return spans


def fingerprint(spans):
    value = 0x811C9DC5
    for byte in "".join(f"{first}-{last}," for first, last in spans).encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def main():
    texts = list(dict.fromkeys([*WRITTEN, *MORE, *random_texts(120, seed=11)]))
    with open(OUTPUT, "w", encoding="ascii") as output:
        print(json.dumps({"texts": texts}, separators=(",", ":")), file=output)
        for syntax, patterns, ask in (("ruby", RUBY, by_tokenizers), ("rust", RUST, by_tiktoken)):
            for name, pattern in patterns.items():
                # tiktoken is asked about texts whose pieces are few enough to be its vocabulary.
                hashes = [fingerprint(ask(pattern, text)) if syntax == "ruby" or len(text.encode()) <= 160 else None for text in texts]
                line = {"name": name, "syntax": syntax, "pattern": pattern, "hashes": hashes}
                print(json.dumps(line, separators=(",", ":")), file=output)


if __name__ == "__main__":
    main()
