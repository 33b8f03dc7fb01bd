// JSON as Jansson reads it: strict, with the place of what is wrong, every string valid UTF-8.
import CJansson
import Glibc

/// A value in a parsed JSON document. It keeps the whole document alive.
///
/// Strict: one value and nothing behind it but white space, no duplicate keys, no byte-order mark, no NaN, no lone surrogates,
/// integers within 64 bits, at most 2,048 levels. `\u0000` is allowed in strings but not in keys.
/// Strings are bytes (valid UTF-8) and are compared as bytes.
public struct JSONValue {
    public enum Kind: Sendable { case object, array, string, integer, real, boolean, null }

    /// Owns a document; the nodes inside are borrowed from it and never changed.
    private final class Document {
        let root: UnsafeMutablePointer<json_t>
        init(_ root: UnsafeMutablePointer<json_t>) { self.root = root }
        deinit { json_decref(root) }
    }

    private let document: Document
    let node: UnsafeMutablePointer<json_t>

    private init(_ document: Document, _ node: UnsafeMutablePointer<json_t>) {
        self.document = document
        self.node = node
    }

    /// Parses one document.
    ///
    /// `line` and `base` place it inside a larger input: the 1-based line it stands on and the offset of its first byte; without
    /// `line`, errors count the lines of the document itself. `wideIntegers`: integers past 64 bits make every integer a real instead of
    /// an error. Throws `Failure.badData` with line and byte. Cost: about 100 MB/s; memory about ten times the text.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer, name: String, line: Int? = nil, base: Int = 0, wideIntegers: Bool = false
    ) throws -> JSONValue {
        func failure(_ message: String, line found: Int, byte: Int) -> Failure {
            Failure(.badData, name, .lineByte(line: line ?? found, byte: base + byte), "not valid JSON: \(message)")
        }
        // Jansson 2.14 passes over a zero byte behind a number or a literal; none is legal anywhere.
        if let start = bytes.baseAddress, let found = memchr(start, 0, bytes.count) {
            let zero = UnsafeRawPointer(found) - start
            throw failure("a zero byte", line: bytes[..<zero].reduce(1) { $0 + ($1 == 0x0A ? 1 : 0) }, byte: zero)
        }
        var flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY
        var (root, problem) = load(bytes, flags)
        if root == nil, wideIntegers, json_error_code(&problem) == json_error_numeric_overflow {
            flags |= JSON_DECODE_INT_AS_REAL
            (root, problem) = load(bytes, flags)
        }
        guard let root else {
            var found = withUnsafeBytes(of: problem.text) { printable($0.prefix { $0 != 0 }, limit: 160) }
            let place = min(max(0, Int(problem.position)), bytes.count)
            // Jansson shows no token of more than 20 bytes.
            if json_error_code(&problem) == json_error_duplicate_key, !found.contains("near") {
                found += " near '\(printable(bytes[string(bytes, endingAt: place)]))'"
            }
            throw failure(found, line: max(1, Int(problem.line)), byte: place)
        }
        return JSONValue(Document(root), root)
    }

    /// A document that memory has no room for ends the tool as everything else does (see `preceptor_out_of_memory`); Jansson, which has
    /// memory of its own, would call it invalid.
    private static let takesOurMemory: Void = json_set_alloc_funcs({ malloc($0) }, { free($0) })

    private static func load(_ bytes: UnsafeRawBufferPointer, _ flags: Int32) -> (UnsafeMutablePointer<json_t>?, json_error_t) {
        _ = takesOurMemory
        var problem = json_error_t()
        let empty: StaticString = ""
        let text = bytes.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
        let root = json_loadb(text.assumingMemoryBound(to: CChar.self), bytes.count, Int(flags), &problem)
        return (root, problem)
    }

    /// The string of the JSON whose closing quote stands in front of `end`.
    private static func string(_ bytes: UnsafeRawBufferPointer, endingAt end: Int) -> Range<Int> {
        var start = end - 1
        repeat { start -= 1 } while start > 0 && !(bytes[start] == UInt8(ascii: "\"") && bytes[start - 1] != UInt8(ascii: "\\"))
        return max(0, start)..<max(0, end)
    }

    public static func parse(_ bytes: [UInt8], name: String) throws -> JSONValue {
        try bytes.withUnsafeBytes { try parse($0, name: name) }
    }

    public var kind: Kind {
        switch node.pointee.type {
        case JSON_OBJECT: .object
        case JSON_ARRAY: .array
        case JSON_STRING: .string
        case JSON_INTEGER: .integer
        case JSON_REAL: .real
        case JSON_TRUE, JSON_FALSE: .boolean
        default: .null
        }
    }

    /// A string's bytes, valid while the value lives; nil for another kind.
    public func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result? {
        guard let text = json_string_value(node) else { return nil }
        defer { withExtendedLifetime(document) {} }
        return try body(UnsafeRawBufferPointer(start: text, count: json_string_length(node)))
    }

    /// A string's bytes (UTF-8); nil for another kind.
    public var bytes: [UInt8]? { withBytes { Array($0) } }

    /// A string for a message or a name; nil for another kind. Swift compares strings by canonical equivalence: use `bytes` as keys.
    public var string: String? { withBytes { String(decoding: $0, as: UTF8.self) } }

    /// An integer's value; nil for another kind, also for a real without a fraction.
    public var integer: Int? { node.pointee.type == JSON_INTEGER ? Int(json_integer_value(node)) : nil }

    /// The value of an integer or a real.
    public var number: Double? {
        switch node.pointee.type {
        case JSON_INTEGER: Double(json_integer_value(node))
        case JSON_REAL: json_real_value(node)
        default: nil
        }
    }

    public var boolean: Bool? { kind == .boolean ? node.pointee.type == JSON_TRUE : nil }
    public var isNull: Bool { node.pointee.type == JSON_NULL }

    /// Entries of an object, elements of an array, 0 for anything else.
    public var count: Int { node.pointee.type == JSON_OBJECT ? json_object_size(node) : json_array_size(node) }

    /// The element at an index below `count`.
    public subscript(index: Int) -> JSONValue {
        guard let element = json_array_get(node, index) else { preconditionFailure("bug: no JSON element \(index)") }
        return JSONValue(document, element)
    }

    /// The value under a key; nil when there is none or this is no object.
    public subscript(key: String) -> JSONValue? {
        var key = key
        return key.withUTF8 { bytes -> JSONValue? in
            bytes.withMemoryRebound(to: CChar.self) { text in
                json_object_getn(node, text.baseAddress, text.count).map { JSONValue(document, $0) }
            }
        }
    }

    /// The elements of an array, empty for anything else.
    public var elements: [JSONValue] {
        guard node.pointee.type == JSON_ARRAY else { return [] }
        return (0..<json_array_size(node)).map { JSONValue(document, json_array_get(node, $0)) }
    }

    /// The entries of an object in file order, empty for anything else.
    public var entries: [(key: [UInt8], value: JSONValue)] {
        var list: [(key: [UInt8], value: JSONValue)] = []
        list.reserveCapacity(json_object_size(node))
        forEachEntry { key, value in list.append((Array(key), value)) }
        return list
    }

    /// Visits the entries of an object in file order without copying the keys, which are valid during the call only.
    public func forEachEntry(_ body: (_ key: UnsafeRawBufferPointer, _ value: JSONValue) throws -> Void) rethrows {
        var iterator = json_object_iter(node)
        while let entry = iterator {
            let key = UnsafeRawBufferPointer(start: json_object_iter_key(entry), count: json_object_iter_key_len(entry))
            if let value = json_object_iter_value(entry) { try body(key, JSONValue(document, value)) }
            iterator = json_object_iter_next(node, entry)
        }
    }
}
