// Qwen1.5, 2 and 2.5 (biases of queries, keys and values), and Qwen3 (norms of queries and keys).

extension Family {
    static let qwen2 = Family(
        name: "qwen2", architecture: "Qwen2ForCausalLM", features: { $0.queryKeyValueBias = true },
        keys: ConfigurationKey.llamaLike(keyValueHeads: 32, positions: 32768) + [.layeredWindow],
        tensors: StoredName.own(llamaRoles), gguf: GGUFFamily(architecture: "qwen2", tensors: llamaCppNames()))

    static let qwen3 = Family(
        name: "qwen3", architecture: "Qwen3ForCausalLM", features: { $0.queryKeyNorm = true },
        keys: ConfigurationKey.llamaLike(keyValueHeads: 32, headWidth: 128, positions: 32768) + [
            .flag("attention_bias", \.queryKeyValueBias, \.attentionOutputBias, default: false), .layeredWindow,
        ],
        tensors: StoredName.own(llamaRoles + [.queryNorm, .keyNorm]),
        gguf: GGUFFamily(architecture: "qwen3", tensors: llamaCppNames()))
}
