// Many ways through the trie at once, so that the memory for the next step of each is fetched while the others take theirs.

/// Walks through a trie from places of a text, and the pieces that each comes by. Bare memory, given back by `deallocate`.
struct UnigramWalks<Score: BinaryFloatingPoint & Sendable> {
    /// A piece that a walk comes by.
    struct Match {
        var end: UInt32
        var place: Int32
        var score: Score
    }
    private struct Walk {
        var node: UInt32
        var at: UInt32
        var count: UInt32
    }

    static var most: Int { 384 }
    private static var mostMatches: Int { 8 }
    private let walks = UnsafeMutablePointer<Walk>.allocate(capacity: Self.most)
    private let matches = UnsafeMutablePointer<Match>.allocate(capacity: Self.most * Self.mostMatches)
    private let active = UnsafeMutablePointer<UInt16>.allocate(capacity: Self.most)
    private let counter = UnsafeMutablePointer<Int>.allocate(capacity: 1)

    @inline(__always)
    var count: Int {
        get { counter.pointee }
        nonmutating set { counter.pointee = newValue }
    }

    init() { counter.pointee = 0 }

    func deallocate() {
        counter.deallocate()
        walks.deallocate()
        matches.deallocate()
        active.deallocate()
    }

    /// Adds a walk from a node that is not 0; `run` takes it.
    @inline(__always)
    func add(_ node: Int, _ text: UnsafePointer<UInt8>, _ at: Int, _ trie: UnigramTrie<Score>.View) {
        trie.prefetch(node, text[at])
        walks[count] = Walk(node: UInt32(truncatingIfNeeded: node), at: UInt32(truncatingIfNeeded: at), count: 0)
        count &+= 1
    }

    /// Takes all walks to their ends, a step of each at a time.
    func run(_ text: UnsafePointer<UInt8>, _ end: Int, _ trie: UnigramTrie<Score>.View) {
        let (walks, matches, active) = (walks, matches, active)
        var left = count
        for walk in 0..<left { active[walk] = UInt16(truncatingIfNeeded: walk) }
        while left > 0 {
            var kept = 0
            for number in 0..<left {
                let walk = Int(active[number])
                let state = walks[walk]
                var at = Int(state.at)
                guard at < end, let step = trie.step(Int(state.node), text[at]) else { continue }
                at &+= 1
                if step.isPiece {
                    let known = Int(state.count)
                    walks[walk].count = state.count &+ 1
                    // One too many is told by the count.
                    if known == Self.mostMatches { continue }
                    matches[walk &* Self.mostMatches &+ known] = Match(
                        end: UInt32(truncatingIfNeeded: at), place: Int32(truncatingIfNeeded: step.place), score: step.score)
                }
                guard step.node != 0, at < end else { continue }
                trie.prefetch(step.node, text[at])
                walks[walk].node = UInt32(truncatingIfNeeded: step.node)
                walks[walk].at = UInt32(truncatingIfNeeded: at)
                active[kept] = UInt16(truncatingIfNeeded: walk)
                kept &+= 1
            }
            left = kept
        }
    }

    /// The pieces that a walk came by, short ones first; nil where there were too many.
    @inline(__always)
    func matches(_ walk: Int) -> (first: UnsafePointer<Match>, count: Int)? {
        let known = Int(walks[walk].count)
        return known > Self.mostMatches ? nil : (UnsafePointer(matches + walk &* Self.mostMatches), known)
    }
}
