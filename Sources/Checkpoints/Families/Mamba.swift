// Mamba (the first): blocks of a selective state space, no attention, no positions.
import Compute
import Streams

extension Family {
    static let mamba = Family(
        name: "mamba", architecture: "MambaForCausalLM",
        features: {
            // Any length goes; llama.cpp's converter writes this number too.
            $0.maximumPositions = 1 << 20
            $0.stateSpace = ModelConfiguration.StateSpace(innerWidth: 0, states: 0, taps: 0, timeStepRank: 0)
        },
        keys: [
            .size("vocab_size", \.vocabularySize), .size("hidden_size", \.width), .size("num_hidden_layers", \.layers), .mixer,
            .activation("hidden_act", default: "silu"), .number("layer_norm_epsilon", \.normEpsilon, default: 1e-5),
            .number("initializer_range", \.initializerRange, default: 0.1),
            .flag("tie_word_embeddings", \.tiedEmbeddings, default: true), .only("rms_norm", true, written: false),
        ],
        harmless: [
            "residual_in_fp32", "rescale_prenorm_residual", "use_mambapy", "use_associative_scan", "time_step_scale", "time_step_min",
            "time_step_max", "time_step_floor", "time_step_init_scheme", "fused_add_norm", "pad_vocab_size_multiple", "ssm_cfg", "d_model",
            "n_layer",
        ],
        tensors: [
            [
                StoredName("backbone.embeddings.weight", or: ["backbone.embedding.weight"], .embedding),
                StoredName("backbone.norm_f.weight", .finalNorm), StoredName("lm_head.weight", .head),
                StoredName("backbone.layers.#.norm.weight", .inputNorm),
                StoredName("backbone.layers.#.mixer.in_proj.weight", .signal, .signalGate),
                StoredName("backbone.layers.#.mixer.in_proj.bias", .signalBias, .signalGateBias),
                StoredName("backbone.layers.#.mixer.conv1d.weight", .convolution, layout: .kernels),
                StoredName("backbone.layers.#.mixer.conv1d.bias", .convolutionBias),
                StoredName("backbone.layers.#.mixer.x_proj.weight", .timeStepLow, .stateInput, .stateReading),
                StoredName("backbone.layers.#.mixer.A_log", .decayLogarithm), StoredName("backbone.layers.#.mixer.D", .skip),
            ],
            StoredName.pair("backbone.layers.#.mixer.dt_proj", .timeStep, .timeStepBias),
            StoredName.pair("backbone.layers.#.mixer.out_proj", .mixerOutput, .mixerOutputBias),
        ].flatMap { $0 },
        gguf: GGUFFamily(
            architecture: "mamba",
            tensors: [
                [
                    StoredName("token_embd.weight", .embedding), StoredName("output_norm.weight", .finalNorm),
                    StoredName("output.weight", .head), StoredName("blk.#.attn_norm.weight", .inputNorm),
                    StoredName("blk.#.ssm_in.weight", .signal, .signalGate), StoredName("blk.#.ssm_in.bias", .signalBias, .signalGateBias),
                    StoredName("blk.#.ssm_conv1d.weight", .convolution), StoredName("blk.#.ssm_conv1d.bias", .convolutionBias),
                    StoredName("blk.#.ssm_x.weight", .timeStepLow, .stateInput, .stateReading),
                    StoredName("blk.#.ssm_a", .decayLogarithm, layout: .negativeExponential), StoredName("blk.#.ssm_d", .skip),
                ],
                StoredName.pair("blk.#.ssm_dt", .timeStep, .timeStepBias), StoredName.pair("blk.#.ssm_out", .mixerOutput, .mixerOutputBias),
            ].flatMap { $0 }))
}

extension ConfigurationKey {
    /// The sizes of the mixer. `intermediate_size` stands in files that transformers wrote, but `expand` decides.
    fileprivate static let mixer = ConfigurationKey(
        names: [
            "expand", "intermediate_size", "d_inner", "state_size", "conv_kernel", "time_step_rank", "use_bias", "use_conv_bias",
        ]
    ) { keys, c in
        let expand = try keys.positive("expand", default: 2)
        guard expand * Double(c.width) <= Double(1 << 24) else {
            throw keys.failure("key 'expand' is \(expand): the mixer would be too wide")
        }
        let inner = Int(expand * Double(c.width))
        for name in ["intermediate_size", "d_inner"] {
            guard let told = try keys.optionalSize(name), told != inner else { continue }
            throw keys.failure("key '\(name)' is \(told), but 'expand' and 'hidden_size' give \(inner)")
        }
        let automatic = keys.value("time_step_rank").map { $0.string == "auto" } ?? true
        c.stateSpace = ModelConfiguration.StateSpace(
            innerWidth: inner, states: try keys.optionalSize("state_size") ?? 16, taps: try keys.optionalSize("conv_kernel") ?? 4,
            timeStepRank: automatic ? (c.width + 15) / 16 : try keys.size("time_step_rank"),
            productBias: try keys.flag("use_bias", default: false), convolutionBias: try keys.flag("use_conv_bias", default: true))
    } write: { c, object in
        guard let s = c.stateSpace else { return }
        let expand = Double(s.innerWidth) / Double(c.width)
        object.add("expand") { json in
            if let whole = Int(exactly: expand) { json.integer(whole) } else { json.number(expand) }
        }
        object.add("intermediate_size") { $0.integer(s.innerWidth) }
        object.add("state_size") { $0.integer(s.states) }
        object.add("conv_kernel") { $0.integer(s.taps) }
        object.add("time_step_rank") { $0.integer(s.timeStepRank) }
        object.add("use_bias") { $0.boolean(s.productBias) }
        object.add("use_conv_bias") { $0.boolean(s.convolutionBias) }
    }
}
