// A checkpoint to go on from: a model's folder with the optimiser's state in it.
//
//     training-state.safetensors: tensors first.NAME and second.NAME (float32) for every parameter of the model; metadata
//         kind = "training state", version = "2", steps, fact.KEY for everything the caller saved,
//         file.NAME = XXH64 of every other file of the folder, and xxh64 of all of this and the data
import Compute
import Streams

/// A run's state, read from a checkpoint folder and verified.
///
/// Every byte of every file that was saved is under a checksum, the header's own strings and shapes included: a flipped bit or a file
/// exchanged for another run's is found when the state is loaded.
public struct TrainingState {
    /// The model as saved, mapped read only; `Trainer` copies it.
    public let model: Model
    /// Updates done.
    public let steps: Int
    /// What the caller saved along with it.
    public let facts: [String: String]
    /// The folder that it was read from.
    public let name: String
    private let moments: SafetensorsFile

    static let file = "training-state.safetensors"
    private static let kind = "training state"
    private static let version = "2"
    private static let factPrefix = "fact."
    private static let filePrefix = "file."
    static let checksumKey = "xxh64"

    /// Reads the state in `folder`. Throws `Failure`: 66 when there is none, 65 when any file of it is damaged or belongs elsewhere.
    public static func load(_ folder: String, pool: ThreadPool? = nil) throws -> TrainingState {
        AtomicFolder.recover(folder)
        let state = try open(folder)
        try verify(state, in: folder)
        let loaded = try ModelFolder.open(folder, pool: pool)
        try checkTensors(state, loaded.model)
        return TrainingState(model: loaded.model, steps: try steps(state), facts: facts(state), name: folder, moments: state)
    }

    /// What a state's header says, unverified: enough to tell whose it is. Nil where there is none that can be read.
    static func header(_ folder: String) -> (steps: Int, facts: [String: String])? {
        guard let state = try? SafetensorsFile.open(inside(folder, file)), state.metadata["kind"] == kind, let steps = try? steps(state)
        else { return nil }
        return (steps, facts(state))
    }

    /// Reads a saved state back, from the disk where the system lets go of what it remembers, and checks every byte.
    static func verify(_ folder: String) throws {
        for name in names(in: folder, ending: "") { forget(inside(folder, name)) }
        try verify(open(folder), in: folder)
    }

    private static func open(_ folder: String) throws -> SafetensorsFile {
        let path = inside(folder, file)
        if try isFolder(folder), !exists(path) {
            throw Failure(.cannotOpen, folder, .whole, "holds no '\(file)': there is nothing to go on from")
        }
        return try SafetensorsFile.open(path)
    }

    private static func steps(_ state: SafetensorsFile) throws -> Int {
        guard let steps = state.metadata["steps"].flatMap({ Int($0) }), steps >= 0 else {
            throw damaged(state, "metadata 'steps' is missing or no number")
        }
        return steps
    }

    private static func facts(_ state: SafetensorsFile) -> [String: String] {
        values(state, prefix: factPrefix)
    }

    private static func values(_ state: SafetensorsFile, prefix: String) -> [String: String] {
        let found = state.metadata.filter { $0.key.utf8.starts(with: prefix.utf8) }.map {
            (String($0.key.dropFirst(prefix.count)), $0.value)
        }
        return Dictionary(found) { first, _ in first }
    }

    /// Sets a trainer over this state's model to where the saved one stopped: its moments and its number of updates.
    public func restore(_ trainer: Trainer) throws {
        for (name, first, second) in trainer.moments {
            for (prefix, buffer) in [("first.", first), ("second.", second)] {
                guard let entry = moments.tensor(prefix + name), entry.range.count == buffer.count * 4 else {
                    throw Failure(
                        .badData, moments.name, .whole, "tensor '\(prefix)\(name)' is missing or has another size than the trainer's")
                }
                UnsafeMutableRawBufferPointer(start: buffer.pointer, count: entry.range.count).copyBytes(from: moments.bytes(entry))
            }
        }
        trainer.restore(steps: steps)
    }

    /// Saves a trainer's model, moments and number of updates, with `facts`, as a checkpoint folder that appears as a whole.
    ///
    /// `carryingTokenizerFrom`: as in `ModelFolder.save`. Throws `Failure` (73, 74). The same state gives the same bytes.
    /// Cost: three times the model in bytes, written and synced.
    public static func save(_ trainer: Trainer, facts: [String: String], to folder: String, carryingTokenizerFrom source: String?) throws {
        let new = try AtomicFolder(folder, marker: ModelFolder.configurationFile, files: ModelFolder.files(carrying: source))
        do { try write(trainer, facts, into: new, carrying: source) } catch let failure as Failure { throw new.named(failure) }
    }

