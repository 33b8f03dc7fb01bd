#!/usr/bin/env python3
"""Where GPT-2's pattern cuts nasty texts, by the regex package: the ends of the words, in bytes.

    venv/bin/pip install -r Tests/oracles/requirements-tokens.txt
    venv/bin/python Tests/oracles/tokens_words.py     # writes Tests/fixtures/text/words.ndjson
"""
import json
import pathlib
import unicodedata

import regex

from tokens_words_texts import WRITTEN, random_texts

OUTPUT = pathlib.Path(__file__).parent.parent / "fixtures/text/words.ndjson"
GPT2 = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


def words(text):
    return GPT2.findall(text)


def digit_words(text):
    """Each number character alone, then the pattern on what lies between."""
    found, start = [], 0
    for at, character in enumerate(text):
        if unicodedata.category(character).startswith("N"):
            found += words(text[start:at]) + [character]
            start = at + 1
    return found + words(text[start:])


def is_settled(character):
    old, new = unicodedata.ucd_3_2_0.category(character), unicodedata.category(character)
    return old == new and old != "Cn"


def ends(words):
    total = 0
    return [total := total + len(word.encode()) for word in words]


def main():
    # \s differs on the separators 1C to 1F between Python and Unicode's White_Space, which the tokenizers package uses.
    # The packages follow different versions of Unicode: random characters must mean today what they meant in 3.2.
    texts = [*WRITTEN, *(text for text in random_texts(400, seed=7) if all(map(is_settled, text)))]
    texts = [text for text in texts if not set(text) & set("\x1c\x1d\x1e\x1f")]
    with open(OUTPUT, "w", encoding="ascii") as output:
        for text in dict.fromkeys(texts):
            line = {"text": text, "gpt2": ends(words(text)), "digits": ends(digit_words(text))}
            print(json.dumps(line, separators=(",", ":")), file=output)


if __name__ == "__main__":
    main()
