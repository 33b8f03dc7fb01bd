// Inputs out of bytes, outputs into bytes, and scratch folders.
import Glibc
import Streams
import XCTest

/// A file without a name.
private func anonymousFile() -> Int32 {
    var template = Array("/tmp/streams-test-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    precondition(descriptor >= 0 && unlink(template) == 0)
    return descriptor
}

/// An input that holds these bytes.
func input(_ bytes: [UInt8], name: String = "test") -> ByteInput {
    let descriptor = anonymousFile()
    var sent = 0
    while sent < bytes.count {
        let more = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress! + sent, bytes.count - sent) }
        precondition(more > 0)
        sent += more
    }
    lseek(descriptor, 0, SEEK_SET)
    return ByteInput(descriptor: descriptor, name: name, closing: true)
}

func input(_ text: String, name: String = "test") -> ByteInput {
    input(Array(text.utf8), name: name)
}

/// An input whose every read(2) gives one byte: a socket that keeps message boundaries, one byte a message.
func slowInput(_ bytes: [UInt8], name: String = "test") -> ByteInput {
    var pair: [Int32] = [0, 0]
    precondition(socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &pair) == 0)
    let writer = pair[1]
    Thread.detachNewThread {
        for byte in bytes {
            var byte = byte
            guard send(writer, &byte, 1, Int32(MSG_NOSIGNAL)) == 1 else { break }
        }
        close(writer)
    }
    return ByteInput(descriptor: pair[0], name: name, closing: true)
}

/// The bytes that `body` writes to an output.
func written(_ body: (ByteOutput) throws -> Void) throws -> [UInt8] {
    let descriptor = anonymousFile()
    defer { close(descriptor) }
    let output = ByteOutput(descriptor: descriptor, name: "test", closing: false)
    try body(output)
    try output.close()
    lseek(descriptor, 0, SEEK_SET)
    return try ByteInput(descriptor: descriptor, name: "written", closing: false).rest(limit: .max)
}

/// Runs `body` with a new folder, which is removed afterwards.
func withScratchFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/streams-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Failure(.cannotCreate, "scratch", "mkdtemp failed") }
    let folder = String(cString: made)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try body(folder)
}

func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
}

func contents(_ path: String) throws -> [UInt8] {
    try ByteInput.open(path).rest(limit: .max)
}

/// Expects `body` to throw a `Failure` with the status, its message containing `words`.
@discardableResult
func expectFailure<Result>(
    _ status: Failure.Status = .badData, _ words: String = "", file: StaticString = #filePath, line: UInt = #line,
    _ body: () throws -> Result
) -> Failure? {
    do {
        let result = try body()
        XCTFail("expected a failure with '\(words)', got \(result)", file: file, line: line)
    } catch let failure as Failure {
        XCTAssertEqual(failure.status, status, failure.description, file: file, line: line)
        XCTAssertTrue(words.isEmpty || failure.description.contains(words), "'\(failure)' lacks '\(words)'", file: file, line: line)
        return failure
    } catch {
        XCTFail("expected a Failure, got \(error)", file: file, line: line)
    }
    return nil
}
