"""Compares the built `tokenize` with the peers on many texts: ids and the tiling of spans. For a vocabulary too large to commit.

    swift build -c release --product tokenize && venv/bin/python Tests/oracles/tokens_differential.py .build/release/tokenize [TEXTS]

Vocabularies: SmolLM2 as GGUF and as tokenizer.json, Mistral v1 as .model and as tokenizer.json in four spellings (legacy, and
Metaspace's three schemes). Texts: those of tokens_texts.py and TEXTS random ones (default 2000). Prints one line a vocabulary; ends with 1 on a difference.
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import tokens_texts
import tokens_vocabularies as peers

tool = sys.argv[1]
count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000


def random_texts(count):
    generator = random.Random(1)
    pools = ["abc ABC'sdtrevml.,!?-_()<|>", " \t\n\r\u00a0\u2003\u3000\u200b\u0085", "0123456789\u0661\u00b2\u2167\u0967\U00011de0", "\u00e9\u0301\u0327\u4e00\u6570\u3042\ud55c\u1112\u1161\u0e01\u0e31\u0915\u094d\u0627\u064b", "\U0001f600\U0001f468\u200d\ufe0f\u2581", "\x00\x04\x06\x1d\x7f"]
    words = ["the", " the", "ing", "<s>", "</s>", "<|im_end|>", "<|endoftext|>", "'ll", "return", "    ", "\n\n", "\u2581\u2581"]
    for _ in range(count):
        parts = []
        for _ in range(generator.randint(1, 30)):
            kind = generator.random()
            if kind < 0.25:
                parts.append(generator.choice(words))
            elif kind < 0.95:
                pool = generator.choice(pools)
                parts.append("".join(generator.choice(pool) for _ in range(generator.randint(1, 4))))
            else:
                code = generator.randrange(0x110000)
                parts.append(chr(code) if not 0xD800 <= code < 0xE000 else "x")
        yield "".join(parts)


def ours(vocabulary, corpus):
    out = subprocess.run([tool, "--no-provenance", "--format", "ndjson", "--tokenizer", str(vocabulary), str(corpus)], check=True, capture_output=True).stdout
    return [record for record in map(json.loads, out.splitlines()) if "input_ids" in record]


def main():
    cache = peers.cache()
    texts = tokens_texts.texts(cache / "sympy.whl") + list(random_texts(count))
    smollm2 = peers.smollm2(cache / "smollm2.gguf")
    mistral = peers.sentencepiece_model(cache / "mistral-v1.model")
    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        corpus = folder / "corpus.ndjson"
        corpus.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        peers.write_json(smollm2, folder / "smollm2.json")
        cases = [("SmolLM2 GGUF", cache / "smollm2.gguf", smollm2), ("SmolLM2 tokenizer.json", folder / "smollm2.json", smollm2), ("Mistral .model", cache / "mistral-v1.model", mistral)]
        for scheme in ("legacy", "first", "always", "never"):
            tokenizer = peers.mistral_json(cache / "mistral-v1.model", scheme)
            peers.write_json(tokenizer, folder / f"{scheme}.json")
            cases.append((f"Mistral tokenizer.json {scheme}", folder / f"{scheme}.json", tokenizer))
        for title, path, peer in cases:
            differences, tokens = 0, 0
            for text, record in zip(texts, ours(path, corpus), strict=True):
                ids = peer.encode(text) if peer is mistral else peer.encode(text, add_special_tokens=False).ids
                offsets = record["offsets"]
                tokens += len(ids)
                tiles = all(left[1] <= right[0] for left, right in zip(offsets, offsets[1:])) and all(start <= end <= len(text.encode()) for start, end in offsets)
                if path.suffix != ".gguf" and "smollm2" not in path.name:
                    tiles = tiles and sum(end - start for start, end in offsets) == len(text.encode())
                if ids != record["input_ids"] or not tiles:
                    differences += 1
                    if differences <= 3:
                        print(f"{title}: {text!r}\n  peer {ids}\n  ours {record['input_ids']} {offsets}")
            print(f"{title}: {len(texts)} texts, {tokens} tokens, {differences} differ")
            failed = failed or differences > 0
    sys.exit(1 if failed else 0)


main()
