// What a safetensors header says of one tensor.

/// The element types of safetensors that this program reads, by their names in the file.
public enum ElementType: String, CaseIterable, Sendable {
    case f64 = "F64"
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"
    case i64 = "I64"
    case i32 = "I32"
    case i16 = "I16"
    case i8 = "I8"
    case u64 = "U64"
    case u32 = "U32"
    case u16 = "U16"
    case u8 = "U8"
    case bool = "BOOL"

    /// Bytes of one element.
    public var size: Int {
        switch self {
        case .f64, .i64, .u64: 8
        case .f32, .i32, .u32: 4
        case .f16, .bf16, .i16, .u16: 2
        case .i8, .u8, .bool: 1
        }
    }
}

/// A tensor's name, type, shape (outermost first) and place.
public struct TensorEntry: Equatable, Sendable {
    public let name: String
    public let type: ElementType
    public let shape: [Int]
    /// The bytes of the tensor: offsets in the file or stream that the header stands in.
    public let range: Range<Int>

    public init(name: String, type: ElementType, shape: [Int], range: Range<Int>) {
        self.name = name
        self.type = type
        self.shape = shape
        self.range = range
    }

    /// The product of the shape; 1 for a scalar.
    public var count: Int { range.count / type.size }
}
