// Words of vocabularies of pieces: cut wherever no piece reaches over.

import Glibc

/// Which characters stand next to each other inside some piece. Where two do not, no merge reaches over them, and a word may end there
/// without changing a single token. That cuts text into short words, which a cache knows, whatever the writing system.
final class JoinedCharacters: @unchecked Sendable {
    /// One byte for each pair of ASCII characters; a space stands for ▁.
    fileprivate let ascii: UnsafeMutablePointer<UInt8>
    /// One bit for each hash of any other pair. Pairs that share a bit are not cut: longer words, the same tokens.
    fileprivate let others: UnsafeMutablePointer<UInt64>
    private static let otherBits = 20

    /// - joinsAll: nothing is ever cut.
    init(joinsAll: Bool = false) {
        ascii = .allocate(capacity: 128 * 128)
        ascii.initialize(repeating: joinsAll ? 1 : 0, count: 128 * 128)
        others = .allocate(capacity: 1 << (Self.otherBits - 6))
        others.initialize(repeating: joinsAll ? .max : 0, count: 1 << (Self.otherBits - 6))
    }

    deinit {
        ascii.deallocate()
        others.deallocate()
    }

    /// Adds all pairs of neighbours in a piece.
    func insert(_ piece: UnsafeRawBufferPointer) {
        var at = 0
        var last: UInt32?
        while at < piece.count {
            var (code, length) = decodeScalar(piece, at)
            if code == 0x2581 { code = 0x20 }
            if let last { insert(last, code) }
            last = code
            at += length
        }
    }

    private func insert(_ left: UInt32, _ right: UInt32) {
        if left < 0x80 && right < 0x80 {
            ascii[Int(left << 7 | right)] = 1
        } else {
            let bit = bit(left, right)
            others[bit >> 6] |= 1 << UInt64(bit & 63)
        }
    }

    @inline(__always)
    fileprivate func bit(_ left: UInt32, _ right: UInt32) -> Int {
        let product = (UInt64(left) << 32 | UInt64(right)) &* 0x9e37_79b9_7f4a_7c15
        return Int(truncatingIfNeeded: product >> UInt64(64 - Self.otherBits))
    }
}

/// Cuts where no piece reaches over, and, with `splitsAtBoundary`, in front of every ▁ and every space.
struct PieceScanner: WordScanner {
    let joined: JoinedCharacters
    /// Every ▁ begins a word (Metaspace with split).
    let splitsAtBoundary: Bool

    @inline(__always)
    func wordEnd(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        let ascii = joined.ascii
        var at = at
        var last = UInt32(text[at])
        if last < 0x80 {
            at += 1
            // As long as it is ASCII: one look for each byte.
            while at < end, text[at] < 0x80 {
                let next = UInt32(text[at])
                if ascii[Int(last << 7 | next)] == 0 || splitsAtBoundary && next == 0x20 { return at }
                last = next
                at += 1
            }
            if at == end { return at }
        } else {
            let (code, length) = character(text, at)
            last = code
            at += length
        }
        while at < end {
            let (code, length) = character(text, at)
            if splitsAtBoundary && code == 0x20 { return at }
            if last < 0x80 && code < 0x80 {
                if ascii[Int(last << 7 | code)] == 0 { return at }
            } else {
                let bit = joined.bit(last, code)
                if joined.others[bit >> 6] & 1 << UInt64(bit & 63) == 0 { return at }
            }
            last = code
            at += length
        }
        return at
    }

    /// A character, ▁ as a space.
    @inline(__always)
    private func character(_ text: UnsafePointer<UInt8>, _ at: Int) -> (code: UInt32, length: Int) {
        let (code, length) = decodeScalar(text, at)
        return (code == 0x2581 ? 0x20 : code, length)
    }
}
