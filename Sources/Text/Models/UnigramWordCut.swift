// The best cut of a word by itself, and what may go on from inside it.

/// Cuts words one after another; `UnigramWords` keeps what comes of it.
final class UnigramWordCut {
    /// A piece of a word, with its end in it.
    struct Piece {
        var score: Float
        var id: UInt32
        var end: UInt32
    }

    /// A place from which pieces go on with ▁: `count` pieces from `first` of the word's on lead up to byte `at`, the trie goes on behind ▁
    /// at `node` (0: it does not), and `piece` ends with it (-1: none does).
    struct Exit {
        var node: UInt32
        var piece: Int32
        var at: UInt16
        var count: UInt16
        var first: UInt16
        /// Whether pieces may end one byte behind the node (bit 0), or two (bit 1).
        var short: UInt16
    }

    /// What is known of a word beside its bytes, pieces and exits.
    struct Head {
        /// The least lead / 2 n.
        var lead: Float
        /// The largest sum inside the word.
        var reach: Float
        var length: UInt16
        /// How many pieces the best cut has.
        var count: UInt16
        /// How many there are with those of exits.
        var all: UInt16
        var exits: UInt8
        var hasUnknown: Bool
    }

    /// Bytes of the longest word that is cut.
    static let longestWord = 64
    private static let mostReach = 2000.0
    private static let mostPieces = 512

    /// Of the last word: its pieces, its exits, and from each byte behind the first the best sum to the end less that from the start.
    let pieces = UnsafeMutablePointer<Piece>.allocate(capacity: mostPieces)
    let exits = UnsafeMutablePointer<Exit>.allocate(capacity: longestWord)
    let deficits = UnsafeMutablePointer<Float>.allocate(capacity: longestWord)

    /// The best sum up to a byte and the next best, in 64 bits, with the best cut's last piece.
    private struct Node {
        var best = -Double.infinity
        var second = -Double.infinity
        var start: Int32 = 0
        var place: Int32 = UnigramLattice<Float>.unknown
        var score: Float = 0
    }
    private struct Edge {
        let start: UInt16
        let end: UInt16
        let score: Float
    }
    private let nodes = UnsafeMutablePointer<Node>.allocate(capacity: longestWord + 1)
    private let edges = UnsafeMutablePointer<Edge>.allocate(capacity: longestWord * (longestWord + 1) / 2 + longestWord)
    private let ahead = UnsafeMutablePointer<Double>.allocate(capacity: longestWord + 1)

    deinit {
        pieces.deallocate()
        exits.deallocate()
        deficits.deallocate()
        nodes.deallocate()
        edges.deallocate()
        ahead.deallocate()
    }

    /// Cuts a word of at most `longestWord` bytes.
    func cut(
        _ text: UnsafePointer<UInt8>, _ word: UnigramWord, _ trie: UnigramTrie<Float>.View, unknownScore: Float, unknownID: UInt32
    ) -> Head {
        let length = word.stop - word.start
        let (nodes, edges) = (nodes, edges)
        for at in 0...length { nodes[at] = Node() }
        nodes[0].best = 0
        var (at, characters, edgeCount, exitCount, reach, lead) = (0, 0, 0, 0, 0.0, Double.infinity)
        while at < length {
            let before = nodes[at]
            reach = max(reach, abs(before.best))
            let single = min(at + UnigramLattice<Float>.length(text[word.start + at]), length)
            var isKnown = false
            func add(_ end: Int, _ score: Float, _ place: Int32) {
                let (sum, second) = (before.best + Double(score), before.second + Double(score))
                edges[edgeCount] = Edge(start: UInt16(at), end: UInt16(end), score: score)
                edgeCount += 1
                if sum > nodes[end].best {
                    let last = nodes[end].best
                    nodes[end] = Node(best: sum, second: max(last, second), start: Int32(at), place: place, score: score)
                } else {
                    nodes[end].second = max(nodes[end].second, sum)
                }
            }
            let node = trie.walk(text, word.start + at, word.stop, from: trie.root) { end, place, score in
                add(end - word.start, score, place)
                if end - word.start == single { isKnown = true }
            }
            if !isKnown { add(single, unknownScore, UnigramLattice<Float>.unknown) }
            if node != 0 {
                let (behind, piece) = trie.behindBoundary(node)
                if behind != 0 || piece >= 0 {
                    let short: UInt16 = (trie.mayEnd(1, behind: behind) ? 1 : 0) | (trie.mayEnd(2, behind: behind) ? 2 : 0)
                    exits[exitCount] = Exit(node: UInt32(behind), piece: piece, at: UInt16(at), count: 0, first: 0, short: short)
                    exitCount += 1
                    if at > 0 { lead = min(lead, (before.best - before.second) / Double(2 * characters)) }
                }
            }
            characters += 1
            at = single
        }
        let last = nodes[length]
        lead = min(lead, (last.best - last.second) / Double(2 * characters))
        reach = max(reach, abs(last.best)) + 1
        var all = collect(length, 0, trie, unknownID)
        let count = all
        for exit in 0..<exitCount where exits[exit].at > 0 {
            // Most exits lie on the best cut.
            let end = UInt32(exits[exit].at)
            if let piece = (0..<count).first(where: { pieces[$0].end == end }) {
                exits[exit].count = UInt16(piece + 1)
            } else if all < Self.mostPieces - Self.longestWord {
                let first = all
                all = collect(Int(end), first, trie, unknownID)
                exits[exit].first = UInt16(first)
                exits[exit].count = UInt16(all - first)
            } else {
                lead = -1
            }
        }
        findDeficits(length, edgeCount)
        let isUsable = reach < Self.mostReach
        // The sums of 64 bits are rounded too.
        return Head(
            lead: isUsable ? Float(lead - 1e-6).nextDown : -1, reach: Float(reach).nextUp, length: UInt16(length), count: UInt16(count),
            all: UInt16(all), exits: UInt8(exitCount), hasUnknown: (0..<all).contains { pieces[$0].id == unknownID })
    }

    /// Adds the pieces of the best cut up to a byte behind `first` others; returns how many there are then.
    private func collect(_ end: Int, _ first: Int, _ trie: UnigramTrie<Float>.View, _ unknownID: UInt32) -> Int {
        var (at, count) = (end, first)
        while at > 0 {
            let node = nodes[at]
            pieces[count] = Piece(score: node.score, id: node.place < 0 ? unknownID : trie.id(node.place), end: UInt32(at))
            count += 1
            at = Int(node.start)
        }
        let made = UnsafeMutableBufferPointer(start: pieces + first, count: count - first)
        for piece in 0..<made.count / 2 { made.swapAt(piece, made.count - 1 - piece) }
        return count
    }

    /// The best sum from every byte of a word to its end, less that from its start.
    private func findDeficits(_ length: Int, _ edgeCount: Int) {
        for at in 0..<length { ahead[at] = -.infinity }
        ahead[length] = 0
        for edge in stride(from: edgeCount - 1, through: 0, by: -1) {
            let edge = edges[edge]
            ahead[Int(edge.start)] = max(ahead[Int(edge.start)], Double(edge.score) + ahead[Int(edge.end)])
        }
        for at in 1..<max(1, length) { deficits[at - 1] = Float(ahead[at] - ahead[0]).nextUp }
    }
}
