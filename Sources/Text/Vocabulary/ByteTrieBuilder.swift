// Lays out a trie of byte strings as a double array.

/// Places nodes one by one, each where its children fall on free units. What `units` holds is told in `ByteTrie`.
struct ByteTrieBuilder {
    private(set) var units: [UInt32] = []
    private(set) var entries: [UInt32] = []
    private(set) var root = 0
    private var isTaken: [Bool] = []
    private var isBase: [Bool] = []
    /// Blocks of 256 units that are looked through for room: older ones are full or nearly so.
    private static let openBlocks = 16
    private static let openUnits = 256 * openBlocks
    /// The free units of open blocks, from the first on: what comes behind and before each, by its place in the ring of open blocks.
    private var firstFree = none
    private var lastFree = none
    private var nextFree = [Int](repeating: none, count: openUnits)
    private var previousFree = [Int](repeating: none, count: openUnits)
    private static let none = -1
    /// The next bytes below the node in work, and where the keys of each begin.
    private var labels: [UInt8] = []
    private var firsts: [Int] = []

    /// A node to be laid out: its keys and how many bytes lead to it; `parent` is the unit that gets its base.
    private struct Pending {
        let keys: Range<Int>
        let depth: Int
        let parent: Int
    }

    /// False where the keys need too many units.
    mutating func build(_ keys: SortedKeys) -> Bool {
        addBlock()
        isBase[0] = true
        var pending = keys.count == 0 ? [] : [Pending(keys: 0..<keys.count, depth: 0, parent: Self.none)]
        let (arena, keys) = (keys.arena, keys.keys)
        while let node = pending.popLast() {
            findChildren(arena, keys, node)
            if labels.isEmpty { continue }
            guard let base = room() else { return false }
            isBase[base] = true
            if node.parent == Self.none { root = base } else { units[node.parent] |= UInt32(base) << 9 }
            for child in labels.indices {
                let place = base ^ Int(labels[child])
                take(place)
                units[place] = UInt32(labels[child])
                let first = keys[firsts[child]]
                if Int(first.count) == node.depth + 1 {
                    units[place] |= 0x100
                    entries[place] = first.value
                }
                let end = child + 1 < labels.count ? firsts[child + 1] : node.keys.upperBound
                pending.append(Pending(keys: firsts[child]..<end, depth: node.depth + 1, parent: place))
            }
        }
        labelFreeUnits()
        return true
    }

    private mutating func findChildren(_ arena: [UInt8], _ keys: [SortedKeys.Key], _ node: Pending) {
        labels.removeAll(keepingCapacity: true)
        firsts.removeAll(keepingCapacity: true)
        func label(_ key: Int) -> UInt8 { arena[Int(keys[key].start) + node.depth] }
        var at = node.keys.lowerBound
        if Int(keys[at].count) == node.depth { at += 1 }
        guard at < node.keys.upperBound else { return }
        let last = label(node.keys.upperBound - 1)
        while true {
            let first = label(at)
            labels.append(first)
            firsts.append(at)
            if first == last { return }
            repeat { at += 1 } while label(at) == first
        }
    }

    /// A base at which all labels fall on free units.
    private mutating func room() -> Int? {
        while true {
            var place = firstFree
            while place != Self.none {
                let base = place ^ Int(labels[0])
                if !isBase[base] && fits(base) { return base }
                place = nextFree[place % Self.openUnits]
            }
            guard units.count + 256 <= ByteTrie.mostUnits else { return nil }
            addBlock()
        }
    }

    private func fits(_ base: Int) -> Bool {
        for label in labels where isTaken[base ^ Int(label)] { return false }
        return true
    }

    private mutating func addBlock() {
        let first = units.count
        units.append(contentsOf: repeatElement(0, count: 256))
        entries.append(contentsOf: repeatElement(0, count: 256))
        isTaken.append(contentsOf: repeatElement(false, count: 256))
        isBase.append(contentsOf: repeatElement(false, count: 256))
        // The oldest open block is closed; it comes first in the list.
        while firstFree != Self.none && firstFree < units.count - Self.openUnits { unlink(firstFree) }
        for place in first..<units.count {
            previousFree[place % Self.openUnits] = lastFree
            nextFree[place % Self.openUnits] = Self.none
            if lastFree == Self.none { firstFree = place } else { nextFree[lastFree % Self.openUnits] = place }
            lastFree = place
        }
    }

    private mutating func take(_ place: Int) {
        isTaken[place] = true
        unlink(place)
    }

    private mutating func unlink(_ place: Int) {
        let (before, behind) = (previousFree[place % Self.openUnits], nextFree[place % Self.openUnits])
        if before == Self.none { firstFree = behind } else { nextFree[before % Self.openUnits] = behind }
        if behind == Self.none { lastFree = before } else { previousFree[behind % Self.openUnits] = before }
    }

    /// Where a unit is free, some base of its block is too: every base in use has a unit in use.
    private mutating func labelFreeUnits() {
        for block in stride(from: 0, to: units.count, by: 256) {
            guard let free = (block..<(block + 256)).first(where: { !isBase[$0] }) else { continue }
            for place in block..<(block + 256) where !isTaken[place] { units[place] = UInt32(place ^ free) }
        }
    }
}
