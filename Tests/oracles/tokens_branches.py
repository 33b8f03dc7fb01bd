"""Writes Tests/fixtures/text/branches/: tiny vocabularies, one for each branch of the loaders, and what the peers make of them.

    venv/bin/python Tests/oracles/tokens_branches.py        (after tokens_expected.py's installation)

branches.ndjson has one text and one vocabulary a line: {"file": …, "text": …, "ids": […], "offsets": […], "dropped": n}.
*.json by tokenizers, *.model by sentencepiece. Everything is trained here on the fixed lines below, so that the files stay small.
"""
import io
import json
import pathlib

import sentencepiece
import tokens_texts
import tokens_vocabularies as peers
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

BLOCK = peers.BLOCK
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
LINES = [
    "the cat and the hat sat in the inn, and then the other cat ran",
    "she's here, we're there, they'll don't can't I'm you've he'd", "in 1999 and 2024 there were 12 and 123 of them",
    "def f(x):\n    return x**2 + 1\n\n\nif x:\n\tfoo(bar)", "na\u00efve caf\u00e9 \u6570\u5b66 \u6570\u5b57 \u3068 \u304b\u306a", "    indented    spaces   here  now", "....!!!! ---- ==== (())",
] * 3
folder = pathlib.Path(__file__).parent.parent / "fixtures/text/branches"
folder.mkdir(parents=True, exist_ok=True)


def byte_level_model(alphabet=None, extra=(), **options):
    """A trained byte-level BPE; `alphabet` limits the bytes that have a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    first = pre_tokenizers.ByteLevel.alphabet() if alphabet is None else alphabet
    tokenizer.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=len(first) + 90, initial_alphabet=sorted(first), show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    vocab = model["vocab"]
    for token in extra:
        vocab[token] = len(vocab)
    return models.BPE(vocab=vocab, merges=[tuple(merge) for merge in model["merges"]], **options)


def byte_level(pre, **options):
    tokenizer = Tokenizer(byte_level_model(**options))
    tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def piece_model(byte_fallback, unknown, **options):
    """A trained BPE over characters with ▁ for spaces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=BLOCK, prepend_scheme="always", split=False)
    tokenizer.train_from_iterator([line for text in LINES for line in text.split("\n")], trainers.BpeTrainer(vocab_size=150, show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    names = (["<unk>", "<s>", "</s>"] if unknown else ["<s>", "</s>"]) + ([f"<0x{byte:02X}>" for byte in range(256)] if byte_fallback else [])
    vocab = {token: at for at, token in enumerate(names + list(model["vocab"]))}
    return models.BPE(
        vocab=vocab, merges=[tuple(merge) for merge in model["merges"]], byte_fallback=byte_fallback, unk_token="<unk>" if unknown else None, **options)


def pieces(normalizer=None, pre=None, byte_fallback=True, unknown=True, added=(), **options):
    tokenizer = Tokenizer(piece_model(byte_fallback, unknown, **options))
    if normalizer:
        tokenizer.normalizer = normalizer
    if pre:
        tokenizer.pre_tokenizer = pre
    tokenizer.decoder = decoders.Sequence([decoders.Replace(BLOCK, " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in (["<unk>"] if unknown else []) + ["<s>", "</s>"]])
    for token in added:
        tokenizer.add_tokens([token])
    return tokenizer


def legacy():
    return normalizers.Sequence([normalizers.Prepend(BLOCK), normalizers.Replace(" ", BLOCK)])


def metaspace(scheme, split=False):
    return pre_tokenizers.Metaspace(replacement=BLOCK, prepend_scheme=scheme, split=split)


PLAIN = pre_tokenizers.ByteLevel(add_prefix_space=False)
ADDED = [
    AddedToken("<|end|>", special=True), AddedToken("<|left|>", lstrip=True, normalized=False), AddedToken("<|right|>", rstrip=True, normalized=False),
    AddedToken("<|both|>", lstrip=True, rstrip=True, normalized=True), AddedToken("whole", single_word=True, normalized=False), AddedToken("wholesome"),
    AddedToken("caf", normalized=False), AddedToken("caf\u00e9s", normalized=True), AddedToken("\u6570\u5b66", normalized=False), AddedToken("  ", normalized=True), AddedToken("the", single_word=True),
]


def with_template(tokenizer):
    tokenizer.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")]),
    ])
    return tokenizer


def added_byte_level():
    tokenizer = byte_level(PLAIN)
    tokenizer.add_special_tokens(["<s>", "</s>"])
    for token in ADDED:
        tokenizer.add_tokens([token])
    return with_template(tokenizer)


def json_files():
    alphabet = [character for character in pre_tokenizers.ByteLevel.alphabet() if character not in "!?\u010a\u00c3\u00e6"]
    yield "byte-level", byte_level(PLAIN)
    yield "byte-level-prefix", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True))
    yield "byte-level-whole", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False))
    yield "byte-level-digits", byte_level(pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), PLAIN]))
    yield "byte-level-split", byte_level(
        pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(GPT2), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]))
    yield "byte-level-ignore-merges", byte_level(PLAIN, extra=["xylophone", "\u0120xylo", "return", "\u010a\u010a\u010a"], ignore_merges=True)
    yield "byte-level-dropping", byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), alphabet=alphabet)
    yield "byte-level-added", added_byte_level()
    yield "legacy", pieces(legacy(), fuse_unk=True)
    yield "legacy-added", pieces(legacy(), fuse_unk=True, added=ADDED)
    yield "replace-only", pieces(normalizers.Replace(" ", BLOCK), fuse_unk=True)
    yield "metaspace-first", with_template(pieces(pre=metaspace("first"), fuse_unk=True, added=ADDED))
    yield "metaspace-always", pieces(pre=metaspace("always"))
    yield "metaspace-always-split", pieces(pre=metaspace("always", split=True))
    yield "metaspace-never", pieces(pre=metaspace("never"))
    yield "unknown-fused", pieces(pre=metaspace("first"), byte_fallback=False, fuse_unk=True)
    yield "unknown-single", pieces(pre=metaspace("first"), byte_fallback=False, fuse_unk=False)
    yield "unknown-split", pieces(pre=metaspace("always", split=True), byte_fallback=False, fuse_unk=True)
    yield "unknown-dropped", pieces(pre=metaspace("never"), byte_fallback=False, unknown=False)


