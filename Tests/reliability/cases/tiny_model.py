"""A Llama so small that its scores can be computed here: what both kinds of model file hold in these cases.

Its attention and its feed-forward end in matrices of zeros, so that the last hidden state of a token is its embedding, and
log p(next | token) = logits[next] - ln sum exp logits, with logits = head · (embedding / sqrt(mean square + eps) · gain).
"""
import json
import math
import random
import struct

VOCABULARY, WIDTH, HIDDEN, EPSILON = 8, 4, 4, 1e-5
IDS = [1, 2, 3, 7, 0, 5]
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": VOCABULARY, "hidden_size": WIDTH,
    "intermediate_size": HIDDEN, "num_hidden_layers": 1, "num_attention_heads": 1, "num_key_value_heads": 1,
    "max_position_embeddings": 32, "rms_norm_eps": EPSILON, "tie_word_embeddings": False,
}


def weights():
    """(name in a Hugging Face folder, name in a GGUF, shape, values); values are eighths, exact in 16 bits too."""
    generator = random.Random(7)

    def drawn(*shape):
        return [generator.randint(-16, 16) / 8 for _ in range(math.prod(shape))]

    square = (WIDTH, WIDTH)
    block = "model.layers.0."
    return [
        ("model.embed_tokens.weight", "token_embd.weight", (VOCABULARY, WIDTH), drawn(VOCABULARY, WIDTH)),
        (block + "input_layernorm.weight", "blk.0.attn_norm.weight", (WIDTH,), [1.0] * WIDTH),
        (block + "self_attn.q_proj.weight", "blk.0.attn_q.weight", square, drawn(*square)),
        (block + "self_attn.k_proj.weight", "blk.0.attn_k.weight", square, drawn(*square)),
        (block + "self_attn.v_proj.weight", "blk.0.attn_v.weight", square, drawn(*square)),
        (block + "self_attn.o_proj.weight", "blk.0.attn_output.weight", square, [0.0] * WIDTH * WIDTH),
        (block + "post_attention_layernorm.weight", "blk.0.ffn_norm.weight", (WIDTH,), [1.0] * WIDTH),
        (block + "mlp.gate_proj.weight", "blk.0.ffn_gate.weight", (HIDDEN, WIDTH), drawn(HIDDEN, WIDTH)),
        (block + "mlp.up_proj.weight", "blk.0.ffn_up.weight", (HIDDEN, WIDTH), drawn(HIDDEN, WIDTH)),
        (block + "mlp.down_proj.weight", "blk.0.ffn_down.weight", (WIDTH, HIDDEN), [0.0] * WIDTH * HIDDEN),
        ("model.norm.weight", "output_norm.weight", (WIDTH,), [1.0, 0.5, 2.0, 1.5]),
        ("lm_head.weight", "output.weight", (VOCABULARY, WIDTH), drawn(VOCABULARY, WIDTH)),
    ]


def log_probs(ids=None):
    """What `teacher-score` must find for each token; None for the first."""
    ids = IDS if ids is None else ids
    values = {name: numbers for name, _, _, numbers in weights()}
    found = [None]
    for token, following in zip(ids, ids[1:]):
        row = values["model.embed_tokens.weight"][token * WIDTH:][:WIDTH]
        scale = 1 / math.sqrt(sum(x * x for x in row) / WIDTH + EPSILON)
        normed = [x * scale * gain for x, gain in zip(row, values["model.norm.weight"])]
        head = values["lm_head.weight"]
        logits = [sum(a * b for a, b in zip(head[token * WIDTH:], normed)) for token in range(VOCABULARY)]
        found.append(logits[following] - math.log(sum(map(math.exp, logits))))
    return found


def records(*documents):
    """Token records, one a document."""
    return "".join(json.dumps({"id": str(number), "input_ids": ids, "offsets": [[at, at + 1] for at in range(len(ids))]}) + "\n"
                   for number, ids in enumerate(documents))


def floats(values, kind="F32"):
    """The bytes of values as F32, F16 or BF16."""
    if kind == "BF16":
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return struct.pack(f"<{len(values)}{'f' if kind == 'F32' else 'e'}", *values)


def wrong_scores(output, expected=None):
    """Why records of `teacher-score --format ndjson` are not the expected numbers, or None."""
    expected = log_probs() if expected is None else expected
    lines = output.decode().splitlines()
    if len(lines) != 2:
        return f"{len(lines)} lines of scores, expected a header and a record"
    found = json.loads(lines[1]).get("log_probs")
    if found is None or len(found) != len(expected):
        return f"scores {found}, expected {expected}"
    for a, b in zip(found, expected):
        if (a is None) != (b is None) or a is not None and abs(a - b) > 1e-5 * max(1, abs(b)):
            return f"scores {found}, expected {expected}"
    return None
