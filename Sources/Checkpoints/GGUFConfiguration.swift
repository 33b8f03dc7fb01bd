// The metadata of a GGUF file as the configuration of a model.
import Compute
import Glibc
import Streams

/// Reads the keys of a GGUF file of a known family; every refusal names its key.
struct GGUFConfiguration {
    let file: GGUFFile
    /// The family whose architecture the file names.
    let family: Family
    private let gguf: GGUFFamily

    /// Throws `Failure.badData` unless the file's architecture is known.
    init(file: GGUFFile) throws {
        self.file = file
        let key = "general.architecture"
        guard let value = file.value(key) else { throw Self.failure(file, key, "is missing") }
        guard let name = value.bytes else { throw Self.failure(file, key, "must be a string, found \(value.kind)") }
        let known = Family.all.compactMap { family in family.gguf.map { (family, $0) } }
        guard let found = known.first(where: { name.elementsEqual($0.1.architecture.utf8) }) else {
            throw Self.failure(
                file, key, "is '\(printable(name))'; \(Family.list(known.map(\.1.architecture))) are supported",
                hint: "other families compute differently")
        }
        (family, gguf) = found
    }

    /// Keys below the architecture's name that are read, or that say nothing about the computation.
    private static let known: Set = [
        "vocab_size", "context_length", "embedding_length", "block_count", "feed_forward_length", "rope.dimension_count", "rope.freq_base",
        "attention.head_count", "attention.head_count_kv", "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon",
        "attention.key_length", "attention.value_length", "tensor_data_layout", "use_parallel_residual", "ssm.conv_kernel",
        "ssm.inner_size",
        "ssm.state_size", "ssm.time_step_rank", "rope.scaling.type", "rope.scaling.factor", "rope.scaling.original_context_length",
        "rope.scaling.finetuned", "rope.scaling.attn_factor",
    ]

    /// The configuration. Throws `Failure.badData` with the byte of the entry that is wrong.
    func read() throws -> ModelConfiguration {
        for key in file.keys where key.utf8.starts(with: "\(gguf.architecture).".utf8) { try checkVariant(key) }
        var c = family.blank
        c.width = try size("embedding_length")
        c.layers = try size("block_count")
        c.vocabularySize = try readVocabularySize()
        c.maximumPositions = try size("context_length")
        let epsilon = c.norm == .layer ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon"
        c.normEpsilon = Float(try positive(epsilon))
        c.tiedEmbeddings = !has("output.weight")
        c.initializerRange = 0.02
        if c.stateSpace == nil { try readAttention(&c) } else { try readMixer(&c) }
        do { try c.validate() } catch let error as ComputeError { throw Failure(.badData, file.name, .whole, error.message) }
        return c
    }

    private func readAttention(_ c: inout ModelConfiguration) throws {
        c.heads = try size("attention.head_count")
        c.keyValueHeads = try optionalSize("attention.head_count_kv") ?? c.heads
        guard c.heads % c.keyValueHeads == 0 else {
            throw failure("attention.head_count_kv", "is \(c.keyValueHeads), which does not divide the \(c.heads) heads")
        }
        c.hiddenWidth = try size("feed_forward_length")
        c.headWidth = try readHeadWidth(width: c.width, heads: c.heads)
        c.activation = gguf.activation
        // No key tells of biases: the tensors do.
        if holds(.queryBias) { c.queryKeyValueBias = true }
        if holds(.outputBias) { c.attentionOutputBias = true }
        if holds(.upBias) { c.feedForwardBias = true }
        c.parallelResidual = try flag("use_parallel_residual", default: c.parallelResidual)
        guard c.positions == .rotary else { return }
        c.ropeTheta = try positive("rope.freq_base", default: 10_000)
        let turned = try optionalSize("rope.dimension_count") ?? Int(Double(c.headWidth) * gguf.rotaryShare)
        guard turned <= c.headWidth else { throw failure("rope.dimension_count", "is \(turned), but a head is \(c.headWidth) wide") }
        if turned != c.headWidth {
            // A head that turns in part is not what this family computes, unless it says so.
            guard gguf.rotaryShare != 1 else { throw failure("rope.dimension_count", "is \(turned), but a head is \(c.headWidth) wide") }
            c.rotaryWidth = turned
        }
        c.ropeScaling = try readScaling(c)
    }

    private func readMixer(_ c: inout ModelConfiguration) throws {
        c.activation = .silu
        c.stateSpace = ModelConfiguration.StateSpace(
            innerWidth: try size("ssm.inner_size"), states: try size("ssm.state_size"), taps: try size("ssm.conv_kernel"),
            timeStepRank: try size("ssm.time_step_rank"), productBias: holds(.signalBias),
            convolutionBias: holds(.convolutionBias))
    }

