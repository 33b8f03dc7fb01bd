"""The peer of each vocabulary of exact_table.py: its ids, and what spans are made from (the bytes of its tokens, its normaliser).

    peer = load(row, plain)      peer.ids(texts) -> list of lists      exact_spans.spans(peer, text, ids) -> two offsets a token

A GGUF is put into tokenizers as the original model's tokenizer.json would be: PRE says with what pre-tokeniser for each name.
Where llama.cpp cuts differently (falcon's digits, deepseek-llm's \\p{N}+, whatever \\s and letters its own tables say), tokenizers is followed.
"""
import base64
import json

import gguf
import sentencepiece
import tiktoken
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

import exact_table as table
from exact_assets import CACHE
from tokens_vocabularies import BLOCK, byte_of_character

ALPHABET = byte_of_character()


def _split(pattern):
    return pre_tokenizers.Split(Regex(pattern), "isolated")


def _byte_level(use_regex):
    return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=use_regex)


def _sequence(*parts):
    return pre_tokenizers.Sequence(list(parts))


def _of_json(name):
    """The pre-tokeniser of another vocabulary's tokenizer.json."""
    row, = (row for row in table.VOCABULARIES if row.name == name)
    return Tokenizer.from_file(str(CACHE / row.path)).pre_tokenizer


DIGITS_THEN_GPT2 = _sequence(pre_tokenizers.Digits(individual_digits=True), _byte_level(True))
# tokenizer.ggml.pre -> the original model's pre-tokeniser.
PRE = {
    "gpt-2": lambda: _byte_level(True),
    "mpt": lambda: _byte_level(True),
    "smollm": lambda: DIGITS_THEN_GPT2,
    "starcoder": lambda: DIGITS_THEN_GPT2,
    "refact": lambda: DIGITS_THEN_GPT2,
    "command-r": lambda: DIGITS_THEN_GPT2,
    "falcon": lambda: _sequence(pre_tokenizers.Punctuation("contiguous"), _byte_level(True), pre_tokenizers.Digits(individual_digits=False), _split("[0-9][0-9][0-9]")),
    "deepseek-llm": lambda: _of_json("deepseek-llm"),
    "deepseek-coder": lambda: _of_json("deepseek-coder"),
    "qwen2": lambda: _of_json("qwen-2.5"),
    "qwen35": lambda: _of_json("qwen-3.5"),
    "llama-bpe": lambda: _of_json("r1-distill-llama"),
}


class Peer:
    """What exact_spans needs of a vocabulary.

    form: "bytes" (byte-level), "pieces" (▁ for spaces) or "words" (WordPiece). bytes_of: id -> bytes, ▁ as its three.
    added: id -> content of the added tokens that are found in the text. dummy: a ▁ is put before the text; once: but
    not before a ▁ or space. strips: extra spaces are removed. removes: the
    pre-tokeniser drops characters (UnicodeScripts: those of no script at the start). only_first: the ▁ comes at byte 0 only. unknown: id or None.
    rewrite: str -> str, the normaliser (without what it does to the ends of a text where steps is None), or None. steps: its steps in
    order, each a function str -> str on any stretch, or ("prepend", content), ("strip", left, right), ("spaced", function).
    """

    form = "bytes"
    steps = None
    dummy = False
    once = False
    removes = False
    only_first = False
    strips = False
    rewrite = None
    unknown = None
    flagged = False
    # What the kind's peer needs more exactly than bytes: text -> [(start, end) or None].
    located = None

    def __init__(self):
        self.bytes_of, self.added = {}, {}

    def ids(self, texts):
        raise NotImplementedError


def _steps(value):
    """The steps of a normaliser's JSON. "spaced": the function puts spaces beside characters that it leaves as they are."""
    kind = value["type"]
    if kind == "Sequence":
        for part in value["normalizers"]:
            yield from _steps(part)
    elif kind == "Prepend":
        yield ("prepend", value["prepend"])
    elif kind == "Strip":
        yield ("strip", value["strip_left"], value["strip_right"])
    elif kind == "BertNormalizer":
        off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
        accents = value["lowercase"] if value["strip_accents"] is None else value["strip_accents"]
        if value["clean_text"]:
            yield normalizers.BertNormalizer(**{**off, "clean_text": True}).normalize_str
        if value["handle_chinese_chars"]:
            yield ("spaced", normalizers.BertNormalizer(**{**off, "handle_chinese_chars": True}).normalize_str)
        if accents:
            yield normalizers.NFD().normalize_str
            yield normalizers.BertNormalizer(**{**off, "strip_accents": True}).normalize_str
        if value["lowercase"]:
            yield normalizers.BertNormalizer(**{**off, "lowercase": True}).normalize_str
    else:
        single = Tokenizer(models.BPE())
        text = json.loads(single.to_str())
        text["normalizer"] = value
        yield Tokenizer.from_str(json.dumps(text)).normalizer.normalize_str


