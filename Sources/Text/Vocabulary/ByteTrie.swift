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

    /// - keys: the entries in order of their bytes, none empty, none twice, each with its number.
    /// Nil where they need more than 8 Mi units. Cost: about 0.1 µs a byte.
    init?(sorted keys: [(bytes: ArraySlice<UInt8>, value: UInt32)]) {
        var builder = Builder()
        guard builder.build(keys) else { return nil }
        (units, entries, root) = (builder.units, builder.entries, builder.root)
    }

    /// An empty trie.
    init() { self.init(sorted: [])! }

    var isEmpty: Bool { root == 0 }

    /// Whether an entry may begin with this byte.
    @inline(__always)
    func begins(with byte: UInt8) -> Bool { units[root ^ Int(byte)] & 0xFF == UInt32(byte) }

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

        /// Calls `body` with the end and the place of every entry that `text[range]` begins with, short ones first.
        @inline(__always)
        func forEachPrefix(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (_ end: Int, _ place: Int) -> Void) {
            var node = root
            var at = range.lowerBound
            while at < range.upperBound {
                let byte = text[at]
                let place = node ^ Int(byte)
                let unit = units[place]
                guard unit & 0xFF == UInt32(byte) else { return }
                at += 1
                if unit & 0x100 != 0 { body(at, place) }
                node = Int(unit >> 9)
            }
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

private struct Builder {
    var units: [UInt32] = []
    var entries: [UInt32] = []
    var root = 0
    private var isTaken: [Bool] = []
    private var isBase: [Bool] = []
    /// Blocks of 256 units that are looked through for room: older ones are full or nearly so.
    private static let openBlocks = 16

    /// A node to be laid out: its keys and how many bytes lead to it; `parent` is the unit that gets its base.
    private struct Pending {
        let keys: Range<Int>
        let depth: Int
        let parent: Int?
    }

    mutating func build(_ keys: [(bytes: ArraySlice<UInt8>, value: UInt32)]) -> Bool {
        addBlock()
        isBase[0] = true
        var pending = keys.isEmpty ? [] : [Pending(keys: 0..<keys.count, depth: 0, parent: nil)]
        while let node = pending.popLast() {
            let children = Self.children(keys, node)
            if children.isEmpty { continue }
            guard let base = room(for: children.map(\.label)) else { return false }
            isBase[base] = true
            if let parent = node.parent { units[parent] |= UInt32(base) << 9 } else { root = base }
            for child in children {
                let place = base ^ Int(child.label)
                isTaken[place] = true
                units[place] = UInt32(child.label)
                let first = keys[child.keys.lowerBound]
                if first.bytes.count == node.depth + 1 {
                    units[place] |= 0x100
                    entries[place] = first.value
                }
                pending.append(Pending(keys: child.keys, depth: node.depth + 1, parent: place))
            }
        }
        labelFreeUnits()
        return true
    }

    /// The next bytes below a node, each with its keys.
    private static func children(
        _ keys: [(bytes: ArraySlice<UInt8>, value: UInt32)], _ node: Pending
    ) -> [(label: UInt8, keys: Range<Int>)] {
        var result: [(label: UInt8, keys: Range<Int>)] = []
        var at = node.keys.lowerBound
        if keys[at].bytes.count == node.depth { at += 1 }
        while at < node.keys.upperBound {
            let label = keys[at].bytes[keys[at].bytes.startIndex + node.depth]
            var end = at + 1
            while end < node.keys.upperBound, keys[end].bytes[keys[end].bytes.startIndex + node.depth] == label { end += 1 }
            result.append((label, at..<end))
            at = end
        }
        return result
    }

    /// A base at which all labels fall on free units.
    private mutating func room(for labels: [UInt8]) -> Int? {
        let first = max(0, units.count - Self.openBlocks * 256)
        for place in first..<units.count where !isTaken[place] {
            let base = place ^ Int(labels[0])
            if !isBase[base] && labels.allSatisfy({ !isTaken[base ^ Int($0)] }) { return base }
        }
        guard units.count + 256 <= ByteTrie.mostUnits else { return nil }
        addBlock()
        return room(for: labels)
    }

    private mutating func addBlock() {
        units.append(contentsOf: repeatElement(0, count: 256))
        entries.append(contentsOf: repeatElement(0, count: 256))
        isTaken.append(contentsOf: repeatElement(false, count: 256))
        isBase.append(contentsOf: repeatElement(false, count: 256))
    }

    /// Where a unit is free, some base of its block is too: every base in use has a unit in use.
    private mutating func labelFreeUnits() {
        for block in stride(from: 0, to: units.count, by: 256) {
            guard let free = (block..<(block + 256)).first(where: { !isBase[$0] }) else { continue }
            for place in block..<(block + 256) where !isTaken[place] { units[place] = UInt32(place ^ free) }
        }
    }
}
