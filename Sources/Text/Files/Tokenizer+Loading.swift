// Finds the vocabulary in a file or a folder, by what the file is, not by its name.

import Glibc
import Streams
import Synchronization

extension Tokenizer {
    /// What a folder is searched for, in this order.
    static let folderOrder = ["tokenizer.json", "tokenizer.model", "tekken.json", "qwen.tiktoken"]

    /// Loads a tokenizer.json, a SentencePiece .model, a .tiktoken (also as tokenizer.model), a tekken.json, a .gguf with a vocabulary, or a
    /// folder: of those names the first of `folderOrder`, else a single .tiktoken, .model or .gguf.
    ///
    /// Throws 66 where nothing is found, 65 for a malformed file or a component that is not supported, which is named.
    public static func load(_ path: String) throws -> Tokenizer {
        let file = try vocabularyFile(path)
        let map = try MappedFile.open(file)
        let kind = FileKind(Array(map.bytes.prefix(FileKind.sniffed)))
        let gguf = kind == .gguf ? try GGUFFile(map) : nil
        // A GGUF's weights say nothing of the vocabulary, and hashing them would take longer than anything else here.
        let described = gguf?.tensors.map(\.range.lowerBound).min() ?? map.bytes.count
        // Places in tables of strings are numbers of 32 bits.
        guard described < UInt32.max else {
            throw Failure(.badData, file, .whole, "describes a vocabulary in \(described) bytes, expected less than 4 GiB")
        }
        var (parts, sha256) = try together({ try Self.parts(map, kind, gguf) }, { hash(map[0..<described], unless: $0) })
        if parts.bosID == nil || parts.eosID == nil, file != path { try nameEnds(&parts, path + "/tokenizer_config.json") }
        return try Tokenizer(parts, name: path, file: file, sha256: sha256)
    }

    /// As `load`, of what need not be a vocabulary: nil where a folder holds none, or several, and where a file is none that is read here.
    /// A file that the system does not give is thrown all the same.
    static func loadIfAny(_ path: String) throws -> Tokenizer? {
        guard (try? vocabularyFile(path)) != nil else { return nil }
        do { return try load(path) } catch let failure as Failure where failure.status == .badData { return nil }
    }

    /// What the vocabulary's own file says.
    private static func parts(_ map: MappedFile, _ kind: FileKind, _ gguf: GGUFFile?) throws -> TokenizerParts {
        let file = map.name
        switch kind {
        case .gguf:
            guard let gguf else { preconditionFailure("bug: a GGUF that was not opened") }
            return try GGUFVocabulary(gguf).parts()
        case .jsonObject where TekkenFile.looksLike(map.bytes):
            return try reading(map) { try TekkenFile($0, name: file).parts() }
        case .jsonObject:
            return try reading(map) { try TokenizerJSON($0, name: file).parts() }
        case .unknown where map.bytes.first == 0x0A:
            return try SentencePieceFile(map.bytes, name: file).parts()
        case .unknown where TiktokenFile.looksLike(Array(map.bytes.prefix(FileKind.sniffed))):
            return try TiktokenFile(map.bytes, name: file).parts()
        case .empty:
            throw Failure(.badData, file, .whole, "empty, expected a vocabulary")
        case let kind:
            throw Failure(
                .badData, file, .whole, "not a vocabulary: this is \(kind.title)",
                hint: "expected a tokenizer.json, a SentencePiece .model, a .tiktoken, a tekken.json or a .gguf")
        }
    }

    /// JSON that is wrong at the end of its file and not before has been cut.
    private static func reading(_ map: MappedFile, _ read: (UnsafeRawBufferPointer) throws -> TokenizerParts) throws -> TokenizerParts {
        do { return try read(map.bytes) } catch var failure as Failure {
            if case .lineByte(_, let byte) = failure.place, byte >= map.bytes.count { failure.hint = failure.hint ?? Failure.cutHint }
            throw failure
        }
    }

    /// SHA-256 in hexadecimal, in pieces of 16 MiB; given up once the file is refused: a large one that is malformed should not take seconds.
    private static func hash(_ bytes: UnsafeRawBufferPointer, unless refusal: Refusal) -> String {
        var hash = SHA256()
        for start in stride(from: 0, to: bytes.count, by: 16 << 20) where !refusal.happened.load(ordering: .relaxed) {
            hash.update(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + 16 << 20, bytes.count)]))
        }
        return hexadecimal(hash.finish())
    }

    /// Does two things at the same time where the system has a thread to spare; the other is told when the one has thrown.
    private static func together<One, Other>(
        _ one: @escaping () throws -> One, _ other: @escaping (Refusal) -> Other
    ) throws -> (One, Other) {
        let refusal = Refusal()
        let one = {
            do { return try one() } catch {
                refusal.happened.store(true, ordering: .relaxed)
                throw error
            }
        }
        var first: One?
        var second: Other?
        var begun = 0
        let work = OrderedWork<Int, Void>(
            threads: 2,
            next: {
                begun += 1
                return begun <= 2 ? begun : nil
            },
            worker: { { if $0 == 1 { first = try one() } else { second = other(refusal) } } }, write: { _ in })
        try work.run()
        guard let first, let second else { preconditionFailure("bug: work that was not done") }
        return (first, second)
    }

    /// BOS and EOS by the names in a folder's tokenizer_config.json, where the vocabulary's own file does not tell. Whether they are put
    /// around a text stays with that file.
    private static func nameEnds(_ parts: inout TokenizerParts, _ path: String) throws {
        guard access(path, F_OK) == 0 else { return }
        let map = try MappedFile.open(path)
        let root = try JSONValue.parse(map.bytes, name: path)
        func id(_ key: String) -> UInt32? {
            guard let value = root[key], let content = value.bytes ?? value["content"]?.bytes else { return nil }
            return parts.added.first { $0.content == content }?.id
        }
        parts.bosID = parts.bosID ?? id("bos_token")
        parts.eosID = parts.eosID ?? id("eos_token")
    }

    private static func vocabularyFile(_ path: String) throws -> String {
        guard let names = try folderEntries(path) else { return path }
        for name in folderOrder where names.contains(name) { return path + "/" + name }
        for ending in [".tiktoken", ".model", ".gguf"] {
            let found = names.filter { $0.utf8.suffix(ending.utf8.count).elementsEqual(ending.utf8) }
            if found.count == 1 { return path + "/" + found[0] }
            guard found.isEmpty else {
                throw Failure(
                    .cannotOpen, path, .whole, "holds \(found.count) \(ending) files and no other vocabulary", hint: "name the file")
            }
        }
        throw Failure(
            .cannotOpen, path, .whole, "holds no vocabulary",
            hint: "a folder is searched for \(folderOrder.joined(separator: ", ")), a single .tiktoken, .model or .gguf; or name the file"
        )
    }
}

/// Whether work beside this has thrown.
private final class Refusal: Sendable {
    let happened = Atomic<Bool>(false)
}
