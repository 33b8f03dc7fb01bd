"""Files of ranks, tiktoken's and tekken.json: K01-K12."""
import base64
import itertools
import json

import gate as gates
from cases import Case, _vocabulary, sentencepiece, tokenizer_json
from cases._vocabulary import try_file  # noqa: F401: of this module too

FILE = "cl100k_base.tiktoken"

def line(token, rank):
    return base64.b64encode(token) + b" " + (rank if isinstance(rank, bytes) else b"%d" % rank) + b"\n"


def ranks(count=256, skip=()):
    return b"".join(line(bytes([byte]), byte) for byte in range(count) if byte not in skip)


def whole_ranks(count, skip=()):
    """As many ranks as a known vocabulary has, for its split pattern: bytes, then pairs of bytes; the last two are no UTF-8."""
    pairs = (bytes([first, second]) for first in range(256) for second in range(256))
    tokens = [*itertools.islice(pairs, count - 256 - 2), b"\xe2\x82", b"\xff\xfe"]
    rank = itertools.filterfalse(skip.__contains__, itertools.count(256))
    return ranks() + b"".join(line(token, at) for token, at in zip(tokens, rank))


def cases():
    yield from rank_cases()
    yield from tekken_cases()
    yield from other_kinds()


def rank_cases():
    good, whole = ranks(), whole_ranks(50256)
    for name, bad in (("character", b"I!== 256\n"), ("padding", b"YWI 256\n"), ("spare-bits", b"YWJ= 256\n"), ("long", b"YWI== 256\n")):
        yield Case(f"K01-{name}", "reject", good + bad, "257|line")
    for name, rank in (("missing", b""), ("three", b"256 7"), ("negative", b"-1"), ("real", b"256.0"), ("wraps", b"18446744073709551616"), ("plus", b"+256"), ("space", b" 256")):
        yield Case(f"K02-{name}", "reject", good + line(b"ab", rank), "257|line")
    yield Case("K03-rank", "reject", good + line(b"ab", 255), "257.*255.*twice")
    yield Case("K03-token", "reject", good + line(b"a", 256), "257.*twice.*256")
    yield Case("K04", "reject", good + line(b"ab", 300), "257:.*300.*256")
    yield Case("K04-other-gap", "reject", whole_ranks(50280, skip=(50255,)), "50256:.*50256.*50255")
    # p50k leaves out the one rank of its special token.
    yield Case("K04-p50k", "accept", whole_ranks(50280, skip=(50256,)), "")
    yield Case("K04-p50k-cut", "reject", whole_ranks(50279, skip=(50256,)), "50257:.*50257.*50256")
    yield Case("K05", "reject", ranks(skip=(65,)).replace(b" 255\n", b" 65\n"), "byte|65|0x41")
    yield Case("K06", "reject", good + b" 256\n", "257.*empty")
    yield Case("K06-equals", "reject", good + b"= 256\n", "257")
    yield Case("K07-crlf", "accept", whole.replace(b"\n", b"\r\n"), "")
    yield Case("K07-no-newline", "accept", whole[:-1], "")
    yield Case("K07-blank", "accept", whole.replace(b" 255\n", b" 255\n\n") + b"\n", "")
    yield Case("K08", "reject", good + line(b"ab", 256) + b"YWJj 12", "12|258")
    yield Case("K10", "reject", good + line(b"a" * 70_000, 256), "257|long|bytes")
    yield Case("K11", "accept", whole, "")
    long = b"".join(line(bytes([at]) * 65_000 + b"a" * at, 256 + at) for at in range(60))
    yield Case("K10-many", "reject", good + long, "316 ranks")
    yield Case("K08-other-count", "reject", good + line(b"ab", 256), "257 ranks")


def tekken(specials):
    entries = [{"rank": byte, "token_bytes": base64.b64encode(bytes([byte])).decode(), "token_str": None} for byte in range(256)]
    special = [{"rank": rank, "token_str": token, "is_control": True} for token, rank in specials]
    config = {"pattern": r"\p{L}+|.", "num_vocab_tokens": 256, "default_vocab_size": 266, "default_num_special_tokens": 10, "version": "v7"}
    return json.dumps({"config": config, "vocab": entries, "special_tokens": special})


def tekken_cases():
    yield Case("K09-good", "accept", tekken([("<unk>", 0), ("<s>", 1)]), "", file="tekken.json")
    yield Case("K09-rank", "reject", tekken([("<unk>", 0), ("<s>", 0)]), "special_tokens: '<s>'", file="tekken.json")
    yield Case("K09-token", "reject", tekken([("<s>", 0), ("<s>", 1)]), "special_tokens: '<s>'", file="tekken.json")
    yield Case("K09-past-end", "reject", tekken([("<unk>", 0), ("<s>", 10)]), "special_tokens: entry 1", file="tekken.json")


def other_kinds():
    """Each is known by what it is, not by its name."""
    yield Case("K12-piece", "accept", sentencepiece.model(), file="x.tiktoken")
    yield Case("K12-json", "accept", tokenizer_json.tokenizer_json(), file="x.tiktoken")
    yield Case("K12-ranks", "reject", ranks(), "256 ranks", file="tokenizer.json")
    yield Case("K12-ranks-model", "reject", ranks(), "256 ranks", file="x.model")


def seeds():
    """A file of ranks as small as this is always refused, for their number says how text is split: only reading is tried."""
    for name in ("shapes/ranks-qwen/qwen.tiktoken", "shapes/tekken.json"):
        yield name.rpartition("/")[2], (gates.FIXTURES / "text" / name).read_bytes()


def try_case(case, gate):
    return _vocabulary.try_vocabulary(case, case.file or FILE)
