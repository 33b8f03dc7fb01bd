#!/usr/bin/env python3
"""Log-probabilities of token documents under SmolLM2-135M, by transformers with sdpa attention.

    venv/bin/python Tests/oracles/smollm2_logprobs.py MODEL.gguf < DOCUMENTS.ndjson > SCORES.ndjson

Each line {"id": ..., "input_ids": [...]} comes out again with two arrays, null where a token has nothing before it:
  log_probs          in float32, as people run it
  log_probs_float64  the same weights with all arithmetic in float64, rotary angles and norms too, which transformers does in float32
"""
import json
import sys

import torch
from transformers.models.llama import modeling_llama

from smollm2_model import load_model, log_probabilities


class ExactRotary(torch.nn.Module):
    """Rotary cosines and sines of float64 angles."""

    def __init__(self, config):
        super().__init__()
        width = config.hidden_size // config.num_attention_heads
        theta = config.rope_parameters["rope_theta"]
        self.frequencies = theta ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)

    def forward(self, x, position_ids):
        angles = position_ids[..., None].double() * self.frequencies
        angles = torch.cat([angles, angles], -1)
        return angles.cos(), angles.sin()


def exact_norm(self, x):
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


def rounded(values):
    return [None] + [float(f"{value:.9g}") for value in values.tolist()]


def main(path):
    torch.set_num_threads(2)
    documents = [json.loads(line) for line in sys.stdin]
    model = load_model(path)
    for document in documents:
        document["log_probs"] = rounded(log_probabilities(model, document["input_ids"]))
    model.double()
    model.model.rotary_emb = ExactRotary(model.config)
    modeling_llama.LlamaRMSNorm.forward = exact_norm
    for document in documents:
        document["log_probs_float64"] = rounded(log_probabilities(model, document["input_ids"]))
        print(json.dumps(document, separators=(",", ":")))


if __name__ == "__main__":
    main(sys.argv[1])
