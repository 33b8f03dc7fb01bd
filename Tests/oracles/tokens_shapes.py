"""Writes Tests/fixtures/text/shapes/: a tiny vocabulary for every format and component, and what the peers make of nasty texts.

    venv/bin/python Tests/oracles/tokens_shapes.py        (after tokens_expected.py's installation and scripts/fetch-assets --all)

texts.ndjson has the texts, one JSON string a line. NAME.expected has a first line {"file", "size", "adds": [before, after]}, then for
each text [ids, steps] (null where no rule explains the peer): two steps a token, from the end of the token before to its start, and from its start to its end, in bytes.
Training is not repeatable to the token: a run changes all files, which are committed together.
"""
import base64
import io
import json
import pathlib

import gguf
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import exact_peers as peers
import exact_spans
import exact_table
import exact_texts
import tokens_texts
from exact_assets import CACHE
from tokens_vocabularies import BLOCK

folder = pathlib.Path(__file__).parent.parent / "fixtures/text/shapes"
LINES = [
    "the cat and the hat sat in the inn, and then the other cat ran", "she's here, we're there, they'll don't can't I'm you've he'd", "in 1999 and 2024 there were 12 and 123 of them",
    "def f(x):\n    return x**2 + 1\n\n\nif x:\n\tfoo(bar)", "na\u00efve caf\u00e9 \u6570\u5b66 \u6570\u5b57 \u3068 \u304b\u306a \ud55c\uad6d\uc5b4 \u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440 \u03ba\u03b1\u03b9", "    indented    spaces   here  now", "....!!!! ---- ==== (()) \"x\"",
    "Hello World HTTPServer camelCase", "\u0928\u092e\u0938\u094d\u0924\u0947 \u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \u0645\u0631\u062d\u0628\u0627",
] * 3
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def sequence(*parts):
    return pre_tokenizers.Sequence(list(parts))


