"""Small valid inputs of every fuzz target, out of the fixtures; with the malformed cases of Tests/reliability where they are.

    python3 Fuzz/seeds.py FOLDER        writes FOLDER/TARGET/NAME
"""
import base64
import importlib
import json
import os
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "Tests/fixtures"
TEXT = FIXTURES / "text"


def lines(path):
    return path.read_bytes().split(b"\n")


def vocabularies():
    """Whole files of vocabularies by what they are, and as values."""
    found = sorted([*TEXT.rglob("*.json"), *FIXTURES.glob("vocabularies/*/tokenizer.json")])
    return [(path.parent.name + "-" + path.stem, path, json.loads(path.read_bytes())) for path in found]


def lean(root):
    """A tokenizer.json with the part of its vocabulary that a short text needs: libFuzzer likes small inputs."""
    root = json.loads(json.dumps(root))
    model = root["model"]
    added = {entry["content"] for entry in root.get("added_tokens") or []}
    if isinstance(model.get("vocab"), list):
        model["vocab"] = model["vocab"][:24]
    elif isinstance(model.get("vocab"), dict):
        kept = [token for token in model["vocab"] if token in added or len(token) > 1 or token.isascii()][:40]
        model["vocab"] = {token: at for at, token in enumerate(kept)}
        pairs = [pair if isinstance(pair, list) else pair.split(" ") for pair in model.get("merges", [])]
        model["merges"] = [pair for pair in pairs if all(part in model["vocab"] for part in (*pair, "".join(pair)))]
    size = len(model["vocab"])
    listed = model["vocab"] if isinstance(model["vocab"], dict) else {entry[0]: at for at, entry in enumerate(model["vocab"])}
    for entry in root.get("added_tokens") or []:
        if entry["content"] in listed:
            entry["id"] = listed[entry["content"]]
        else:
            entry["id"], size = size, size + 1
    return root


def steps(value, list_name):
    return [value, *(value.get(list_name) or [])] if value else []


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 128:
            return value, at


def fields(data):
    """The fields of a protobuf message: number, bytes of the field, contents."""
    at, found = 0, []
    while at < len(data):
        start = at
        key, at = varint(data, at)
        contents = b""
        if key & 7 == 0:
            _, at = varint(data, at)
        elif key & 7 == 2:
            length, at = varint(data, at)
            contents, at = data[at : at + length], at + length
        else:
            at += 8 if key & 7 == 1 else 4
        found.append((key >> 3, data[start:at], contents))
    return found


def lean_model(data):
    """A SentencePiece model with its first pieces."""
    found = fields(data)
    pieces = [whole for number, whole, _ in found if number == 1]
    return b"".join(pieces[:24]) + b"".join(whole for number, whole, _ in found if number != 1)


def gguf(entries, tensors=()):
    """A GGUF file: entries (key, type, value), an array's type being ("array", type)."""
    codes = {"u32": (4, "<I"), "i32": (5, "<i"), "f32": (6, "<f"), "bool": (7, "<?"), "u64": (10, "<Q"), "f64": (12, "<d")}

    def text(value):
        value = value.encode() if isinstance(value, str) else value
        return struct.pack("<Q", len(value)) + value

    def scalar(kind, value):
        return text(value) if kind == "string" else struct.pack(codes[kind][1], value)

    def code(kind):
        return 8 if kind == "string" else codes[kind][0]

    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(entries))
    for key, kind, value in entries:
        out += text(key)
        if isinstance(kind, tuple):
            out += struct.pack("<IIQ", 9, code(kind[1]), len(value)) + b"".join(scalar(kind[1], each) for each in value)
        else:
            out += struct.pack("<I", code(kind)) + scalar(kind, value)
    data = b""
    for name, shape, kind, content in tensors:
        data += b"\0" * (-len(data) % 32)
        out += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", each) for each in shape)
        out += struct.pack("<IQ", kind, len(data))
        data += content
    return out + b"\0" * (-len(out) % 32 if tensors else 0) + data


