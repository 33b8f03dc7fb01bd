// config.json of a Hugging Face folder: what it says of a model, and what it must not say.
import Compute
import Streams

/// A config.json, read.
struct HuggingFaceConfiguration {
    var model: ModelConfiguration
    var ends: EndIDs

    /// The longest config.json accepted.
    static let longest = 1 << 20

    /// Reads and checks the file at `path`. Throws `Failure` (66, 65) naming the key.
    static func read(_ path: String) throws -> HuggingFaceConfiguration {
        let json = try smallJSON(path, limit: longest)
        let keys = ConfigurationKeys(json, path)
        guard json.kind == .object else { throw keys.failure("expected a JSON object, found \(ConfigurationKeys.title(json))") }
        let family = try keys.family()
        var model = family.blank
        for key in family.keys { try key.read(keys, &model) }
        do { try model.validate() } catch let error as ComputeError { throw keys.failure(error.message) }
        let ends = EndIDs(
            bos: try keys.tokens("bos_token_id", model.vocabularySize).first,
            eosIDs: try keys.tokens("eos_token_id", model.vocabularySize), padding: keys.padding(model.vocabularySize))
        return HuggingFaceConfiguration(model: model, ends: ends)
    }
}

/// Parses a JSON file that has no business being large. Throws `Failure` (66, 65).
func smallJSON(_ path: String, limit: Int) throws -> JSONValue {
    let map = try MappedFile.open(path)
    guard map.bytes.count <= limit else {
        throw Failure(.badData, path, .whole, "\(map.bytes.count) bytes, more than the \(limit) allowed")
    }
    return try JSONValue.parse(map.bytes, name: path)
}

/// The keys of a config.json, each read with its own message.
struct ConfigurationKeys {
    private let json: JSONValue
    let path: String
    /// The key whose object these keys stand in; nil at the top.
    private let parent: String?

    init(_ json: JSONValue, _ path: String, inside parent: String? = nil) {
        self.json = json
        self.path = path
        self.parent = parent
    }

    /// Keys that every family reads.
    private static let common: Set = ["model_type", "architectures", "bos_token_id", "eos_token_id"]
    /// Keys that do not change what a model computes: bookkeeping, dropout (no effect in scoring, and absent from our training),
    /// and defaults of generation.
    private static let harmless: Set = [
        "torch_dtype", "dtype", "use_cache", "transformers_version", "transformers.js_config", "attention_dropout", "pad_token_id",
        "unk_token_id", "sep_token_id", "decoder_start_token_id", "max_sequence_length", "tokenizer_class", "unsloth_version",
        "unsloth_fixed", "return_dict", "output_attentions", "output_hidden_states", "torchscript", "use_bfloat16",
        "chunk_size_feed_forward", "is_decoder", "is_encoder_decoder", "id2label", "label2id", "num_labels", "problem_type",
        "task_specific_params", "finetuning_task", "prefix", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty",
        "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "diversity_penalty", "num_beams", "num_beam_groups",
        "num_return_sequences", "max_length", "min_length", "do_sample", "early_stopping", "output_scores", "return_dict_in_generate",
        "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id",
        "forced_eos_token_id", "bad_words_ids", "tf_legacy_loss", "name_or_path", "tie_encoder_decoder", "cross_attention_hidden_size",
        "pruned_heads",
    ]
    /// Switches of other models that some files hold: harmless while they are off.
    private static let off: Set = ["add_cross_attention", "use_mrope"]

    func failure(_ message: String, hint: String? = nil) -> Failure {
        Failure(.badData, path, .whole, parent.map { "in '\($0)': \(message)" } ?? message, hint: hint)
    }

    /// A value as a message shows it.
    static func title(_ value: JSONValue) -> String {
        switch value.kind {
        case .object: "an object"
        case .array: "an array"
        case .string: "'\(printable(value.bytes ?? []))'"
        case .integer: String(value.integer ?? 0)
        case .real: String(value.number ?? 0)
        case .boolean: String(value.boolean ?? false)
        case .null: "null"
        }
    }

