// Sums over ranks by recursive doubling, while the ranks compute.
import Compute
import Glibc
import Streams

/// Adds up gradients over the ranks of a transport.
///
///     stage s:  rank r sends its sum of 2^s ranks to rank r xor 2^s, and adds the one that it gets
///
/// As a + b = b + a, all ranks hold the same bytes after log2(count) stages, those of a pairwise tree. Buffers are cut into pieces, a few of
/// which are on their way at a time: that bounds the memory for what comes in, and gives stages of different pieces to the network at once.
/// A thread of its own moves the pieces while the others compute, if the transport allows it; else they move when something begins.
public final class RankExchange: GradientExchange, @unchecked Sendable {
    public let rank: Int
    public let count: Int
    private let transport: any Transport
    private let bell = Lock()
    private var mover: pthread_t?

    // Under the bell's lock.
    private var waiting: [Piece] = []
    private var nextWaiting = 0
    private var flights: [Flight] = []
    private var landingPlaces: [UnsafeMutablePointer<Float>] = []
    /// What was begun stays in memory.
    private var held: [Buffer] = []
    private var (piecesBegun, gathersBegun) = (0, 0)
    private var failure: (any Error)?
    private var isClosing = false
    private var busySince: Double?
    private var costSoFar = ExchangeCost()

    private struct Piece {
        let start: UnsafeMutablePointer<Float>
        let count: Int
        let number: Int
    }

    private struct Flight {
        let piece: Piece
        let landing: UnsafeMutablePointer<Float>
        var stage = 0
        var outgoing: Message
        var incoming: Message
    }

    /// float32 values of a piece.
    private let pieceLength: Int
    /// Pieces that are on their way at most.
    private static let flightLimit = 16

    /// - hasThread: whether a thread may use the transport while this one does not. - pieceLength: values that are sent at a time; 1 MiB.
    public init(_ transport: any Transport, hasThread: Bool, pieceLength: Int = 1 << 18) {
        self.pieceLength = pieceLength
        precondition(transport.count & (transport.count - 1) == 0, "bug: \(transport.count) ranks")
        (self.transport, rank, count) = (transport, transport.rank, transport.count)
        if hasThread { mover = startThread { [unowned self] in self.move() } }
    }

    deinit {
        close()
        for place in landingPlaces { place.deallocate() }
    }

    /// Ends the thread: nothing may be on its way.
    public func close() {
        bell.locked { isClosing = true }
        bell.locked { bell.wakeAll() }
        if let mover { pthread_join(mover, nil) }
        mover = nil
    }

    /// What all steps so far have cost.
    public var cost: ExchangeCost { bell.locked { costSoFar } }

    public func begin(_ buffers: [Buffer]) throws {
        try bell.locked {
            for buffer in buffers {
                held.append(buffer)
                for start in stride(from: 0, to: buffer.count, by: pieceLength) {
                    let length = min(pieceLength, buffer.count - start)
                    waiting.append(Piece(start: buffer.pointer + start, count: length, number: piecesBegun))
                    piecesBegun += 1
                    costSoFar.bytes += 4 * length
                }
            }
            if busySince == nil, nextWaiting < waiting.count { busySince = now() }
            _ = try advance()
        }
        bell.locked { bell.wakeAll() }
    }

    public func finish() throws {
        let start = now()
        var patience = Patience()
        while true {
            let (isDone, moved) = try bell.locked { () throws -> (Bool, Bool) in
                let moved = try advance()
                return (isIdle, moved)
            }
            if isDone { break }
            patience.wait(after: moved)
        }
        bell.locked {
            waiting.removeAll(keepingCapacity: true)
            nextWaiting = 0
            held.removeAll(keepingCapacity: true)
            costSoFar.steps += 1
            costSoFar.waited += now() - start
        }
    }

