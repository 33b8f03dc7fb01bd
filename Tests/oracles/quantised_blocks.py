#!/usr/bin/env python3
"""Writes random blocks of every quantised type that is read, and their values by the gguf package, to Tests/fixtures/quantised.

    pip install gguf==0.19.0 numpy; Tests/oracles/quantised_blocks.py

NAME.blocks: raw blocks; NAME.f32: their values, little-endian float32.
"""
import pathlib

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType as Type
from gguf.quants import dequantize

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "quantised"
# Byte offsets of the halves (float16) in a block: all other bytes may be anything.
HALVES = {
    Type.Q8_0: [0], Type.Q4_0: [0], Type.Q4_1: [0, 2], Type.Q5_0: [0], Type.Q5_1: [0, 2], Type.Q4_K: [0, 2], Type.Q5_K: [0, 2], Type.Q6_K: [208],
}


def main() -> None:
    random = np.random.default_rng(20261121)
    FOLDER.mkdir(exist_ok=True)
    for type, places in HALVES.items():
        elements, size = GGML_QUANT_SIZES[type]
        blocks = random.integers(0, 256, (1024 // elements, size), dtype=np.uint8)
        for place in places:
            scales = (random.standard_normal(len(blocks)) * 10.0 ** random.integers(-6, 3, len(blocks))).astype(np.float16)
            blocks[:, place:place + 2] = scales.view(np.uint8).reshape(-1, 2)
        values = dequantize(blocks.reshape(-1), type).astype("<f4")
        (FOLDER / f"{type.name.lower()}.blocks").write_bytes(blocks.tobytes())
        (FOLDER / f"{type.name.lower()}.f32").write_bytes(values.tobytes())


if __name__ == "__main__":
    main()
