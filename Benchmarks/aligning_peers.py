"""The usual Python way of aligning two vocabularies, in a fresh process: what peer_aligning.py starts. Prints one JSON line.

    aligning_peers.py align STUDENT.tokens TEACHER.tokens          numpy over the spans of two streams; the clock runs while it aligns
    aligning_peers.py step STUDENT TEACHER CORPUS OUT.npz [BATCH]  the whole step from text: two tokenizers with offsets, numpy, npz

Spans of streams are bytes, those of the tokenizers package are characters.
"""
import json
import sys
import time

import numpy


def streams(path):
    """The columns of a tensor stream: document_splits, input_ids and offsets of each record."""
    data = memoryview(open(path, "rb").read())
    at, types = 0, {"I64": "<i8", "U64": "<u8", "U32": "<u4", "F32": "<f4", "F16": "<f2", "U8": "u1"}
    while at < len(data):
        length = int.from_bytes(data[at : at + 8], "little")
        header = json.loads(bytes(data[at + 8 : at + 8 + length]))
        header.pop("__metadata__")
        at += 8 + length
        record = {}
        for name, tensor in header.items():
            begin, end = tensor["data_offsets"]
            record[name] = numpy.frombuffer(data[at + begin : at + end], types[tensor["dtype"]]).reshape(tensor["shape"])
        at += max((tensor["data_offsets"][1] for tensor in header.values()), default=0)
        if record:
            yield record


def documents(path):
    """(ids, spans) of each document."""
    for record in streams(path):
        splits = record["document_splits"]
        for begin, end in zip(splits, splits[1:]):
            yield record["input_ids"][begin:end], record["offsets"][begin:end]


def align(student, teacher):
    """First and end (half-open) of each student token's run; 0 and 0 for unmapped ones. Two bisections a token, as in the paper."""
    real = numpy.flatnonzero(teacher[:, 0] < teacher[:, 1])
    if len(real) == 0:
        return numpy.zeros(len(student), "u4"), numpy.zeros(len(student), "u4")
    low = numpy.searchsorted(teacher[real, 0], student[:, 0], side="right") - 1
    high = numpy.searchsorted(teacher[real, 1], student[:, 1], side="left")
    mapped = (student[:, 0] < student[:, 1]) & (low >= 0) & (high < len(real))
    low, high = real[numpy.where(mapped, low, 0)], real[numpy.where(mapped, high, 0)]
    # Where spans of the teacher overlap, as those of a composed character's pieces do, `low` can lie behind `high`.
    low, high = numpy.minimum(low, high), numpy.maximum(low, high)
    return numpy.where(mapped, low, 0).astype("u4"), numpy.where(mapped, high + 1, 0).astype("u4")


def largest(low, end, losses):
    """The largest loss of each run, NaN for empty ones."""
    if len(low) == 0:
        return numpy.zeros(0, "f4")
    cuts = numpy.stack([low, end], 1).ravel()
    return numpy.where(low < end, numpy.maximum.reduceat(numpy.append(losses, numpy.float32(0)), cuts)[::2], numpy.float32("nan"))


def time_alignment(student, teacher):
    pairs = [(mine, its, (ids % 1000 / 100).astype("f4")) for (_, mine), (ids, its) in zip(documents(student), documents(teacher), strict=True)]
    found = {"bytes": sum(int(mine[-1, 1]) for mine, _, _ in pairs if len(mine)), "range_sum": 0, "loss_sum": 0.0}
    ranges_s = losses_s = 0.0
    for mine, its, losses in pairs:
        start = time.perf_counter()
        low, end = align(mine, its)
        ranges_s += time.perf_counter() - start
        found["range_sum"] += int(low.sum(dtype="u8") + 3 * end.sum(dtype="u8"))
    for mine, its, losses in pairs:
        start = time.perf_counter()
        best = largest(*align(mine, its), losses)
        losses_s += time.perf_counter() - start
        found["loss_sum"] += float(numpy.nansum(best, dtype="f8"))
    # With making arrays of what tokenizers give: lists of pairs.
    lists = [(mine.tolist(), its.tolist()) for mine, its, _ in pairs]
    start = time.perf_counter()
    for mine, its in lists:
        align(numpy.array(mine, "u4").reshape(-1, 2), numpy.array(its, "u4").reshape(-1, 2))
    found |= {"ranges_s": ranges_s, "losses_s": losses_s, "arrays_s": time.perf_counter() - start}
    return found


def whole_step(student, teacher, corpus, out, batch):
    from tokenizers import Tokenizer
    student, teacher = Tokenizer.from_file(student), Tokenizer.from_file(teacher)
    student.no_padding(), student.no_truncation(), teacher.no_padding(), teacher.no_truncation()
    splits, ids, spans, lows, ends = [0], [], [], [], []
    with open(corpus, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    for first in range(0, len(texts), batch):
        some = texts[first : first + batch]
        for mine, its in zip(student.encode_batch(some, add_special_tokens=False), teacher.encode_batch(some, add_special_tokens=False)):
            ids.append(numpy.array(mine.ids, "u4"))
            spans.append(numpy.array(mine.offsets, "u4").reshape(-1, 2))
            low, end = align(spans[-1], numpy.array(its.offsets, "u4").reshape(-1, 2))
            lows.append(low)
            ends.append(end)
            splits.append(splits[-1] + len(low))
    numpy.savez(
        out, splits=numpy.array(splits), ids=numpy.concatenate(ids), spans=numpy.concatenate(spans),
        ranges=numpy.stack([numpy.concatenate(lows), numpy.concatenate(ends)], 1))
    return {"documents": len(texts)}


if __name__ == "__main__":
    mode, *rest = sys.argv[1:]
    if mode == "align":
        print(json.dumps(time_alignment(*rest)))
    else:
        print(json.dumps(whole_step(*rest[:4], int(rest[4]) if len(rest) > 4 else 256)))
