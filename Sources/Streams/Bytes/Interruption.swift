// How a blocked read learns that a signal has asked the program to stop.

/// The question "has a signal asked us to stop?", answered by whoever installs the signal handlers.
///
/// A read from a pipe or a terminal asks it at least four times a second while it waits, and throws `Failure.stopped` when
/// the answer is yes. Without an answer installed, reads wait as read(2) does.
public enum Interruption {
    /// Set once, before the first input is opened.
    nonisolated(unsafe) public static var requested: (@Sendable () -> Bool)?
}
