"""Random files that are valid, and nearly so, by format: what R08-differential compares readers on."""
import base64
import itertools
import json
import re
import struct
import sys

import mutation
from gate import ROOT

sys.path.append(str(ROOT / "Fuzz"))
import seeds

TEXTS = ["", "the cat sat, 12345 times; it's here", "  \u2581 Gr\u00f6\u00dfe\n\n\t\uff21\ufb01 e\u0301", "aaaaaaaaaaaab ab abab hello", "a\u00e9 \u6f22\u5b57 <s>b</s> \U0001f469\u200d\U0001f467"]
SIZES = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "U16": 2, "U32": 4, "U64": 8, "BOOL": 1}
SPARE = "model.layers.0.self_attn.rotary_emb.inv_freq"


# safetensors

def floats(values, kind):
    if kind == "BF16":
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    return struct.pack(f"<{len(values)}{'f' if kind == 'F32' else 'e'}", *values)


def written(rng, text):
    """A JSON string with escapes here and there."""
    return '"' + "".join(f"\\u{ord(c):04x}" if rng.random() < 0.1 and ord(c) < 0x10000 else json.dumps(c, ensure_ascii=False)[1:-1] for c in text) + '"'


def space(rng):
    return "".join(rng.choices(" \n\t\r", k=rng.choice([0, 0, 0, 1, 3])))


def safetensors_file(rng, model):
    """A valid file of the tiny model in random types, orders and spellings; parts of its header for `damaged`."""
    tensors = [(name, kind := rng.choice(["F32", "F16", "BF16"]), shape, floats(values, kind)) for name, shape, values in model]
    if rng.random() < 0.5:
        kind = rng.choice(list(SIZES))
        shape = [rng.choice([0, 1, 2, 3]) for _ in range(rng.randrange(4))]
        count = 1
        for size in shape:
            count *= size
        tensors.append((SPARE, kind, shape, rng.randbytes(count * SIZES[kind])))
    rng.shuffle(tensors)
    offset, entries, data = 0, [], b""
    for name, kind, shape, body in tensors:
        members = [("dtype", f'"{kind}"'), ("shape", json.dumps(shape)), ("data_offsets", f"[{offset},{space(rng)}{offset + len(body)}]")]
        rng.shuffle(members)
        inner = ",".join(f"{space(rng)}{written(rng, key)}:{space(rng)}{value}" for key, value in members)
        entries.append(f"{written(rng, name)}:{space(rng)}{{{inner}{space(rng)}}}")
        offset, data = offset + len(body), data + body
    if rng.random() < 0.5:
        facts = {rng.choice(["format", "a\"b", "\u00e9", "", "n\n"]) + str(at): rng.choice(["pt", "", "\U0001f600", "\\"]) for at in range(rng.randrange(3))}
        entries.append('"__metadata__":{' + ",".join(f"{written(rng, key)}:{written(rng, value)}" for key, value in facts.items()) + "}")
    rng.shuffle(entries)
    return "{" + ",".join(f"{space(rng)}{entry}" for entry in entries) + "}" + " " * rng.choice([0, 0, 1, 7]), data


def document(header, data):
    header = header if isinstance(header, bytes) else header.encode()
    return struct.pack("<Q", len(header)) + header + data


def damaged_safetensors(rng, header, data):
    """A file that is nearly right."""
    def number(text):
        places = list(re.finditer(r"\d+", text))
        place = rng.choice(places)
        value = rng.choice([int(place[0]) + 1, max(0, int(place[0]) - 1), int(place[0]) * 2, -1, 1 << 31, 1 << 63, 1 << 64, "1.0", "1e0", "01", '"1"', "null"])
        return text[: place.start()] + str(value) + text[place.end() :]

    def word(text):
        return text.replace(*rng.choice([
            ('"F32"', '"F33"'), ('"F16"', '"f16"'), ('"dtype"', '"dtyp"'), ('"shape"', '"shapes"'), ('"data_offsets"', '"offsets"'),
            ("[", "[["), ("]", ",]"), ("{", "[", 1), ("}", "},"), (":", "="), ('"dtype":', '"dtype":"F32","dtype":'), ('"shape":', '"more":1,"shape":'),
            ("{", '{"__metadata__":{"a":1},', 1), ("{", '{"__metadata__":null,', 1), ("{", '{"__metadata__":{"a":"b"},', 1),
            ("model.norm.weight", "model.embed_tokens.weight"), ("\"", "'", 1), ("{", "\ufeff{", 1), ("{", " {", 1), ("{", "\n{", 1), ("}", "}\0"), ("}", "} "),
            ("{", '{"\\ud800":1,', 1), ("0", "NaN", 1)]))

    kind = rng.randrange(9)
    if kind < 3:
        return document(number(header), data)
    if kind < 5:
        return document(word(header), data)
    if kind == 5:
        return document(header, data + bytes(rng.choice([1, 4, 100])))
    if kind == 6:
        return document(header, data[: rng.randrange(len(data))])
    whole = document(header, data)
    if kind == 7:
        return struct.pack("<Q", rng.choice([0, 1, 7, len(header) - 1, len(header) + 1, len(whole), 100_000_001, 1 << 63, (1 << 64) - 1])) + whole[8:]
    return rng.choice([mutation.flip, mutation.cut, mutation.splice])(whole[: 8 + len(header)], rng) + whole[8 + len(header) :]


