// A model family as data: what its config.json says, what its tensors are called, and which features all its models have.
import Compute

/// One family of models. `Families/` has a file for each; adding one is writing such a file and naming it in `all`.
struct Family: Sendable {
    /// The `model_type` of config.json, and `ModelConfiguration.family`.
    let name: String
    /// The class of transformers that predicts tokens.
    let architecture: String
    /// What all models of the family have and no key says.
    let features: @Sendable (inout ModelConfiguration) -> Void
    /// The keys of config.json that say something, in the order in which they are read and written.
    let keys: [ConfigurationKey]
    /// Keys of the family that do not change what the model computes.
    var harmless: Set<String> = []
    /// Every tensor that files of the family may hold.
    let tensors: [StoredName]
    /// Ends of the names of tensors that old files hold and nobody needs: masks, tables of angles.
    var unneeded: [String] = [".rotary_emb.inv_freq"]
    /// The family's files in llama.cpp's format; nil where there are none.
    var gguf: GGUFFamily?

    /// All families, in the order in which messages name them.
    static let all: [Family] = [llama, mistral, qwen2, qwen3, glm, glm4, gpt2, gptNeoX, mamba]

    /// The family of a model. Every configuration that was read from a file has one.
    static func of(_ configuration: ModelConfiguration) -> Family {
        guard let family = all.first(where: { $0.name == configuration.family }) else {
            preconditionFailure("bug: no family '\(configuration.family)'")
        }
        return family
    }

    /// "'a', 'b' and 'c'".
    static func list(_ names: [String]) -> String {
        let quoted = names.map { "'\($0)'" }
        return quoted.count < 2 ? quoted.joined() : quoted.dropLast().joined(separator: ", ") + " and " + quoted[quoted.count - 1]
    }

    /// A configuration without sizes, for keys to fill.
    var blank: ModelConfiguration {
        var blank = ModelConfiguration(
            vocabularySize: 0, width: 0, layers: 0, heads: 0, keyValueHeads: 0, headWidth: 0, hiddenWidth: 0, maximumPositions: 0)
        blank.family = name
        features(&blank)
        return blank
    }
}

/// How llama.cpp stores a family.
struct GGUFFamily: Sendable {
    /// `general.architecture`, and the first part of the family's keys.
    let architecture: String
    let tensors: [StoredName]
    /// Keys whose meaning the reader knows anyway, or that say nothing about the computation.
    var harmless: Set<String> = []
    /// Activation where it is not SiLU, which no key tells.
    var activation = Activation.silu
    /// Share of a head that turns where `rope.dimension_count` is absent.
    var rotaryShare = 1.0
}
