#!/usr/bin/env python3
"""Token documents for the SmolLM2 tests: docstrings of sympy 1.14.0, tokenised by Hugging Face's tokenizers.

    pip download --no-deps sympy==1.14.0
    venv/bin/python Tests/oracles/smollm2_documents.py MODEL.gguf sympy-1.14.0-py3-none-any.whl [COUNT [LONGEST]] > DOCUMENTS.ndjson

Module docstrings in the order of their file names, at least 150 tokens, cut to LONGEST, spread evenly; one of a single token comes first.
"""
import ast
import json
import sys
import zipfile

from smollm2_model import load_tokenizer


def docstrings(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(archive.namelist()):
            if name.startswith("sympy/") and name.endswith(".py") and "/tests/" not in name:
                text = ast.get_docstring(ast.parse(archive.read(name)))
                if text:
                    yield name, text


def main(model, wheel, count=6, longest=600):
    tokenizer = load_tokenizer(model)
    documents = [(name, tokenizer.encode(text).ids[:longest]) for name, text in docstrings(wheel)]
    documents = [(name, ids) for name, ids in documents if len(ids) >= 150]
    chosen = documents[:: max(1, len(documents) // (count - 1))][: count - 1]
    for name, ids in [("one token", chosen[0][1][:1])] + chosen:
        print(json.dumps({"id": name, "input_ids": ids}, separators=(",", ":")))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *(int(argument) for argument in sys.argv[3:]))
