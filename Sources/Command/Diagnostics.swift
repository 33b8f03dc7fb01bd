// Lines on standard error: never lost behind a progress line, never the cause of a crash.

import Glibc

/// Messages to the person at the terminal.
public enum Diagnostics {
    /// One line, and a hint below it where the cure is known. A standard error that is closed is left alone.
    public static func write(_ line: String, hint: String? = nil) {
        Progress.eraseCurrentLine()
        var text = line + "\n"
        if let hint { text += "  hint: \(hint)\n" }
        writeToStandardError(text)
    }
}

func writeToStandardError(_ text: String) {
    var text = text
    text.withUTF8 { bytes in
        var rest = UnsafeRawBufferPointer(bytes)
        while !rest.isEmpty {
            let written = Glibc.write(2, rest.baseAddress, rest.count)
            if written < 0 && errno == EINTR { continue }
            if written <= 0 { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }
}
