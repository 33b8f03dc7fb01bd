#!/usr/bin/env python3
"""The most probable tokens and statistics of SmolLM2-135M's distributions, by transformers in float32, at every 17th token of documents.

    venv/bin/python Tests/oracles/smollm2_top.py MODEL.gguf < Tests/fixtures/smollm2/scores.ndjson > Tests/fixtures/smollm2/top.ndjson

A line a token: {"document": n, "token": t, "ids": [...], "log_probs": [...], "kept_mass": m, "entropy": H, "logit_deviation": s,
"power_sum": sum of p^(1/2)}; ids are the smallest set whose mass at temperature 1 reaches 0.95, of them at most 50.
"""
import json
import sys

import torch

from smollm2_model import load_model


def top(logits, mass=0.95, count=50):
    log_probs = torch.log_softmax(logits.double(), -1)
    values, ids = torch.sort(log_probs, descending=True, stable=True)
    before = values.exp().cumsum(0) - values.exp()
    kept = min(int((before < mass).sum()), count)
    probabilities = log_probs.exp()
    return {
        "ids": ids[:kept].tolist(), "log_probs": [round(x, 6) for x in values[:kept].tolist()],
        "kept_mass": round(float(values[:kept].exp().sum()), 7), "entropy": round(float(-(probabilities * log_probs).sum()), 6),
        "logit_deviation": round(float(logits.double().std(correction=0)), 6), "power_sum": round(float((log_probs / 2).exp().sum()), 5),
    }


def main(path):
    torch.set_num_threads(1)
    model = load_model(path)
    for number, line in enumerate(sys.stdin):
        ids = json.loads(line)["input_ids"]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0]
        for token in range(1, len(ids), 17):
            print(json.dumps({"document": number, "token": token} | top(logits[token - 1]), separators=(",", ":")))


if __name__ == "__main__":
    main(sys.argv[1])
