// Options of train that say what is looked at while it runs: the loss on held-out text, losses that stand out, numbers that run away.

import ArgumentParser
import Command

struct WatchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Token records that are not trained on: their loss goes into the log (default: none).", valueName: "stream"),
        completion: .file())
    var heldOut: String?

    @Option(help: ArgumentHelp("Measure it every so many steps, and at the end (default: at the end only).", valueName: "n"))
    var heldOutEvery: Int?

    @Option(
        help: ArgumentHelp(
            "A batch with a NaN or infinite loss or gradient changes nothing: stop, or skip it and go on with the next.", valueName: "what")
    )
    var onBadStep = OnBadStep.stop

    @Option(
        help: ArgumentHelp(
            "Mark a loss in the log that exceeds the mean of the last 128 by so many standard deviations; 0: none.", valueName: "x"))
    var spike = 6.0

    func validate() throws {
        guard heldOut != "-" else { throw ValidationError("--held-out must name a file: it is read more than once") }
        if let heldOutEvery, heldOutEvery < 1 { throw ValidationError("--held-out-every must be at least 1") }
        if heldOutEvery != nil, heldOut == nil { throw ValidationError("--held-out-every needs --held-out") }
        guard spike >= 0, spike.isFinite else { throw ValidationError("--spike must not be negative") }
    }

    /// Whether the held-out stream is scored after this step.
    func isHeldOutDue(_ step: Int, of steps: Int) -> Bool {
        heldOut != nil && (step == steps || heldOutEvery.map { step % $0 == 0 } == true)
    }
}

/// Names of `--on-bad-step`.
enum OnBadStep: String, CaseIterable, ExpressibleByArgument {
    case stop, skip
}
