// Runs of one class, assertions, and what a matcher remembers of them.

extension PatternMatcher {
    /// The first byte of the character that ends at a place.
    @inline(__always)
    static func before(_ text: UnsafePointer<UInt8>, _ end: Int) -> Int {
        var at = end - 1
        while text[at] & 0xC0 == 0x80 { at -= 1 }
        return at
    }

    // MARK: Runs

    /// Goes back from the end of a run, not past `floor`, to where the next byte may follow it; false where none may.
    @inline(__always)
    func settle(_ op: PatternOp, _ text: UnsafePointer<UInt8>, _ high: Int, _ floor: Int, _ at: inout Int, _ steps: inout Int) -> Bool {
        guard op.follow >= 0 else { return true }
        let table = program.follows + Int(op.follow) * PatternProgram.tableSize
        while !table[at < high ? Int(text[at]) : 256] {
            if at == floor { return false }
            at = Self.before(text, at)
            steps += 1
        }
        return true
    }

    /// The place behind the fewest characters that a run takes; nil where there are not so many.
    func leastOf(_ op: PatternOp, _ text: UnsafePointer<UInt8>, _ high: Int, _ start: Int, _ steps: inout Int) -> Int? {
        let table = program.classes[Int(op.x)]
        var at = start
        for _ in 0..<op.y {
            let length = table.length(text, at, high)
            if length == 0 { return nil }
            at += length
            steps += 1
        }
        return at
    }

    /// A greedy run without a most, remembering: up to where it ends, or to before a place from which it is known to fail, or to one from
    /// which it is known to succeed; nil if it fails.
    func beginRun(_ op: PatternOp, _ pc: Int, _ text: UnsafePointer<UInt8>, _ high: Int, _ start: Int, _ steps: inout Int) -> Frame? {
        guard let floor = leastOf(op, text, high, start, &steps) else { return nil }
        let table = program.classes[Int(op.x)]
        var at = floor
        scan: while true {
            steps += 1
            switch recall(op, at) {
            case .fails:
                if at == floor { return nil }
                at = Self.before(text, at)
                break scan
            case .succeeds: break scan
            case .unknown: break
            }
            let length = table.length(text, at, high)
            if length == 0 { break }
            at += length
        }
        return Frame(op: Int32(pc), variant: Int32(variant(op, floor)), at: at, value: floor)
    }

    /// One character more for a lazy run that failed; false where there is none, or where it is known to fail from there.
    func lengthen(
        _ op: PatternOp, _ text: UnsafePointer<UInt8>, _ high: Int, _ frame: inout Frame, _ remembers: Bool, _ steps: inout Int
    ) -> Bool {
        steps += 1
        let length = program.classes[Int(op.x)].length(text, frame.at, high)
        if op.most != .max {
            if length == 0 || frame.value == 0 { return false }
            frame.at += length
            frame.value -= 1
            return true
        }
        if length == 0 || remembers && recall(op, frame.at + length) == .fails {
            if remembers { note(.fails, frame, op, text) }
            return false
        }
        frame.at += length
        return true
    }

    /// The end of a run that gives nothing back; nil where there are too few characters.
    func possessiveEnd(
        _ op: PatternOp, _ text: UnsafePointer<UInt8>, _ high: Int, _ start: Int, _ remembers: Bool, _ steps: inout Int
    ) -> Int? {
        let table = program.classes[Int(op.x)]
        guard let floor = leastOf(op, text, high, start, &steps) else { return nil }
        var at = floor
        var count = op.y
        let memo = remembers && op.point >= 0 ? self.memo : nil
        var end = -1
        while count < op.most {
            steps += 1
            if let memo, memo.outcome(Int(op.point), at) == .succeeds {
                end = memo.end(Int(op.endPoint), at)
                break
            }
            let length = table.length(text, at, high)
            if length == 0 { break }
            at += length
            if op.most != .max { count += 1 }
        }
        if end < 0 { end = at }
        if let memo {
            var place = floor
            while place <= at {
                memo.note(.succeeds, Int(op.point), place)
                memo.note(end: end, Int(op.endPoint), place)
                place += place < high ? Self.width(text[place]) : 1
            }
        }
        return end
    }

    // MARK: Assertions

    func holds(_ assertion: Int, _ text: UnsafePointer<UInt8>, _ range: Range<Int>, _ at: Int) -> Bool {
        let (low, high) = (range.lowerBound, range.upperBound)
        switch assertion {
        case 0: return at == low
        case 1: return at == high
        case 2: return at == high || at + 1 == high && text[at] == 0x0A
        // Oniguruma has no line begin behind a newline that ends the text.
        case 3: return at == low || at < high && text[at - 1] == 0x0A
        case 4: return at == high || text[at] == 0x0A
        default:
            let word = program.classes[program.word]
            let isBehind = at > low && word.length(text, Self.before(text, at), high) > 0
            let isAhead = word.length(text, at, high) > 0
            return (isBehind != isAhead) == (assertion == 5)
        }
    }

    // MARK: Memory

    /// The number of loops around an instruction whose round began at this very place: with it, what may follow is settled.
    func variant(_ op: PatternOp, _ at: Int) -> Int {
        var count = 0
        for loop in 0..<Int(op.loops) where registers[Int(op.firstLoop) + loop] == at { count += 1 }
        return count
    }

    func recall(_ op: PatternOp, _ at: Int) -> PatternMemo.Outcome {
        memo?.outcome(Int(op.point) + variant(op, at), at) ?? .unknown
    }

    /// Where the body around an instruction ends that is known to succeed; any place will do for one that only looks ahead.
    func knownEnd(_ op: PatternOp, _ at: Int) -> Int {
        guard op.endPoint >= 0, let memo else { return at }
        return memo.end(Int(op.endPoint) + variant(op, at), at)
    }

    /// The body that began at `barrier` succeeded: so does everything on the way that is not done.
    func noteSuccess(_ text: UnsafePointer<UInt8>, _ barrier: Int, _ top: Int, _ end: Int) {
        for place in barrier..<top {
            let frame = stack[place]
            let op = program.ops[Int(frame.op)]
            if op.point >= 0 { note(.succeeds, frame, op, text, end: end) }
        }
    }

    /// Notes an outcome for the place of a frame, or for all places of a run from its least to where it is.
    func note(_ outcome: PatternMemo.Outcome, _ frame: Frame, _ op: PatternOp, _ text: UnsafePointer<UInt8>, end: Int = 0) {
        guard let memo else { return }
        let isRun = op.kind == .run || op.kind == .lazyRun
        var at = isRun ? frame.value : frame.at
        while true {
            // No round of a loop begins inside a run.
            let variant = isRun && at > frame.value ? 0 : Int(frame.variant)
            memo.note(outcome, Int(op.point) + variant, at)
            if outcome == .succeeds, op.endPoint >= 0 { memo.note(end: end, Int(op.endPoint) + variant, at) }
            if at >= frame.at { return }
            at += Self.width(text[at])
        }
    }
}
