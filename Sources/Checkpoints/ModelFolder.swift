// Opening and saving models: Hugging Face folders, GGUF files, and a config.json alone.
import Compute
import Streams

/// Models in files.
public enum ModelFolder {
    static let configurationFile = "config.json"
    /// Files of a tokenizer, and of generation, that go along with a checkpoint; so does every `*.tiktoken`.
    static let carriedFiles = [
        "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "special_tokens_map.json", "vocab.json", "merges.txt",
        "added_tokens.json", "tekken.json", "chat_template.jinja", "generation_config.json",
    ]
    /// Every file that a checkpoint of ours may hold.
    static let allFiles = Set([configurationFile, HuggingFaceWeights.single, TrainingState.file] + carriedFiles)

    /// Opens the model at `path`: a Hugging Face folder (config.json and model.safetensors, or shards with their index) or a `.gguf`.
    ///
    /// Everything is checked before a weight is touched. Float32 weights are mapped, read only and not copied; other types are
    /// converted into new memory on the threads of `pool`. Weights that we saved are compared with their checksum.
    /// - onlyScored: matrices of other types are used from where they are mapped, in half of float32's memory or less; they have no
    ///   values to train, to save or to look at.
    /// Throws `Failure`: 66 when a file cannot be opened, 65 with the place of what is wrong.
    public static func open(_ path: String, onlyScored: Bool = false, pool: ThreadPool? = nil) throws -> LoadedModel {
        if try isFolder(path) { return try openFolder(path, onlyScored, pool) }
        let map = try MappedFile.open(path)
        guard isGGUF(map) else {
            throw notAModel(map, "a folder with a model or a GGUF file", hint: "give the folder that holds 'config.json'")
        }
        return try openGGUF(map, onlyScored, pool)
    }

    /// The configuration in a config.json, in a folder that holds one, or in a `.gguf`. Throws `Failure` (66, 65).
    public static func configuration(_ path: String) throws -> ModelConfiguration {
        try description(path).model
    }

    /// The model that training begins with: a saved one (a folder or a `.gguf`), or for a config.json alone a new one drawn from `seed`.
    ///
    /// A folder without weights is refused rather than taken for a new model: its download may not have finished.
    public static func startingPoint(_ path: String, seed: UInt64, pool: ThreadPool? = nil) throws -> Model {
        if try isFolder(path) || isGGUF(MappedFile.open(path)) { return try open(path, pool: pool).model }
        let configuration = try description(path).model
        do { return try Model.random(configuration, seed: seed, pool: pool) } catch let error as ComputeError {
            throw Failure(.badData, path, .whole, error.message)
        }
    }

    /// Throws `Failure.cannotCreate` (73) unless a checkpoint can be saved at `folder`: nothing is there, or an empty folder, or one that
    /// holds a config.json. For tools to ask before a long run.
    public static func checkDestination(_ folder: String) throws {
        try AtomicFolder.check(folder, marker: configurationFile)
    }

    /// Saves a model as a Hugging Face folder of its family that transformers, vLLM and llama.cpp's converter open.
    ///
    /// The folder appears, or replaces the old one, as a whole. `carrying`: the folder, config.json or `.gguf` that the model came from;
    /// the ids of its BOS and EOS go into config.json, and the files of its tokenizer beside it are copied.
    /// Throws `Failure` (73, 74; 65 or 66 for the files carried along).
    public static func save(
        _ model: Model, to folder: String, carrying source: String?, precision: Precision = .float32
    ) throws {
        let new = try AtomicFolder(folder, marker: configurationFile, files: files(carrying: source))
        _ = try write(model, into: new, carrying: source, precision: precision)
        try new.commit()
    }

    private static func openFolder(_ path: String, _ onlyScored: Bool, _ pool: ThreadPool?) throws -> LoadedModel {
        AtomicFolder.recover(path)
        let name = inside(path, configurationFile)
        guard exists(name) else {
            throw Failure(
                .cannotOpen, path, .whole, "holds no '\(configurationFile)'",
                hint: "a model is a folder with its config.json and weights, or a .gguf; train begins a new one from a config.json alone")
        }
        let configuration = try HuggingFaceConfiguration.read(name)
        let weights = try HuggingFaceWeights.open(path)
        let tensors = try weights.tensors(for: configuration.model, name)
        return LoadedModel(
            model: try Model(configuration.model, tensors, name: weights.name, onlyScored: onlyScored, pool: pool), name: path,
            bosID: configuration.ends.bos,
            eosIDs: configuration.ends.eosIDs, addsBOS: try TokenizerPolicy.addsBOS(path), files: weights.files)
    }

    private static func openGGUF(_ map: MappedFile, _ onlyScored: Bool, _ pool: ThreadPool?) throws -> LoadedModel {
        let path = map.name
        let file = try GGUFFile(map)
        let metadata = try GGUFConfiguration(file: file)
        let configuration = try metadata.read()
        let ends = try metadata.readEnds(vocabularySize: configuration.vocabularySize)
        let tensors = try GGUFWeights(file: file).tensors(for: configuration, metadata.family.gguf?.tensors ?? [])
        return LoadedModel(
            model: try Model(configuration, tensors, name: path, onlyScored: onlyScored, pool: pool), name: path, bosID: ends.bos,
            eosIDs: ends.eosIDs,
            addsBOS: try metadata.readAddsBOS(),
            remarks: file.trailingBytes > 0 ? ["\(path): \(file.trailingBytes) bytes behind the last tensor are ignored"] : [],
            files: WeightFiles([file.map]))
    }

