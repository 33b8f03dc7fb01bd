// A tensor stream that survives its writer: what was written stays, is checked, and is gone on with.
import Glibc

/// Records into a file that takes its final name when it is whole, and that a later run with the same header (the producer aside, which stays
/// that of the first run) goes on with.
///
/// Until then the records lie in `PATH.partial`. Each is handed to the system as it is written, so that a killed writer loses the one it
/// was at; after a crash of the machine a torn tail is found by its checksums and cut off. The bytes at the end are those of an unbroken run.
///
/// First call `next()` until it returns nil: it gives the records that are there, for the caller to compare with its input. Then `write`.
public final class ResumableStream {
    /// The final name.
    public let path: String
    /// Whether the file has its final name already.
    public private(set) var isComplete = false
    /// Records that were there, and the bytes behind the last whole one that were cut off.
    public private(set) var recordsFound = 0
    public private(set) var bytesDropped = 0

    private let header: StreamHeader
    private let options: [String: String]
    private let partial: String
    private let descriptor: Int32
    private var reading: Reading?
    private var output: ByteOutput?
    private var sink: TensorRecordSink?

    /// What is being read before anything is written.
    private struct Reading {
        let input: ByteInput
        let framing: TensorRecordFraming
        var state = TensorRecordSink.State()
        /// Where the record begins that is read next.
        var whole = 0
        var columns: [String]?
    }