    public func gather(_ memory: UnsafeMutableRawBufferPointer, splits: [Int]) throws {
        precondition(splits.count == count + 1 && splits[count] <= memory.count, "bug: parts of a gathering")
        let start = now()
        let tag = (1 << 14) | ((gathersBegun % 1024) << 4)
        gathersBegun += 1
        var (stage, distance) = (0, 1)
        while distance < count {
            func block(_ rank: Int) -> UnsafeMutableRawBufferPointer {
                let first = rank & ~(distance - 1)
                return UnsafeMutableRawBufferPointer(rebasing: memory[splits[first]..<splits[first + distance]])
            }
            let peer = rank ^ distance
            var (incoming, outgoing) = try bell.locked {
                (
                    try transport.receive(block(peer), from: peer, tag: tag | stage),
                    try transport.send(UnsafeRawBufferPointer(block(rank)), to: peer, tag: tag | stage)
                )
            }
            var patience = Patience()
            while true {
                let (came, went) = try bell.locked { (try transport.isDone(&incoming), try transport.isDone(&outgoing)) }
                if came && went { break }
                patience.wait(after: false)
            }
            (stage, distance) = (stage + 1, 2 * distance)
        }
        bell.locked { costSoFar.gathering += now() - start }
    }

    // MARK: - Under the lock

    private var isIdle: Bool { flights.isEmpty && nextWaiting == waiting.count }

    /// Moves on what can be moved. Returns whether any stage ended.
    private func advance() throws -> Bool {
        if let failure { throw failure }
        do {
            let moved = try land()
            while flights.count < RankExchange.flightLimit && nextWaiting < waiting.count {
                try start(waiting[nextWaiting])
                nextWaiting += 1
            }
            if isIdle, let since = busySince {
                costSoFar.busy += now() - since
                busySince = nil
            }
            return moved
        } catch {
            failure = error
            throw error
        }
    }

    private func start(_ piece: Piece) throws {
        let landing = landingPlaces.popLast() ?? .allocate(capacity: pieceLength)
        let (incoming, outgoing) = try post(piece, landing, stage: 0)
        flights.append(Flight(piece: piece, landing: landing, outgoing: outgoing, incoming: incoming))
    }

    private func post(_ piece: Piece, _ landing: UnsafeMutablePointer<Float>, stage: Int) throws -> (incoming: Message, outgoing: Message) {
        let peer = rank ^ (1 << stage)
        let (tag, bytes) = (((piece.number % 1024) << 4) | stage, 4 * piece.count)
        return (
            try transport.receive(UnsafeMutableRawBufferPointer(start: landing, count: bytes), from: peer, tag: tag),
            try transport.send(UnsafeRawBufferPointer(start: piece.start, count: bytes), to: peer, tag: tag)
        )
    }

    /// Ends the stages whose messages are done, and begins the next ones.
    private func land() throws -> Bool {
        var (moved, i) = (false, 0)
        while i < flights.count {
            guard try transport.isDone(&flights[i].incoming), try transport.isDone(&flights[i].outgoing) else {
                i += 1
                continue
            }
            moved = true
            let (piece, landing) = (flights[i].piece, flights[i].landing)
            for j in 0..<piece.count { piece.start[j] += landing[j] }
            flights[i].stage += 1
            if 1 << flights[i].stage == count {
                landingPlaces.append(landing)
                flights.remove(at: i)
            } else {
                (flights[i].incoming, flights[i].outgoing) = try post(piece, landing, stage: flights[i].stage)
                i += 1
            }
        }
        return moved
    }

    /// The thread's life. A failure is told to who calls next.
    private func move() {
        while true {
            bell.locked { while !(isClosing || (!isIdle && failure == nil)) { bell.wait() } }
            var moved = false
            let closing = bell.locked {
                if !isIdle { moved = (try? advance()) ?? false }
                return isClosing
            }
            if closing { return }
            if moved { sched_yield() } else { nap() }
        }
    }
}

/// What the exchange of gradients took, over all steps.
public struct ExchangeCost: Sendable {
    public var steps = 0
    /// Of gradients, whatever the number of ranks.
    public var bytes = 0
    /// Seconds in which gradients were on their way.
    public var busy = 0.0
    /// Those in which the rank had nothing else to do.
    public var waited = 0.0
    /// Seconds for losses and agreements, and of waiting there for the slowest rank.
    public var gathering = 0.0

    /// Seconds of a step that the computing hid, and those that it did not.
    public var hidden: Double { max(0, busy - waited) / Double(max(steps, 1)) }
    public var shown: Double { waited / Double(max(steps, 1)) }
}
