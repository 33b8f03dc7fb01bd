// What the ids of a vocabulary stand for in the text, and which of another vocabulary's are the same.

/// The byte string of every id, special tokens left out.
///
/// A string that several ids have is one entry: of a piece and the byte that falls back to the same text (Llama-2's "A" and <0x41>) the piece
/// stands for both, because texts are tokenized with it; else the lowest id does.
public final class ByteEntries {
    /// The largest id plus one.
    public let size: Int
    /// Bytes of each id; 0 for special tokens and for ids that nothing has.
    public let lengths: [UInt32]
    private let strings: DistinctStrings

    public init(_ tokenizer: Tokenizer) {
        size = tokenizer.vocabularySize
        strings = DistinctStrings(capacity: size)
        var lengths = [UInt32](repeating: 0, count: size)
        for id in 0..<UInt32(size) where !tokenizer.isSpecial(id) {
            let bytes = tokenizer.bytes(of: id)
            guard !bytes.isEmpty else { continue }
            lengths[Int(id)] = UInt32(bytes.count)
            strings.insert(bytes, id: id, isFallback: bytes.count == 1 && isByteFallback(tokenizer.spelling(of: id)))
        }
        self.lengths = lengths
    }

    /// Distinct byte strings.
    public var count: Int { strings.count }
    /// Ids that have one.
    public var idCount: Int { strings.entries.reduce(0, +) }

    /// What both vocabularies have.
    public struct Common {
        /// Distinct byte strings.
        public fileprivate(set) var strings = 0
        /// Ids of this vocabulary that have one of them.
        public fileprivate(set) var ids = 0
        /// The ids that stand for them, in this vocabulary ascending and in the other.
        public fileprivate(set) var pairs: [(mine: UInt32, its: UInt32)] = []
    }

    public func common(with other: ByteEntries) -> Common {
        var common = Common()
        for place in 0..<strings.count {
            guard let its = other.strings.place(of: strings.bytes(place)) else { continue }
            common.strings += 1
            common.ids += strings.entries[place]
            common.pairs.append((strings.ids[place], other.strings.ids[its]))
        }
        common.pairs.sort { $0.mine < $1.mine }
        return common
    }

    /// How many bytes each id of a vocabulary stands for; 0 for special tokens and for ids that nothing has.
    public static func lengths(of tokenizer: Tokenizer) -> [UInt32] {
        (0..<UInt32(tokenizer.vocabularySize)).map { tokenizer.isSpecial($0) ? 0 : UInt32(tokenizer.bytes(of: $0).count) }
    }

    /// For each id of another vocabulary the id here with the same bytes; `absent` where there is none.
    public func ids(of tokenizer: Tokenizer) -> [UInt32] {
        (0..<UInt32(tokenizer.vocabularySize)).map { id in
            guard !tokenizer.isSpecial(id), let place = strings.place(of: tokenizer.bytes(of: id)) else { return Self.absent }
            return strings.ids[place]
        }
    }

    public static let absent = UInt32.max
}

/// <0x00> to <0xFF>
private func isByteFallback(_ spelling: [UInt8]) -> Bool {
    spelling.count == 6 && spelling.starts(with: Array("<0x".utf8)) && spelling[5] == UInt8(ascii: ">")
}
