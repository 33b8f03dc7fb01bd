// Files of models: config.json, the index of shards, a GGUF's metadata and tensors, the state of a run.
import Glibc

@testable import Checkpoints
@testable import Compute
@testable import FuzzTargets
@testable import Streams

/// Every target that needs models.
public let fuzzModelTargets: [FuzzTarget] = [.config, .index, .ggufModel, .trainingState]

extension FuzzTarget {
    /// A configuration that is accepted, written and read again is the same.
    static let config = FuzzTarget("config", longest: 1536) { bytes in
        let read = try HuggingFaceConfiguration.read(file.path(bytes))
        let text = read.text(.float32)
        let again: HuggingFaceConfiguration
        do { again = try text.withUnsafeBytes { try HuggingFaceConfiguration.read(file.path($0)) } } catch let failure as Failure {
            preconditionFailure("what we write is refused: \(failure)\n\(String(decoding: text, as: UTF8.self))")
        }
        agree(again.model == read.model, "another model: \(read.model)\n\(again.model)")
        agree(again.ends == read.ends, "other ends: \(read.ends), \(again.ends)")
    }

    static let index = FuzzTarget("index", longest: 512) { bytes in
        let shards = try HuggingFaceWeights.readIndex(mapped(bytes))
        agree(
            !shards.files.isEmpty && shards.files.allSatisfy { !$0.tensors.isEmpty && !$0.name.utf8.contains(0x2F) }, "a shard of nothing")
    }

    static let ggufModel = FuzzTarget("gguf-model", longest: 3072) { bytes in
        let file = try GGUFFile(mapped(bytes))
        let metadata = try GGUFConfiguration(file: file)
        let configuration = try metadata.read()
        _ = try metadata.readEnds(vocabularySize: configuration.vocabularySize)
        _ = try metadata.readAddsBOS()
        let tensors = try GGUFWeights(file: file).tensors(for: configuration, metadata.family.gguf?.tensors ?? [])
        let model = try Model(configuration, tensors, name: "input", onlyScored: false, pool: nil)
        agree(model.parameters.reduce(0) { $0 + $1.value.count } <= 8 * bytes.count, "more weights than the file holds")
    }

    /// The state of the checkpoint beside these sources, with its checksum put right.
    static let trainingState = FuzzTarget("training-state", longest: 4096) { bytes in
        var mended = Array(bytes)
        mended.withUnsafeMutableBytes { mendState($0) }
        let state = scratch + "/" + TrainingState.file
        let descriptor = open(state, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(descriptor >= 0 && write(descriptor, mended, mended.count) == mended.count, "cannot write \(state)")
        close(descriptor)
        do {
            let loaded = try TrainingState.load(scratch)
            agree(loaded.steps >= 0, "\(loaded.steps) steps")
        } catch let failure as Failure where failure.status == .cannotOpen {
            // A file that the state names, and that is not there.
        }
    }

    private static let file = MemoryFile()

    /// A folder in memory with the checkpoint's configuration and weights.
    private static let scratch: String = {
        var template = Array("/dev/shm/fuzz-state-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { preconditionFailure("no scratch folder") }
        let folder = String(cString: made)
        let source = #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/checkpoint/"
        for name in ["config.json", "model.safetensors"] {
            do {
                let output = try ByteOutput.file(folder + "/" + name)
                let map = try MappedFile.open(source + name)
                try output.write(map.bytes)
                try output.close()
            } catch { preconditionFailure("\(error)") }
        }
        atexit { FuzzTarget.removeScratch() }
        return folder
    }()

    private static func removeScratch() {
        for name in ["config.json", "model.safetensors", TrainingState.file] { unlink(scratch + "/" + name) }
        rmdir(scratch)
    }
}

/// Writes the XXH64 of a state into its header, if one stands there.
private func mendState(_ bytes: UnsafeMutableRawBufferPointer) {
    guard let state = try? SafetensorsFile(mapped(UnsafeRawBufferPointer(bytes))) else { return }
    let metadata = state.metadata.filter { $0.key != TrainingState.checksumKey }.map { ($0.key, $0.value) }
    var hash = TrainingState.headerHash(metadata, state.tensors.map { ($0.name, $0.type, $0.shape) })
    for entry in state.tensors { hash.update(state.bytes(entry)) }
    let header = 8..<8 + Int(bytes.loadUnaligned(as: UInt64.self))
    writeHexadecimal(hash.digest(), 16, "\"xxh64\":\"", header, bytes)
}