def gguf_files():
    alphabet = [bytes([at]).decode("latin-1") for at in range(0x21, 0x7F)] + ["\u0120", "\u010a", "he", "ll", "\u0120the", "<s>"]
    merges = ["h e", "l l"]
    for pre in ("default", "gpt-2", "llama-bpe", "qwen2", "deepseek-llm", "falcon"):
        yield "gpt2-" + pre, gguf([
            ("general.architecture", "string", "llama"), ("tokenizer.ggml.model", "string", "gpt2"), ("tokenizer.ggml.pre", "string", pre),
            ("tokenizer.ggml.tokens", ("array", "string"), alphabet), ("tokenizer.ggml.merges", ("array", "string"), merges),
            ("tokenizer.ggml.token_type", ("array", "i32"), [1] * (len(alphabet) - 1) + [3]),
            ("tokenizer.ggml.bos_token_id", "u32", len(alphabet) - 1), ("tokenizer.ggml.add_bos_token", "bool", True)])
    pieces = ["<unk>", "<s>", "</s>", "\u2581", "h", "e", "l", "o", "he", "ll", "\u2581the"]
    kinds = [2, 3, 3] + [1] * 8
    for model in ("llama", "t5"):
        yield model, gguf([
            ("tokenizer.ggml.model", "string", model), ("tokenizer.ggml.tokens", ("array", "string"), pieces),
            ("tokenizer.ggml.scores", ("array", "f32"), [0.0] * 3 + [-float(at) for at in range(8)]),
            ("tokenizer.ggml.token_type", ("array", "i32"), kinds), ("tokenizer.ggml.unknown_token_id", "u32", 0),
            ("tokenizer.ggml.bos_token_id", "u32", 1), ("tokenizer.ggml.eos_token_id", "u32", 2),
            ("tokenizer.ggml.add_space_prefix", "bool", True)])
    yield "bert", gguf([
        ("tokenizer.ggml.model", "string", "bert"), ("tokenizer.ggml.tokens", ("array", "string"), ["[UNK]", "[CLS]", "[SEP]", "h", "##e"]),
        ("tokenizer.ggml.token_type", ("array", "i32"), [3, 3, 3, 1, 1]), ("tokenizer.ggml.unknown_token_id", "u32", 0)])
    yield "tensors", gguf(
        [("general.alignment", "u32", 32), ("a", ("array", "f64"), [1.5]), ("b", ("array", "bool"), [True, False]), ("c", "u64", 1 << 40)],
        [("x", [4], 0, bytes(16)), ("y", [32, 2], 8, bytes(68))])


def gguf_models():
    """Models of two families, whole, and the metadata of every family's fixture with one row of embeddings."""
    for family, bias in (("llama", False), ("qwen2", True)):
        facts = [("general.architecture", "string", family)] + [
            (f"{family}.{key}", "u32", value) for key, value in (
                ("context_length", 8), ("embedding_length", 2), ("block_count", 1), ("feed_forward_length", 1), ("attention.head_count", 1),
                ("attention.head_count_kv", 1), ("rope.dimension_count", 2))]
        facts += [(f"{family}.rope.freq_base", "f32", 10000.0), (f"{family}.attention.layer_norm_rms_epsilon", "f32", 1e-5),
                  ("tokenizer.ggml.bos_token_id", "u32", 1), ("tokenizer.ggml.eos_token_id", "u32", 2)]
        shapes = {"token_embd.weight": [2, 4], "output_norm.weight": [2], "blk.0.attn_norm.weight": [2], "blk.0.attn_q.weight": [2, 2],
                  "blk.0.attn_k.weight": [2, 2], "blk.0.attn_v.weight": [2, 2], "blk.0.attn_output.weight": [2, 2],
                  "blk.0.ffn_norm.weight": [2], "blk.0.ffn_gate.weight": [2, 1], "blk.0.ffn_up.weight": [2, 1], "blk.0.ffn_down.weight": [1, 2]}
        if bias:
            shapes |= {f"blk.0.attn_{part}.bias": [2] for part in "qkv"}
        tensors = [(name, shape, 0, bytes(4 * shape[0] * (shape[1] if len(shape) > 1 else 1))) for name, shape in shapes.items()]
        yield family, gguf(facts, tensors)
    for path in sorted(FIXTURES.glob("families/*/model.gguf")):
        data = path.read_bytes()
        count, at = struct.unpack_from("<Q", data, 16)[0], 24
        kept, width = [], 1
        for _ in range(count):
            key, value, end = gguf_entry(data, at)
            if key.endswith(".embedding_length"):
                width = struct.unpack("<I", value[4:8])[0]
            if not key.endswith(".vocab_size") and not key.startswith("tokenizer."):
                kept.append(data[at:end])
            at = end
        tensor = struct.pack("<Q", 17) + b"token_embd.weight" + struct.pack("<IQQIQ", 2, width, 1, 0, 0)
        head = data[:4] + struct.pack("<IQQ", 3, 1, len(kept)) + b"".join(kept) + tensor
        yield path.parent.name, head + bytes(-len(head) % 32) + bytes(4 * width)


