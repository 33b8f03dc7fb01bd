import Checkpoints
import Compute
import Foundation
import Streams
import TestSupport
import XCTest

/// Hugging Face folders: what is read, what is refused, and what is saved.
final class HuggingFaceTests: XCTestCase {
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }

    private func folder(_ name: String = "m", config: String = configurationText(), weights: [UInt8]?) throws -> String {
        try scratch.write("\(name)/config.json", config)
        if let weights { try scratch.write("\(name)/model.safetensors", weights) }
        return scratch(name)
    }

    // MARK: Reading

    func testMapsAlignedFloats() throws {
        let model = try smallModel()
        for odd in [false, true] {
            let loaded = try ModelFolder.open(folder(weights: safetensors(tensors(model), odd: odd)))
            assertSameModel(loaded.model, model)
            XCTAssertEqual(loaded.model.parameters.map(\.value.isReadOnly), model.parameters.map { _ in !odd })
            XCTAssertEqual([loaded.bosID, loaded.eosID], [1, 2])
            XCTAssertEqual(loaded.sha256, try SHA256.hex(ofFile: scratch("m/model.safetensors")))
        }
    }

    func testConvertsHalves() throws {
        let model = try smallModel()
        // Values that both halves hold exactly.
        for parameter in model.parameters { for i in 0..<parameter.value.count { parameter.value.pointer[i] = Float(i % 17) / 8 - 1 } }
        func bf16(_ values: [Float]) -> [UInt8] { values.flatMap { littleEndian(UInt16($0.bitPattern >> 16)) } }
        func f16(_ values: [Float]) -> [UInt8] {
            values.flatMap { value -> [UInt8] in
                if value == 0 { return [0, 0] }
                let exponent = UInt16(Int(value.exponent) + 15) << 10
                return littleEndian((value < 0 ? 0x8000 : 0) | exponent | UInt16(value.significandBitPattern >> 13))
            }
        }
        let mixed = model.parameters.enumerated().map { index, parameter in
            index % 2 == 0
                ? (parameter.name, "BF16", parameter.shape, bf16(parameter.value.array))
                : (parameter.name, "F16", parameter.shape, f16(parameter.value.array))
        }
        assertSameModel(try ModelFolder.open(folder(weights: safetensors(mixed))).model, model)
    }

    func testConfigurationVariants() throws {
        func read(_ changes: [(String, String)]) throws -> ModelConfiguration {
            try ModelFolder.configuration(scratch.write("c/config.json", configurationText(changes)))
        }
        XCTAssertEqual(try read([]), try smallModel().configuration)
        XCTAssertEqual(try read([("num_key_value_heads", "null")]).keyValueHeads, 2)
        XCTAssertEqual(try read([("head_dim", "16")]).headWidth, 16)
        XCTAssertEqual(try read([("rope_theta", "null")]).ropeTheta, 10_000)
        XCTAssertEqual(try read([("rope_theta", "null"), ("rope_parameters", #"{"rope_theta": 7, "rope_type": "default"}"#)]).ropeTheta, 7)
        XCTAssertEqual(try read([("rope_scaling", #"{"type": "default"}"#)]).ropeTheta, 5000)
        XCTAssertEqual(try read([("tie_word_embeddings", "null")]).tiedEmbeddings, false)
        XCTAssertEqual(try read([("initializer_range", "0.041666666666666664")]).initializerRange, 0.041666666666666664)
        XCTAssertNoThrow(
            try read([
                ("_name_or_path", "\"x\""), ("pad_token_id", "-1"), ("quantization_config", "null"), ("transformers_version", "\"9\""),
            ]))
        XCTAssertNoThrow(try read([("eos_token_id", "[2, 3]")]))
        XCTAssertEqual(try ModelFolder.configuration(fixture("gguf/mixed.gguf")).ropeTheta, 5000)
        XCTAssertEqual(try ModelFolder.configuration(scratch("c")).heads, 2)
    }

    func testRefusesConfigurationsByTheirKey() throws {
        let cases: [(String, String)] = [
            ("model_type", "\"t5\""), ("model_type", "null"), ("architectures", "[\"LlamaForSequenceClassification\"]"),
            ("vocab_size", "null"),
            ("vocab_size", "0"), ("hidden_size", "-8"), ("hidden_size", "8.0"), ("hidden_size", "\"8\""),
            ("num_hidden_layers", "4294967296"),
            ("hidden_size", "9"), ("rms_norm_eps", "0"), ("rms_norm_eps", "\"1e-5\""), ("rope_theta", "-1"), ("tie_word_embeddings", "1"),
            ("hidden_act", "\"tanh\""), ("attention_bias", "1"), ("mlp_bias", "\"yes\""), ("rope_interleaved", "true"),
            ("sliding_window", "4096"),
            ("partial_rotary_factor", "0.5"), ("rope_scaling", #"{"rope_type": "llama3", "factor": 8.0}"#),
            ("rope_scaling", #"{"type": "linear"}"#), ("rope_scaling", #"{"type": "linear", "factor": 0.5}"#),
            ("rope_scaling", #"{"type": "longrope", "factor": 2}"#), ("rope_scaling", #"{"type": "linear", "factor": 2, "beta_fast": 1}"#),
            ("rope_scaling", #"{"type": "yarn", "factor": "2"}"#),
            ("rope_scaling", "2"), ("rope_parameters", #"{"rope_theta": 6000.0}"#),
            ("rope_parameters", #"{"rope_theta": 5000.0, "beta": 1}"#),
            ("quantization_config", #"{"bits": 4}"#), ("logits_scaling", "2.0"), ("bos_token_id", "11"), ("eos_token_id", "4294967295"),
            ("eos_token_id", "[2, -1]"), ("bos_token_id", "\"<s>\""),
        ]
        for (key, value) in cases {
            let path = try scratch.write("config.json", configurationText([(key, value)]))
            assertRefused("'\(key)'", title: "\(key) \(value)") { try ModelFolder.configuration(path) }
        }
        for (title, text) in [
            ("array", "[]"), ("nothing", ""), ("twice", #"{"model_type":"llama","model_type":"llama"}"#),
            ("cut", String(configurationText().dropLast())),
        ] {
            let path = try scratch.write("config.json", text)
            assertRefused(title: title) { try ModelFolder.configuration(path) }
        }
        assertRefused("key-value heads") {
            try ModelFolder.configuration(
                scratch.write("config.json", configurationText([("num_attention_heads", "4"), ("num_key_value_heads", "3")])))
        }
    }

    func testRefusesWeightsThatDoNotFit() throws {
        let all = tensors(try smallModel())
        func open(_ list: [(name: String, type: String, shape: [Int], bytes: [UInt8])]) throws {
            _ = try ModelFolder.open(folder(weights: safetensors(list)))
        }
        assertRefused("'model.norm.weight' is missing") { try open(all.filter { $0.name != "model.norm.weight" }) }
        assertRefused("'model.norm.weight' has the shape [2, 4]") {
            try open(all.map { $0.name == "model.norm.weight" ? ($0.name, $0.type, [2, 4], $0.bytes) : $0 })
        }
        assertRefused("'model.norm.weight' is I32") {
            try open(all.map { $0.name == "model.norm.weight" ? ($0.name, "I32", $0.shape, $0.bytes) : $0 })
        }
        assertRefused("'extra' does not belong") { try open(all + [("extra", "F32", [1], [0, 0, 0, 0])]) }
        XCTAssertNoThrow(try open(all + [("model.layers.0.self_attn.rotary_emb.inv_freq", "F32", [1], [0, 0, 0, 0])]))
        let embedding = all[0].bytes
        XCTAssertNoThrow(try open(all + [("lm_head.weight", "F32", [11, 8], embedding)]))
        assertRefused("differs from the embeddings") { try open(all + [("lm_head.weight", "F32", [11, 8], embedding.reversed())]) }
        let untied = try folder(config: configurationText([("tie_word_embeddings", "false")]), weights: safetensors(all))
        assertRefused("'lm_head.weight' is missing") { try ModelFolder.open(untied) }
    }

    func testNamesWhatIsMissing() throws {
        assertRefused(status: .cannotOpen) { try ModelFolder.open(scratch("nowhere")) }
        assertRefused(status: .cannotOpen, "config.json") { try ModelFolder.open(scratch.path) }
        let empty = try folder(weights: nil)
        assertRefused(status: .cannotOpen, "model.safetensors") { try ModelFolder.open(empty) }
        assertRefused(status: .cannotOpen, "model.safetensors") { try ModelFolder.startingPoint(empty, seed: 1) }
        assertRefused("Git LFS pointer") {
            try ModelFolder.open(folder(weights: Array("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".utf8)))
        }
        assertRefused("folder with a model") { try ModelFolder.open(scratch("m/config.json")) }
    }

    func testStartingPoint() throws {
        let config = try scratch.write("config.json", configurationText())
        assertSameModel(try ModelFolder.startingPoint(config, seed: 3), try smallModel(seed: 3))
        let model = try smallModel(seed: 4)
        assertSameModel(try ModelFolder.startingPoint(folder(weights: safetensors(tensors(model))), seed: 3), model)
    }

    func testBOSPolicy() throws {
        let weights = safetensors(tensors(try smallModel()))
        func policy(_ files: [(String, String)]) throws -> Bool? {
            let path = try folder("p\(UUID().uuidString)", weights: weights)
            for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)")) }
            return try ModelFolder.open(path).addsBOS
        }
        let template = #"{"post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {}}]}}"#
        let sequence =
            #"{"post_processor": {"type": "Sequence", "processors": [{"type": "ByteLevel"}, {"type": "TemplateProcessing", "single": [{"Sequence": {}}]}]}}"#
        XCTAssertNil(try policy([]))
        XCTAssertEqual(try policy([("tokenizer_config.json", #"{"add_bos_token": false}"#), ("tokenizer.json", template)]), false)
        XCTAssertEqual(try policy([("tokenizer_config.json", #"{"tokenizer_class": "LlamaTokenizer"}"#)]), true)
        XCTAssertEqual(
            try policy([("tokenizer_config.json", #"{"tokenizer_class": "PreTrainedTokenizerFast"}"#), ("tokenizer.json", template)]), true)
        XCTAssertEqual(try policy([("tokenizer.json", sequence)]), false)
        XCTAssertEqual(try policy([("tokenizer.json", #"{"post_processor": null}"#)]), false)
        assertRefused("add_bos_token") { try policy([("tokenizer_config.json", #"{"add_bos_token": 1}"#)]) }
    }

    // MARK: Shards

    private func shards(_ index: (([String: String]) -> String)? = nil, drop: Bool = false, twice: Bool = false) throws -> String {
        let all = tensors(try smallModel())
        let (first, second) = (Array(all[..<5]), Array(all[5...]))
        try scratch.write("s/config.json", configurationText())
        try scratch.write("s/model-00001.safetensors", safetensors(first))
        try scratch.write("s/model-00002.safetensors", safetensors(drop ? Array(second.dropLast()) : second + (twice ? [first[0]] : [])))
        var map: [String: String] = [:]
        for tensor in first { map[tensor.name] = "model-00001.safetensors" }
        for tensor in second { map[tensor.name] = "model-00002.safetensors" }
        let total = all.reduce(0) { $0 + $1.bytes.count }
        try scratch.write("s/model.safetensors.index.json", index?(map) ?? self.index(map, total))
        return scratch("s")
    }

    private func index(_ map: [String: String], _ total: Int) -> String {
        let members = map.sorted { $0.key < $1.key }.map { "\"\($0.key)\": \"\($0.value)\"" }.joined(separator: ", ")
        return "{\"metadata\": {\"total_size\": \(total)}, \"weight_map\": {\(members)}}"
    }

    func testShards() throws {
        let loaded = try ModelFolder.open(shards())
        assertSameModel(loaded.model, try smallModel())
        var hash = SHA256()
        for name in ["model.safetensors.index.json", "model-00001.safetensors", "model-00002.safetensors"] {
            try scratch.read("s/\(name)").withUnsafeBytes { hash.update($0) }
        }
        XCTAssertEqual(loaded.sha256, hexadecimal(hash.finish()))
    }

    func testRefusesShardsThatDisagreeWithTheirIndex() throws {
        let total = tensors(try smallModel()).reduce(0) { $0 + $1.bytes.count }
        func open(_ change: @escaping (inout [String: String]) -> Void, total: Int = total) throws {
            _ = try ModelFolder.open(
                shards { map in
                    var map = map
                    change(&map)
                    return self.index(map, total)
                })
        }
        XCTAssertNoThrow(try open { _ in })
        for path in ["../model-00001.safetensors", "/etc/passwd", "..", "", "a/b"] {
            assertRefused("plain name of a file", title: path) { try open { $0["model.norm.weight"] = path } }
        }
        assertRefused("'model-00003.safetensors', which is missing") { try open { $0["model.norm.weight"] = "model-00003.safetensors" } }
        assertRefused("'model.norm.weight'", title: "placed in the other shard") {
            try open { $0["model.norm.weight"] = "model-00001.safetensors" }
        }
        assertRefused("'ghost'", "does not hold it") { try open { $0["ghost"] = "model-00001.safetensors" } }
        assertRefused("does not place tensor 'model.norm.weight'") { try open { $0["model.norm.weight"] = nil } }
        assertRefused("'total_size'") { try open({ _ in }, total: total + 4) }
        assertRefused("does not hold it") { try ModelFolder.open(shards(drop: true)) }
        assertRefused("does not place tensor 'model.embed_tokens.weight'", title: "in two shards") {
            try ModelFolder.open(shards(twice: true))
        }
        assertRefused("weight_map") { try ModelFolder.open(shards { _ in "{}" }) }
        assertRefused("plain name", title: "a number") { try ModelFolder.open(shards { _ in #"{"weight_map": {"a": 1}}"# }) }
    }

    // MARK: Saving

    func testRoundTrip() throws {
        for tied in [true, false] {
            let model = try smallModel(tied: tied, seed: 9)
            try ModelFolder.save(model, to: scratch("out"), carrying: nil)
            let loaded = try ModelFolder.open(scratch("out"))
            assertSameModel(loaded.model, model)
            XCTAssertEqual([loaded.bosID, loaded.eosID], [nil, nil])
        }
        XCTAssertEqual(try scratch.names, ["out"])
    }

    func testSavingCarriesTheTokenizerAndItsIDs() throws {
        let model = try smallModel()
        let source = try folder("source", weights: safetensors(tensors(model)))
        try scratch.write("source/tokenizer.json", #"{"post_processor": null}"#)
        try scratch.write("source/special_tokens_map.json", "{}")
        try scratch.write("source/training_args.bin", "x")
        let others = ["added_tokens.json", "chat_template.jinja", "generation_config.json", "merges.txt", "qwen.tiktoken", "vocab.json"]
        for name in others { try scratch.write("source/\(name)", name) }
        for from in [source, "\(source)/config.json"] {
            try ModelFolder.save(model, to: scratch("out"), carrying: from)
            XCTAssertEqual(
                try FileManager.default.contentsOfDirectory(atPath: scratch("out")).sorted(),
                (["config.json", "model.safetensors", "special_tokens_map.json", "tokenizer.json"] + others).sorted())
            XCTAssertEqual(try scratch.read("out/qwen.tiktoken"), Array("qwen.tiktoken".utf8))
            XCTAssertEqual(try ModelFolder.open(scratch("out")).bosID, 1)
        }
        try ModelFolder.save(model, to: source, carrying: source)
        XCTAssertEqual(try scratch.read("source/tokenizer.json"), Array(#"{"post_processor": null}"#.utf8))
        XCTAssertEqual(try scratch.read("source/training_args.bin"), [UInt8(ascii: "x")])
    }

    func testTheSameModelGivesTheSameBytes() throws {
        for name in ["a", "b"] { try ModelFolder.save(smallModel(), to: scratch(name), carrying: nil) }
        for file in ["config.json", "model.safetensors"] { XCTAssertEqual(try scratch.read("a/\(file)"), try scratch.read("b/\(file)")) }
    }

    func testAFlippedBitInSavedWeightsIsFound() throws {
        try ModelFolder.save(smallModel(), to: scratch("out"), carrying: nil)
        let whole = try scratch.read("out/model.safetensors")
        let start = try SafetensorsFile.open(scratch("out/model.safetensors")).tensors[0].range.lowerBound
        for place in stride(from: start, to: whole.count, by: 7) {
            var bytes = whole
            bytes[place] ^= 1 << (place % 8)
            try scratch.write("out/model.safetensors", bytes)
            assertRefused(byte: start, "XXH64", title: "byte \(place)") { try ModelFolder.open(scratch("out")) }
        }
    }

    func testRefusesToReplaceAFolderThatIsNoModel() throws {
        try scratch.write("mine/letter", "dear")
        assertRefused(status: .cannotCreate) { try ModelFolder.save(smallModel(), to: scratch("mine"), carrying: nil) }
        assertRefused(status: .cannotCreate) { try ModelFolder.checkDestination(scratch("mine")) }
        XCTAssertNoThrow(try ModelFolder.checkDestination(scratch("new")))
    }
}
