// JSON as we write it: append-only, compact, numbers in the shortest form that reads back to the same value.

/// A JSON document under construction.
///
/// Commas are placed by the writer; the order of calls is the order of the text. Non-finite numbers become null, as JSON has none.
/// Strings must be valid UTF-8: they are copied, only `"`, `\` and the control characters below 0x20 are escaped.
public struct JSONText {
    public private(set) var bytes: [UInt8] = []
    private var needsComma = false

    public init() {}

    /// Forgets the text and keeps the memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        needsComma = false
    }

    public mutating func beginObject() { open(UInt8(ascii: "{")) }
    public mutating func endObject() { close(UInt8(ascii: "}")) }
    public mutating func beginArray() { open(UInt8(ascii: "[")) }
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    public mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    public mutating func string(_ text: String) {
        var text = text
        text.withUTF8 { string(UnsafeRawBufferPointer($0)) }
    }

    public mutating func string(_ text: [UInt8]) {
        text.withUnsafeBytes { string($0) }
    }

    public mutating func string(_ text: UnsafeRawBufferPointer) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var plain = 0
        for at in 0..<text.count {
            let byte = text[at]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            bytes.append(contentsOf: text[plain..<at])
            escape(byte)
            plain = at + 1
        }
        bytes.append(contentsOf: text[plain...])
        bytes.append(UInt8(ascii: "\""))
    }

    public mutating func integer(_ value: Int) {
        separate()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(UInt64(value.magnitude))
    }

    public mutating func integer(_ value: UInt64) {
        separate()
        digits(value)
    }

    /// The shortest digits that read back as the same `Float`; null when it is not finite.
    public mutating func number(_ value: Float) {
        guard value.isFinite else { return null() }
        literal(value.description)
    }

    /// The shortest digits that read back as the same `Double`; null when it is not finite.
    public mutating func number(_ value: Double) {
        guard value.isFinite else { return null() }
        literal(value.description)
    }

    public mutating func boolean(_ value: Bool) { literal(value ? "true" : "false") }
    public mutating func null() { literal("null") }

    /// A value that is JSON text already.
    public mutating func raw(_ text: UnsafeRawBufferPointer) {
        separate()
        bytes.append(contentsOf: text)
    }

    /// Ends a line: what follows is a new document.
    public mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
        needsComma = false
    }

    /// Text that carries its own commas.
    mutating func append(_ text: UnsafeBufferPointer<UInt8>) { bytes.append(contentsOf: text) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func digits(_ value: UInt64) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { memory in
            var at = memory.baseAddress!
            writeDigits(value, &at)
            bytes.append(contentsOf: UnsafeBufferPointer(start: memory.baseAddress!, count: at - memory.baseAddress!))
        }
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        case 0x00..<0x20:
            bytes.append(contentsOf: "u00".utf8)
            bytes.append(byte >= 0x10 ? UInt8(ascii: "1") : UInt8(ascii: "0"))
            bytes.append(hexDigit(byte & 15))
        default: bytes.append(byte)
        }
    }
}

/// A digit of lower-case hexadecimal.
func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
}

/// Writes a number's decimal digits, at most 20, and moves past them.
@inline(__always)
func writeDigits(_ value: UInt64, _ at: inout UnsafeMutablePointer<UInt8>) {
    var length = 1
    var limit: UInt64 = 10
    while length < 20, value >= limit {
        length &+= 1
        limit = length < 20 ? limit &* 10 : .max
    }
    var rest = value
    var place = length &- 1
    while place >= 0 {
        let next = rest / 10
        at[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest &- next &* 10)
        rest = next
        place &-= 1
    }
    at += length
}