    private func has(_ tensor: String) -> Bool { file.tensor(tensor) != nil }

    /// True when the first block has a tensor for this role.
    private func holds(_ role: TensorRole) -> Bool {
        gguf.tensors.contains { $0.roles.contains(role) && has(StoredName.numbered($0.names[0], 0)) }
    }

    /// The ids of the ends of a text; both must be in the vocabulary.
    func readEnds(vocabularySize: Int) throws -> EndIDs {
        _ = try token("tokenizer.ggml.unknown_token_id", vocabularySize)
        return EndIDs(
            bos: try token("tokenizer.ggml.bos_token_id", vocabularySize),
            eosIDs: try token("tokenizer.ggml.eos_token_id", vocabularySize).map { [$0] } ?? [],
            padding: try token("tokenizer.ggml.padding_token_id", vocabularySize))
    }

    /// Whether the tokenizer adds the BOS id: as the file says, else as llama.cpp does for this kind of vocabulary.
    func readAddsBOS() throws -> Bool? {
        let key = "tokenizer.ggml.add_bos_token"
        if let value = file.value(key) {
            guard let adds = value.boolean else { throw Self.failure(file, key, "must be a boolean, found \(value.kind)") }
            return adds
        }
        switch file.value("tokenizer.ggml.model")?.string {
        case "llama": return true
        case "gpt2": return ["llama-bpe", "llama3", "llama-v3"].contains(file.value("tokenizer.ggml.pre")?.string)
        default: return nil
        }
    }

    /// A key of the family that is not read: only a value that switches its feature off is accepted.
    private func checkVariant(_ key: String) throws {
        let name = String(key.dropFirst(gguf.architecture.count + 1))
        guard let value = file.value(key), !Self.known.contains(name), !gguf.harmless.contains(name) else { return }
        if name == "rope.scale_linear", value.real == 1 { return }
        if name == "attention.causal", value.boolean == true { return }
        if value.integer == 0 || value.real == 0 || value.boolean == false { return }
        throw failure(name, "is set, which is not supported or not known", hint: "it may change what the model computes")
    }

    private func readHeadWidth(width: Int, heads: Int) throws -> Int {
        let told = try optionalSize("attention.key_length")
        guard told != nil || width % heads == 0 else {
            throw failure("embedding_length", "is \(width), not a multiple of '\(gguf.architecture).attention.head_count', \(heads)")
        }
        let headWidth = told ?? width / heads
        if let other = try optionalSize("attention.value_length"), other != headWidth {
            throw failure("attention.value_length", "is \(other), but a head is \(headWidth) wide")
        }
        return headWidth
    }

    /// Rows of the embedding matrix; the key and the vocabulary must agree with it.
    private func readVocabularySize() throws -> Int {
        guard let embedding = file.tensor("token_embd.weight"), embedding.shape.count == 2, embedding.shape[0] > 0 else {
            throw Failure(.badData, file.name, .whole, "tensor 'token_embd.weight' is missing or no matrix")
        }
        let rows = embedding.shape[0]
        if let told = try optionalSize("vocab_size"), told != rows {
            throw failure("vocab_size", "is \(told), but 'token_embd.weight' has \(rows) rows")
        }
        for key in ["tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type"] {
            guard let value = file.value(key) else { continue }
            guard let array = value.array else { throw Self.failure(file, key, "must be an array, found \(value.kind)") }
            guard array.count == rows else {
                throw Self.failure(file, key, "has \(array.count) entries, but 'token_embd.weight' has \(rows) rows")
            }
        }
        return rows
    }
}

// MARK: - Scaling of rotary positions

extension GGUFConfiguration {
    /// By keys (linear, YaRN), or by the divisors that llama.cpp's converter writes for Llama 3.
    private func readScaling(_ c: ModelConfiguration) throws -> RotaryScaling {
        if has(Self.divisors) { return try readDivisors(c) }
        let key = "rope.scaling.type"
        let kind = value(key)
        guard kind == nil || kind?.bytes != nil else { throw failure(key, "must be a string, found \(kind?.kind ?? "")") }
        let factor = try positive("rope.scaling.factor", default: 1)
        let told = try positive("rope.scaling.attn_factor", default: 1)
        switch kind?.string ?? "none" {
        case "none" where factor == 1: return .none
        case "linear": return factor == 1 ? .none : .linear(factor: factor)
        case "yarn":
            return .yarn(
                factor: factor, originalPositions: try size("rope.scaling.original_context_length"), betaFast: 32, betaSlow: 1,
                attentionFactor: told * (0.1 * log(factor) + 1), truncate: true)
        case "none": throw failure("rope.scaling.factor", "is \(factor), but no type of scaling is told")
        default:
            throw failure(key, "is '\(printable(kind?.bytes ?? []))'; 'none', 'linear' and 'yarn' are supported")
        }
    }

