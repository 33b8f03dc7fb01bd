// A corpus cut into chunks of whole lines, for threads to take apart.

/// Some whole lines of a corpus.
public struct CorpusChunk: Sendable {
    public enum Content: Sendable {
        /// Whole lines with their newlines; only the last line of an input may lack its own.
        case lines([UInt8])
        /// A line over the limit begins here.
        case tooLong(Failure)
        /// The next bytes of that line.
        case tooLongPart([UInt8])
    }

    public let content: Content
    /// The input's name.
    public let name: String
    /// Which of the inputs this is, from 0.
    public let input: Int
    /// The offset of the first byte in the input.
    public let byte: Int
}

/// Cuts the inputs, one after the other, at newlines.
///
/// A chunk holds what one read gave, up to about 256 KiB, or one longer line: how an input is cut depends on how it arrives, and what
/// is made of it must not. Refused are files of another kind, which are named, and, as a chunk of its own, a line over the limit.
public final class CorpusChunkReader {
    /// Bytes of a chunk: its text and its tokens together stay within a core's own cache.
    private static let size = 256 << 10

    private let lineLimit: Int
    private let paths: [String]
    /// Asked while a read waits for bytes; yes makes `next` throw.
    public var isAbandoned: () -> Bool = { false }
    private var source: ByteInput?
    private var opened = 0
    private var inLongLine = false

    public init(_ paths: [String], lineLimit: Int = CorpusReader.longestLine) {
        self.paths = paths
        self.lineLimit = lineLimit
    }

    /// The next chunk, or nil after the last input. Opens the inputs as it comes to them.
    public func next() throws -> CorpusChunk? {
        while true {
            let source: ByteInput
            if let present = self.source {
                source = present
            } else {
                guard opened < paths.count else { return nil }
                source = try open(paths[opened])
                opened += 1
                self.source = source
            }
            if let chunk = try chunk(of: source) { return chunk }
            self.source = nil
        }
    }

    private func open(_ path: String) throws -> ByteInput {
        let input = try ByteInput.open(path)
        input.isAbandoned = { [unowned self] in isAbandoned() }
        try expectCorpus(input)
        return input
    }

    private func chunk(of input: ByteInput) throws -> CorpusChunk? {
        func chunk(_ content: CorpusChunk.Content, _ byte: Int) -> CorpusChunk {
            CorpusChunk(content: content, name: input.name, input: opened - 1, byte: byte)
        }
        var byte = input.offset
        if inLongLine {
            if let part = try input.partOfLongLine() { return chunk(.tooLongPart(Array(part)), byte) }
            inLongLine = false
            byte = input.offset
        }
        do {
            return try input.lines(upTo: CorpusChunkReader.size, limit: lineLimit).map { chunk(.lines(Array($0)), byte) }
        } catch let failure as Failure where failure.status == .badData {
            inLongLine = true
            return chunk(.tooLong(failure), byte)
        }
    }
}

/// Takes the records out of chunks; one for each thread.
public final class CorpusChunkParser {
    private var fields: CorpusFields
    private let lineLimit: Int

    /// What a chunk amounts to.
    public struct Counts: Sendable {
        public var lines = 0
        /// Lines that are not blank.
        public var records = 0

        public init(lines: Int = 0, records: Int = 0) {
            self.lines = lines
            self.records = records
        }
    }

    public init(textKey: String = "text", idKey: String = "id", lineLimit: Int = CorpusReader.longestLine) {
        fields = CorpusFields(textKey: textKey, idKey: idKey)
        self.lineLimit = lineLimit
    }

    /// Visits the records of a chunk's lines in order.
    ///
    /// - record: gets the id, nil where the record has none; the text, valid during the call; and the record's number in the chunk.
    /// - refused: gets what is wrong, its line counted within the chunk from 1, and the line without its newline; false ends the visit.
    public func visit(
        _ bytes: [UInt8], of chunk: CorpusChunk, record: (_ id: [UInt8]?, _ text: UnsafeRawBufferPointer, _ number: Int) -> Void,
        refused: (_ failure: Failure, _ line: UnsafeRawBufferPointer) -> Bool
    ) -> Counts {
        var counts = Counts()
        bytes.withUnsafeBytes { bytes in
            var at = 0
            while at < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[at...])
                let newline = firstNewline(rest)
                let line = UnsafeRawBufferPointer(rebasing: rest[..<(newline ?? rest.count)])
                let byte = chunk.byte + at
                at += line.count + 1
                counts.lines += 1
                if isBlank(line) { continue }
                counts.records += 1
                let place = LinePlace(name: chunk.name, line: counts.lines, byte: byte, isEnded: newline != nil)
                do {
                    guard line.count <= lineLimit else { throw ByteInput.tooLong(place, lineLimit) }
                    try fields.read(line, at: place)
                    record(fields.id, fields.text, counts.records - 1)
                } catch let failure as Failure {
                    if !refused(failure, line) { return }
                } catch {
                    preconditionFailure("bug: \(error)")
                }
            }
        }
        return counts
    }
}
