// What finds stretches of text: a string, or a regular expression.

import Glibc

/// A pattern to search text for.
protocol TextPattern: Sendable {
    /// The matches from left to right, which do not overlap; valid UTF-8 in, whole characters out. An empty match never directly follows
    /// another match.
    func matches(in text: UnsafeRawBufferPointer) -> [Range<Int>]
}

/// Bytes to be found as they are.
struct LiteralPattern: TextPattern, Equatable {
    let bytes: [UInt8]

    func matches(in text: UnsafeRawBufferPointer) -> [Range<Int>] {
        guard !bytes.isEmpty else {
            // The empty string is found before every character and at the end.
            return text.indices.filter { text[$0] & 0xC0 != 0x80 }.map { $0..<$0 } + [text.count..<text.count]
        }
        var found: [Range<Int>] = []
        var at = 0
        while let next = first(in: text, from: at) {
            at = next + bytes.count
            found.append(next..<at)
        }
        return found
    }

    /// Where the bytes occur next.
    func first(in text: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = text.baseAddress else { return nil }
        return bytes.withUnsafeBytes { needle in
            var at = start
            while at + needle.count <= text.count {
                let left = text.count - needle.count + 1 - at
                guard let found = memchr(base + at, Int32(needle[0]), left) else { return nil }
                at = UnsafeRawPointer(found) - base
                if memcmp(found, needle.baseAddress!, needle.count) == 0 { return at }
                at += 1
            }
            return nil
        }
    }
}