    /// Opens what is there, or begins a new file with the header.
    ///
    /// - options: the option that decides each of the header's facts, for messages; a fact without one follows from others.
    ///
    /// Throws 65 when the file that is there has another header, or is no stream; 73 when it cannot be created; 74 when another process
    /// is writing it.
    public init(_ path: String, header: StreamHeader, options: [String: String] = [:]) throws {
        self.path = path
        self.header = header
        self.options = options
        partial = path + ".partial"
        isComplete = access(path, F_OK) == 0
        let name = isComplete ? path : partial
        let code: Int32
        (descriptor, code) = openDescriptor(name, isComplete ? O_RDONLY : O_RDWR | O_CREAT)
        guard descriptor >= 0 else {
            guard isComplete else { throw cannotCreate(name, at: name, code) }
            throw Failure(.cannotOpen, name, "cannot open: \(errorText(code))")
        }
        guard isComplete || flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(.inputOutput, name, "another process is writing this file", hint: "wait for it, or stop it")
        }
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else {
            let code = errno
            close(descriptor)
            throw Failure(.cannotOpen, name, "cannot open twice: \(errorText(code))")
        }
        let input = ByteInput(descriptor: copy, name: name, closing: true)
        var reading = Reading(input: input, framing: TensorRecordFraming(input))
        do {
            try readHeader(&reading)
        } catch {
            close(descriptor)
            throw error
        }
        self.reading = reading
    }

    deinit { close(descriptor) }

    private func readHeader(_ reading: inout Reading) throws {
        let first: TensorRecord?
        do { first = try reading.framing.next() } catch is RecordProblem { first = nil }
        guard let record = first, record.kind == "header" else {
            // Nothing whole: a writer that was killed at once. Anything else that has this name is not ours to overwrite.
            let begun = reading.input.offset < 1 << 16 && !isComplete
            guard begun, try isBeginningOfStream() else {
                throw Failure(
                    .badData, reading.input.name, "is no stream of records to go on with", hint: "remove it, or choose another output")
            }
            return
        }
        let found = try header(of: record, reading.input.name)
        let differences = header.disagreements(with: found)
        if let key = differences.first(where: { options[$0] != nil }) ?? differences.first {
            throw Failure(
                .badData, reading.input.name, "was begun \(says(found, key)), this run \(says(header, key))",
                hint: "give the same command as before, or remove \(reading.input.name) to begin anew")
        }
        reading.state.add(record)
        reading.whole = reading.input.offset
    }

    /// "with --top-k 5", "without --top-k".
    private func says(_ header: StreamHeader, _ key: String) -> String {
        let name = options[key] ?? "'\(key)'"
        let value = key == "stream" ? header.stream.rawValue : header[key]
        return value.map { "with \(name) \(printable($0))" } ?? "without \(name)"
    }

    private func header(of record: TensorRecord, _ name: String) throws -> StreamHeader {
        do { return try StreamHeader.read(record.metadata.filter { $0.0 != "kind" }) } catch let problem as RecordProblem {
            throw Failure(.badData, name, problem.message, hint: problem.hint)
        }
    }

    /// Whether the file is empty or begins as the header record does that this run would write, with zeros where a crash has lost some of it.
    private func isBeginningOfStream() throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = uninterrupted { pread(descriptor, &bytes, bytes.count, 0) }
        guard count >= 0 else { throw Failure(.inputOutput, partial, "cannot read: \(errorText(errno))") }
        let whole = TensorRecordSink.headerBytes(header)
        return count <= whole.count && zip(bytes[..<count], whole).allSatisfy { $0 == $1 || $0 == 0 }
    }

    /// The next whole record that is there; nil behind the last, when writing begins (or, of a complete file, when nothing is left to do).
    ///
    /// Throws 65 for a complete file that is damaged: it is not ours to cut.
    public func next() throws -> RecordBatch? {
        guard var current = reading else { return nil }
        do {
            guard let record = try current.framing.next() else { throw RecordProblem("the stream ends without its end record") }
            if isComplete, record.kind == "end" {
                reading = nil
                return nil
            }
            let batch = try TensorRecordSource.batch(of: record, index: current.state.records, header: header)
            if let columns = current.columns, columns != batch.columns { throw RecordProblem("other columns than in the records before") }
            current.columns = batch.columns
            current.state.add(record, batch)
            current.whole = current.input.offset
            recordsFound += 1
            reading = current
            return batch
        } catch let problem as RecordProblem {
            guard !isComplete else {
                throw Failure(.badData, path, .record(current.state.records, byte: current.whole), problem.message, hint: problem.hint)
            }
            try beginWriting(behind: current)
            return nil
        }
    }

    private func beginWriting(behind state: Reading) throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0, uninterrupted({ ftruncate(descriptor, off_t(state.whole)) }) == 0,
            lseek(descriptor, off_t(state.whole), SEEK_SET) >= 0
        else { throw Failure(.inputOutput, partial, "cannot go on behind byte \(state.whole): \(errorText(errno))") }
        bytesDropped = Int(status.st_size) - state.whole
        let output = ByteOutput(descriptor: descriptor, name: path, closing: false)
        self.output = output
        sink = try state.whole == 0 ? TensorRecordSink(output, header: header) : TensorRecordSink(output, continuing: state.state)
        try output.flush()
        if state.whole == 0 {
            // Behind a header that a crash has lost, no record would be found.
            try output.sync()
            try syncFolder(folder(of: partial))
        }
        reading = nil
    }

    /// Writes a record and hands it to the system. Throws 74, and 65 for values that a reader would refuse.
    public func write(_ batch: RecordBatch) throws {
        guard let sink, let output else { preconditionFailure("bug: written before all that was there has been read") }
        if batch.documentCount == 0 { return }
        if let problem = batch.problem(under: header) {
            throw Failure(.badData, path, "cannot write a record: \(problem)")
        }
        try sink.write(batch)
        try output.flush()
    }

    /// Writes the end record, makes the file durable and gives it its name. Nothing to do where it has it.
    public func finish() throws {
        guard !isComplete else { return }
        guard let sink, let output else { preconditionFailure("bug: finished before all that was there has been read") }
        try sink.end()
        try output.flush()
        while fsync(descriptor) != 0 {
            if errno == EINTR { continue }
            throw Failure(.inputOutput, path, "cannot sync: \(errorText(errno))")
        }
        guard rename(partial, path) == 0 else { throw Failure(.inputOutput, path, "cannot rename into place: \(errorText(errno))") }
        try syncFolder(folder(of: path))
        isComplete = true
    }
}
