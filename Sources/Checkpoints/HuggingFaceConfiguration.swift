// config.json of a Hugging Face folder: what it says of a Llama model, and what it must not say.
import Compute
import Streams

/// A config.json, read.
struct HuggingFaceConfiguration {
    var llama: LlamaConfiguration
    var ends: EndIDs

    /// The longest config.json accepted.
    static let longest = 1 << 20

    /// Reads and checks the file at `path`. Throws `Failure` (66, 65) naming the key.
    static func read(_ path: String) throws -> HuggingFaceConfiguration {
        let json = try smallJSON(path, limit: longest)
        let keys = ConfigurationKeys(json, path)
        guard json.kind == .object else { throw keys.failure("expected a JSON object, found \(ConfigurationKeys.title(json))") }
        try keys.checkFamily()
        try keys.checkOptions()
        let heads = try keys.size("num_attention_heads")
        let width = try keys.size("hidden_size")
        let headWidth = try keys.optionalSize("head_dim")
        guard headWidth != nil || width % heads == 0 else {
            throw keys.failure("key 'hidden_size' is \(width), not a multiple of 'num_attention_heads', \(heads)")
        }
        let llama = LlamaConfiguration(
            vocabularySize: try keys.size("vocab_size"), width: width, layers: try keys.size("num_hidden_layers"), heads: heads,
            keyValueHeads: try keys.optionalSize("num_key_value_heads") ?? heads, headWidth: headWidth ?? width / heads,
            hiddenWidth: try keys.size("intermediate_size"),
            maximumPositions: try keys.optionalSize("max_position_embeddings") ?? 2048,
            normEpsilon: Float(try keys.positive("rms_norm_eps", default: 1e-6)), ropeTheta: try keys.ropeTheta(),
            tiedEmbeddings: try keys.flag("tie_word_embeddings", default: false),
            initializerRange: Float(try keys.positive("initializer_range", default: 0.02)))
        do { try llama.validate() } catch let error as ComputeError { throw keys.failure(error.message) }
        let ends = EndIDs(
            bos: try keys.token("bos_token_id", llama.vocabularySize), eos: try keys.token("eos_token_id", llama.vocabularySize))
        return HuggingFaceConfiguration(llama: llama, ends: ends)
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
    private let path: String

    init(_ json: JSONValue, _ path: String) {
        self.json = json
        self.path = path
    }

    /// Keys that are read here.
    private static let read: Set = [
        "model_type", "architectures", "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "head_dim", "hidden_act", "max_position_embeddings", "initializer_range", "rms_norm_eps", "bos_token_id",
        "eos_token_id", "tie_word_embeddings", "rope_theta", "rope_scaling", "rope_parameters", "attention_bias", "mlp_bias",
        "rope_interleaved", "partial_rotary_factor", "sliding_window",
    ]
    /// Keys that do not change what the model computes: bookkeeping, dropout (no effect in scoring, and absent from our training),
    /// the split of a product over devices, and defaults of generation.
    private static let harmless: Set = [
        "torch_dtype", "dtype", "use_cache", "transformers_version", "transformers.js_config", "pretraining_tp", "attention_dropout",
        "is_llama_config", "pad_token_id", "unk_token_id", "sep_token_id", "decoder_start_token_id", "max_sequence_length",
        "tokenizer_class",
        "unsloth_version", "unsloth_fixed", "return_dict", "output_attentions", "output_hidden_states", "torchscript", "use_bfloat16",
        "chunk_size_feed_forward", "is_decoder", "is_encoder_decoder", "id2label", "label2id", "num_labels", "problem_type",
        "task_specific_params", "finetuning_task", "prefix", "temperature", "top_k", "top_p", "typical_p", "repetition_penalty",
        "length_penalty", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "diversity_penalty", "num_beams", "num_beam_groups",
        "num_return_sequences", "max_length", "min_length", "do_sample", "early_stopping", "output_scores", "return_dict_in_generate",
        "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id",
        "forced_eos_token_id", "bad_words_ids", "tf_legacy_loss", "name_or_path", "tie_encoder_decoder", "cross_attention_hidden_size",
        "add_cross_attention", "pruned_heads",
    ]

    func failure(_ message: String, hint: String? = nil) -> Failure { Failure(.badData, path, .whole, message, hint: hint) }

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
    private func value(_ key: String) -> JSONValue? {
        json[key].flatMap { $0.isNull ? nil : $0 }
    }

    /// A Llama model that predicts tokens, and no key that could change what it computes.
    func checkFamily() throws {
        guard let type = value("model_type") else {
            throw failure("key 'model_type' is missing", hint: "is this the config.json of a model?")
        }
        guard type.string == "llama" else {
            throw failure(
                "key 'model_type' is \(ConfigurationKeys.title(type)); 'llama' is supported", hint: "other families compute differently")
        }
        if let architectures = value("architectures") {
            guard architectures.elements.contains(where: { $0.string == "LlamaForCausalLM" }) else {
                throw failure("key 'architectures' does not name 'LlamaForCausalLM'")
            }
        }
        try json.forEachEntry { key, value in
            let name = String(decoding: key, as: UTF8.self)
            if value.isNull || key.first == UInt8(ascii: "_") || Self.read.contains(name) || Self.harmless.contains(name) { return }
            throw failure(
                "key '\(printable(name))' is not known, and may change what the model computes",
                hint: "if it does not, remove it from the file")
        }
    }

    /// Variants of the family that are not computed here.
    func checkOptions() throws {
        if let activation = value("hidden_act"), activation.string != "silu", activation.string != "swish" {
            throw failure("key 'hidden_act' is \(ConfigurationKeys.title(activation)); 'silu' is supported")
        }
        for key in ["attention_bias", "mlp_bias", "rope_interleaved"] where try flag(key, default: false) {
            throw failure("key '\(key)' is true, which is not supported")
        }
        if let factor = value("partial_rotary_factor"), factor.number != 1 {
            throw failure("key 'partial_rotary_factor' is \(ConfigurationKeys.title(factor)); 1 is supported")
        }
        if let window = value("sliding_window") {
            throw failure("key 'sliding_window' is \(ConfigurationKeys.title(window)), which is not supported")
        }
    }

    /// The base of the rotary embedding, from `rope_theta` or, as transformers 5 writes it, from `rope_parameters`.
    func ropeTheta() throws -> Double {
        var theta = try value("rope_theta").map { _ in try positive("rope_theta", default: 0) }
        for key in ["rope_scaling", "rope_parameters"] {
            guard let rope = value(key) else { continue }
            guard rope.kind == .object else {
                throw failure("key '\(key)' must be an object or null, found \(ConfigurationKeys.title(rope))")
            }
            try rope.forEachEntry { name, value in
                switch String(decoding: name, as: UTF8.self) {
                case "type", "rope_type":
                    guard value.isNull || value.string == "default" else {
                        throw failure(
                            "key '\(key)' asks for rotary positions of type \(ConfigurationKeys.title(value)); 'default' is supported")
                    }
                case "rope_theta":
                    guard let inner = value.number, inner > 0, theta == nil || theta == inner else {
                        throw failure(
                            "'rope_theta' in '\(key)' is \(ConfigurationKeys.title(value)), unlike the key 'rope_theta' or not positive")
                    }
                    theta = inner
                default:
                    if value.isNull || value.number == 1 && name.elementsEqual("partial_rotary_factor".utf8) { return }
                    throw failure("'\(printable(name))' in '\(key)' is not supported")
                }
            }
        }
        return theta ?? 10_000
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

    func flag(_ key: String, default fallback: Bool) throws -> Bool {
        guard let value = value(key) else { return fallback }
        guard let flag = value.boolean else { throw failure("key '\(key)' must be true or false, found \(ConfigurationKeys.title(value))") }
        return flag
    }

    /// A token id, or the first of a list of them.
    func token(_ key: String, _ vocabularySize: Int) throws -> UInt32? {
        guard let value = value(key) else { return nil }
        let ids = value.kind == .array ? value.elements : [value]
        for id in ids {
            guard let number = id.integer, number >= 0, number < vocabularySize else {
                throw failure("key '\(key)' must be a token id below 'vocab_size', \(vocabularySize), found \(ConfigurationKeys.title(id))")
            }
        }
        return ids.first?.integer.map { UInt32($0) }
    }
}
