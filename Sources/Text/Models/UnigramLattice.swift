// The search for the best cut into pieces, from left to right.

/// The best cuts of a text up to each of its bytes, as far as they are undecided.
///
/// What a sum is made of decides between nearly equal cuts: `Score` is the type that the peer adds in, sums are taken from left to right,
/// and of equals the one whose last piece is longest stays.
struct UnigramLattice<Score: BinaryFloatingPoint & Sendable> {
    /// What scores a vocabulary has beside those of its pieces.
    struct Limits: Sendable {
        /// What a character costs that no piece begins with alone.
        let unknownScore: Score
        /// Sums past this are set back to 0.
        let highestSum: Score
        /// Bytes of the longest piece.
        let longestPiece: Int
    }

    /// The best cut that ends at a byte: its score, where its last step starts, and what that step is: a piece by its place in the trie,
    /// an unknown character, or `count` pieces of a word from `piece` on.
    struct Node {
        var score: Score
        var start: UInt32
        var piece: Int32
        var count: UInt32
    }
    static var unknown: Int32 { -1 }
    private static var none: UInt32 { UInt32.max }

    /// Memory for nodes, kept from text to text.
    final class Nodes: @unchecked Sendable {
        fileprivate var nodes: UnsafeMutablePointer<Node>
        fileprivate var capacity = 1 << 10

        init() { nodes = .allocate(capacity: capacity) }

        deinit { nodes.deallocate() }

        fileprivate func reserve(_ count: Int, keeping: Int) {
            capacity = max(2 * capacity, count)
            let grown = UnsafeMutablePointer<Node>.allocate(capacity: capacity)
            grown.update(from: nodes, count: keeping)
            nodes.deallocate()
            nodes = grown
        }
    }

    let text: UnsafePointer<UInt8>
    let end: Int
    let trie: UnigramTrie<Score>.View
    let limits: Limits
    /// Unmanaged, so that a search is trivial to copy; whoever makes one keeps its memory.
    private let memory: Unmanaged<Nodes>
    private var nodes: UnsafeMutablePointer<Node>
    private var room: Int
    /// All cuts go through the byte `base`; node i is that of byte base + i.
    private(set) var base: Int
    /// Cuts have been looked for up to here,
    private(set) var at: Int
    /// and some go on to here.
    private(set) var frontier: Int

    /// The search through `text[range]`.
    init(
        _ text: UnsafePointer<UInt8>, _ range: Range<Int>, _ trie: UnigramTrie<Score>.View, _ limits: Limits, _ memory: Nodes
    ) {
        (self.text, end, self.trie, self.limits, self.memory) = (text, range.upperBound, trie, limits, Unmanaged.passUnretained(memory))
        (nodes, room) = (memory.nodes, memory.capacity)
        (base, at, frontier) = (range.lowerBound, range.lowerBound, range.lowerBound)
        nodes[0] = Node(score: 0, start: Self.none, piece: 0, count: 0)
    }

    /// The sum of the best cut up to `at`.
    @inline(__always)
    var sum: Score { nodes[at &- base].score }

    /// Whether all cuts go through `at`.
    @inline(__always)
    var isDecided: Bool { frontier == at }

    /// Whether some cut that has been found ends between `at` and `stop`, neither with it, and `counts`.
    @inline(__always)
    func endsInside(_ stop: Int, _ counts: (_ sum: Score, _ byte: Int) -> Bool) -> Bool {
        var byte = at &+ 1
        let last = min(stop &- 1, frontier)
        while byte <= last {
            let node = nodes[byte &- base]
            if node.start != Self.none && counts(node.score, byte) { return true }
            byte &+= 1
        }
        return false
    }

    /// Goes on behind `stop` with a sum, when all cuts are decided and written.
    @inline(__always)
    mutating func restart(_ stop: Int, _ sum: Score) {
        (base, at, frontier) = (stop, stop, stop)
        nodes[0].score = sum
    }

