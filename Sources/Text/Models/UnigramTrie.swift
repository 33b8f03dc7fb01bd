// The pieces of a Unigram vocabulary with their scores, found from the start of a text on.

/// A double array as `ByteTrie` has it, with the score of the piece that ends at a unit beside the unit: one load for both.
struct UnigramTrie<Score: BinaryFloatingPoint & Sendable>: Sendable {
    /// - unit: bits 0-7 label, bit 8 a piece ends here, bits 9-31 the base of what follows (0: nothing).
    struct Unit: Sendable {
        var unit: UInt32
        var score: Score
    }
    private let units: [Unit]
    /// The id of the piece that ends at each unit.
    private let ids: [UInt32]
    private let root: Int
    /// Bytes of the longest piece.
    let longest: Int

    /// Nil where the pieces need more units than a trie may have. - score: that of each id.
    init?(_ pieces: SortedKeys, score: (UInt32) -> Score) {
        var builder = ByteTrieBuilder()
        guard builder.build(pieces) else { return nil }
        let ids = builder.entries
        units = builder.units.enumerated().map { Unit(unit: $1, score: $1 & 0x100 != 0 ? score(ids[$0]) : 0) }
        self.ids = ids
        root = builder.root
        longest = pieces.longest
    }

    @inline(__always)
    func withView<Result>(_ body: (View) throws -> Result) rethrows -> Result {
        try units.withUnsafeBufferPointer { units in
            try ids.withUnsafeBufferPointer { try body(View(units: units.baseAddress!, ids: $0.baseAddress!, root: root)) }
        }
    }

    /// Units as bare memory. A piece is known by the place of its unit.
    struct View {
        fileprivate let units: UnsafePointer<Unit>
        fileprivate let ids: UnsafePointer<UInt32>
        let root: Int

        @inline(__always)
        func id(_ place: Int32) -> UInt32 { ids[Int(place)] }

        /// Calls `body` with the end, place and score of every piece that leads from `node` along `text[start..<end]`, short ones first;
        /// returns the node that all of it leads to, 0 where that goes no further.
        @inline(__always)
        func walk(
            _ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, from node: Int, _ body: (_ end: Int, _ place: Int32, _ score: Score) -> Void
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
