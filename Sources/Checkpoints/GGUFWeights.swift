// The tensors of a GGUF file, by the model's own names.
import Compute
import Streams

/// Finds the tensors of a model in a GGUF file.
struct GGUFWeights {
    let file: GGUFFile

    /// Every tensor that a model of this shape needs, each checked for name, shape and type. A tensor that no such model has is refused.
    func tensors(for configuration: ModelConfiguration, _ names: [StoredName]) throws -> [String: StoredTensor] {
        var found: [String: StoredTensor] = [:]
        var used: Set<[UInt8]> = []
        for layout in StoredLayout.all(names, configuration) {
            let stored = layout.names[0]
            guard let tensor = file.tensor(stored) else { throw Failure(.badData, file.name, .whole, "tensor '\(stored)' is missing") }
            let place = Failure.Place.byte(tensor.range.lowerBound)
            guard tensor.shape == layout.shape else {
                throw Failure(
                    .badData, file.name, place,
                    "tensor '\(stored)' has the shape \(tensor.shape), but the metadata asks for \(layout.shape)")
            }
            let form = try form(tensor)
            used.insert(Array(stored.utf8))
            for (part, shape) in layout.parts.enumerated() {
                found[shape.name] = StoredTensor(layout, part: part, form: form, bytes: file.bytes(tensor), owner: file.map)
            }
        }
        if configuration.ropeScaling != .none { used.insert(Array(GGUFConfiguration.divisors.utf8)) }
        if let extra = file.tensors.first(where: { !used.contains(Array($0.name.utf8)) }) {
            throw Failure(
                .badData, file.name, .byte(extra.range.lowerBound),
                "tensor '\(printable(extra.name))' does not belong to a model of the family '\(configuration.family)' with this metadata")
        }
        return found
    }

    private func form(_ tensor: GGUFTensor) throws -> StoredTensor.Form {
        let form: StoredTensor.Form
        switch tensor.type {
        case .f32: return .float32
        case .f16: return .stored(.f16)
        case .bf16: return .stored(.bf16)
        case .q8_0: form = .stored(.q8_0)
        case .q4_0: form = .stored(.q4_0)
        case .q4_1: form = .stored(.q4_1)
        case .q5_0: form = .stored(.q5_0)
        case .q5_1: form = .stored(.q5_1)
        case .q4_k: form = .stored(.q4_k)
        case .q5_k: form = .stored(.q5_k)
        case .q6_k: form = .stored(.q6_k)
        default:
            let readable = GGUFTensorType.allCases.filter(\.isReadable).map(\.name).joined(separator: ", ")
            throw Failure(
                .badData, file.name, .byte(tensor.range.lowerBound),
                "tensor '\(printable(tensor.name))' is \(tensor.type.name), which is not supported yet",
                hint: "read are \(readable): quantise the model to one of them")
        }
        guard tensor.shape.count > 1 else {
            throw Failure(
                .badData, file.name, .byte(tensor.range.lowerBound),
                "tensor '\(printable(tensor.name))' is a vector in \(tensor.type.name); vectors are read in F32, F16 and BF16")
        }
        return form
    }
}
