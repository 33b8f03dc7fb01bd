// Writes a safetensors file whose tensors are known by name and shape before their bytes.

/// Streams tensors, in the order declared, into an output. Memory: the output's buffer.
///
/// Two runs that write the same values write the same bytes. The data starts at a multiple of 8 bytes.
public final class SafetensorsWriter {
    public typealias Declaration = (name: String, type: ElementType, shape: [Int])

    private let output: ByteOutput
    private var expected: Int
    private var hash = XXH64()

    /// Writes the header. Throws `Failure.inputOutput` (74).
    public init(_ output: ByteOutput, metadata: [(String, String)], tensors: [Declaration]) throws {
        self.output = output
        expected = tensors.reduce(0) { $0 + $1.shape.reduce($1.type.size, *) }
        try SafetensorsHeader.bytes(metadata: metadata, tensors: tensors).withUnsafeBytes(put)
    }

    /// Appends the bytes of the next tensor, or of a part of it. More bytes than were declared are a bug.
    public func write(_ bytes: UnsafeRawBufferPointer) throws {
        expected -= bytes.count
        precondition(expected >= 0, "bug: more tensor bytes than were declared")
        try put(bytes)
    }

    /// Closes the output: the file appears under its name now. Returns the XXH64 of all its bytes.
    ///
    /// Fewer bytes than were declared are a bug.
    @discardableResult
    public func finish() throws -> UInt64 {
        precondition(expected == 0, "bug: \(expected) bytes of the declared tensors are missing")
        try output.close()
        return hash.digest()
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws {
        hash.update(bytes)
        try output.write(bytes)
    }
}
