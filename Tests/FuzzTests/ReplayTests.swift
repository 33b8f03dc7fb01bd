// Every seed of the fuzz targets that is committed, and every input that was once a finding, through the targets again.
import Foundation
import FuzzModelTargets
import FuzzTargets
import XCTest

/// A finding that comes back ends the whole run: the name printed last is its target's.
final class ReplayTests: XCTestCase {
    private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Fuzz")

    private func inputs(_ kind: String, _ target: String) -> [URL] {
        let place = folder.appendingPathComponent(kind).appendingPathComponent(target)
        return (try? FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)) ?? []
    }

    func testEveryInputThatWasFound() throws {
        var tried = 0
        for target in fuzzTargets + fuzzModelTargets {
            for file in inputs("found", target.name) + inputs("seeds", target.name) {
                try [UInt8](Data(contentsOf: file)).withUnsafeBytes { target.run($0) }
                tried += 1
            }
        }
        XCTAssertGreaterThan(tried, 5)
    }

    /// Each target runs on nothing, on a byte, and on its own text.
    func testSmallInputs() {
        for target in fuzzTargets + fuzzModelTargets {
            for text in ["", "{", "{}", "\0", "GGUF", "\u{8}\0\0\0\0\0\0\0{}      "] { Array(text.utf8).withUnsafeBytes { target.run($0) } }
        }
    }
}
