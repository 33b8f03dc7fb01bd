#!/usr/bin/env python3
"""A tiny Llama as GGUF, in every type that is read, and its weights in float32 under Hugging Face names.

    python3 -m venv venv && venv/bin/pip install -r Tests/oracles/requirements-torch.txt
    venv/bin/python Tests/oracles/gguf_models.py Tests/fixtures/gguf

Writes mixed.gguf and mixed.weights.safetensors (about 90 kB together). The gguf package quantises and dequantises;
query and key rows are permuted as llama.cpp's convert_hf_to_gguf.py does it (LlamaModel.permute).
"""
import sys

import gguf
import numpy
from gguf import GGMLQuantizationType as Type
from safetensors.numpy import save_file

VOCABULARY, WIDTH, HIDDEN, HEADS, KEY_HEADS, LAYERS = 24, 32, 32, 4, 2, 2
TYPES = {
    "token_embd": [Type.Q8_0], "output": [Type.F32], "attn_q": [Type.Q4_0, Type.F32], "attn_k": [Type.Q4_1, Type.F16],
    "attn_v": [Type.F16, Type.BF16], "attn_output": [Type.BF16, Type.Q8_0], "ffn_gate": [Type.Q8_0, Type.Q4_1],
    "ffn_up": [Type.Q4_1, Type.Q4_0], "ffn_down": [Type.Q4_0, Type.F32],
}
NAMES = {
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def permute(weights, heads):
    """LlamaModel.permute of convert_hf_to_gguf.py."""
    return weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def main(folder):
    random = numpy.random.default_rng(7)
    writer = gguf.GGUFWriter(f"{folder}/mixed.gguf", "llama")
    expected = {}

    def add(stored, name, shape, kind, heads=None):
        weights = random.standard_normal(shape, dtype=numpy.float32)
        if kind is None:
            writer.add_tensor(f"{stored}.weight", weights)
            expected[f"{name}.weight"] = weights
            return
        data = gguf.quants.quantize(weights if heads is None else permute(weights, heads), kind)
        writer.add_tensor(f"{stored}.weight", data, raw_dtype=kind)
        values = gguf.quants.dequantize(data, kind).reshape(shape).copy()
        if heads is not None:
            rows = permute(numpy.arange(shape[0]), heads)
            values[rows] = values.copy()
        expected[f"{name}.weight"] = values

    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(5000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"t{i}" for i in range(VOCABULARY)])
    writer.add_token_types([1] * VOCABULARY)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    add("token_embd", "model.embed_tokens", (VOCABULARY, WIDTH), TYPES["token_embd"][0])
    key_width = WIDTH // HEADS * KEY_HEADS
    shapes = {
        "attn_norm": (WIDTH,), "ffn_norm": (WIDTH,), "attn_q": (WIDTH, WIDTH), "attn_k": (key_width, WIDTH), "attn_v": (key_width, WIDTH),
        "attn_output": (WIDTH, WIDTH), "ffn_gate": (HIDDEN, WIDTH), "ffn_up": (HIDDEN, WIDTH), "ffn_down": (WIDTH, HIDDEN),
    }
    for layer in range(LAYERS):
        for stored, shape in shapes.items():
            kind = TYPES[stored][layer] if stored in TYPES else None
            heads = {"attn_q": HEADS, "attn_k": KEY_HEADS}.get(stored)
            add(f"blk.{layer}.{stored}", f"model.layers.{layer}.{NAMES[stored]}", shape, kind, heads)
    add("output_norm", "model.norm", (WIDTH,), None)
    add("output", "lm_head", (VOCABULARY, WIDTH), TYPES["output"][0])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    save_file(expected, f"{folder}/mixed.weights.safetensors")


main(sys.argv[1])
