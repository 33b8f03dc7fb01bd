"""Compares `tokenize` with the peer of every vocabulary of exact_table.py on every text of exact_texts.py: ids, spans, sizes, decoding.

    scripts/check-exact [-v] [PATTERN]          PATTERN: a regular expression over names; -v shows the first differences

One line a vocabulary and mode; ends with 1 on any miss. What the peers say is kept in the cache's all/peers until a file changes.
"""
import argparse
import array
import hashlib
import json
import pathlib
import pickle
import random
import re
import subprocess
import sys
import tempfile
import time
import unicodedata
from importlib import metadata

import exact_peers
import exact_spans
import exact_table
import exact_texts
from exact_assets import CACHE

HERE = pathlib.Path(__file__).parent
KEPT = CACHE / "all/peers"
ROUND_TRIPS = 100_000


def digest(*parts):
    found = hashlib.sha256()
    for part in parts:
        found.update(part if isinstance(part, bytes) else str(part).encode())
        found.update(b"\0")
    return found.hexdigest()[:24]


def peers_version():
    names = ("tokenizers", "sentencepiece", "tiktoken", "gguf")
    code = [(HERE / f"{name}.py").read_bytes() for name in ("exact_peers", "exact_spans", "tokens_vocabularies")]
    return digest(*[metadata.version(name) for name in names], *code)


class Expected:
    """ids and spans by the peer, one record a text."""

    def __init__(self, row, mode, title, texts, version):
        self.row, self.mode, self.texts = row, mode, texts
        stat = (CACHE / row.path).stat()
        # Of the whole row only what the peer reads: a corrected size needs no new run.
        key = digest(version, row.name, row.kind, row.pattern, stat.st_size, stat.st_mtime_ns, mode, title, *texts)
        self.path = KEPT / f"{row.name}.{mode}.{title}.{key}.pickle"

    def read(self, peer):
        if self.path.exists():
            return pickle.loads(self.path.read_bytes())
        peer = peer()
        ids = peer.ids(self.texts)
        records, unexplained = [], []
        for text, one in zip(self.texts, ids, strict=True):
            try:
                offsets = array.array("I", exact_spans.spans(peer, text, one))
            except exact_spans.Unexplained as problem:
                offsets = None
                unexplained.append((text, str(problem)))
            records.append((array.array("I", one), offsets))
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{self.row.name}.{self.mode}.{self.path.name.split('.')[-3]}.*.pickle"):
            old.unlink()
        part = self.path.with_suffix(".part")
        part.write_bytes(pickle.dumps((records, unexplained)))
        part.rename(self.path)
        return records, unexplained


def write_corpus(path, texts):
    with open(path, "w", encoding="utf-8") as out:
        for text in texts:
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")


class Refused(Exception):
    pass


def ours(tool, row, corpus, plain):
    """The header and the records of the tool."""
    command = [tool, "--no-provenance", "--format", "ndjson", "--tokenizer", CACHE / row.path, *row.options, *(["--plain-text"] if plain else []), corpus]
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        message = done.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(f"status {done.returncode}: " + (message[0] if message else ""), done.returncode)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    return records[0], [record for record in records if "input_ids" in record]


def shortened(text, at=60):
    return repr(text if len(text) <= at else text[:at] + "...")


def compare(texts, records, expected, verbose, title):
    """Counts of tokens, texts with other ids, texts with other spans."""
    tokens = other_ids = other_spans = 0
    shown = 0
    for text, record, (ids, offsets) in zip(texts, records, expected, strict=True):
        tokens += len(ids)
        mine = array.array("I", record["input_ids"])
        if mine != ids:
            other_ids += 1
            if verbose and shown < 5:
                shown += 1
                at = next((at for at, (one, two) in enumerate(zip(mine, ids)) if one != two), min(len(mine), len(ids)))
                print(f"    {title} ids {shortened(text)}, from token {at}: ours {list(mine[at : at + 8])}, the peer {list(ids[at : at + 8])}")
        elif offsets is not None:
            spans = array.array("I", (edge for span in record["offsets"] for edge in span) if record["offsets"] and isinstance(record["offsets"][0], list) else record["offsets"])
            if spans != offsets:
                other_spans += 1
                if verbose and shown < 5:
                    shown += 1
                    at = next((at for at, (one, two) in enumerate(zip(spans, offsets)) if one != two), 0) // 2 * 2
                    print(f"    {title} spans {shortened(text)}, from token {at // 2}: ours {list(spans[at : at + 8])}, the rule {list(offsets[at : at + 8])}")
    return tokens, other_ids, other_spans