    private static func write(_ trainer: Trainer, _ facts: [String: String], into new: AtomicFolder, carrying source: String?) throws {
        let written = try ModelFolder.write(trainer.model, into: new, carrying: source, precision: .float32)
        var metadata = [("kind", kind), ("version", version), ("steps", String(trainer.steps))]
        metadata += written.map { (filePrefix + $0.name, checksumText($0.checksum)) }
        metadata += facts.map { (factPrefix + $0.key, $0.value) }.sorted { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }
        var tensors: [SafetensorsWriter.Declaration] = []
        var values: [Buffer] = []
        for (parameter, moment) in zip(trainer.model.parameters, trainer.moments) {
            tensors += [("first." + parameter.name, .f32, parameter.shape), ("second." + parameter.name, .f32, parameter.shape)]
            values += [moment.first, moment.second]
        }
        var hash = headerHash(metadata, tensors)
        for buffer in values { hash.update(buffer.bytes) }
        metadata.append((checksumKey, checksumText(hash.digest())))
        let writer = try SafetensorsWriter(.file(new.path(file)), metadata: metadata, tensors: tensors)
        for buffer in values { try writer.write(buffer.bytes) }
        try writer.finish()
        try new.commit()
    }

    /// The hash of the metadata, sorted by key, and of the tensors' names, types and shapes; every string with its length before it.
    static func headerHash(_ metadata: [(String, String)], _ tensors: [SafetensorsWriter.Declaration]) -> XXH64 {
        var hash = XXH64()
        func add(_ text: String) {
            withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian) { hash.update($0) }
            Array(text.utf8).withUnsafeBytes { hash.update($0) }
        }
        for (key, value) in metadata.sorted(by: { $0.0.utf8.lexicographicallyPrecedes($1.0.utf8) }) {
            add(key)
            add(value)
        }
        for tensor in tensors {
            add(tensor.name)
            add(tensor.type.rawValue)
            add(tensor.shape.map { String($0) }.joined(separator: " "))
        }
        return hash
    }

    /// Checks the state file by itself, its kind and its checksum over header and data, and then every file beside it that it knows.
    private static func verify(_ state: SafetensorsFile, in folder: String) throws {
        guard state.metadata["kind"] == kind else { throw damaged(state, "its metadata says that it is no training state") }
        guard state.metadata["version"] == version else {
            throw Failure(
                .badData, state.name, .whole,
                "version '\(printable(state.metadata["version"] ?? ""))' of the training state is not supported")
        }
        guard let told = state.metadata[checksumKey] else { throw damaged(state, "its checksum is missing") }
        let metadata = state.metadata.filter { $0.key != checksumKey }.map { ($0.key, $0.value) }
        var hash = headerHash(metadata, state.tensors.map { ($0.name, $0.type, $0.shape) })
        for entry in state.tensors { hash.update(state.bytes(entry)) }
        let found = checksumText(hash.digest())
        guard found == told else { throw damaged(state, "its XXH64 is \(found), but its header says \(printable(told))") }
        let others = values(state, prefix: filePrefix)
        for name in [ModelFolder.configurationFile, HuggingFaceWeights.single] where others[name] == nil {
            throw damaged(state, "the checksum of '\(name)' is missing")
        }
        for (name, told) in others.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
            guard !name.utf8.contains(UInt8(ascii: "/")) else { throw damaged(state, "'\(printable(name))' is no name of a file") }
            try verify(inside(folder, name), told)
        }
    }

    /// Checks a file beside the state against the checksum that the state has of it.
    private static func verify(_ path: String, _ told: String) throws {
        let map = try MappedFile.open(path)
        let found = checksumText(XXH64.hash(map.bytes))
        guard found == told else {
            throw Failure(
                .badData, path, .whole, "its XXH64 is \(found), but '\(file)' says \(printable(told))",
                hint: "the file was damaged or changed after the state was saved")
        }
    }

    /// The moments must be those of this model: the same parameters, no others.
    private static func checkTensors(_ state: SafetensorsFile, _ model: Model) throws {
        for parameter in model.parameters {
            for prefix in ["first.", "second."] {
                guard let entry = state.tensor(prefix + parameter.name), entry.type == .f32, entry.shape == parameter.shape else {
                    throw damaged(state, "tensor '\(prefix)\(parameter.name)' is missing or has another shape than the model's")
                }
            }
        }
        guard state.tensors.count == 2 * model.parameters.count else { throw damaged(state, "it holds tensors that the model has not") }
    }

    private static func damaged(_ state: SafetensorsFile, _ message: String) -> Failure {
        Failure(.badData, state.name, .whole, message, hint: "the file was damaged after it was written: go back to an older checkpoint")
    }
}
