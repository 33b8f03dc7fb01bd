#!/usr/bin/env python3
"""Tiny random models of every family, and what transformers and torch compute with them in float32.

    python3 -m venv venv && venv/bin/pip install -r Tests/oracles/requirements-torch.txt
    venv/bin/python Tests/oracles/family_reference.py Tests/fixtures/families [NAME ...]

For each family (two or three layers, odd sizes, seeded) a folder NAME with
  config.json, model.safetensors   as save_pretrained writes them
  expected.safetensors             two segments of ids; their logits; the gradients of the mean cross-entropy of predicting each next
                                   id, sampled: of every tensor its sum of squares and up to 64 values at regular places
Every segment goes through the model alone.
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

SPLITS = [0, 37, 60]
SAMPLES = 64
VOCABULARY = 101
LLAMA_SHAPE = dict(
    vocab_size=VOCABULARY, hidden_size=44, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, head_dim=12,
    intermediate_size=52, max_position_embeddings=64, rms_norm_eps=1e-5)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=16)

FAMILIES = {
    "llama": dict(model_type="llama", **LLAMA_SHAPE | {"max_position_embeddings": 128}, attention_bias=True, mlp_bias=True,
                  rope_parameters=LLAMA3),
    "mistral": dict(model_type="mistral", **LLAMA_SHAPE, sliding_window=9, rope_parameters=dict(rope_type="default", rope_theta=20000.0)),
    "qwen2": dict(model_type="qwen2", **LLAMA_SHAPE | {"num_hidden_layers": 3}, tie_word_embeddings=True, use_sliding_window=True,
                  sliding_window=7, max_window_layers=1, rope_parameters=YARN),
    "qwen3": dict(model_type="qwen3", **LLAMA_SHAPE, rope_parameters=dict(rope_type="linear", rope_theta=10000.0, factor=2.0)),
    "glm": dict(model_type="glm", **LLAMA_SHAPE | {"hidden_size": 48}, pad_token_id=VOCABULARY - 1, eos_token_id=[3, 5]),
    "glm4": dict(model_type="glm4", **LLAMA_SHAPE, pad_token_id=VOCABULARY - 1, eos_token_id=[3, 5]),
    "gpt2": dict(model_type="gpt2", vocab_size=VOCABULARY, n_embd=44, n_layer=2, n_head=4, n_positions=64, n_inner=60,
                 bos_token_id=0, eos_token_id=0),
    "gpt_neox": dict(model_type="gpt_neox", vocab_size=VOCABULARY, hidden_size=48, num_hidden_layers=2, num_attention_heads=3,
                     intermediate_size=60, max_position_embeddings=64, rotary_pct=0.25, rotary_emb_base=10000),
    "gpt_neox_sequential": dict(model_type="gpt_neox", vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                                intermediate_size=40, max_position_embeddings=64, use_parallel_residual=False, attention_bias=False),
    "mamba": dict(model_type="mamba", vocab_size=VOCABULARY, hidden_size=36, num_hidden_layers=2, state_size=5, conv_kernel=4,
                  expand=2, time_step_rank=3),
    "mamba_bias": dict(model_type="mamba", vocab_size=VOCABULARY, hidden_size=20, num_hidden_layers=1, state_size=4, conv_kernel=3,
                       expand=2, use_bias=True, use_conv_bias=False, tie_word_embeddings=False),
}


def tiny(settings, seed):
    """Weights large enough to matter; gains and biases away from 1 and 0."""
    settings = dict(settings)
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    if config.model_type != "mamba":
        config._attn_implementation = "sdpa"
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=random)
            if name.endswith((".A_log", "dt_proj.bias")):
                parameter.add_(0.1 * noise)
            elif name.endswith(".D") or "norm" in name.split(".")[-2] or "ln_" in name.split(".")[-2]:
                parameter.copy_(0.2 * noise + (0 if name.endswith("bias") else 1))
            else:
                parameter.copy_(0.15 * noise)
    return model.eval()


def sample(values):
    """Up to SAMPLES values at regular places."""
    flat = values.flatten()
    places = torch.arange(min(SAMPLES, len(flat))) * len(flat) // min(SAMPLES, len(flat))
    return flat[places].clone()


def main(folder, names):
    for seed, (name, settings) in enumerate(FAMILIES.items(), start=1):
        if names and name not in names:
            continue
        path = pathlib.Path(folder) / name
        model = tiny(settings, seed)
        model.save_pretrained(path)
        (path / "generation_config.json").unlink(missing_ok=True)
        # Not the last id: it pads, and torch gives its embedding no gradient.
        ids = torch.randint(0, VOCABULARY - 1, (SPLITS[-1],), generator=torch.Generator().manual_seed(100 + seed))
        logits, losses = [], []
        for first, end in zip(SPLITS, SPLITS[1:]):
            part = model(input_ids=ids[first:end][None]).logits[0]
            logits.append(part)
            losses.append(torch.nn.functional.cross_entropy(part[:-1], ids[first + 1:end], reduction="sum"))
        loss = sum(losses) / (SPLITS[-1] - len(SPLITS) + 1)
        loss.backward()
        # Under the names that the file has.
        stored = set(json.loads((path / "model.safetensors").read_bytes()[8:][:int.from_bytes(
            (path / "model.safetensors").read_bytes()[:8], "little")]))
        expected = {"ids": ids.int(), "splits": torch.tensor(SPLITS).int(), "logits": torch.cat(logits).detach(),
                    "loss": loss.detach().reshape(1)}
        for parameter_name, parameter in model.named_parameters():
            if parameter_name not in stored:
                print(name, "is not stored:", parameter_name)
            expected["squares." + parameter_name] = parameter.grad.double().square().sum().reshape(1)
            expected["sample." + parameter_name] = sample(parameter.grad)
        save_file(expected, path / "expected.safetensors")
        print(name, "loss", loss.item(), "logits up to", torch.cat(logits).abs().max().item(),
              {file.name: file.stat().st_size for file in path.iterdir()})


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1], sys.argv[2:])
