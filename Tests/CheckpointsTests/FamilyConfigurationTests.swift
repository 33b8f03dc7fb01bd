// What the config.json of each family may say: defaults, variants, refusals by name.
import Checkpoints
import Compute
import Foundation
import Streams
import TestSupport
import XCTest

final class FamilyConfigurationTests: XCTestCase {
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }

    /// The configuration of a fixture with members set to JSON values; an empty text removes one.
    private func read(_ name: String, _ changes: [(key: String, json: String)] = []) throws -> ModelConfiguration {
        let path = URL(fileURLWithPath: fixture("families/\(name)/config.json"))
        var object = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
        for (key, json) in changes {
            object[key] = json.isEmpty ? nil : try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
        }
        return try ModelFolder.configuration(scratch.write("config.json", [UInt8](JSONSerialization.data(withJSONObject: object))))
    }

    func testDefaultsAreThoseOfTheClasses() throws {
        XCTAssertEqual(try read("mistral", [("sliding_window", "")]).slidingWindow, 4096, "absent")
        XCTAssertNil(try read("mistral", [("sliding_window", "null")]).slidingWindow)
        XCTAssertEqual(try read("mistral", [("num_key_value_heads", "null")]).keyValueHeads, 4)
        XCTAssertNil(try read("qwen2", [("use_sliding_window", "false"), ("layer_types", "")]).slidingWindow)
        XCTAssertEqual(try read("qwen2", [("layer_types", "")]).windowedLayers, [false, true, true])
        XCTAssertEqual(try read("qwen3", [("head_dim", "")]).headWidth, 128, "absent")
        XCTAssertEqual(try read("qwen3", [("head_dim", "null"), ("hidden_size", "48")]).headWidth, 12)
        XCTAssertEqual(try read("glm4", [("rope_parameters", "")]).rotaryWidth, 6)
        XCTAssertEqual(try read("gpt2", [("n_inner", "")]).hiddenWidth, 176)
        XCTAssertEqual(try read("gpt2", [("activation_function", "\"relu\"")]).activation, .relu)
        let old = try read("gpt_neox", [("rope_parameters", ""), ("rotary_pct", "0.5"), ("rotary_emb_base", "5000")])
        XCTAssertEqual([old.ropeTheta, Double(old.rotaryWidth ?? 0)], [5000, 8])
        XCTAssertEqual(try read("gpt_neox", [("rope_parameters", "")]).rotaryWidth, 4)
        let mamba = try XCTUnwrap(read("mamba", [("state_size", ""), ("conv_kernel", ""), ("time_step_rank", "\"auto\"")]).stateSpace)
        XCTAssertEqual([mamba.states, mamba.taps, mamba.timeStepRank, mamba.innerWidth], [16, 4, 3, 72])
    }

    func testScalingsOfRotaryPositions() throws {
        func scaling(_ parameters: String) throws -> RotaryScaling { try read("llama", [("rope_parameters", parameters)]).ropeScaling }
        XCTAssertEqual(try scaling(#"{"rope_type": "dynamic", "factor": 2}"#), .dynamic(factor: 2, originalPositions: 128))
        XCTAssertEqual(try read("llama", [("rope_parameters", #"{"rope_type": "dynamic", "factor": 2}"#)]).positionLimit, 128)
        XCTAssertEqual(try scaling(#"{"rope_type": "default"}"#), .none)
        let yarn = try scaling(#"{"rope_type": "yarn", "factor": 4.0, "beta_fast": 16, "truncate": false}"#)
        let attention = 0.1 * log(4.0) + 1
        XCTAssertEqual(
            yarn, .yarn(factor: 4, originalPositions: 128, betaFast: 16, betaSlow: 1, attentionFactor: attention, truncate: false))
        let scaled = try scaling(#"{"rope_type": "yarn", "factor": 4.0, "mscale": 2, "mscale_all_dim": 1}"#)
        guard case .yarn(_, _, _, _, let ratio, _) = scaled else { return XCTFail("no YaRN") }
        XCTAssertEqual(ratio, (0.2 * log(4.0) + 1) / attention, accuracy: 1e-15)
        // As transformers 4 wrote it.
        let old = [("rope_parameters", ""), ("rope_theta", "7"), ("rope_scaling", #"{"type": "linear", "factor": 3}"#)]
        XCTAssertEqual(try read("llama", old).ropeScaling, .linear(factor: 3))
    }

    func testRefusesByNameWithWhatIsSupported() {
        typealias Case = (name: String, key: String, json: String, words: [String])
        var cases: [Case] = [
            ("mistral", "sliding_window", "\"x\"", ["'sliding_window'"]), ("mistral", "layer_types", "[]", ["'layer_types'"]),
            ("qwen2", "use_sliding_window", "false", ["'layer_types'", "'use_sliding_window'"]),
            ("qwen2", "layer_types", "[\"full_attention\"]", ["'layer_types'", "3 layers"]),
            ("qwen2", "max_window_layers", "-1", ["'max_window_layers'"]), ("qwen2", "attention_bias", "false", ["'attention_bias'"]),
            ("qwen3", "mlp_bias", "true", ["'mlp_bias'"]), ("qwen2", "use_mrope", "true", ["'use_mrope'"]),
            ("llama", "rope_parameters", #"{"rope_type": "yarn", "factor": 2, "rope_theta": 0.5}"#, ["rope theta 0.5"]),
        ]
        cases += [
            ("qwen2", "layer_types", #"["full_attention", "chunked", "full_attention"]"#, ["'chunked'", "'sliding_attention'"]),
            ("glm", "rope_parameters", #"{"partial_rotary_factor": 0.25, "rope_type": "default"}"#, ["rotary width 3"]),
            ("glm4", "rope_parameters", #"{"partial_rotary_factor": 1.5}"#, ["'partial_rotary_factor'", "1.5"]),
            ("gpt2", "scale_attn_weights", "false", ["'scale_attn_weights' is false", "true is"]),
            ("gpt2", "scale_attn_by_inverse_layer_idx", "true", ["'scale_attn_by_inverse_layer_idx'"]),
            ("gpt2", "activation_function", "\"quick_gelu\"", ["'quick_gelu'", "'gelu_new'"]),
            ("gpt2", "n_head", "3", ["'n_embd'", "'n_head'"]), ("gpt2", "add_cross_attention", "true", ["'add_cross_attention'"]),
        ]
        cases += [
            ("gpt_neox", "use_parallel_residual", "\"yes\"", ["'use_parallel_residual'"]),
            ("gpt_neox", "rope_theta", "10000", ["'rope_theta'"]),
            ("mamba", "expand", "1e9", ["'expand'"]), ("mamba", "intermediate_size", "71", ["'intermediate_size' is 71", "72"]),
            ("mamba", "time_step_rank", "0", ["'time_step_rank'"]), ("mamba", "hidden_act", "\"tanh\"", ["'hidden_act'"]),
            ("mamba", "rms_norm", "false", ["'rms_norm'"]), ("mamba", "use_bias", "0", ["'use_bias'"]),
            ("gpt_neox", "architectures", "[\"GPT2LMHeadModel\"]", ["'GPTNeoXForCausalLM'"]),
        ]
        for (name, key, json, words) in cases {
            assertRefused(words[0], words[words.count - 1], title: "\(name) \(key) \(json)") { try read(name, [(key, json)]) }
        }
    }

    func testEstimatesAreReadable() throws {
        let c = try read("gpt2")
        let line = c.trainingMemory(rows: 64, recompute: true).line
        XCTAssertTrue(line.hasPrefix("memory: parameters 134 KiB, gradients 134 KiB, moments 268 KiB, activations 94.0 KiB"), line)
        XCTAssertLessThan(c.trainingMemory(rows: 64, recompute: true).total, c.trainingMemory(rows: 64).total)
        XCTAssertEqual(c.trainingMemory(rows: .max).total, .max)
        XCTAssertFalse(c.trainingMemory(rows: .max).line.isEmpty)
    }
}