def gguf_entry(data, at):
    """The key of a metadata entry, its type and value, and where it ends."""
    sizes = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}

    def text(at):
        return at + 8 + struct.unpack_from("<Q", data, at)[0]

    end = text(at)
    key, start = data[at + 8 : end].decode(), end
    kind = struct.unpack_from("<I", data, end)[0]
    end += 4
    if kind == 8:
        end = text(end)
    elif kind == 9:
        inner, count = struct.unpack_from("<IQ", data, end)
        end += 12
        for _ in range(count):
            end = text(end) if inner == 8 else end + sizes[inner]
    else:
        end += sizes[kind]
    return key, data[start:end], end


def ranks():
    alphabet = [bytes([at]) for at in range(256)] + [b"he", b"ll", b" the", b"\xc3\xa9"]
    return b"".join(base64.b64encode(token) + b" %d\n" % at for at, token in enumerate(alphabet)), alphabet


def tekken(alphabet):
    return json.dumps({
        "config": {"pattern": r"[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s+", "num_vocab_tokens": len(alphabet),
                   "default_vocab_size": len(alphabet) + 3, "default_num_special_tokens": 3, "version": "v3"},
        "vocab": [{"rank": at, "token_bytes": base64.b64encode(token).decode(), "token_str": None} for at, token in enumerate(alphabet)],
        "special_tokens": [{"rank": 0, "token_str": "<unk>", "is_control": True}, {"rank": 1, "token_str": "<s>", "is_control": True}],
    }, separators=(",", ":")).encode()


