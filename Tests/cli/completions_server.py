"""A server of completions that computes nothing: its scores are made of the ids, and its path says how it misbehaves.

    completions_server.py CORPUS.ndjson RECORDS.ndjson PORT_FILE [LOG]     serves on loopback until it is killed; the port goes to PORT_FILE
    completions_server.py --check SCORES.ndjson WINDOW STRIDE [BOS]   compares scores with what the server would say of whole windows

RECORDS are the corpus's tokens, and all that the server knows. A path /BEHAVIOUR.BEHAVIOUR/v1/completions asks for some of: vllm, echo,
text (the dialect), and the troubles in `trouble` and `spoil` below.
"""
import collections
import http.server
import json
import os
import sys
import threading
import time
import zlib

LEAD = "<|end|>"


def log_prob(ids):
    """Of the last id behind the others."""
    return -0.5 - (zlib.crc32(json.dumps(ids).encode()) % 8000 + 1) / 512


def top(ids, known, count):
    """The most probable ids in the place of the last: three others, and it where it is more probable than one of them."""
    own = log_prob(ids)
    others = [known[(sum(ids) + 7 * n) % len(known)] for n in range(3)]
    table = {i: -(n + 1) * 1.5 for n, i in enumerate(dict.fromkeys(others)) if i != ids[-1]}
    table[ids[-1]] = own
    ranked = sorted(table.items(), key=lambda e: (-e[1], e[0]))
    return ranked[:count], dict(ranked)


