#!/usr/bin/env python3
"""The peer of teacher-score: transformers with sdpa attention scores every token of token documents. One JSON line.

    venv/bin/python Benchmarks/peer_scoring.py --model MODEL --threads 2 DOCUMENTS.ndjson

MODEL is a Hugging Face folder or SmolLM2's .gguf; documents are {"id": ..., "input_ids": [...]}, one a line.
Requirements: Tests/oracles/requirements-torch.txt. The first `--warm-up` documents are scored before the clock starts.
"""
import argparse
import json
import os
import resource
import sys
import time

START = time.perf_counter()
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "oracles"))

import torch  # noqa: E402


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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("documents")
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], default="float32")
    parser.add_argument("--batch", type=int, default=1, help="documents read at once (default 1)")
    parser.add_argument("--warm-up", type=int, default=1, help="documents before the clock starts (default 1)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    documents = [json.loads(line)["input_ids"] for line in open(arguments.documents, encoding="utf-8")]
    documents = [ids for ids in documents if len(ids) > 1]
    model = load(arguments.model, getattr(torch, arguments.precision))
    loaded = time.perf_counter()
    total = 0.0
    with torch.inference_mode():
        for ids in documents[: arguments.warm_up]:
            score(model, [ids])
        start, cpu = time.perf_counter(), time.process_time()
        for first in range(0, len(documents), arguments.batch):
            total += score(model, documents[first : first + arguments.batch])
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    tokens = sum(map(len, documents))
    print(json.dumps({
        "peer": f"transformers sdpa {arguments.precision}", "torch": torch.__version__, "threads": arguments.threads,
        "batch_documents": arguments.batch, "documents": len(documents), "tokens": tokens, "elapsed_s": round(seconds, 3),
        "cpu_s": round(cpu, 3), "tokens_per_s": round(tokens / seconds, 1), "load_s": round(loaded - START, 2),
        "peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "mean_nll_nats_per_token": -total / (tokens - len(documents))}))


if __name__ == "__main__":
    main()
