#!/usr/bin/env python3
"""The peer of teacher-score: transformers with sdpa attention scores every token of token documents. One JSON line.

    venv/bin/python Benchmarks/peer_scoring.py --model MODEL --threads 2 DOCUMENTS.ndjson
    venv/bin/python Benchmarks/peer_scoring.py --model MODEL --serve       one answer for each line {"documents": ..., ...}

MODEL is a Hugging Face folder or SmolLM2's .gguf; documents are {"id": ..., "input_ids": [...]}, one a line; others are passed over.
Requirements: Tests/oracles/requirements-torch.txt. The first `--warm-up` documents are scored before the clock starts.
"""
import argparse
import json
import os
import sys
import time

START = time.perf_counter()
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "oracles"))

import torch  # noqa: E402

from compute_common import peak_memory, serve  # noqa: E402


def load(path, precision):
    if path.endswith(".gguf"):
        from smollm2_model import load_model
        return load_model(path).to(precision)
    from transformers import AutoModelForCausalLM
    return AutoModelForCausalLM.from_pretrained(path, dtype=precision, attn_implementation="sdpa").eval()


def score(model, documents):
    """Log-probabilities of documents, padded on the right to the longest: causal attention never sees the padding."""
    longest = max(len(ids) for ids in documents)
    ids = torch.zeros(len(documents), longest, dtype=torch.long)
    for row, document in zip(ids, documents):
        row[: len(document)] = torch.tensor(document)
    logits = model(input_ids=ids, use_cache=False).logits[:, :-1].float()
    scores = torch.log_softmax(logits, -1).gather(2, ids[:, 1:, None])[..., 0]
    return sum(row[: len(document) - 1].double().sum().item() for row, document in zip(scores, documents))


def measure(model, precision, documents, threads, batch=1, warm_up=1):
    torch.set_num_threads(threads)
    documents = [json.loads(line).get("input_ids", []) for line in open(documents, encoding="utf-8")]
    documents = [ids for ids in documents if len(ids) > 1]
    total = 0.0
    with torch.inference_mode():
        for ids in documents[:warm_up]:
            score(model, [ids])
        start, cpu = time.perf_counter(), time.process_time()
        for first in range(0, len(documents), batch):
            total += score(model, documents[first : first + batch])
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    tokens = sum(map(len, documents))
    return {
        "peer": f"transformers sdpa {precision}", "torch": torch.__version__, "threads": threads,
        "batch_documents": batch, "documents": len(documents), "tokens": tokens, "elapsed_s": round(seconds, 3),
        "cpu_s": round(cpu, 3), "tokens_per_s": round(tokens / seconds, 1), "peak_memory_bytes": peak_memory(),
        "mean_nll_nats_per_token": -total / (tokens - len(documents))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents", nargs="?")
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--batch", type=int, default=1, help="documents read at once (default 1)")
    parser.add_argument("--warm-up", type=int, default=1, help="documents before the clock starts (default 1)")
    parser.add_argument("--serve", action="store_true", help="load once, then measure what lines of standard input ask for")
    arguments = parser.parse_args()
    if not arguments.serve and arguments.documents is None:
        parser.error("documents are missing")
    torch.set_num_threads(arguments.threads)
    model = load(arguments.model, getattr(torch, arguments.precision))
    facts = {"torch": torch.__version__, "load_s": round(time.perf_counter() - START, 2)}
    if arguments.serve:
        serve(facts, lambda **request: measure(model, arguments.precision, **request))
    else:
        one = measure(model, arguments.precision, arguments.documents, arguments.threads, arguments.batch, arguments.warm_up)
        print(json.dumps(facts | one))


if __name__ == "__main__":
    main()
