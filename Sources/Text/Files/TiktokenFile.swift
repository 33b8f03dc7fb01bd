// tiktoken's files: one token a line, base64, a space, its rank. Also under the name tokenizer.model (Llama 3 and 4, GLM-4).

import Glibc
import Streams

/// A .tiktoken file. It holds ranks and nothing else: no special tokens, no normalisation and no split pattern, which is known by the number
/// of the ranks.
struct TiktokenFile {
    private let name: String
    let vocabulary: Vocabulary

    /// Files by their number of ranks, with the pattern of the package that ships them.
    private static let known: [(ranks: Int, title: String, splitter: WordSplitter)] = [
        (50256, "gpt2, r50k", .gpt2), (50257, "whisper", .gpt2), (50280, "p50k", .gpt2),
        (100256, "cl100k", .cl100k(mostNumbers: 3, takesFinalSpaces: true)), (128000, "Llama 3", .cl100k(mostNumbers: 3)),
        (151329, "GLM-4", .cl100k(mostNumbers: 3)), (151643, "Qwen", .cl100k(mostNumbers: 1)),
        (199998, "o200k", .o200k(mostNumbers: 3, contractions: true)), (200000, "Llama 4", .o200k(mostNumbers: 3, contractions: true)),
        (248044, "Qwen 3.5", .cl100k(mostNumbers: 1, marksAreLetters: true)),
    ]

    /// Ids are places in tables: a file cannot make them longer than this.
    private static let mostRanks = 1 << 22

    /// Whether a file begins like one: a base64 word, a space, a number.
    static func looksLike(_ start: [UInt8]) -> Bool {
        guard let line = start.split(separator: 0x0A, maxSplits: 1).first else { return false }
        let fields = line.filter { $0 != 0x0D }.split(separator: 0x20, omittingEmptySubsequences: false)
        guard fields.count == 2, !fields[1].isEmpty, fields[1].allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        var token: [UInt8] = []
        return Array(fields[0]).withUnsafeBytes { decodeBase64($0, into: &token) } && !token.isEmpty
    }

    private struct Entry {
        let rank, line: UInt32
        /// Where its bytes are.
        let start, count: UInt32
    }

    /// Throws 65 with the line.
    init(_ bytes: UnsafeRawBufferPointer, name: String) throws {
        self.name = name
        vocabulary = Vocabulary(capacity: bytes.count / 16)
        var entries: [Entry] = []
        entries.reserveCapacity(bytes.count / 16)
        var tokens: [UInt8] = []
        tokens.reserveCapacity(bytes.count)
        var rises = true
        try Self.forEachLine(bytes) { number, line in
            // Every line has its newline, but for the last of some files, and of those that were cut.
            func refuse(_ what: String) -> Failure {
                Failure(.badData, name, .line(number), what, hint: line.endIndex == bytes.count ? Failure.cutHint : nil)
            }
            guard let space = line.firstIndex(of: 0x20) else { throw refuse("expected a token in base64, a space and its rank") }
            let start = tokens.count
            guard decodeBase64(UnsafeRawBufferPointer(rebasing: line[..<space]), into: &tokens) else {
                throw refuse("the token is not base64")
            }
            guard tokens.count > start else { throw refuse("the token is empty") }
            guard tokens.count - start <= RankedTokens.longestToken else {
                throw refuse("the token has \(tokens.count - start) bytes, more than \(RankedTokens.longestToken)")
            }
            let rank = try Self.rank(line[(space + 1)...], refuse)
            if let last = entries.last, rank <= Int(last.rank) { rises = false }
            entries.append(Entry(rank: UInt32(rank), line: UInt32(number), start: UInt32(start), count: UInt32(tokens.count - start)))
        }
        guard !entries.isEmpty else { throw Failure(.badData, name, .whole, "holds no token") }
        if !rises { entries.sort { $0.rank < $1.rank } }
        try append(entries, tokens)
    }

    private static func forEachLine(_ bytes: UnsafeRawBufferPointer, _ body: (Int, Slice<UnsafeRawBufferPointer>) throws -> Void) throws {
        var (at, number) = (0, 0)
        while at < bytes.count {
            number += 1
            let newline = bytes.baseAddress.flatMap { memchr($0 + at, 0x0A, bytes.count - at) }
            let end = newline.map { UnsafeRawPointer($0) - bytes.baseAddress! } ?? bytes.count
            let last = end > at && bytes[end - 1] == 0x0D ? end - 1 : end
            if last > at { try body(number, bytes[at..<last]) }
            at = end + 1
        }
    }

    private static func rank(_ text: Slice<UnsafeRawBufferPointer>, _ refuse: (String) -> Failure) throws -> Int {
        var rank = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { throw refuse("the rank is no number: '\(printable(Array(text)))'") }
            rank = 10 * rank + Int(byte - 0x30)
            guard rank < mostRanks else { throw refuse("the rank is not below \(mostRanks)") }
        }
        guard !text.isEmpty else { throw refuse("the rank is missing") }
        return rank
    }

    /// The one gap that is known to be meant: p50k leaves 50,256 to its special token.
    private func mayMiss(_ rank: Int, of count: Int) -> Bool { rank == 50256 && count == 50280 }

    private func append(_ entries: [Entry], _ tokens: [UInt8]) throws {
        try tokens.withUnsafeBytes { bytes in
            for entry in entries {
                let (rank, next) = (Int(entry.rank), vocabulary.count)
                func refuse(_ what: String, hint: String? = nil) -> Failure {
                    Failure(.badData, name, .line(Int(entry.line)), what, hint: hint)
                }
                if rank == next + 1 && mayMiss(next, of: entries.count) {
                    vocabulary.appendUnnamed()
                } else if rank != next {
                    throw refuse(
                        rank < next ? "rank \(rank) is there twice" : "rank \(rank) is there, but not \(next)",
                        hint: "ranks go from 0 up without a gap; the file may be cut")
                }
                let token = UnsafeRawBufferPointer(rebasing: bytes[Int(entry.start)..<Int(entry.start + entry.count)])
                if let other = vocabulary.appendNew(token) {
                    throw refuse("token '\(printable(Array(token)))' is there twice, with the ranks \(other) and \(rank)")
                }
            }
        }
    }

    func parts() throws -> TokenizerParts {
        let ranks = (0..<vocabulary.count).reduce(0) { $0 + (vocabulary.view($1).isEmpty ? 0 : 1) }
        let tables = try RankedTokens(vocabulary, name: name).tables()
        guard let splitter = Self.known.first(where: { $0.ranks == ranks })?.splitter else {
            let list = Self.known.map { "\($0.ranks) (\($0.title))" }.joined(separator: ", ")
            throw Failure(
                .badData, name, .whole, "holds \(ranks) ranks, and how its words are cut is not known",
                hint: "a .tiktoken file has no split pattern; known are those with \(list). Use the model's tokenizer.json instead")
        }
        return TokenizerParts(encoder: ByteLevelEncoder(tables, splitter: splitter, addsPrefixSpace: false), size: vocabulary.count)
    }
}
