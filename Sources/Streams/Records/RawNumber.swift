// A number in a record as it was written: ids that no machine integer holds, and "1e3" that is not "1000".

/// The text of the number under a key of the object on a line, as it stands there; nil when the key is written with escapes.
///
/// `line` is one JSON object that has been parsed already, with a number under `key`. Cost: one pass up to the key.
func rawNumber(under key: String, in line: UnsafeRawBufferPointer) -> [UInt8]? {
    var depth = 0
    var atKey = false
    var at = 0
    while at < line.count {
        switch line[at] {
        case UInt8(ascii: "\""):
            let end = endOfString(line, from: at)
            let isWanted = atKey && depth == 1 && line[at + 1..<end - 1].elementsEqual(key.utf8)
            if atKey, depth == 1 { atKey = false }
            at = end
            if isWanted { return number(line, from: at) }
            continue
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            atKey = depth == 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        case UInt8(ascii: ","): atKey = depth == 1
        default: break
        }
        at += 1
    }
    return nil
}

/// The index after a string's closing quote; `from` is at its opening one.
private func endOfString(_ line: UnsafeRawBufferPointer, from: Int) -> Int {
    var at = from + 1
    while at < line.count, line[at] != UInt8(ascii: "\"") { at += line[at] == UInt8(ascii: "\\") ? 2 : 1 }
    return min(at + 1, line.count)
}

/// The number behind a colon and blanks.
private func number(_ line: UnsafeRawBufferPointer, from: Int) -> [UInt8] {
    let value = line[from...].drop { $0 == UInt8(ascii: ":") || $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    return Array(value.prefix { byte in "+-.eE0123456789".utf8.contains(byte) })
}