    /// Looks for pieces from every character in front of `stop` on. Where no piece reaches past a character that has been come to, every
    /// cut goes through it: what lies in front is handed to `body`, and the nodes are used again.
    ///
    /// Cost: for every character a step in the trie for each byte that a piece may go on with.
    ///
    /// - walks: those from every character that have been taken already, the first of them `walk`.
    @inline(__always)
    mutating func advance(
        to stop: Int, walks: UnigramWalks<Score>? = nil, walk: Int = 0,
        _ body: (_ node: Node, _ start: Int, _ end: Int) -> Void
    ) {
        var walk = walk
        while at < stop {
            if frontier == at && base < at { report(body) }
            reserve(limits.longestPiece &+ 4)
            let (start, base, nodes, trie) = (at &- base, base, nodes, trie)
            if abs(nodes[start].score) > limits.highestSum { setBack(start) }
            let before = nodes[start].score
            let single = min(at &+ Self.length(text[at]), end)
            var isKnown = false
            var frontier = frontier
            let from = UInt32(truncatingIfNeeded: start)
            if let known = walks?.matches(walk) {
                for match in 0..<known.count {
                    let (end, score) = (Int(known.first[match].end), known.first[match].score)
                    Self.offer(nodes, score + before, from, end &- base, known.first[match].place, base, &frontier)
                    if end == single { isKnown = true }
                }
            } else {
                _ = trie.walk(text, at, end, from: trie.root) { end, place, score in
                    Self.offer(nodes, score + before, from, end &- base, place, base, &frontier)
                    if end == single { isKnown = true }
                }
            }
            walk &+= 1
            if !isKnown {
                Self.offer(nodes, before + limits.unknownScore, from, single &- base, Self.unknown, base, &frontier)
            }
            self.frontier = frontier
            at = single
        }
    }

    @inline(__always)
    private static func offer(
        _ nodes: UnsafeMutablePointer<Node>, _ sum: Score, _ start: UInt32, _ end: Int, _ piece: Int32, _ base: Int, _ frontier: inout Int
    ) {
        reach(nodes, end, base, &frontier)
        if nodes[end].start == none || sum > nodes[end].score { nodes[end] = Node(score: sum, start: start, piece: piece, count: 1) }
    }

    /// Makes sure of nodes up to so many bytes behind `at`.
    @inline(__always)
    mutating func reserve(_ count: Int) {
        guard at &- base &+ count >= room else { return }
        grow(count)
    }

    @inline(never)
    private mutating func grow(_ count: Int) {
        let memory = memory.takeUnretainedValue()
        memory.reserve(at - base + count + 1, keeping: frontier - base + 1)
        (nodes, room) = (memory.nodes, memory.capacity)
    }

    /// Offers a cut that goes from the byte `start` to `end` by pieces of a word.
    @inline(__always)
    mutating func offer(_ sum: Score, _ start: Int, _ end: Int, piece: Int32, count: Int) {
        Self.reach(nodes, end &- base, base, &frontier)
        let node = nodes + (end &- base)
        if node.pointee.start == Self.none || sum > node.pointee.score {
            node.pointee = Node(
                score: sum, start: UInt32(truncatingIfNeeded: start &- base), piece: piece, count: UInt32(truncatingIfNeeded: count))
        }
    }

    /// Makes nodes up to `stop`, before any is set in front of it.
    @inline(__always)
    mutating func open(_ stop: Int) { Self.reach(nodes, stop &- base, base, &frontier) }

    /// Sets the node of a byte that lies in front of all that will be looked at.
    @inline(__always)
    mutating func set(_ sum: Score, _ start: Int, _ end: Int, piece: Int32, count: Int) {
        nodes[end &- base] = Node(
            score: sum, start: UInt32(truncatingIfNeeded: start &- base), piece: piece, count: UInt32(truncatingIfNeeded: count))
    }

    /// Goes on behind `stop`, to which cuts have been offered.
    @inline(__always)
    mutating func pass(_ stop: Int) { at = stop }

    /// Makes nodes up to `end`, counted from `base`.
    @inline(__always)
    private static func reach(_ nodes: UnsafeMutablePointer<Node>, _ end: Int, _ base: Int, _ frontier: inout Int) {
        while frontier &- base < end {
            frontier &+= 1
            nodes[frontier &- base].start = none
        }
    }

    /// Takes the score of one node from it and all behind it.
    @inline(never)
    private func setBack(_ start: Int) {
        let offset = nodes[start].score
        for at in start...max(start, frontier - base) where at == start || nodes[at].start != Self.none { nodes[at].score -= offset }
    }

    /// The bytes of the character that a byte begins.
    @inline(__always)
    static func length(_ byte: UInt8) -> Int { byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4 }

    /// Hands the best cut up to `at`, through which all go, to `body`, in order.
    @inline(__always)
    mutating func report(_ body: (_ node: Node, _ start: Int, _ end: Int) -> Void) {
        let length = at &- base
        // Turns the way back from the last node round, and follows it.
        let sum = nodes[length].score
        var (place, next) = (length, nodes[length])
        while place != 0 {
            let before = Int(next.start)
            let node = nodes[before]
            nodes[before] = next
            nodes[before].start = UInt32(truncatingIfNeeded: place)
            (place, next) = (before, node)
        }
        var start = 0
        while start < length {
            let end = Int(nodes[start].start)
            body(nodes[start], base &+ start, base &+ end)
            start = end
        }
        restart(at, sum)
    }
}
