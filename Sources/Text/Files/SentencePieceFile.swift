// SentencePiece .model files: a ModelProto message of Protocol Buffers.
//
//     ModelProto      1 pieces (message)   2 trainer_spec   3 normalizer_spec
//     SentencePiece   1 piece (string)     2 score (float)  3 type (1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte)
//     TrainerSpec     3 model_type (1 unigram, 2 BPE)  24 treat_whitespace_as_suffix  35 byte_fallback  40 unk_id  41 bos_id  42 eos_id
//     NormalizerSpec  2 precompiled_charsmap  3 add_dummy_prefix  4 remove_extra_whitespaces  5 escape_whitespaces  6 normalization_rule_tsv

import Streams

/// The contents of a .model file, as far as encoding needs them.
struct SentencePieceFile {
    private let name: String
    private var entries: [PieceEntry] = []
    private var modelType = 1
    private var unknownID = 0
    private var bosID = 1
    private var eosID = 2
    private var byteFallback = false
    private var whitespaceSuffix = false
    private var addsDummyPrefix = true
    private var removesExtraWhitespace = true
    private var escapesWhitespace = true
    private var charsmap: [UInt8] = []
    private var hasTrainer = false
    private var hasNormaliser = false

    init(_ bytes: UnsafeRawBufferPointer, name: String) throws {
        self.name = name
        var reader = ProtobufReader(bytes, name: name)
        while let field = try reader.next() {
            switch field.number {
            case 1: try readPiece(field.message("pieces"))
            case 2:
                try readTrainer(field.message("trainer_spec"))
                hasTrainer = true
            case 3:
                try readNormaliser(field.message("normalizer_spec"))
                hasNormaliser = true
            default: break
            }
        }
        // Every field has a default, so that a file cut between two of them is a message too; but every trainer writes both.
        guard hasTrainer && hasNormaliser else {
            let lacking = hasTrainer ? "normalizer_spec" : "trainer_spec"
            throw Failure(.badData, name, .whole, "has no \(lacking): the file may be cut", hint: Failure.cutHint)
        }
    }

    func parts() throws -> TokenizerParts {
        guard modelType == 1 || modelType == 2 else {
            let types = [3: "word", 4: "char"]
            throw refuse("model_type is \(types[modelType] ?? String(modelType)), expected 1 (unigram) or 2 (BPE)")
        }
        let table = try PieceTable(entries, name: name, listsMerges: modelType == 2)
        guard table.unknownID != nil else { throw refuse("has no unknown piece") }
        guard unknownID >= 0, unknownID < entries.count else {
            throw refuse("unk_id is \(unknownID), but there are \(entries.count) pieces")
        }
        guard byteFallback == (table.byteIDs != nil) else {
            throw refuse(
                byteFallback ? "byte_fallback is true, but there are no byte pieces" : "has byte pieces, but byte_fallback is false")
        }
        let encoder =
            try modelType == 1
            ? table.unigramEncoder(entries, normaliser: normaliser(table), name: name)
            : PieceEncoder(
                table.tables(spacesAreBoundaries: escapesWhitespace),
                normalisation: PieceNormalisation(prefix: addsDummyPrefix ? .always : .never, splitsAtBoundary: false),
                written: AddedTokens(table.userDefined, name: name), normaliser: isPlain ? nil : normaliser(table))
        // A .model names its BOS and EOS, but does not ask for them: sentencepiece adds none by itself.
        return try TokenizerParts(
            encoder: encoder, size: entries.count, literals: literals(table), silent: table.silent, spellings: table.spellings,
            bosID: controlID(bosID, "bos_id"),
            eosID: controlID(eosID, "eos_id"))
    }

    /// Whether spaces as ▁ behind a prefix is all that happens to the text.
    private var isPlain: Bool { charsmap.isEmpty && !removesExtraWhitespace && escapesWhitespace && !whitespaceSuffix }

    private func normaliser(_ table: PieceTable) throws -> SentencePieceNormaliser {
        let map = charsmap.isEmpty ? nil : try Charsmap(charsmap, name: name)
        guard let userDefined = ByteTrie(SortedKeys(table.userDefined.map { ($0.content[...], $0.id) })) else {
            throw refuse("the user-defined pieces need more than \(ByteTrie.mostUnits) units of a trie")
        }
        return SentencePieceNormaliser(
            charsmap: map, userDefined: userDefined, addsDummyPrefix: addsDummyPrefix, removesExtraWhitespace: removesExtraWhitespace,
            escapesWhitespace: escapesWhitespace, whitespaceIsSuffix: whitespaceSuffix)
    }

    /// The bytes of user-defined pieces: in the text ▁ is a space.
    private func literals(_ table: PieceTable) -> [UInt32: [UInt8]] {
        Dictionary(uniqueKeysWithValues: table.userDefined.map { ($0.id, PieceTables.textBytes($0.content[...])) })
    }

    /// -1 means none; another id must be a control piece.
    private func controlID(_ id: Int, _ field: String) throws -> UInt32? {
        if id < 0 { return nil }
        guard id < entries.count else { throw refuse("\(field) is \(id), but there are \(entries.count) pieces") }
        return entries[id].kind == .control ? UInt32(id) : nil
    }

    private func refuse(_ what: String) -> Failure {
        Failure(.badData, name, .whole, what)
    }

    private mutating func readPiece(_ message: ProtobufReader) throws {
        var message = message
        var entry = PieceEntry(bytes: [], score: 0, kind: .normal)
        while let field = try message.next() {
            switch field.number {
            case 1:
                let bytes = try field.bytes("piece")
                guard bytes.count <= PieceTable.longestPiece else {
                    throw Failure(
                        .badData, name, .byte(field.place),
                        "piece \(entries.count) has \(bytes.count) bytes, more than \(PieceTable.longestPiece)")
                }
                entry.bytes = Array(bytes)
            case 2: entry.score = try field.float("score")
            case 3:
                let type = try field.int32("type")
                guard let kind = PieceEntry.Kind(rawValue: Int(type)) else {
                    throw Failure(.badData, name, .byte(field.place), "piece type \(type) is not one of 1 to 6")
                }
                entry.kind = kind
            default: break
            }
        }
        entries.append(entry)
    }

    private mutating func readTrainer(_ message: ProtobufReader) throws {
        var message = message
        while let field = try message.next() {
            switch field.number {
            case 3: modelType = try Int(field.int32("model_type"))
            case 24: whitespaceSuffix = try field.boolean("treat_whitespace_as_suffix")
            case 35: byteFallback = try field.boolean("byte_fallback")
            case 40: unknownID = try Int(field.int32("unk_id"))
            case 41: bosID = try Int(field.int32("bos_id"))
            case 42: eosID = try Int(field.int32("eos_id"))
            default: break
            }
        }
    }

    private mutating func readNormaliser(_ message: ProtobufReader) throws {
        var message = message
        while let field = try message.next() {
            switch field.number {
            case 2: charsmap = try Array(field.bytes("precompiled_charsmap"))
            case 3: addsDummyPrefix = try field.boolean("add_dummy_prefix")
            case 4: removesExtraWhitespace = try field.boolean("remove_extra_whitespaces")
            case 5: escapesWhitespace = try field.boolean("escape_whitespaces")
            default: break
            }
        }
    }
}
