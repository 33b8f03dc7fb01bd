// config.json as transformers 4 and 5, llama.cpp's converter and vLLM read it.
import Compute
import Streams

extension HuggingFaceConfiguration {
    /// The text of the file. The base of the rotary embedding stands twice: `rope_theta` for transformers 4, `rope_parameters` for 5.
    var text: [UInt8] {
        var members: [(String, (inout JSONText) -> Void)] = [
            ("architectures", { $0.beginArray(); $0.string("LlamaForCausalLM"); $0.endArray() }),
            ("model_type", { $0.string("llama") }),
            ("vocab_size", { $0.integer(llama.vocabularySize) }),
            ("hidden_size", { $0.integer(llama.width) }),
            ("intermediate_size", { $0.integer(llama.hiddenWidth) }),
            ("num_hidden_layers", { $0.integer(llama.layers) }),
            ("num_attention_heads", { $0.integer(llama.heads) }),
            ("num_key_value_heads", { $0.integer(llama.keyValueHeads) }),
            ("head_dim", { $0.integer(llama.headWidth) }),
            ("hidden_act", { $0.string("silu") }),
            ("max_position_embeddings", { $0.integer(llama.maximumPositions) }),
            ("rms_norm_eps", { $0.number(llama.normEpsilon) }),
            ("rope_theta", { $0.number(llama.ropeTheta) }),
            ("rope_parameters", { json in
                json.beginObject()
                json.member("rope_theta", llama.ropeTheta)
                json.member("rope_type", "default")
                json.endObject()
            }),
            ("initializer_range", { $0.number(llama.initializerRange) }),
            ("tie_word_embeddings", { $0.boolean(llama.tiedEmbeddings) }),
            ("attention_bias", { $0.boolean(false) }),
            ("attention_dropout", { $0.number(0.0) }),
            ("mlp_bias", { $0.boolean(false) }),
            ("use_cache", { $0.boolean(true) }),
            ("torch_dtype", { $0.string("float32") }),
        ]
        for (name, id) in [("bos_token_id", ends.bos), ("eos_token_id", ends.eos)] {
            members.append((name, { json in if let id { json.integer(Int(id)) } else { json.null() } }))
        }
        var bytes: [UInt8] = []
        for (index, (name, write)) in members.enumerated() {
            var json = JSONText()
            json.string(name)
            bytes += Array((index == 0 ? "{\n  " : ",\n  ").utf8) + json.bytes + Array(": ".utf8)
            json.removeAll()
            write(&json)
            bytes += json.bytes
        }
        return bytes + Array("\n}\n".utf8)
    }
}