def bpe_model(count=90, **options):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = GPT2
    tokenizer.train_from_iterator(LINES, trainers.BpeTrainer(vocab_size=256 + count, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    model = json.loads(tokenizer.to_str())["model"]
    return models.BPE(vocab=model["vocab"], merges=[tuple(merge) for merge in model["merges"]], **options)


def byte_level(pre=None, normalizer=None, post=None, added=(), **options):
    tokenizer = Tokenizer(bpe_model(**options))
    tokenizer.pre_tokenizer = pre or GPT2
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<s>", "</s>"])
    for token in added:
        tokenizer.add_tokens([token])
    if post:
        tokenizer.post_processor = post
    return tokenizer


def word_piece(normalizer=None, pre=None, post=None, **options):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(LINES, trainers.WordPieceTrainer(vocab_size=220, special_tokens=special, show_progress=False))
    vocab = json.loads(tokenizer.to_str())["model"]["vocab"]
    made = Tokenizer(models.WordPiece(vocab=vocab, unk_token="[UNK]", **options))
    made.normalizer = normalizer or normalizers.BertNormalizer()
    made.pre_tokenizer = pre or pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    made.add_special_tokens([AddedToken(token, special=True, lstrip=token == "[MASK]") for token in special])
    made.post_processor = post or processors.TemplateProcessing(single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return made


def unigram(normalizer=None, pre=None, byte_fallback=False, post=None):
    trained = spm("unigram", vocab_size=150)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(trained)
    pieces = [(piece.piece, piece.score) for piece in model.pieces]
    if byte_fallback:
        pieces += [(f"<0x{byte:02X}>", -30.0) for byte in range(256)]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=byte_fallback))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre or pre_tokenizers.Metaspace(replacement=BLOCK, prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(replacement=BLOCK, prepend_scheme="always", split=True)
    tokenizer.add_special_tokens(["<s>", "</s>"])
    if post:
        tokenizer.post_processor = post
    return tokenizer


RULES = ["41\t61", "42 43\t78", "A0\t20", "3000\t20", "FF21\t41", "65 301\tE9", "E4\t61 65", "200B\t", "9\t20", "A\t20", "FB01\t66 69", "2026\t2E 2E 2E"]


def spm(kind, rules=False, **options):
    """A trained SentencePiece model; `rules`: with a small map of characters of its own."""
    import tempfile
    out = io.BytesIO()
    settings = dict(vocab_size=150, remove_extra_whitespaces=False, normalization_rule_name="identity")
    settings.update(options)
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as table:
        if rules:
            table.write("\n".join(RULES) + "\n")
            table.flush()
            settings.pop("normalization_rule_name")
            settings["normalization_rule_tsv"] = table.name
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(line for text in LINES for line in text.split("\n") if line), model_writer=out, model_type=kind, hard_vocab_limit=False, minloglevel=2, **settings)
    return out.getvalue()


def charsmap():
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(spm("unigram", rules=True))
    return model.normalizer_spec.precompiled_charsmap


def template(tokenizer, single, **ids):
    tokenizer.post_processor = processors.TemplateProcessing(single=single, pair=None, special_tokens=[(name, tokenizer.token_to_id(name)) for name in ("<s>", "</s>")])
    return tokenizer


def json_files():
    """(name, tokenizer)"""
    for name, pattern in (("llama3", exact_table.LLAMA3), ("qwen2", exact_table.QWEN), ("qwen35", exact_table.QWEN35), ("o200k", exact_table.O200K), ("tekken", TEKKEN), ("cl100k", CL100K_GREEDY),
                          ("bloom", r" ?[^(\s|.,!?…。，、।۔،)]+"), ("cascade", exact_table.LLAMA3.replace(r"\s+(?!\S)|\s+", r"\s{16}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1}")),
                          ("seed", exact_table.QWEN.replace(r"[\r\n]*", "")), ("possessive", r"\p{L}++|\p{N}{1,2}+|[^\p{L}\p{N}]+?"), ("lookahead", r"a(?=b)|\p{L}+?(?!a)|\s"), ("classes", r"[[:alpha:]]+|[^\w\s]|\d\d?|\W")):
        yield f"split-{name}", byte_level(sequence(split(pattern), BYTES))
    for name in ("deepseek-r1", "deepseek-coder", "deepseek-llm"):
        row, = (row for row in exact_table.VOCABULARIES if row.name == name)
        yield f"split-{name}", byte_level(Tokenizer.from_file(str(CACHE / row.path)).pre_tokenizer)
    yield "split-falcon", byte_level(peers.PRE["falcon"]())
    for behavior in ("removed", "merged_with_previous", "merged_with_next", "contiguous"):
        yield f"split-{behavior.replace('_', '-')}", byte_level(sequence(split(r"[\s.]", behavior), BYTES))
        yield f"punctuation-{behavior.replace('_', '-')}", byte_level(sequence(pre_tokenizers.Punctuation(behavior), BYTES))
    yield "split-inverted", byte_level(sequence(split(r"\p{L}+", "isolated", True), BYTES))
    yield "split-inverted-removed", byte_level(sequence(split(r"\S+", "removed", True), BYTES))
    yield "split-string", byte_level(sequence(pre_tokenizers.Split("th", "merged_with_previous"), BYTES))
    yield "punctuation-isolated", byte_level(sequence(pre_tokenizers.Punctuation("isolated"), BYTES))
    yield "whitespace", byte_level(sequence(pre_tokenizers.Whitespace(), BYTES))
    yield "whitespace-split", byte_level(sequence(pre_tokenizers.WhitespaceSplit(), BYTES))
    yield "digits-together", byte_level(sequence(pre_tokenizers.Digits(individual_digits=False), BYTES))
    yield "delimiter", byte_level(sequence(pre_tokenizers.CharDelimiterSplit("t"), BYTES))
    yield "scripts", byte_level(sequence(pre_tokenizers.UnicodeScripts(), BYTES))
    yield "bert-pre", byte_level(sequence(pre_tokenizers.BertPreTokenizer(), BYTES))
    yield "bytes-twice", byte_level(sequence(pre_tokenizers.Punctuation("contiguous"), GPT2, pre_tokenizers.Digits(individual_digits=True)))
    for name, normalizer in (
        ("nfc", normalizers.NFC()), ("nfd", normalizers.NFD()), ("nfkc", normalizers.NFKC()), ("nfkd", normalizers.NFKD()), ("lowercase", normalizers.Lowercase()), ("prepend", normalizers.Prepend("x")),
        ("replace", normalizers.Replace("th", "T")), ("replace-regex", normalizers.Replace(Regex(r" {2,}"), " ")), ("strip", normalizers.Strip()), ("strip-left", normalizers.Strip(left=True, right=False)),
        ("strip-accents", normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])), ("precompiled", normalizers.Precompiled(charsmap())), ("bert", normalizers.BertNormalizer()),
        ("sequence", normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace("a", "bb"), normalizers.NFD()])),
    ):
        yield f"normaliser-{name}", byte_level(normalizer=normalizer)
    yield "added-nfc", byte_level(normalizer=normalizers.NFC(), added=[AddedToken("caf\u00e9", normalized=True), AddedToken("Hello", normalized=False), AddedToken("cat", single_word=True), AddedToken("  ", normalized=False), AddedToken("<|x|>", lstrip=True, rstrip=True)])
    yield "added-lowercase", byte_level(normalizer=normalizers.Lowercase(), added=[AddedToken("Hello", normalized=True), AddedToken("WORLD", normalized=False)])
    yield "ignore-merges", byte_level(sequence(split(exact_table.LLAMA3), BYTES), ignore_merges=True)
    yield "template", template(byte_level(), "<s> $A </s>")
    yield "template-before", template(byte_level(), "<s> $A")
    yield "template-two-before", template(byte_level(), "<s> </s> $A")
    yield "roberta", byte_level(post=processors.RobertaProcessing(("</s>", 347), ("<s>", 346)))
    yield "bert-post", byte_level(post=processors.BertProcessing(("</s>", 347), ("<s>", 346)))
    yield "post-sequence", byte_level(post=processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(single="<s> $A", pair=None, special_tokens=[("<s>", 346)])]))
    yield "word-piece", word_piece()
    yield "word-piece-cased", word_piece(normalizers.BertNormalizer(lowercase=False, strip_accents=True, handle_chinese_chars=False))
    yield "word-piece-short", word_piece(max_input_chars_per_word=5)
    yield "word-piece-plain", word_piece(normalizers.NFC(), pre_tokenizers.Whitespace())
    yield "unigram", unigram()
    yield "unigram-whole", unigram(pre=pre_tokenizers.Metaspace(replacement=BLOCK, prepend_scheme="first", split=False))
    yield "unigram-bytes", unigram(byte_fallback=True)
    yield "unigram-nfkc", unigram(normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]))
    yield "unigram-precompiled", unigram(normalizers.Precompiled(charsmap()))
    yield "unigram-words", unigram(pre=sequence(pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(replacement=BLOCK, prepend_scheme="always", split=True)))


