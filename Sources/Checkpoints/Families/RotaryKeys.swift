// Rotary positions in config.json: the base, the share of a head that turns, and the scaling for longer texts.
import Compute
import Glibc
import Streams

extension ConfigurationKey {
    /// Base, share and scaling. They stand at the top of old files (`rope_theta`, `partial_rotary_factor`, `rope_scaling`), and in
    /// `rope_parameters` of those that transformers 5 writes; both are read, and both written.
    ///
    /// - theta, partial: the names at the top. partialDefault: the share where no key tells; families whose share is 1 know no other.
    static func rotary(
        theta thetaName: String = "rope_theta", partial partialName: String = "partial_rotary_factor", partialDefault: Double = 1
    ) -> ConfigurationKey {
        ConfigurationKey(names: [thetaName, partialName, "rope_scaling", "rope_parameters", "rope_interleaved"]) { keys, c in
            if try keys.flag("rope_interleaved", default: false) {
                throw keys.failure("key 'rope_interleaved' is true, which is not supported")
            }
            var rope = RotaryKeys(
                theta: try keys.value(thetaName).map { _ in try keys.positive(thetaName, default: 0) },
                partial: try keys.value(partialName).map { _ in try keys.positive(partialName, default: 0) })
            for name in ["rope_scaling", "rope_parameters"] { try rope.read(name, keys, positions: c.maximumPositions) }
            c.ropeTheta = rope.theta ?? 10_000
            c.ropeScaling = rope.scaling ?? .none
            let share = rope.partial ?? partialDefault
            guard share == 1 || partialDefault != 1 && share < 1 else {
                throw keys.failure("key '\(partialName)' is \(share); \(partialDefault == 1 ? "1 is" : "shares up to 1 are") supported")
            }
            // As transformers: the product, cut to a whole number.
            let turned = Int(Double(c.headWidth) * share)
            c.rotaryWidth = turned == c.headWidth ? nil : turned
        } write: { c, object in
            let share = Double(c.rotaryWidth ?? c.headWidth) / Double(c.headWidth)
            object.add(thetaName) { $0.number(c.ropeTheta) }
            if partialDefault != 1 || share != 1 { object.add(partialName) { $0.number(share) } }
            object.add("rope_scaling") { json in
                if c.ropeScaling == .none { json.null() } else { json.scaling(c.ropeScaling, theta: nil, share: nil) }
            }
            object.add("rope_parameters") {
                $0.scaling(c.ropeScaling, theta: c.ropeTheta, share: partialDefault != 1 || share != 1 ? share : nil)
            }
        }
    }
}

/// What the keys of rotary positions say, from wherever they stand.
private struct RotaryKeys {
    var theta: Double?
    var partial: Double?
    var scaling: RotaryScaling?

    init(theta: Double?, partial: Double?) {
        self.theta = theta
        self.partial = partial
    }

    /// The settings of each type that are read; the others are refused.
    private static let settings: [String: Set<String>] = [
        "default": [], "linear": ["factor"], "dynamic": ["factor"],
        "llama3": ["factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings"],
        "yarn": [
            "factor", "original_max_position_embeddings", "beta_fast", "beta_slow", "attention_factor", "mscale", "mscale_all_dim",
            "truncate",
        ],
    ]

    /// Reads the object under `name`, if there is one. positions: `max_position_embeddings`.
    mutating func read(_ name: String, _ keys: ConfigurationKeys, positions: Int) throws {
        guard let rope = keys.value(name) else { return }
        guard rope.kind == .object else {
            throw keys.failure("key '\(name)' must be an object or null, found \(ConfigurationKeys.title(rope))")
        }
        let inner = ConfigurationKeys(rope, keys.path, inside: name)
        let type = inner.value("rope_type") ?? inner.value("type")
        guard let kind = type == nil ? "default" : type?.string, let known = Self.settings[kind] else {
            throw keys.failure(
                "key '\(name)' asks for rotary positions of type \(type.map { ConfigurationKeys.title($0) } ?? "null"); "
                    + "\(Family.list(Self.settings.keys.sorted())) are supported")
        }
        try rope.forEachEntry { key, value in
            let text = String(decoding: key, as: UTF8.self)
            if value.isNull || known.contains(text) { return }
            if ["type", "rope_type", "rope_theta", "partial_rotary_factor"].contains(text) { return }
            throw keys.failure(
                "'\(printable(text))' in '\(name)' is \(ConfigurationKeys.title(value)), which is not supported for '\(kind)'")
        }
        try agree(&theta, inner, "rope_theta", name, keys)
        try agree(&partial, inner, "partial_rotary_factor", name, keys)
        let found = try Self.scaling(kind, inner, positions: positions)
        guard scaling == nil || scaling == found else { throw keys.failure("keys 'rope_scaling' and 'rope_parameters' disagree") }
        scaling = found
    }

