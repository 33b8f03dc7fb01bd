"""Tensor streams taken apart and put together: records of a length, a JSON header and data; the sums in them made right again."""
import json
import struct

MASK = (1 << 64) - 1


def crc32c(data):
    """The Castagnoli CRC, a byte at a time."""
    value = 0xFFFFFFFF
    for byte in data:
        value = TABLE[(value ^ byte) & 255] ^ value >> 8
    return value ^ 0xFFFFFFFF


def _row(value):
    for _ in range(8):
        value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value


TABLE = [_row(value) for value in range(256)]
PRIMES = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)


def _rotated(value, bits):
    return (value << bits | value >> 64 - bits) & MASK


def _round(sum, word):
    return _rotated(sum + word * PRIMES[1] & MASK, 31) * PRIMES[0] & MASK


def xxh64(data):
    """XXH64 with seed 0, as its specification has it."""
    p1, p2, p3, p4, p5 = PRIMES
    at, length = 0, len(data)
    if length >= 32:
        lanes = [p1 + p2 & MASK, p2, 0, -p1 & MASK]
        while at + 32 <= length:
            words = struct.unpack_from("<4Q", data, at)
            lanes = [_round(lane, word) for lane, word in zip(lanes, words)]
            at += 32
        sum = _rotated(lanes[0], 1) + _rotated(lanes[1], 7) + _rotated(lanes[2], 12) + _rotated(lanes[3], 18) & MASK
        for lane in lanes:
            sum = ((sum ^ _round(0, lane)) * p1 + p4) & MASK
    else:
        sum = p5
    sum = sum + length & MASK
    while at + 8 <= length:
        sum = (_rotated(sum ^ _round(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4) & MASK
        at += 8
    if at + 4 <= length:
        sum = (_rotated(sum ^ struct.unpack_from("<I", data, at)[0] * p1 & MASK, 23) * p2 + p3) & MASK
        at += 4
    for byte in data[at:]:
        sum = _rotated(sum ^ byte * p5 & MASK, 11) * p1 & MASK
    sum = (sum ^ sum >> 33) * p2 & MASK
    sum = (sum ^ sum >> 29) * p3 & MASK
    return sum ^ sum >> 32


class Record:
    """One record: its header as a dictionary, `__metadata__` among it, and its data."""

    def __init__(self, header, data=b""):
        self.header, self.data = header, data

    @property
    def facts(self):
        return self.header["__metadata__"]

    def bytes(self, length=None):
        text = json.dumps(self.header, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text) if length is None else length) + text + self.data

    def tensor(self, name):
        begin, end = self.header[name]["data_offsets"]
        return self.data[begin:end]

    def set(self, name, data):
        """Puts other bytes of the same number in a tensor's place."""
        begin, end = self.header[name]["data_offsets"]
        assert len(data) == end - begin
        self.data = self.data[:begin] + data + self.data[end:]


def parse(stream):
    """The records of a whole stream."""
    records, at = [], 0
    while at < len(stream):
        length, = struct.unpack_from("<Q", stream, at)
        header = json.loads(stream[at + 8 : at + 8 + length])
        size = max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
        begin = at + 8 + length
        records.append(Record(header, stream[begin : begin + size]))
        at = begin + size
    return records


def join(records):
    """The bytes of records, as they are."""
    return b"".join(record.bytes() for record in records)


def sealed(records):
    """The bytes of a stream whose sums fit: what is wrong with it lies deeper."""
    out = b""
    for record in records:
        if record.facts.get("kind") == "data" and "crc32c" in record.facts:
            record.facts["crc32c"] = f"{crc32c(record.data):08x}"
        if record.facts.get("kind") == "end" and "xxh64" in record.facts:
            record.facts["xxh64"] = f"{xxh64(out):016x}"
        out += record.bytes()
    return out
