// A tensor of a model as a file holds it, and how it becomes a weight in memory or in its file: the one place where that happens.
import Compute
import Glibc
import Streams

/// One tensor of a model, checked against its shape, still in its file.
struct StoredTensor {
    enum Form {
        case float32
        case stored(StoredType)
    }

    /// Where a model's tensor lies in the stored one.
    enum Arrangement {
        /// All of `bytes`, in order.
        case whole
        /// Row i of the model's tensor is row `rows[i]` of the stored one.
        case rows([Int])
        /// Row i is column `first + i` of the stored tensor, whose rows have `stride` values.
        case columns(first: Int, stride: Int)
        /// All of `bytes`, in order, as −exp of the model's values.
        case negativeExponential
    }

    let form: Form
    /// The shape of the model's tensor.
    let shape: [Int]
    /// Row-major values in the file; any alignment.
    let bytes: UnsafeRawBufferPointer
    /// Keeps `bytes` alive.
    let owner: MappedFile
    let arrangement: Arrangement
    /// Whether the model reads it through products and lookups alone, which convert what they need of it.
    let isMatrix: Bool

    /// Part `part` of a stored tensor of this layout whose bytes are `bytes`.
    init(_ layout: StoredLayout, part: Int, form: Form, bytes: UnsafeRawBufferPointer, owner: MappedFile) {
        let tensor = layout.parts[part]
        shape = tensor.shape
        isMatrix = tensor.role.isMatrix
        self.form = form
        self.owner = owner
        switch layout.stored.layout {
        case .rows, .kernels:
            let rowBytes = bytes.count / max(1, layout.shape[0])
            let first = layout.place(part: part, row: 0)
            self.bytes = UnsafeRawBufferPointer(rebasing: bytes[first * rowBytes..<(first + tensor.shape[0]) * rowBytes])
            arrangement = .whole
        case .heads, .pairs:
            self.bytes = bytes
            arrangement = .rows((0..<tensor.shape[0]).map { layout.place(part: part, row: $0) })
        case .columns:
            self.bytes = bytes
            arrangement = .columns(first: layout.place(part: part, row: 0), stride: layout.shape[1])
        case .negativeExponential:
            self.bytes = bytes
            arrangement = .negativeExponential
        }
    }

    /// The tensor as a model that is only scored with needs it: a matrix of another type stays in its file, all else becomes values.
    func weight(_ pool: ThreadPool?) -> Weight {
        guard isMatrix, case .stored(let type) = form else { return .values(buffer(pool)) }
        switch arrangement {
        case .whole: return .stored(StoredMatrix(type, rows: shape[0], columns: shape[1], bytes: bytes, owner: owner))
        case .rows(let order):
            return .stored(StoredMatrix(type, rows: shape[0], columns: shape[1], bytes: bytes, order: order, owner: owner))
        case .columns, .negativeExponential: return .values(buffer(pool))
        }
    }

    /// The values as float32: seen in place where they lie in order, float32 already and aligned, else converted into new memory.
    ///
    /// Cost: none, or one pass over the tensor, on the threads of `pool`.
    func buffer(_ pool: ThreadPool?) -> Buffer {
        let count = shape.reduce(1, *)
        if case .whole = arrangement, case .float32 = form, let start = bytes.baseAddress, Int(bitPattern: start) % 4 == 0 {
            return Buffer(mapping: start.assumingMemoryBound(to: Float.self), count: count, owner: owner)
        }
        let buffer = Buffer(count: count)
        defer { withExtendedLifetime(owner) {} }
        switch arrangement {
        case .whole: convert(bytes, buffer.pointer, count, pool)
        case .rows(let rows): gather(buffer, rows, pool)
        case .columns(let first, let stride): transpose(buffer, first: first, stride: stride, pool)
        case .negativeExponential:
            convert(bytes, buffer.pointer, count, pool)
            for i in 0..<count { buffer.pointer[i] = Float(log(-Double(buffer.pointer[i]))) }
        }
        return buffer
    }

