"""Writes Tests/fixtures/text/expected.ndjson: ids and byte spans of SmolLM2 (by tokenizers) and Mistral v1 (by sentencepiece).

    python3 -m venv venv && venv/bin/pip install -r Tests/oracles/requirements-tokens.txt && venv/bin/python Tests/oracles/tokens_expected.py

One text a line: {"text": …, "smollm2": [ids, offsets, dropped bytes], "mistral": [ids, offsets]}. Needs the files of scripts/fetch-assets.
"""
import json
import pathlib

import tokens_texts
import tokens_vocabularies as peers

smollm2 = peers.smollm2(peers.cache() / "smollm2.gguf")
smollm2_bytes = peers.byte_level_bytes(smollm2)
mistral = peers.sentencepiece_model(peers.cache() / "mistral-v1.model")
target = pathlib.Path(__file__).parent.parent / "fixtures/text/expected.ndjson"
target.parent.mkdir(parents=True, exist_ok=True)
count = [0, 0, 0]
with target.open("w", encoding="utf-8") as out:
    for text in tokens_texts.texts(peers.cache() / "sympy.whl"):
        ids = smollm2.encode(text, add_special_tokens=False).ids
        spans = peers.byte_level_spans(text, ids, smollm2_bytes)
        dropped = len(text.encode()) - sum(len(smollm2_bytes[at]) for at in ids)
        pieces_ids, pieces = peers.sentencepiece_tokens(mistral, text)
        record = {"text": text, "smollm2": [ids, spans, dropped], "mistral": [pieces_ids, peers.piece_spans(text, pieces, True)]}
        out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")
        count = [count[0] + 1, count[1] + len(ids), count[2] + len(pieces_ids)]
print(f"{target}: {count[0]} texts, {count[1]} and {count[2]} tokens, {target.stat().st_size} bytes")
