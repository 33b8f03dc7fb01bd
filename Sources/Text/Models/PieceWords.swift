// SentencePiece's byte-pair encoding of one word: characters merge into pieces, unknown characters fall back to bytes.

/// The words of a vocabulary of pieces. A space in the text stands for ▁, and so does ▁ itself.
final class PieceWords: WordEncoder {
    let tables: PieceTables
    private var droppedBytes = 0
    private let pairs: BytePairMerger

    init(_ tables: PieceTables) {
        self.tables = tables
        pairs = BytePairMerger(tables.merges, unused: tables.unused)
    }

    func duplicate() -> PieceWords { PieceWords(tables) }

    func bytes(of id: Int) -> [UInt8] { tables.textBytes(of: id) }

    func spelling(of id: Int) -> [UInt8] { tables.spelling(of: id) }

    func takeDroppedBytes() -> Int {
        defer { droppedBytes = 0 }
        return droppedBytes
    }

    func encode(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        encode(text, at, stop, prefixed: false, ids, spans)
    }

    var merger: ShortWordMerger? { pairs.staged }

    func stage(_ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int) -> Bool {
        guard let short = pairs.staged, stop &- at <= ShortWordMerger.most else { return false }
        let (raw, tables) = (UnsafeRawBufferPointer(start: text, count: stop), tables)
        let lane = short.nextLane()
        lane.starts[0] = UInt32(truncatingIfNeeded: at)
        if tables.ignoresMerges, let id = tables.vocabulary.id(of: UnsafeRawBufferPointer(rebasing: raw[at..<stop])) {
            lane.ids[0] = UInt32(truncatingIfNeeded: id)
            lane.starts[1] = UInt32(truncatingIfNeeded: stop)
            short.stage(1)
            return true
        }
        var (place, count) = (at, 0)
        while place < stop {
            let (code, length) = decodeScalar(raw, place)
            let id = tables.id(of: code)
            // Only ids of the vocabulary: what merging leaves of the others is not a token.
            if id >= UInt32(tables.vocabulary.count) { return false }
            lane.ids[count] = id
            place &+= length
            count &+= 1
            lane.starts[count] = UInt32(truncatingIfNeeded: place)
        }
        short.stageLookingUp(count)
        return true
    }

    /// - prefixed: with a ▁ in front that stands for no byte.
    func encode(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, prefixed: Bool, _ ids: UnsafeMutablePointer<UInt32>,
        _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        let tables = tables
        let raw = UnsafeRawBufferPointer(start: text, count: stop)
        if tables.ignoresMerges && !prefixed, let id = tables.vocabulary.id(of: UnsafeRawBufferPointer(rebasing: raw[at..<stop])) {
            ids[0] = UInt32(id)
            spans[0] = UInt64(at) | UInt64(stop) << 32
            return 1
        }
        pairs.begin(most: stop - at + 1)
        if prefixed && (tables.boundaryID != PieceTables.unknown || expressesUnknown) { pairs.append(tables.boundaryID, at: at) }
        var isPlain = !prefixed
        var place = at
        var dropsBytes = false
        while place < stop {
            let (code, length) = decodeScalar(raw, place)
            let id = tables.id(of: code)
            if id == PieceTables.unknown {
                isPlain = false
                if expressesUnknown { pairs.append(id, at: place) } else { dropsBytes = true }
            } else {
                pairs.append(id, at: place)
            }
            place += length
        }
        if dropsBytes { return encodeWithGaps(raw, at, stop, prefixed: prefixed, ids, spans) }
        pairs.merge(end: stop)
        let size = UInt32(tables.vocabulary.count)
        var count = 0
        var isFused = false
        for symbol in 0..<pairs.count {
            let id = pairs.ids[symbol]
            let (start, end) = (Int(pairs.starts[symbol]), Int(pairs.starts[symbol + 1]))
            if id < size {
                ids[count] = id
                spans[count] = UInt64(start) | UInt64(end) << 32
                count += 1
                isFused = false
            } else {
                isPlain = false
                count = appendUnknown(raw, start, end, ids, spans, count, &isFused)
            }
        }
        return isPlain ? count : -count
    }

    /// Whether a character without a piece becomes tokens at all.
    private var expressesUnknown: Bool { tables.byteIDs != nil || tables.unknownID != nil }

    /// One token a byte, else the unknown token. A ▁ that the text does not write gives its place in the text to all of its bytes.
    private func appendUnknown(
        _ text: UnsafeRawBufferPointer, _ start: Int, _ end: Int, _ ids: UnsafeMutablePointer<UInt32>,
        _ spans: UnsafeMutablePointer<UInt64>, _ count: Int, _ isFused: inout Bool
    ) -> Int {
        var count = count
        if let byteIDs = tables.byteIDs {
            if start == end || tables.spacesAreBoundaries && end - start == 1 && text[start] == 0x20 {
                for byte in PieceTables.boundary {
                    ids[count] = byteIDs[Int(byte)]
                    spans[count] = UInt64(start) | UInt64(end) << 32
                    count += 1
                }
            } else {
                for place in start..<end {
                    ids[count] = byteIDs[Int(text[place])]
                    spans[count] = UInt64(place) | UInt64(place + 1) << 32
                    count += 1
                }
            }
        } else if let unknownID = tables.unknownID {
            if isFused && tables.fusesUnknown {
                spans[count - 1] = spans[count - 1] & 0xFFFF_FFFF | UInt64(end) << 32
            } else {
                ids[count] = unknownID
                spans[count] = UInt64(start) | UInt64(end) << 32
                count += 1
            }
            isFused = true
        }
        return count
    }

    /// Characters that nothing expresses fall out before merging, and their neighbours may merge over the gap.
    private func encodeWithGaps(
        _ text: UnsafeRawBufferPointer, _ at: Int, _ stop: Int, prefixed: Bool, _ ids: UnsafeMutablePointer<UInt32>,
        _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        var kept: [(start: Int, end: Int)] = []
        pairs.begin(most: stop - at + 1)
        if prefixed && tables.boundaryID != PieceTables.unknown {
            pairs.append(tables.boundaryID, at: 0)
            kept.append((at, at))
        }
        var place = at
        while place < stop {
            let (code, length) = decodeScalar(text, place)
            let id = tables.id(of: code)
            if id == PieceTables.unknown {
                droppedBytes += length
            } else {
                pairs.append(id, at: kept.count)
                kept.append((place, place + length))
            }
            place += length
        }
        pairs.merge(end: kept.count)
        var count = 0
        for symbol in 0..<pairs.count {
            let (first, last) = (kept[Int(pairs.starts[symbol])], kept[Int(pairs.starts[symbol + 1]) - 1])
            if pairs.ids[symbol] < UInt32(tables.vocabulary.count) {
                ids[count] = pairs.ids[symbol]
                spans[count] = UInt64(first.start) | UInt64(last.end) << 32
                count += 1
            } else {
                droppedBytes += last.end - first.start
            }
        }
        return -count
    }
}
