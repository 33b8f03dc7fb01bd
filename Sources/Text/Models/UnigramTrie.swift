// The pieces of a Unigram vocabulary with their scores, found from the start of a text on.

import CSystem

/// A double array as `ByteTrie` has it, with the score of the piece that ends at a unit beside the unit: one load for both.
struct UnigramTrie<Score: BinaryFloatingPoint & Sendable>: Sendable {
    /// - unit: bits 0-7 label, bit 8 a piece ends here, bits 9-31 the base of what follows (0: nothing).
    struct Unit: Sendable {
        var unit: UInt32
        var score: Score
    }
    private let units: TableMemory
    /// The id of the piece that ends at each unit.
    private let ids: [UInt32]
    private let root: Int
    /// Tells of most places behind a ▁ whether a piece goes on with a text: a bit for each hash of a node and up to three bytes.
    private var filter: [UInt64] = []
    private var filterShift: UInt64 = 63
    /// Bytes of the longest piece.
    let longest: Int

    /// Nil where the pieces need more units than a trie may have. - score: that of each id.
    init?(_ pieces: SortedKeys, score: (UInt32) -> Score) {
        var builder = ByteTrieBuilder()
        guard builder.build(pieces) else { return nil }
        let ids = builder.entries
        units = TableMemory(bytes: builder.units.count * MemoryLayout<Unit>.stride)
        let view = units.view(of: Unit.self)
        for (place, unit) in builder.units.enumerated() {
            view[place] = Unit(unit: unit, score: unit & 0x100 != 0 ? score(ids[place]) : 0)
        }
        self.ids = ids
        root = builder.root
        longest = pieces.longest
        makeFilter(pieces)
    }

    /// Marks, behind every ▁ inside a piece, the three bytes that follow, or all where there are fewer, and where there are.
    private mutating func makeFilter(_ pieces: SortedKeys) {
        var keys: [UInt64] = []
        withView { view in
            for number in 0..<pieces.count {
                pieces.bytes(number).withUnsafeBufferPointer { piece in
                    guard let bytes = piece.baseAddress, piece.count > 4 else { return }
                    var (node, from) = (view.root, 0)
                    for at in 1..<(piece.count - 3) where bytes[at] == 0xE2 && bytes[at + 1] == 0x96 && bytes[at + 2] == 0x81 {
                        node = view.walk(bytes, from, at + 3, from: node) { _, _, _ in }
                        from = at + 3
                        let rest = min(3, piece.count - from)
                        let next = (0..<rest).reduce(UInt64(0)) { $0 | UInt64(bytes[from + $1]) << UInt64(8 * $1) }
                        keys.append(View.key(node, next, rest))
                        if rest < 3 { keys.append(View.key(node, 0, rest + 4)) }
                    }
                }
            }
        }
        while 1 << (64 - filterShift) < 16 * keys.count { filterShift -= 1 }
        filter = [UInt64](repeating: 0, count: max(1, (1 << Int(64 - filterShift)) / 64))
        for key in keys {
            let bit = Int(truncatingIfNeeded: key &>> filterShift)
            filter[bit >> 6] |= 1 << UInt64(bit & 63)
        }
    }

    @inline(__always)
    func withView<Result>(_ body: (View) throws -> Result) rethrows -> Result {
        try ids.withUnsafeBufferPointer { ids in
            try filter.withUnsafeBufferPointer {
                try body(
                    View(
                        units: units.view(of: Unit.self), ids: ids.baseAddress!, root: root, filter: $0.baseAddress,
                        filterShift: filterShift))
            }
        }
    }

    /// Units as bare memory. A piece is known by the place of its unit.
    struct View {
        fileprivate let units: UnsafePointer<Unit>
        fileprivate let ids: UnsafePointer<UInt32>
        let root: Int
        fileprivate let filter: UnsafePointer<UInt64>?
        fileprivate let filterShift: UInt64

        /// - next: up to three bytes, the first lowest.
        @inline(__always)
        fileprivate static func key(_ node: Int, _ next: UInt64, _ count: Int) -> UInt64 {
            let one = (UInt64(truncatingIfNeeded: node) &<< 27 | next &<< 3 | UInt64(truncatingIfNeeded: count)) &* 0x9e37_79b9_7f4a_7c15
            return (one ^ one &>> 29) &* 0xbf58_476d_1ce4_e5b9
        }

