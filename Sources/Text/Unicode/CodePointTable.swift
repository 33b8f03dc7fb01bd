// A small number for every code point, in pages of 256, as the generated tables give it in runs.

/// Two looks into memory a code point; equal pages of one value are kept once. Built in well under a millisecond.
struct CodePointTable {
    /// Where the page of code >> 8 begins in `values`.
    private let starts: [UInt16]
    private let values: [UInt8]

    /// - runs: first code point << 8 | value, up to the next run; they begin at 0 and cover all code points.
    init(runs: [UInt32]) {
        var starts: [UInt16] = []
        var values: [UInt8] = []
        var uniform = [UInt16?](repeating: nil, count: 256)
        var run = 0
        for page in 0..<(0x110000 >> 8) {
            let first = UInt32(page) << 8
            while run + 1 < runs.count && runs[run + 1] >> 8 <= first { run += 1 }
            let isUniform = run + 1 == runs.count || runs[run + 1] >> 8 > first + 255
            let value = UInt8(truncatingIfNeeded: runs[run])
            if isUniform, let known = uniform[Int(value)] {
                starts.append(known)
                continue
            }
            // At most 4,352 pages.
            starts.append(UInt16(values.count >> 8))
            if isUniform { uniform[Int(value)] = starts[page] }
            var at = run
            for code in first...(first + 255) {
                while at + 1 < runs.count && runs[at + 1] >> 8 <= code { at += 1 }
                values.append(UInt8(truncatingIfNeeded: runs[at]))
            }
        }
        self.starts = starts
        self.values = values
    }

    /// The value of a code point below 0x110000.
    @inline(__always)
    subscript(code: UInt32) -> UInt8 {
        values[Int(starts[Int(code >> 8)]) << 8 | Int(code & 0xFF)]
    }

    /// Lends the table as bare memory, for loops over every character of a text.
    @inline(__always)
    func withView<Result>(_ body: (View) throws -> Result) rethrows -> Result {
        try starts.withUnsafeBufferPointer { starts in
            try values.withUnsafeBufferPointer { values in try body(View(starts: starts.baseAddress!, values: values.baseAddress!)) }
        }
    }

    struct View {
        fileprivate let starts: UnsafePointer<UInt16>
        fileprivate let values: UnsafePointer<UInt8>

        @inline(__always)
        subscript(code: UInt32) -> UInt8 {
            values[Int(starts[Int(code >> 8)]) << 8 | Int(code & 0xFF)]
        }
    }
}

/// The index of `code` in a sorted array, nil where it is not in it.
func sortedIndex(_ codes: [UInt32], _ code: UInt32) -> Int? {
    var low = 0
    var high = codes.count
    while low < high {
        let middle = (low + high) / 2
        if codes[middle] < code { low = middle + 1 } else { high = middle }
    }
    return low < codes.count && codes[low] == code ? low : nil
}

/// The value that runs (first code point << 8 | value) give a code point: a search, for what is rarely asked.
func runValue(_ runs: [UInt32], _ code: UInt32) -> UInt8 {
    var low = 0
    var high = runs.count
    while high - low > 1 {
        let middle = (low + high) / 2
        if runs[middle] >> 8 <= code { low = middle } else { high = middle }
    }
    return UInt8(truncatingIfNeeded: runs[low])
}
