// A folder for one test's files, and the check that bad input is refused as it should be.
import Foundation
import Streams
import XCTest

/// A new empty folder, removed with everything in it by `remove()`, or when this object goes.
///
/// A test case lives to the end of its process: one that holds a folder calls `remove()` in its `tearDown`.
public final class ScratchFolder {
    public let path: String

    /// Every file is written by `write`, which makes the folder at need: a folder that cannot be made fails the test there.
    public init() {
        path = NSTemporaryDirectory() + "preceptor-test-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { remove() }

    public func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of `name` inside.
    public func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file and gives its path; folders in `name` are made.
    @discardableResult
    public func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = self(name)
        let folder = path[..<path.lastIndex(of: "/")!]
        try FileManager.default.createDirectory(atPath: String(folder), withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

    public func read(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: self(name)))) }

    /// The names inside, sorted, hidden ones too.
    public var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}

/// Fails unless `body` throws a `Failure` with this status, this byte (when given) and these words in its message.
public func assertRefused<T>(
    status: Failure.Status = .badData, byte: Int? = nil, _ words: String..., title: String = "",
    file: StaticString = #filePath, line: UInt = #line, _ body: () throws -> T
) {
    do {
        _ = try body()
        XCTFail("\(title): accepted", file: file, line: line)
    } catch let failure as Failure {
        XCTAssertEqual(failure.status, status, "\(title): \(failure)", file: file, line: line)
        if let byte { XCTAssertEqual(failure.place, .byte(byte), "\(title): \(failure)", file: file, line: line) }
        for word in words where !failure.description.contains(word) {
            XCTFail("\(title): '\(word)' is not in '\(failure)'", file: file, line: line)
        }
    } catch {
        XCTFail("\(title): threw \(error)", file: file, line: line)
    }
}
