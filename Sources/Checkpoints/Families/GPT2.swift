// GPT-2: learned positions, layer norms, matrices stored transposed, queries, keys and values in one.

extension Family {
    static let gpt2 = Family(
        name: "gpt2", architecture: "GPT2LMHeadModel",
        features: {
            $0.norm = .layer
            $0.positions = .learned
            $0.gated = false
            ($0.queryKeyValueBias, $0.attentionOutputBias, $0.feedForwardBias) = (true, true, true)
        },
        keys: [
            .size("vocab_size", \.vocabularySize), .size("n_embd", \.width), .size("n_layer", \.layers), .size("n_head", \.heads),
            .sharedHeads(width: "n_embd", heads: "n_head"), .size("n_inner", \.hiddenWidth) { 4 * $0.width },
            .size("n_positions", \.maximumPositions) { _ in 1024 }, .activation("activation_function", default: "gelu_new"),
            .number("layer_norm_epsilon", \.normEpsilon, default: 1e-5), .number("initializer_range", \.initializerRange, default: 0.02),
            .flag("tie_word_embeddings", \.tiedEmbeddings, default: true), .only("scale_attn_weights", true),
            .only("scale_attn_by_inverse_layer_idx", false), .only("add_cross_attention", false, written: false),
        ],
        harmless: [
            "n_ctx", "resid_pdrop", "embd_pdrop", "attn_pdrop", "summary_type", "summary_use_proj", "summary_activation",
            "summary_proj_to_labels", "summary_first_dropout", "reorder_and_upcast_attn", "gradient_checkpointing",
        ],
        tensors: [
            StoredName("transformer.wte.weight", .embedding), StoredName("transformer.wpe.weight", .positions),
            StoredName("lm_head.weight", .head),
            StoredName("transformer.h.#.attn.c_attn.weight", .query, .key, .value, layout: .columns),
            StoredName("transformer.h.#.attn.c_attn.bias", .queryBias, .keyBias, .valueBias),
        ].map { $0.alsoWithout("transformer.") }
            + [
                StoredName.pair("transformer.h.#.ln_1", .inputNorm, .inputNormBias),
                StoredName.pair("transformer.h.#.attn.c_proj", .output, .outputBias, layout: .columns),
                StoredName.pair("transformer.h.#.ln_2", .feedForwardNorm, .feedForwardNormBias),
                StoredName.pair("transformer.h.#.mlp.c_fc", .up, .upBias, layout: .columns),
                StoredName.pair("transformer.h.#.mlp.c_proj", .down, .downBias, layout: .columns),
                StoredName.pair("transformer.ln_f", .finalNorm, .finalNormBias),
            ].flatMap { $0 }.map { $0.alsoWithout("transformer.") },
        unneeded: [".attn.bias", ".attn.masked_bias"],
        gguf: GGUFFamily(
            architecture: "gpt2", tensors: gptNames + [StoredName("position_embd.weight", .positions)], activation: .geluTanh))

    /// llama.cpp's names for GPT-2 and GPT-NeoX: queries, keys and values in one matrix, one after the other in both.
    static let gptNames = [
        [
            StoredName("token_embd.weight", .embedding), StoredName("output.weight", .head),
            StoredName("blk.#.attn_qkv.weight", .query, .key, .value),
            StoredName("blk.#.attn_qkv.bias", .queryBias, .keyBias, .valueBias),
        ],
        StoredName.pair("output_norm", .finalNorm, .finalNormBias), StoredName.pair("blk.#.attn_norm", .inputNorm, .inputNormBias),
        StoredName.pair("blk.#.attn_output", .output, .outputBias),
        StoredName.pair("blk.#.ffn_norm", .feedForwardNorm, .feedForwardNormBias), StoredName.pair("blk.#.ffn_up", .up, .upBias),
        StoredName.pair("blk.#.ffn_down", .down, .downBias),
    ].flatMap { $0 }
}
