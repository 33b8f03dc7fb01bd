// The matcher: backtracking on its own stack, quick until it has spent more steps than the text allows, then with a memo.

/// Finds the matches of a pattern in ranges of texts. Not for two threads at once.
///
/// A match is tried without remembering anything. When the steps so far exceed a fixed multiple of the bytes so far, the match is tried
/// again with a memo of what failed and what succeeded where, which bounds all further work by instructions times bytes.
final class PatternMatcher {
    struct Frame {
        var op: Int32
        /// Which of the op's points in the memo it stands for.
        var variant: Int32
        var at: Int
        var value: Int
    }

    let program: PatternProgram
    var stack: UnsafeMutablePointer<Frame>
    private var capacity = 64
    let registers: UnsafeMutablePointer<Int>
    var memo: PatternMemo?
    /// Instructions executed and characters passed, for all texts so far.
    private(set) var steps = 0
    /// Remembers from the first step on, for tests.
    var alwaysRemembers = false
    /// Matches that were tried with the memo.
    private(set) var rememberedMatches = 0

    init(_ program: PatternProgram) {
        self.program = program
        stack = .allocate(capacity: capacity)
        registers = .allocate(capacity: max(1, program.registers))
        registers.initialize(repeating: -1, count: max(1, program.registers))
    }

    deinit {
        stack.deallocate()
        registers.deallocate()
    }

    /// Calls `body` with every match in order. Matches do not overlap; an empty one does not directly follow another (it does stand at the
    /// start of the text), as Oniguruma's and fancy-regex's iterators have it.
    func forEachMatch(_ text: UnsafeRawBufferPointer, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        guard let base = text.bindMemory(to: UInt8.self).baseAddress else {
            // An empty text may have an empty match.
            var nothing: UInt8 = 0
            withUnsafePointer(to: &nothing) { scan($0, 0..<0, body) }
            return
        }
        scan(base, range, body)
    }

    private func scan(_ text: UnsafePointer<UInt8>, _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
        let rate = 64 + 4 * program.opCount
        let stepsBefore = steps
        memo = nil
        var start = range.lowerBound
        var lastEnd = -1
        while start <= range.upperBound {
            if let first = program.first {
                while start < range.upperBound, !first[Int(text[start])] { start += 1 }
                if start == range.upperBound { break }
            }
            let limit = alwaysRemembers ? 0 : stepsBefore + 4096 + rate * (start - range.lowerBound)
            var end = steps < limit ? match(text, range, start, limit, remembers: false) : Self.exhausted
            if end == Self.exhausted {
                if memo == nil { memo = PatternMemo(program, range) }
                memo?.forget(before: start - 4 * program.lookBack)
                rememberedMatches += 1
                end = match(text, range, start, .max, remembers: true)
            }
            if end < 0 || end == start && end == lastEnd {
                guard start < range.upperBound else { break }
                start += Self.width(text[start])
                continue
            }
            body(start..<end)
            lastEnd = end
            start = end
        }
        memo = nil
    }

    private static let none = -1
    private static let exhausted = -2

    @inline(__always)
    static func width(_ first: UInt8) -> Int { first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4 }

    private func push(_ top: inout Int, _ frame: Frame) {
        if top == capacity {
            let larger = UnsafeMutablePointer<Frame>.allocate(capacity: 2 * capacity)
            larger.moveInitialize(from: stack, count: capacity)
            stack.deallocate()
            stack = larger
            capacity *= 2
        }
        stack[top] = frame
        top += 1
    }

    // MARK: One match

