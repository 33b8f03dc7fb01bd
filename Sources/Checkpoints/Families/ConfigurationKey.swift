// What a key of config.json says of a model, for reading and for writing.
import Compute
import Streams

/// One setting of a family, under one key or a few that belong together.
struct ConfigurationKey: Sendable {
    /// The keys that it reads.
    let names: [String]
    let read: @Sendable (ConfigurationKeys, inout ModelConfiguration) throws -> Void
    let write: @Sendable (ModelConfiguration, inout LinedObject) -> Void

    typealias Path<Value> = WritableKeyPath<ModelConfiguration, Value> & Sendable

    /// A whole number from 1. Without a default it must be there.
    static func size(
        _ name: String, _ path: Path<Int>, default fallback: (@Sendable (ModelConfiguration) -> Int)? = nil
    ) -> ConfigurationKey {
        ConfigurationKey(names: [name]) { keys, c in
            c[keyPath: path] = try keys.optionalSize(name) ?? fallback?(c) ?? keys.size(name)
        } write: { c, object in
            object.add(name) { $0.integer(c[keyPath: path]) }
        }
    }

    /// A positive number.
    static func number(_ name: String, _ path: Path<Float>, default fallback: Double) -> ConfigurationKey {
        ConfigurationKey(names: [name]) { keys, c in
            c[keyPath: path] = Float(try keys.positive(name, default: fallback))
        } write: { c, object in
            object.add(name) { $0.number(c[keyPath: path]) }
        }
    }

    /// true or false, for one property or several alike.
    static func flag(_ name: String, _ paths: Path<Bool>..., default fallback: Bool) -> ConfigurationKey {
        ConfigurationKey(names: [name]) { keys, c in
            let value = try keys.flag(name, default: fallback)
            for path in paths { c[keyPath: path] = value }
        } write: { c, object in
            object.add(name) { $0.boolean(c[keyPath: paths[0]]) }
        }
    }

    /// A setting of which only one value is computed here; absent and null mean that value too.
    static func only(_ name: String, _ value: Bool, written: Bool = true) -> ConfigurationKey {
        ConfigurationKey(names: [name]) { keys, _ in
            guard try keys.flag(name, default: value) == value else {
                throw keys.failure("key '\(name)' is \(!value), which is not supported; \(value) is")
            }
        } write: { _, object in
            if written { object.add(name) { $0.boolean(value) } }
        }
    }

    /// A key that must be null or absent.
    static func absent(_ name: String) -> ConfigurationKey {
        ConfigurationKey(names: [name]) { keys, _ in
            if let value = keys.value(name) {
                throw keys.failure("key '\(name)' is \(ConfigurationKeys.title(value)), which is not supported; null is")
            }
        } write: { _, _ in
        }
    }

    /// The nonlinearity of the feed-forward.
    static func activation(_ name: String, default fallback: String) -> ConfigurationKey {
        ConfigurationKey(names: [name]) { keys, c in
            let value = keys.value(name)
            let text = value == nil ? fallback : value?.string
            guard let found = activations.first(where: { $0.name == text }) else {
                let title = value.map { ConfigurationKeys.title($0) } ?? fallback
                throw keys.failure("key '\(name)' is \(title); \(Family.list(activations.map(\.name))) are supported")
            }
            c.activation = found.activation
        } write: { c, object in
            object.add(name) { $0.string(activations.first { $0.activation == c.activation }?.name ?? fallback) }
        }
    }

    /// Names of transformers' `ACT2FN`, those written first.
    private static let activations: [(name: String, activation: Activation)] = [
        ("silu", .silu), ("gelu", .gelu), ("gelu_new", .geluTanh), ("relu", .relu), ("swish", .silu), ("gelu_pytorch_tanh", .geluTanh),
        ("gelu_fast", .geluTanh),
    ]

    /// The width of a head; absent, a share of the model's, or what the family's class says.
    static func headWidth(_ name: String = "head_dim", width: String, heads: String, default fallback: Int? = nil) -> ConfigurationKey {
        ConfigurationKey(names: [name]) { keys, c in
            let told = keys.has(name) ? try keys.optionalSize(name) : fallback
            guard told != nil || c.width % c.heads == 0 else {
                throw keys.failure("key '\(width)' is \(c.width), not a multiple of '\(heads)', \(c.heads)")
            }
            c.headWidth = told ?? c.width / c.heads
        } write: { c, object in
            object.add(name) { $0.integer(c.headWidth) }
        }
    }

    /// Key-value heads; null for as many as heads, absent for what the family's class says.
    static func keyValueHeads(_ name: String, default fallback: Int?) -> ConfigurationKey {
        ConfigurationKey(names: [name]) { keys, c in
            c.keyValueHeads = try keys.optionalSize(name) ?? (keys.has(name) ? nil : fallback) ?? c.heads
        } write: { c, object in
            object.add(name) { $0.integer(c.keyValueHeads) }
        }
    }

    /// Heads that share the model's width, without a key for them.
    static func sharedHeads(width: String, heads: String) -> ConfigurationKey {
        ConfigurationKey(names: []) { keys, c in
            guard c.width % c.heads == 0 else {
                throw keys.failure("key '\(width)' is \(c.width), not a multiple of '\(heads)', \(c.heads)")
            }
            c.headWidth = c.width / c.heads
            c.keyValueHeads = c.heads
        } write: { _, _ in
        }
    }
}

extension ConfigurationKey {
    /// The keys of Llama and of the families that follow it, but for biases and windows.
    ///
    /// - keyValueHeads, headWidth, epsilon: what the class of transformers takes when the key is absent; nil: `num_attention_heads`, and
    ///   hidden_size / num_attention_heads.
    static func llamaLike(
        keyValueHeads: Int? = nil, headWidth: Int? = nil, epsilon: Double = 1e-6, positions: Int, partialRotary: Double = 1
    ) -> [ConfigurationKey] {
        [
            .size("vocab_size", \.vocabularySize), .size("hidden_size", \.width), .size("intermediate_size", \.hiddenWidth),
            .size("num_hidden_layers", \.layers), .size("num_attention_heads", \.heads),
            .keyValueHeads("num_key_value_heads", default: keyValueHeads),
            .headWidth(width: "hidden_size", heads: "num_attention_heads", default: headWidth),
            .activation("hidden_act", default: "silu"),
            .size("max_position_embeddings", \.maximumPositions) { _ in positions },
            .number("rms_norm_eps", \.normEpsilon, default: epsilon),
            .rotary(partialDefault: partialRotary),
            .number("initializer_range", \.initializerRange, default: 0.02),
            .flag("tie_word_embeddings", \.tiedEmbeddings, default: false),
        ]
    }
}