    /// The value of a key; null counts as absent.
    func value(_ key: String) -> JSONValue? {
        json[key].flatMap { $0.isNull ? nil : $0 }
    }

    /// True when a key is there, even as null.
    func has(_ key: String) -> Bool { json[key] != nil }

    /// The family that `model_type` names: a model of it that predicts tokens, and no key that could change what it computes.
    func family() throws -> Family {
        guard let type = value("model_type") else {
            throw failure("key 'model_type' is missing", hint: "is this the config.json of a model?")
        }
        guard let family = Family.all.first(where: { $0.name == type.string }) else {
            throw failure(
                "key 'model_type' is \(ConfigurationKeys.title(type)); \(Family.list(Family.all.map(\.name))) are supported",
                hint: "other families compute differently")
        }
        if let architectures = value("architectures") {
            guard architectures.elements.contains(where: { $0.string == family.architecture }) else {
                throw failure("key 'architectures' does not name '\(family.architecture)'")
            }
        }
        let read = family.keys.reduce(into: Self.common) { $0.formUnion($1.names) }
        try json.forEachEntry { key, value in
            let name = String(decoding: key, as: UTF8.self)
            if value.isNull || key.first == UInt8(ascii: "_") || read.contains(name) { return }
            if Self.harmless.contains(name) || family.harmless.contains(name) { return }
            if Self.off.contains(name) && value.boolean == false { return }
            throw failure(
                "key '\(printable(name))' is not known for '\(family.name)', and may change what the model computes",
                hint: "if it does not, remove it from the file")
        }
        return family
    }

    /// A size that must be given.
    func size(_ key: String) throws -> Int {
        guard let size = try optionalSize(key) else { throw failure("key '\(key)' is missing") }
        return size
    }

    func optionalSize(_ key: String) throws -> Int? {
        guard let value = value(key) else { return nil }
        guard let size = value.integer, size > 0, size <= Int(Int32.max) else {
            throw failure("key '\(key)' must be an integer from 1 to \(Int32.max), found \(ConfigurationKeys.title(value))")
        }
        return size
    }

    func positive(_ key: String, default fallback: Double) throws -> Double {
        guard let value = value(key) else { return fallback }
        guard let number = value.number, number > 0, number.isFinite else {
            throw failure("key '\(key)' must be a positive number, found \(ConfigurationKeys.title(value))")
        }
        return number
    }

    /// A positive number that must be given.
    func number(_ key: String) throws -> Double {
        guard value(key) != nil else { throw failure("key '\(key)' is missing") }
        return try positive(key, default: 0)
    }

    /// A whole number from 0.
    func count(_ key: String, default fallback: Int) throws -> Int {
        guard let value = value(key) else { return fallback }
        guard let count = value.integer, count >= 0, count <= Int(Int32.max) else {
            throw failure("key '\(key)' must be an integer from 0 to \(Int32.max), found \(ConfigurationKeys.title(value))")
        }
        return count
    }

    func flag(_ key: String, default fallback: Bool) throws -> Bool {
        guard let value = value(key) else { return fallback }
        guard let flag = value.boolean else { throw failure("key '\(key)' must be true or false, found \(ConfigurationKeys.title(value))") }
        return flag
    }

    /// A token id, or a list of them.
    func tokens(_ key: String, _ vocabularySize: Int) throws -> [UInt32] {
        guard let value = value(key) else { return [] }
        return try (value.kind == .array ? value.elements : [value]).map { id in
            guard let number = id.integer, number >= 0, number < vocabularySize else {
                throw failure("key '\(key)' must be a token id below 'vocab_size', \(vocabularySize), found \(ConfigurationKeys.title(id))")
            }
            return UInt32(number)
        }
    }

    /// The padding's id, where it is one of the vocabulary; files have −1 and other things there.
    func padding(_ vocabularySize: Int) -> UInt32? {
        value("pad_token_id")?.integer.flatMap { $0 >= 0 && $0 < vocabularySize ? UInt32($0) : nil }
    }
}
