// A pull scanner over JSON in memory: what is plain it reads without a tree, at the speed of memory; what is not, it hands back.

/// Reads one JSON document value by value, in order.
///
/// It accepts nothing that `JSONValue.parse` refuses. What it cannot vouch for (an error, an integer past 64 bits, a huge number, very deep
/// nesting, keys that may be equal) is `NotPlain`, without a place: the caller gives the same bytes to `JSONValue.parse`, which decides
/// and has the words. After `NotPlain` the scanner is of no use until `reset`.
///
///     try scanner.beginObject()
///     while let key = try scanner.nextKey() { if key.elementsEqual("n".utf8) { n = try scanner.integer() } else { try scanner.skipValue() } }
///     try scanner.end()
///
/// - The bytes must outlive the scanner. Strings are views: into the bytes where they have no escape, else into a buffer of the
///   scanner's, and then valid until its next string or key. Every string is valid UTF-8.
/// - Cost: about one cycle a byte of a string without escapes. Memory: the longest string with escapes, and 8 bytes a key of open objects.
public struct JSONScanner: ~Copyable {
    /// The bytes are no plain JSON of the form asked for.
    public struct NotPlain: Error {
        public init() {}
    }

    /// Open objects and arrays at most; Jansson's limit is 2,048.
    static let deepest = 512

    /// Where the next token, or the space before it, begins.
    public private(set) var position = 0

