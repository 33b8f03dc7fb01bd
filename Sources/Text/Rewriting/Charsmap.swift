// sentencepiece's precompiled map of character sequences to what they are written as.
//
//     u32 size of the trie in bytes   the trie: u32 units of a double array (Darts)   the replacements, each ended by a zero byte
//
//     unit   bits 0-7 label, bit 8 has a leaf, bits 10-30 offset, shifted left by 8 if bit 9 is set
//     leaf   bit 31 set, bits 0-30 the place of the replacement

import Streams

/// The rules, checked at load: every place that they lead to lies inside, and no rule is without end.
struct Charsmap: Equatable, Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]
    /// Bytes that begin some rule.
    private let begins: [Bool]

    /// A rule that matches: the bytes that it takes, and what they become.
    struct Match {
        let length: Int
        let replacement: ArraySlice<UInt8>
    }

    /// - name: the file, for messages. Throws `Failure.badData` where the map is cut short or leads outside.
    init(_ blob: [UInt8], name: String) throws {
        func refuse(_ what: String) -> Failure { Failure(.badData, name, .whole, "precompiled_charsmap: \(what)") }
        guard blob.count > 4 else { throw refuse("has \(blob.count) bytes, expected at least 5") }
        let word = { (at: Int) in (0..<4).reduce(UInt32(0)) { $0 | UInt32(blob[at + $1]) << (8 * UInt32($1)) } }
        let size = Int(word(0))
        guard size % 4 == 0, size > 0 else { throw refuse("the trie has \(size) bytes, expected a multiple of 4") }
        guard size < blob.count - 4 else { throw refuse("the trie has \(size) bytes, but \(blob.count - 4) are left for it and the texts") }
        units = (0..<(size / 4)).map { word(4 + 4 * $0) }
        replacements = Array(blob[(4 + size)...])
        guard replacements.last == 0 else { throw refuse("the last replacement is not ended by a zero byte") }
        guard replacements.withUnsafeBytes({ firstInvalidUTF8($0) }) == nil else { throw refuse("the replacements are not valid UTF-8") }
        if let problem = Self.check(units, replacements) { throw refuse(problem) }
        let (units, root) = (units, Self.offset(units[0]))
        begins = (0..<256).map { byte in
            let at = root ^ byte
            return byte > 0 && at < units.count && Self.label(units[at]) == UInt32(byte)
        }
    }

    /// Whether a rule may begin with this byte.
    func begins(with byte: UInt8) -> Bool { begins[Int(byte)] }

    /// Whether every rule that begins with this byte goes on with a byte that is not ASCII.
    func needsOtherThanASCII(_ byte: UInt8) -> Bool {
        guard begins(with: byte) else { return true }
        let first = Self.offset(units[0]) ^ Int(byte)
        if Self.hasLeaf(units[first]) { return false }
        let node = first ^ Self.offset(units[first])
        return !(1..<0x80).contains { node ^ $0 < units.count && Self.label(units[node ^ $0]) == UInt32($0) }
    }

    /// The longest rule that matches at a byte, as sentencepiece applies them.
    func longestMatch(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> Match? {
        var found: (length: Int, place: Int)?
        walk(text, range) { found = ($0, $1) }
        return found.map { Match(length: $0.length, replacement: replacement($0.place)) }
    }

    /// What the shortest rule that matches at the start of a range writes, as HF applies them: to the whole range.
    func shortestReplacement(_ text: UnsafeRawBufferPointer, _ range: Range<Int>) -> ArraySlice<UInt8>? {
        var found: Int?
        walk(text, range) { if found == nil { found = $1 } }
        return found.map { replacement($0) }
    }

    private func replacement(_ place: Int) -> ArraySlice<UInt8> {
        var end = place
        while replacements[end] != 0 { end += 1 }
        return replacements[place..<end]
    }

    /// Calls `body` with the length and the replacement's place of every rule that matches at the start of the range, short ones first.
    @inline(__always)
    private func walk(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Int, Int) -> Void) {
        var node = Self.offset(units[0])
        for at in range {
            let byte = text[at]
            let next = node ^ Int(byte)
            guard byte != 0, next < units.count, Self.label(units[next]) == UInt32(byte) else { return }
            node = next ^ Self.offset(units[next])
            if Self.hasLeaf(units[next]) { body(at + 1 - range.lowerBound, Int(units[node] & 0x7FFF_FFFF)) }
        }
    }

    private static func label(_ unit: UInt32) -> UInt32 { unit & 0x8000_00FF }
    private static func hasLeaf(_ unit: UInt32) -> Bool { unit & 0x100 != 0 }
    private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }

    /// What is wrong with a trie; nil if every path from the root ends and every leaf on it names a replacement.
    ///
    /// A unit with label c at place i continues the node i ^ c, so the children of all nodes are listed in one pass. Equal endings share
    /// their nodes, so a node may be reached twice, but never from itself.
    private static func check(_ units: [UInt32], _ replacements: [UInt8]) -> String? {
        let root = offset(units[0])
        guard !hasLeaf(units[0]), units[0] & 0x8000_0000 == 0 else { return "the root of the trie is a rule" }
        guard root < units.count else { return "unit 0 leads to unit \(root) of \(units.count)" }
        var first = [Int32](repeating: -1, count: units.count)
        var next = [Int32](repeating: -1, count: units.count)
        for (at, unit) in units.enumerated().dropFirst() where label(unit) > 0 && label(unit) < 256 {
            let node = at ^ Int(label(unit))
            guard node < units.count else { continue }
            next[at] = first[node]
            first[node] = Int32(at)
        }
        // Nodes on the path have a child left to visit in `first`; 1: on the path, 2: done.
        var state = [UInt8](repeating: 0, count: units.count)
        var path = [root]
        state[root] = 1
        while let node = path.last {
            guard first[node] >= 0 else {
                state[node] = 2
                path.removeLast()
                continue
            }
            let child = Int(first[node])
            first[node] = next[child]
            let target = child ^ offset(units[child])
            guard target < units.count else { return "unit \(child) leads to unit \(target) of \(units.count)" }
            if hasLeaf(units[child]) {
                let place = Int(units[target] & 0x7FFF_FFFF)
                guard units[target] & 0x8000_0000 != 0, place < replacements.count, replacements[place] & 0xC0 != 0x80 else {
                    return "unit \(target) names no replacement: \(place) of \(replacements.count) bytes"
                }
            }
            if state[target] == 1 { return "unit \(child) leads back to where it came from" }
            if state[target] == 0 {
                state[target] = 1
                path.append(target)
            }
        }
        return nil
    }
}
