#!/usr/bin/env python3
"""Opens with transformers what `train` saves of every family, and compares the logits with those of the original.

    venv/bin/python Tests/oracles/family_exports.py .build/release/train [Tests/fixtures/families]

Each tiny model takes one step with a learning rate of 0, which leaves it as it was; it is saved in float32 (--out) and bfloat16
(--export). One line a family; ends with 1 when a tensor is missing or unknown to transformers, the float32 logits differ by more than
1e-5, or the bfloat16 ones by more than those of transformers' own rounding.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM
from transformers.utils import logging


def logits(folder, ids, dtype=torch.float32):
    model, report = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, output_loading_info=True)
    keys = sorted(report["missing_keys"]) + sorted(report["unexpected_keys"])
    with torch.no_grad():
        return model.eval().float()(input_ids=ids[None]).logits[0], keys, type(model).__name__


def check(train, folder, scratch):
    with safe_open(folder / "expected.safetensors", "pt") as file:
        ids = file.get_tensor("ids").long()[:37]
    tokens = scratch / "tokens.ndjson"
    header = {"stream": "tokens", "version": 1, "vocabulary_size": 101}
    record = {"id": "0", "text_hash": "0" * 16, "input_ids": ids.tolist(), "offsets": [[i, i + 1] for i in range(len(ids))]}
    tokens.write_text("".join(json.dumps(line) + "\n" for line in (header, record)))
    out, export = scratch / "out", scratch / "export"
    subprocess.run(
        [train, "--model", folder, "--out", out, "--export", export, "--steps", "1", "--learning-rate", "0", "--sequence-length", "37",
         "--bos", "never", "--eos", "never", tokens], check=True, stdout=subprocess.DEVNULL)
    expected, _, _ = logits(folder, ids)
    rounded, _, _ = logits(folder, ids, torch.bfloat16)
    saved, missing, kind = logits(out, ids)
    half, missing_half, _ = logits(export, ids, torch.bfloat16)
    differences = [(saved - expected).abs().max().item(), (half - rounded).abs().max().item()]
    good = not missing and not missing_half and differences[0] <= 1e-5 and differences[1] <= 1e-5
    print(json.dumps({"family": folder.name, "class": kind, "float32_difference": differences[0], "bfloat16_difference": differences[1],
                      "keys_missing_or_unknown": missing + missing_half, "good": good}))
    return good


def main(train, folder="Tests/fixtures/families"):
    logging.set_verbosity_error()
    good = True
    for family in sorted(pathlib.Path(folder).iterdir()):
        with tempfile.TemporaryDirectory() as scratch:
            good &= check(train, family, pathlib.Path(scratch))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