    var base: UnsafeRawPointer
    var count: Int
    private let wideIntegers: Bool
    /// Whether the container opened last has had no element yet.
    private var isFirst = false
    /// For each open container: where its keys' hashes begin in `hashes`, or one of the marks below.
    private var frames: [Int] = []
    private var hashes: [UInt64] = []
    var scratch = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 16)
    var scratchCount = 4096

    private static let uncheckedObject = -1
    private static let array = -2

    /// - wideIntegers: accept integers past 64 bits, as `JSONValue.parse(wideIntegers: true)` does; `integer()` refuses them all the same.
    public init(_ bytes: UnsafeRawBufferPointer, wideIntegers: Bool = false) {
        base = JSONScanner.start(of: bytes)
        count = bytes.count
        self.wideIntegers = wideIntegers
    }

    deinit { scratch.deallocate() }

    /// Begins another document with the same memory.
    public mutating func reset(_ bytes: UnsafeRawBufferPointer) {
        base = JSONScanner.start(of: bytes)
        count = bytes.count
        position = 0
        isFirst = false
        frames.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
    }

    private static func start(of bytes: UnsafeRawBufferPointer) -> UnsafeRawPointer {
        let empty: StaticString = ""
        return bytes.baseAddress ?? UnsafeRawPointer(empty.utf8Start)
    }

    // MARK: Containers

    /// The kind of the value that comes next, which is not consumed.
    public mutating func nextKind() throws(NotPlain) -> JSONValue.Kind {
        switch nextByte() {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let start = position
            let isReal = try scanNumber()
            position = start
            return isReal ? .real : .integer
        default: throw NotPlain()
        }
    }

    /// Enters an object.
    ///
    /// - uniqueKeys: whether two equal keys are `NotPlain`, found out at the object's end; a caller that says no must look itself.
    public mutating func beginObject(uniqueKeys: Bool = true) throws(NotPlain) {
        try take(UInt8(ascii: "{"))
        try open(uniqueKeys ? hashes.count : JSONScanner.uncheckedObject)
    }

    /// The next key of the object last entered, its value coming next; nil when the object has ended.
    public mutating func nextKey() throws(NotPlain) -> UnsafeRawBufferPointer? {
        let byte = nextByte()
        if byte == UInt8(ascii: "}") {
            position &+= 1
            try close()
            return nil
        }
        if !isFirst { try take(UInt8(ascii: ",")) }
        isFirst = false
        let key = try string()
        if key.contains(0) { throw NotPlain() }
        if frames[frames.count - 1] != JSONScanner.uncheckedObject { hashes.append(JSONScanner.hash(key)) }
        try take(UInt8(ascii: ":"))
        return key
    }

    /// Enters an array.
    public mutating func beginArray() throws(NotPlain) {
        try take(UInt8(ascii: "["))
        try open(JSONScanner.array)
    }

    /// Whether an element of the array last entered comes next; false when the array has ended.
    public mutating func nextElement() throws(NotPlain) -> Bool {
        if nextByte() == UInt8(ascii: "]") {
            position &+= 1
            try close()
            return false
        }
        if !isFirst { try take(UInt8(ascii: ",")) }
        isFirst = false
        return true
    }

    private mutating func open(_ frame: Int) throws(NotPlain) {
        guard frames.count < JSONScanner.deepest else { throw NotPlain() }
        frames.append(frame)
        isFirst = true
    }

    private mutating func close() throws(NotPlain) {
        guard let first = frames.popLast() else { throw NotPlain() }
        isFirst = false
        if first >= 0 {
            guard areDistinct(from: first) else { throw NotPlain() }
            hashes.removeLast(hashes.count - first)
        }
    }

    /// Whether the hashes from one on differ from each other: equal ones may belong to equal keys.
    private mutating func areDistinct(from first: Int) -> Bool {
        if hashes.count - first > 16 {
            hashes[first...].sort()
            for at in first + 1..<hashes.count where hashes[at] == hashes[at - 1] { return false }
            return true
        }
        for at in first..<hashes.count {
            for before in first..<at where hashes[at] == hashes[before] { return false }
        }
        return true
    }

    /// Eight bytes a step, multiplied and folded. Source: the mixing of wyhash, shortened.
    private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: key.count) &* 0x9E37_79B9_7F4A_7C15
        var at = 0
        while at < key.count {
            var word: UInt64 = 0
            if at &+ 8 <= key.count {
                word = key.loadUnaligned(fromByteOffset: at, as: UInt64.self)
            } else {
                for byte in at..<key.count { word = word << 8 | UInt64(key[byte]) }
            }
            let product = (hash ^ word).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
            hash = product.high ^ product.low &+ 0x8EBC_6AF0_9C88_C6E3
            at &+= 8
        }
        return hash
    }

    // MARK: Values

    /// A string's bytes.
    public mutating func string() throws(NotPlain) -> UnsafeRawBufferPointer {
        try take(UInt8(ascii: "\""))
        return try scanString()
    }

    /// An integer within 64 bits, without fraction or exponent.
    public mutating func integer() throws(NotPlain) -> Int {
        let first = nextByte()
        let isNegative = first == UInt8(ascii: "-")
        var at = position &+ (isNegative ? 1 : 0)
        let start = at
        var value = 0
        while at < count {
            let digit = byte(at) &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value &* 10 &+ Int(digit)
            at &+= 1
        }
        // Eighteen digits never overflow; more are rare enough for Jansson.
        guard at > start, at - start <= 18, byte(start) != UInt8(ascii: "0") || at - start == 1 else { throw NotPlain() }
        if at < count, byte(at) == UInt8(ascii: ".") || byte(at) | 0x20 == UInt8(ascii: "e") { throw NotPlain() }
        position = at
        return isNegative ? -value : value
    }

    /// An integer or a real, as it is written.
    public mutating func number() throws(NotPlain) -> UnsafeRawBufferPointer {
        _ = nextByte()
        let start = position
        _ = try scanNumber()
        return UnsafeRawBufferPointer(start: base + start, count: position - start)
    }

    public mutating func boolean() throws(NotPlain) -> Bool {
        let isTrue = nextByte() == UInt8(ascii: "t")
        try take(isTrue ? "true" : "false")
        return isTrue
    }

    public mutating func null() throws(NotPlain) {
        _ = nextByte()
        try take("null")
    }

    /// Passes over a value of any kind, checking all of it.
    public mutating func skipValue() throws(NotPlain) {
        let outer = frames.count
        repeat {
            if frames.count > outer {
                let isInside = frames[frames.count - 1] == JSONScanner.array ? try nextElement() : try nextKey() != nil
                if !isInside { continue }
            }
            switch nextByte() {
            case UInt8(ascii: "{"): try beginObject()
            case UInt8(ascii: "["): try beginArray()
            case UInt8(ascii: "\""): _ = try string()
            case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try boolean()
            case UInt8(ascii: "n"): try null()
            default: _ = try scanNumber()
            }
        } while frames.count > outer
    }

    /// Checks that nothing but white space is left.
    public mutating func end() throws(NotPlain) {
        _ = nextByte()
        guard position == count, frames.isEmpty else { throw NotPlain() }
    }

    // MARK: Tokens

    @inline(__always)
    func byte(_ at: Int) -> UInt8 { base.load(fromByteOffset: at, as: UInt8.self) }

    /// The byte at `position` after white space; zero, which no token begins with, at the end.
    @inline(__always)
    private mutating func nextByte() -> UInt8 {
        while position < count {
            let byte = byte(position)
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position &+= 1
        }
        return 0
    }

    @inline(__always)
    private mutating func take(_ wanted: UInt8) throws(NotPlain) {
        guard nextByte() == wanted else { throw NotPlain() }
        position &+= 1
    }

    private mutating func take(_ word: StaticString) throws(NotPlain) {
        let length = word.utf8CodeUnitCount
        guard count - position >= length else { throw NotPlain() }
        for at in 0..<length where byte(position + at) != word.utf8Start[at] { throw NotPlain() }
        position += length
    }

    /// Passes over a number at `position`; whether it has a fraction or an exponent.
    ///
    /// A real's exponent of up to two digits behind at most 200 digits is within Double; others are Jansson's to judge.
    private mutating func scanNumber() throws(NotPlain) -> Bool {
        if position < count, byte(position) == UInt8(ascii: "-") { position &+= 1 }
        let start = position
        let whole = passDigits()
        guard whole > 0, whole == 1 || byte(start) != UInt8(ascii: "0"), whole <= (wideIntegers ? 200 : 18) else { throw NotPlain() }
        var isReal = false
        if position < count, byte(position) == UInt8(ascii: ".") {
            position &+= 1
            isReal = true
            guard passDigits() > 0 else { throw NotPlain() }
        }
        if position < count, byte(position) | 0x20 == UInt8(ascii: "e") {
            position &+= 1
            isReal = true
            if position < count, byte(position) == UInt8(ascii: "-") || byte(position) == UInt8(ascii: "+") { position &+= 1 }
            guard (1...2).contains(passDigits()) else { throw NotPlain() }
        }
        return isReal
    }

    private mutating func passDigits() -> Int {
        let start = position
        while position < count, byte(position) &- UInt8(ascii: "0") < 10 { position &+= 1 }
        return position - start
    }

    /// For the scanner's own parts.
    mutating func advance(to at: Int) { position = at }
}
