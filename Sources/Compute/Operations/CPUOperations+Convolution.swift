// The depthwise causal convolution of state-space models, and softplus.

extension CPUOperations {
    public func convolutionForward(y: Buffer, x: Buffer, w: Buffer, b: Buffer?, splits: [Int], channels: Int, taps: Int) {
        let rows = rowsOfSegments(splits)
        require(y, rows * channels, "y")
        require(x, rows * channels, "x")
        require(w, channels * taps, "w")
        if let b { require(b, channels, "b") }
        precondition(taps > 0, "bug: a convolution of \(taps) taps")
        let turned = turnedTaps(w, channels: channels, taps: taps)
        eachRowOfSegments(splits, width: channels) { t, segment in
            let row = y.pointer + t * channels
            if let b { row.update(from: b.pointer, count: channels) } else { row.update(repeating: 0, count: channels) }
            kernels.convolve_row(
                row, x.pointer + t * channels, turned, min(taps - 1, t - segment.lowerBound), taps, channels, channels)
        }
    }

    public func convolutionBackward(
        dx: Buffer, dw: Buffer, db: Buffer?, dy: Buffer, x: Buffer, w: Buffer, splits: [Int], channels: Int, taps: Int
    ) {
        let rows = rowsOfSegments(splits)
        require(dx, rows * channels, "dx")
        require(dw, channels * taps, "dw")
        require(dy, rows * channels, "dy")
        require(x, rows * channels, "x")
        require(w, channels * taps, "w")
        precondition(taps > 0, "bug: a convolution of \(taps) taps")
        let turned = turnedTaps(w, channels: channels, taps: taps)
        eachRowOfSegments(splits, width: channels) { t, segment in
            kernels.convolve_row_backward(
                dx.pointer + t * channels, dy.pointer + t * channels, turned, min(taps - 1, segment.upperBound - 1 - t), taps, channels,
                channels)
        }
        splits.withUnsafeBufferPointer { splits in
            eachColumns(channels) { first, count in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: taps * count) { sums in
                    for i in 0..<taps * count { sums[i] = dw.pointer[(first + i % count) * taps + i / count] }
                    kernels.convolve_backward_taps(
                        sums.baseAddress!, dy.pointer + first, x.pointer + first, splits.baseAddress!, splits.count - 1, taps, channels,
                        count)
                    for i in 0..<taps * count { dw.pointer[(first + i % count) * taps + i / count] = sums[i] }
                }
            }
        }
        if let db { biasBackward(db: db, dy: dy, rows: rows, width: channels) }
    }

    /// The taps as rows of channels.
    private func turnedTaps(_ w: Buffer, channels: Int, taps: Int) -> UnsafeMutablePointer<Float> {
        let turned = stateMemory.take(channels * taps)
        for c in 0..<channels { for j in 0..<taps { turned[j * channels + c] = w.pointer[c * taps + j] } }
        return turned
    }

    /// Calls `body` for every row with the segment that it is in.
    private func eachRowOfSegments(_ splits: [Int], width: Int, _ body: (_ t: Int, _ segment: Range<Int>) -> Void) {
        eachRows(splits[splits.count - 1], width: width) { first, end in
            // The last segment that starts at or before the first row.
            var (low, high) = (0, splits.count - 1)
            while high - low > 1 {
                let middle = (low + high) / 2
                if splits[middle] <= first { low = middle } else { high = middle }
            }
            for t in first..<end {
                while splits[low + 1] <= t { low += 1 }
                body(t, splits[low]..<splits[low + 1])
            }
        }
    }

    /// The rows of segments that start at 0 and do not fall.
    func rowsOfSegments(_ splits: [Int]) -> Int {
        precondition(splits.first == 0, "bug: splits do not start at 0")
        for i in 1..<max(splits.count, 1) { precondition(splits[i - 1] <= splits[i], "bug: splits fall") }
        return splits[splits.count - 1]
    }

    public func softplusForward(y: Buffer, x: Buffer, count: Int) {
        require(y, count, "y")
        require(x, count, "x")
        eachChunk(count) { i, n in kernels.softplus_forward(y.pointer + i, x.pointer + i, n) }
    }

    public func softplusBackward(dx: Buffer, dy: Buffer, x: Buffer, count: Int) {
        require(dx, count, "dx")
        require(dy, count, "dy")
        require(x, count, "x")
        eachChunk(count) { i, n in kernels.softplus_backward(dx.pointer + i, dy.pointer + i, x.pointer + i, n) }
    }
}
