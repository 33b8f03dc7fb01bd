// Models in files that the checkpoint tests share.
import Compute
import Streams
import TestSupport
import XCTest

/// The path of a committed file.
func fixture(_ name: String) -> String {
    #filePath.replacingOccurrences(of: "CheckpointsTests/CheckpointTestSupport.swift", with: "fixtures/\(name)")
}

/// The values of a tensor of float32.
func floats(_ file: SafetensorsFile, _ name: String) throws -> [Float] {
    let bytes = file.bytes(try XCTUnwrap(file.tensor(name), name))
    return (0..<bytes.count / 4).map { Float(bitPattern: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
}

/// A model small enough to write a hundred times.
func smallModel(tied: Bool = true, seed: UInt64 = 1) throws -> Model {
    let configuration = ModelConfiguration(
        vocabularySize: 11, width: 8, layers: 1, heads: 2, keyValueHeads: 1, headWidth: 4, hiddenWidth: 6, maximumPositions: 32,
        ropeTheta: 5000, tiedEmbeddings: tied)
    return try Model.random(configuration, seed: seed)
}

/// config.json of `smallModel`, with members replaced ("null" for none) or added.
func configurationText(_ changes: [(String, String)] = []) -> String {
    var members = [
        ("architectures", "[\"LlamaForCausalLM\"]"), ("model_type", "\"llama\""), ("vocab_size", "11"), ("hidden_size", "8"),
        ("intermediate_size", "6"), ("num_hidden_layers", "1"), ("num_attention_heads", "2"), ("num_key_value_heads", "1"),
        ("hidden_act", "\"silu\""), ("max_position_embeddings", "32"), ("rms_norm_eps", "1e-05"), ("rope_theta", "5000.0"),
        ("tie_word_embeddings", "true"), ("bos_token_id", "1"), ("eos_token_id", "2"), ("torch_dtype", "\"float32\""),
    ]
    for (key, value) in changes {
        if let place = members.firstIndex(where: { $0.0 == key }) { members[place].1 = value } else { members.append((key, value)) }
    }
    return "{" + members.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}"
}

/// A safetensors file of these tensors, in this order; `odd` leaves the data unaligned.
func safetensors(_ tensors: [(name: String, type: String, shape: [Int], bytes: [UInt8])], odd: Bool = false) -> [UInt8] {
    var offset = 0
    let members = tensors.map { tensor in
        defer { offset += tensor.bytes.count }
        return
            "\"\(tensor.name)\":{\"dtype\":\"\(tensor.type)\",\"shape\":\(tensor.shape),\"data_offsets\":[\(offset),\(offset + tensor.bytes.count)]}"
    }
    var json = "{" + members.joined(separator: ",") + "}"
    while json.utf8.count % 8 != (odd ? 1 : 0) { json += " " }
    return safetensorsBytes(json, data: tensors.flatMap(\.bytes))
}

/// The tensors of a model for `safetensors`, float32.
func tensors(_ model: Model) -> [(name: String, type: String, shape: [Int], bytes: [UInt8])] {
    model.parameters.map { ($0.name, "F32", $0.shape, float32Bytes($0.value.array)) }
}

/// Fails unless both models have the same configuration and the same bits.
func assertSameModel(_ a: Model, _ b: Model, _ title: String = "", file: StaticString = #filePath, line: UInt = #line) {
    XCTAssertEqual(a.configuration, b.configuration, title, file: file, line: line)
    for (x, y) in zip(a.parameters, b.parameters) {
        assertSameBits(x.value.array, y.value.array, "\(title) \(x.name)", file: file, line: line)
    }
}
