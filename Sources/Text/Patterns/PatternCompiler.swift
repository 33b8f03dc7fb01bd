// From the tree of a pattern to its program.

import Streams

/// What may come behind a part of a pattern.
private struct Follow {
    var bytes: ByteSet
    /// The part may be the last, so that anything and the end may come.
    var isOpen: Bool

    static let open = Follow(bytes: .all, isOpen: true)

    /// What may come behind the part before `node`.
    func before(_ node: PatternNode) -> Follow {
        guard node.isNullable else { return Follow(bytes: node.first, isOpen: false) }
        var bytes = self.bytes
        bytes.formUnion(node.first)
        return Follow(bytes: bytes, isOpen: isOpen)
    }
}

struct PatternCompiler {
    /// Repetitions of groups are written out: a file cannot make the program longer than this.
    static let mostOps = 20_000
    private static let mostPoints = 1 << 16

    private(set) var ops: [PatternOp] = []
    private(set) var literals: [UInt8] = []
    private(set) var targets: [Int32] = []
    private(set) var classes: [CodePointSet] = []
    private(set) var masks: [UInt64] = []
    private(set) var follows: [Bool] = []
    private(set) var first: ByteSet?
    private(set) var points = 0
    private(set) var endPoints = 0
    private(set) var registers = 0
    private(set) var wordClass: Int?
    private(set) var lookBack = 0

    private var classPlaces: [CodePointSet: Int] = [:]
    private var maskPlaces: [[UInt64]: Int] = [:]
    private var followPlaces: [[Bool]: Int] = [:]
    private let syntax: PatternSyntax
    private let refusal: Failure
    /// The loops around that may match nothing, since the innermost body began, and the register of the first.
    private var loops = 0
    private var firstLoop = 0
    private var isInAtomic = false

    init(_ node: PatternNode, syntax: PatternSyntax, tooLarge: Failure) throws {
        self.syntax = syntax
        refusal = tooLarge
        if !node.isNullable { first = node.first }
        try emit(node, .open)
        _ = try append(PatternOp(.accept))
    }

    private mutating func append(_ op: PatternOp) throws -> Int {
        guard ops.count < Self.mostOps else { throw refusal }
        ops.append(op)
        return ops.count - 1
    }

    /// An instruction whose outcome at a place is remembered.
    private mutating func appendPoint(_ op: PatternOp, hasEnd: Bool = false) throws -> Int {
        var op = op
        op.loops = Int16(loops)
        op.firstLoop = Int16(firstLoop)
        op.point = Int32(points)
        points += loops + 1
        if isInAtomic || hasEnd {
            op.endPoint = Int32(endPoints)
            endPoints += loops + 1
        }
        guard points <= Self.mostPoints else { throw refusal }
        return try append(op)
    }

    private mutating func place(of set: CodePointSet) -> Int {
        if let place = classPlaces[set] { return place }
        classes.append(set)
        classPlaces[set] = classes.count - 1
        return classes.count - 1
    }

    // MARK: Parts

    private mutating func emit(_ node: PatternNode, _ follow: Follow) throws {
        switch node.kind {
        case .set(let set):
            if let code = set.single {
                try emitLiteral(utf8(code))
            } else {
                _ = try append(PatternOp(.one, x: place(of: set)))
            }
        case .sequence(let parts): try emitSequence(parts, follow)
        case .choice(let parts): try emitChoice(parts, follow)
        case .loop(let body, let least, let most, let greed): try emitLoop(body, least, most, greed, follow)
        case .ahead(let body, let isNegative): try emitBody(isNegative ? .notAhead : .ahead) { try $0.emit(body, .open) }
        case .behind(let body, let isNegative): try emitBehind(body, isNegative)
        case .atomic(let body): try emitBody(.atomic) { try $0.emit(body, .open) }
        case .assertion(let assertion):
            if case .wordBoundary = assertion { try noteWord() }
            if case .notWordBoundary = assertion { try noteWord() }
            lookBack = max(lookBack, 1)
            _ = try append(PatternOp(.assertion, x: Self.number(of: assertion)))
        }
    }

    static func number(of assertion: PatternAssertion) -> Int {
        switch assertion {
        case .textStart: 0
        case .textEnd: 1
        case .textEndOrLastNewline: 2
        case .lineStart: 3
        case .lineEnd: 4
        case .wordBoundary: 5
        case .notWordBoundary: 6
        }
    }

