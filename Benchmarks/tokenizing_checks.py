"""Ids and spans held to the peer before anything is timed: a hash of the ids and one of the spans for each document.

    expected(vocabulary, corpus) -> [(ids, spans, tokens), ...], by the peer and the rule of exact_spans.py; kept until a file changes
    digest(expected) -> what text-bench prints of a corpus      differences(...) -> what is wrong with a run of tokenize
"""
import array
import functools
import json
import subprocess
import sys

sys.dont_write_bytecode = True
from tokenizing_corpora import CACHE, FOLDER, ROOT, texts

sys.path.insert(0, str(ROOT / "Tests/oracles"))
MASK = (1 << 64) - 1
NO_RULE = 0


def kept(kind, name, corpus, vocabulary, *more):
    """The file that keeps what was found out about a corpus: another one when the corpus, the vocabulary or a peer changes."""
    import exact_check
    from tokenizing_peers import row_of
    row = row_of(vocabulary)
    stats = [(stat.st_size, stat.st_mtime_ns) for stat in (corpus.stat(), (CACHE / row.path).stat())]
    path = FOLDER / f"{kind}.{name}.{corpus.stem}.{exact_check.digest(exact_check.peers_version(), row.pattern, *stats, *more)}"
    if not path.exists():
        for old in FOLDER.glob(f"{kind}.{name}.{corpus.stem}.*"):
            old.unlink()
    return path


def expected(vocabulary, corpus):
    """Two hashes and the tokens of each document; the second is NO_RULE where the peer's tokens are not explained by the rule."""
    path = kept("expected", vocabulary, corpus, vocabulary)
    if not path.exists():
        write(path, (one for record in _expected(vocabulary, texts(corpus)) for one in record))
    found = array.array("Q")
    found.frombytes(path.read_bytes())
    return list(zip(found[::3], found[1::3], found[2::3]))


def expected_of_all(vocabulary, paths):
    return [expected(vocabulary, path) for path in paths]


def write(path, values):
    part = path.with_name(path.name + ".part")
    part.write_bytes(array.array("Q", values).tobytes())
    part.rename(path)


@functools.lru_cache(1)
def _peer(vocabulary):
    import exact_peers
    from tokenizing_peers import row_of
    return exact_peers.load(row_of(vocabulary))


def _expected(vocabulary, found):
    import exact_spans
    from tokenizing_peers import JSON_FORM
    peer = _peer(vocabulary)
    # A part at a time: ids as Python's lists take much memory.
    for at in range(0, len(found), 500):
        part = found[at : at + 500]
        try:
            all_ids = peer.ids(part)
        except BaseException as problem:
            # tiktoken's engine overflows its stack on a megabyte of spaces, and a panic of Rust is not an Exception.
            if type(problem).__name__ != "PanicException" or vocabulary not in JSON_FORM:
                raise RuntimeError(f"{vocabulary}: the peer fails: {problem}") from None
            peer = _peer(JSON_FORM[vocabulary])
            all_ids = peer.ids(part)
        for text, ids in zip(part, all_ids, strict=True):
            try:
                spans = hashed(exact_spans.spans(peer, text, ids))
            except exact_spans.Unexplained:
                spans = NO_RULE
            yield hashed(ids), spans, len(ids)


def hashed(values):
    import xxhash
    return xxhash.xxh64_intdigest(array.array("I", values).tobytes())


def digest(wanted):
    """text-bench's hash: over the documents in order, as its source has it."""
    value = 0
    for ids, spans, _ in wanted:
        value = (value * 31 + ids & MASK) ^ spans
    return f"{value:x}"


def tokens(wanted):
    return sum(count for _, _, count in wanted)


def of_tool(tool, vocabulary, corpus, threads=1):
    """Hashes of what tokenize writes, as `expected` has them."""
    from tokenizing_peers import row_of
    command = [tool, "--no-provenance", "--format", "ndjson", "--threads", str(threads), "--tokenizer", CACHE / row_of(vocabulary).path, corpus]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as run:
        found = []
        for line in run.stdout:
            record = json.loads(line)
            if "input_ids" in record:
                spans = record["offsets"]
                if spans and isinstance(spans[0], list):
                    spans = [edge for span in spans for edge in span]
                found.append((hashed(record["input_ids"]), hashed(spans), len(record["input_ids"])))
    return found if run.returncode == 0 else None


def differences(wanted, found):
    """One line, or None where all is equal."""
    if found is None:
        return "tokenize failed"
    if len(wanted) != len(found):
        return f"{len(found)} documents instead of {len(wanted)}"
    ids = [at for at, (one, two) in enumerate(zip(wanted, found)) if one[0] != two[0]]
    spans = [at for at, (one, two) in enumerate(zip(wanted, found)) if one[0] == two[0] and one[1] not in (two[1], NO_RULE)]
    if not ids and not spans:
        return None
    return f"{len(ids)} documents with other ids, {len(spans)} with other spans, of {len(wanted)}; the first is document {(ids + spans)[0]}"

