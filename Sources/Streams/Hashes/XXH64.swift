// XXH64: the hash of texts and of whole streams. Fast, 64 bits, not cryptographic.

/// XXH64 over bytes given in any pieces.
///
///     four lanes over 32-byte stripes: lane = rotl(lane + word · P2, 31) · P1; merged, then the tail of 8, 4 and 1 bytes, then mixed
///
/// Cost: one pass at several bytes a cycle. Source: xxHash specification 0.2.0 (Collet), section "XXH64 algorithm".
public struct XXH64: Sendable {
    private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
    private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
    private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
    private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
    private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

    private let seed: UInt64
    private var lane0, lane1, lane2, lane3: UInt64
    private var total: UInt64 = 0
    /// Up to 31 bytes that do not fill a stripe yet.
    private var tail: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    public init(seed: UInt64 = 0) {
        self.seed = seed
        lane0 = seed &+ XXH64.prime1 &+ XXH64.prime2
        lane1 = seed &+ XXH64.prime2
        lane2 = seed
        lane3 = seed &- XXH64.prime1
    }

    /// The hash of one piece under a seed.
    public static func hash(_ bytes: [UInt8], seed: UInt64) -> UInt64 {
        var state = XXH64(seed: seed)
        bytes.withUnsafeBytes { state.update($0) }
        return state.digest()
    }

    /// The hash of one piece.
    public static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = XXH64()
        guard let source = bytes.baseAddress else { return state.digest() }
        let whole = bytes.count & ~31
        if whole > 0 { state.stripes(source, whole / 32) }
        state.total = UInt64(bytes.count)
        return state.digest(source + whole)
    }

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard var source = bytes.baseAddress, bytes.count > 0 else { return }
        var left = bytes.count
        let held = Int(total % 32)
        total &+= UInt64(left)
        if held > 0 {
            let taken = min(32 - held, left)
            withUnsafeMutableBytes(of: &tail) { ($0.baseAddress! + held).copyMemory(from: source, byteCount: taken) }
            guard held + taken == 32 else { return }
            let stripe = tail
            withUnsafeBytes(of: stripe) { stripes($0.baseAddress!, 1) }
            source += taken
            left -= taken
        }
        let whole = left / 32
        if whole > 0 { stripes(source, whole) }
        let rest = left % 32
        withUnsafeMutableBytes(of: &tail) { $0.baseAddress!.copyMemory(from: source + whole * 32, byteCount: rest) }
    }

    /// The hash of everything so far; more may follow.
    public func digest() -> UInt64 { withUnsafeBytes(of: tail) { digest($0.baseAddress!) } }

    /// The same, with what does not fill a stripe elsewhere.
    private func digest(_ rest: UnsafeRawPointer) -> UInt64 {
        var hash = total >= 32 ? merged() : seed &+ XXH64.prime5
        hash &+= total
        finish(&hash, rest, Int(total % 32))
        hash = (hash ^ (hash >> 33)) &* XXH64.prime2
        hash = (hash ^ (hash >> 29)) &* XXH64.prime3
        return hash ^ (hash >> 32)
    }

    private mutating func stripes(_ source: UnsafeRawPointer, _ count: Int) {
        var (a, b, c, d) = (lane0, lane1, lane2, lane3)
        var at = source
        for _ in 0..<count {
            a = XXH64.round(a, word(at))
            b = XXH64.round(b, word(at + 8))
            c = XXH64.round(c, word(at + 16))
            d = XXH64.round(d, word(at + 24))
            at += 32
        }
        (lane0, lane1, lane2, lane3) = (a, b, c, d)
    }

    private func merged() -> UInt64 {
        var hash = rotated(lane0, 1) &+ rotated(lane1, 7) &+ rotated(lane2, 12) &+ rotated(lane3, 18)
        hash = (hash ^ XXH64.round(0, lane0)) &* XXH64.prime1 &+ XXH64.prime4
        hash = (hash ^ XXH64.round(0, lane1)) &* XXH64.prime1 &+ XXH64.prime4
        hash = (hash ^ XXH64.round(0, lane2)) &* XXH64.prime1 &+ XXH64.prime4
        return (hash ^ XXH64.round(0, lane3)) &* XXH64.prime1 &+ XXH64.prime4
    }

    private func finish(_ hash: inout UInt64, _ bytes: UnsafeRawPointer, _ count: Int) {
        var at = 0
        while at + 8 <= count {
            hash = rotated(hash ^ XXH64.round(0, word(bytes + at)), 27) &* XXH64.prime1 &+ XXH64.prime4
            at += 8
        }
        if at + 4 <= count {
            let half = UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
            hash = rotated(hash ^ (half &* XXH64.prime1), 23) &* XXH64.prime2 &+ XXH64.prime3
            at += 4
        }
        while at < count {
            hash = rotated(hash ^ (UInt64(bytes.load(fromByteOffset: at, as: UInt8.self)) &* XXH64.prime5), 11) &* XXH64.prime1
            at += 1
        }
    }

    @inline(__always)
    private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
        rotated(lane &+ word &* prime2, 31) &* prime1
    }
}

@inline(__always)
private func word(_ at: UnsafeRawPointer) -> UInt64 {
    UInt64(littleEndian: at.loadUnaligned(as: UInt64.self))
}

@inline(__always)
private func rotated(_ value: UInt64, _ by: UInt64) -> UInt64 {
    (value &<< by) | (value &>> (64 &- by))
}