    static let divisors = "rope_freqs.weight"

    /// Llama 3's scaling from what each frequency is divided by, with the constants of all published models: low 1, high 4.
    ///
    /// The factor is the largest divisor; the original positions follow from a frequency between the two ends. All must then agree.
    private func readDivisors(_ c: ModelConfiguration) throws -> RotaryScaling {
        guard let tensor = file.tensor(Self.divisors) else { return .none }
        let place = Failure.Place.byte(tensor.range.lowerBound)
        let half = (c.rotaryWidth ?? c.headWidth) / 2
        guard tensor.type == .f32, tensor.shape == [half] else {
            throw Failure(
                .badData, file.name, place,
                "tensor '\(Self.divisors)' is \(tensor.type.name) of the shape \(tensor.shape), expected F32 of [\(half)]")
        }
        let bytes = file.bytes(tensor)
        let found = (0..<half).map { Double(Float(bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))) }
        let (low, high) = (1.0, 4.0)
        let turn = (0..<half).map { pow(c.ropeTheta, -2 * Double($0) / Double(2 * half)) / (2 * Double.pi) }
        let factor = (found.max() ?? 1) * (1 + 1e-7)
        var original = 8192.0
        if let i = found.firstIndex(where: { $0 > 1.0001 && $0 < factor * 0.9999 }) {
            let smooth = (1 / found[i] - 1 / factor) / (1 - 1 / factor)
            original = ((low + smooth * (high - low)) / turn[i]).rounded()
        }
        let rounded = factor.rounded()
        for (i, divisor) in found.enumerated() {
            let smooth = min(max((original * turn[i] - low) / (high - low), 0), 1)
            let expected = 1 / ((1 - smooth) / rounded + smooth)
            guard abs(divisor - expected) <= 1e-4 * expected, original >= 1, original <= Double(Int32.max) else {
                throw Failure(
                    .badData, file.name, place,
                    "tensor '\(Self.divisors)' divides frequency \(i) by \(divisor); Llama 3's scaling by \(rounded) would by \(expected)",
                    hint: "other scalings of rotary positions are read from a Hugging Face folder")
            }
        }
        return .llama3(factor: rounded, lowFrequencyFactor: low, highFrequencyFactor: high, originalPositions: Int(original))
    }
}

// MARK: - Values

extension GGUFConfiguration {
    private func value(_ name: String) -> GGUFValue? { file.value("\(gguf.architecture).\(name)") }

    private func size(_ name: String) throws -> Int {
        guard let size = try optionalSize(name) else { throw failure(name, "is missing") }
        return size
    }

    private func optionalSize(_ name: String) throws -> Int? {
        guard let value = value(name) else { return nil }
        guard let size = value.integer, size > 0, size <= Int(Int32.max) else {
            throw failure(name, "must be an integer from 1 to \(Int32.max), found \(value.integer.map(String.init) ?? value.kind)")
        }
        return size
    }

    private func positive(_ name: String, default fallback: Double? = nil) throws -> Double {
        guard let value = value(name) else {
            guard let fallback else { throw failure(name, "is missing") }
            return fallback
        }
        guard let number = value.real, number > 0, number.isFinite else {
            throw failure(name, "must be a positive number, found \(value.real.map { "\($0)" } ?? value.kind)")
        }
        return number
    }

    private func flag(_ name: String, default fallback: Bool) throws -> Bool {
        guard let value = value(name) else { return fallback }
        guard let flag = value.boolean else { throw failure(name, "must be a boolean, found \(value.kind)") }
        return flag
    }

    private func token(_ key: String, _ vocabularySize: Int) throws -> UInt32? {
        guard let value = file.value(key) else { return nil }
        guard let id = value.integer, id >= 0, id < vocabularySize else {
            throw Self.failure(
                file, key, "must be a token id below \(vocabularySize), found \(value.integer.map(String.init) ?? value.kind)")
        }
        return UInt32(id)
    }

    private func failure(_ name: String, _ message: String, hint: String? = nil) -> Failure {
        Self.failure(file, "\(gguf.architecture).\(name)", message, hint: hint)
    }

    private static func failure(_ file: GGUFFile, _ key: String, _ message: String, hint: String? = nil) -> Failure {
        Failure(.badData, file.name, file.place(key).map { .byte($0) } ?? .whole, "key '\(printable(key.utf8))' \(message)", hint: hint)
    }
}