TEKKEN = exact_table.O200K.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "").replace(r"\p{N}{1,3}", r"\p{N}")
CL100K_GREEDY = exact_table.LLAMA3


def model_files():
    symbols = dict(user_defined_symbols=["<sep>", BLOCK * 3, "cat"], control_symbols=["<ctl>"])
    yield "spm-unigram", spm("unigram")
    yield "spm-unigram-bytes", spm("unigram", vocab_size=420, byte_fallback=True)
    yield "spm-unigram-symbols", spm("unigram", **symbols)
    yield "spm-unigram-strips", spm("unigram", remove_extra_whitespaces=True)
    yield "spm-unigram-rules", spm("unigram", rules=True)
    yield "spm-unigram-rules-strips", spm("unigram", rules=True, remove_extra_whitespaces=True)
    yield "spm-unigram-no-prefix", spm("unigram", add_dummy_prefix=False)
    yield "spm-bpe-rules", spm("bpe", rules=True)
    yield "spm-bpe-strips", spm("bpe", remove_extra_whitespaces=True, byte_fallback=True, vocab_size=420)
    yield "spm-bpe-rules-bytes", spm("bpe", rules=True, byte_fallback=True, vocab_size=420)
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(spm("unigram"))
    for piece in [piece for piece in model.pieces if piece.type == 1 and len(piece.piece) > 1][1::3]:
        piece.type = 5
    yield "spm-unigram-unused", model.SerializeToString()


