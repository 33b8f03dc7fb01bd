// Finds ids that occur twice among more than fit into memory.

import Streams

/// The hashes of ids with their places, sorted in runs and merged.
///
/// 16 bytes an id. Equal hashes are candidates only: their ids are the owner's to compare.
public final class RepeatedIDs {
    private struct Entry: Comparable {
        var hash: UInt64
        var place: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            left.hash != right.hash ? left.hash < right.hash : left.place < right.place
        }
    }

    private static let mostCandidates = 4096
    private static let leastRun = 4096
    private let runLength: Int
    private let spool: Spool
    private var entries: [Entry] = []
    private var runs = 0
    private var count: UInt64 = 0

    /// - memory: bytes of hashes held in memory; more lie in a temporary file in `folder`.
    public init(memory: Int, folder: String? = nil) {
        runLength = max(RepeatedIDs.leastRun, memory / MemoryLayout<Entry>.stride)
        spool = Spool(memory: 0, folder: folder)
    }

    /// The next id; its place is the count of those before it.
    public func append(_ id: [UInt8]) throws {
        try append(hash: id.withUnsafeBytes { XXH64.hash($0) })
    }

    func append(hash: UInt64) throws {
        entries.append(Entry(hash: hash, place: count))
        count += 1
        if entries.count == runLength { try writeRun() }
    }

    private func writeRun() throws {
        entries.sort()
        try entries.withUnsafeBytes { try spool.append($0) }
        runs += 1
        entries.removeAll(keepingCapacity: true)
    }

    /// Pairs of places with equal hashes, each with the place before it that has the same; some thousand at most.
    public func candidates() throws -> [(first: Int, second: Int)] {
        entries.sort()
        let bytes = runLength * MemoryLayout<Entry>.stride
        var heads = try (0..<runs).map { run in
            try Run(spool: spool.reader(of: run * bytes..<(run + 1) * bytes, buffer: min(Spool.pieceBytes, max(4096, bytes / runs))))
        }
        heads.append(Run(entries: entries))
        var heap = Heap()
        for index in heads.indices { if let entry = try heads[index].next() { heap.push((entry, index)) } }
        var found: [(first: Int, second: Int)] = []
        var last: Entry?
        while let (entry, index) = heap.top {
            if let last, last.hash == entry.hash {
                found.append((Int(last.place), Int(entry.place)))
                if found.count == RepeatedIDs.mostCandidates { break }
            }
            last = entry
            if let next = try heads[index].next() { heap.replaceTop((next, index)) } else { heap.removeTop() }
        }
        return found.sorted { $0.second < $1.second }
    }

    /// One sorted run, from a file or from memory.
    private struct Run {
        private var spool: Spool.Reader?
        private var entries: [Entry] = []
        private var at = 0

        init(spool: Spool.Reader) { self.spool = spool }
        init(entries: [Entry]) { self.entries = entries }

        mutating func next() throws -> Entry? {
            guard spool != nil else {
                guard at < entries.count else { return nil }
                at += 1
                return entries[at - 1]
            }
            var entry = Entry(hash: 0, place: 0)
            return try withUnsafeMutableBytes(of: &entry) { try spool!.read(into: $0) } ? entry : nil
        }
    }

    /// The heads of the runs, the smallest first.
    private struct Heap {
        private var items: [(entry: Entry, run: Int)] = []

        var top: (Entry, Int)? { items.first.map { ($0.entry, $0.run) } }

        mutating func push(_ item: (Entry, Int)) {
            items.append(item)
            var at = items.count - 1
            while at > 0, items[at].entry < items[(at - 1) / 2].entry {
                items.swapAt(at, (at - 1) / 2)
                at = (at - 1) / 2
            }
        }

        mutating func replaceTop(_ item: (Entry, Int)) {
            items[0] = item
            sink()
        }

        mutating func removeTop() {
            items[0] = items[items.count - 1]
            items.removeLast()
            sink()
        }

        private mutating func sink() {
            var at = 0
            while true {
                var least = at
                for child in [2 * at + 1, 2 * at + 2] where child < items.count && items[child].entry < items[least].entry { least = child }
                if least == at { return }
                items.swapAt(at, least)
                at = least
            }
        }
    }
}
