// Models that find tokens in a word by themselves (Unigram, WordPiece), in the loop over words.

/// A word model behind the loop's interface.
final class ModelWords<Model: WordModel>: WordEncoder {
    private var model: Model
    private var tokens = TokenSequence()
    private var droppedBytes = 0

    init(_ model: Model) { self.model = model }

    func duplicate() -> ModelWords { ModelWords(model) }

    func encode(
        _ text: UnsafePointer<UInt8>, _ at: Int, _ stop: Int, _ ids: UnsafeMutablePointer<UInt32>, _ spans: UnsafeMutablePointer<UInt64>
    ) -> Int {
        tokens.removeAll()
        model.encode(UnsafeRawBufferPointer(start: text, count: stop), at..<stop, into: &tokens)
        droppedBytes += tokens.droppedBytes
        // Only words that their tokens tile are remembered.
        var last = UInt32(at)
        var tiles = true
        for token in 0..<tokens.ids.count {
            let (start, end) = (tokens.offsets[2 * token], tokens.offsets[2 * token + 1])
            ids[token] = tokens.ids[token]
            spans[token] = UInt64(start) | UInt64(end) << 32
            if start != last || end <= start { tiles = false }
            last = end
        }
        return tiles && last == UInt32(stop) ? tokens.ids.count : -tokens.ids.count
    }

    func takeDroppedBytes() -> Int {
        defer { droppedBytes = 0 }
        return droppedBytes
    }

    func bytes(of id: Int) -> [UInt8] { model.bytes(of: id) }

    func spelling(of id: Int) -> [UInt8] { model.spelling(of: id) }
}