    /// The end of the match that begins at `start`, or `none`; `exhausted` when `limit` steps were not enough to know.
    private func match(_ text: UnsafePointer<UInt8>, _ range: Range<Int>, _ start: Int, _ limit: Int, remembers: Bool) -> Int {
        let ops = program.ops
        let low = range.lowerBound
        let high = range.upperBound
        var (pc, at, top, barrier) = (0, start, 0, -1)
        var steps = self.steps
        defer { self.steps = steps }
        run: while true {
            steps += 1
            if steps > limit { return Self.exhausted }
            let op = ops[pc]
            step: switch op.kind {
            case .bytes:
                let count = Int(op.y)
                guard high - at >= count else { break step }
                let literal = program.literals + Int(op.x)
                for offset in 0..<count where text[at + offset] != literal[offset] { break step }
                at += count
                pc += 1
                continue run
            case .one:
                let length = program.classes[Int(op.x)].length(text, at, high)
                if length == 0 { break step }
                at += length
                pc += 1
                continue run
            case .run:
                if remembers, op.point >= 0 {
                    guard let frame = beginRun(op, pc, text, high, at, &steps) else { break step }
                    push(&top, frame)
                    pc += 1
                    at = frame.at
                    if recall(op, at) == .succeeds {
                        at = knownEnd(op, at)
                        pc = program.bodyEnd
                    }
                    continue run
                }
                let table = program.classes[Int(op.x)]
                var (count, floor) = (0, at)
                while count < op.most {
                    let length = table.length(text, at, high)
                    if length == 0 { break }
                    at += length
                    count += 1
                    if count == op.y { floor = at }
                }
                steps += count
                if count < op.y { break step }
                if !settle(op, text, high, floor, &at, &steps) { break step }
                if at > floor { push(&top, Frame(op: Int32(pc), variant: 0, at: at, value: floor)) }
                pc += 1
                continue run
            case .lazyRun:
                guard let floor = leastOf(op, text, high, at, &steps) else { break step }
                at = floor
                if remembers, op.point >= 0 {
                    switch recall(op, at) {
                    case .fails: break step
                    case .succeeds:
                        at = knownEnd(op, at)
                        pc = program.bodyEnd
                        continue run
                    case .unknown: break
                    }
                }
                let left = op.most == .max ? at : Int(op.most - op.y)
                push(&top, Frame(op: Int32(pc), variant: Int32(remembers ? variant(op, at) : 0), at: at, value: left))
                pc += 1
                continue run
            case .possessiveRun:
                guard let end = possessiveEnd(op, text, high, at, remembers, &steps) else { break step }
                at = end
                pc += 1
                continue run
            case .choice:
                var mask = program.masks[Int(op.x) * PatternProgram.tableSize + (at < high ? Int(text[at]) : 256)]
                if mask == 0 { break step }
                if remembers {
                    switch recall(op, at) {
                    case .fails: break step
                    case .succeeds:
                        at = knownEnd(op, at)
                        pc = program.bodyEnd
                        continue run
                    case .unknown: break
                    }
                }
                let chosen = mask.trailingZeroBitCount
                mask &= mask - 1
                if mask != 0 || remembers {
                    let variant = remembers ? variant(op, at) : 0
                    push(&top, Frame(op: Int32(pc), variant: Int32(variant), at: at, value: Int(bitPattern: UInt(mask))))
                }
                pc = Int(program.targets[Int(op.y) + chosen])
                continue run
            case .join:
                pc += 1
                guard remembers else { continue run }
                switch recall(op, at) {
                case .fails: break step
                case .succeeds:
                    at = knownEnd(op, at)
                    pc = program.bodyEnd
                case .unknown:
                    push(&top, Frame(op: Int32(pc - 1), variant: Int32(variant(op, at)), at: at, value: 0))
                }
                continue run
            case .jump:
                pc = Int(op.x)
                continue run
            case .assertion:
                guard holds(Int(op.x), text, range, at) else { break step }
                pc += 1
                continue run
            case .ahead, .notAhead, .atomic:
                if remembers {
                    let known = recall(op, at)
                    if known != .unknown {
                        if (known == .succeeds) == (op.kind == .notAhead) { break step }
                        if op.kind == .atomic { at = knownEnd(op, at) }
                        pc = Int(op.x)
                        continue run
                    }
                }
                push(&top, Frame(op: Int32(pc), variant: Int32(remembers ? variant(op, at) : 0), at: at, value: barrier))
                barrier = top - 1
                pc += 1
                continue run
            case .bodyEnd:
                let frame = stack[barrier]
                if remembers { noteSuccess(text, barrier, top, at) }
                top = barrier
                barrier = frame.value
                let body = ops[Int(frame.op)]
                if body.kind == .notAhead { break step }
                if body.kind == .ahead { at = frame.at }
                pc = Int(body.x)
                continue run
            case .back:
                var left = op.x
                while left > 0, at > low {
                    at -= 1
                    while text[at] & 0xC0 == 0x80 { at -= 1 }
                    left -= 1
                }
                steps += Int(op.x)
                if left > 0 { break step }
                pc += 1
                continue run
            case .enterRound:
                push(&top, Frame(op: Int32(pc), variant: 0, at: registers[Int(op.x)], value: 0))
                registers[Int(op.x)] = at
                pc += 1
                continue run
            case .closeRound:
                pc = registers[Int(op.x)] == at ? Int(op.y) : pc + 1
                continue run
            case .accept:
                return at
            }
            // It failed: on with what is left to try.
            while true {
                if top == 0 { return Self.none }
                steps += 1
                top -= 1
                var frame = stack[top]
                let op = ops[Int(frame.op)]
                switch op.kind {
                case .choice:
                    var mask = UInt64(UInt(bitPattern: frame.value))
                    if mask == 0 {
                        memo?.note(.fails, Int(op.point + frame.variant), frame.at)
                        continue
                    }
                    let chosen = mask.trailingZeroBitCount
                    mask &= mask - 1
                    if mask != 0 || remembers {
                        frame.value = Int(bitPattern: UInt(mask))
                        push(&top, frame)
                    }
                    at = frame.at
                    pc = Int(program.targets[Int(op.y) + chosen])
                    continue run
                case .run:
                    if remembers, op.point >= 0 { memo?.note(.fails, Int(op.point) + variant(op, frame.at), frame.at) }
                    if frame.at == frame.value { continue }
                    at = Self.before(text, frame.at)
                    if remembers, op.point >= 0 {
                        frame.at = at
                        push(&top, frame)
                    } else {
                        if !settle(op, text, high, frame.value, &at, &steps) { continue }
                        frame.at = at
                        if at > frame.value { push(&top, frame) }
                    }
                    pc = Int(frame.op) + 1
                    continue run
                case .lazyRun:
                    if !lengthen(op, text, high, &frame, remembers, &steps) { continue }
                    push(&top, frame)
                    at = frame.at
                    pc = Int(frame.op) + 1
                    if remembers, op.point >= 0, recall(op, at) == .succeeds {
                        at = knownEnd(op, at)
                        pc = program.bodyEnd
                    }
                    continue run
                case .ahead, .notAhead, .atomic:
                    barrier = frame.value
                    if remembers { memo?.note(.fails, Int(op.point + frame.variant), frame.at) }
                    if op.kind != .notAhead { continue }
                    at = frame.at
                    pc = Int(op.x)
                    continue run
                case .join:
                    memo?.note(.fails, Int(op.point + frame.variant), frame.at)
                case .enterRound:
                    registers[Int(op.x)] = frame.at
                default:
                    preconditionFailure("bug: an instruction that leaves nothing to try")
                }
            }
        }
    }
}
