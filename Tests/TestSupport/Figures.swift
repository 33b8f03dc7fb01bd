// Figures that a gate reads from the output of tests: the largest difference seen, and the most that there may be.
import Foundation
import XCTest

/// The largest of some differences; says itself when it is told to, as a line "figure: NAME VALUE bar BAR".
public struct LargestDifference {
    private let name: String
    private let bar: Double
    public private(set) var value = 0.0
    public private(set) var count = 0

    public init(_ name: String, bar: Double) { (self.name, self.bar) = (name, bar) }

    /// A difference that is no number is as large as can be.
    public mutating func add(_ difference: Double) {
        count += 1
        value = max(value, difference.isNaN ? .infinity : abs(difference))
    }

    /// Says the figure, and fails where it is above the bar or nothing was compared.
    public func report(file: StaticString = #filePath, line: UInt = #line) {
        FileHandle.standardOutput.write(Data("figure: \(name) \(value) bar \(bar) of \(count)\n".utf8))
        XCTAssertGreaterThan(count, 0, name, file: file, line: line)
        XCTAssertLessThanOrEqual(value, bar, name, file: file, line: line)
    }
}
