// Signals: what the process starts with, and how a stop is asked for.

import Glibc
import Streams
import Synchronization

/// Handlers that either raise a flag or clean up and let the signal do what it does.
public enum Signals {
    private static let received = Atomic<Int32>(0)

    /// Whether a signal has asked a state-saving tool to stop. Looked at between steps.
    public static var stopRequested: Bool { received.load(ordering: .relaxed) != 0 }

    /// SIGPIPE as the system has it, even where the parent ignored it; SIGXFSZ ignored, so that a write fails with EFBIG.
    static func prepareProcess() {
        signal(SIGPIPE, SIG_DFL)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// - savingState: the first signal raises `stopRequested`; a second one ends the process at once.
    ///   Otherwise a signal removes the temporary files and then ends the process as if it had not been caught.
    static func install(savingState: Bool) {
        TemporaryFiles.prepare()
        _ = received.load(ordering: .relaxed)
        if savingState { Interruption.requested = { Signals.stopRequested } }
        for number in [SIGTERM, SIGINT, SIGHUP] + (savingState ? [SIGUSR1] : []) {
            var present = sigaction()
            sigaction(number, nil, &present)
            // What the parent told us to ignore (nohup, a background job) stays ignored.
            if present.__sigaction_handler.sa_handler.map({ unsafeBitCast($0, to: Int.self) }) == 1 { continue }
            var action = sigaction()
            action.__sigaction_handler.sa_handler = savingState ? raiseFlag : cleanUp
            sigemptyset(&action.sa_mask)
            sigaction(number, &action, nil)
        }
    }

    private static let raiseFlag: @convention(c) (Int32) -> Void = { number in
        if Signals.received.exchange(number, ordering: .relaxed) != 0 { Signals.end(number) }
    }

    private static let cleanUp: @convention(c) (Int32) -> Void = { number in Signals.end(number) }

    private static func end(_ number: Int32) {
        TemporaryFiles.removeAll()
        signal(number, SIG_DFL)
        raise(number)
    }
}
