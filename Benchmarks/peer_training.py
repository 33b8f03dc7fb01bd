#!/usr/bin/env python3
"""The peer of train: torch trains a transformers Llama by cross-entropy with fused AdamW. One JSON line.

    venv/bin/python Benchmarks/peer_training.py --config config.json --batch 4 --sequence-length 512 --threads 2

Weights and tokens are drawn anew; a step is forward, backward, clipping to norm 1 and an update, in eager float32 unless asked otherwise.
Requirements: Tests/oracles/requirements-torch.txt. The first --warm-up steps come before the clock starts.
"""
import argparse
import json
import statistics
import time

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from compute_common import peak_memory


def optimiser_of(model):
    decay = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=6e-4, betas=(0.9, 0.95), eps=1e-8, fused=True)


def step(model, optimiser, ids, autocast):
    optimiser.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten())
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimiser.step()
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="a config.json, or a folder with one")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--sequence-length", type=int, default=512)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--warm-up", type=int, default=2, help="steps before the clock starts (default 2)")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--autocast", action="store_true", help="bfloat16 autocast")
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(arguments.config)
    model = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa", dtype=torch.float32).train()
    optimiser = optimiser_of(model)
    run = torch.compile(model) if arguments.compile else model
    shape = (arguments.steps + arguments.warm_up, arguments.batch, arguments.sequence_length + 1)
    batches = torch.randint(0, config.vocab_size, shape)
    begun = time.perf_counter()
    losses = [step(run, optimiser, ids, arguments.autocast) for ids in batches[: arguments.warm_up]]
    start, cpu, times = time.perf_counter(), time.process_time(), []
    for ids in batches[arguments.warm_up :]:
        began = time.perf_counter()
        losses.append(step(run, optimiser, ids, arguments.autocast))
        times.append(time.perf_counter() - began)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    step_tokens = arguments.batch * arguments.sequence_length
    tokens = arguments.steps * step_tokens
    kind = ("compiled " if arguments.compile else "eager ") + ("bfloat16 autocast" if arguments.autocast else "float32")
    print(json.dumps({
        "peer": f"torch {kind}", "torch": torch.__version__, "threads": arguments.threads,
        "parameters": sum(p.numel() for p in model.parameters()), "batch_tokens": step_tokens,
        "steps": arguments.steps, "warm_up_s": round(start - begun, 3), "elapsed_s": round(seconds, 3), "cpu_s": round(cpu, 3),
        "tokens_per_s": round(tokens / seconds, 1), "median_tokens_per_s": round(step_tokens / statistics.median(times), 1),
        "peak_memory_bytes": peak_memory(), "first_loss_nats_per_token": losses[0], "last_loss_nats_per_token": losses[-1]}))


if __name__ == "__main__":
    main()
