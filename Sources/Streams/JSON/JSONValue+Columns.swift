// Arrays of numbers out of JSON, without a value object for each element.
import CJansson

extension JSONValue {
    /// Appends an array of integers from 0 to 2³²−1. Returns nil when done, else the index of the element that is none (minus one: no array).
    func appendUnsigned(to column: inout [UInt32]) -> Int? {
        guard isArray else { return -1 }
        column.reserveCapacity(column.count + count)
        for index in 0..<count {
            guard let value = JSONValue.unsigned(json_array_get(node, index)) else { return index }
            column.append(value)
        }
        return nil
    }

    /// Appends an array of pairs of such integers, flat. Returns as `appendUnsigned` does.
    func appendPairs(to column: inout [UInt32]) -> Int? {
        guard isArray else { return -1 }
        column.reserveCapacity(column.count + 2 * count)
        for index in 0..<count {
            let pair = json_array_get(node, index)
            guard json_array_size(pair) == 2, let first = JSONValue.unsigned(json_array_get(pair, 0)),
                let second = JSONValue.unsigned(json_array_get(pair, 1))
            else { return index }
            column.append(first)
            column.append(second)
        }
        return nil
    }

    /// Appends an array of numbers, null as NaN. Returns as `appendUnsigned` does.
    func appendFloats(to column: inout [Float]) -> Int? {
        guard isArray else { return -1 }
        column.reserveCapacity(column.count + count)
        for index in 0..<count {
            guard let element = json_array_get(node, index) else { return index }
            switch element.pointee.type {
            case JSON_NULL: column.append(.nan)
            case JSON_REAL, JSON_INTEGER: column.append(Float(json_number_value(element)))
            default: return index
            }
        }
        return nil
    }

    /// Appends an array of arrays by `append`, and to `ends` the last of `ends` plus the elements so far, after each. Returns nil when done,
    /// else the index of the array that is none or has another element (minus one: no array).
    func appendLists(ends: inout [Int], _ append: (JSONValue) -> Int?) -> Int? {
        guard isArray else { return -1 }
        for (index, list) in elements.enumerated() {
            if append(list) != nil { return index }
            ends.append(ends[ends.count - 1] + list.count)
        }
        return nil
    }

    private var isArray: Bool { node.pointee.type == JSON_ARRAY }

    private static func unsigned(_ element: UnsafeMutablePointer<json_t>?) -> UInt32? {
        guard let element, element.pointee.type == JSON_INTEGER else { return nil }
        return UInt32(exactly: json_integer_value(element))
    }
}
