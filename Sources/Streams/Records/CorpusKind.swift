// Whether an input that opens with JSON is a corpus of text or a stream of records: both are NDJSON.

/// What the lines of an input are.
public enum CorpusKind: Equatable, Sendable {
    /// One document a line, with its text.
    case text
    /// Token, score or aligned records, in either encoding.
    case records

    /// Tells by what comes next in an input, consuming nothing: the first line of NDJSON is looked at key by key.
    ///
    /// A record has `input_ids`, a line of text the text's key: which is met first decides. With neither, a line with `stream` is a header.
    /// What cannot be read is taken for text, whose reader has the words for what is wrong.
    public init(_ input: ByteInput, textKey: String = "text") throws {
        switch try FileKind(input) {
        case .tensorStream, .safetensors, .megatronIndex: self = .records
        case .jsonObject:
            // Growing, so that a slow writer's first line is not held up.
            for size in [256, 4096, 1 << 16, 1 << 20] {
                let head = try input.peek(size)
                let found = head.withUnsafeBytes { CorpusKind.byKeys($0, textKey: textKey) }
                if let found {
                    self = found
                    return
                }
                // The end of the input, or of the line.
                let line = head.firstIndex(of: UInt8(ascii: "{")).map { head[$0...] } ?? []
                if head.count < size || line.contains(0x0A) { break }
            }
            self = .text
        default: self = .text
        }
    }

    /// By the keys of the first object, as far as its bytes are here; nil where they say nothing.
    private static func byKeys(_ head: UnsafeRawBufferPointer, textKey: String) -> CorpusKind? {
        let start = head.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let opening = head[start...].firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? head.count
        var scanner = JSONScanner(UnsafeRawBufferPointer(rebasing: head[opening...]), wideIntegers: true)
        var isHeader = false
        do throws(JSONScanner.NotPlain) {
            try scanner.beginObject()
            while let key = try scanner.nextKey() {
                if key.elementsEqual(textKey.utf8) { return .text }
                if key.elementsEqual("input_ids".utf8) { return .records }
                if key.elementsEqual("stream".utf8) { isHeader = true }
                try scanner.skipValue()
            }
            return isHeader ? .records : .text
        } catch { return nil }
    }
}
