"""CRC-32C and XXH64, for gates that change what a stored file says and its checksums with it."""
MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def rotated(value, bits):
    return (value << bits | value >> 64 - bits) & MASK


def turn(sum_, lane):
    return rotated((sum_ + lane * P2) & MASK, 31) * P1 & MASK


def xxh64(data):
    words = [int.from_bytes(data[at:at + 8], "little") for at in range(0, len(data) // 8 * 8, 8)]
    stripes = len(data) // 32
    if stripes:
        sums = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        for stripe in range(stripes):
            sums = [turn(sum_, words[4 * stripe + lane]) for lane, sum_ in enumerate(sums)]
        found = sum(rotated(sum_, bits) for sum_, bits in zip(sums, (1, 7, 12, 18))) & MASK
        for sum_ in sums:
            found = ((found ^ turn(0, sum_)) * P1 + P4) & MASK
    else:
        found = P5
    found = (found + len(data)) & MASK
    for word in words[4 * stripes:]:
        found = (rotated(found ^ turn(0, word), 27) * P1 + P4) & MASK
    at = len(data) // 8 * 8
    if len(data) - at >= 4:
        found = (rotated(found ^ int.from_bytes(data[at:at + 4], "little") * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        found = rotated(found ^ byte * P5 & MASK, 11) * P1 & MASK
    for shift, prime in ((33, P2), (29, P3), (32, 1)):
        found = (found ^ found >> shift) * prime & MASK
    return found
