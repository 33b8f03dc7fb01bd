"""What the formats of vocabularies share: a small file with a text through `tokenize`, there and back, and one vocabulary in each format."""
import functools
import json
import pathlib

import gate as gates

# The second text is long for what a pattern may do to it.
TEXT = "".join(json.dumps({"text": text}) + "\n" for text in ["ab abc aab", "a" * 100_000 + "b"])
# For vocabularies damaged at random: words, special tokens, marks, other scripts, characters of several bytes, runs.
NASTY = "".join(json.dumps({"text": text}) + "\n" for text in [
    "", " ", "the cat sat, 12345 times; it's <s>here</s> [UNK] <unk>", "  \u2581\u2581 Gr\u00f6\u00dfe\n\n\t\uff21\ufb01 e\u0301\u0323",
    "\u6f22\u5b57\u0e2a\u0e27\u0e31 \U0001f469\u200d\U0001f467 \0\u007f\ufffd", "aaaaaaaaaaaaaaaa" * 40, "\u2581" * 50,
])


@functools.cache
def base():
    """Bytes that `tokenize` holds for a good small vocabulary."""
    pathlib.Path("good.ndjson").write_text(TEXT)
    path = gates.FIXTURES / "vocabularies/student/tokenizer.json"
    good = gates.run(["tokenize", "--tokenizer", path, "--format", "ndjson", "good.ndjson"])
    assert good.status == 0, good.message
    return good.held


def try_vocabulary(case, name):
    """Why a vocabulary named `name` does not meet its case, or None."""
    held = base()
    path = case.write(name)
    size = path.stat().st_size
    pathlib.Path("text.ndjson").write_text(TEXT)
    outcome = gates.run(["tokenize", "--tokenizer", path, "--format", "ndjson", "-o", "text.tokens", "text.ndjson"])
    path.unlink()
    why = gates.judge(outcome, case.must, "tokenize", name, case.pattern, case.at, size, held)
    # What is refused leaves nothing.
    left = pathlib.Path("text.tokens").exists()
    pathlib.Path("text.tokens").unlink(missing_ok=True)
    return why or ("an output of a refused vocabulary" if left and outcome.status != 0 else None)


def try_ids(case, name):
    """The same of token records in `case.more`, which no vocabulary has made."""
    path = case.write(name)
    pathlib.Path("ids.ndjson").write_text(case.more)
    outcome = gates.run(["tokenize", "--decode", "--tokenizer", path, "ids.ndjson"])
    path.unlink()
    return gates.judge(outcome, case.must, "tokenize", "ids.ndjson", case.pattern, case.at, base=base())


def try_file(path):
    """Why a vocabulary, damaged at random, neither works there and back nor is refused, or None."""
    path = pathlib.Path(path)
    size = path.stat().st_size
    pathlib.Path("nasty.ndjson").write_text(NASTY)
    command = ["tokenize", "--tokenizer", path, "--threads", "1"]
    outcome = gates.run([*command, "--add-special-tokens", "-o", "nasty.tokens", "nasty.ndjson"])
    why = gates.judge(outcome, "either", "tokenize", path.name, size=size, base=base())
    if why or outcome.status != 0:
        return why
    back = gates.run([*command, "--decode", "--lossy", "nasty.tokens"])
    why = gates.judge(back, "accept", "tokenize", path.name, size=size, base=base())
    pathlib.Path("nasty.tokens").unlink()
    return f"its own tokens: {why}" if why else None
