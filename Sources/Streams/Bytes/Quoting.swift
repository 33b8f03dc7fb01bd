// Bytes from a file as text fit for a message: no control characters, no invalid UTF-8, no endless lines.

/// The bytes as printable text: control characters and invalid UTF-8 become `\xNN`, and what passes `limit` bytes becomes "...".
public func printable(_ bytes: some Sequence<UInt8>, limit: Int = 80) -> String {
    let all = Array(bytes.prefix(limit + 1))
    var text = ""
    var decoder = Unicode.UTF8.ForwardParser()
    var iterator = all.prefix(limit).makeIterator()
    var position = 0
    decoding: while true {
        switch decoder.parseScalar(from: &iterator) {
        case .valid(let encoded):
            let scalar = Unicode.UTF8.decode(encoded)
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                for byte in all[position..<position + encoded.count] { text += escaped(byte) }
            } else {
                text.unicodeScalars.append(scalar)
            }
            position += encoded.count
        case .error(let length):
            for byte in all[position..<position + length] { text += escaped(byte) }
            position += length
        case .emptyInput:
            break decoding
        }
    }
    return all.count > limit ? text + "..." : text
}

/// A name from a file, printable.
public func printable(_ name: String, limit: Int = 80) -> String {
    printable(name.utf8, limit: limit)
}

/// An id from a file, printable and in quotes.
public func quoted(_ id: [UInt8]) -> String { "'" + printable(id) + "'" }

private func escaped(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.utf8.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
}
