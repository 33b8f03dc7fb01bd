// Requests that are tried again while a server is away or busy.
import Glibc

/// How often to try again, and how long to wait before.
public struct RetryPolicy: Sendable {
    /// Further tries after the first.
    public var retries = 8
    /// The wait before the first of them; each further one is twice as long.
    public var firstSeconds = 0.5
    public var longestSeconds = 60.0
    /// The longest wait that a server may ask for.
    public var longestAskedSeconds = 600
    /// Whether the status 500 may pass; some servers mean by it that they do not understand.
    public var waitsOn500 = true

    public init() {}

    /// The wait before try `number` (1 is the first that is not the first of all): between half and all of the doubled time, so that many
    /// clients do not come back at once; at least what the server asked for.
    ///
    /// - random: from 0 to 1.
    func wait(before number: Int, asked: Int?, random: Double) -> Double {
        var seconds = firstSeconds
        for _ in 1..<max(number, 1) where seconds < longestSeconds { seconds *= 2 }
        let own = min(seconds, longestSeconds) * (0.5 + 0.5 * random)
        return max(own, Double(min(asked ?? 0, longestAskedSeconds)))
    }
}

/// A connection that waits out what passes: lost connections, and the statuses of a server that is starting or has too much to do.
public final class PatientConnection {
    private let connection: HTTPConnection
    private let policy: RetryPolicy
    private let note: @Sendable (String) -> Void

    /// - note: told of every failed try, in words.
    public init(_ policy: RetryPolicy, note: @escaping @Sendable (String) -> Void) throws {
        connection = try HTTPConnection()
        self.policy = policy
        self.note = note
    }

    /// Fetches a URL, or posts `json`; an answer of any status but those that say "later".
    ///
    /// Throws `Failure.inputOutput` (74) with the last words when all tries have failed; subject is `name`. What no further try can
    /// change, such as a certificate that is not valid, is not tried again (66).
    public func send(_ url: String, json: [UInt8]? = nil, headers: [String], limits: HTTPLimits, name: String) throws -> HTTPAnswer {
        for number in 1... {
            var words: String
            var asked: Int?
            do {
                let answer =
                    try json.map { try connection.post(url, json: $0, headers: headers, limits: limits) }
                    ?? connection.get(url, headers: headers, limits: limits)
                let mayPass = PatientConnection.later.contains(answer.status) && (answer.status != 500 || policy.waitsOn500)
                guard mayPass else { return answer }
                words = "status \(answer.status)\(serverWords(answer.body).map { ": \($0)" } ?? "")"
                asked = answer.retryAfter
            } catch let error as HTTPError {
                words = error.description
                guard error.isTransient else { throw Failure(.cannotOpen, name, "no answer: \(words)") }
            } catch let failure as Failure {
                throw Failure(failure.status, name, "\(failure.subject): \(failure.message)", hint: failure.hint)
            }
            guard number <= policy.retries else {
                let tries = number == 1 ? "1 try" : "\(number) tries"
                throw Failure(
                    .inputOutput, name, "no answer after \(tries): \(words)",
                    hint: "see whether the server runs and has room; --retries and --timeout say how patient to be")
            }
            let seconds = policy.wait(before: number, asked: asked, random: Double.random(in: 0...1))
            note("\(name): \(words); trying again in \(Int((seconds * 1000).rounded())) ms (\(number) of \(policy.retries))")
            try pause(seconds, name)
        }
        preconditionFailure("bug: tries without end")
    }

    /// Timeout, too early, too many requests, and what servers and proxies say while there is no server.
    private static let later: Set<Int> = [408, 425, 429, 500, 502, 503, 504, 529]

    private func pause(_ seconds: Double, _ name: String) throws {
        var left = seconds
        while left > 0 {
            if Interruption.requested?() == true { throw Failure(.stopped, name, "stopped by a signal while waiting for a server") }
            let slice = min(left, 0.25)
            var time = timespec(tv_sec: 0, tv_nsec: Int(slice * 1e9))
            nanosleep(&time, nil)
            left -= slice
        }
    }
}

/// What a server says about an error: the message inside the usual shapes of JSON, else the beginning of its text; nil for nothing.
public func serverWords(_ body: [UInt8]) -> String? {
    if let root = try? JSONValue.parse(body, name: "answer") {
        let error = root["error"]
        for candidate in [error?["message"], error, root["message"], root["detail"]] {
            if let words = candidate?.bytes, !words.isEmpty { return printable(words, limit: 400) }
        }
        // FastAPI's: a list of {"loc": [...], "msg": "..."}.
        if let first = root["detail"]?.elements.first, let words = first["msg"]?.bytes {
            let place = first["loc"]?.elements.map { $0.string ?? $0.integer.map { String($0) } ?? "?" }.joined(separator: ".")
            return printable((place.map { Array("\($0): ".utf8) } ?? []) + words, limit: 400)
        }
    }
    let text = body.drop { $0 <= 0x20 }
    return text.isEmpty ? nil : printable(text, limit: 200)
}