def seeds():
    """Pairs of target and bytes, with a name."""
    # Lines of JSON, a corpus, records.
    for path in sorted(FIXTURES.rglob("config.json")):
        yield "json", path.parent.name, path.read_bytes()
        yield "config", path.parent.name, path.read_bytes()
    for at, line in enumerate(lines(TEXT / "plain.ndjson")[:40] + lines(FIXTURES / "choices/choices.ndjson")[:20]):
        yield "json", f"line-{at}", line
        yield "corpus", f"line-{at}", line + b"\n"
    yield "json", "numbers", b'[0,-0,1.5e10,-2E-3,123456789012345678,1e400,{"a\\u00e9\\ud83d\\ude00":null,"b":true},[[]],""]'
    yield "corpus", "several", (
        '\ufeff{"id":"a","text":"x\\n\\ud83d\\ude00y"}\r\n\n{"id":-1.50,"text":""}\n{"text":"\u00e9","id":12345678901234567890}\n{"text":1}').encode()
    for path in sorted(FIXTURES.glob("*.tokens")) + sorted(FIXTURES.glob("*.scores")) + sorted(FIXTURES.glob("*.aligned")):
        yield "stream", path.name, path.read_bytes()
    for path in sorted((ROOT / "Fuzz/seeds").glob("*/*")):
        yield path.parent.name, path.name, path.read_bytes()
    # Tensors and tokens.
    for path in sorted(FIXTURES.glob("rotary/*.safetensors")):
        yield "safetensors", path.parent.name, path.read_bytes()
    header = json.dumps({"__metadata__": {"format": "pt"}, "a": {"dtype": "F32", "shape": [2, 1], "data_offsets": [0, 8]},
                         "b": {"dtype": "BF16", "shape": [], "data_offsets": [8, 10]}, "c": {"dtype": "I64", "shape": [0], "data_offsets": [10, 10]}})
    yield "safetensors", "three", struct.pack("<Q", len(header)) + header.encode() + bytes(10)
    yield "safetensors", "none", struct.pack("<Q", 2) + b"{}"
    for path in sorted(FIXTURES.glob("megatron/*.idx")):
        yield "megatron", path.stem, path.read_bytes()
    for name, data in gguf_files():
        yield "gguf", name, data
    for path in sorted(FIXTURES.glob("text/shapes/gguf-*.gguf")):
        if path.stem in ("gguf-bert", "gguf-t5"):
            yield "gguf", path.stem, path.read_bytes()
    for name, data in gguf_models():
        yield "gguf-model", name, data
    # Vocabularies and their parts.
    for name, _, root in vocabularies():
        if "model" in root:
            yield "tokenizer-json", name, json.dumps(lean(root), ensure_ascii=False, separators=(",", ":")).encode()
            for step in steps(root.get("normalizer"), "normalizers"):
                yield "normaliser", f"{name}-{step['type']}", json.dumps(step).encode()
                if step["type"] == "Precompiled":
                    yield "charsmap", name, base64.b64decode(step["precompiled_charsmap"])
            for step in steps(root.get("pre_tokenizer"), "pretokenizers"):
                yield "pretokeniser", f"{name}-{step['type']}", json.dumps(step).encode() + b"\0it's 12345 \xc3\xa9t\xc3\xa9.\r\n  x"
    for path in sorted(TEXT.rglob("*.model")):
        data = path.read_bytes()
        yield "sentencepiece", path.stem, lean_model(data)
        yield "protobuf", path.stem, lean_model(data)
        for number, _, contents in fields(data):
            if number == 3:
                for inner, _, blob in fields(contents):
                    if inner == 2 and blob:
                        yield "charsmap", path.stem, blob
    file, alphabet = ranks()
    yield "tiktoken", "bytes", file
    yield "tekken", "bytes", tekken(alphabet)
    for at, line in enumerate(lines(TEXT / "patterns.ndjson")[1:]):
        if line:
            rule = json.loads(line)
            text = "it's  12,345 a\u00e9\u6f22\u5b57 \u0131K\r\n\n x_y".encode()
            yield "pattern", f"{at}", (b"1" if rule["syntax"] == "rust" else b"0") + rule["pattern"].encode() + b"\0" + text
    yield from broken()


def cases(format_name):
    """A format's cases, as far as they are made without the tools where these are not built."""
    try:
        yield from importlib.import_module(f"cases.{format_name}").cases()
    except (FileNotFoundError, AssertionError) as error:
        print(f"seeds.py: {format_name}: {error}", file=sys.stderr)


def broken():
    """The malformed cases of the gates, but for the large ones and those that are made by a run of a tool."""
    for name in ("BIN", "ROOT", "FIXTURES", "INPUTS", "ASSETS"):
        os.environ.setdefault(name, str(FIXTURES if name == "FIXTURES" else ROOT))
    sys.path.insert(0, str(ROOT / "Tests/reliability"))
    targets = {"safetensors": ["safetensors"], "gguf": ["gguf", "gguf-model"], "tokenizer_json": ["tokenizer-json"],
               "sentencepiece": ["sentencepiece"], "tiktoken": ["tiktoken"], "ndjson": ["corpus", "records"], "stream": ["stream"]}
    for format_name, names in targets.items():
        if not (ROOT / f"Tests/reliability/cases/{format_name}.py").exists():
            continue
        for case in cases(format_name):
            parts = case.data if isinstance(case.data, list) else [case.data]
            if not all(isinstance(part, (str, bytes, bytearray)) for part in parts):
                continue
            data = b"".join(part.encode() if isinstance(part, str) else part for part in parts)
            for target in names:
                yield target, "case-" + case.name, data


def main():
    folder = pathlib.Path(sys.argv[1])
    count = 0
    for target, name, data in seeds():
        if len(data) > 1 << 14:
            continue
        place = folder / target
        place.mkdir(parents=True, exist_ok=True)
        (place / name.replace("/", "-")).write_bytes(data)
        count += 1
    print(f"{count} seeds", file=sys.stderr)


if __name__ == "__main__":
    main()