def ranks():
    """Byte-level tokens by rank: those of the trained model."""
    model = json.loads(Tokenizer(bpe_model()).to_str())["model"]
    tokens = [bytes(peers.ALPHABET[character] for character in token) for token, _ in sorted(model["vocab"].items(), key=lambda entry: entry[1])]
    return {token: at for at, token in enumerate(sorted(tokens[:256]) + tokens[256:])}


def gguf_file(path, model, tokens, types, pre=None, merges=None, scores=None, **more):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_tokenizer_model(model)
    if pre:
        writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    if scores:
        writer.add_token_scores(scores)
    writer.add_token_types(types)
    if merges:
        writer.add_token_merges(merges)
    for key, value in more.items():
        (writer.add_bool if isinstance(value, bool) else writer.add_uint32 if isinstance(value, int) else writer.add_array)("tokenizer.ggml." + key, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def gguf_files():
    model = json.loads(byte_level().to_str())
    tokens = [token for token, _ in sorted(model["model"]["vocab"].items(), key=lambda entry: entry[1])] + ["<s>", "</s>"]
    types = [1] * (len(tokens) - 2) + [3, 3]
    merges = [" ".join(pair) for pair in model["model"]["merges"]]
    for pre in peers.PRE:
        yield f"gguf-{pre}", lambda path, pre=pre: gguf_file(path, "gpt2", tokens, types, pre, merges, bos_token_id=len(tokens) - 2)
    for name, kind, trained in (("gguf-llama", "llama", spm("bpe", vocab_size=420, byte_fallback=True)), ("gguf-t5", "t5", spm("unigram", rules=True, remove_extra_whitespaces=True))):
        proto = sentencepiece_model_pb2.ModelProto()
        proto.ParseFromString(trained)
        more = {} if kind == "llama" else {"add_space_prefix": True, "remove_extra_whitespaces": True, "precompiled_charsmap": list(proto.normalizer_spec.precompiled_charsmap)}
        yield name, lambda path, proto=proto, kind=kind, more=more: gguf_file(
            path, kind, [piece.piece for piece in proto.pieces], [piece.type for piece in proto.pieces], "default", scores=[piece.score for piece in proto.pieces], **more)
    vocab = [token for token, _ in sorted(word_piece().get_vocab().items(), key=lambda entry: entry[1])]
    turned = [token[2:] if token.startswith("##") else token if token.startswith("[") and len(token) > 2 else BLOCK + token for token in vocab]
    yield "gguf-bert", lambda path: gguf_file(path, "bert", turned, [3 if at < 5 else 1 for at in range(len(turned))], "bert-bge", cls_token_id=2, seperator_token_id=3, unknown_token_id=1)


def texts():
    own = [
        "<s>the cat</s> <s> x", "cat cats concat cat.", "caf\u00e9 cafe\u0301 caf", "Hello hello WORLD world", " <|x|>  y", "the [MASK] cat", "[CLS]a[UNK]", "x  <|x|> <|x|>\n", "<sep>cat<sep>", "   the    <ctl>  ", "ABC A BC \uff21\ufb01\u2026", "\u200bthe\u200b cat", "supercalifragilistic the",
        "th the other th", "a  b   c    d", "\tthe\ncat \n", "\u00e4 \u00c4 na\u00efve", f"{BLOCK}the{BLOCK}{BLOCK}{BLOCK}cat", "in 1999 and 12345 there", "HTTPServer's camelCase'LL", "\u6570\u5b66\u6570\u5b57\u3068", "def f(x):\n    return x**2 + 1\n",
    ]
    found = [*tokens_texts.odd(), *tokens_texts.spaces(), *tokens_texts.scripts(), *tokens_texts.digits(), *tokens_texts.contractions(), *tokens_texts.code()]
    more = [*exact_texts.contractions(), *exact_texts.cases(), *exact_texts.spaces(), *exact_texts.numbers(), *exact_texts.normalised(), *exact_texts.strange(), *exact_texts.mixtures()]
    short = [text for text in found if len(text.encode()) <= 36][::5] + [text for text in more if len(text.encode()) <= 36][::6]
    return list(dict.fromkeys(own + ["", "\x00", "a\x00b\x04"] + short))


def adds(peer):
    """Ids put before and after a text with special tokens."""
    if not isinstance(peer, peers.HuggingFace):
        return [[], []]
    whole = peer.tokenizer.encode("the cat", add_special_tokens=True).ids
    plain = peer.tokenizer.encode("the cat", add_special_tokens=False).ids
    at = next(at for at in range(len(whole)) if whole[at : at + len(plain)] == plain)
    return [whole[:at], whole[at + len(plain) :]]


def write_expected(path, name, peer, size, corpus):
    lines = [json.dumps({"file": str(path.relative_to(folder)), "size": size, "adds": adds(peer)}, separators=(",", ":"))]
    for text, ids in zip(corpus, peer.ids(corpus), strict=True):
        try:
            spans = exact_spans.spans(peer, text, ids)
        except exact_spans.Unexplained as problem:
            print(f"{name}: {text!r}: {problem}")
            lines.append("null")
            continue
        steps, end = [], 0
        for start, last in zip(spans[::2], spans[1::2]):
            steps += [start - end, last - start]
            end = last
        lines.append(json.dumps([list(ids), steps], separators=(",", ":")))
    (folder / f"{name}.expected").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.rglob("*"):
        if old.is_file():
            old.unlink()
    corpus = texts()
    (folder / "texts.ndjson").write_text("".join(json.dumps(text) + "\n" for text in corpus))
    for name, tokenizer in json_files():
        path = folder / f"{name}.json"
        path.write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
        peer = peers.HuggingFace(Tokenizer.from_file(str(path)), plain=False)
        write_expected(path, name, peer, max(tokenizer.get_vocab().values()) + 1, corpus)
    for name, contents in model_files():
        path = folder / f"{name}.model"
        path.write_bytes(contents)
        model = sentencepiece_model_pb2.ModelProto()
        model.ParseFromString(contents)
        write_expected(path, name, peers.SentencePiece(model), len(model.pieces), corpus)
    table = ranks()
    for name, file, pattern, ranks_in_all in (
        ("ranks-llama3", "tokenizer.model", exact_table.LLAMA3, 128000), ("ranks-qwen", "qwen.tiktoken", exact_table.QWEN, 151643), ("ranks-o200k", "o200k_base.tiktoken", exact_table.O200K, 199998),
        ("ranks-cl100k", "cl100k_base.tiktoken", exact_table.CL100K, 100256), ("ranks-gpt2", "gpt2.tiktoken", exact_table.GPT2, 50256),
    ):
        # The number of its ranks says which pattern goes with a file: the test fills it up with tokens that no text holds.
        path = folder / name / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(base64.b64encode(token) + b" %d\n" % rank for token, rank in table.items()))
        write_expected(path, name, peers.Ranks(name, pattern, table), ranks_in_all, corpus)
    entries = [{"rank": rank, "token_bytes": base64.b64encode(token).decode(), "token_str": None} for token, rank in table.items()]
    config = {"pattern": TEKKEN, "num_vocab_tokens": len(table), "default_vocab_size": len(table) + 10 - 5, "default_num_special_tokens": 10, "version": "v3"}
    path = folder / "tekken.json"
    path.write_text(json.dumps({"config": config, "vocab": entries}, separators=(",", ":")))
    kept = {token: rank for token, rank in table.items() if rank < len(table) - 5}
    write_expected(path, "tekken", peers.Ranks("tekken", TEKKEN, kept, shift=10), len(table) + 5, corpus)
    for name, write in gguf_files():
        path = folder / f"{name}.gguf"
        write(path)
        write_expected(path, name, peers._gguf(path, False), len(peers.gguf.GGUFReader(path).fields["tokenizer.ggml.tokens"].contents()), corpus)
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    print(f"{folder}: {len(corpus)} texts, {len(list(folder.glob('*.expected')))} vocabularies, {sum(sizes)} bytes, the largest {max(sizes)}")


if __name__ == "__main__":
    main()
