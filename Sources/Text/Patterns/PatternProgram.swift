// A pattern as a program: one instruction a step, with what the matcher may remember of it.

/// An instruction. What `x` and `y` are depends on its kind.
struct PatternOp {
    enum Kind: UInt8 {
        /// The literal bytes `literals[x..<x+y]`.
        case bytes
        /// One character of the class x.
        case one
        /// y to `most` characters of the class x: as many as there are, then fewer; as few as will do, then more; as many as there are.
        case run, lazyRun, possessiveRun
        /// The alternatives `targets[y...]`, those that the next byte allows by the mask table x, in their order.
        case choice
        case jump
        /// The assertion x.
        case assertion
        /// A body that begins behind and ends in `bodyEnd`, going on at x: ahead without moving, where it must or must not match, or once
        /// and for all where it first does.
        case ahead, notAhead, atomic
        case bodyEnd
        /// x characters back.
        case back
        /// Round x of a loop whose body may match nothing begins; ends, and leaves the loop for y if it matched nothing.
        case enterRound, closeRound
        /// Where alternatives meet.
        case join
        case accept
    }

    var kind: Kind
    /// The registers of the loops around that may match nothing: the first, and how many.
    var loops: Int16 = 0
    var firstLoop: Int16 = 0
    var x: Int32 = 0
    var y: Int32 = 0
    var most: Int32 = 0
    /// Of a run: the table of bytes that may follow; -1 for any.
    var follow: Int32 = -1
    /// The first of the `loops + 1` places in the memo for whether it matches; -1 where nothing is remembered.
    var point: Int32 = -1
    /// The first of the places for where a body that it belongs to ends; -1 outside atomic bodies.
    var endPoint: Int32 = -1

    init(_ kind: Kind, x: Int = 0, y: Int = 0) {
        self.kind = kind
        self.x = Int32(x)
        self.y = Int32(y)
    }
}

/// What a class looks like to the matcher: two words for ASCII, blocks of 64 code points for the rest.
struct ClassTable {
    var low: UInt64 = 0
    var high: UInt64 = 0
    /// A block of `words` for each 64 code points.
    var blocks: UnsafeMutablePointer<UInt16>
    var words: UnsafeMutablePointer<UInt64>

    static let blockCount = 0x110000 / 64

    init(_ set: CodePointSet) {
        var numbers = [UInt16](repeating: 0, count: Self.blockCount)
        var kept: [UInt64] = [0, ~0]
        var (block, word): (Int, UInt64) = (0, 0)
        func flush() {
            if word == ~0 {
                numbers[block] = 1
            } else if word != 0 {
                numbers[block] = UInt16(kept.count)
                kept.append(word)
            }
            word = 0
        }
        set.forEachRange { first, last in
            var code = Int(first)
            while code <= Int(last) {
                if code >> 6 != block {
                    flush()
                    block = code >> 6
                }
                let stop = min(Int(last), code | 63)
                word |= (~0 >> UInt64(63 - (stop - code))) << UInt64(code & 63)
                code = stop + 1
            }
        }
        flush()
        low = kept[Int(numbers[0])]
        high = kept[Int(numbers[1])]
        blocks = .allocate(capacity: numbers.count)
        blocks.initialize(from: numbers, count: numbers.count)
        words = .allocate(capacity: kept.count)
        words.initialize(from: kept, count: kept.count)
    }

    func deallocate() {
        blocks.deallocate()
        words.deallocate()
    }

    /// The length in bytes of the member that begins at a byte before `end` of valid UTF-8; 0 where none does.
    @inline(__always)
    func length(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        guard at < end else { return 0 }
        let first = text[at]
        if first < 0x80 {
            let word = first < 64 ? low : high
            return Int(word >> UInt64(first & 63) & 1)
        }
        let (scalar, length) = decodeScalar(text, at)
        let code = Int(truncatingIfNeeded: scalar)
        return words[Int(blocks[code >> 6])] >> UInt64(code & 63) & 1 != 0 ? length : 0
    }
}

/// A compiled pattern, shared by all threads and never changed.
final class PatternProgram: @unchecked Sendable {
    let ops: UnsafeMutablePointer<PatternOp>
    let opCount: Int
    let literals: UnsafeMutablePointer<UInt8>
    let targets: UnsafeMutablePointer<Int32>
    let classes: UnsafeMutablePointer<ClassTable>
    let classCount: Int
    /// Tables of 257 masks: for each next byte, and for the end of the text, the alternatives that may match.
    let masks: UnsafeMutablePointer<UInt64>
    /// Tables of 257 truths: for each next byte, and the end, whether it may follow.
    let follows: UnsafeMutablePointer<Bool>
    /// The bytes that a match may begin with; nil if it may be empty.
    let first: UnsafeMutablePointer<Bool>?
    let points: Int
    let endPoints: Int
    let registers: Int
    /// An instruction that ends a body.
    let bodyEnd: Int
    /// The class of word characters, for \b.
    let word: Int
    /// How far back of a match's start it looks, in characters.
    let lookBack: Int

    static let tableSize = 257

    init(_ compiler: PatternCompiler) {
        func copy<T>(_ array: [T]) -> UnsafeMutablePointer<T> {
            let pointer = UnsafeMutablePointer<T>.allocate(capacity: max(1, array.count))
            pointer.initialize(from: array, count: array.count)
            return pointer
        }
        ops = copy(compiler.ops)
        opCount = compiler.ops.count
        literals = copy(compiler.literals)
        targets = copy(compiler.targets)
        classes = copy(compiler.classes.map { ClassTable($0) })
        classCount = compiler.classes.count
        masks = copy(compiler.masks)
        follows = copy(compiler.follows)
        first = compiler.first.map { set in copy((0..<256).map { set.contains(UInt8($0)) }) }
        points = compiler.points
        endPoints = compiler.endPoints
        registers = compiler.registers
        bodyEnd = compiler.ops.firstIndex { $0.kind == .bodyEnd } ?? 0
        word = compiler.wordClass ?? -1
        lookBack = compiler.lookBack
    }

    deinit {
        for at in 0..<classCount { classes[at].deallocate() }
        ops.deallocate()
        literals.deallocate()
        targets.deallocate()
        classes.deallocate()
        masks.deallocate()
        follows.deallocate()
        first?.deallocate()
    }
}
