// The pre-tokenisers that a GGUF names in tokenizer.ggml.pre.

/// Splits by the names that llama.cpp knows them by.
///
/// Each is what the model's own tokenizer.json says, which llama.cpp's regular expressions stand for; where the two differ, ours is the
/// model's own.
enum LlamaCppPreTokenisers {
    enum Rule {
        case scanner(WordSplitter)
        /// The model's own steps; none of them puts anything in front of a word.
        case steps(PreTokeniser)
    }

    /// nil where the name is unknown. Throws only if a pattern below were malformed.
    static func rule(_ name: String) throws -> Rule? {
        if let splitter = splitters.first(where: { $0.names.contains(name) })?.splitter { return .scanner(splitter) }
        if name == "falcon" {
            return try .steps(
                .sequence([
                    .punctuation(.contiguous), .byteLevel(addsPrefixSpace: false, usesPattern: true), .digits(areSingle: false),
                    isolating(["[0-9][0-9][0-9]"], name),
                ]))
        }
        guard let patterns = patterns.first(where: { $0.names.contains(name) })?.patterns else { return nil }
        return try .steps(isolating(patterns, name))
    }

    private static func isolating(_ patterns: [String], _ name: String) throws -> PreTokeniser {
        try .isolating(patterns.map { try Pattern(Array($0.utf8), name: name) })
    }

    static var names: [String] { (splitters.flatMap(\.names) + patterns.flatMap(\.names) + ["falcon"]).sorted() }

    /// Vocabularies in which a word that is a token as a whole is taken without merging.
    static func ignoresMerges(_ name: String) -> Bool {
        [
            "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "dbrx", "smaug-bpe", "glm4",
            "chatglm-bpe", "tekken",
        ]
        .contains(name)
    }

    private static let splitters: [(names: [String], splitter: WordSplitter)] = [
        (
            [
                "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum", "modern-bert", "mpt",
                "olmo",
                "jais", "trillion", "granite-docling", "roberta-bpe", "jina-v1-en", "jina-v2-code",
            ], .gpt2
        ),
        (
            ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"], .digitsThenGPT2
        ),
        (
            [
                "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "dbrx", "smaug-bpe",
                "chatglm-bpe",
                "glm4",
            ], .cl100k(mostNumbers: 3)
        ),
        (["qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan", "grok-2", "solar-open", "kormo"], .cl100k(mostNumbers: 1)),
        (["qwen35"], .cl100k(mostNumbers: 1, marksAreLetters: true)),
        (["gpt-4o", "llama4", "minimax-m2"], .o200k(mostNumbers: 3, contractions: true)),
        (["tekken"], .o200k(mostNumbers: 1, contractions: false)),
        (["deepseek-v3", "hunyuan-dense", "joyai-llm"], .deepSeek),
    ]

    private static let patterns: [(names: [String], patterns: [String])] = [
        (["deepseek-coder"], ["[\r\n]", #"\s?\p{L}+"#, #"\s?\p{P}+"#, "[一-龥ࠀ-一가-퟿]+", #"\p{N}"#]),
        (
            ["deepseek-llm"],
            [
                "[\r\n]", #"\s?["# + deepSeekLetters + "]+", #"\s?[!-/:-~！-／：-～‘-‟　-。]+"#, #"\s+$"#, "[一-龥ࠀ-一가-퟿]+", #"\p{N}"#,
            ]
        ),
        (["bloom", "poro-chat", "gpt3-finnish"], [#" ?[^(\s|.,!?…。，、।۔،)]+"#]),
        (["viking"], [#" ?[^(\s|.,!?…。，、।۔،)]+"#, #"\p{N}"#]),
        (
            ["bailingmoe", "bailingmoe2", "llada-moe"],
            [
                #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"#
            ]
        ),
        (
            ["seed-coder"],
            [
                #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"#
            ]
        ),
        (["superbpe"], [#"\p{N}+"#, #"(?=(\d{3})+(?!\d))"#]),
    ]
    /// The cased letters, as DeepSeek lists them.
    private static let deepSeekLetters =
        "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ"
        + "-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰"
        + "-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
}