class HuggingFace(Peer):
    def __init__(self, tokenizer, plain):
        super().__init__()
        if plain:
            value = json.loads(tokenizer.to_str())
            value["added_tokens"] = []
            vocab = value["model"]["vocab"]
            value["post_processor"] = None
            tokenizer = Tokenizer.from_str(json.dumps(value))
        # Corpora are neither cut nor filled up.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self.tokenizer = tokenizer
        self.added = {at: token.content for at, token in tokenizer.get_added_tokens_decoder().items()}
        self.flagged = any(token.lstrip or token.rstrip or token.normalized for token in tokenizer.get_added_tokens_decoder().values())
        value = json.loads(tokenizer.to_str())
        model = value["model"]
        kind = model["type"]
        text = json.dumps(value["pre_tokenizer"] or {})
        if kind == "WordPiece":
            self.form = "words"
        elif '"ByteLevel"' not in text:
            self.form = "pieces"
        # Metaspace puts no ▁ before one that is there already.
        self.dummy = '"Metaspace"' in text and '"never"' not in text
        self.once = self.dummy
        self.removes = any(f'"{name}"' in text for name in ("Whitespace", "WhitespaceSplit", "CharDelimiterSplit", "BertPreTokenizer", "UnicodeScripts", "Removed"))
        self.only_first = '"first"' in text
        unknown = model.get("unk_token") or ([row[0] for row in model["vocab"]][model["unk_id"]] if kind == "Unigram" and model.get("unk_id") is not None else None)
        self.unknown = tokenizer.token_to_id(unknown) if unknown else None
        normalizer = value["normalizer"]
        if normalizer and normalizer != {"type": "Sequence", "normalizers": []} and normalizer != {"type": "Replace", "pattern": {"String": " "}, "content": BLOCK}:
            self.rewrite = tokenizer.normalizer.normalize_str
            self.steps = list(_steps(normalizer))
        for token, at in tokenizer.get_vocab().items():
            self.bytes_of[at] = self._bytes(token, at, bool(model.get("byte_fallback")))

    def _bytes(self, token, at, fallback):
        if at in self.added:
            return self.added[at].encode()
        if self.form == "bytes":
            # What was written with other characters (an added token's text) is never the model's own.
            return bytes(ALPHABET[character] for character in token) if all(character in ALPHABET for character in token) else token.encode()
        if fallback and len(token) == 6 and token.startswith("<0x"):
            return bytes([int(token[3:5], 16)])
        if self.form == "words" and token.startswith("##"):
            return token[2:].encode()
        return token.encode()

    def ids(self, texts):
        return [encoding.ids for encoding in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def located(self, text):
        """The bytes of each added token in the text, None for other tokens: by the peer's own offsets, in characters."""
        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        places = [0]
        for character in text:
            places.append(places[-1] + len(character.encode()))

        def is_found(at, first, last):
            # An unknown token is often an added one too: it is found where its content stands.
            return at in self.added and (at != self.unknown or self.added[at] in text[first:last])

        return [(places[first], places[last]) if is_found(at, first, last) else None for at, (first, last) in zip(encoding.ids, encoding.offsets)]


class SentencePiece(Peer):
    form = "pieces"

    def __init__(self, model, added=()):
        super().__init__()
        self.model = model
        self.processor = sentencepiece.SentencePieceProcessor(model_proto=model.SerializeToString())
        specification = model.normalizer_spec
        self.dummy = specification.add_dummy_prefix
        self.strips = specification.remove_extra_whitespaces
        if specification.precompiled_charsmap:
            inner = sentencepiece_model_pb2.ModelProto()
            inner.CopyFrom(model)
            inner.normalizer_spec.add_dummy_prefix = False
            inner.normalizer_spec.remove_extra_whitespaces = False
            inner.normalizer_spec.escape_whitespaces = False
            self.rewrite = sentencepiece.SentencePieceProcessor(model_proto=inner.SerializeToString()).normalize
        self.pieces = [piece.piece for piece in model.pieces]
        self.unknown = self.processor.unk_id()
        for at, piece in enumerate(model.pieces):
            self.bytes_of[at] = bytes([int(piece.piece[3:5], 16)]) if piece.type == 6 else piece.piece.encode()
        self.added = dict(added)
        self.contents = {content: at for at, content in self.added.items()}

    def ids(self, texts):
        if not self.added:
            return self.processor.encode(texts)
        return [self._with_added(text) for text in texts]

    def _with_added(self, text):
        """Leftmost longest added tokens, and sentencepiece on what lies between, as llama.cpp and the legacy tokenizers do."""
        found, start = [], 0
        for first, last, at in self.places(text):
            if first > start:
                found += self.processor.encode(text[start:first])
            found.append(at)
            start = last
        if start < len(text):
            found += self.processor.encode(text[start:])
        return found

    def places(self, text):
        if not hasattr(self, "pattern"):
            import regex
            self.pattern = regex.compile("|".join(regex.escape(content) for content in sorted(self.contents, key=len, reverse=True)))
        return [(match.start(), match.end(), self.contents[match.group()]) for match in self.pattern.finditer(text)]

    def unknown_lengths(self, text):
        """Bytes of normalised text under each unknown token of one section."""
        return [len(piece.piece.encode()) for piece in self.processor.encode(text, return_type="proto").pieces if piece.id == self.unknown]


class Ranks(Peer):
    def __init__(self, name, pattern, ranks, shift=0):
        super().__init__()
        self.encoding = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
        self.shift = shift
        self.bytes_of = {at + shift: token for token, at in ranks.items()}

    def ids(self, texts):
        found = self.encoding.encode_ordinary_batch(texts, num_threads=2)
        return [[at + self.shift for at in one] for one in found] if self.shift else found


def _ranks(path):
    return {base64.b64decode(token): int(rank) for token, rank in (line.split() for line in path.read_bytes().splitlines() if line)}


def _tekken(path):
    value = json.loads(path.read_bytes())
    config = value["config"]
    special = config["default_num_special_tokens"]
    ranks = {base64.b64decode(entry["token_bytes"]): entry["rank"] for entry in value["vocab"][: config["default_vocab_size"] - special]}
    return Ranks(path.name, config["pattern"], ranks, shift=special)


def _gguf(path, plain):
    fields = gguf.GGUFReader(path).fields

    def value(key, default=None):
        return fields["tokenizer.ggml." + key].contents() if "tokenizer.ggml." + key in fields else default

    tokens, types, kind = value("tokens"), value("token_type"), value("model")
    vocab = {token: at for at, token in enumerate(tokens)}
    added = [(at, token) for at, token in enumerate(tokens) if types[at] in (3, 4) and token]
    merges = [tuple(merge.split(" ")) for merge in value("merges") or []]
    if kind == "gpt2":
        tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=value("pre") == "llama-bpe"))
        tokenizer.pre_tokenizer = PRE[value("pre")]()
        return _hugging_face(tokenizer, added, plain, normalized=False)
    if kind == "gemma4":
        merges = [tuple(merge.split(" ")) for merge in value("merges")]
        tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
        tokenizer.normalizer = normalizers.Replace(" ", BLOCK)
        tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
        return _hugging_face(tokenizer, added, plain, normalized=False)
    if kind == "bert":
        # llama.cpp turned "##x" into "x" and "x" into "▁x".
        turned = {token[1:] if token.startswith(BLOCK) else token if types[at] == 3 else "##" + token: at for at, token in enumerate(tokens)}
        tokenizer = Tokenizer(models.WordPiece(vocab=turned, unk_token="[UNK]", max_input_chars_per_word=100))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return _hugging_face(tokenizer, [(at, token) for at, token in added if types[at] == 3], plain, normalized=False)
    if kind in ("llama", "t5"):
        model = sentencepiece_model_pb2.ModelProto()
        scores = value("scores")
        known = False
        for at, token in enumerate(tokens):
            # What is found before sentencepiece runs is control to it; only the first unknown token can be one.
            model.pieces.add(piece=token, score=scores[at], type=3 if types[at] in (3, 4) or types[at] == 2 and known else types[at])
            known = known or types[at] == 2
        model.trainer_spec.model_type = 2 if kind == "llama" else 1
        model.trainer_spec.byte_fallback = 6 in types
        model.trainer_spec.unk_id = types.index(2)
        model.trainer_spec.vocab_size = len(tokens)
        model.normalizer_spec.add_dummy_prefix = value("add_space_prefix", True)
        model.normalizer_spec.remove_extra_whitespaces = value("remove_extra_whitespaces", False)
        charsmap = value("precompiled_charsmap")
        if charsmap is not None:
            model.normalizer_spec.precompiled_charsmap = bytes(bytearray(int(byte) & 0xFF for byte in charsmap))
        return SentencePiece(model, [] if plain else added)
    raise ValueError(kind)


def _hugging_face(tokenizer, added, plain, normalized):
    if not plain:
        tokenizer.add_tokens([AddedToken(token, special=True, normalized=normalized) for _, token in added])
    return HuggingFace(tokenizer, plain=False)


def load(row, plain=False):
    path = CACHE / row.path
    if row.kind == "json":
        return HuggingFace(Tokenizer.from_file(str(path)), plain)
    if row.kind == "piece":
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(path.read_bytes())
        return SentencePiece(model)
    if row.kind == "ranks":
        return Ranks(path.name, row.pattern, _ranks(path))
    if row.kind == "tekken":
        return _tekken(path)
    return _gguf(path, plain)


def special_contents(row):
    """Added tokens of a vocabulary, to write texts with; made without its peer where that is quick."""
    peer = load(row)
    if isinstance(peer, SentencePiece) and not peer.added:
        return [piece.piece for piece in peer.model.pieces if piece.type in (3, 4)]
    return [peer.added[at] for at in sorted(peer.added)]
