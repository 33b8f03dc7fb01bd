// Matrices of a model, as float32 in memory or as a file stores them.

/// A matrix that products and lookups read: (rows, columns), rows being outputs or entries of a vocabulary.
public enum Weight {
    /// float32, row-major.
    case values(Buffer)
    /// In the type and the place in which a file holds it: converted row by row where it is used, never as a whole.
    case stored(StoredMatrix)

    /// The values in memory. Traps for a stored matrix: gradients, optimisers and exports are given values.
    public var buffer: Buffer {
        guard case .values(let buffer) = self else { preconditionFailure("bug: values of a stored matrix") }
        return buffer
    }

    /// Number of values.
    public var count: Int {
        switch self {
        case .values(let buffer): buffer.count
        case .stored(let matrix): matrix.rows * matrix.columns
        }
    }

    /// Bytes that the values take, in memory or in the file.
    public var bytes: Int {
        switch self {
        case .values(let buffer): 4 * buffer.count
        case .stored(let matrix): matrix.rows * matrix.rowBytes
        }
    }
}

/// A matrix in a mapped file: 16-bit numbers or quantised blocks.
public final class StoredMatrix {
    public let type: StoredType
    public let rows: Int
    public let columns: Int
    private let bytes: UnsafeRawBufferPointer
    /// Row i is row `order[i]` of the stored matrix; nil: in order.
    private let order: [Int]?
    private let owner: AnyObject

    /// - bytes: whole rows, little-endian, any alignment; `owner` keeps them alive. `columns` is a multiple of the type's block. Else traps.
    /// - order: which stored row each row is; nil for all of them in order.
    public init(_ type: StoredType, rows: Int, columns: Int, bytes: UnsafeRawBufferPointer, order: [Int]? = nil, owner: AnyObject) {
        precondition(rows >= 0 && columns >= 0 && columns % type.blockElements == 0, "bug: rows of \(columns) values of \(type)")
        let rowBytes = columns / type.blockElements * type.blockBytes
        if let order {
            precondition(order.count == rows && order.allSatisfy { $0 >= 0 && ($0 + 1) * rowBytes <= bytes.count }, "bug: order of rows")
        } else {
            precondition(bytes.count >= rows * rowBytes, "bug: \(bytes.count) bytes for \(rows) rows of \(rowBytes)")
        }
        (self.type, self.rows, self.columns, self.bytes, self.order, self.owner) = (type, rows, columns, bytes, order, owner)
    }

    var rowBytes: Int { columns / type.blockElements * type.blockBytes }

    /// Writes rows `range` as float32, one after the other.
    func read(_ range: Range<Int>, into values: UnsafeMutablePointer<Float>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "bug: rows \(range) of \(rows)")
        if order == nil {
            let part = UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound * rowBytes..<range.upperBound * rowBytes])
            return dequantise(type, from: part, into: values, count: range.count * columns)
        }
        for (i, row) in range.enumerated() {
            let place = order.map { $0[row] } ?? row
            let part = UnsafeRawBufferPointer(rebasing: bytes[place * rowBytes..<(place + 1) * rowBytes])
            dequantise(type, from: part, into: values + i * columns, count: columns)
        }
    }
}