    /// Takes a number that may stand in two places, and must then be the same.
    private func agree(
        _ value: inout Double?, _ inner: ConfigurationKeys, _ key: String, _ name: String, _ keys: ConfigurationKeys
    ) throws {
        guard let found = inner.value(key) else { return }
        guard let number = found.number, number > 0, number.isFinite, value == nil || value == number else {
            throw keys.failure("'\(key)' in '\(name)' is \(ConfigurationKeys.title(found)), unlike the key '\(key)' or not positive")
        }
        value = number
    }

    private static func scaling(_ kind: String, _ rope: ConfigurationKeys, positions: Int) throws -> RotaryScaling {
        if kind == "default" { return .none }
        let factor = try rope.number("factor")
        guard factor >= 1 else { throw rope.failure("key 'factor' is \(factor), less than 1") }
        let original = try rope.optionalSize("original_max_position_embeddings") ?? positions
        switch kind {
        case "linear": return .linear(factor: factor)
        case "dynamic": return .dynamic(factor: factor, originalPositions: positions)
        case "llama3":
            let (low, high) = (try rope.number("low_freq_factor"), try rope.number("high_freq_factor"))
            guard high > low else { throw rope.failure("key 'high_freq_factor' is \(high), not above 'low_freq_factor', \(low)") }
            return .llama3(factor: factor, lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions: original)
        default:
            return .yarn(
                factor: factor, originalPositions: original, betaFast: try rope.positive("beta_fast", default: 32),
                betaSlow: try rope.positive("beta_slow", default: 1), attentionFactor: try attentionFactor(rope, factor),
                truncate: try rope.flag("truncate", default: true))
        }
    }

    /// YaRN's factor on cosines and sines: told, or 0.1 · m · ln(factor) + 1, or the ratio of two of those.
    private static func attentionFactor(_ rope: ConfigurationKeys, _ factor: Double) throws -> Double {
        func scale(_ m: Double) -> Double { factor <= 1 ? 1 : 0.1 * m * log(factor) + 1 }
        if rope.value("attention_factor") != nil { return try rope.number("attention_factor") }
        guard rope.value("mscale") != nil, rope.value("mscale_all_dim") != nil else { return scale(1) }
        return scale(try rope.number("mscale")) / scale(try rope.number("mscale_all_dim"))
    }
}

extension JSONText {
    /// The object of `rope_scaling` and `rope_parameters`.
    fileprivate mutating func scaling(_ scaling: RotaryScaling, theta: Double?, share: Double?) {
        beginObject()
        if let theta { member("rope_theta", theta) }
        if let share { member("partial_rotary_factor", share) }
        switch scaling {
        case .none: member("rope_type", "default")
        case .linear(let factor):
            member("rope_type", "linear")
            member("factor", factor)
        case .dynamic(let factor, _):
            member("rope_type", "dynamic")
            member("factor", factor)
        case .llama3(let factor, let low, let high, let original):
            member("rope_type", "llama3")
            member("factor", factor)
            member("low_freq_factor", low)
            member("high_freq_factor", high)
            member("original_max_position_embeddings", original)
        case .yarn(let factor, let original, let fast, let slow, let attention, let truncate):
            member("rope_type", "yarn")
            member("factor", factor)
            member("original_max_position_embeddings", original)
            member("beta_fast", fast)
            member("beta_slow", slow)
            member("attention_factor", attention)
            key("truncate")
            boolean(truncate)
        }
        endObject()
    }
}
