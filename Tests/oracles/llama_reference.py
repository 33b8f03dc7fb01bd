#!/usr/bin/env python3
"""Expected values of two tiny Llamas, from transformers and torch in float32.

    python3 -m venv venv && venv/bin/pip install -r Tests/oracles/requirements-torch.txt
    venv/bin/python Tests/oracles/llama_reference.py Tests/fixtures/llama

For each of `untied` and `tied` it writes, as safetensors of less than 100 kB:
  NAME.weights       seeded parameters of LlamaForCausalLM, under their Hugging Face names
  NAME.gradients     gradients of cross-entropy on the first batch
  NAME.guided        gradients of the guided loss on the first batch (untied only)
  NAME.trained       parameters after ten clipped AdamW steps, one batch each
  NAME.expected      the ten batches, log-probabilities, losses, gradient norms
  NAME.logits        logits of the first batch: every id of every row
Every segment goes through the model alone: nothing here knows of packing.
"""
import math
import sys

import numpy
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

SPLITS = [0, 23, 24, 60, 77]
ROWS, BATCHES, VOCABULARY = 77, 10, 101
SELECT, RATE, CLIP = 0.4, 3e-3, 1.0


def tiny(tied, seed):
    """Two layers of width 32: 4 heads over 2 key heads; norms away from 1, weights large enough to matter."""
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
        intermediate_size=48, max_position_embeddings=64, rms_norm_eps=1e-5, tie_word_embeddings=tied,
        attn_implementation="sdpa")).float()
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=random)
            parameter.copy_(1 + 0.2 * noise if parameter.dim() == 1 else 0.15 * noise)
    assert model.config.rope_parameters["rope_theta"] == 10000.0
    return model


def draw_batches(seed):
    random = numpy.random.default_rng(seed)
    inputs = random.integers(0, VOCABULARY, (BATCHES, ROWS))
    targets = random.integers(0, VOCABULARY, (BATCHES, ROWS))
    targets[random.random((BATCHES, ROWS)) < 0.1] = -1
    teacher = random.gamma(4, 1.2, (BATCHES, ROWS)).astype(numpy.float32)
    teacher[random.random((BATCHES, ROWS)) < 0.2] = numpy.nan
    return torch.tensor(inputs), torch.tensor(targets), torch.tensor(teacher)


def token_losses(model, inputs, targets):
    """-log p(target) for every row, NaN without one; logits segment by segment."""
    logits = torch.cat([model(input_ids=inputs[a:b][None]).logits[0] for a, b in zip(SPLITS, SPLITS[1:])])
    losses = -torch.log_softmax(logits, -1).gather(1, targets.clamp(min=0)[:, None])[:, 0]
    return torch.where(targets >= 0, losses, math.nan)


def all_logits(model, inputs):
    """Logits of every row, segment by segment."""
    with torch.no_grad():
        return torch.cat([model(input_ids=inputs[a:b][None]).logits[0] for a, b in zip(SPLITS, SPLITS[1:])])


def guided_weights(losses, teacher):
    """W of the guided loss: unmapped rows, and the largest differences among the mapped, lower rows first."""
    weights = (~losses.isnan()).float()
    mapped = [i for i in range(ROWS) if weights[i] == 1 and not teacher[i].isnan()]
    difference = {i: losses[i].item() - teacher[i].item() for i in mapped}
    keep = max(1, math.floor(SELECT * len(mapped)))
    for i in sorted(mapped, key=lambda i: (-difference[i], i))[keep:]:
        weights[i] = 0
    return weights


def weighted_mean(losses, weights):
    return (weights * losses.nan_to_num()).sum() / weights.sum()


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


def train(model, inputs, targets):
    decay = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    optimiser = torch.optim.AdamW(
        [{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=RATE, betas=(0.9, 0.95), eps=1e-8)
    losses, norms = [], []
    for i in range(BATCHES):
        optimiser.zero_grad()
        row_losses = token_losses(model, inputs[i], targets[i])
        loss = weighted_mean(row_losses, (targets[i] >= 0).float())
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP).item())
        optimiser.step()
        losses.append(loss.item())
    return losses, norms


def main(folder):
    for tied, seed in [(False, 1), (True, 2)]:
        prefix = f"{folder}/{'tied' if tied else 'untied'}"
        model = tiny(tied, seed)
        inputs, targets, teacher = draw_batches(seed)
        save_file({name: p.detach().clone() for name, p in model.named_parameters()}, f"{prefix}.weights.safetensors")
        save_file({"logits": all_logits(model, inputs[0])}, f"{prefix}.logits.safetensors")
        first = token_losses(model, inputs[0], targets[0])
        plain = weighted_mean(first, (targets[0] >= 0).float())
        save_file(gradients(model, plain), f"{prefix}.gradients.safetensors")
        weights = guided_weights(first.detach(), teacher[0])
        guided = weighted_mean(token_losses(model, inputs[0], targets[0]), weights)
        if not tied:
            save_file(gradients(model, guided), f"{prefix}.guided.safetensors")
        losses, norms = train(model, inputs, targets)
        save_file({name: p.detach().clone() for name, p in model.named_parameters()}, f"{prefix}.trained.safetensors")
        save_file({
            "inputs": inputs.int(), "targets": targets.int(), "teacher_losses": teacher, "splits": torch.tensor(SPLITS).int(),
            "losses": first.detach(), "guided_weights": weights, "guided_loss": guided.detach().double().reshape(1),
            "step_losses": torch.tensor(losses, dtype=torch.float64), "step_norms": torch.tensor(norms, dtype=torch.float64),
        }, f"{prefix}.expected.safetensors")
        print(prefix, "losses", losses[0], losses[-1], "guided", guided.item(), "norms", min(norms), max(norms))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1])
