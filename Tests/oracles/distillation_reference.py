#!/usr/bin/env python3
"""Expected values of the distillation losses on the tiny untied Llama, by torch's autograd in float32.

    venv/bin/python Tests/oracles/distillation_reference.py Tests/fixtures/llama

Reads untied.weights and untied.expected (llama_reference.py) and writes untied.distilled: teacher's lists for the first batch (teacher_splits,
teacher_ids, teacher_log_probs), and for each CASE its loss (loss.CASE, float64: mixed, cross-entropy, divergence) and every gradient
(CASE.PARAMETER). The divergences are written out over probabilities of the whole vocabulary, the tail as one more outcome.
"""
import sys

import numpy
import torch
from safetensors.torch import load_file, save_file

from llama_reference import ROWS, SPLITS, VOCABULARY, gradients, guided_weights, tiny

# name, divergence, temperature, alpha, share of the selected tokens
CASES = [
    ("nll", "nll", 2.0, 0.7, None), ("forward-kl", "forward-kl", 0.5, 1.0, None), ("reverse-kl", "reverse-kl", 1.0, 0.5, None),
    ("jsd", "jsd", 2.0, 0.9, None), ("mse", "mse", 1.0, 0.3, None), ("guided", "forward-kl", 1.0, 0.5, 0.4),
]


def teacher_lists(seed):
    """Top-12 lists of random distributions; every seventh row has none."""
    random = torch.Generator().manual_seed(seed)
    log_probs = torch.log_softmax(2 * torch.randn((ROWS, VOCABULARY), generator=random), -1)
    splits, ids, values = [0], [], []
    for row in range(ROWS):
        if row % 7 != 3:
            top = torch.topk(log_probs[row], 12 - row % 5)
            ids += top.indices.tolist()
            values += top.values.half().float().tolist()
        splits.append(len(ids))
    return splits, ids, values


def divergence(kind, temperature, student, ids, teacher):
    """student: log-probabilities of a row over the vocabulary; teacher: log-probabilities of ids."""
    kept = student[ids]
    if kind in ("nll", "forward-kl"):
        f = torch.softmax(teacher / temperature, -1)
        nll = -(f * kept).sum()
        return nll if kind == "nll" else nll + (f * f.log()).sum()
    if kind == "mse":
        return ((kept - teacher) ** 2).mean()
    tail = torch.log1p(-teacher.double().exp().sum()).float()
    f = torch.softmax(torch.cat([teacher, tail[None]]) / temperature, -1)
    others = torch.ones(VOCABULARY, dtype=torch.bool)
    others[ids] = False
    p = torch.cat([kept.exp(), student[others].exp().sum()[None]])
    if kind == "reverse-kl":
        return (p * (p.log() - f.log())).sum()
    m = (f + p) / 2
    return 0.5 * (f * (f.log() - m.log())).sum() + 0.5 * (p * (p.log() - m.log())).sum()


def main(folder):
    prefix = f"{folder}/untied"
    expected = load_file(f"{prefix}.expected.safetensors")
    model = tiny(False, 1)
    inputs, targets, guide = expected["inputs"][0].long(), expected["targets"][0].long(), expected["teacher_losses"][0]
    splits, ids, values = teacher_lists(5)
    out = {"teacher_splits": torch.tensor(splits).int(), "teacher_ids": torch.tensor(ids).int(), "teacher_log_probs": torch.tensor(values)}
    for name, kind, temperature, alpha, select in CASES:
        logits = torch.cat([model(input_ids=inputs[a:b][None]).logits[0] for a, b in zip(SPLITS, SPLITS[1:])])
        student = torch.log_softmax(logits, -1)
        rows = [i for i in range(ROWS) if targets[i] >= 0]
        losses = -student[torch.arange(ROWS), targets.clamp(min=0)]
        weights = (targets >= 0).float()
        if select:
            weights = guided_weights(torch.where(targets >= 0, losses, torch.nan).detach(), guide)
        crossentropy = (weights * losses).sum() / weights.sum()
        taught = [i for i in rows if splits[i] < splits[i + 1]]
        mean = torch.stack([
            divergence(kind, temperature, student[i], torch.tensor(ids[splits[i]:splits[i + 1]]), torch.tensor(values[splits[i]:splits[i + 1]]))
            for i in taught]).mean()
        loss = (1 - alpha) * crossentropy + alpha * mean
        for parameter, gradient in gradients(model, loss).items():
            out[f"{name}.{parameter}"] = gradient
        out[f"loss.{name}"] = torch.tensor([loss.item(), crossentropy.item(), mean.item()], dtype=torch.float64)
        print(name, loss.item(), mean.item())
    save_file(out, f"{prefix}.distilled.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(sys.argv[1])
