#!/usr/bin/env python3
"""Expected frequencies of scaled rotary positions, from transformers.

    python3 -m venv venv && venv/bin/pip install -r Tests/oracles/requirements-torch.txt
    venv/bin/python Tests/oracles/rotary_reference.py Tests/fixtures/rotary/expected.safetensors

For each case NAME: NAME.frequencies (float32, radians a position, one for each pair) and NAME.amplitude (float32, the factor on cosines and
sines), as ROPE_INIT_FUNCTIONS gives them. The cases stand in RotaryTests.swift too, by the same names.
"""
import sys

import torch
from safetensors.torch import save_file
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

# name: (head width, theta, maximum positions, positions of the text or None, rope parameters)
CASES = {
    "linear": (64, 10000.0, 2048, None, {"rope_type": "linear", "factor": 4.0}),
    "linear-partial": (64, 10000.0, 2048, None, {"rope_type": "linear", "factor": 2.5, "partial_rotary_factor": 0.25}),
    "dynamic-short": (64, 10000.0, 2048, 100, {"rope_type": "dynamic", "factor": 2.0}),
    "dynamic-long": (64, 10000.0, 2048, 5000, {"rope_type": "dynamic", "factor": 2.0}),
    "llama3": (128, 500000.0, 131072, None, {
        "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192}),
    "llama3-small": (64, 500000.0, 131072, None, {
        "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192}),
    "yarn": (128, 1000000.0, 131072, None, {
        "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}),
    "yarn-options": (64, 10000.0, 65536, None, {
        "rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 4096, "beta_fast": 24.0, "beta_slow": 2.0,
        "attention_factor": 1.25, "truncate": False}),
    "yarn-long": (64, 10000.0, 262144, None, {
        "rope_type": "yarn", "factor": 2.0, "original_max_position_embeddings": 131072}),
    "yarn-degenerate": (16, 10000.0, 64, None, {
        "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 4}),
}


def main():
    tensors = {}
    for name, (width, theta, maximum, length, parameters) in CASES.items():
        config = LlamaConfig(
            hidden_size=4 * width, num_attention_heads=4, head_dim=width, max_position_embeddings=maximum,
            rope_parameters={"rope_theta": theta, **parameters})
        frequencies, amplitude = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config, "cpu", seq_len=length)
        tensors[name + ".frequencies"] = frequencies.float().contiguous()
        tensors[name + ".amplitude"] = torch.tensor([amplitude], dtype=torch.float32)
    save_file(tensors, sys.argv[1])


main()
