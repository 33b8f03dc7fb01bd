// Lines of a corpus: the reader and the parser of chunks give the same documents, and both what a tree of the line holds.
@testable import Streams

extension FuzzTarget {
    static let corpus = FuzzTarget("corpus", longest: 1024) { bytes in
        var found: [Line] = []
        let reader = CorpusReader(file.input(bytes), lineLimit: 256)
        while true {
            do {
                guard let document = try reader.next() else { break }
                found.append(.document(document.id, document.text))
                checkDocument(document)
            } catch {
                guard reader.canContinue else { throw error }
                found.append(.refused)
            }
        }
        let others = byChunk(bytes)
        agree(found == others, "\(found) and by chunk \(others)")
    }

    private static let file = MemoryFile()
}

private enum Line: Equatable {
    case document([UInt8], [UInt8])
    case refused
}

private func checkDocument(_ document: CorpusDocument) {
    let tree = document.raw.withUnsafeBytes { try? JSONValue.parse($0, name: "line", wideIntegers: true) }
    guard let tree else { return agree(false, "a document of a line that is not JSON") }
    agree(tree["text"]?.bytes == document.text, "another text")
    if let id = tree["id"]?.bytes { agree(id == document.id, "another id") }
    if let id = tree["id"]?.number { agree(Double(String(decoding: document.id, as: UTF8.self)) == id, "another number") }
}

private func byChunk(_ bytes: UnsafeRawBufferPointer) -> [Line] {
    let content = Array(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...])
    var found: [Line] = []
    let chunk = CorpusChunk(content: .lines(content), name: "input", input: 0, byte: 0)
    _ = CorpusChunkParser(lineLimit: 256).visit(
        content, of: chunk, record: { id, text, number in found.append(.document(id ?? Array(String(number).utf8), Array(text))) },
        refused: { _, _ in
            found.append(.refused)
            return true
        })
    return found
}
