// Files that people hand over by mistake, told by their first bytes.

/// What a file is when it is not what was expected: "a Git LFS pointer, not the file itself", or nil when nothing is recognised.
///
/// `start`: the first bytes, 64 or more where the file has them. `hint` says what to do about it, where that is known.
func wrongKind(_ start: UnsafeRawBufferPointer) -> (what: String, hint: String?)? {
    func begins(_ magic: StaticString) -> Bool {
        magic.withUTF8Buffer { start.starts(with: $0) }
    }
    func begins(_ magic: [UInt8]) -> Bool { start.starts(with: magic) }
    if begins("version https://git-lfs") { return ("a Git LFS pointer, not the file itself", "fetch the file with 'git lfs pull'") }
    if begins("<!DOCTYPE") || begins("<!doctype") || begins("<html") || begins("<HTML") {
        return ("an HTML page", "the download fetched a web page instead of the file")
    }
    if begins("GGUF") { return ("a GGUF file", nil) }
    if begins("FUGG") { return ("a GGUF file in the other byte order", nil) }
    if begins([0x1F, 0x8B]) { return ("gzip data", "decompress it first: gzip -d") }
    if begins([0x28, 0xB5, 0x2F, 0xFD]) { return ("zstd data", "decompress it first: zstd -d") }
    if begins([0xFD, 0x37, 0x7A, 0x58, 0x5A]) { return ("xz data", "decompress it first: xz -d") }
    if begins([0x50, 0x4B, 0x03, 0x04]) {
        return ("a zip archive, perhaps a PyTorch checkpoint", "convert it to safetensors: a pickle can run code and is never opened")
    }
    if begins([0x80, 0x02]) || begins([0x80, 0x04]) || begins([0x80, 0x05]) {
        return ("a Python pickle, perhaps a PyTorch checkpoint", "convert it to safetensors: a pickle can run code and is never opened")
    }
    if begins([0x89, 0x48, 0x44, 0x46]) { return ("an HDF5 file", nil) }
    if begins("PAR1") { return ("a Parquet file", nil) }
    if begins([0xFF, 0xFE]) || begins([0xFE, 0xFF]) { return ("UTF-16 text", nil) }
    if begins([0xEF, 0xBB, 0xBF]) { return ("text with a byte order mark", nil) }
    // A safetensors document: 8 bytes of length, then '{' or its metadata key.
    if start.count >= 10, start[8] == UInt8(ascii: "{"), start[9] == UInt8(ascii: "\"") || start[9] == UInt8(ascii: "}"), start[7] == 0 {
        return ("a safetensors file", nil)
    }
    if start.first == UInt8(ascii: "{") { return ("JSON text", nil) }
    if start.count >= 16, start.prefix(64).allSatisfy({ $0 == 0 }) {
        return ("filled with zeros", "the file was not written to its end: fetch it again")
    }
    return nil
}
