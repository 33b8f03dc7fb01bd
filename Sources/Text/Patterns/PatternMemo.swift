// What a matcher remembers of a text, so that it never tries the same thing at the same place twice.

/// For each point of a program and each place in the text: whether matching from there on is known to fail or to succeed, and, in atomic
/// bodies, where the body then ends. Whether it does depends on the place alone, not on where the match began, so it holds for all
/// matches of a text. Pages of the text are allocated when something in them is remembered and freed when no match can come back.
final class PatternMemo {
    enum Outcome { case unknown, fails, succeeds }

    private let base: Int
    private let points: Int
    private let endPoints: Int
    /// Places in a page, a power of two, and its logarithm.
    private let pageShift: Int
    private var outcomes: [UnsafeMutablePointer<UInt8>?]
    private var ends: [UnsafeMutablePointer<UInt32>?]
    private var freed = 0

    init(_ program: PatternProgram, _ range: Range<Int>) {
        base = range.lowerBound
        points = max(1, program.points)
        endPoints = program.endPoints
        var shift = 12
        while shift > 2, (points / 4 + 4 * endPoints) << shift > 1 << 16 { shift -= 1 }
        pageShift = shift
        outcomes = Array(repeating: nil, count: range.count >> shift + 1)
        ends = Array(repeating: nil, count: endPoints > 0 ? outcomes.count : 0)
    }

    deinit {
        for page in outcomes { page?.deallocate() }
        for page in ends { page?.deallocate() }
    }

    /// Forgets what lies before a place, as far as whole pages go.
    func forget(before at: Int) {
        let stop = (at - base) >> pageShift
        while freed < stop {
            outcomes[freed]?.deallocate()
            outcomes[freed] = nil
            if endPoints > 0 {
                ends[freed]?.deallocate()
                ends[freed] = nil
            }
            freed += 1
        }
    }

    func outcome(_ point: Int, _ at: Int) -> Outcome {
        let local = at - base
        guard let page = outcomes[local >> pageShift] else { return .unknown }
        let bit = 2 * ((local & (1 << pageShift - 1)) * points + point)
        switch page[bit >> 3] >> UInt8(bit & 7) & 3 {
        case 0: return .unknown
        case 1: return .fails
        default: return .succeeds
        }
    }

    func note(_ outcome: Outcome, _ point: Int, _ at: Int) {
        let local = at - base
        let number = local >> pageShift
        if outcomes[number] == nil {
            let bytes = (2 * points << pageShift) / 8 + 1
            outcomes[number] = .allocate(capacity: bytes)
            outcomes[number]?.initialize(repeating: 0, count: bytes)
        }
        let bit = 2 * ((local & (1 << pageShift - 1)) * points + point)
        outcomes[number]?[bit >> 3] |= (outcome == .fails ? 1 : 2) << UInt8(bit & 7)
    }

    /// Where the body ends that a success at this place belongs to.
    func end(_ endPoint: Int, _ at: Int) -> Int {
        let local = at - base
        guard let page = ends[local >> pageShift] else { preconditionFailure("bug: no end is noted") }
        return base + Int(page[(local & (1 << pageShift - 1)) * endPoints + endPoint])
    }

    func note(end: Int, _ endPoint: Int, _ at: Int) {
        let local = at - base
        let number = local >> pageShift
        if ends[number] == nil { ends[number] = .allocate(capacity: endPoints << pageShift) }
        ends[number]?[(local & (1 << pageShift - 1)) * endPoints + endPoint] = UInt32(end - base)
    }
}