class Walk:
    """Finds the bytes of each token of a tokenizers.Tokenizer: added tokens by the peer's offsets, others by their own bytes."""

    def __init__(self, name, tokenizer):
        self.added = tokenizer.get_added_tokens_decoder()
        self.is_byte_level = name.startswith("byte-level")
        self.prefixed = name.startswith("legacy")
        self.fused = tokenizer.model.fuse_unk
        self.unknown = tokenizer.token_to_id("<unk>")
        self.vocab = {at: token for token, at in tokenizer.get_vocab().items()}
        self.single = set(tokenizer.get_vocab()) if not self.is_byte_level else None
        self.has_fallback = "<0x00>" in tokenizer.get_vocab()
        alphabet = peers.byte_of_character()
        self.alphabet = alphabet
        self.held = {alphabet[token] for token in tokenizer.get_vocab() if len(token) == 1 and token in alphabet}

    def spans(self, text, encoding):
        data = text.encode()
        byte = [len(text[:at].encode()) for at in range(len(text) + 1)]
        out, at, pending, held = [], 0, self.prefixed, 0
        for token, (first, last) in zip(encoding.ids, encoding.offsets):
            content = self.added[token].content if token in self.added else None
            if content is not None and content.replace(" ", BLOCK) in text[first:last].replace(" ", BLOCK):
                # White space that an earlier match has stripped already is not covered twice.
                start, at = max(at, byte[first]), max(at, byte[last])
                pending = self.prefixed and not self.added[token].normalized
            elif self.is_byte_level:
                start, at, held = self.bytes(data, at, self.vocab[token], held)
            else:
                start, at, pending = self.piece(text, data, at, token, pending, byte[last])
            out += [start, at]
        return out

    def bytes(self, data, at, token, held):
        start = None
        for character in token:
            value = self.alphabet[character]
            while at < len(data) and data[at] != value and data[at] not in self.held:
                at += 1
            if (at >= len(data) or data[at] != value) and value == 0x20:
                start = at if start is None else start  # the space of add_prefix_space
                continue
            assert data[at] == value, (data, token, at)
            start = at if start is None else start
            at += 1
        return start, at, held

    def character(self, data, at):
        width = next(n for n in (1, 2, 3, 4) if at + n == len(data) or data[at + n] & 0xC0 != 0x80)
        return data[at : at + width].decode(), width

    def is_unknown(self, data, at):
        character, _ = self.character(data, at)
        return (BLOCK if character == " " else character) not in self.single

    def piece(self, text, data, at, token, pending, end):
        piece = self.vocab[token]
        if self.has_fallback and len(piece) == 6 and piece.startswith("<0x"):
            assert data[at] == int(piece[1:-1], 16), (text, piece, at)
            return at, at + 1, False
        if token == self.unknown:
            start = at
            while at < max(end, start + 1) and self.is_unknown(data, at) and (self.fused or at == start):
                at += self.character(data, at)[1]
            assert at > start, (text, at)
            return start, at, False
        start = None
        for character in piece:
            while self.unknown is None and at < len(data) and self.is_unknown(data, at):
                at += self.character(data, at)[1]
            start = at if start is None else start
            if character == BLOCK:
                if pending:
                    pending = False
                elif data[at : at + 1] == b" ":
                    at += 1
                elif data[at : at + 3] == BLOCK.encode():
                    at += 3
            else:
                assert data[at:].startswith(character.encode()), (text, piece, at)
                at += len(character.encode())
            pending = False
        return start, at, False


