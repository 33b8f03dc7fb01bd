import Foundation
import Streams
import TestSupport
import XCTest

final class AtomicFolderTests: XCTestCase {
    private let scratch = ScratchFolder()

    override func tearDown() { scratch.remove() }
    private let files: Set = ["config.json", "weights"]

    private func folder(_ name: String = "run") throws -> AtomicFolder {
        try AtomicFolder(scratch(name), marker: "config.json", files: files)
    }

    private func fill(_ folder: AtomicFolder, _ text: String) throws {
        for file in files.sorted() {
            let output = try ByteOutput.file(folder.path(file))
            try output.write(text)
            try output.close()
        }
    }

    private func list(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: scratch(name)).sorted()
    }

    func testAppearsWhole() throws {
        let new = try folder("a/b/run//")
        try fill(new, "one")
        XCTAssertFalse(FileManager.default.fileExists(atPath: scratch("a/b/run")))
        try new.commit()
        XCTAssertEqual(try list("a/b/run"), ["config.json", "weights"])
        XCTAssertEqual(try list("a/b"), ["run"])
    }

    func testReplacesAndKeepsOtherFiles() throws {
        for text in ["one", "two"] {
            let new = try folder()
            try fill(new, text)
            try new.commit()
            try scratch.write("run/log.ndjson", "log")
            try scratch.write("run/notes/a", "note")
        }
        XCTAssertEqual(try scratch.read("run/weights"), Array("two".utf8))
        XCTAssertEqual(try list("run"), ["config.json", "log.ndjson", "notes", "weights"])
        XCTAssertEqual(try scratch.read("run/notes/a"), Array("note".utf8))
        XCTAssertEqual(try scratch.names, ["run"])
    }

    func testDiscardLeavesTheOldFolder() throws {
        let old = try folder()
        try fill(old, "one")
        try old.commit()
        do {
            let new = try folder()
            try fill(new, "two")
        }
        XCTAssertEqual(try scratch.read("run/weights"), Array("one".utf8))
        XCTAssertEqual(try scratch.names, ["run"])
    }

    func testFollowsALink() throws {
        let old = try folder("real")
        try fill(old, "one")
        try old.commit()
        XCTAssertEqual(symlink("real", scratch("run")), 0)
        let new = try folder()
        try fill(new, "two")
        try new.commit()
        XCTAssertEqual(try scratch.read("real/weights"), Array("two".utf8))
        XCTAssertEqual(try scratch.names, ["real", "run"])
    }

    func testRefusesWhatIsNotOurs() throws {
        try scratch.write("mine/letter", "dear")
        assertRefused(status: .cannotCreate, "without 'config.json'") { try folder("mine") }
        try scratch.write("file", "x")
        assertRefused(status: .cannotCreate, "a file has this name") { try folder("file") }
        assertRefused(status: .cannotCreate) { try folder("file/run") }
        XCTAssertEqual(symlink("nowhere", scratch("link")), 0)
        assertRefused(status: .cannotCreate, "link to nothing") { try folder("link") }
        assertRefused(status: .cannotCreate, "root") { try AtomicFolder.check("/", marker: "etc") }
        XCTAssertEqual(mkdir(scratch("empty"), 0o700), 0)
        XCTAssertNoThrow(try AtomicFolder.check(scratch("empty"), marker: "config.json"))
    }

    func testSweepsWhatAKilledProcessLeft() throws {
        // No process has the highest number that Linux can give.
        try scratch.write(".run.4194304.part/weights", "half")
        try scratch.write(".run.4194304.part/.config.json.4194304.part", "half")
        try scratch.write(".run.4194304.part/notes", "keep")
        try scratch.write(".other.4194304.part/weights", "another folder's")
        let new = try folder()
        try fill(new, "one")
        try new.commit()
        XCTAssertEqual(try scratch.names, [".other.4194304.part", ".run.4194304.part", "run"])
        XCTAssertEqual(try list(".run.4194304.part"), ["notes"])
        let next = try folder()
        try fill(next, "two")
        try next.commit()
        XCTAssertEqual(try list("run"), ["config.json", "notes", "weights"])
        XCTAssertEqual(try scratch.names, [".other.4194304.part", "run"])
    }

    func testRecoversAFolderRenamedAside() throws {
        try scratch.write(".run.4194304.old/config.json", "{}")
        AtomicFolder.recover(scratch("run"))
        XCTAssertEqual(try scratch.names, ["run"])
        try scratch.write(".run.4194304.old/config.json", "stale")
        AtomicFolder.recover(scratch("run"))
        XCTAssertEqual(try scratch.read("run/config.json"), Array("{}".utf8))
    }
}
