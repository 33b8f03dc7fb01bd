"""Megatron token shards by numpy, written from the layout in Megatron-LM's indexed_dataset.py and MiniPLM's; not from our code.

    megatron_shard.py make FOLDER            the shards in Tests/fixtures/megatron: one for each type of token
    megatron_shard.py check PREFIX NDJSON    a shard holds the ids of the records, in order (as `stream-cat` shows them)

Needs numpy (requirements.txt).
"""
import json
import pathlib
import struct
import sys

import numpy as np

TYPES = {1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 6: np.float64, 7: np.float32, 8: np.uint16}


def read(prefix):
    """The sequences of a shard and the documents of its index, by memory maps as Megatron reads them."""
    with open(prefix + ".idx", "rb") as stream:
        assert stream.read(9) == b"MMIDIDX\x00\x00"
        (version,) = struct.unpack("<Q", stream.read(8))
        assert version == 1
        (code,) = struct.unpack("<B", stream.read(1))
        sequences, documents = struct.unpack("<QQ", stream.read(16))
        offset = stream.tell()
    index = memoryview(np.memmap(prefix + ".idx", mode="r", order="C"))
    lengths = np.frombuffer(index, dtype=np.int32, count=sequences, offset=offset)
    pointers = np.frombuffer(index, dtype=np.int64, count=sequences, offset=offset + lengths.nbytes)
    table = np.frombuffer(index, dtype=np.int64, count=documents, offset=offset + lengths.nbytes + pointers.nbytes)
    assert offset + lengths.nbytes + pointers.nbytes + table.nbytes == len(index)
    data = np.fromfile(prefix + ".bin", dtype=np.uint8).tobytes()
    return TYPES[code], [
        np.frombuffer(data, dtype=TYPES[code], count=length, offset=pointer) for length, pointer in zip(lengths, pointers)
    ], table


def write(prefix, sequences, code, documents=None):
    arrays = [np.array(sequence, dtype=TYPES[code]) for sequence in sequences]
    lengths = np.array([len(array) for array in arrays], dtype=np.int32)
    pointers = np.concatenate([[0], np.cumsum([array.nbytes for array in arrays])])[: len(arrays)].astype(np.int64)
    table = np.array(range(len(arrays) + 1) if documents is None else documents, dtype=np.int64)
    with open(prefix + ".bin", "wb") as stream:
        for array in arrays:
            stream.write(array.tobytes(order="C"))
    with open(prefix + ".idx", "wb") as stream:
        stream.write(b"MMIDIDX\x00\x00" + struct.pack("<QB", 1, code) + struct.pack("<QQ", len(lengths), len(table)))
        stream.write(lengths.tobytes(order="C") + pointers.tobytes(order="C") + table.tobytes(order="C"))


def make(folder):
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    small = [[1, 2, 3], [], [127], [0, 5]]
    write(str(folder / "u8"), small, 1)
    write(str(folder / "i8"), small, 2)
    write(str(folder / "i16"), [[32767, 0], [], [300]], 3)
    write(str(folder / "u16"), [[65535, 0], [], [300, 301, 302]], 8)
    # As MiniPLM's builder leaves it when no document is ended.
    write(str(folder / "i32"), [[151643, 0], [2147483647], [7, 8, 9]], 4, documents=[0])
    # Two documents of two sequences each, and an empty one.
    write(str(folder / "i64"), [[4294967295], [1], [2, 3], [4]], 5, documents=[0, 2, 2, 4])


def check(prefix, records):
    kind, sequences, documents = read(prefix)
    lines = [json.loads(line) for line in open(records)]
    expected = [line["input_ids"] for line in lines if "input_ids" in line]
    assert [sequence.tolist() for sequence in sequences] == expected
    assert documents.tolist() == list(range(len(expected) + 1))
    print(f"{prefix}: {len(sequences)} sequences of {np.dtype(kind).name} agree")


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
