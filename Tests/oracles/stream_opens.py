#!/usr/bin/env python3
"""Reads a tensor stream with the safetensors package alone: every record must open by itself.

    python3 -m venv venv && venv/bin/pip install -r Tests/oracles/requirements.txt
    venv/bin/python Tests/oracles/stream_opens.py FILE

Prints a line a record and ends with 1 when a record does not open, the end record is missing or a check fails.
"""
import json
import struct
import sys

import numpy
import safetensors.numpy
import xxhash


def records(stream):
    """The ten lines: cuts a stream into records, each a complete safetensors document."""
    at = 0
    while at < len(stream):
        (length,) = struct.unpack_from("<Q", stream, at)
        header = json.loads(bytes(stream[at + 8 : at + 8 + length]))
        size = max((t["data_offsets"][1] for name, t in header.items() if name != "__metadata__"), default=0)
        record = stream[at : at + 8 + length + size]
        yield at, header.get("__metadata__", {}), safetensors.numpy.load(bytes(record))
        at += len(record)


def main(path):
    stream = memoryview(open(path, "rb").read())
    begin = documents = tokens = count = 0
    ended = True
    for at, facts, tensors in records(stream):
        shapes = ", ".join(f"{name} {t.dtype} {list(t.shape)}" for name, t in sorted(tensors.items()))
        print(f"{at}: {facts['kind']}: {shapes or json.dumps(facts)}")
        if facts["kind"] == "header":
            assert ended, "a header inside a stream"
            begin, documents, tokens, count, ended = at, 0, 0, 0, False
        elif facts["kind"] == "data":
            assert int(facts["index"]) == count
            splits = tensors["document_splits"]
            assert splits[0] == 0 and splits[-1] == len(tensors["input_ids"]) and (numpy.diff(splits) >= 0).all()
            assert len(tensors["document_id_splits"]) == len(splits)
            count, documents, tokens = count + 1, documents + len(splits) - 1, tokens + int(splits[-1])
        else:
            assert facts["kind"] == "end"
            assert (int(facts["records"]), int(facts["documents"]), int(facts["tokens"])) == (count, documents, tokens)
            assert facts["xxh64"] == xxhash.xxh64(stream[begin:at]).hexdigest()
            ended = True
    assert ended, "no end record"


if __name__ == "__main__":
    main(sys.argv[1])
