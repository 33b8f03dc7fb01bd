// Packed chunks back to documents: split at the separator, and joined where a document goes on in the next chunk.

import Streams

/// The tokens of one text to be decoded.
struct TokenText {
    let id: [UInt8]
    var ids: [UInt32]
    let place: Failure.Place
    /// The text's beginning, or its end, lies in a chunk that is not there.
    var lacksBeginning = false
    var lacksEnd = false
}

/// Takes chunks in order and gives the documents in them.
///
/// Chunks are neighbours when their ids are numbers in a row; elsewhere, as where `sample` left one out, a document ends or begins cut. A
/// document is named by the chunk that it begins in and its number there, "7.0".
struct ChunkJoining {
    private let separator: UInt32
    private var open: TokenText?
    private var lastNumber: Int?

    init(separator: UInt32) { self.separator = separator }

    /// The documents that end in a chunk, and one that a missing chunk cuts in front of it.
    mutating func add(id: [UInt8], ids: ArraySlice<UInt32>, place: Failure.Place) -> [TokenText] {
        let number = Int(String(decoding: id, as: UTF8.self))
        let follows = number != nil && number == lastNumber.map { $0 + 1 }
        var documents: [TokenText] = []
        if !follows { documents += finish() }
        lastNumber = number
        var first = ids.startIndex
        var count = 0
        while first < ids.endIndex {
            let end = ids[first...].firstIndex(of: separator)
            if open == nil {
                let name = id + Array(".\(count)".utf8)
                open = TokenText(id: name, ids: [], place: place, lacksBeginning: count == 0 && !follows && number != 0)
            }
            open!.ids.append(contentsOf: ids[first..<(end ?? ids.endIndex)])
            if let end {
                documents.append(open!)
                open = nil
                count += 1
                first = end + 1
            } else {
                first = ids.endIndex
            }
        }
        return documents
    }

    /// What is left behind the last chunk.
    mutating func finish() -> [TokenText] {
        defer { open = nil }
        guard var last = open else { return [] }
        last.lacksEnd = true
        return [last]
    }
}

/// The whole characters of a text, where a missing chunk took a part of its first or its last one.
func withoutHalves(_ text: [UInt8], beginning: Bool, end: Bool) -> ArraySlice<UInt8> {
    var whole = text[...]
    if beginning { whole = whole.dropFirst(min(3, whole.prefix { $0 & 0xC0 == 0x80 }.count)) }
    guard end, let lead = whole.suffix(4).lastIndex(where: { $0 & 0xC0 != 0x80 }), whole[lead] >= 0xC2, whole[lead] < 0xF5 else {
        return whole
    }
    let length = whole[lead] < 0xE0 ? 2 : whole[lead] < 0xF0 ? 3 : 4
    return lead + length > whole.endIndex ? whole[..<lead] : whole
}
