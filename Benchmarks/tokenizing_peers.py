"""One peer, one vocabulary, one corpus, one thread, in a fresh process: what peer_tokenizing.py starts. Prints one JSON line.

    tokenizing_peers.py encode PEER VOCABULARY CORPUS      every document once; the clock runs only while the peer encodes
    tokenizing_peers.py hashes PEER VOCABULARY CORPUS FILE the hash of each document's ids, into FILE
    tokenizing_peers.py stream PEER VOCABULARY CORPUS OUT  NDJSON in, ids (and offsets where the peer has them) out, with numpy
    tokenizing_peers.py stream2 PEER VOCABULARY CORPUS OUT the same in batches on two threads (tokenizers only)
    tokenizing_peers.py load PEER VOCABULARY LINE          what loading costs, and the first line

A peer is asked in the way that costs it least: no list of ids or offsets is made of what tokenizers, gigatoken or fastokens return when
only encoding is timed. What a peer puts off until its first line is part of its loading. Texts are str; gigatoken takes bytes.
"""
import importlib
import json
import os
import pathlib
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/oracles"))

# Another file of the same vocabulary, for peers that cannot read the first; the ids are the same.
JSON_FORM = {"llama-3": "r1-distill-llama"}
RANKS_FORM = {"gguf-gpt-2": "whisper-gpt2"}


def row_of(name):
    import exact_table
    return next(row for row in exact_table.VOCABULARIES if row.name == name)


def json_form(row):
    """Path of the vocabulary as a tokenizer.json; what is made for it is kept."""
    from tokenizing_corpora import CACHE, FOLDER
    row = row_of(JSON_FORM.get(row.name, row.name))
    if row.kind == "json":
        return CACHE / row.path
    target = FOLDER / f"{row.name}.tokenizer.json"
    if target.exists() and target.stat().st_mtime_ns > (CACHE / row.path).stat().st_mtime_ns:
        return target
    import exact_peers
    peer = exact_peers.load(row)
    if hasattr(peer, "tokenizer"):
        text = peer.tokenizer.to_str()
    else:
        # As gigatoken turns a model of sentencepiece into one; fastokens reads that too.
        from gigatoken import Tokenizer
        text = Tokenizer.from_sentencepiece(str(model_form(row)))._hf_json
    part = target.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(text if isinstance(text, bytes) else text.encode())
    part.rename(target)
    return target


def model_form(row):
    """Path of a GGUF's pieces as a sentencepiece model, without its added tokens: no corpus holds their texts."""
    from tokenizing_corpora import CACHE, FOLDER
    if row.kind == "piece":
        return CACHE / row.path
    target = FOLDER / f"{row.name}.model"
    if not target.exists() or target.stat().st_mtime_ns < (CACHE / row.path).stat().st_mtime_ns:
        import exact_peers
        part = target.with_suffix(f".{os.getpid()}.part")
        part.write_bytes(exact_peers.load(row).model.SerializeToString())
        part.rename(target)
    return target


class HuggingFace:
    """encode_batch of one text: ids and offsets, in characters."""

    offsets = True

    def __init__(self, row):
        from tokenizers import Tokenizer
        self.tokenizer = Tokenizer.from_file(str(json_form(row)))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()

    def encode(self, text):
        return self.tokenizer.encode_batch([text], add_special_tokens=False)[0]

    def ids(self, encoding):
        return encoding.ids

    def spans(self, encoding):
        return encoding.offsets


class Tiktoken:
    offsets = False

    def __init__(self, row):
        import tiktoken
        from tiktoken.load import load_tiktoken_bpe
        from tokenizing_corpora import CACHE
        row = row_of(RANKS_FORM.get(row.name, row.name))
        ranks = load_tiktoken_bpe(str(CACHE / row.path))
        self.encode = tiktoken.Encoding(row.name, pat_str=row.pattern, mergeable_ranks=ranks, special_tokens={}).encode_ordinary

    def ids(self, encoding):
        return encoding


class SentencePiece:
    offsets = False

    def __init__(self, row):
        import sentencepiece
        self.processor = sentencepiece.SentencePieceProcessor(model_file=str(model_form(row)))

    def encode(self, text):
        return self.processor.encode(text)

    def ids(self, encoding):
        return encoding