        @inline(__always)
        private func has(_ key: UInt64) -> Bool {
            let bit = key &>> filterShift
            return filter![Int(truncatingIfNeeded: bit &>> 6)] &>> (bit & 63) & 1 != 0
        }

        /// Brings near what `mayGoOn` reads first.
        @inline(__always)
        func prefetchFilter(_ node: Int, _ next: UInt64) {
            guard let filter else { return }
            preceptor_prefetch(filter + Int(truncatingIfNeeded: (Self.key(node, next & 0xFF_FFFF, 3) &>> filterShift) &>> 6))
        }

        /// Whether pieces may end so many bytes behind a node, 1 or 2.
        func mayEnd(_ count: Int, behind node: Int) -> Bool { has(Self.key(node, 0, count + 4)) }

        /// Whether a piece may go on from a node behind ▁ with a text of which `next` are the first three bytes. - short: whether one may
        /// end behind one byte (bit 0), or two (bit 1).
        @inline(__always)
        func mayGoOn(_ node: Int, _ next: UInt64, short: UInt16) -> Bool {
            if has(Self.key(node, next & 0xFF_FFFF, 3)) { return true }
            if short == 0 { return false }
            return short & 1 != 0 && has(Self.key(node, next & 0xFF, 1)) || short & 2 != 0 && has(Self.key(node, next & 0xFFFF, 2))
        }

        /// The unit that a byte leads to from a node; nil where there is none.
        @inline(__always)
        func step(_ node: Int, _ byte: UInt8) -> (place: Int, node: Int, isPiece: Bool, score: Score)? {
            let place = node ^ Int(byte)
            let unit = units[place]
            guard unit.unit & 0xFF == UInt32(byte) else { return nil }
            return (place, Int(unit.unit &>> 9), unit.unit & 0x100 != 0, unit.score)
        }

        /// Brings the unit near that a byte leads to.
        @inline(__always)
        func prefetch(_ node: Int, _ byte: UInt8) { preceptor_prefetch(units + (node ^ Int(byte))) }

        @inline(__always)
        func id(_ place: Int32) -> UInt32 { ids[Int(place)] }

        /// Calls `body` with the end, place and score of every piece that leads from `node` along `text[start..<end]`, short ones first;
        /// returns the node that all of it leads to, 0 where that goes no further.
        @inline(__always)
        func walk(
            _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, from node: Int,
            _ body: (_ end: Int, _ place: Int32, _ score: Score) -> Void
        ) -> Int {
            var (node, at) = (node, start)
            while at < end {
                let byte = text[at]
                let place = node ^ Int(byte)
                let unit = units[place].unit
                guard unit & 0xFF == UInt32(byte) else { return 0 }
                at &+= 1
                if unit & 0x100 != 0 { body(at, Int32(truncatingIfNeeded: place), units[place].score) }
                node = Int(unit &>> 9)
                if node == 0 { return 0 }
            }
            return node
        }

        /// The node behind ▁, 0 where no piece goes on with it, and the place of a piece that ends with it, -1 where none does.
        func behindBoundary(_ node: Int) -> (node: Int, piece: Int32) {
            var (node, piece) = (node, Int32(-1))
            for byte in [0xE2, 0x96, 0x81] as [UInt32] {
                let place = node ^ Int(byte)
                guard node != 0, units[place].unit & 0xFF == byte else { return (0, -1) }
                piece = units[place].unit & 0x100 != 0 ? Int32(truncatingIfNeeded: place) : -1
                node = Int(units[place].unit &>> 9)
            }
            return (node, piece)
        }

        @inline(__always)
        func score(_ place: Int32) -> Score { units[Int(place)].score }
    }

    /// The id of the piece that is these bytes.
    func id(of text: UnsafePointer<UInt8>, _ range: Range<Int>) -> UInt32? {
        withView { view in
            var found: UInt32?
            _ = view.walk(text, range.lowerBound, range.upperBound, from: view.root) { end, place, _ in
                if end == range.upperBound { found = view.id(place) }
            }
            return found
        }
    }
}