    private func convert(_ bytes: UnsafeRawBufferPointer, _ values: UnsafeMutablePointer<Float>, _ count: Int, _ pool: ThreadPool?) {
        switch form {
        case .float32: UnsafeMutableRawBufferPointer(start: values, count: count * 4).copyBytes(from: bytes)
        case .stored(let type): dequantise(type, from: bytes, into: values, count: count, pool: pool)
        }
    }

    /// Rows of a fixed number are one task, so that memory is touched by the threads that filled it.
    private func eachRows(_ pool: ThreadPool?, _ body: @escaping (Range<Int>) -> Void) {
        let chunk = 64
        let tasks = (shape[0] + chunk - 1) / chunk
        let run = { (task: Int, _: Int) in body(task * chunk..<min((task + 1) * chunk, shape[0])) }
        if let pool {
            pool.run(tasks, run)
        } else {
            for task in 0..<tasks { run(task, 0) }
        }
    }

    private func gather(_ buffer: Buffer, _ rows: [Int], _ pool: ThreadPool?) {
        let columns = shape.dropFirst().reduce(1, *)
        // A vector's rows are single values; those of a matrix are whole blocks of every quantised type, checked when it was opened.
        let rowBytes = bytesOf(columns)
        let values = buffer.pointer
        eachRows(pool) { range in
            for row in range {
                let source = UnsafeRawBufferPointer(rebasing: bytes[rows[row] * rowBytes..<(rows[row] + 1) * rowBytes])
                convert(source, values + row * columns, columns, nil)
            }
        }
    }

    private func transpose(_ buffer: Buffer, first: Int, stride: Int, _ pool: ThreadPool?) {
        let (values, inputs) = (buffer.pointer, shape[1])
        eachRows(pool) { range in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { line in
                for input in 0..<inputs {
                    let start = bytesOf(input * stride + first + range.lowerBound)
                    let source = UnsafeRawBufferPointer(rebasing: bytes[start..<start + bytesOf(range.count)])
                    convert(source, line.baseAddress!, range.count, nil)
                    for (i, row) in range.enumerated() { values[row * inputs + input] = line[i] }
                }
            }
        }
    }

    /// Bytes of so many values.
    private func bytesOf(_ count: Int) -> Int {
        switch form {
        case .float32: count * 4
        case .stored(let type): count / type.blockElements * type.blockBytes
        }
    }
}

extension StoredLayout {
    /// The values of the stored tensor, from the model's: what a file of this layout holds. One tensor in order is not copied.
    func values(_ parameters: [Buffer]) -> Buffer {
        if parts.count == 1 && (stored.layout == .rows || stored.layout == .kernels) { return parameters[0] }
        let result = Buffer(count: shape.reduce(1, *))
        for (part, (tensor, buffer)) in zip(parts, parameters).enumerated() {
            let columns = tensor.shape.dropFirst().reduce(1, *)
            for row in 0..<tensor.shape[0] {
                let source = buffer.pointer + row * columns
                let target = place(part: part, row: row)
                switch stored.layout {
                case .columns: for input in 0..<columns { result.pointer[input * shape[1] + target] = source[input] }
                case .negativeExponential: for i in 0..<columns { result.pointer[target * columns + i] = -expf(source[i]) }
                default: (result.pointer + target * columns).update(from: source, count: columns)
                }
            }
        }
        return result
    }
}

extension Model {
    /// A model from stored tensors that were all checked; `ComputeError` becomes a failure of `name`.
    ///
    /// - onlyScored: matrices that are no float32 stay in their file.
    convenience init(
        _ configuration: ModelConfiguration, _ tensors: [String: StoredTensor], name: String, onlyScored: Bool, pool: ThreadPool?
    ) throws {
        do {
            try self.init(configuration, weights: tensors.mapValues { onlyScored ? $0.weight(pool) : .values($0.buffer(pool)) })
        } catch let error as ComputeError {
            throw Failure(.badData, name, error.message)
        }
    }
}
