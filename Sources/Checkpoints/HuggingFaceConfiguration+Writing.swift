// config.json as transformers 4 and 5, llama.cpp's converter and vLLM read it.
import Compute
import Streams

extension HuggingFaceConfiguration {
    /// The text of the file, for weights of this type.
    func text(_ precision: Precision) -> [UInt8] {
        let family = Family.of(model)
        var object = LinedObject()
        object.add("architectures") { json in
            json.beginArray()
            json.string(family.architecture)
            json.endArray()
        }
        object.add("model_type") { $0.string(family.name) }
        for key in family.keys { key.write(model, &object) }
        object.add("use_cache") { $0.boolean(true) }
        object.add("torch_dtype") { $0.string(precision.rawValue) }
        object.add("bos_token_id") { $0.identifiers(ends.bos.map { [$0] } ?? []) }
        object.add("eos_token_id") { $0.identifiers(ends.eosIDs) }
        // Always there: a class's own default may lie outside this vocabulary.
        object.add("pad_token_id") { $0.identifiers(ends.padding.map { [$0] } ?? []) }
        return object.text
    }
}

/// A JSON object with a member on each line, for people to read.
struct LinedObject {
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

extension JSONText {
    /// Nothing as null, one id as a number, several as an array.
    fileprivate mutating func identifiers(_ ids: [UInt32]) {
        guard ids.count != 1 else { return integer(Int(ids[0])) }
        guard !ids.isEmpty else { return null() }
        beginArray()
        for id in ids { integer(Int(id)) }
        endArray()
    }
}