    private mutating func noteWord() throws {
        if wordClass == nil { wordClass = place(of: CharacterProperties.word(syntax, inClass: false)) }
    }

    private mutating func emitLiteral(_ bytes: [UInt8]) throws {
        _ = try append(PatternOp(.bytes, x: literals.count, y: bytes.count))
        literals += bytes
    }

    private mutating func emitSequence(_ parts: [PatternNode], _ follow: Follow) throws {
        var behind = [Follow](repeating: follow, count: parts.count)
        for at in parts.indices.dropLast().reversed() { behind[at] = behind[at + 1].before(parts[at + 1]) }
        var at = 0
        while at < parts.count {
            var bytes: [UInt8] = []
            while at < parts.count, case .set(let set) = parts[at].kind, let code = set.single {
                bytes += utf8(code)
                at += 1
            }
            if !bytes.isEmpty {
                try emitLiteral(bytes)
                continue
            }
            try emit(parts[at], behind[at])
            at += 1
        }
    }

    /// Alternatives, 64 at a time.
    private mutating func emitChoice(_ parts: [PatternNode], _ follow: Follow) throws {
        var parts = parts
        while parts.count > 64 {
            parts = stride(from: 0, to: parts.count, by: 64).map { PatternNode.choice(Array(parts[$0..<min($0 + 64, parts.count)])) }
        }
        _ = try appendPoint(PatternOp(.choice, x: masks(parts, follow), y: targets.count))
        let firstTarget = targets.count
        targets += [Int32](repeating: 0, count: parts.count)
        var jumps: [Int] = []
        for (at, part) in parts.enumerated() {
            targets[firstTarget + at] = Int32(ops.count)
            try emit(part, follow)
            if at + 1 < parts.count { jumps.append(try append(PatternOp(.jump))) }
        }
        let end = ops.count
        for jump in jumps { ops[jump].x = Int32(end) }
        _ = try appendPoint(PatternOp(.join))
    }

    private mutating func masks(_ parts: [PatternNode], _ follow: Follow) -> Int {
        var table = [UInt64](repeating: 0, count: PatternProgram.tableSize)
        for (at, part) in parts.enumerated() {
            for byte in 0..<256 where part.first.contains(UInt8(byte)) || part.isNullable && follow.bytes.contains(UInt8(byte)) {
                table[byte] |= 1 << UInt64(at)
            }
            if part.isNullable && follow.isOpen { table[256] |= 1 << UInt64(at) }
        }
        if let place = maskPlaces[table] { return place }
        let place = masks.count / PatternProgram.tableSize
        masks += table
        maskPlaces[table] = place
        return place
    }

    private mutating func table(of follow: Follow) -> Int32 {
        if follow.isOpen { return -1 }
        let table = (0..<256).map { follow.bytes.contains(UInt8($0)) } + [false]
        if let place = followPlaces[table] { return Int32(place) }
        let place = follows.count / PatternProgram.tableSize
        follows += table
        followPlaces[table] = place
        return Int32(place)
    }

    // MARK: Loops

    private mutating func emitLoop(
        _ body: PatternNode, _ least: Int, _ most: Int?, _ greed: PatternGreed, _ follow: Follow
    ) throws {
        if case .set(let set) = body.kind {
            try emitRun(set, least, most, greed, follow)
            return
        }
        if greed == .possessive {
            try emitBody(.atomic) { try $0.emitLoop(body, least, most, .greedy, .open) }
            return
        }
        let again = body.isNullable ? Follow.open : follow.before(PatternNode(.loop(body, least: 0, most: nil, .greedy)))
        var exits: [Int] = []
        for _ in 0..<least {
            let before = ops.count
            try emitRound(body, again, mayBeEmpty: body.isNullable && most != 1, &exits)
            if ops.count == before { break }
        }
        guard let most else {
            try emitStar(body, greed, again, follow)
            for exit in exits { ops[exit].y = Int32(ops.count) }
            return
        }
        var forks: [Int] = []
        for _ in least..<most {
            forks.append(try emitFork(body, greed, follow))
            let before = ops.count
            try emitRound(body, again, mayBeEmpty: body.isNullable && most != 1, &exits)
            if ops.count == before { break }
        }
        for fork in forks { targets[fork] = Int32(ops.count) }
        for exit in exits { ops[exit].y = Int32(ops.count) }
        if !forks.isEmpty { _ = try appendPoint(PatternOp(.join)) }
    }

