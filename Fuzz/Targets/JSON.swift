// JSON: what the scanner accepts, the strict reader accepts too, with the same values.
@testable import Streams

extension FuzzTarget {
    static let json = FuzzTarget("json", longest: 1024) { bytes in
        for wide in [false, true] { compareJSON(bytes, wideIntegers: wide) }
    }
}

private func compareJSON(_ bytes: UnsafeRawBufferPointer, wideIntegers: Bool) {
    var scanner = JSONScanner(bytes, wideIntegers: wideIntegers)
    var isPlain = true
    do {
        try scanner.skipValue()
        try scanner.end()
    } catch { isPlain = false }
    guard let value = try? JSONValue.parse(bytes, name: "input", wideIntegers: wideIntegers) else {
        return agree(!isPlain, "the scanner accepts what the strict reader refuses")
    }
    guard isPlain else { return }
    scanner.reset(bytes)
    do {
        try compareValue(&scanner, value, wideIntegers)
        try scanner.end()
    } catch { preconditionFailure("the scanner reads a value that it has passed over otherwise") }
}

private func compareValue(_ scanner: inout JSONScanner, _ value: JSONValue, _ wide: Bool) throws {
    let kind = try scanner.nextKind()
    // Behind an integer past 64 bits every integer of the tree is a real.
    agree(kind == value.kind || wide && kind == .integer && value.kind == .real, "\(kind) and \(value.kind)")
    switch kind {
    case .object:
        let entries = value.entries
        var at = 0
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            agree(at < entries.count && key.elementsEqual(entries[at].key), "keys differ at entry \(at)")
            try compareValue(&scanner, entries[at].value, wide)
            at += 1
        }
        agree(at == entries.count, "\(at) entries and \(entries.count)")
    case .array:
        let elements = value.elements
        var at = 0
        try scanner.beginArray()
        while try scanner.nextElement() {
            agree(at < elements.count, "more elements than \(elements.count)")
            try compareValue(&scanner, elements[at], wide)
            at += 1
        }
        agree(at == elements.count, "\(at) elements and \(elements.count)")
    case .string: agree(try scanner.string().elementsEqual(value.bytes ?? []), "strings differ")
    case .integer where value.kind == .integer && !wide: agree(try scanner.integer() == value.integer, "integers differ")
    case .integer, .real:
        let text = String(decoding: try scanner.number(), as: UTF8.self)
        agree(Double(text) == value.number, "\(text) and \(String(describing: value.number))")
    case .boolean: agree(try scanner.boolean() == value.boolean, "booleans differ")
    case .null: try scanner.null()
    }
}
