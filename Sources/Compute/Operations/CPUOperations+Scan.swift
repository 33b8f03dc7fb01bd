// The selective scan, forward: a task is a group of 16 channels in one segment.

extension CPUOperations {
    public func selectiveScanForward(
        y: Buffer, x: Buffer, delta: Buffer, a: Buffer, b: Buffer, c: Buffer, d: Buffer, splits: [Int], channels: Int, states: Int
    ) {
        let rows = rowsOfSegments(splits)
        require(y, rows * channels, "y")
        require(x, rows * channels, "x")
        require(delta, rows * channels, "delta")
        require(a, channels * states, "a")
        require(b, rows * states, "b")
        require(c, rows * states, "c")
        require(d, channels, "d")
        let packed = packedStates(a, channels: channels, states: states)
        let groups = (channels + ScanShape.group - 1) / ScanShape.group
        pool.run((splits.count - 1) * groups) { task, worker in
            let (start, end) = (splits[task / groups], splits[task / groups + 1])
            let channel = task % groups * ScanShape.group
            let (size, place) = (states * ScanShape.group, start * channels + channel)
            let state = scratch.take(size, worker: worker)
            state.update(repeating: 0, count: size)
            kernels.scan_forward(
                y.pointer + place, state, x.pointer + place, delta.pointer + place, packed + task % groups * size,
                b.pointer + start * states,
                c.pointer + start * states, d.pointer + channel, end - start, channels, states, min(ScanShape.group, channels - channel))
        }
    }

    /// `a` as the kernels want it: (groups, states, 16), zero in lanes without a channel.
    func packedStates(_ a: Buffer, channels: Int, states: Int) -> UnsafeMutablePointer<Float> {
        let lanes = ScanShape.group
        let groups = (channels + lanes - 1) / lanes
        let packed = stateMemory.take(groups * states * lanes)
        packed.update(repeating: 0, count: groups * states * lanes)
        for channel in 0..<channels {
            for j in 0..<states {
                packed[(channel / lanes * states + j) * lanes + channel % lanes] = a.pointer[channel * states + j]
            }
        }
        return packed
    }
}
