#!/usr/bin/env python3
"""Opens an exported model folder with transformers and compares its log-probabilities with those of teacher-score.

    teacher-score --model FOLDER --bos never --format ndjson TOKENS > SCORES.ndjson
    venv/bin/python Tests/oracles/export_opens.py FOLDER SCORES.ndjson

Prints one JSON line; ends with 1 when a tensor of the folder is missing or unknown to transformers, or the scores disagree
by more than 1e-3 anywhere, by more than 1e-4 in a token of a thousand, or by more than 1e-4 of the mean.
"""
import json
import sys

import torch
from transformers import AutoModelForCausalLM

from smollm2_model import log_probabilities


def main(folder, scores):
    model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    model.eval()
    differences, ours, theirs = [], 0.0, 0.0
    for line in open(scores, encoding="utf-8"):
        document = json.loads(line)
        ids = document.get("input_ids", [])
        if len(ids) < 2:
            continue
        expected = log_probabilities(model, ids).double()
        actual = torch.tensor(document["log_probs"][1:], dtype=torch.float64)
        differences.append((expected - actual).abs())
        ours += actual.sum().item()
        theirs += expected.sum().item()
    difference = torch.cat(differences)
    result = {
        "architecture": type(model).__name__, "tokens": len(difference), "largest_difference": difference.max().item(),
        "share_above_1e-4": (difference > 1e-4).double().mean().item(), "mean_nll_ours": -ours / len(difference),
        "mean_nll_transformers": -theirs / len(difference),
        "missing_keys": sorted(report["missing_keys"]), "unexpected_keys": sorted(report["unexpected_keys"]),
    }
    print(json.dumps(result))
    good = (
        not result["missing_keys"] and not result["unexpected_keys"] and result["largest_difference"] <= 1e-3
        and result["share_above_1e-4"] <= 1e-3 and abs(ours - theirs) <= 1e-4 * abs(theirs))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