def model_files():
    def train(**options):
        out = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(line for text in LINES for line in text.split("\n") if line), model_writer=out, model_type="bpe", hard_vocab_limit=False, minloglevel=2,
            normalization_rule_name=options.pop("rule", "identity"), remove_extra_whitespaces=options.pop("strips", False), split_digits=True, allow_whitespace_only_pieces=True, **options)
        return out.getvalue()

    symbols = dict(user_defined_symbols=["<sep>", BLOCK * 3, "\n", "cat"], control_symbols=["<ctl>"])
    plain = train(vocab_size=420, byte_fallback=True)
    yield "plain", plain
    yield "symbols", train(vocab_size=420, byte_fallback=True, **symbols)
    yield "unknown", train(vocab_size=130, add_dummy_prefix=False)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(plain)
    longer = [piece for piece in model.pieces if piece.type == 1 and len(piece.piece) > 1]
    for piece in longer[1::3]:
        piece.type = 5
    yield "unused", model.SerializeToString()


def texts():
    found = [text for text in tokens_texts.texts(peers.cache() / "sympy.whl") if len(text.encode()) <= 40][::6]
    found += [
        "a<|end|>b", " <|left|> x", "x  \n<|left|>", "<|right|> \t\n y", " <|both|> <|both|>  ", "whole wholes awhole whole. (whole) whole_ whole\u0301 \u0301whole whole1", "wholesome whole some",
        "caf\u00e9s caf\u00e9 cafs", "xcaf\u00e9s", "\u6570\u5b66\u6570", "the then the", "bathe the.", "  the  cat   sat", "<s>the cat</s> <s> x", "<|end|><|end|>", "\u00a0<|left|>", "x<|right|>\u3000\u3000y",
        "xylophone xylo return\n\n\nxylophones", "\nabc", " abc", "\tabc", "!?a\n\u00e9\u6570!", "?!?!", "the!cat", "a!\n?b", "\u6570\u3042\u3044\u6570\u3046 \u3048", "\u3042 \u3042\u3044  \u3046", "<sep>cat<sep>", "   the    <ctl>",
        "concatenate\n\ncat", "<sep", "the\u3042cat", f"{BLOCK}the{BLOCK}{BLOCK}{BLOCK}cat", "in the inn and the other cat 1999 don't", "def f(x):\n    return x**2 + 1", "aaaaaaaaaaaaaaaa", "inininin thethethe",
    ]
    return list(dict.fromkeys(found))


def main():
    lines = []

    def add(file, text, ids, offsets, dropped=0):
        lines.append(json.dumps({"file": file, "text": text, "ids": ids, "offsets": offsets, "dropped": dropped}, ensure_ascii=False, separators=(",", ":")))

    for at, (name, tokenizer) in enumerate(json_files()):
        value = json.loads(tokenizer.to_str())
        if at % 2 == 0:  # the older spelling of merges
            value["model"]["merges"] = [" ".join(pair) for pair in value["model"]["merges"]]
        path = folder / f"{name}.json"
        path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        tokenizer = Tokenizer.from_file(str(path))
        walk = Walk(name, tokenizer)
        for text in texts():
            encoding = tokenizer.encode(text, add_special_tokens=False)
            spans = walk.spans(text, encoding)
            add(path.name, text, encoding.ids, spans, dropped(walk, text, tokenizer))
    for name, contents in model_files():
        path = folder / f"{name}.model"
        path.write_bytes(contents)
        processor = peers.sentencepiece_model(path)
        for text in texts():
            ids, found = peers.sentencepiece_tokens(processor, text)
            add(path.name, text, ids, peers.piece_spans(text, found, name != "unknown" and text != ""))
    target = folder / "branches.ndjson"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{target}: {len(lines)} lines, {sum(path.stat().st_size for path in folder.iterdir())} bytes in all")


def dropped(walk, text, tokenizer):
    """Bytes without a token: all that are not held, but for those inside added tokens."""
    data = text.encode()
    encoding = tokenizer.encode(text, add_special_tokens=False)
    inside = set()
    for token, (first, last) in zip(encoding.ids, encoding.offsets):
        if token in walk.added:
            inside.update(range(len(text[:first].encode()), len(text[:last].encode())))
    if walk.is_byte_level:
        return sum(byte not in walk.held for at, byte in enumerate(data) if at not in inside)
    if walk.unknown is None and not walk.has_fallback:
        places = [len(text[:at].encode()) for at in range(len(text))]
        return sum(
            len(character.encode()) for character, at in zip(text, places)
            if (BLOCK if character == " " else character) not in walk.single and at not in inside)
    return 0


main()
