// The metadata of a GGUF file as the configuration of a Llama model.
import Compute
import Streams

/// Reads the keys of a GGUF file whose architecture is Llama; every refusal names its key.
struct GGUFConfiguration {
    let file: GGUFFile

    /// Keys of the family that are read, or that say nothing about the computation.
    private static let known: Set = [
        "llama.vocab_size", "llama.context_length", "llama.embedding_length", "llama.block_count", "llama.feed_forward_length",
        "llama.rope.dimension_count", "llama.rope.freq_base", "llama.attention.head_count", "llama.attention.head_count_kv",
        "llama.attention.layer_norm_rms_epsilon", "llama.attention.key_length", "llama.attention.value_length", "llama.tensor_data_layout",
    ]

    /// The configuration. Throws `Failure.badData` with the byte of the entry that is wrong.
    func read() throws -> LlamaConfiguration {
        try checkArchitecture()
        let heads = try size("llama.attention.head_count")
        let width = try size("llama.embedding_length")
        let headWidth = try readHeadWidth(width: width, heads: heads)
        let configuration = LlamaConfiguration(
            vocabularySize: try readVocabularySize(), width: width, layers: try size("llama.block_count"), heads: heads,
            keyValueHeads: try optionalSize("llama.attention.head_count_kv") ?? heads, headWidth: headWidth,
            hiddenWidth: try size("llama.feed_forward_length"), maximumPositions: try size("llama.context_length"),
            normEpsilon: Float(try positive("llama.attention.layer_norm_rms_epsilon")),
            ropeTheta: try positive("llama.rope.freq_base", default: 10_000), tiedEmbeddings: file.tensor("output.weight") == nil)
        do { try configuration.validate() } catch let error as ComputeError { throw Failure(.badData, file.name, .whole, error.message) }
        return configuration
    }

    /// The ids of the ends of a text; both must be in the vocabulary.
    func readEnds(vocabularySize: Int) throws -> EndIDs {
        for key in ["tokenizer.ggml.unknown_token_id", "tokenizer.ggml.padding_token_id"] { _ = try token(key, vocabularySize) }
        return EndIDs(
            bos: try token("tokenizer.ggml.bos_token_id", vocabularySize), eos: try token("tokenizer.ggml.eos_token_id", vocabularySize))
    }

    /// Whether the tokenizer adds the BOS id: as the file says, else as llama.cpp does for this kind of vocabulary.
    func readAddsBOS() throws -> Bool? {
        let key = "tokenizer.ggml.add_bos_token"
        if let value = file.value(key) {
            guard let adds = value.boolean else { throw failure(key, "must be a boolean, found \(value.kind)") }
            return adds
        }
        switch file.value("tokenizer.ggml.model")?.string {
        case "llama": return true
        case "gpt2": return ["llama-bpe", "llama3", "llama-v3"].contains(file.value("tokenizer.ggml.pre")?.string)
        default: return nil
        }
    }

    private func checkArchitecture() throws {
        let key = "general.architecture"
        guard let value = file.value(key) else { throw failure(key, "is missing") }
        guard let name = value.bytes else { throw failure(key, "must be a string, found \(value.kind)") }
        guard name.elementsEqual("llama".utf8) else {
            throw failure(key, "is '\(printable(name))'; 'llama' is supported", hint: "other families compute differently")
        }
        for key in file.keys where key.utf8.starts(with: "llama.".utf8) && !Self.known.contains(key) { try checkVariant(key) }
    }

    /// A key of the family that is not read: only a value that switches its feature off is accepted.
    private func checkVariant(_ key: String) throws {
        guard let value = file.value(key) else { return }
        if key == "llama.rope.scaling.type", value.string == "none" { return }
        if key == "llama.rope.scaling.factor" || key == "llama.rope.scale_linear", value.real == 1 { return }
        if key == "llama.attention.causal", value.boolean == true { return }
        if value.integer == 0 || value.real == 0 || value.boolean == false { return }
        throw failure(key, "is set, which is not supported or not known", hint: "it may change what the model computes")
    }

    private func readHeadWidth(width: Int, heads: Int) throws -> Int {
        let told = try optionalSize("llama.attention.key_length")
        guard told != nil || width % heads == 0 else {
            throw failure("llama.embedding_length", "is \(width), not a multiple of 'llama.attention.head_count', \(heads)")
        }
        let headWidth = told ?? width / heads
        for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
            if let other = try optionalSize(key), other != headWidth { throw failure(key, "is \(other), but a head is \(headWidth) wide") }
        }
        return headWidth
    }

    /// Rows of the embedding matrix; the key and the vocabulary must agree with it.
    private func readVocabularySize() throws -> Int {
        guard let embedding = file.tensor("token_embd.weight"), embedding.shape.count == 2, embedding.shape[0] > 0 else {
            throw Failure(.badData, file.name, .whole, "tensor 'token_embd.weight' is missing or no matrix")
        }
        let rows = embedding.shape[0]
        if let told = try optionalSize("llama.vocab_size"), told != rows {
            throw failure("llama.vocab_size", "is \(told), but 'token_embd.weight' has \(rows) rows")
        }
        for key in ["tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type"] {
            guard let value = file.value(key) else { continue }
            guard let array = value.array else { throw failure(key, "must be an array, found \(value.kind)") }
            guard array.count == rows else { throw failure(key, "has \(array.count) entries, but 'token_embd.weight' has \(rows) rows") }
        }
        return rows
    }

    private func size(_ key: String) throws -> Int {
        guard let size = try optionalSize(key) else { throw failure(key, "is missing") }
        return size
    }

    private func optionalSize(_ key: String) throws -> Int? {
        guard let value = file.value(key) else { return nil }
        guard let size = value.integer, size > 0, size <= Int(Int32.max) else {
            throw failure(key, "must be an integer from 1 to \(Int32.max), found \(value.integer.map(String.init) ?? value.kind)")
        }
        return size
    }

    private func positive(_ key: String, default fallback: Double? = nil) throws -> Double {
        guard let value = file.value(key) else {
            guard let fallback else { throw failure(key, "is missing") }
            return fallback
        }
        guard let number = value.real, number > 0, number.isFinite else {
            throw failure(key, "must be a positive number, found \(value.real.map { "\($0)" } ?? value.kind)")
        }
        return number
    }

    private func token(_ key: String, _ vocabularySize: Int) throws -> UInt32? {
        guard let value = file.value(key) else { return nil }
        guard let id = value.integer, id >= 0, id < vocabularySize else {
            throw failure(key, "must be a token id below \(vocabularySize), found \(value.integer.map(String.init) ?? value.kind)")
        }
        return UInt32(id)
    }

    private func failure(_ key: String, _ message: String, hint: String? = nil) -> Failure {
        Failure(.badData, file.name, file.place(key).map { .byte($0) } ?? .whole, "key '\(key)' \(message)", hint: hint)
    }
}
