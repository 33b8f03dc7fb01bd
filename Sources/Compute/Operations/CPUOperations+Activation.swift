// Nonlinearities, alone and as gates: elementwise, cut into chunks.

extension CPUOperations {
    public func gatedForward(h: Buffer, gate: Buffer, up: Buffer, count: Int, activation: Activation) {
        require(h, count, "h")
        require(gate, count, "gate")
        require(up, count, "up")
        let kernel = activation.kernel
        eachChunk(count) { i, n in kernels.gated_forward(h.pointer + i, gate.pointer + i, up.pointer + i, n, kernel) }
    }

    public func gatedBackward(dgate: Buffer, dup: Buffer, dh: Buffer, gate: Buffer, up: Buffer, count: Int, activation: Activation) {
        require(dgate, count, "dgate")
        require(dup, count, "dup")
        require(dh, count, "dh")
        require(gate, count, "gate")
        require(up, count, "up")
        let kernel = activation.kernel
        eachChunk(count) { i, n in
            kernels.gated_backward(dgate.pointer + i, dup.pointer + i, dh.pointer + i, gate.pointer + i, up.pointer + i, n, kernel)
        }
    }

    public func activationForward(h: Buffer, x: Buffer, count: Int, activation: Activation) {
        require(h, count, "h")
        require(x, count, "x")
        let kernel = activation.kernel
        eachChunk(count) { i, n in kernels.activation_forward(h.pointer + i, x.pointer + i, n, kernel) }
    }

    public func activationBackward(dx: Buffer, dh: Buffer, x: Buffer, count: Int, activation: Activation) {
        require(dx, count, "dx")
        require(dh, count, "dh")
        require(x, count, "x")
        let kernel = activation.kernel
        eachChunk(count) { i, n in kernels.activation_backward(dx.pointer + i, dh.pointer + i, x.pointer + i, n, kernel) }
    }
}
