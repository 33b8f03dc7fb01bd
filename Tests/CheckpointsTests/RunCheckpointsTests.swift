import Checkpoints
import Compute
import Foundation
import Streams
import TestSupport
import XCTest

/// A run's checkpoints: how many stay, which is taken, and what is never touched.
final class RunCheckpointsTests: XCTestCase {
    private let scratch = ScratchFolder()
    private let pool = ThreadPool(threads: 1)

    override func tearDown() { scratch.remove() }

    private func trainer(_ steps: Int) throws -> Trainer {
        let trainer = Trainer(try smallModel(), pool: pool)
        trainer.restore(steps: steps)
        return trainer
    }

    private func checkpoints(keep: Int = 2, run: String = "a") throws -> RunCheckpoints {
        let checkpoints = try RunCheckpoints(out: scratch("out"), keep: keep, carryingTokenizerFrom: nil)
        checkpoints.run = run
        return checkpoints
    }

    private func save(_ steps: [Int], _ checkpoints: RunCheckpoints) throws {
        try checkpoints.begin()
        for step in steps { try checkpoints.save(trainer(step), facts: [:]) }
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: scratch("out.checkpoints")).sorted() }
    }

    private func damage(_ name: String, _ file: String = "model.safetensors") throws {
        var bytes = try scratch.read("\(name)/\(file)")
        bytes[bytes.count - 1] ^= 1
        try scratch.write("\(name)/\(file)", bytes)
    }

    /// The step that a run goes on from, and what was said of damaged ones.
    private func newest(keep: Int = 2) throws -> (Int?, [Failure]) {
        var told: [Failure] = []
        let state = try checkpoints(keep: keep, run: "").newest(pool: pool) { told.append($0) }
        return (state?.steps, told)
    }

    func testKeepsTheNewestByTheirSteps() throws {
        // As text 9 comes after 100000000.
        try save([9, 99_999_999, 100_000_000], checkpoints())
        XCTAssertEqual(try names, ["step-100000000", "step-99999999"])
        XCTAssertEqual(try newest().0, 100_000_000)
        let all = try RunCheckpoints(out: scratch("all"), keep: 0, carryingTokenizerFrom: nil)
        try all.begin()
        for step in 1...4 { try all.save(trainer(step), facts: [:]) }
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: scratch("all.checkpoints")).count, 4)
    }

    func testFallsBackToTheNewestThatIsWhole() throws {
        try save([1, 2, 3], checkpoints(keep: 0))
        try damage("out.checkpoints/step-00000003")
        try damage("out.checkpoints/step-00000002", "training-state.safetensors")
        let (step, told) = try newest()
        XCTAssertEqual(step, 1)
        XCTAssertEqual(told.map { $0.subject.hasSuffix("/step-00000003/model.safetensors") }, [true, false])
        try damage("out.checkpoints/step-00000001", "config.json")
        assertRefused("none of 3 checkpoints is whole") { try self.newest() }
    }

    func testADamagedOneIsNotCountedAmongThoseKept() throws {
        try save([1, 2], checkpoints())
        try damage("out.checkpoints/step-00000002")
        do {
            let resumed = try checkpoints()
            _ = try resumed.newest(pool: pool) { _ in }
            try save([3], resumed)
            // 2 is no use: 1 and 3 are the two that are whole.
            XCTAssertEqual(try names, ["step-00000001", "step-00000002", "step-00000003"])
            try save([4], resumed)
            XCTAssertEqual(try names, ["step-00000003", "step-00000004"])
        }
        XCTAssertEqual(try newest().0, 4)
    }

    func testLeavesOthersAlone() throws {
        do {
            let other = try checkpoints(run: "b")
            try save([1], other)
        }
        try scratch.write("out.checkpoints/notes", "mine")
        try scratch.write("out.checkpoints/step-5/config.json", "{}")
        try scratch.write("out.checkpoints/step-00000002/letter", "dear")
        try scratch.write("out.checkpoints/.step-00000007.4194304.part/model.safetensors", "half")
        try save([2, 3, 4], checkpoints(keep: 1))
        XCTAssertEqual(try names, ["notes", "step-00000001", "step-00000002.damaged-1", "step-00000004", "step-5"])
        XCTAssertEqual(try scratch.read("out.checkpoints/step-00000002.damaged-1/letter"), Array("dear".utf8))
    }

    func testDoesNotChooseBetweenTwoRuns() throws {
        for (run, step) in [("a", 1), ("b", 2)] { try save([step], checkpoints(run: run)) }
        assertRefused("is a checkpoint of another run than") { try self.newest() }
        // A damaged one is nobody's.
        try damage("out.checkpoints/step-00000001", "training-state.safetensors")
        XCTAssertEqual(try newest().0, 2)
    }

    func testWhatSomebodyPutIntoACheckpointStays() throws {
        let run = try checkpoints(keep: 1)
        try save([1], run)
        try scratch.write("out.checkpoints/step-00000001/notes", "mine")
        try save([2], run)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: scratch("out.checkpoints/step-00000001")), ["notes"])
    }

    func testAnotherRunsFinishedModelIsNoCheckpointOfThisOne() throws {
        do {
            let old = try checkpoints(run: "old")
            try old.begin()
            try old.finish(trainer(90), facts: [:])
        }
        XCTAssertFalse(FileManager.default.fileExists(atPath: scratch("out.checkpoints")))
        XCTAssertEqual(try newest().0, 90)
        try save([10], checkpoints(run: "new"))
        XCTAssertEqual(try newest().0, 10)
        do {
            let new = try checkpoints(run: "new")
            try new.begin()
            try new.finish(trainer(20), facts: [:])
        }
        let resumed = try checkpoints()
        XCTAssertEqual(try resumed.newest(pool: pool) { _ in }?.steps, 20)
        XCTAssertTrue(resumed.isFinished)
        XCTAssertEqual(resumed.run, "new")
    }

    func testAFinishedRunThatHasNoPlaceIsKeptAsACheckpoint() throws {
        do {
            let run = try checkpoints()
            try run.begin()
            try scratch.write("out/notes", "somebody was quicker")
            XCTAssertThrowsError(try run.finish(trainer(7), facts: [:])) { error in
                let failure = error as? Failure
                XCTAssertEqual(failure?.status, .cannotCreate)
                XCTAssertEqual(failure?.hint?.contains("--resume finishes the run"), true, failure?.hint ?? "no hint")
            }
        }
        XCTAssertEqual(try names, ["step-00000007"])
        try FileManager.default.removeItem(atPath: scratch("out"))
        XCTAssertEqual(try newest().0, 7)
    }

    func testOneProcessAtATimeAndNoSecondBeginning() throws {
        do {
            let first = try checkpoints()
            try save([1], first)
            assertRefused(status: .cannotCreate, "another process") { try self.checkpoints() }
            withExtendedLifetime(first) {}
        }
        assertRefused(status: .cannotCreate, "up to step 1") { try self.checkpoints().checkUnused() }
    }

    func testNothingSavedYetIsABeginning() throws {
        assertRefused(status: .cannotOpen) { try self.newest() }
        do { try checkpoints().begin() }
        XCTAssertNil(try newest().0)
    }
}
