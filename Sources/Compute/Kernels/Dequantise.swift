// Stored weights of other types to float32, bit for bit as ggml does.
import CKernels

/// A type in which checkpoints store weights that are computed with in float32.
public enum StoredType: Sendable, CaseIterable {
    case f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k, q5_k, q6_k

    /// Values that are stored together.
    public var blockElements: Int {
        switch self {
        case .f16, .bf16: 1
        case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1: 32
        case .q4_k, .q5_k, .q6_k: 256
        }
    }

    /// Bytes of one such block.
    public var blockBytes: Int {
        switch self {
        case .f16, .bf16: 2
        case .q8_0: 34
        case .q4_0: 18
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q4_k: 144
        case .q5_k: 176
        case .q6_k: 210
        }
    }
}

/// Chosen once: the question leaves a virtual machine, which takes tens of microseconds, as long as a thousand values.
private nonisolated(unsafe) let kernels = preceptor_kernels_for(preceptor_best_level()).pointee

/// Writes `count` stored values as float32.
///
///     f16, bf16   exact; NaN stays NaN
///     q8_0        y = d · q          d: f16, then 32 signed bytes
///     q4_0        y = d · (q − 8)    d: f16, then 16 bytes: low halves are values 0…15, high halves 16…31
///     q4_1        y = d · q + m      d, m: f16, then 16 bytes as above
///     q5_0, q5_1  the same with a fifth bit of q, and q − 16 for q5_0
///     q4_k, q5_k  y = (d · s) · q − m · o     d, m: f16 of 256 values; s, o: 6 bits of each 32; q: 4 or 5 bits
///     q6_k        y = (d · s) · (q − 32)      d: f16 of 256 values; s: 8 bits of each 16; q: 6 bits
///
/// - `bytes`: little-endian, any alignment, at least `count / blockElements * blockBytes`; `count` is a multiple of `blockElements`. Else traps.
/// - On the threads of `pool`, if one is given. Cost: bound by memory (10-30 values a nanosecond on one core when in cache).
/// - Source: ggml-quants.c, dequantize_row_*.
public func dequantise(
    _ type: StoredType, from bytes: UnsafeRawBufferPointer, into values: UnsafeMutablePointer<Float>, count: Int, pool: ThreadPool? = nil
) {
    precondition(count >= 0 && count % type.blockElements == 0, "bug: \(count) values of \(type)")
    precondition(bytes.count >= count / type.blockElements * type.blockBytes, "bug: \(bytes.count) bytes for \(count) values of \(type)")
    guard count > 0, let source = bytes.baseAddress else { return }
    let convert =
        switch type {
        case .f16: kernels.from_f16
        case .bf16: kernels.from_bf16
        case .q8_0: kernels.from_q8_0
        case .q4_0: kernels.from_q4_0
        case .q4_1: kernels.from_q4_1
        case .q5_0: kernels.from_q5_0
        case .q5_1: kernels.from_q5_1
        case .q4_k: kernels.from_q4_k
        case .q5_k: kernels.from_q5_k
        case .q6_k: kernels.from_q6_k
        }
    guard let pool else { return convert(values, source, count) }
    let chunk = 1 << 16
    pool.run((count + chunk - 1) / chunk) { task, _ in
        let start = task * chunk
        convert(values + start, source + start / type.blockElements * type.blockBytes, min(chunk, count - start))
    }
}
