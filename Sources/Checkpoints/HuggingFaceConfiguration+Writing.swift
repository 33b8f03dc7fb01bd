// config.json as transformers 4 and 5, llama.cpp's converter and vLLM read it.
import Compute
import Streams

extension HuggingFaceConfiguration {
    /// The text of the file. The base of the rotary embedding stands twice: `rope_theta` for transformers 4, `rope_parameters` for 5.
    var text: [UInt8] {
        var object = LinedObject()
        object.add("architectures") { json in
            json.beginArray()
            json.string("LlamaForCausalLM")
            json.endArray()
        }
        object.add("model_type") { $0.string("llama") }
        object.add("vocab_size") { $0.integer(llama.vocabularySize) }
        object.add("hidden_size") { $0.integer(llama.width) }
        object.add("intermediate_size") { $0.integer(llama.hiddenWidth) }
        object.add("num_hidden_layers") { $0.integer(llama.layers) }
        object.add("num_attention_heads") { $0.integer(llama.heads) }
        object.add("num_key_value_heads") { $0.integer(llama.keyValueHeads) }
        object.add("head_dim") { $0.integer(llama.headWidth) }
        object.add("hidden_act") { $0.string("silu") }
        object.add("max_position_embeddings") { $0.integer(llama.maximumPositions) }
        object.add("rms_norm_eps") { $0.number(llama.normEpsilon) }
        object.add("rope_theta") { $0.number(llama.ropeTheta) }
        object.add("rope_parameters") { json in
            json.beginObject()
            json.member("rope_theta", llama.ropeTheta)
            json.member("rope_type", "default")
            json.endObject()
        }
        object.add("initializer_range") { $0.number(llama.initializerRange) }
        object.add("tie_word_embeddings") { $0.boolean(llama.tiedEmbeddings) }
        object.add("attention_bias") { $0.boolean(false) }
        object.add("attention_dropout") { $0.number(0.0) }
        object.add("mlp_bias") { $0.boolean(false) }
        object.add("use_cache") { $0.boolean(true) }
        object.add("torch_dtype") { $0.string("float32") }
        object.add("bos_token_id") { json in if let id = ends.bos { json.integer(Int(id)) } else { json.null() } }
        object.add("eos_token_id") { json in if let id = ends.eos { json.integer(Int(id)) } else { json.null() } }
        return object.text
    }
}

/// A JSON object with a member on each line, for people to read.
private struct LinedObject {
    private var members: [UInt8] = []

    mutating func add(_ name: String, _ write: (inout JSONText) -> Void) {
        var json = JSONText()
        json.string(name)
        members += Array((members.isEmpty ? "{\n  " : ",\n  ").utf8) + json.bytes + Array(": ".utf8)
        json.removeAll()
        write(&json)
        members += json.bytes
    }

    var text: [UInt8] { members + Array("\n}\n".utf8) }
}