def read_records(corpus, records):
    """Ids by text, strings by id, the beginning-of-sequence token's id."""
    lines = [json.loads(line) for line in open(records, encoding="utf-8")]
    texts, strings = {}, {lines[0]["bos_id"]: LEAD}
    for document, record in zip(open(corpus, encoding="utf-8"), lines[1:]):
        text = json.loads(document)["text"]
        for i, (start, end) in zip(record["input_ids"], record["offsets"]):
            strings[i] = text.encode()[start:end].decode("utf-8", "replace")
        texts[text] = record["input_ids"]
    return texts, strings, lines[0]["bos_id"]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts = collections.Counter()
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=(), cut=0):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for key, value in headers:
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) + cut))
        self.end_headers()
        self.wfile.write(body)
        if cut:
            self.close_connection = True

    def behaviour(self):
        return self.path.split("/")[1].split(".")

    def do_GET(self):
        words = self.behaviour()
        if "key" in words and self.headers.get("Authorization") != "Bearer secret-of-mine":
            return self.answer(401, {"error": {"message": "Incorrect API key provided"}})
        if "nomodels" in words:
            return self.answer(404, {"detail": "Not Found"})
        names = ["one", "two"] if "models" in words else ["toy"]
        model = {"max_model_len": 65} if "short" in words else {}
        self.answer(200, {"object": "list", "data": [{"id": name, **model} for name in names]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        words = self.behaviour()
        with self.lock:
            self.counts[self.path] += 1
            number = self.counts[self.path]
            if LOG:
                print(self.path, json.dumps(body), file=LOG, flush=True)
        if not self.trouble(words, number):
            result = self.scores(words, body)
            if result is not None:
                text = json.dumps(result).encode()
                self.answer(200, text)

    def trouble(self, words, number):
        """Whether there is no answer of use. The first request is the trial of the dialect."""
        for word in words:
            if word == "key" and self.headers.get("Authorization") != "Bearer secret-of-mine":
                self.answer(401, {"error": {"message": "Incorrect API key provided"}})
            elif word == "busy" and number in (2, 3):
                self.answer(429, {"error": {"message": "too many requests"}}, [("Retry-After", "1")])
            elif word == "broken" and number in (2, 3):
                self.answer(500, "Internal Server Error".encode())
            elif word == "closing" and number in (2, 4):
                self.close_connection = True
            elif word == "cutting" and number in (2, 4):
                self.answer(200, b'{"choices": [{"prompt_log', cut=1000)
            elif word == "starting":
                self.answer(503, {"message": "loading model"})
            elif word == "dying" and number > 400:
                self.answer(502, b"<html>Bad Gateway</html>")
            elif word == "refusing" and number > 1:
                self.answer(400, {"object": "error", "message": "This model's maximum context length is 4 tokens."})
            elif word == "validating" and number > 1:
                self.answer(422, {"detail": [{"loc": ["body", "prompt"], "msg": "Input should be a valid string"}]})
            elif word == "moved":
                self.answer(307, b"", [("Location", "http://elsewhere.example/")])
            elif word == "garbage" and number > 1:
                self.answer(200, b"<html>busy</html>")
            elif word == "endless" and number > 1:
                self.answer(200, b" " * (20 << 20))
            elif word == "slow" and number > 1:
                time.sleep(3)
                return False
            elif word == "late":
                time.sleep(0.002 * (number * 7 % 5))
                return False
            else:
                continue
            return True
        return False

    def scores(self, words, body):
        prompt = body["prompt"]
        if isinstance(prompt, str):
            if "text" not in words:
                return {"choices": [{"text": ""}]}
            # As llama-cpp-python: the sequence begins with BOS where the text does, and then it is not shown.
            leads = prompt.startswith(LEAD)
            ids = [BOS] * leads + TEXTS[prompt[len(LEAD):] if leads else prompt]
            if "addbos" in words:
                ids = [BOS] + ids
            return self.echo(words, ids, body, shown=ids[1:] if ids and ids[0] == BOS else ids)
        if "text" in words:
            return self.answer(500, {"error": {"message": "1 validation error: 'prompt': Input should be a valid string"}})
        if "prompt_logprobs" in body and "vllm" in words:
            return self.vllm(words, prompt, body)
        if "echo" in words and body.get("echo"):
            return self.echo(words, prompt, body, shown=prompt)
        return {"choices": [{"text": "", "index": 0}]}

    def vllm(self, words, ids, body):
        table = [None]
        for end in range(2, len(ids) + 1):
            entries = dict(top(ids[:end], self.known(words), body["prompt_logprobs"])[0])
            entries[ids[end - 1]] = log_prob(ids[:end])
            ranks = sorted(entries.values(), reverse=True)
            table.append({str(i): {"logprob": p, "rank": ranks.index(p) + 1, "decoded_token": self.name(words, i)} for i, p in entries.items()})
            if "padded" in words:
                table[-1]["99999"] = {"logprob": -0.4, "rank": 1, "decoded_token": ""}
        self.spoil(words, table, ids)
        return {"choices": [{"index": 0, "text": "x", "prompt_logprobs": table}],
                "usage": {"prompt_tokens": len(ids), "completion_tokens": 1, "total_tokens": len(ids) + 1}}

    def known(self, words):
        """Ids with names of their own; with "partial" those of bytes that are no characters too."""
        return KNOWN if "partial" in words else [i for i in KNOWN if "\ufffd" not in STRINGS[i]]

    def name(self, words, i):
        string = STRINGS[i]
        return string.lstrip(" ") if "stripped" in words else string

    def spoil(self, words, table, ids):
        if len(table) < 5 or self.counts[self.path] == 1:
            return
        own = str(ids[4])
        if "fewer" in words:
            table.pop()
        if "otherid" in words:
            table[4]["9999999"] = table[4].pop(own)
        if "otherstring" in words:
            table[4][own]["decoded_token"] = "zebra"
        if "nostring" in words:
            table[4][own]["decoded_token"] = None
        if "null" in words:
            table[4][own]["logprob"] = None
        if "nan" in words:
            table[4][own]["logprob"] = float("nan")
        if "positive" in words:
            table[4][own]["logprob"] = 0.5
        if "overfull" in words:
            table[4] |= {str(i): {"logprob": -0.5, "rank": 1, "decoded_token": ""} for i in (1, 2)}
        if "impossible" in words:
            table[4][own]["logprob"] = -9999.0

    def echo(self, words, ids, body, shown):
        hidden = len(ids) - len(shown)
        values, tables = [], []
        for end in range(hidden + 1, len(ids) + 1):
            best, table = top(ids[:end], self.known(words), body["logprobs"])
            table = dict(best) | {ids[end - 1]: log_prob(ids[:end])}
            values.append(log_prob(ids[:end]))
            tables.append({STRINGS[i]: p for i, p in table.items()})
        values[0] = tables[0] = None
        values, tables, strings = values + [-0.5], tables + [{"x": -0.5}], [STRINGS[i] for i in shown] + ["x"]
        if "shifted" in words and not hidden:
            values, tables, strings = values[:-1], tables[:-1], strings[:-1]
        return {"choices": [{"index": 0, "text": "x", "logprobs": {"tokens": strings, "token_logprobs": values, "top_logprobs": tables}}],
                "usage": {"prompt_tokens": len(ids), "completion_tokens": 1, "total_tokens": len(ids) + 1}}


def windows(length, window, stride):
    """What is read, and from where it is scored."""
    end = min(window, length)
    yield 0, end, 0
    while end < length:
        start = max(0, min(end - 1, end - (window - stride)))
        following = min(start + window, length, end + stride)
        yield start, following, end
        end = following


def check(path, window, stride, bos=None):
    """Whether every score is what the server says of the window that it is scored in."""
    tokens = 0
    for line in open(path, encoding="utf-8"):
        record = json.loads(line)
        if "input_ids" not in record:
            continue
        lead = [] if bos is None else [bos]
        ids = lead + record["input_ids"]
        expected = []
        for start, end, first in windows(len(ids), window, stride):
            expected += [log_prob(ids[start:at + 1]) if at > start else None for at in range(first, end)]
        expected = expected[len(lead):]
        assert len(expected) == len(record["log_probs"]), record["id"]
        for mine, theirs in zip(record["log_probs"], expected):
            assert (mine is None) == (theirs is None) and (mine is None or abs(mine - theirs) < 1e-5), (record["id"], mine, theirs)
        tokens += len(expected)
    assert tokens > 50, tokens


if sys.argv[1] == "--check":
    check(sys.argv[2], *map(int, sys.argv[3:]))
else:
    TEXTS, STRINGS, BOS = read_records(*sys.argv[1:3])
    KNOWN = sorted(STRINGS)
    LOG = open(sys.argv[4], "a") if len(sys.argv) > 4 else None
    http.server.ThreadingHTTPServer.request_queue_size = 128
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with open(sys.argv[3] + ".part", "w") as file:
        file.write(str(server.server_address[1]))
    os.rename(sys.argv[3] + ".part", sys.argv[3])
    server.serve_forever()
