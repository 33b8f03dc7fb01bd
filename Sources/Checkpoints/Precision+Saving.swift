// The types in which weights are saved.
import Compute
import Streams

/// Float32, or bfloat16 rounded to nearest, ties to even. The raw value is torch's name, which config.json has.
extension Precision {
    var type: ElementType {
        switch self {
        case .float32: .f32
        case .bfloat16: .bf16
        }
    }

    /// The bytes of a tensor, in parts of bounded size.
    func eachPart(_ values: Buffer, _ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
        guard self == .bfloat16 else { return try body(values.bytes) }
        let chunk = 1 << 16
        try withUnsafeTemporaryAllocation(of: UInt16.self, capacity: chunk) { part in
            for start in stride(from: 0, to: values.count, by: chunk) {
                let count = min(chunk, values.count - start)
                for i in 0..<count { part[i] = roundedToBFloat16(values.pointer[start + i]) }
                try body(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(part)[0..<2 * count]))
            }
        }
    }
}

/// The nearest bfloat16, of two as near the even one; NaN stays NaN.
func roundedToBFloat16(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    if value.isNaN { return UInt16(bits >> 16) | 0x40 }
    return UInt16(truncatingIfNeeded: (UInt64(bits) + 0x7fff + UInt64(bits >> 16 & 1)) >> 16)
}
