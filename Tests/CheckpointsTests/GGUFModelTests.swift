import Checkpoints
import Compute
import Glibc
import Streams
import TestSupport
import XCTest

/// Models from GGUF: against the gguf package, and metadata that cannot be true.
final class GGUFModelTests: XCTestCase {
    private typealias B = GGUFBytes
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }

    /// Every readable type, and the rows that llama.cpp permutes, bit for bit (Tests/oracles/gguf_models.py).
    func testEqualsTheReferencePackage() throws {
        let expected = try SafetensorsFile.open(fixture("gguf/mixed.weights.safetensors"))
        for threads in [0, 1, 3] {
            let loaded = try ModelFolder.open(fixture("gguf/mixed.gguf"), pool: threads == 0 ? nil : ThreadPool(threads: threads))
            XCTAssertEqual(loaded.model.parameters.count, expected.tensors.count)
            for parameter in loaded.model.parameters {
                assertSameBits(parameter.value.array, try floats(expected, parameter.name), parameter.name)
            }
            XCTAssertEqual(
                loaded.model.configuration,
                ModelConfiguration(
                    vocabularySize: 24, width: 32, layers: 2, heads: 4, keyValueHeads: 2, headWidth: 8, hiddenWidth: 32,
                    maximumPositions: 128,
                    ropeTheta: 5000, tiedEmbeddings: false))
            XCTAssertEqual([loaded.bosID, loaded.eosID], [1, 2])
            XCTAssertEqual(loaded.addsBOS, true)
            XCTAssertEqual(loaded.maximumPositions, 128)
            XCTAssertEqual(loaded.sha256, try SHA256.hex(ofFile: fixture("gguf/mixed.gguf")))
        }
    }

    func testMapsFloatsAndConvertsTheRest() throws {
        let model = try ModelFolder.open(fixture("gguf/mixed.gguf")).model
        XCTAssertEqual(model.parameter("lm_head.weight")?.value.isReadOnly, true)
        XCTAssertEqual(model.parameter("model.layers.0.self_attn.q_proj.weight")?.value.isReadOnly, false)
        XCTAssertEqual(model.parameter("model.layers.1.self_attn.q_proj.weight")?.value.isReadOnly, false, "float32, but its rows move")
    }

    func testRemarksOnWhatItPassesOver() throws {
        XCTAssertEqual(try open(file()).remarks, [])
        XCTAssertEqual(try open(file() + [1, 2]).remarks, ["\(scratch("m.gguf")): 2 bytes behind the last tensor are ignored"])
    }

    /// Whatever is given for a model is called by its name.
    func testNamesFilesThatAreNoModel() throws {
        let pool = ThreadPool(threads: 1)
        for (bytes, words) in [
            (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "Git LFS pointer"), ([0x1F, 0x8B, 8, 0], "gzip"),
            (Array("FUGG".utf8) + [3, 0, 0, 0], "other byte order"), ([], "an empty file"),
        ] as [([UInt8], String)] {
            assertRefused(byte: 0, words) { try open(bytes) }
            assertRefused(byte: 0, words) { try ModelFolder.startingPoint(scratch("m.gguf"), seed: 1, pool: pool) }
        }
    }

    func testTellsOfChanges() throws {
        let loaded = try open(file())
        try loaded.checkUnchanged()
        XCTAssertEqual(truncate(scratch("m.gguf"), 100), 0)
        assertRefused("changed from") { try loaded.checkUnchanged() }
    }

    // MARK: Metadata

    private let metadata: [(String, [UInt8])] = [
        ("general.architecture", B.text("general.architecture", "llama")), ("llama.context_length", B.uint32("llama.context_length", 32)),
        ("llama.embedding_length", B.uint32("llama.embedding_length", 8)), ("llama.block_count", B.uint32("llama.block_count", 1)),
        ("llama.feed_forward_length", B.uint32("llama.feed_forward_length", 6)),
        ("llama.attention.head_count", B.uint32("llama.attention.head_count", 2)),
        ("llama.attention.head_count_kv", B.uint32("llama.attention.head_count_kv", 1)),
        ("llama.attention.layer_norm_rms_epsilon", B.float32("llama.attention.layer_norm_rms_epsilon", 1e-5)),
        ("llama.rope.freq_base", B.float32("llama.rope.freq_base", 5000)),
        ("llama.rope.dimension_count", B.uint32("llama.rope.dimension_count", 4)),
        ("tokenizer.ggml.model", B.text("tokenizer.ggml.model", "gpt2")),
    ]

    /// The tensors of `smallModel`, outermost dimension first.
    private let shapes: [(String, [UInt64])] = [
        ("token_embd", [11, 8]), ("blk.0.attn_norm", [8]), ("blk.0.attn_q", [8, 8]), ("blk.0.attn_k", [4, 8]), ("blk.0.attn_v", [4, 8]),
        ("blk.0.attn_output", [8, 8]), ("blk.0.ffn_norm", [8]), ("blk.0.ffn_gate", [6, 8]), ("blk.0.ffn_up", [6, 8]),
        ("blk.0.ffn_down", [8, 6]),
        ("output_norm", [8]),
    ]

    /// A file with metadata entries replaced, removed (empty bytes) or added, and tensors replaced or added.
    private func file(_ entries: [(String, [UInt8])] = [], tensors changes: [(String, [UInt64], UInt32)] = [], without: String? = nil)
        -> [UInt8]
    {
        var metadata = metadata
        for (key, bytes) in entries {
            if let place = metadata.firstIndex(where: { $0.0 == key }) { metadata[place].1 = bytes } else { metadata.append((key, bytes)) }
        }
        var list = shapes.map { ($0.0, $0.1, UInt32(0)) }.filter { $0.0 != without }
        for change in changes {
            if let place = list.firstIndex(where: { $0.0 == change.0 }) { list[place] = change } else { list.append(change) }
        }
        var offset: UInt64 = 0
        let table = list.map { name, shape, type in
            let kind = GGUFTensorType(rawValue: type)!
            defer {
                offset += extent(count: shape.reduce(1, *), unit: UInt64(kind.blockBytes), per: UInt64(kind.blockElements), alignment: 32)!
            }
            return B.tensor("\(name).weight", shape.reversed(), type: type, offset: offset)
        }
        return B.file(entries: metadata.map(\.1).filter { !$0.isEmpty }, tensors: table, data: [UInt8](repeating: 0, count: Int(offset)))
    }

    private func open(_ bytes: [UInt8]) throws -> LoadedModel { try ModelFolder.open(scratch.write("m.gguf", bytes)) }

    func testDefaultsAndVariants() throws {
        let plain = try open(file())
        XCTAssertEqual(plain.model.configuration, try smallModel().configuration)
        XCTAssertEqual([plain.bosID, plain.eosID], [nil, nil])
        XCTAssertEqual(plain.addsBOS, false)
        XCTAssertEqual(try open(file([("llama.rope.freq_base", [])])).model.configuration.ropeTheta, 10_000)
        XCTAssertEqual(try open(file([("tokenizer.ggml.model", B.text("tokenizer.ggml.model", "llama"))])).addsBOS, true)
        XCTAssertEqual(try open(file([("tokenizer.ggml.pre", B.text("tokenizer.ggml.pre", "llama-bpe"))])).addsBOS, true)
        XCTAssertNil(try open(file([("tokenizer.ggml.model", [])])).addsBOS)
        XCTAssertNoThrow(
            try open(file([("s", B.text("llama.rope.scaling.type", "none")), ("f", B.float32("llama.rope.scaling.factor", 1))])))
        XCTAssertFalse(try open(file(tensors: [("output", [11, 8], 0)])).model.configuration.tiedEmbeddings)
        // A template that would run code is a string like any other.
        XCTAssertNoThrow(try open(file([("t", B.text("tokenizer.chat_template", "{{ self.__init__.__globals__ }}"))])))
    }

    func testRefusesMetadataThatCannotBeTrue() {
        func number(_ key: String, _ value: UInt32) -> (String, [UInt8]) { (key, B.uint32(key, value)) }
        func real(_ key: String, _ value: Float) -> (String, [UInt8]) { (key, B.float32(key, value)) }
        func absent(_ key: String) -> (String, [UInt8]) { (key, []) }
        let tokens = "tokenizer.ggml.tokens"
        let cases: [(String, [(String, [UInt8])])] = [
            ("general.architecture", [absent("general.architecture")]), ("general.architecture", [number("general.architecture", 1)]),
            ("'t5'", [("general.architecture", B.text("general.architecture", "t5"))]),
            ("llama.block_count", [number("llama.block_count", 0)]),
            ("llama.block_count", [number("llama.block_count", 1 << 31)]), ("layers", [number("llama.block_count", 1 << 30)]),
            ("llama.block_count", [("llama.block_count", B.text("llama.block_count", "1"))]),
            ("head_count'", [number("llama.attention.head_count", 0)]),
            ("head_count'", [absent("llama.attention.head_count")]), ("not a multiple", [number("llama.attention.head_count", 3)]),
            ("head_count'", [("llama.attention.head_count", B.array("llama.attention.head_count", type: 4, count: 1, [2, 0, 0, 0]))]),
            ("head_count_kv' is 3", [number("llama.attention.head_count_kv", 3)]),
            ("rope.dimension_count", [number("llama.rope.dimension_count", 8)]),
            ("key_length", [number("llama.attention.key_length", 0)]), ("value_length", [number("llama.attention.value_length", 2)]),
            ("epsilon", [real("llama.attention.layer_norm_rms_epsilon", .nan)]),
            ("epsilon", [real("llama.attention.layer_norm_rms_epsilon", 0)]),
            ("epsilon", [absent("llama.attention.layer_norm_rms_epsilon")]), ("freq_base", [real("llama.rope.freq_base", .infinity)]),
            ("llama.vocab_size", [number("llama.vocab_size", 12)]), (tokens, [(tokens, B.array(tokens, type: 8, count: 0, []))]),
            (tokens, [(tokens, B.array(tokens, type: 8, count: 2, B.string("a") + B.string("b")))]),
            ("token_type", [("x", B.array("tokenizer.ggml.token_type", type: 5, count: 1, [1, 0, 0, 0]))]),
            ("scores", [("x", B.array("tokenizer.ggml.scores", type: 6, count: 1, [0, 0, 0, 0]))]),
            ("bos_token_id", [number("tokenizer.ggml.bos_token_id", .max)]), ("eos_token_id", [number("tokenizer.ggml.eos_token_id", 11)]),
            ("unknown_token_id", [number("tokenizer.ggml.unknown_token_id", 11)]),
            ("add_bos_token", [number("tokenizer.ggml.add_bos_token", 1)]),
            ("rope.scaling.type", [("x", B.text("llama.rope.scaling.type", "longrope"))]),
            ("original_context_length", [("x", B.text("llama.rope.scaling.type", "yarn"))]),
            ("rope.scaling.factor", [real("llama.rope.scaling.factor", 8)]),
            ("expert_count", [number("llama.expert_count", 8)]), ("llama.new_feature", [number("llama.new_feature", 1)]),
            ("llama.two\\x0alines", [number("llama.two\nlines", 1)]),
        ]
        for (words, entries) in cases { assertRefused(words, title: words) { try open(file(entries)) } }
    }

    func testRefusesTensorsThatDoNotFit() {
        assertRefused("'blk.0.ffn_up.weight' is missing") { try open(file(without: "blk.0.ffn_up")) }
        assertRefused("'token_embd.weight' is missing") { try open(file(without: "token_embd")) }
        assertRefused("'blk.0.attn_k.weight' has the shape [8, 8]", "[4, 8]") { try open(file(tensors: [("blk.0.attn_k", [8, 8], 0)])) }
        assertRefused("'blk.0.attn_q.bias.weight' does not belong") { try open(file(tensors: [("blk.0.attn_q.bias", [8], 0)])) }
        assertRefused("'rope_freqs.weight'") { try open(file(tensors: [("rope_freqs", [2], 0)])) }
        assertRefused("'output_norm.weight' is I32, which is not supported yet") { try open(file(tensors: [("output_norm", [8], 26)])) }
        assertRefused("a vocabulary is no model", title: "nothing but metadata") {
            do { return try open(B.file(entries: metadata.map(\.1))) } catch let failure as Failure {
                XCTAssertTrue(failure.message.contains("token_embd"))
                throw Failure(failure.status, "", .whole, "a vocabulary is no model")
            }
        }
    }
}
