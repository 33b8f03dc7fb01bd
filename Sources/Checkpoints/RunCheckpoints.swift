// The checkpoints of a run: OUT.checkpoints/step-00000100 and so on, the newest few kept, and OUT itself when the run is finished.
import Compute
import Glibc
import Streams

/// Saves a run's states, each a whole checkpoint folder, and finds the newest that is whole.
///
/// At any moment at least one verified state is on the disk once the first was saved: an older one goes after a newer one was written,
/// synced and read back. Folders of other runs and other things beside them are neither counted nor touched. A lock on the folder keeps a
/// second process from writing to the same run.
public final class RunCheckpoints {
    /// OUT.checkpoints
    public let folder: String
    /// What tells this run from others; set before the first save.
    public var run = ""
    private let out: String
    private let keep: Int
    private let writes: Bool
    private let source: String?
    private let files: Set<String>
    /// Whether the run was resumed from OUT: what is left is no more steps.
    public private(set) var isFinished = false
    /// Steps whose checkpoints were found whole, or written and read back, by this process.
    private var verified: Set<Int> = []
    private var lock: Int32 = -1

    /// The fact under which a state holds `run`.
    private static let runFact = "run"

    /// - keep: checkpoints to keep, 0 for all. - writes: false in a process beside the one that writes: it reads and checks, takes no lock and
    /// leaves the folders alone. - source: as `carryingTokenizerFrom` of `TrainingState.save`.
    /// Throws `Failure.cannotCreate` (73) where no model can be saved at `out`, or another process writes to the run.
    public init(out: String, keep: Int, writes: Bool = true, carryingTokenizerFrom source: String?) throws {
        self.out = out
        self.writes = writes
        self.keep = keep
        self.source = source
        var path = out
        while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        folder = path + ".checkpoints"
        files = try ModelFolder.files(carrying: source)
        try ModelFolder.checkDestination(out)
        if writes, exists(folder) { try take() }
    }

    deinit { if lock >= 0 { close(lock) } }

    /// Makes the folder, so that a run which is killed before its first checkpoint has a place to be resumed from. Throws 73.
    public func begin() throws {
        guard writes else { return }
        if !exists(folder) {
            try AtomicFolder.makeFolder(folder)
            try take()
        }
        AtomicFolder.sweep(folder, namesBeginning: RunCheckpoints.prefix, files: files)
    }

    /// Takes the folder away again if nothing was saved in it.
    public func abandon() {
        if writes { rmdir(folder) }
    }

    /// Refuses to begin a run from its first step where checkpoints of an earlier one are. Throws 73.
    public func checkUnused() throws {
        guard let step = steps().last else { return }
        throw Failure(
            .cannotCreate, folder, .whole, "holds checkpoints of an earlier run, up to step \(step)",
            hint: "go on with it by --resume, or move or remove that folder")
    }

    /// The newest state that is whole; nil when the run was begun and nothing was saved yet.
    ///
    /// - damaged: told of every newer one that is not. - Throws 66 when there is nothing to go on from, 65 when nothing is whole, or a whole
    /// checkpoint of another run stands in the folder too.
    public func newest(pool: ThreadPool, damaged: (Failure) -> Void) throws -> TrainingState? {
        AtomicFolder.recover(out)
        var candidates = steps().reversed().map { path($0) }
        if candidates.isEmpty, !exists(folder), !exists(out) {
            throw Failure(
                .cannotOpen, out, .whole, "no run was begun here: there is nothing to go on from", hint: "leave out --resume to begin one")
        }
        if exists(inside(out, TrainingState.file)) || candidates.isEmpty && !exists(folder) {
            // A finished model of another run may still stand where this one's is to be.
            let newest = candidates.compactMap { TrainingState.header($0) }.first
            let finished = TrainingState.header(out)
            if newest == nil || finished == nil || newest?.facts[RunCheckpoints.runFact] == finished?.facts[RunCheckpoints.runFact] {
                candidates.insert(out, at: 0)
            }
        }
        var firstFailure: Failure?
        for candidate in candidates {
            let state: TrainingState
            do { state = try TrainingState.load(candidate, pool: pool) } catch let failure as Failure {
                if let firstFailure { damaged(firstFailure) }
                firstFailure = failure
                continue
            }
            run = state.facts[RunCheckpoints.runFact] ?? ""
            isFinished = candidate == out
            if !isFinished { verified.insert(state.steps) }
            if let firstFailure { damaged(firstFailure) }
            try checkOnlyRun(beside: candidate, pool: pool)
            return state
        }
        guard var firstFailure else { return nil }
        let isCheckpoint = candidates.contains { $0 != out }
        let hint = "no whole checkpoint is left: move \(isCheckpoint ? folder : out) away and begin anew, without --resume"
        guard candidates.count > 1 else {
            if isCheckpoint || firstFailure.status == .badData { firstFailure.hint = hint }
            throw firstFailure
        }
        damaged(firstFailure)
        throw Failure(.badData, folder, .whole, "none of \(candidates.count) checkpoints is whole", hint: hint)
    }

    /// Whether this step's state is on the disk and whole.
    public func holds(_ step: Int) -> Bool { verified.contains(step) }

