// Arrays of integers into JSON, a column at a time.

extension JSONText {
    /// An array of integers.
    public mutating func integers(_ column: UnsafeBufferPointer<UInt32>) {
        beginArray()
        gather(column.count, bytesEach: 11) { index, at in
            writeDigits(UInt64(column[index]), &at)
        }
        endArray()
    }

    /// An array of pairs of integers, given flat.
    public mutating func pairs(_ column: UnsafeBufferPointer<UInt32>) {
        beginArray()
        gather(column.count / 2, bytesEach: 24) { index, at in
            at[0] = UInt8(ascii: "[")
            at += 1
            writeDigits(UInt64(column[2 &* index]), &at)
            at[0] = UInt8(ascii: ",")
            at += 1
            writeDigits(UInt64(column[2 &* index &+ 1]), &at)
            at[0] = UInt8(ascii: "]")
            at += 1
        }
        endArray()
    }

    /// Elements of at most `bytesEach` bytes with their commas, gathered in pieces.
    @inline(__always)
    private mutating func gather(_ count: Int, bytesEach: Int, _ write: (Int, inout UnsafeMutablePointer<UInt8>) -> Void) {
        let room = 16_384
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: room) { memory in
            let start = memory.baseAddress!
            var at = start
            for index in 0..<count {
                if at - start > room - bytesEach - 1 {
                    append(UnsafeBufferPointer(start: start, count: at - start))
                    at = start
                }
                if index > 0 {
                    at[0] = UInt8(ascii: ",")
                    at += 1
                }
                write(index, &at)
            }
            append(UnsafeBufferPointer(start: start, count: at - start))
        }
    }
}
