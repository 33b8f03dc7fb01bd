// The search for the best cut into pieces, from left to right.

/// Scores of pieces by their place in the trie, and the best cut of a text by their sums.
///
/// What a sum is made of decides between nearly equal cuts: `Score` is the type that the peer adds in.
struct UnigramLattice<Score: BinaryFloatingPoint & Sendable>: Sendable {
    /// The score of the piece that ends at each unit of the trie.
    let scores: [Score]
    /// What a character costs that no piece begins with alone.
    let unknownScore: Score
    /// Sums past this are set back to 0.
    let highestSum: Score
    /// Bytes of the longest piece.
    let longestPiece: Int

    /// The place of a character that is no piece.
    static var unknownPlace: Int32 { -1 }

    /// The best cut that ends at a byte: its score, where its last piece starts, and that piece's place in the trie.
    struct Node {
        var score: Score
        var start: UInt32
        var place: Int32
    }
    private static var none: UInt32 { UInt32.max }

    /// Memory for the nodes of a stretch of text.
    final class Nodes: @unchecked Sendable {
        fileprivate var nodes: UnsafeMutablePointer<Node>
        fileprivate var capacity = 1 << 10

        init() { nodes = .allocate(capacity: capacity) }

        deinit { nodes.deallocate() }

        fileprivate func reserve(_ count: Int, keeping: Int) {
            guard count > capacity else { return }
            capacity = max(2 * capacity, count)
            let grown = UnsafeMutablePointer<Node>.allocate(capacity: capacity)
            grown.update(from: nodes, count: keeping)
            nodes.deallocate()
            nodes = grown
        }
    }

    /// Cuts the beginning of `text[range]` and calls `body` with the place, start and end of every piece, in order; returns where the cut
    /// ends. `sum` is that of all pieces in front, and then that of these too.
    ///
    /// Where no piece reaches past a character that has been come to, every cut goes through it: what lies in front is decided, and the
    /// nodes are used again. Cost: for every character a step in the trie for each byte that a piece may go on with.
    @inline(__always)
    func cutBeginning(
        of text: UnsafeRawBufferPointer, _ range: Range<Int>, _ trie: ByteTrie.View, _ scores: UnsafePointer<Score>, _ memory: Nodes,
        _ sum: inout Score, _ body: (_ place: Int32, _ start: Int, _ end: Int) -> Void
    ) -> Int {
        memory.nodes[0] = Node(score: sum, start: Self.none, place: 0)
        let length = findBest(text, range, trie, scores, memory)
        sum = memory.nodes[length].score
        Self.report(memory.nodes, length, range.lowerBound, body)
        return range.lowerBound &+ length
    }

    /// Fills the nodes from left to right until every cut goes through one character; returns how many bytes lie in front of it.
    @inline(__always)
    private func findBest(
        _ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ trie: ByteTrie.View, _ scores: UnsafePointer<Score>, _ memory: Nodes
    ) -> Int {
        let (base, count) = (range.lowerBound, range.count)
        var nodes = memory.nodes
        var (start, frontier) = (0, 0)
        repeat {
            if start &+ longestPiece &+ 4 >= memory.capacity {
                memory.reserve(start + longestPiece + 5, keeping: frontier + 1)
                nodes = memory.nodes
            }
            if abs(nodes[start].score) > highestSum { Self.setBack(nodes, start, frontier) }
            let before = nodes[start].score
            let single = min(start &+ Self.length(text[base &+ start]), count)
            var isKnown = false
            trie.forEachPrefix(text, (base &+ start)..<range.upperBound) { end, place in
                let (end, sum) = (end &- base, before + scores[place])
                Self.reach(nodes, end, &frontier)
                if nodes[end].start == Self.none || sum > nodes[end].score {
                    nodes[end] = Node(score: sum, start: UInt32(truncatingIfNeeded: start), place: Int32(truncatingIfNeeded: place))
                }
                if end == single { isKnown = true }
            }
            if !isKnown {
                let sum = before + unknownScore
                Self.reach(nodes, single, &frontier)
                if nodes[single].start == Self.none || sum > nodes[single].score {
                    nodes[single] = Node(score: sum, start: UInt32(truncatingIfNeeded: start), place: Self.unknownPlace)
                }
            }
            start = single
        } while start < frontier
        return start
    }

    /// Makes nodes up to `end`.
    @inline(__always)
    private static func reach(_ nodes: UnsafeMutablePointer<Node>, _ end: Int, _ frontier: inout Int) {
        while frontier < end {
            frontier &+= 1
            nodes[frontier].start = none
        }
    }

    /// Takes the score of one node from it and all behind it.
    private static func setBack(_ nodes: UnsafeMutablePointer<Node>, _ start: Int, _ frontier: Int) {
        let offset = nodes[start].score
        for at in start...max(start, frontier) where at == start || nodes[at].start != none { nodes[at].score -= offset }
    }

    /// The bytes of the character that a byte begins.
    @inline(__always)
    private static func length(_ byte: UInt8) -> Int { byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4 }

    /// Turns the way back from the last node round, and follows it.
    @inline(__always)
    private static func report(_ nodes: UnsafeMutablePointer<Node>, _ length: Int, _ base: Int, _ body: (Int32, Int, Int) -> Void) {
        var (end, next, place) = (length, none, Int32(0))
        while true {
            let node = nodes[end]
            nodes[end].start = next
            nodes[end].place = place
            if end == 0 { break }
            (next, place) = (UInt32(truncatingIfNeeded: end), node.place)
            end = Int(node.start)
        }
        var start = 0
        while start < length {
            let end = Int(nodes[start].start)
            body(nodes[start].place, base &+ start, base &+ end)
            start = end
        }
    }
}
