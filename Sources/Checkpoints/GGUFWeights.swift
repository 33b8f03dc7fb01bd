// The tensors of a GGUF file under their Hugging Face names.
import Compute
import Streams

/// Finds the tensors of a Llama model in a GGUF file.
struct GGUFWeights {
    let file: GGUFFile

    /// Every tensor that a model of this shape needs, each checked for name, shape and type. A tensor that no such model has is refused.
    func tensors(for configuration: LlamaConfiguration) throws -> [String: StoredTensor] {
        var found: [String: StoredTensor] = [:]
        var used: Set<[UInt8]> = []
        for (name, shape) in configuration.parameterShapes {
            let stored = GGUFWeights.storedName(name)
            guard let tensor = file.tensor(stored) else { throw Failure(.badData, file.name, .whole, "tensor '\(stored)' is missing") }
            let place = Failure.Place.byte(tensor.range.lowerBound)
            guard tensor.shape == shape else {
                throw Failure(
                    .badData, file.name, place, "tensor '\(stored)' has the shape \(tensor.shape), but the metadata asks for \(shape)")
            }
            used.insert(Array(stored.utf8))
            found[name] = StoredTensor(
                form: try GGUFWeights.form(tensor, file.name), shape: shape, bytes: file.bytes(tensor), owner: file.map,
                interleavedHeads: GGUFWeights.interleavedHeads(name, configuration))
        }
        if let extra = file.tensors.first(where: { !used.contains(Array($0.name.utf8)) }) {
            let scaled = extra.name == "rope_freqs.weight"
            throw Failure(
                .badData, file.name, .byte(extra.range.lowerBound),
                "tensor '\(printable(extra.name))' does not belong to a plain Llama model",
                hint: scaled ? "it scales rotary positions, which is not supported" : nil)
        }
        return found
    }

    /// `model.layers.3.self_attn.q_proj.weight` is `blk.3.attn_q.weight`.
    static func storedName(_ name: String) -> String {
        switch name {
        case "model.embed_tokens.weight": return "token_embd.weight"
        case "model.norm.weight": return "output_norm.weight"
        case "lm_head.weight": return "output.weight"
        default: break
        }
        let parts = name.split(separator: ".")
        let last = parts.dropLast().last.map(String.init) ?? ""
        let names = [
            "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "q_proj": "attn_q", "k_proj": "attn_k",
            "v_proj": "attn_v",
            "o_proj": "attn_output", "gate_proj": "ffn_gate", "up_proj": "ffn_up", "down_proj": "ffn_down",
        ]
        guard parts.count >= 4, let stored = names[last] else { preconditionFailure("bug: no GGUF name for '\(name)'") }
        return "blk.\(parts[2]).\(stored).weight"
    }

    /// The heads of a query or key matrix, whose rows llama.cpp reorders; nil for other tensors.
    private static func interleavedHeads(_ name: String, _ configuration: LlamaConfiguration) -> Int? {
        if name.utf8.reversed().starts(with: "self_attn.q_proj.weight".utf8.reversed()) { return configuration.heads }
        if name.utf8.reversed().starts(with: "self_attn.k_proj.weight".utf8.reversed()) { return configuration.keyValueHeads }
        return nil
    }

    private static func form(_ tensor: GGUFTensor, _ name: String) throws -> StoredTensor.Form {
        switch tensor.type {
        case .f32: return .float32
        case .f16: return .stored(.f16)
        case .bf16: return .stored(.bf16)
        case .q8_0: return .stored(.q8_0)
        case .q4_0: return .stored(.q4_0)
        case .q4_1: return .stored(.q4_1)
        default:
            let readable = GGUFTensorType.allCases.filter(\.isReadable).map(\.name).joined(separator: ", ")
            throw Failure(
                .badData, name, .byte(tensor.range.lowerBound),
                "tensor '\(printable(tensor.name))' is \(tensor.type.name), which is not supported yet",
                hint: "read are \(readable): quantise the model to one of them")
        }
    }
}
