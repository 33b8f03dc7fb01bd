// Tokens of a cut on their way out, in bare memory.

/// Writes tokens in order; a run of unknown characters is one token, or its bytes.
struct UnigramOutput {
    private let ids: UnsafeMutablePointer<UInt32>
    private let spans: UnsafeMutablePointer<UInt64>
    private var count = 0
    /// Characters that have been cut and not yet written.
    private var unknown = 0..<0
    private let unknownID: UInt32
    /// Whether the unknown token is a piece that is found in the text.
    private let findsUnknown: Bool
    /// The tokens of a run of unknown characters.
    private let writeUnknown: (Range<Int>, inout TokenSequence) -> Void

    /// Memory for tokens, kept from text to text.
    final class Room: @unchecked Sendable {
        fileprivate static let tokens = 1 << 12
        fileprivate let ids = UnsafeMutablePointer<UInt32>.allocate(capacity: tokens)
        fileprivate let spans = UnsafeMutablePointer<UInt64>.allocate(capacity: tokens)

        deinit {
            ids.deallocate()
            spans.deallocate()
        }
    }

    init(_ room: Room, unknownID: UInt32, findsUnknown: Bool, writeUnknown: @escaping (Range<Int>, inout TokenSequence) -> Void) {
        (ids, spans, self.unknownID, self.findsUnknown, self.writeUnknown) = (room.ids, room.spans, unknownID, findsUnknown, writeUnknown)
    }

    /// Writes the piece `id` that covers `start..<end`.
    @inline(__always)
    mutating func append(_ id: UInt32, _ start: Int, _ end: Int, _ tokens: inout TokenSequence) {
        if id == unknownID {
            unknown = (unknown.isEmpty ? start : unknown.lowerBound)..<end
            return
        }
        if !unknown.isEmpty { flush(&tokens) }
        if count == Room.tokens { flush(&tokens) }
        ids[count] = id
        spans[count] = UInt64(truncatingIfNeeded: start) | UInt64(truncatingIfNeeded: end) &<< 32
        count &+= 1
    }

    /// The same for a piece that was found in the text: its id, which may come from far, is not looked at where it need not.
    @inline(__always)
    mutating func appendPiece(_ id: UInt32, _ start: Int, _ end: Int, _ tokens: inout TokenSequence) {
        if findsUnknown || !unknown.isEmpty || count == Room.tokens { return append(id, start, end, &tokens) }
        ids[count] = id
        spans[count] = UInt64(truncatingIfNeeded: start) | UInt64(truncatingIfNeeded: end) &<< 32
        count &+= 1
    }

    /// Writes the pieces of a word that begins at `start`.
    @inline(__always)
    mutating func append(
        _ pieces: UnsafePointer<UnigramWordCut.Piece>, _ more: Int, hasUnknown: Bool, at start: Int, _ tokens: inout TokenSequence
    ) {
        if hasUnknown || !unknown.isEmpty || count &+ more > Room.tokens { return appendEach(pieces, more, at: start, &tokens) }
        var last = UInt64(truncatingIfNeeded: start)
        for piece in 0..<more {
            ids[count] = pieces[piece].id
            let end = UInt64(truncatingIfNeeded: start) &+ UInt64(pieces[piece].end)
            spans[count] = last | end &<< 32
            last = end
            count &+= 1
        }
    }

    @inline(never)
    private mutating func appendEach(
        _ pieces: UnsafePointer<UnigramWordCut.Piece>, _ more: Int, at start: Int, _ tokens: inout TokenSequence
    ) {
        var last = start
        for piece in 0..<more {
            let end = start + Int(pieces[piece].end)
            append(pieces[piece].id, last, end, &tokens)
            last = end
        }
    }

    /// Hands over what has been written.
    @inline(never)
    mutating func flush(_ tokens: inout TokenSequence) {
        tokens.append(ids, spans, count)
        count = 0
        if !unknown.isEmpty { writeUnknown(unknown, &tokens) }
        unknown = 0..<0
    }
}