# NDJSON

def json_value(rng, depth=0):
    kind = rng.randrange(9 if depth < 3 else 7)
    if kind < 2:
        return written(rng, "".join(rng.choice(["a", "\u00e9", "\u6f22", "\U0001f600", "\n", "\"", "\\", "\x7f", "\u2028", " "]) for _ in range(rng.randrange(6))))
    if kind < 5:
        return rng.choice(["0", "-0", "1", "-1.5", "1e5", "1E-7", "0.1e+2", "123456789012345678", "9223372036854775807", "12345678901234567890", "1e308"])
    if kind < 7:
        return rng.choice(["true", "false", "null"])
    inner = [json_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    if kind == 7:
        return "[" + ",".join(space_in(rng) + value for value in inner) + space_in(rng) + "]"
    return "{" + ",".join(f'"k{at}"{space_in(rng)}:{value}' for at, value in enumerate(inner)) + "}"


def space_in(rng):
    return "".join(rng.choices(" \t\r", k=rng.choice([0, 0, 0, 1])))


def ndjson_line(rng, at):
    members = [f'"text":{space_in(rng)}' + written(rng, rng.choice(TEXTS + ["\0x", "z" * 40])), f'"m{at}":' + json_value(rng)]
    if rng.random() < 0.7:
        members.append('"id":' + rng.choice([written(rng, f"d{at}\u00e9"), str(at), f"{at}.50", f"-{at}e2", "12345678901234567890123"]))
    rng.shuffle(members)
    return ("{" + ",".join(space_in(rng) + member for member in members) + "}" + space_in(rng)).encode()


def damaged_line(rng, line):
    kind = rng.randrange(6)
    if kind == 0:
        return mutation.flip(line, rng)
    if kind == 1:
        return mutation.cut(line, rng)
    if kind == 2:
        return mutation.splice(line, rng)
    if kind == 3:
        return mutation.digits(line, rng)
    at = rng.randrange(len(line))
    extra = rng.choice([b",", b"\\", b'"', b"{", b"]", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\\ud800", b"\\udc00\\ud800", b"\\u0000", b"NaN", b"-", b"+1", b".5",
                        b"01", b"1.", b"\t", b"\x01", b"\xef\xbb\xbf", b"/**/", b"'", b"\\x41", b"1e400", b"-1e999", b'"text":1,', b'"id":[],', b"\xf4\x90\x80\x80", b"\xc2\xa0"])
    return line[:at] + extra + line[at if kind == 4 else at + 1 :]


# Vocabularies and GGUF

def words(rng, letters, count):
    return list(dict.fromkeys("".join(rng.choices(letters, k=rng.choice([2, 2, 3, 4]))) for _ in range(count)))


def tokenizer_json(rng, roots):
    """A tokenizer.json with a vocabulary of its own, and the rules of a fixture."""
    rules = json.loads(json.dumps(rng.choice(roots)))
    kind = rules["model"].get("type", "BPE")
    letters = list("abehlot") + rng.choice([[], ["\u00e9"]])
    model = rules["model"]
    if kind == "Unigram":
        kept = model["vocab"][: rng.randrange(3, 12)]
        # Of few digits: its reader rounds long ones otherwise, and cuts of equal sums are told apart by that.
        more = [[word, -round(rng.random() * 10, 4)] for word in words(rng, letters + ["\u2581"], 12) if word not in {entry[0] for entry in kept}]
        model["vocab"] = kept + more
    elif kind == "BPE":
        base = [token for token in model["vocab"] if len(token) == 1 or token.startswith("<0x")]
        vocab, merges = base + [entry["content"] for entry in rules.get("added_tokens") or [] if entry["content"] not in base], []
        singles = [token for token in base if token in "abehlotrsn,.\u0120\u2581"] or base[:4]
        for _ in range(rng.randrange(20)):
            left, right = rng.choice(singles + [token for token in vocab if len(token) < 4 and token in {a + b for a, b in merges}]), rng.choice(singles)
            if left + right not in vocab:
                merges.append([left, right])
                vocab.append(left + right)
        model["vocab"] = {token: at for at, token in enumerate(vocab)}
        model["merges"] = merges
    else:
        vocab = [model["unk_token"]] + [entry["content"] for entry in rules.get("added_tokens") or [] if entry["content"] != model["unk_token"]]
        vocab += [token for token in letters + words(rng, letters, 10) for token in (token, "##" + token) if token not in vocab]
        model["vocab"] = {token: at for at, token in enumerate(vocab)}
    listed = model["vocab"] if isinstance(model["vocab"], dict) else {entry[0]: at for at, entry in enumerate(model["vocab"])}
    size = len(listed)
    for entry in rules.get("added_tokens") or []:
        if entry["content"] in listed:
            entry["id"] = listed[entry["content"]]
        else:
            entry["id"], size = size, size + 1
    rules["post_processor"] = None
    return json.dumps(rules, ensure_ascii=rng.random() < 0.5).encode()


def sentencepiece_file(rng, models):
    """A model with other scores, some pieces fewer, in another order."""
    found = seeds.fields(rng.choice(models))
    pieces = [whole for number, whole, _ in found if number == 1]
    kept = [whole for whole in pieces if len(whole) > 14 or rng.random() < 0.97]
    return b"".join(kept) + b"".join(whole for number, whole, _ in found if number != 1)


def tekken_file(rng, _):
    alphabet = [bytes([at]) for at in range(256)]
    rng.shuffle(alphabet)
    for _ in range(rng.randrange(30)):
        word = b"".join(rng.choices(alphabet + [b"a", b"b", b"e", b"h", b"l", b"t", b" "] * 20, k=2))
        word = rng.choice(alphabet[256:] or [b"a"]) + rng.choice([b"a", b"b", b"he", b"l"]) if rng.random() < 0.3 else word
        if word not in alphabet:
            alphabet.append(word)
    return seeds.tekken(alphabet)


def tiktoken_file(rng, _):
    alphabet = [bytes([at]) for at in range(256)]
    rng.shuffle(alphabet)
    alphabet += [word.encode() for word in words(rng, "abehlot", rng.randrange(20))]
    if rng.random() < 0.05:
        # As many as GPT-2's, so that it can be seen what they do to a text.
        known = set(alphabet)
        more = (bytes(pair) for pair in itertools.product(range(256), repeat=2) if bytes(pair) not in known)
        alphabet += itertools.islice(more, 50256 - len(alphabet))
    order = list(enumerate(alphabet))
    if rng.random() < 0.2:
        rng.shuffle(order)
    return b"".join(base64.b64encode(token) + b" %d" % at + rng.choice([b"\n", b"\n", b"\n", b"\r\n"]) for at, token in order)


def gguf_file(rng, _):
    tokens = ["<unk>", "<s>", "</s>", "\u2581", *"abehlot"] + words(rng, "abehlot\u2581", rng.randrange(12))
    entries = [
        ("general.alignment", "u32", rng.choice([8, 32, 64])), ("tokenizer.ggml.model", "string", rng.choice(["llama", "t5"])),
        ("tokenizer.ggml.tokens", ("array", "string"), tokens), ("tokenizer.ggml.scores", ("array", "f32"), [-float(at) for at in range(len(tokens))]),
        ("tokenizer.ggml.token_type", ("array", "i32"), [2, 3, 3] + [1] * (len(tokens) - 3)), ("tokenizer.ggml.unknown_token_id", "u32", 0),
        ("tokenizer.ggml.bos_token_id", "u32", 1), ("tokenizer.ggml.eos_token_id", "u32", 2), ("other.real", "f64", rng.random()),
        ("other.list", ("array", rng.choice(["f32", "f64"])), [1.0] * rng.randrange(5)), ("other.flags", ("array", "bool"), [True, False])]
    rng.shuffle(entries)
    tensors = []
    for at in range(rng.randrange(3)):
        shape = [rng.choice([1, 3, 32]) for _ in range(rng.randrange(1, 4))]
        count = shape[0] * (shape[1] if len(shape) > 1 else 1) * (shape[2] if len(shape) > 2 else 1)
        tensors.append((f"t{at}", shape, 0, rng.randbytes(4 * count)))
    # The padding of seeds.gguf is 32's.
    entries = [entry for entry in entries if entry[0] != "general.alignment"] if tensors else entries
    return seeds.gguf(entries, tensors)
