// GPT-NeoX and Pythia: layer norms, attention and feed-forward side by side, a quarter of each head turned.

extension Family {
    static let gptNeoX = Family(
        name: "gpt_neox", architecture: "GPTNeoXForCausalLM",
        features: {
            $0.norm = .layer
            $0.gated = false
            $0.feedForwardBias = true
        },
        keys: [
            .size("vocab_size", \.vocabularySize), .size("hidden_size", \.width), .size("intermediate_size", \.hiddenWidth),
            .size("num_hidden_layers", \.layers), .size("num_attention_heads", \.heads),
            .sharedHeads(width: "hidden_size", heads: "num_attention_heads"), .activation("hidden_act", default: "gelu"),
            .size("max_position_embeddings", \.maximumPositions) { _ in 2048 },
            .number("layer_norm_eps", \.normEpsilon, default: 1e-5),
            .rotary(theta: "rotary_emb_base", partial: "rotary_pct", partialDefault: 0.25),
            .number("initializer_range", \.initializerRange, default: 0.02),
            .flag("tie_word_embeddings", \.tiedEmbeddings, default: false),
            .flag("use_parallel_residual", \.parallelResidual, default: true),
            .flag("attention_bias", \.queryKeyValueBias, \.attentionOutputBias, default: true),
        ],
        harmless: ["hidden_dropout", "classifier_dropout", "gradient_checkpointing"],
        tensors: [
            [
                StoredName("gpt_neox.embed_in.weight", .embedding), StoredName("embed_out.weight", or: ["lm_head.weight"], .head),
                StoredName("gpt_neox.layers.#.attention.query_key_value.weight", .query, .key, .value, layout: .heads),
                StoredName("gpt_neox.layers.#.attention.query_key_value.bias", .queryBias, .keyBias, .valueBias, layout: .heads),
            ],
            StoredName.pair("gpt_neox.layers.#.input_layernorm", .inputNorm, .inputNormBias),
            StoredName.pair("gpt_neox.layers.#.attention.dense", .output, .outputBias),
            StoredName.pair("gpt_neox.layers.#.post_attention_layernorm", .feedForwardNorm, .feedForwardNormBias),
            StoredName.pair("gpt_neox.layers.#.mlp.dense_h_to_4h", .up, .upBias),
            StoredName.pair("gpt_neox.layers.#.mlp.dense_4h_to_h", .down, .downBias),
            StoredName.pair("gpt_neox.final_layer_norm", .finalNorm, .finalNormBias),
        ].flatMap { $0 },
        unneeded: [".attention.bias", ".attention.masked_bias", ".rotary_emb.inv_freq"],
        gguf: GGUFFamily(architecture: "gptneox", tensors: gptNames, activation: .gelu, rotaryShare: 0.25))
}
