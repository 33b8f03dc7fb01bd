// The weights of a Hugging Face folder: one safetensors file, or shards with an index.
import Compute
import Streams

/// The safetensors files of a folder, opened and checked against their index, if they have one.
struct HuggingFaceWeights {
    static let single = "model.safetensors"
    static let index = "model.safetensors.index.json"
    /// The longest index accepted: about 100,000 tensors.
    static let longestIndex = 16 << 20
    /// Under this key of `__metadata__` our own files hold the XXH64 of their data bytes.
    static let checksumKey = "data_xxh64"

    /// The weights, for messages.
    let name: String
    let files: WeightFiles
    /// Where each tensor is, by the bytes of its name.
    private let places: [[UInt8]: Place]
    private typealias Place = (file: SafetensorsFile, entry: TensorEntry)

    /// Opens the weights in `folder`. Throws `Failure` (66, 65): every file is whole, and shards and index agree.
    static func open(_ folder: String) throws -> HuggingFaceWeights {
        let (single, index) = (inside(folder, single), inside(folder, index))
        if exists(single) { return try openSingle(single) }
        guard exists(index) else { throw missing(folder) }
        return try openShards(folder, index)
    }

    private static func openSingle(_ path: String) throws -> HuggingFaceWeights {
        let file = try openVerified(path)
        let places = Dictionary(file.tensors.map { (Array($0.name.utf8), (file, $0)) }) { first, _ in first }
        return HuggingFaceWeights(name: path, files: WeightFiles([file.map]), places: places)
    }

    private static func openShards(_ folder: String, _ path: String) throws -> HuggingFaceWeights {
        let map = try MappedFile.open(path)
        func failure(_ message: String) -> Failure { Failure(.badData, path, .whole, message) }
        let index = try readIndex(map)
        if let absent = index.files.first(where: { !exists(inside(folder, $0.name)) }) {
            throw failure("names the shard '\(printable(absent.name))', which is missing")
        }
        var maps = [map]
        var places: [[UInt8]: Place] = [:]
        for (shard, names) in index.files {
            let title = "the shard '\(printable(shard))'"
            let file = try openVerified(inside(folder, shard))
            maps.append(file.map)
            for entry in file.tensors {
                guard names.contains(Array(entry.name.utf8)) else {
                    throw failure("does not place tensor '\(printable(entry.name))' in \(title), which holds it")
                }
                places[Array(entry.name.utf8)] = (file, entry)
            }
            if let absent = names.first(where: { places[$0] == nil }) {
                throw failure("places tensor '\(printable(absent))' in \(title), which does not hold it")
            }
        }
        let total = places.values.reduce(0) { $0 + $1.entry.range.count }
        if let told = index.totalSize, told != total {
            throw failure("'total_size' is \(told), but the shards hold \(total) bytes of tensors")
        }
        return HuggingFaceWeights(name: path, files: WeightFiles(maps), places: places)
    }

    /// Every tensor that a model of this shape needs, each checked for name, shape and type.
    ///
    /// Refused are missing tensors and tensors that no such model has, but for those that carry no information: masks and angles of old
    /// checkpoints (`Family.unneeded`), and a head beside tied embeddings that holds the same bytes as them (transformers 4 would drop
    /// it, transformers 5 would untie it if it differed).
    func tensors(for configuration: ModelConfiguration, _ configurationName: String) throws -> [String: StoredTensor] {
        let family = Family.of(configuration)
        var found: [String: StoredTensor] = [:]
        var used: Set<[UInt8]> = []
        for layout in StoredLayout.all(family.tensors, configuration) {
            let present = layout.names.filter { places[Array($0.utf8)] != nil }
            guard let name = present.first, let (file, entry) = places[Array(name.utf8)] else {
                let hint = layout.stored.roles == [.head] ? "set 'tie_word_embeddings' to true if the head is the embedding matrix" : nil
                throw Failure(.badData, self.name, .whole, "tensor '\(layout.names[0])' is missing", hint: hint)
            }
            if present.count > 1 {
                throw Failure(.badData, self.name, .whole, "holds '\(present[0])' and '\(present[1])', two names of one tensor")
            }
            guard entry.shape == layout.shape else {
                throw Failure(
                    .badData, file.name, .byte(entry.range.lowerBound),
                    "tensor '\(name)' has the shape \(entry.shape), but \(configurationName) asks for \(layout.shape)")
            }
            let form = try Self.form(entry, file)
            used.insert(Array(name.utf8))
            for (part, tensor) in layout.parts.enumerated() {
                found[tensor.name] = StoredTensor(layout, part: part, form: form, bytes: file.bytes(entry), owner: file.map)
            }
        }
        for (file, entry) in places.values where !used.contains(Array(entry.name.utf8)) {
            try checkExtra(file, entry, configuration, family)
        }
        return found
    }