class SentencePieceProto(SentencePiece):
    """With the offsets, which only the proto has."""

    offsets = True

    def encode(self, text):
        return self.processor.encode(text, return_type="proto")

    def ids(self, encoding):
        return [piece.id for piece in encoding.pieces]

    def spans(self, encoding):
        return [(piece.begin, piece.end) for piece in encoding.pieces]


class Gigatoken:
    offsets = False
    takes_bytes = True

    def __init__(self, row):
        from gigatoken import Tokenizer
        self.encode = Tokenizer(str(json_form(row))).encode

    def ids(self, encoding):
        return encoding


class Fastokens:
    offsets = False

    def __init__(self, row):
        from fastokens import Tokenizer
        self.encode = Tokenizer.from_file(str(json_form(row))).encode

    def ids(self, encoding):
        return encoding.ids


PEERS = {"tokenizers": HuggingFace, "tiktoken": Tiktoken, "sentencepiece": SentencePiece, "sentencepiece proto": SentencePieceProto, "gigatoken": Gigatoken, "fastokens": Fastokens}


def read(corpus, peer):
    with open(corpus, encoding="utf-8", newline="\n") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    return [text.encode() for text in texts] if getattr(peer, "takes_bytes", False) else texts


def count(peer, encoding):
    return len(encoding.pieces) if isinstance(peer, SentencePieceProto) else len(encoding)


def encode(peer, corpus):
    texts = read(corpus, peer)
    tokens, seconds, clock, run = 0, 0.0, time.perf_counter, peer.encode
    cpu = time.process_time()
    began = clock()
    for text in texts:
        start = clock()
        found = run(text)
        seconds += clock() - start
        tokens += count(peer, found)
    # Work of other threads, which one thread may not have.
    share = (time.process_time() - cpu) / max(clock() - began, 1e-9)
    size = sum(len(text) if isinstance(text, bytes) else len(text.encode()) for text in texts)
    return {"encode_s": seconds, "bytes": size, "tokens": tokens, "threads": share}


def hashes(peer, corpus, target):
    import numpy
    import xxhash
    from tokenizing_checks import write
    found = [xxhash.xxh64_intdigest(numpy.asarray(peer.ids(peer.encode(text)), dtype=numpy.uint32).tobytes()) for text in read(corpus, peer)]
    write(pathlib.Path(target), found)
    return {"documents": len(found)}


def stream(peer, corpus, target, batch=1):
    """The loop that a user writes: with tokenizers `batch` texts at a time, for its threads."""
    import numpy

    def put(encoding, out):
        numpy.asarray(peer.ids(encoding), dtype=numpy.uint32).tofile(out)
        if peer.offsets:
            numpy.asarray(peer.spans(encoding), dtype=numpy.uint32).tofile(out)
    with open(corpus, encoding="utf-8", newline="\n") as lines, open(target, "wb") as out:
        if batch == 1:
            for line in lines:
                put(peer.encode(json.loads(line)["text"]), out)
        else:
            texts = []
            for line in lines:
                texts.append(json.loads(line)["text"])
                if len(texts) == batch:
                    for encoding in peer.tokenizer.encode_batch(texts, add_special_tokens=False):
                        put(encoding, out)
                    texts = []
            for encoding in peer.tokenizer.encode_batch(texts, add_special_tokens=False) if texts else []:
                put(encoding, out)
    return {}


def main():
    mode, name, vocabulary, *rest = sys.argv[1:]
    row = row_of(vocabulary)
    threads = 2 if mode == "stream2" else 1
    # Before any peer is imported: their pools read these once.
    os.environ.update(RAYON_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true" if threads > 1 else "false", RUST_BACKTRACE="0")
    if mode == "load" and name in ("tokenizers", "gigatoken", "fastokens"):
        importlib.import_module(name)  # Reading Python code is no part of loading.
    start = time.perf_counter()
    try:
        peer = PEERS[name](row)
        line = rest[0] if mode == "load" else "Hello, world."
        peer.ids(peer.encode(line.encode() if getattr(peer, "takes_bytes", False) else line))
        loaded = time.perf_counter() - start
        if mode == "load":
            result = {"load_s": loaded}
        elif mode == "encode":
            result = {"load_s": loaded, **encode(peer, rest[0])}
        elif mode == "hashes":
            result = hashes(peer, *rest)
        else:
            result = stream(peer, *rest, batch=256 if threads > 1 else 1)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as problem:  # A panic of a Rust extension is not an Exception.
        result = {"unable": " ".join(str(problem).split())[:160] or type(problem).__name__}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
