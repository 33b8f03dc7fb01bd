// The lines that --on-error skip passes over, kept in a file.

import Streams

/// The file of refused lines: `--rejects`. Not for use from two threads at once.
public final class Rejects {
    private let output: ByteOutput
    private var count = 0
    private var first: Failure?
    private var lacksNewline = false

    /// Creates the file, or throws status 73.
    public init(_ path: String) throws {
        output = try .file(path)
    }

    /// Counts refused lines; the first failure is told at the end.
    public func add(_ refused: Int, _ failure: Failure) {
        count += refused
        if first == nil { first = failure }
    }

    /// Writes whole lines, or a part of a line over the limit.
    public func write(_ bytes: [UInt8]) throws {
        guard let last = bytes.last else { return }
        try output.write(bytes)
        lacksNewline = last != 0x0A
    }

    /// Closes the file. Throws status 1 when lines were refused.
    public func finish(records: Int) throws {
        if lacksNewline { try output.write([0x0A]) }
        try output.close()
        guard let first else { return }
        let lines = count == 1 ? "1 line was" : "\(count) lines were"
        throw Failure(.answerIsNo, output.name, "\(lines) refused, \(records) accepted; the first: \(first)", hint: first.hint)
    }
}
