"""NDJSON corpora: N01-N27 (N28, the files of JSONTestSuite, is R6). Each goes through `tokenize` as a file, a pipe and bytes one by one."""
import functools
import gzip
import json
import os
import pathlib
import re
import subprocess
import threading
import time
import zlib

import gate as gates
from cases import Case, _ways

LIMIT = 64 << 20
GOOD = b'{"id":"a","text":"the cat"}\n'


def accept(name, data, *records, options=(), check=None):
    """A corpus that is fine: its records are pairs of an id and a text; `check` is another way to try it."""
    return Case(name, "accept", data, more={"records": [list(record) for record in records], "options": list(options), "check": check})


def refuse(name, data, line, pattern="", at=None, before=0, options=(), check=None):
    """A corpus whose `line` is refused (None where no line is at fault), its byte `at` where that is one; `before` records are written."""
    return Case(name, "reject", data, pattern, at, more={"line": line, "before": before, "options": list(options), "check": check})


def value(text):
    """A record with a value that is passed over, or its line."""
    return b'{"text":"b","x":' + text + b"}\n"


def cases():
    good = ("a", "the cat")
    second = len(GOOD)
    yield accept("N01-empty", b"")
    yield accept("N01-blank", b"\n  \n\t\r\n\n")
    yield accept("N02-blank", b"\n" + GOOD + b"\n \n" + GOOD + b"\n", good, good)
    yield accept("N02-crlf", GOOD.replace(b"\n", b"\r\n") * 2, good, good)
    yield accept("N03", GOOD + GOOD[:-1], good, good)
    for length in range(1, len(GOOD) - 1):
        yield refuse(f"N04-{length}", GOOD + GOOD[:length], 2, f"the last record, from byte {second}, is cut", before=1)
    yield refuse("N04-first", GOOD[:9], 1, "the last record, from byte 0, is cut")
    yield refuse("N05", GOOD + bytes(4096), 2, "zero byte", second, before=1)
    yield refuse("N05-in-record", GOOD + GOOD[:12] + bytes(500), 2, "zero byte", second + 12, before=1)
    yield refuse("N05-all", bytes(4096), None, "nothing but zero bytes")
    yield accept("N06-start", b"\xef\xbb\xbf" + GOOD, good)
    yield refuse("N06-middle", GOOD + b"\xef\xbb\xbf" + GOOD, 2, "not valid JSON", before=1)
    yield from other_kinds()
    for name, text, at in (("ff", b"\xff", 0), ("overlong", b"\xc0\x80", 0), ("surrogate", b"\xed\xa0\x80", 0), ("cut", b"\xe2\x82", 0),
                           ("past", b"\xf4\x90\x80\x80", 0), ("lone", b"\x80", 0), ("behind", "\u00e9\u00e9".encode() + b"\xff", 4)):
        line = b'{"text":"' + text + b'"}\n'
        yield refuse(f"N08-{name}", GOOD + line + GOOD, 2, "decode|UTF-8", second + 9 + at, before=1)
        yield refuse(f"N08-{name}-key", GOOD + b'{"' + text + b'":1,"text":"a"}\n', 2, "decode|UTF-8", second + 2 + at, before=1)
        yield refuse(f"N08-{name}-passed-over", GOOD + b'{"text":"a","x":"' + text + b'"}\n', 2, "decode|UTF-8", second + 17 + at, before=1)
    for name, text in (("lone", rb"\ud800"), ("swapped", rb"\udc00\ud800"), ("two", rb"\ud800\ud800"), ("low", rb"\udc00"), ("cut", rb"\ud800\u12")):
        yield refuse(f"N09-{name}", GOOD + b'{"text":"' + text + b'"}\n', 2, "surrogate|Unicode|escape", before=1)
    yield accept("N10", rb'{"id":"\u0000","text":"a\u0000b"}' + b"\n", ("\0", "a\0b"))
    for name, text in (("control", b"a\x01b"), ("tab", b"a\tb"), ("escape", b"\x1b[0m"), ("lf", b"a\nb")):
        yield refuse(f"N11-{name}", GOOD + b'{"text":"' + text + b'"}\n', 2, "control character|newline|end of input|cut|invalid", before=1)
    for name, line in (("text", b'{"text":"a","text":"b"}'), ("id", b'{"id":"a","id":"b","text":"c"}'), ("other", b'{"x":1,"text":"b","x":2}'),
                       ("escaped", rb'{"text":"a","t\u0065xt":"b"}'), ("nested", b'{"text":"a","x":{"y":1,"y":1}}')):
        yield refuse(f"N12-{name}", GOOD + line + b"\n", 2, "duplicate", before=1)
    yield accept("N13", '{"\u00e9":1,"e\u0301":2,"text":"b"}\n'.encode(), ("0", "b"))
    yield accept("N13-text", '{"text":"b"}\n'.encode(), ("0", "b"))
    for name, line in (("missing", b'{"id":"x"}'), ("null", b'{"text":null}'), ("number", b'{"text":1}'), ("array", b'{"text":["a"]}'),
                       ("object", b'{"text":{"a":"b"}}'), ("boolean", b'{"text":true}'), ("empty", b"{}"), ("case", b'{"Text":"a"}')):
        yield refuse(f"N14-{name}", GOOD + line + b"\n" + GOOD, 2, "field 'text'", second, before=1)
    yield refuse("N14-key", b'{"text":"a"}\n', 1, "field 'body'", 0, options=["--text-key", "body"])
    for name, line in (("null", b'{"id":null,"text":"a"}'), ("array", b'{"id":[1],"text":"a"}'), ("boolean", b'{"id":true,"text":"a"}')):
        yield refuse(f"N14-id-{name}", GOOD + line + b"\n", 2, "field 'id'", second, before=1)
    ids = ("9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775809",
           "1e3", "1E3", "-0", "0", "1.0", "1.50", "-0.0", "1e-7", "0.1000000000000000055511151231257827")
    for number in ids:
        yield accept(f"N15-{number}", b'{"id":%s,"text":"b"}\n' % number.encode(), (number, "b"))
    for name in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "01", "-01", "+1", ".5", "5.", "1e", "1e+", "0x10", "1_000", "--1", "1.2.3"):
        yield refuse(f"N16-{name}", GOOD + value(name.encode()), 2, "not valid JSON", before=1)
        yield refuse(f"N16-{name}-id", GOOD + b'{"id":%s,"text":"b"}\n' % name.encode(), 2, "not valid JSON", before=1)
    for name, line in (("comma", b'{"text":"b",}'), ("comma-in-array", value(b"[1,]")[:-1]), ("comment", b'{"text":"b"/* c */}'),
                       ("line-comment", b'{"text":"b"} // c'), ("hash", b'{"text":"b"} # c'), ("quotes", b"{'text':'b'}"), ("bare-key", b'{text:"b"}'),
                       ("no-colon", b'{"text" "b"}'), ("no-comma", b'{"text":"b" "x":1}'), ("True", value(b"True")[:-1]), ("escape", rb'{"text":"\x41"}')):
        yield refuse(f"N17-{name}", GOOD + line + b"\n", 2, "not valid JSON", before=1)
    for name, line in (("two", GOOD[:-1] * 2), ("two-spaced", GOOD[:-1] + b" " + GOOD[:-1]), ("comma", GOOD[:-1] + b"," + GOOD[:-1]),
                       ("garbage", GOOD[:-1] + b"x"), ("bracket", GOOD[:-1] + b"]"), ("brace", GOOD[:-1] + b"}")):
        yield refuse(f"N18-{name}", GOOD + line + b"\n", 2, "not valid JSON", before=1)
    yield refuse("N19-array", b"[" + GOOD[:-1] + b",\n" + GOOD[:-1] + b"]\n", None, "a JSON array")
    yield refuse("N19-pretty", b'{\n  "text": "b"\n}\n', 1, "not valid JSON")
    yield refuse("N19-array-line", GOOD + b'["text","b"]\n', 2, "expected a JSON object", second, before=1)
    for name, line in (("number", b"1"), ("string", b'"text"'), ("null", b"null"), ("words", b"plain words")):
        yield refuse(f"N19-{name}", GOOD + line + b"\n", 2, "not valid JSON|expected a JSON object", before=1)
    for name, line in (("array", b"[" * 100_000), ("object", b'{"x":' * 100_000), ("mixed", b'[{"x":' * 50_000)):
        yield refuse(f"N20-{name}", GOOD + line + b"\n", 2, "not valid JSON", before=1)
        yield refuse(f"N20-{name}-passed-over", GOOD + b'{"text":"b","x":' + line + b"\n", 2, "not valid JSON", before=1)
        closed = line + (b"]" * 100_000 if name == "array" else b"1" + b"}" * 100_000 if name == "object" else b"1" + b"}]" * 50_000)
        yield refuse(f"N20-{name}-closed", GOOD + value(closed), 2, "not valid JSON", before=1)
    yield Case("N21", "reject", huge_line, f"line longer than {LIMIT} bytes", second, more={"line": 2, "before": 1, "options": [], "check": "huge"})
    for length, name in ((100, "limit"), (101, "limit-and-one")):
        line = b'{"text":"' + b"b" * (length - 11) + b'"}'
        assert len(line) == length
        limit = ["--max-line-bytes", "100"]
        yield accept(f"N22-{name}", GOOD + line + b"\n", good, ("1", "b" * (length - 11)), options=limit) if length == 100 else \
            refuse(f"N22-{name}", GOOD + line + b"\n" + GOOD, 2, "line longer than 100 bytes", second, before=1, options=limit)
        yield accept(f"N22-{name}-crlf", line[:-2] + b'"}' + b"\n", ("0", "b" * 89), options=limit) if length == 100 else \
            refuse(f"N22-{name}-end", GOOD + line, 2, "line longer than 100 bytes", second, before=1, options=limit)
    for name, text in (("2028", "\u2028"), ("2029", "\u2029"), ("85", "\x85"), ("7f", "\x7f"), ("a0", "\xa0")):
        yield accept(f"N23-{name}", '{{"text":"a{0}b"}}\n{{"text":"c"}}\n'.format(text).encode(), ("0", f"a{text}b"), ("1", "c"))
    # A carriage return inside a string is a control character: no line break, and refused.
    yield refuse("N23-cr", GOOD + b'{"text":"a\rb"}\n', 2, "control character|invalid", before=1)
    yield accept("N23-cr-between", b'{"text":\r"a"}\r\n' + GOOD, ("0", "a"), good)
    both = "".join(json.dumps({"id": str(at), "text": "Gr\u00f6\u00dfe \U0001f600\n" * at}, ensure_ascii=at % 2 > 0) + "\n" for at in range(8)).encode()
    yield accept("N24", both, *[(str(at), "Gr\u00f6\u00dfe \U0001f600\n" * at) for at in range(8)])
    yield Case("N25-sample", "accept", b"", more={"check": "carried"})
    yield Case("N25-rejects", "accept", b"", more={"check": "rejects"})
    yield Case("N26-grows", "accept", b"", more={"check": "grows"})
    yield Case("N26-shrinks", "reject", b"", "is cut", more={"check": "shrinks"})
    yield accept("N27-empty", b'{"text":""}\n', ("0", ""))
    count = 1_000_000 if gates.QUICK else 10_000_000
    # A line of NDJSON with so many tokens would be over the limit.
    binary = ["--format", "tensor"]
    yield accept("N27-long", b'{"text":"' + b"b" * count + b'"}\n', ("0", "b" * count), options=binary)
    yield accept("N27-long-escapes", b'{"text":"' + rb"\u00e9" * (count // 10) + b'"}\n', ("0", "\u00e9" * (count // 10)), options=binary)


def other_kinds():
    """Files of another kind, by their first bytes."""
    text = GOOD * 20
    yield refuse("N07-utf16-le", b"\xff\xfe" + text.decode().encode("utf-16-le"), None, "UTF-16")
    yield refuse("N07-utf16-be", b"\xfe\xff" + text.decode().encode("utf-16-be"), None, "UTF-16")
    yield refuse("N07-utf16-no-mark", text.decode().encode("utf-16-le"), None, "UTF-16")
    yield refuse("N07-gzip", gzip.compress(text, mtime=0), None, "gzip")
    yield refuse("N07-zstd", b"\x28\xb5\x2f\xfd\x04\x00" + text, None, "zstd")
    yield refuse("N07-xz", b"\xfd7zXZ\0\0\x04" + text, None, "xz")
    yield refuse("N07-bzip2", b"BZh91AY&SY" + text, None, "bzip2")
    yield refuse("N07-parquet", b"PAR1\x15\x04\x15" + text, None, "parquet")
    yield refuse("N07-arrow", b"ARROW1\0\0" + text, None, "Arrow")
    yield refuse("N07-html", b"<!DOCTYPE html><html></html>\n", None, "HTML")
    yield refuse("N07-lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", None, "Git LFS")
    yield refuse("N07-stream", (gates.FIXTURES / "tiny.tokens").read_bytes(), None, "a tensor stream")


def huge_line(path):
    """A line of 1 GiB, all but its first bytes a hole."""
    with open(path, "wb") as out:
        out.write(GOOD + b'{"text":"')
        out.truncate(1 << 30)


# Trying

STUDENT = gates.FIXTURES / "vocabularies/student"
COMMAND = ["tokenize", "--no-provenance", "--tokenizer", STUDENT, "--format", "ndjson"]


@functools.cache
def base():
    return gates.run([*COMMAND, gates.INPUTS / "corpus.ndjson"]).held


def try_case(case, gate):
    more = case.more
    if more["check"] in CHECKS:
        return CHECKS[more["check"]](case)
    path = case.write("bad.ndjson")
    size = path.stat().st_size
    command = [*COMMAND, *more["options"]]
    small = size <= 1 << 16
    ways = ["file", "pipe", *(["bytes"] if small else [])]
    if gates.QUICK:
        ways = [ways[zlib.crc32(case.name.encode()) % len(ways)]]
    for way in ways:
        outcome = gates.run([*command, path]) if way == "file" else _ways.piped(command, path, one_byte=way == "bytes")
        name = "bad.ndjson" if way == "file" else "<stdin>"
        why = judged(case, outcome, name, size, path)
        if why:
            return f"as a {way}: {why}"
    path.unlink()
    return None


def judged(case, outcome, name, size, path):
    more = case.more
    # A record is in memory whole: its line, its text, and for each byte of it perhaps a token, as numbers and as digits.
    paid = 0 if more["check"] == "huge" else 100 * size if case.must == "accept" else 2 * size
    why = gates.judge(outcome, case.must, "tokenize", name, case.pattern, case.at, paid, base())
    if why:
        return why
    if more["check"] == "huge" and outcome.held > max(base(), outcome.floor) + 2 * LIMIT:
        return f"{outcome.held >> 20} MiB held"
    if case.must == "accept":
        found = [[record["id"], record["text"]] for record in decoded(outcome.out)]
        return None if found == more["records"] else f"expected {str(more['records'])[:200]}, found {str(found)[:200]}"
    found = re.search(r":(\d+): byte (\d+):", outcome.message.splitlines()[0])
    if more["line"] is None:
        return f"a line is named: {outcome.message}" if found else None
    if not found or int(found[1]) != more["line"]:
        return f"expected line {more['line']}: {outcome.message[:200]}"
    with open(path, "rb") as data:
        begin = sum(len(data.readline(LIMIT)) for _ in range(more["line"] - 1))
        end = begin + len(data.readline(1 << 20))
    if not begin <= int(found[2]) <= end:
        return f"expected a byte from {begin} to {end}: {outcome.message[:200]}"
    written = max(0, outcome.out.count(b"\n") - 1)
    return None if written == more["before"] else f"{written} records were written, expected {more['before']}"


def decoded(tokens):
    """The texts of token records."""
    if tokens.count(b"\n") <= 1:
        return []
    pathlib.Path("good.tokens").write_bytes(tokens)
    back = gates.run(["tokenize", "--decode", "--tokenizer", STUDENT, "good.tokens"])
    assert back.status == 0, back.message
    # Not splitlines(), to which more than a newline ends a line.
    return [json.loads(line) for line in back.out.decode().split("\n") if line]


def carried(case):
    """`sample` writes the lines that it keeps as they are: other keys, their order, their numbers, spaces."""
    lines = [
        b'{"z":1,"id":"a","text":"the cat","a":[1.50,-0,1e3,18446744073709551616],"nested":{"y":null,"x":"\\u00e9\\/"}}',
        b'{ "text" : "sat on" ,\t"id" : 9007199254740993 , "\\u006b" : "v" }\r',
        b'{"id":"c","text":"the mat","text ":"x","TEXT":"y"}',
    ]
    pathlib.Path("kept.ndjson").write_bytes(b"".join(line + b"\n" for line in lines))
    for command in (["tokenize", "--tokenizer", gates.FIXTURES / "vocabularies/teacher", "-o", "kept.tokens", "kept.ndjson"],
                    ["teacher-score", "--model", gates.INPUTS / "teacher", "--bos", "always", "-o", "kept.scores", "kept.tokens"]):
        outcome = gates.run(command)
        if outcome.status != 0:
            return outcome.message
    outcome = gates.run(["sample", "--ratio", "1", "--allow-same-model", "--teacher", "kept.scores", "--reference", "kept.scores", "kept.ndjson"])
    if outcome.status != 0:
        return outcome.message
    expected = pathlib.Path("kept.ndjson").read_bytes()
    return None if outcome.out == expected else f"expected {expected}, found {outcome.out}"


def rejects(case):
    """What is skipped goes to the rejects unchanged, and the others are read."""
    bad = [b'{"text":1}', b"plain \xff words\r", b'{"text":"a","text":"b"}', b"[" * 3000, b'{"text":"' + b"b" * 200 + b'"}']
    pathlib.Path("mixed.ndjson").write_bytes(GOOD + b"".join(line + b"\n" + GOOD for line in bad))
    outcome = gates.run([*COMMAND, "--max-line-bytes", "3500", "--on-error", "skip", "--rejects", "rejects", "mixed.ndjson"])
    bad.pop()
    if outcome.status != 1:
        return f"status {outcome.status}: {outcome.message}"
    if (written := outcome.out.count(b"\n") - 1) != 7:
        return f"{written} records, expected 7"
    found = pathlib.Path("rejects").read_bytes()
    return None if found == b"".join(line + b"\n" for line in bad) else f"the rejects are {found[:300]}"


def changing(change):
    """Runs `tokenize` over a file of 12 MB, stalls it by not reading what it writes, calls change(path, its size), and reads on."""
    path = pathlib.Path("changing.ndjson")
    with open(path, "wb") as out:
        for _ in range(10):
            out.write((gates.INPUTS / "long.ndjson").read_bytes())
    size = path.stat().st_size
    child = subprocess.Popen([*map(str, COMMAND), "--threads", "1", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    watch = threading.Timer(gates.HANG, child.kill)
    watch.start()
    before = -1
    while True:
        time.sleep(0.1)
        place = read_so_far(child.pid, path)
        if place == before and place > 0:
            break
        before = place
    assert place < size * 3 // 4, "the tool has read on without a reader"
    change(path, size)
    out, err = child.communicate()
    watch.cancel()
    path.unlink()
    return child.returncode, out, err.decode(errors="replace")


def read_so_far(process, path):
    """The place of a process in a file that it has open."""
    folder = pathlib.Path(f"/proc/{process}/fd")
    for entry in folder.iterdir():
        try:
            if os.readlink(entry) == str(path.absolute()):
                return int(re.search(r"pos:\s+(\d+)", pathlib.Path(f"/proc/{process}/fdinfo/{entry.name}").read_text())[1])
        except OSError:
            pass
    return 0


def grows(case):
    def append(path, size):
        with open(path, "ab") as out:
            out.write(b'{"id":"late","text":"the cat"}\n')

    status, out, err = changing(append)
    return None if status == 0 and b'"id":"late"' in out[-300:] else f"status {status}: {err[:200]}"


def shrinks(case):
    status, _, err = changing(lambda path, size: os.truncate(path, size - 20))
    return None if status == 65 and case.pattern in err and "changing.ndjson:" in err else f"status {status}: {err[:200]}"


CHECKS = {"carried": carried, "rejects": rejects, "grows": grows, "shrinks": shrinks}


def seeds():
    yield "corpus.ndjson", (gates.INPUTS / "corpus.ndjson").read_bytes()
    lines = [{"id": 9007199254740993, "text": "Gr\u00f6\u00dfe \U0001f600\n", "x": [1.5, None, {"y": True}]}, {"text": "a", "deep": [[[[]]]]}]
    yield "other.ndjson", "".join(json.dumps(line, ensure_ascii=at > 0) + "\n" for at, line in enumerate(lines)).encode()
    for name in ("tiny.tokens", "tiny.scores", "full.aligned"):
        yield f"records-{name}.ndjson", gates.run(["stream-cat", "--no-provenance", gates.FIXTURES / name]).out


def try_file(path):
    """A corpus through `tokenize`, records through `stream-cat`."""
    path = pathlib.Path(path)
    command = ["stream-cat", path] if path.name.startswith("records") else [*COMMAND, path]
    return gates.judge(gates.run(command), "either", command[0], path.name, size=path.stat().st_size, base=base())
