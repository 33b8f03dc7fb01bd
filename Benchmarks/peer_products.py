#!/usr/bin/env python3
"""The peer of our matrix products: torch.matmul on the shapes of linear maps. Answers requests, one line of JSON each:

    {"threads": 2, "precision": "float32", "shapes": [[2048, 576, 1536], ...], "seconds": 0.4}

An answer has, for each (rows, inputs, outputs), the FLOP/s of y = x Wᵀ and of dx = dy W with dW = dyᵀ x: the best of runs that together
last at least `seconds`, at least 3, as compute-bench takes it. Requirements: Tests/oracles/requirements-torch.txt.
"""
import time

import torch

from compute_common import serve


def best(body, seconds):
    least, total, runs = float("inf"), 0.0, 0
    while runs < 3 or total < seconds:
        start = time.perf_counter()
        body()
        took = time.perf_counter() - start
        least, total, runs = min(least, took), total + took, runs + 1
    return least


def measure(threads, precision, shapes, seconds):
    torch.set_num_threads(threads)
    found = []
    with torch.inference_mode():
        for rows, inputs, outputs in shapes:
            x, w, dy = (torch.rand(size, dtype=getattr(torch, precision)) - 0.5 for size in ((rows, inputs), (outputs, inputs), (rows, outputs)))
            y, dx, dw = torch.empty_like(dy), torch.empty_like(x), torch.empty_like(w)
            size = 2 * rows * inputs * outputs
            forward = best(lambda: torch.matmul(x, w.T, out=y), seconds)
            backward = best(lambda: (torch.matmul(dy, w, out=dx), torch.matmul(dy.T, x, out=dw)), seconds)
            found.append([size / forward, 2 * size / backward])
    return {"threads": threads, "precision": precision, "flops": found}


if __name__ == "__main__":
    serve({"torch": torch.__version__}, measure)