    private static func form(_ entry: TensorEntry, _ file: SafetensorsFile) throws -> StoredTensor.Form {
        switch entry.type {
        case .f32: return .float32
        case .f16: return .stored(.f16)
        case .bf16: return .stored(.bf16)
        default:
            throw Failure(
                .badData, file.name, .byte(entry.range.lowerBound),
                "tensor '\(printable(entry.name))' is \(entry.type.rawValue), which is not supported; F32, F16 and BF16 are")
        }
    }

    private func checkExtra(_ file: SafetensorsFile, _ entry: TensorEntry, _ configuration: ModelConfiguration, _ family: Family) throws {
        if family.unneeded.contains(where: { entry.name.utf8.reversed().starts(with: $0.utf8.reversed()) }) { return }
        func names(_ role: TensorRole) -> [String] { family.tensors.first { $0.roles == [role] }?.names ?? [] }
        if configuration.tiedEmbeddings, names(.head).contains(where: { $0.utf8.elementsEqual(entry.name.utf8) }),
            let (other, embedding) = names(.embedding).compactMap({ places[Array($0.utf8)] }).first
        {
            if entry.type == embedding.type, sameBytes(file.bytes(entry), other.bytes(embedding)) { return }
            throw Failure(
                .badData, file.name, .byte(entry.range.lowerBound),
                "tensor '\(printable(entry.name))' differs from the embeddings that it is tied to",
                hint: "set 'tie_word_embeddings' to false in config.json if the head is a matrix of its own")
        }
        throw Failure(.badData, file.name, .byte(entry.range.lowerBound), "tensor '\(printable(entry.name))' does not belong to this model")
    }

    /// Opens a file and compares its data with the checksum that our own files carry; files without one pass.
    private static func openVerified(_ path: String) throws -> SafetensorsFile {
        let file = try SafetensorsFile.open(path)
        guard let told = file.metadata[checksumKey] else { return file }
        let start = file.tensors.first?.range.lowerBound ?? file.map.bytes.count
        let found = checksumText(XXH64.hash(file.map[start..<file.map.bytes.count]))
        guard found == told else {
            throw Failure(
                .badData, path, .byte(start), "the data's XXH64 is \(found), but the header says \(printable(told))",
                hint: "the file was damaged after it was written: fetch or restore it")
        }
        return file
    }

    private static func missing(_ folder: String) -> Failure {
        let pickles = ["pytorch_model.bin", "pytorch_model.bin.index.json"].contains { exists(inside(folder, $0)) }
        return Failure(
            .cannotOpen, folder, .whole, "holds neither '\(single)' nor '\(index)'",
            hint: pickles
                ? "convert its pytorch_model.bin to safetensors: a pickle can run code and is never opened"
                : "train begins a new model of this shape where its config.json is named, not the folder")
    }
}

/// The index of a sharded checkpoint.
extension HuggingFaceWeights {
    /// The shards in the order of their names, each with the names of its tensors.
    struct Shards {
        var files: [(name: String, tensors: Set<[UInt8]>)]
        var totalSize: Int?
    }

    static func readIndex(_ map: MappedFile) throws -> Shards {
        func failure(_ message: String) -> Failure { Failure(.badData, map.name, .whole, message) }
        guard map.bytes.count <= longestIndex else { throw failure("\(map.bytes.count) bytes, more than the \(longestIndex) allowed") }
        let json = try JSONValue.parse(map.bytes, name: map.name)
        guard let places = json["weight_map"], places.kind == .object, places.count > 0 else {
            throw failure("key 'weight_map' must be an object with the shard of every tensor")
        }
        var shards: [[UInt8]: Set<[UInt8]>] = [:]
        try places.forEachEntry { tensor, shard in
            // A shard is a file beside the index: no folder, no way up or out.
            guard let file = shard.bytes, !file.isEmpty, file != Array(".".utf8), file != Array("..".utf8),
                !file.contains(UInt8(ascii: "/")), !file.contains(0)
            else {
                throw failure(
                    "tensor '\(printable(tensor))': the shard must be the plain name of a file, found \(ConfigurationKeys.title(shard))")
            }
            shards[file, default: []].insert(Array(tensor))
        }
        let size = json["metadata"]?["total_size"]
        guard size == nil || size?.integer != nil else { throw failure("key 'total_size' must be an integer") }
        let ordered = shards.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return Shards(files: ordered.map { (String(decoding: $0.key, as: UTF8.self), $0.value) }, totalSize: size?.integer)
    }
}