    /// Saves the trainer's state as the checkpoint of its step, reads it back, and removes what is older than the newest `keep`.
    ///
    /// Throws 74 when the disk is full or fails: the checkpoints before are then as they were.
    public func save(_ trainer: Trainer, facts: [String: String]) throws {
        let target = path(trainer.steps)
        if writes {
            moveAside(target)
            try write(trainer, facts, to: target)
        }
        verified.insert(trainer.steps)
        guard writes, keep > 0, verified.count >= keep else { return }
        let oldest = verified.sorted(by: >)[keep - 1]
        for step in steps() where step < oldest && isOurs(path(step)) {
            AtomicFolder.remove(path(step), files: files)
            verified.remove(step)
        }
    }

    /// Saves the finished run as OUT, and reads it back. Checkpoints stay; their folder goes if it holds none.
    ///
    /// Throws 73 or 74 where OUT cannot be written. The state is then kept as a checkpoint if that can be: all steps may have been for it.
    public func finish(_ trainer: Trainer, facts: [String: String]) throws {
        guard writes else { return }
        do { try write(trainer, facts, to: out) } catch var failure as Failure {
            if !holds(trainer.steps) { try? save(trainer, facts: facts) }
            if holds(trainer.steps) {
                failure.hint = "the state after step \(trainer.steps) is saved in \(folder): --resume finishes the run from it"
            }
            throw failure
        }
        rmdir(folder)
    }

    /// Bytes of a checkpoint: the model, two moments of its size, and some for headers.
    private static func bytes(_ configuration: ModelConfiguration) -> Int {
        configuration.parameterBytes.multipliedReportingOverflow(by: 3).partialValue + 1 << 16
    }

    /// Throws 74 where a checkpoint of this model has no room, as far as that can be known.
    public func checkRoom(_ configuration: ModelConfiguration) throws {
        let needed = RunCheckpoints.bytes(configuration)
        // Asked of a name beside OUT that is not there.
        if let free = freeSpace(for: folder + ".part"), free < needed {
            throw Failure(
                .inputOutput, folder, .whole,
                "needs \(needed) bytes for a checkpoint, and \(free) are free on its file system",
                hint: "make room, or keep fewer checkpoints (--keep); what was saved before is as it was")
        }
    }

    private func write(_ trainer: Trainer, _ facts: [String: String], to target: String) throws {
        try checkRoom(trainer.model.configuration)
        var facts = facts
        facts[RunCheckpoints.runFact] = run
        do { try TrainingState.save(trainer, facts: facts, to: target, carryingTokenizerFrom: source) } catch var failure as Failure {
            failure.hint = failure.hint ?? "nothing was replaced: what was saved before is as it was"
            throw failure
        }
        do { try TrainingState.verify(target) } catch let failure as Failure {
            throw Failure(
                .inputOutput, failure.subject, failure.place, "reads back otherwise than it was written: \(failure.message)",
                hint: "the disk or the memory is failing; checkpoints before this one are as they were")
        }
    }
}

/// What stands in the folder.
extension RunCheckpoints {
    private static let prefix = "step-"

    private func path(_ step: Int) -> String {
        let digits = String(step)
        return inside(folder, RunCheckpoints.prefix + String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits)
    }

    /// The steps of everything that is called like a checkpoint, in order.
    private func steps() -> [Int] {
        names(in: folder, ending: "").compactMap { name in
            guard name.utf8.starts(with: RunCheckpoints.prefix.utf8) else { return nil }
            let step = Int(name.dropFirst(RunCheckpoints.prefix.utf8.count))
            return step.flatMap { lastPart(path($0)) == name ? $0 : nil }
        }.sorted()
    }

    private func lastPart(_ path: String) -> String { String(path.dropFirst(folder.count + 1)) }

    private func isOurs(_ folder: String) -> Bool {
        TrainingState.header(folder)?.facts[RunCheckpoints.runFact] == run
    }

    /// Refuses to choose between two runs: which one is meant cannot be told. Throws 65.
    private func checkOnlyRun(beside chosen: String, pool: ThreadPool) throws {
        for other in steps().map({ path($0) }) where other != chosen && !isOurs(other) {
            // What is damaged may say anything.
            guard (try? TrainingState.load(other, pool: pool)) != nil else { continue }
            throw Failure(
                .badData, other, .whole, "is a checkpoint of another run than \(chosen)",
                hint: "move those of one run away: --resume goes on with the other")
        }
    }

    /// Makes way for a checkpoint where something stands that cannot be told to be this run's, or has lost its configuration, without which
    /// no folder is replaced: it gets another name.
    private func moveAside(_ target: String) {
        guard exists(target), !isOurs(target) || !exists(inside(target, ModelFolder.configurationFile)) else { return }
        var number = 1
        while exists("\(target).damaged-\(number)") { number += 1 }
        rename(target, "\(target).damaged-\(number)")
    }

    /// Locks the folder for this process; a system that knows no locks there is taken at its word.
    private func take() throws {
        lock = uninterrupted { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard lock >= 0 else { throw Failure(.cannotCreate, folder, .whole, "cannot open: \(String(cString: strerror(errno)))") }
        if flock(lock, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
            throw Failure(.cannotCreate, folder, .whole, "another process is training this run")
        }
    }
}
