"""Writes Tests/fixtures/text/decoded.ndjson: what the peers make of tokens when they are made text again.

    venv/bin/python Tests/oracles/tokens_decoded.py        (after tokens_shapes.py and tokens_branches.py)

One list of ids a line: {"file": below Tests/fixtures/text, "ids": [...], "text": ...}: the tokens of the texts of tokens_shapes.py,
with special tokens where the file asks for some, and ids drawn at random. tokenizers decodes with skip_special_tokens=False. Lines in
which a peer writes U+FFFD are left out: ours keeps bytes that make up no character. So are those in which sentencepiece writes its sign
for an unknown piece: ours stands for no bytes.

plain.ndjson: {"file", "text", "ids"}, strings of added tokens read as text: by a peer of whose file the added tokens are taken out.
"""
import json
import pathlib
import random

import sentencepiece
from tokenizers import Tokenizer

import exact_peers

folder = pathlib.Path(__file__).parent.parent / "fixtures/text"
BOTH = ["branches/byte-level", "branches/byte-level-prefix", "branches/legacy", "branches/metaspace-first", "branches/metaspace-always-split", "branches/metaspace-never", "shapes/template", "shapes/word-piece",
        "shapes/word-piece-plain", "shapes/unigram", "shapes/unigram-whole"]
MODELS = ["branches/plain", "branches/symbols", "branches/unknown", "shapes/spm-unigram", "shapes/spm-unigram-bytes", "shapes/spm-unigram-symbols", "shapes/spm-unigram-no-prefix", "shapes/spm-bpe-strips"]


def main():
    texts = [json.loads(line) for line in (folder / "shapes/texts.ndjson").read_text().splitlines()][::4]
    generator = random.Random(3)
    lines = []

    def add(file, ids, text):
        if "\ufffd" not in text and "\u2047" not in text:
            lines.append(json.dumps({"file": file, "ids": ids, "text": text}, separators=(",", ":")))

    for name in BOTH:
        tokenizer = Tokenizer.from_file(str(folder / f"{name}.json"))
        size = max(tokenizer.get_vocab().values()) + 1
        known = [at for at in range(size) if tokenizer.id_to_token(at) is not None]
        for ids in [tokenizer.encode(text).ids for text in texts] + [[generator.choice(known) for _ in range(generator.randrange(1, 9))] for _ in range(60)]:
            add(f"{name}.json", ids, tokenizer.decode(ids, skip_special_tokens=False))
    for name in MODELS:
        processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / f"{name}.model"))
        for ids in [processor.encode(text) for text in texts] + [[generator.randrange(processor.get_piece_size()) for _ in range(generator.randrange(1, 9))] for _ in range(60)]:
            add(f"{name}.model", ids, processor.decode(ids))
    (folder / "decoded.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    plain = []
    for name in ("shapes/template", "shapes/added-nfc", "shapes/added-lowercase", "shapes/split-llama3", "branches/byte-level-added", "branches/legacy"):
        peer = exact_peers.HuggingFace(Tokenizer.from_file(str(folder / f"{name}.json")), plain=True)
        own = [*texts[:12], "<s>the cat</s> <s> x", "cat cats concat cat.", "Hello WORLD  caf\u00e9 <|x|>", "a<|end|>b <unk></s>"]
        for text, ids in zip(own, peer.ids(own), strict=True):
            plain.append(json.dumps({"file": f"{name}.json", "text": text, "ids": ids}, separators=(",", ":")))
    (folder / "plain.ndjson").write_text("\n".join(plain) + "\n", encoding="utf-8")
    print(f"{len(lines)} and {len(plain)} lines")


main()
