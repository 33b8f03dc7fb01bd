// Llama 1, 2 and 3.x, and what has their shape: TinyLlama, Llemma, DeepSeekMath, SmolLM2.
import Compute

extension Family {
    static let llama = Family(
        name: "llama", architecture: "LlamaForCausalLM", features: { _ in },
        keys: ConfigurationKey.llamaLike(positions: 2048) + [
            .flag("attention_bias", \.queryKeyValueBias, \.attentionOutputBias, default: false),
            .flag("mlp_bias", \.feedForwardBias, default: false), .absent("sliding_window"),
        ],
        harmless: ["is_llama_config", "pretraining_tp"], tensors: StoredName.own(llamaRoles),
        gguf: GGUFFamily(architecture: "llama", tensors: llamaCppNames(permuted: true)))

    /// The tensors of a block with biases wherever Llama's class can have them.
    static let llamaRoles: [TensorRole] = [
        .embedding, .inputNorm, .query, .queryBias, .key, .keyBias, .value, .valueBias, .output, .outputBias, .feedForwardNorm, .gate,
        .gateBias, .up, .upBias, .down, .downBias, .finalNorm, .head,
    ]

    /// llama.cpp's names; `permuted` where its converter reorders the rows of queries and keys.
    static func llamaCppNames(permuted: Bool = false, gateInUp: Bool = false) -> [StoredName] {
        let pairs: StoredName.Layout = permuted ? .pairs : .rows
        var names = [
            StoredName("token_embd.weight", .embedding), StoredName("output_norm.weight", .finalNorm), StoredName("output.weight", .head),
            StoredName("blk.#.attn_norm.weight", .inputNorm), StoredName("blk.#.attn_q_norm.weight", .queryNorm),
            StoredName("blk.#.attn_k_norm.weight", .keyNorm), StoredName("blk.#.ffn_norm.weight", .feedForwardNorm),
            StoredName("blk.#.post_attention_norm.weight", .attentionOutputNorm),
            StoredName("blk.#.post_ffw_norm.weight", .feedForwardOutputNorm),
        ]
        names += StoredName.pair("blk.#.attn_q", .query, .queryBias, layout: pairs)
        names += StoredName.pair("blk.#.attn_k", .key, .keyBias, layout: pairs)
        names += StoredName.pair("blk.#.attn_v", .value, .valueBias) + StoredName.pair("blk.#.attn_output", .output, .outputBias)
        names += StoredName.pair("blk.#.ffn_down", .down, .downBias)
        if gateInUp { return names + [StoredName("blk.#.ffn_up.weight", .gate, .up)] }
        return names + StoredName.pair("blk.#.ffn_gate", .gate, .gateBias) + StoredName.pair("blk.#.ffn_up", .up, .upBias)
    }
}
