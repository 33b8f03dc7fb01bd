// A number of bytes as people type it: 4096, 64K, 256M, 2G.
import ArgumentParser

/// Bytes, with an optional K, M, G or T for powers of 1,024.
public struct ByteSize: Equatable, Sendable, ExpressibleByArgument {
    public let bytes: Int

    private static let units: [(letter: Character, shift: Int)] = [("K", 10), ("M", 20), ("G", 30), ("T", 40)]

    public init(bytes: Int) { self.bytes = bytes }

    public init?(argument: String) {
        let unit = ByteSize.units.first { argument.last == $0.letter }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard let first = digits.utf8.first, first != UInt8(ascii: "+"), let number = Int(digits), number >= 0 else { return nil }
        let (bytes, wrapped) = number.multipliedReportingOverflow(by: 1 << (unit?.shift ?? 0))
        guard !wrapped else { return nil }
        self.bytes = bytes
    }

    public var defaultValueDescription: String {
        let unit = ByteSize.units.last { bytes > 0 && bytes % (1 << $0.shift) == 0 }
        return unit.map { "\(bytes >> $0.shift)\($0.letter)" } ?? String(bytes)
    }
}
