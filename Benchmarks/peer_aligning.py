#!/usr/bin/env python3
"""align beside the usual Python way: alignment alone, and the whole data step from text. Ranges and losses are verified first.

    venv/bin/python Benchmarks/peer_aligning.py [--quick] [--rounds N] [--bytes N] [--student NAME] [--teacher NAME]

(`make bench-align` builds, makes the venv and runs all.) Alignment alone: the same spans in memory, one thread, the clock runs while a
document is aligned; the peer bisects with numpy.searchsorted. The whole step: NDJSON in, aligned tokens out; ours is `tokenize` twice and
`align`, through pipes; the peer is two tokenizers of the tokenizers package with offsets, numpy.searchsorted and npz. Every run is a fresh
process; ours and the peer alternate; figures are medians of the rounds, in MB of text a second. Names of vocabularies are those of
Tests/oracles/exact_table.py. Ends with 1 where ranges or losses differ. Requirements: Benchmarks/requirements-tokenizing.txt.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import numpy

import aligning_peers as peers
import tokenizing_corpora as corpora
from tokenizing_peers import json_form, row_of

BIN = corpora.ROOT / ".build/release"
WORKER = corpora.ROOT / "Benchmarks/aligning_peers.py"


def run(command, **more):
    start = time.perf_counter()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"peer_aligning: status {done.returncode} of {' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout, time.perf_counter() - start


class Benchmark:
    def __init__(self, options, folder):
        self.options, self.folder, self.failed = options, pathlib.Path(folder), False
        path = corpora.beginning(corpora.english(), options.bytes) if options.bytes else corpora.english()
        # Ids of the docstrings repeat: without them a document's id is its number.
        self.corpus = self.folder / "corpus.ndjson"
        with open(self.corpus, "w", encoding="utf-8", newline="\n") as out:
            for text in corpora.texts(path):
                out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
        self.bytes = sum(len(text.encode()) for text in corpora.texts(self.corpus))
        self.vocabularies = [corpora.CACHE / row_of(name).path for name in (options.student, options.teacher)]
        self.forms = [json_form(row_of(name)) for name in (options.student, options.teacher)]
        self.streams = [self.folder / "student.tokens", self.folder / "teacher.tokens"]
        self.out, self.npz = self.folder / "out.aligned", self.folder / "out.npz"
        print(f"student {options.student}, teacher {options.teacher}, {self.bytes} bytes in {len(corpora.texts(self.corpus))} documents of English")

    def hold(self, what, holds):
        print(f"  {what}: {'equal' if holds else 'DIFFERENT'}", flush=True)
        self.failed |= not holds

    def pipeline(self, cores):
        tokenize = [f"{BIN}/tokenize --tokenizer '{path}' '{self.corpus}'" for path in self.vocabularies]
        command = f"{BIN}/align <({tokenize[0]}) <({tokenize[1]}) >'{self.out}'"
        return run(["taskset", "-c", cores, "bash", "-c", command])[1]

    def python(self, cores):
        threads = str(cores.count(",") + 1)
        environment = os.environ | {"RAYON_NUM_THREADS": threads, "TOKENIZERS_PARALLELISM": "true" if threads != "1" else "false"}
        return run(["taskset", "-c", cores, sys.executable, WORKER, "step", *self.forms, self.corpus, self.npz], env=environment)[1]

    def verify(self):
        print("\nVerified first")
        for vocabulary, stream in zip(self.vocabularies, self.streams):
            run(["bash", "-c", f"{BIN}/tokenize --tokenizer '{vocabulary}' '{self.corpus}' >'{stream}'"])
        self.pipeline("0")
        records = list(peers.streams(self.out))
        mine = numpy.concatenate([record["teacher_ranges"] for record in records])
        pairs = zip(peers.documents(self.streams[0]), peers.documents(self.streams[1]), strict=True)
        its = numpy.concatenate([numpy.stack(peers.align(student, teacher), 1) for (_, student), (_, teacher) in pairs])
        self.hold(f"ranges of {len(mine)} tokens, ours and numpy's of the same spans", numpy.array_equal(mine, its))
        self.python("0,1")
        # Each access to an npz reads the array anew.
        with numpy.load(self.npz) as archive:
            found = {name: archive[name] for name in ("ids", "splits", "ranges")}
        self.hold("ids of the student, ours and the tokenizers package's", numpy.array_equal(numpy.concatenate([record["input_ids"] for record in records]), found["ids"]))
        # Its spans are characters, of which a piece has all: the same only where no document has longer ones.
        same, compared = True, 0
        for text, begin, end in zip(corpora.texts(self.corpus), found["splits"], found["splits"][1:]):
            if text.isascii():
                compared += 1
                same &= numpy.array_equal(found["ranges"][begin:end], mine[begin:end])
        self.hold(f"ranges of the whole step in {compared} documents of ASCII", same)

    def alone(self):
        print("\nAlignment alone, one thread (MB of text a second)")
        rates = {}
        for _ in range(self.options.rounds):
            words = run([BIN / "align-bench", *self.streams])[0].split()
            ours = dict(zip(words[::2], map(float, words[1::2])))
            numpys = json.loads(run([sys.executable, WORKER, "align", *self.streams])[0])
            if (ours["range_sum"], ours["bytes"]) != (numpys["range_sum"], numpys["bytes"]) or not math.isclose(ours["loss_sum"], numpys["loss_sum"], rel_tol=1e-9):
                self.hold("sums of ranges and losses in the timed run", False)
            for title, key in (("ranges", "ranges_s"), ("ranges and largest losses", "losses_s")):
                rates.setdefault((title, "ours"), []).append(ours["bytes"] / ours[key] / 1e6)
                rates.setdefault((title, "numpy"), []).append(ours["bytes"] / numpys[key] / 1e6)
            rates.setdefault(("ranges, arrays made of lists", "numpy"), []).append(ours["bytes"] / numpys["arrays_s"] / 1e6)
        for title in dict.fromkeys(title for title, _ in rates):
            self.show(title, rates.get((title, "ours")) or rates["ranges", "ours"], rates[title, "numpy"])

    def step(self):
        print("\nThe whole step from text (MB of text a second)")
        for title, cores in (("one core", "0"), ("two cores", "0,1")):
            ours, python = [], []
            for _ in range(self.options.rounds):
                ours.append(self.bytes / self.pipeline(cores) / 1e6)
                python.append(self.bytes / self.python(cores) / 1e6)
            self.show(title, ours, python)

    def show(self, title, ours, other):
        spread = lambda values: f"{statistics.median(values):8.1f} ({min(values):.1f}-{max(values):.1f})"
        print(f"  {title:30} ours {spread(ours):26} python {spread(other):24} ratio {statistics.median(ours) / statistics.median(other):.1f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round of 2 MB")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--bytes", type=int, default=0, help="of the corpus; 0: all of it")
    parser.add_argument("--student", default="smollm2")
    parser.add_argument("--teacher", default="qwen-2.5")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.bytes = 1, options.bytes or 2_000_000
    with tempfile.TemporaryDirectory() as folder:
        benchmark = Benchmark(options, folder)
        benchmark.verify()
        if benchmark.failed:
            sys.exit("peer_aligning: nothing is timed: see above")
        benchmark.alone()
        benchmark.step()
        sys.exit(1 if benchmark.failed else 0)


if __name__ == "__main__":
    main()
