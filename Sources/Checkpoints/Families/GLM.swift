// GLM-4 as transformers stores it: `glm` (GLM-4-9B of 2024) and `glm4` (GLM-4-0414, with norms behind both branches).

extension Family {
    static let glm = glm("glm", "GlmForCausalLM", ggufArchitecture: "chatglm", outputNorms: false)
    static let glm4 = glm("glm4", "Glm4ForCausalLM", ggufArchitecture: "glm4", outputNorms: true)

    private static func glm(_ name: String, _ architecture: String, ggufArchitecture: String, outputNorms: Bool) -> Family {
        Family(
            name: name, architecture: architecture,
            features: {
                $0.rotaryInterleaved = true
                $0.outputNorms = outputNorms
            },
            keys: ConfigurationKey.llamaLike(
                keyValueHeads: 2, headWidth: 128, epsilon: 0.000_000_156_25, positions: 131_072, partialRotary: 0.5
            ) + [.flag("attention_bias", \.queryKeyValueBias, default: true)],
            tensors: StoredName.own(llamaRoles.filter { ![.gate, .up].contains($0) } + [.attentionOutputNorm, .feedForwardOutputNorm])
                + [StoredName("model.layers.#.mlp.gate_up_proj.weight", .gate, .up)],
            gguf: GGUFFamily(architecture: ggufArchitecture, tensors: llamaCppNames(gateInUp: true), rotaryShare: 0.5))
    }
}
