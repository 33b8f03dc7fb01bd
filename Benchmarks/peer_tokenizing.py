#!/usr/bin/env python3
"""The peers of tokenize, side by side: encoding, whole processes, loading, linear time, memory. Ids and spans are verified first.

    venv/bin/python Benchmarks/peer_tokenizing.py [--quick] [--only REGEX] [--sections encode,process,load,linear,memory]

(`make bench-text` builds, makes the venv and runs all.) Ends with 1 when ids or spans of ours differ from the peer's, and times nothing of
that vocabulary. Every run is a fresh process on one thread unless named otherwise; ours and the peers alternate; figures are the median of
the rounds; a ratio is ours to the peer's of the same documents. Peers far slower than ours (tokenizers, sentencepiece) see the first
--short bytes of a corpus, and ours is timed on these documents too. Requirements: Benchmarks/requirements-tokenizing.txt.
"""
import argparse
import concurrent.futures
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from importlib import metadata

sys.dont_write_bytecode = True
os.environ["RUST_BACKTRACE"] = "0"
import tokenizing_checks as checks
import tokenizing_corpora as corpora
from tokenizing_peers import JSON_FORM, row_of

BIN = corpora.ROOT / ".build/release"
WORKER, WALL = corpora.ROOT / "Benchmarks/tokenizing_peers.py", corpora.ROOT / "Benchmarks/tokenizing_wall.py"
BYTE_LEVEL = ["tokenizers", "gigatoken", "fastokens"]
PIECES = ["sentencepiece", "sentencepiece proto", "gigatoken", "fastokens"]
VOCABULARIES = [
    ("Qwen 2.5", "qwen-2.5", BYTE_LEVEL),
    ("Llama 3", "llama-3", ["tiktoken", *BYTE_LEVEL]),
    ("SmolLM2", "smollm2", BYTE_LEVEL),
    ("GPT-2", "gguf-gpt-2", ["tiktoken", *BYTE_LEVEL]),
    ("DeepSeek R1", "deepseek-r1", BYTE_LEVEL),
    ("Mistral v1", "mistral-v1", PIECES),
    ("Llama 2", "gguf-llama-spm", PIECES),
    ("Jurassic-2 (Unigram)", "jurassic-2", PIECES),
]
SLOW = {"tokenizers", "sentencepiece", "sentencepiece proto"}
WITH_OFFSETS = {"tokenizers", "sentencepiece proto"}
# Vocabularies of whole processes: with the peers of the Python loop.
PROCESSES = [("Qwen 2.5", "qwen-2.5", ["tokenizers", "gigatoken", "fastokens"]), ("Mistral v1", "mistral-v1", ["sentencepiece proto"])]
LOADED = ("Qwen 2.5", "qwen-2.5", ["tokenizers", "gigatoken", "fastokens"])
LINE = "The quick brown fox jumps over the lazy dog.\n"


def vocabulary_path(name):
    return corpora.CACHE / row_of(name).path


class Failed(Exception):
    pass


