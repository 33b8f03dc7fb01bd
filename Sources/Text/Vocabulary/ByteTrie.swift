// A dictionary of byte strings that finds all entries with which a text begins: a double array.

/// A trie in one array. A node is its base b; its child by byte c is the unit at b ^ c, if that unit's label is c.
///
///     unit   bits 0-7 label, bit 8 is an entry, bits 9-31 the child's own base (0: it has no children)
///
/// One load a byte, and one more where an entry ends. A free unit's label fits no base that is in use.
struct ByteTrie: Sendable {
    private var units: [UInt32] = []
    /// The number of the entry that ends at each unit.
    private var entries: [UInt32] = []
    private var root = 0

    static let mostUnits = 1 << 23

    /// - keys: the entries, none empty, none twice, each with its number.
    /// Nil where they need more than 8 Mi units. Cost: about 30 ns a unit.
    init?(_ keys: SortedKeys) {
        var builder = ByteTrieBuilder()
        guard builder.build(keys) else { return nil }
        (units, entries, root) = (builder.units, builder.entries, builder.root)
    }

    /// An empty trie.
    init() { self.init(SortedKeys())! }

    var isEmpty: Bool { root == 0 }

    /// Whether an entry may begin with this byte.
    @inline(__always)
    func begins(with byte: UInt8) -> Bool { withView { $0.begins(with: byte) } }

    /// Calls `body` with the end and the number of every entry that `text[range]` begins with, short ones first.
    @inline(__always)
    func forEachPrefix(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (_ end: Int, _ value: UInt32) -> Void) {
        withView { view in view.forEachPrefix(text, range) { end, place in body(end, entries[place]) } }
    }

    /// Lends the units, for loops over every character of a text.
    @inline(__always)
    func withView<Result>(_ body: (View) throws -> Result) rethrows -> Result {
        try units.withUnsafeBufferPointer { try body(View(units: $0.baseAddress!, root: root)) }
    }

    /// Units as bare memory. An entry is known by the place of its unit.
    struct View {
        fileprivate let units: UnsafePointer<UInt32>
        fileprivate let root: Int

        /// Whether an entry may begin with this byte.
        @inline(__always)
        func begins(with byte: UInt8) -> Bool { units[root ^ Int(byte)] & 0xFF == UInt32(byte) }

        /// Calls `body` with the end and the place of every entry that `text[range]` begins with, short ones first.
        @inline(__always)
        func forEachPrefix(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (_ end: Int, _ place: Int) -> Void) {
            _ = walk(text, range, body)
        }

        /// The same; returns the node that all of `text[range]` leads to, 0 where that goes no further.
        @inline(__always)
        func walk(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (_ end: Int, _ place: Int) -> Void) -> Int {
            var node = root
            var at = range.lowerBound
            while at < range.upperBound {
                let byte = text[at]
                let place = node ^ Int(byte)
                let unit = units[place]
                guard unit & 0xFF == UInt32(byte) else { return 0 }
                at += 1
                if unit & 0x100 != 0 { body(at, place) }
                node = Int(unit >> 9)
            }
            return node
        }

        /// Whether entries go on with these bytes behind a node.
        func goesOn(from node: Int, with bytes: [UInt8]) -> Bool {
            var node = node
            for byte in bytes {
                let unit = units[node ^ Int(byte)]
                guard node != 0, unit & 0xFF == UInt32(byte) else { return false }
                node = Int(unit >> 9)
            }
            return true
        }
    }

    /// The number of the entry that ends at each unit; at other places any.
    var valuesByPlace: [UInt32] { entries }

    /// Places, of entries or not.
    var placeCount: Int { units.count }

    /// The number of the entry that is these bytes.
    func value(of bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt32? {
        longestPrefix(bytes, range).flatMap { $0.end == range.upperBound ? $0.value : nil }
    }

    /// The longest entry that `text[range]` begins with.
    func longestPrefix(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> (end: Int, value: UInt32)? {
        var found: (end: Int, value: UInt32)?
        forEachPrefix(text, range) { found = ($0, $1) }
        return found
    }
}