    /// One round of a loop. A round that matches nothing ends the loop, however often it still had to go round: `exits` gets the
    /// instruction that leaves, whose target is still to be set.
    private mutating func emitRound(_ body: PatternNode, _ follow: Follow, mayBeEmpty: Bool, _ exits: inout [Int]) throws {
        guard mayBeEmpty else {
            try emit(body, follow)
            return
        }
        let register = firstLoop + loops
        loops += 1
        registers = max(registers, register + 1)
        _ = try append(PatternOp(.enterRound, x: register))
        try emit(body, follow)
        exits.append(try append(PatternOp(.closeRound, x: register)))
        loops -= 1
    }

    /// A choice between a loop's body, which comes next, and leaving; gives the place of the exit's target.
    private mutating func emitFork(_ body: PatternNode, _ greed: PatternGreed, _ follow: Follow) throws -> Int {
        let parts = greed == .lazy ? [.empty, body] : [body, PatternNode.empty]
        let fork = try appendPoint(PatternOp(.choice, x: masks(parts, follow), y: targets.count))
        targets += [0, 0]
        let exit = greed == .lazy ? 0 : 1
        targets[targets.count - 2 + (1 - exit)] = Int32(fork + 1)
        return targets.count - 2 + exit
    }

    private mutating func emitStar(_ body: PatternNode, _ greed: PatternGreed, _ again: Follow, _ follow: Follow) throws {
        let head = ops.count
        let exit = try emitFork(body, greed, follow)
        var exits: [Int] = []
        try emitRound(body, again, mayBeEmpty: body.isNullable, &exits)
        _ = try append(PatternOp(.jump, x: head))
        for exit in exits { ops[exit].y = Int32(ops.count) }
        targets[exit] = Int32(ops.count)
    }

    private mutating func emitRun(_ set: CodePointSet, _ least: Int, _ most: Int?, _ greed: PatternGreed, _ follow: Follow) throws {
        if least == 1 && most == 1 {
            _ = try append(PatternOp(.one, x: place(of: set)))
            return
        }
        let kind: PatternOp.Kind = greed == .greedy ? .run : greed == .lazy ? .lazyRun : .possessiveRun
        var op = PatternOp(kind, x: place(of: set), y: least)
        op.most = Int32(most ?? Int(Int32.max))
        op.follow = table(of: follow)
        if most == nil {
            _ = try appendPoint(op, hasEnd: greed == .possessive)
        } else {
            _ = try append(op)
            if greed != .possessive { _ = try appendPoint(PatternOp(.join)) }
        }
    }

    // MARK: Bodies

    private mutating func emitBody(_ kind: PatternOp.Kind, _ emitInside: (inout PatternCompiler) throws -> Void) throws {
        let start = try appendPoint(PatternOp(kind), hasEnd: kind == .atomic)
        let outer = (loops, firstLoop, isInAtomic)
        (loops, firstLoop, isInAtomic) = (0, firstLoop + loops, kind == .atomic)
        try emitInside(&self)
        _ = try append(PatternOp(.bodyEnd))
        (loops, firstLoop, isInAtomic) = outer
        ops[start].x = Int32(ops.count)
    }

    /// Each alternative steps back by its own length, then matches up to the place.
    private mutating func emitBehind(_ body: PatternNode, _ isNegative: Bool) throws {
        var parts = [body]
        if case .choice(let alternatives) = body.kind { parts = alternatives }
        for part in parts { lookBack += part.width ?? 0 }
        try emitBody(isNegative ? .notAhead : .ahead) { compiler in
            guard parts.count > 1 else {
                _ = try compiler.append(PatternOp(.back, x: parts[0].width ?? 0))
                try compiler.emit(parts[0], .open)
                return
            }
            // Each alternative stands in its own place of a chain: where it fails, the next is tried.
            var ends: [Int] = []
            for (at, part) in parts.enumerated() {
                var exit: Int?
                if at + 1 < parts.count { exit = try compiler.emitFork(.empty, .greedy, .open) }
                _ = try compiler.append(PatternOp(.back, x: part.width ?? 0))
                try compiler.emit(part, .open)
                ends.append(try compiler.append(PatternOp(.jump)))
                if let exit { compiler.targets[exit] = Int32(compiler.ops.count) }
            }
            for end in ends { compiler.ops[end].x = Int32(compiler.ops.count) }
        }
    }
}
