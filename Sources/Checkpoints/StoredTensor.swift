// A weight as a file holds it, and how it becomes float32 memory.
import Compute
import Streams

/// One weight of a model, checked against its shape, still in its file.
struct StoredTensor {
    enum Form {
        case float32
        case stored(StoredType)
    }

    let form: Form
    let shape: [Int]
    /// Row-major values in the file; any alignment.
    let bytes: UnsafeRawBufferPointer
    /// Keeps `bytes` alive.
    let owner: MappedFile
    /// For the query and key matrices of a GGUF: the number of heads whose rows are interleaved there.
    var interleavedHeads: Int?

    /// The values as float32: seen in place where they are float32 already and aligned, else converted into new memory.
    ///
    /// Cost: none, or one pass over the tensor, on the threads of `pool`.
    func buffer(_ pool: ThreadPool?) -> Buffer {
        let count = shape.reduce(1, *)
        if case .float32 = form, interleavedHeads == nil, let start = bytes.baseAddress, Int(bitPattern: start) % 4 == 0 {
            return Buffer(mapping: start.assumingMemoryBound(to: Float.self), count: count, owner: owner)
        }
        let buffer = Buffer(count: count)
        defer { withExtendedLifetime(owner) {} }
        if let heads = interleavedHeads {
            separate(buffer, heads: heads, pool)
        } else {
            convert(bytes, buffer.pointer, count, pool)
        }
        return buffer
    }

    private func convert(_ bytes: UnsafeRawBufferPointer, _ values: UnsafeMutablePointer<Float>, _ count: Int, _ pool: ThreadPool?) {
        switch form {
        case .float32: UnsafeMutableRawBufferPointer(start: values, count: count * 4).copyBytes(from: bytes)
        case .stored(let type): dequantise(type, from: bytes, into: values, count: count, pool: pool)
        }
    }

    /// Undoes llama.cpp's order of the query and key rows.
    ///
    /// Its rotary embedding turns neighbouring rows, ours (Hugging Face's) turns row j of a head with row j + D/2. So the converter stored
    /// row i·D/2 + j of every head, i in {0, 1}, as row 2·j + i.
    ///
    /// Source: llama.cpp, convert_hf_to_gguf.py, LlamaModel.permute.
    private func separate(_ buffer: Buffer, heads: Int, _ pool: ThreadPool?) {
        let (rows, columns) = (shape[0], shape[1])
        let half = rows / heads / 2
        let rowBytes = bytes.count / rows
        let values = buffer.pointer
        let body = { (head: Int, _: Int) in
            for row in head * 2 * half..<(head + 1) * 2 * half {
                let (pair, side) = ((row - head * 2 * half) / 2, row % 2)
                let target = head * 2 * half + side * half + pair
                let source = UnsafeRawBufferPointer(rebasing: bytes[row * rowBytes..<(row + 1) * rowBytes])
                convert(source, values + target * columns, columns, nil)
            }
        }
        if let pool {
            pool.run(heads, body)
        } else {
            for head in 0..<heads { body(head, 0) }
        }
    }
}

extension LlamaModel {
    /// A model from stored tensors that were all checked; `ComputeError` becomes a failure of `name`.
    convenience init(_ configuration: LlamaConfiguration, _ tensors: [String: StoredTensor], name: String, pool: ThreadPool?) throws {
        do {
            try self.init(configuration, buffers: tensors.mapValues { $0.buffer(pool) })
        } catch let error as ComputeError {
            throw Failure(.badData, name, error.message)
        }
    }
}
