// Inputs and outputs without a disk.
import Glibc

@testable import Streams

/// A file without a name that lives in memory, written again and again.
public final class MemoryFile: @unchecked Sendable {
    private let descriptor: Int32

    public init() {
        var template = Array("/dev/shm/fuzz-XXXXXX".utf8CString)
        descriptor = mkstemp(&template)
        precondition(descriptor >= 0 && unlink(template) == 0, "no memory file: \(errno)")
    }

    /// An input that holds these bytes.
    func input(_ bytes: UnsafeRawBufferPointer) -> ByteInput {
        empty()
        var sent = 0
        while sent < bytes.count {
            let more = pwrite(descriptor, bytes.baseAddress! + sent, bytes.count - sent, sent)
            precondition(more > 0, "cannot write: \(errno)")
            sent += more
        }
        return ByteInput(descriptor: descriptor, name: "input", closing: false, chunk: 256)
    }

    /// Writes the bytes and gives the path under which they can be opened.
    public func path(_ bytes: UnsafeRawBufferPointer) -> String {
        _ = input(bytes)
        return "/proc/self/fd/\(descriptor)"
    }

    /// What `body` writes, as an input.
    func written(_ body: (ByteOutput) throws -> Void) throws -> ByteInput {
        empty()
        let output = ByteOutput(descriptor: descriptor, name: "output", closing: false, chunk: ByteOutput.directly)
        try body(output)
        try output.close()
        lseek(descriptor, 0, SEEK_SET)
        return ByteInput(descriptor: descriptor, name: "written", closing: false, chunk: 512)
    }

    private func empty() {
        precondition(ftruncate(descriptor, 0) == 0 && lseek(descriptor, 0, SEEK_SET) == 0, "cannot empty: \(errno)")
    }
}

/// Memory that stands for a file.
public func mapped(_ bytes: UnsafeRawBufferPointer) -> MappedFile { MappedFile(standingFor: bytes, name: "input") }

/// The bytes before the first zero byte, and the text behind it: a short one of our own where there is none; nil when it is not UTF-8.
func splitAtZero(_ bytes: UnsafeRawBufferPointer) -> (head: UnsafeRawBufferPointer, text: [UInt8])? {
    guard let zero = bytes.firstIndex(of: 0) else { return (bytes, plainText) }
    let text = UnsafeRawBufferPointer(rebasing: bytes[(zero + 1)...])
    guard firstInvalidUTF8(text) == nil else { return nil }
    return (UnsafeRawBufferPointer(rebasing: bytes[..<zero]), Array(text))
}

/// Some of everything: spaces, digits, marks, combining characters, scripts, a line's end, a special token.
let plainText = Array(
    "Hello  wo\u{308}rld's 1234\r\n \u{2581}the<s>, \u{E9}t\u{E9} \u{6F22}\u{5B57}\u{FF21}\u{1F642}\u{200D}\t\u{AC00}\u{1100}.".utf8)