    private static func isGGUF(_ map: MappedFile) -> Bool {
        map.bytes.starts(with: "GGUF".utf8)
    }

    private static func notAModel(_ map: MappedFile, _ expected: String, hint: String? = nil) -> Failure {
        let kind = FileKind(Array(map.bytes.prefix(FileKind.sniffed)))
        return Failure(.badData, map.name, .byte(0), "expected \(expected), found \(kind.title)", hint: kind.hint ?? hint)
    }

    /// What the files at `path` say of the model, whichever kind they are.
    private static func description(_ path: String) throws -> HuggingFaceConfiguration {
        if try isFolder(path) { return try HuggingFaceConfiguration.read(inside(path, configurationFile)) }
        let map = try MappedFile.open(path)
        guard isGGUF(map) else {
            // A damaged config.json has words of its own.
            guard [.jsonObject, .unknown].contains(FileKind(Array(map.bytes.prefix(FileKind.sniffed)))) else {
                throw notAModel(map, "a config.json, a folder with a model or a GGUF file")
            }
            return try HuggingFaceConfiguration.read(path)
        }
        let metadata = try GGUFConfiguration(file: GGUFFile(map))
        let configuration = try metadata.read()
        return HuggingFaceConfiguration(model: configuration, ends: try metadata.readEnds(vocabularySize: configuration.vocabularySize))
    }
}

/// The files of a checkpoint.
extension ModelFolder {
    /// The XXH64 of the files that were written, by their names.
    typealias Written = [(name: String, checksum: UInt64)]

    static func write(
        _ model: Model, into folder: AtomicFolder, carrying source: String?, precision: Precision
    ) throws -> Written {
        let ends = try source.map { try description($0).ends } ?? EndIDs()
        let text = HuggingFaceConfiguration(model: model.configuration, ends: ends).text(precision)
        let output = try ByteOutput.file(folder.path(configurationFile))
        try output.write(text)
        try output.close()
        let weights = try writeWeights(model, folder.path(HuggingFaceWeights.single), precision)
        return try [(configurationFile, text.withUnsafeBytes(XXH64.hash)), (HuggingFaceWeights.single, weights)]
            + (source.map { try carry($0, folder) } ?? [])
    }

    /// Writes the tensors as the family's files hold them, twice computed where they are not the model's own: once for the checksum in
    /// front, once to be written, so that no more than one is in memory.
    private static func writeWeights(_ model: Model, _ path: String, _ precision: Precision) throws -> UInt64 {
        let layouts = StoredLayout.all(Family.of(model.configuration).tensors, model.configuration)
        let buffers = Dictionary(uniqueKeysWithValues: model.parameters.map { ($0.name, $0.value) })
        func eachTensor(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
            for layout in layouts { try precision.eachPart(layout.values(layout.parts.map { buffers[$0.name]! }), body) }
        }
        var hash = XXH64()
        eachTensor { hash.update($0) }
        let writer = try SafetensorsWriter(
            .file(path), metadata: [("format", "pt"), (HuggingFaceWeights.checksumKey, checksumText(hash.digest()))],
            tensors: layouts.map { ($0.names[0], precision.type, $0.shape) })
        try eachTensor(writer.write)
        return try writer.finish()
    }

    /// The names that a folder may hold whose other files come from `source`.
    static func files(carrying source: String?) throws -> Set<String> {
        try allFiles.union(source.map { try carriedNames($0) } ?? [])
    }

    private static func carriedNames(_ source: String) throws -> [String] {
        let directory = try directory(of: source)
        return carriedFiles.filter { exists(inside(directory, $0)) } + names(in: directory, ending: ".tiktoken")
    }

    /// The files beside the model at `path` that go with it wherever it is saved, its vocabulary among them; a GGUF file has its own.
    public static func carriedPaths(_ path: String) throws -> [String] {
        if try !isFolder(path), try isGGUF(MappedFile.open(path)) { return [path] }
        let directory = try directory(of: path)
        return try carriedNames(path).map { inside(directory, $0) }
    }

    /// The folder of a model, or the one in which its file stands.
    private static func directory(of path: String) throws -> String { try isFolder(path) ? path : parent(of: path) }

    private static func carry(_ source: String, _ folder: AtomicFolder) throws -> Written {
        let directory = try directory(of: source)
        return try carriedNames(source).map { file in
            let map = try MappedFile.open(inside(directory, file))
            let output = try ByteOutput.file(folder.path(file))
            try output.write(map.bytes)
            try output.close()
            return (file, XXH64.hash(map.bytes))
        }
    }
}

extension Buffer {
    /// The values as they are written to a file: little-endian, which is the order of every machine this program runs on.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: pointer, count: count * MemoryLayout<Float>.size) }
}