def random_strings(count):
    """Valid UTF-8 of every kind: mostly characters that texts have, some of every plane."""
    generator = random.Random(3)
    for _ in range(count):
        letters = []
        for _ in range(generator.randint(1, 24)):
            kind = generator.random()
            code = generator.randrange(0x20, 0x7F) if kind < 0.5 else generator.randrange(0x80, 0x3000) if kind < 0.75 else generator.randrange(0x110000) if kind < 0.95 else generator.randrange(0x20)
            letters.append(chr(code) if not 0xD800 <= code < 0xE000 else " ")
        yield "".join(letters)


def has_decode(tool):
    return "--decode" in subprocess.run([tool, "--help"], capture_output=True, text=True).stdout


def round_trip(tool, row, texts, folder):
    """How many texts are not given back by --decode; what a normaliser changes is compared in its normal form."""
    corpus, tokens = folder / "random.ndjson", folder / "random.tokens"
    if not corpus.exists():
        write_corpus(corpus, texts)
    with open(tokens, "wb") as out:
        subprocess.run([tool, "--no-provenance", "--tokenizer", CACHE / row.path, *row.options, "--plain-text", corpus], check=True, stdout=out, stderr=subprocess.DEVNULL)
    done = subprocess.run([tool, "--decode", "--tokenizer", CACHE / row.path, *row.options, tokens], capture_output=True)
    if done.returncode != 0:
        raise Refused(done.stderr.decode(errors="replace").strip().splitlines()[0], done.returncode)
    texts_back = [record["text"] for record in map(json.loads, done.stdout.splitlines()) if "text" in record]
    if len(texts_back) != len(texts):
        return len(texts)
    return sum(one != two for one, two in zip(texts, texts_back))


def gives_back(row, peer):
    """Whether every text comes back: all bytes have a token and nothing is rewritten."""
    if peer.rewrite is not None or peer.form == "words" or peer.strips:
        return False
    single = {value[0] for value in peer.bytes_of.values() if len(value) == 1}
    # ▁ in a text is a space to a vocabulary of pieces: the random texts have none.
    return len(single) >= 243


def llama_cpp_tests(row):
    """llama.cpp's own texts and ids, where the file has them."""
    texts, ids = (CACHE / (row.path + more) for more in (".inp", ".out"))
    if not texts.exists():
        return None
    found = texts.read_text(encoding="utf-8").split("\n__ggml_vocab_test__\n")
    wanted = [[int(one) for one in line.split()] for line in ids.read_text().split("\n")]
    return list(zip(found, wanted))


def check(row, tool, texts, handbook, folder, options):
    """Prints the row's lines; gives the number of misses."""
    misses = 0
    version = peers_version()
    own = exact_texts.own(special(row, version))
    loaded = {}

    def peer(plain):
        if plain not in loaded:
            loaded[plain] = exact_peers.load(row, plain)
        return loaded[plain]

    both = texts + own
    corpus = folder / f"{row.name}.ndjson"
    write_corpus(corpus, both)
    for mode in ("default", "plain"):
        plain = mode == "plain"
        began = time.monotonic()
        parts = [("nasty", both, corpus)] + ([("handbook", handbook, folder / "handbook.ndjson")] if not plain and not options.quick else [])
        counts, problems, size = [0, 0, 0], [], None
        try:
            for title, part, path in parts:
                header, records = ours(tool, row, path, plain)
                size = header.get("vocabulary_size", size)
                expected, unexplained = Expected(row, mode, title, part, version).read(lambda: peer(plain))
                problems += unexplained
                if len(records) != len(part):
                    raise Refused(f"{len(records)} records for {len(part)} texts", 0)
                counts = [one + two for one, two in zip(counts, compare(part, records, expected, options.verbose, title))]
        except Refused as refusal:
            right = row.refused and refusal.args[1] == 65 and row.refused in refusal.args[0]
            print(f"{row.name:22} {mode:8} refused{', as it must' if right else ''}: {refusal.args[0]}", flush=True)
            misses += 0 if right else 1
            if not plain:
                return misses
            continue
        number = sum(len(part) for _, part, _ in parts)
        wrong_size = int(size or -1) != row.size
        bad = counts[1] + counts[2] + wrong_size + len(problems)
        misses += bad > 0
        print(f"{row.name:22} {mode:8} {number:5} texts {counts[0]:9} tokens {counts[1]:5} other ids {counts[2]:5} other spans  size {size}"
              + (f" expected {row.size}" if wrong_size else "") + (f"  {len(problems)} without a rule" if problems else "") + f"  {time.monotonic() - began:.1f} s" + ("" if bad == 0 else "  MISS"), flush=True)
        for text, problem in problems[: 5 if options.verbose else 0]:
            print(f"    no rule for {shortened(text)}: {problem}")
    misses += check_llama_cpp(row, tool, folder, options)
    if options.decode and not options.quick and gives_back(row, peer(False)):
        try:
            lost = round_trip(tool, row, options.decode, folder)
        except (Refused, subprocess.CalledProcessError) as refusal:
            print(f"{row.name:22} decode   refused: {refusal}")
            return misses + 1
        print(f"{row.name:22} decode   {len(options.decode)} random texts, {lost} not given back" + ("  MISS" if lost else ""), flush=True)
        misses += lost > 0
    return misses