def ours(name, corpus):
    done = subprocess.run([BIN / "text-bench", vocabulary_path(name), corpus], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(done.stdout.strip() + done.stderr.strip())
    words = done.stdout.split()
    found = dict(zip(words[::2], words[1::2]))
    return {"load_s": float(found["load_s"]), "encode_s": float(found["encode_s"]), "bytes": int(found["bytes"]), "tokens": int(found["tokens"]), "hash": found["hash"]}


def peer(mode, name, vocabulary, *rest):
    done = subprocess.run([sys.executable, WORKER, mode, name, vocabulary, *map(str, rest)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0 or not done.stdout.strip():
        return {"unable": (done.stderr.strip().splitlines() or [f"status {done.returncode}"])[-1][:160]}
    return json.loads(done.stdout.splitlines()[-1])


def wall(command, **more):
    """Seconds, peak bytes of resident memory."""
    with tempfile.NamedTemporaryFile("r") as result:
        subprocess.run([sys.executable, "-I", "-S", WALL, result.name, *command], check=True, **more)
        seconds, status, peak = result.read().split()
    if status != "0":
        raise Failed(f"status {status} of {' '.join(map(str, command))}")
    return float(seconds), int(peak)


def median(values):
    return statistics.median(values)


def spread(values):
    return f"{median(values):8.1f} ({min(values):.1f}-{max(values):.1f})"


def heading(title):
    print(f"\n## {title}\n", flush=True)


class Benchmark:
    def __init__(self, options):
        self.options, self.misses, self.unusable = options, [], {}
        self.rows = [row for row in VOCABULARIES if re.search(options.only, row[1])]
        self.english = corpora.beginning(corpora.english(), options.bytes) if options.bytes else corpora.english()
        self.handbook = corpora.beginning(corpora.handbook(), options.bytes) if options.bytes else corpora.handbook()
        self.corpora = [("English", self.english), ("26 languages", self.handbook)]
        self.short = {path: corpora.beginning(path, size) for path, size in ((self.english, options.short), (self.handbook, options.short // 2))}
        self.extremes = corpora.extremes(options.extreme)
        self.wanted = {}
        self.began = self.verified = time.perf_counter()

    # Before anything is timed.

    def verify(self):
        """Ours by text-bench's hash of the timed run itself; peers' ids by a run of their own."""
        heading("Verified first")
        whole = [path for _, path in self.corpora] + ([path for _, path in self.extremes] if "linear" in self.options.sections.split(",") else [])
        used = whole + list(self.short.values())
        for title, name, _ in self.rows:
            try:
                ours(name, self.extremes[0][1])
            except Failed as problem:
                print(f"{title:22} ours: cannot: {problem}", flush=True)
                self.misses.append(title)
        self.rows = [row for row in self.rows if row[0] not in self.misses]
        names = [name for _, name, _ in reversed(self.rows)]
        # Two at a time and the longest first, for this is not timed; a peer is loaded once.
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            for name, found in zip(names, pool.map(checks.expected_of_all, names, [whole] * len(names))):
                self.wanted.update(((name, path), wanted) for path, wanted in zip(whole, found))
                for long, short in self.short.items():
                    self.wanted[name, short] = self.wanted[name, long][: len(corpora.texts(short))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            held = [(title, name, other) for title, name, peers in self.rows for other in peers]
            said = dict(zip(held, pool.map(lambda one: self.verify_peer(*one[1:]), held)))
        for title, name, peers in self.rows:
            problems = []
            for path in used:
                wanted = self.wanted[name, path]
                try:
                    found = ours(name, path)
                except Failed as problem:
                    problems.append(f"{path.name}: {problem}")
                    break
                if found["hash"] != checks.digest(wanted):
                    difference = checks.differences(wanted, checks.of_tool(BIN / "tokenize", name, path))
                    problems.append(f"{path.name}: {difference or 'no rule for the spans of some document, the others are equal'}")
            total = sum(checks.tokens(self.wanted[name, path]) for path in used)
            print(f"{title:22} ours: " + (f"ids and spans equal, {total} tokens" if not problems else "DIFFERENT  " + "; ".join(problems)), flush=True)
            if problems:
                self.misses.append(title)
            for other in peers:
                if said[title, name, other]:
                    print(f"{'':22} {other}: {said[title, name, other]}", flush=True)
        self.rows = [row for row in self.rows if row[0] not in self.misses]

    def verify_peer(self, name, other):
        """What is wrong with a peer, or None."""
        if other in SLOW and name not in JSON_FORM:
            return None  # The expected ids are its own.
        counts = []
        for label, path in self.corpora:
            path = self.short[path] if other in SLOW else path
            out = checks.kept("peer", f"{name}.{other.replace(' ', '-')}", path, name, metadata.version(other), WORKER.read_bytes())
            if not out.exists():
                result = peer("hashes", other, name, path, out)
                if "unable" in result:
                    self.unusable[name, other] = "cannot load: " + result["unable"]
                    return self.unusable[name, other]
            found = memoryview(out.read_bytes()).cast("Q")
            wrong = sum(one != two[0] for one, two in zip(found, self.wanted[name, path], strict=True))
            counts.append(f"{label} {wrong} of {len(found)}" if wrong else "")
        if any(counts):
            self.unusable[name, other] = "other ids in " + ", ".join(filter(None, counts)) + " documents"
        return self.unusable.get((name, other))

    # (a)

    def encode(self):
        heading("Encoding alone, every document once, one thread (MB/s; offsets only where said)")
        for title, name, peers in self.rows:
            for label, whole in self.corpora:
                self.encode_one(title, name, peers, label, whole)

    def encode_one(self, title, name, peers, label, whole):
        short = self.short[whole]
        able = [other for other in peers if not self.unusable.get((name, other), "").startswith("cannot")]
        paths = {other: short if other in SLOW else whole for other in able}
        rates, shares = {}, {}
        for _ in range(self.options.rounds):
            for path in dict.fromkeys([whole, *paths.values()]):
                found = ours(name, path)
                self.hold(title, found, self.wanted[name, path])
                rates.setdefault(("ours", path), []).append(found["bytes"] / found["encode_s"] / 1e6 if found["encode_s"] else float("nan"))
                for other in able:
                    if paths[other] != path:
                        continue
                    found = peer("encode", other, name, path)
                    if "unable" in found:
                        raise Failed(f"{other} on {title}: {found['unable']}")
                    rates.setdefault((other, path), []).append(found["bytes"] / found["encode_s"] / 1e6)
                    shares[other] = max(shares.get(other, 0), found["threads"])
        size = sum(len(text.encode()) for text in corpora.texts(whole)) / 1e6
        print(f"{title:22} {label:13} {'ours, ids and spans':34} {spread(rates['ours', whole])}   {size:.1f} MB", flush=True)
        for other in peers:
            line = f"{'':22} {'':13} {other + (', offsets' if other in WITH_OFFSETS else ', no offsets'):34} "
            if other not in able:
                print(line + self.unusable[name, other])
                continue
            path = paths[other]
            notes = [f"ours {median(rates['ours', path]):.1f} on the same {short_size(path)}"] if path != whole else []
            if shares[other] > 1.2:
                notes.append(f"{shares[other]:.1f} threads")
            if (name, other) in self.unusable:
                notes.append("WRONG: " + self.unusable[name, other])
            print(f"{line}{spread(rates[other, path])}   ours {median(rates['ours', path]) / median(rates[other, path]):6.2f} x   {'; '.join(notes)}".rstrip(), flush=True)

    def hold(self, title, found, wanted):
        """A timed run that gives other tokens than the verified one is a miss too."""
        if found["hash"] != checks.digest(wanted):
            self.misses.append(title)
            raise Failed(f"{title}: a timed run gave other ids or spans")

    # (b)

    def processes(self):
        heading("Whole process, NDJSON to a token stream, loading included (MB/s of text, peak memory)")
        whole = self.english
        short = self.short[whole]
        sizes = {path: sum(len(text.encode()) for text in corpora.texts(path)) / 1e6 for path in (whole, short)}
        for title, name, peers in PROCESSES:
            if not any(row[1] == name for row in self.rows):
                continue
            difference = self.verify_processes(name, short)
            if difference:
                print(f"{title:22} DIFFERENT  {difference}")
                self.misses.append(title)
                continue
            able = [other for other in peers if (name, other) not in self.unusable]
            plan = [("ours 1", whole), ("ours 2", whole), ("ours 1", short), ("ours 2", short)]
            plan += [(other, short if other in SLOW else whole) for other in able]
            plan += [("tokenizers 2", short)] if "tokenizers" in able else []
            rates, peaks = {}, {}
            for _ in range(self.options.rounds):
                for who, path in plan:
                    seconds, peak = self.process(who, name, path)
                    rates.setdefault((who, path), []).append(sizes[path] / seconds)
                    peaks[who, path] = max(peaks.get((who, path), 0), peak)
            one, two = median(rates["ours 1", whole]), median(rates["ours 2", whole])
            for who, path in plan:
                if who.startswith("ours") and path != whole:
                    continue
                threads = "2" if who.endswith(" 2") else "1"
                tool = "tokenize, ids and spans" if who.startswith("ours") else f"Python, {who.removesuffix(' 2')}, {'offsets' if who.removesuffix(' 2') in WITH_OFFSETS else 'no offsets'}"
                note = f"ours {median(rates[f'ours {threads}', path]) / median(rates[who, path]):6.2f} x" if not who.startswith("ours") else f"{two / one:.2f} x one thread" if who == "ours 2" and path == whole else ""
                print(f"{title:22} {tool:40} {threads} thread{'s' if threads == '2' else ' '} {spread(rates[who, path])}   {peaks[who, path] / 1e6:6.0f} MB   {sizes[path]:.1f} MB   {note}".rstrip(), flush=True)
                title = ""

    def verify_processes(self, name, path):
        """The records of one and two threads against the peer; the tensor streams of one and two threads byte for byte."""
        for threads in (1, 2):
            difference = checks.differences(self.wanted[name, path], checks.of_tool(BIN / "tokenize", name, path, threads))
            if difference:
                return f"{threads} threads: {difference}"
        outputs = []
        for threads in (1, 2):
            done = subprocess.run([BIN / "tokenize", "--no-provenance", "--threads", str(threads), "--tokenizer", vocabulary_path(name), path], stdout=subprocess.PIPE, check=True)
            outputs.append(done.stdout)
        return None if outputs[0] == outputs[1] else "the streams of one and two threads differ"

    def process(self, who, name, path):
        with tempfile.TemporaryDirectory(dir=corpora.FOLDER) as folder:
            target = os.path.join(folder, "tokens")
            if who.startswith("ours"):
                with open(target, "wb") as out:
                    return wall([BIN / "tokenize", "--threads", who[-1], "--tokenizer", vocabulary_path(name), path], stdout=out)
            mode, other = ("stream2", who.removesuffix(" 2")) if who.endswith(" 2") else ("stream", who)
            return wall([sys.executable, WORKER, mode, other, name, path, target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    # (c)

    def load(self):
        title, name, peers = LOADED
        heading(f"Loading {title}'s tokenizer.json and encoding one line (ms)")
        times, inside, able = {"ours": []}, {}, []
        for attempt in range(max(self.options.rounds, 3)):
            with tempfile.TemporaryFile() as line:
                line.write(json.dumps({"text": LINE}).encode() + b"\n")
                line.seek(0)
                times["ours"].append(wall([BIN / "tokenize", "--threads", "1", "--tokenizer", vocabulary_path(name)], stdin=line, stdout=subprocess.DEVNULL)[0] * 1e3)
            for other in peers if attempt == 0 else able:
                start = time.perf_counter()
                found = peer("load", other, name, LINE)
                if "unable" in found:
                    print(f"{other}: {found['unable']}")
                    continue
                able += [other] if attempt == 0 else []
                times.setdefault(other, []).append((time.perf_counter() - start) * 1e3)
                inside.setdefault(other, []).append(found["load_s"] * 1e3)
        print(f"{'tokenize, whole process':44} {spread(times['ours'])}")
        for other in able:
            print(f"{other + ', inside Python':44} {spread(inside[other])}   ours {median(inside[other]) / median(times['ours']):6.2f} x")
            print(f"{other + ', whole process':44} {spread(times[other])}   ours {median(times[other]) / median(times['ours']):6.2f} x")

    # (d)

    def linear(self):
        heading(f"Linear time: texts of {self.options.extreme / 1e6:.1f} MB, a fresh process each (ns a byte; ratio to ordinary text of that size, and to the whole corpus)")
        names = [name for name, _ in self.extremes]
        print(f"{'':22} {'corpus':>7}" + "".join(f"{name:>24}" for name in names))
        for title, name, _ in self.rows:
            costs = {}
            for _ in range(self.options.rounds):
                for label, path in [("corpus", self.english), *self.extremes]:
                    found = ours(name, path)
                    self.hold(title, found, self.wanted[name, path])
                    costs.setdefault(label, []).append(found["encode_s"] / found["bytes"] * 1e9)
            costs = {label: median(values) for label, values in costs.items()}
            cells = [f"{costs[label]:8.1f} {costs[label] / max(costs['ordinary'], 1e-3):6.2f} x {costs[label] / max(costs['corpus'], 1e-3):5.2f} x" for label in names]
            print(f"{title:22} {costs['corpus']:7.1f}" + "".join(f"{cell:>24}" for cell in cells), flush=True)

    # (e)

    def memory(self):
        name = "qwen-2.5"
        data = self.english.stat().st_size
        heading("Peak memory over a stream on standard input, letters shifted so that words are new (Qwen 2.5)")
        for copies in (1, self.options.copies):
            for threads in ("1", "2"):
                command = [BIN / "tokenize", "--threads", threads, "--tokenizer", vocabulary_path(name)]
                reading, writing = os.pipe()
                feeding = threading.Thread(target=self.feed, args=(writing, copies))
                feeding.start()
                try:
                    seconds, peak = wall(command, stdin=reading, stdout=subprocess.DEVNULL)
                finally:
                    os.close(reading)
                    feeding.join()
                print(f"{data * copies / 1e6:8.0f} MB of NDJSON   {threads} thread{'s' if threads == '2' else ' '}   peak {peak / 1e6:6.0f} MB   ({seconds:.1f} s)", flush=True)

    def feed(self, writing, copies):
        try:
            with open(writing, "wb") as out:
                for block in corpora.stream(self.english, copies):
                    out.write(block)
        except BrokenPipeError:
            pass  # The tool failed, and says so itself.


def short_size(path):
    return f"{sum(len(text.encode()) for text in corpora.texts(path)) / 1e6:.1f} MB"


def processor():
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="tiny corpora, one round: does it run?")
    parser.add_argument("--only", default="", metavar="REGEX", help="vocabularies by name")
    parser.add_argument("--sections", default="encode,process,load,linear,memory", help="some of: %(default)s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bytes", type=int, default=0, help="of each corpus; 0 is all (default)")
    parser.add_argument("--short", type=int, default=4_000_000, help="bytes of English that slow peers see, half of that in 26 languages (default %(default)s)")
    parser.add_argument("--extreme", type=int, default=1_000_000, help="bytes of the texts of linear time (default %(default)s)")
    parser.add_argument("--copies", type=int, default=10, help="of the English corpus in the long stream (default %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.bytes, options.short, options.extreme, options.copies = 1, 300_000, 100_000, 20_000, 3
    for tool in ("text-bench", "tokenize"):
        if not (BIN / tool).exists():
            sys.exit(f"peer_tokenizing: {BIN / tool} is not there: run make bench-text")
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("tokenizers", "tiktoken", "sentencepiece", "gigatoken", "fastokens"))
    print(f"{processor()}, {os.cpu_count()} threads, load {os.getloadavg()[0]:.1f}; {versions}; median (lowest-highest) of {options.rounds} rounds", flush=True)
    benchmark = Benchmark(options)
    benchmark.verify()
    benchmark.verified = time.perf_counter()
    sections = {"encode": benchmark.encode, "process": benchmark.processes, "load": benchmark.load, "linear": benchmark.linear, "memory": benchmark.memory}
    for name in options.sections.split(","):
        try:
            sections[name]()
        except Failed as problem:
            benchmark.misses.append(name)
            print(f"FAILED: {problem}", flush=True)
    print(f"\n{time.perf_counter() - benchmark.began:.0f} s in all, {benchmark.verified - benchmark.began:.0f} s to verify" + (f"; NOT EQUAL OR FAILED: {', '.join(benchmark.misses)}" if benchmark.misses else ""))
    sys.exit(1 if benchmark.misses else 0)


if __name__ == "__main__":
    main()
