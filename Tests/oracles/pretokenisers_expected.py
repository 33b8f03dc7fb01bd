#!/usr/bin/env python3
"""Where Hugging Face's pre-tokenisers cut nasty texts.

    venv/bin/pip install -r Tests/oracles/requirements-tokens.txt
    venv/bin/python Tests/oracles/pretokenisers_expected.py     # writes Tests/fixtures/text/pretokenisers.ndjson

The first line holds the texts; each further line a pre-tokeniser as tokenizer.json writes it and, for each text, a hash (FNV-1a of 32
bits) of its words: "first-last:" with the bytes of the text that the word stands for (not where a step follows ByteLevel), then the
word's own bytes and FF. For those that go by single characters there is the hash of one more text, with every code point in it.
"""
import json
import pathlib

from tokenizers import Tokenizer

from patterns_cases import GPT2, LLAMA3, QWEN2, TEKKEN, DEEPSEEK3
from patterns_expected import MORE
from tokens_words_texts import WRITTEN, random_texts

OUTPUT = pathlib.Path(__file__).parent.parent / "fixtures/text/pretokenisers.ndjson"
BY_CHARACTER = ["Whitespace", "WhitespaceSplit", "Digits", "Punctuation", "BertPreTokenizer", "UnicodeScripts"]
EVERY = "".join(f"a{chr(code)}1" for code in range(0x110000) if not 0xD800 <= code < 0xE000)
BEHAVIOURS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def byte_level(prefix, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


def split(pattern, behaviour="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behaviour, "invert": invert}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def metaspace(scheme, splits=True, replacement="\u2581"):
    return {"type": "Metaspace", "replacement": replacement, "prepend_scheme": scheme, "split": splits}


def cases():
    for prefix in (False, True):
        for regex in (False, True):
            yield byte_level(prefix, regex)
    for behaviour in BEHAVIOURS:
        for invert in (False, True):
            yield split(r"\s+", behaviour, invert)
            yield split(r"\p{L}|\d", behaviour, invert)
            yield split("(?=[ae])", behaviour, invert)
            yield split("x*", behaviour, invert)
            yield split(" ", behaviour, invert, "String")
            yield split("ab", behaviour, invert, "String")
        yield {"type": "Punctuation", "behavior": behaviour}
        yield split("", behaviour, False, "String")
    yield {"type": "Punctuation"}
    for scheme in ("always", "first", "never"):
        for splits in (False, True):
            yield metaspace(scheme, splits)
            yield sequence({"type": "WhitespaceSplit"}, metaspace(scheme, splits))
            yield sequence({"type": "Digits", "individual_digits": True}, metaspace(scheme, splits))
        yield metaspace(scheme, True, "_")
    yield {"type": "Metaspace", "replacement": "\u2581"}
    yield {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True, "str_rep": "\u2581"}
    for name in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts"):
        yield {"type": name}
    for single in (False, True):
        yield {"type": "Digits", "individual_digits": single}
        yield sequence({"type": "Digits", "individual_digits": single}, byte_level(False))
        yield sequence({"type": "Digits", "individual_digits": single}, byte_level(True))
    yield from ({"type": "CharDelimiterSplit", "delimiter": delimiter} for delimiter in (" ", "a", "\u2581", "\u65e5"))
    yield from ({"type": "FixedLength", "length": length} for length in (1, 2, 5))
    yield {"type": "FixedLength"}
    yield sequence()
    yield sequence(sequence(sequence({"type": "Whitespace"})), {"type": "Punctuation"})
    # As well-known files have them.
    yield sequence(split(GPT2), byte_level(False, False))
    yield sequence(split(LLAMA3), byte_level(False, False))
    yield sequence(split(QWEN2), byte_level(False, False))
    yield sequence(split(TEKKEN), byte_level(False, False))
    yield sequence(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK3), byte_level(False, False))
    yield sequence(split("[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split("[一-龥ࠀ-一가-퟿]+"),
                   {"type": "Digits", "individual_digits": True}, byte_level(False, False))
    yield sequence({"type": "Punctuation", "behavior": "Contiguous"}, split("[0-9][0-9][0-9]"), byte_level(False))
    # Falcon's: what follows ByteLevel sees the printable alphabet.
    digits = {"type": "Digits", "individual_digits": False}
    yield sequence({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(False), digits, split("[0-9][0-9][0-9]"))
    yield sequence(byte_level(True, False), {"type": "Punctuation"}, sequence({"type": "UnicodeScripts"}))
    yield sequence(byte_level(True), split(r"\p{Lu}", "MergedWithNext"), {"type": "FixedLength", "length": 3})
    yield sequence(split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), byte_level(False, False))
    yield sequence(split(r"\p{N}+"), split(r"(?=(\d{3})+(?!\d))"), byte_level(False, False))
    clip = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    yield sequence(split(clip, "Removed", True), byte_level(False))
    yield sequence({"type": "WhitespaceSplit"}, {"type": "Punctuation"}, metaspace("always"))
    yield sequence({"type": "UnicodeScripts"}, {"type": "WhitespaceSplit"}, metaspace("first"))


def alphabet():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {**{chr(byte): byte for byte in printable}, **{chr(256 + at): byte for at, byte in enumerate(rest)}}


ALPHABET = alphabet()


def ends_in_bytes(case):
    if case["type"] == "Sequence":
        return any(map(ends_in_bytes, case["pretokenizers"]))
    return case["type"] == "ByteLevel"


def fingerprint(case, cutter, text):
    at = [0]
    for character in text:
        at.append(at[-1] + len(character.encode()))
    value = 0x811C9DC5
    # Behind ByteLevel a cut may be inside a character, whose place the package does not tell.
    tells = not (case["type"] == "Sequence" and any(map(ends_in_bytes, case["pretokenizers"][:-1])))
    words = [(word, *span) for word, span in cutter.pre_tokenize_str(text) if word]
    for place, (word, first, last) in enumerate(words):
        # A word that is only a prefix stands for nothing; the package has it stand for the character behind it, as the next word does.
        if place + 1 < len(words):
            last = min(last, words[place + 1][1])
        data = bytes(map(ALPHABET.get, word)) if ends_in_bytes(case) else word.encode()
        for byte in (f"{at[first]}-{at[last]}:" if tells else "").encode() + data + b"\xff":
            value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def main():
    texts = list(dict.fromkeys([*WRITTEN, *MORE, *random_texts(80, seed=13)]))
    with open(OUTPUT, "w", encoding="ascii") as output:
        print(json.dumps({"texts": texts}, separators=(",", ":")), file=output)
        for case in cases():
            file = {"version": "1.0", "model": {"type": "BPE", "vocab": {}, "merges": []}, "pre_tokenizer": case}
            cutter = Tokenizer.from_str(json.dumps(file)).pre_tokenizer
            hashes = [fingerprint(case, cutter, text) for text in texts]
            line = {"pre_tokenizer": case, "hashes": hashes}
            if case["type"] in BY_CHARACTER:
                line["every"] = fingerprint(case, cutter, EVERY)
            print(json.dumps(line, separators=(",", ":")), file=output)


if __name__ == "__main__":
    main()