def check_llama_cpp(row, tool, folder, options):
    """The peer and the tool against llama.cpp's own expectations; where the peer differs, it is followed, and the text is counted."""
    tests = llama_cpp_tests(row)
    if not tests:
        return 0
    texts, wanted = zip(*tests)
    wanted = wanted[: len(texts)]
    peer = exact_peers.load(row)
    differ = [text for text, one, two in zip(texts, peer.ids(list(texts)), wanted) if one != two]
    corpus = folder / "llama.ndjson"
    write_corpus(corpus, texts)
    try:
        _, records = ours(tool, row, corpus, False)
    except Refused:
        return 0
    miss = [text for text, record, one in zip(texts, records, peer.ids(list(texts))) if record["input_ids"] != one]
    print(f"{row.name:22} llama.cpp's own {len(texts)} texts: {len(miss)} other ids; the peer differs from llama.cpp on {len(differ)}" + ("  MISS" if miss else ""), flush=True)
    for text in differ[: 3 if options.verbose else 0]:
        print(f"    peer and llama.cpp differ on {shortened(text)}")
    return len(miss) > 0


def special(row, version):
    stat = (CACHE / row.path).stat()
    path = KEPT / f"{row.name}.special.{digest(version, row.kind, stat.st_size, stat.st_mtime_ns)}.json"
    if path.exists():
        return json.loads(path.read_text())
    found = exact_peers.special_contents(row) if not row.refused else []
    KEPT.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found))
    return found


def main():
    parser = argparse.ArgumentParser(prog="check-exact")
    parser.add_argument("tool")
    parser.add_argument("pattern", nargs="?", default="")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the first differences")
    parser.add_argument("--quick", action="store_true", help="the nasty texts only")
    options = parser.parse_intermixed_args()
    rows = [row for row in exact_table.VOCABULARIES if re.search(options.pattern, row.name)]
    if not rows:
        sys.exit(f"check-exact: no vocabulary is named like '{options.pattern}'")
    texts, handbook = exact_texts.nasty(), exact_texts.handbook()
    options.decode = list(random_strings(ROUND_TRIPS)) if has_decode(options.tool) else None
    options.decode = options.decode and [text.replace("\u2581", "") for text in options.decode]
    print(f"{len(rows)} vocabularies; {len(texts)} nasty texts, {len(handbook)} documents ({sum(len(text.encode()) for text in handbook)} bytes) in 26 languages; Unicode {unicodedata.unidata_version} here")
    misses = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_corpus(folder / "handbook.ndjson", handbook)
        for row in rows:
            if check(row, options.tool, texts, handbook, folder, options):
                misses.append(row.name)
    if options.decode is None:
        print("decoding was not checked: this tokenize has no --decode")
    print(f"{len(rows) - len(misses)} vocabularies exact, {len(misses)} not" + (f": {', '.join(misses)}" if misses else ""))
    sys.exit(1 if misses else 0)


if __name__ == "__main__":
    main()
