// A server that speaks OpenAI's completions interface: its models, its answers, its refusals in its own words.

import Command
import Glibc
import Streams
import Synchronization

/// Facts and manners that all connections to a server share.
final class CompletionsServer: Sendable {
    let address: ServerAddress
    private let policy: RetryPolicy
    private let timeout: Double
    private let headers: [String]
    private let tool: String
    private let lastNote = Mutex<Double?>(nil)
    /// Held while anything is said on standard error: several threads talk to the server.
    let voice = Mutex<Void>(())

    static let keyVariable = "PRECEPTOR_API_KEY"

    /// - tool: begins notes. The key is read from the environment, and neither written nor shown.
    ///
    /// Throws 66 for a key that no header can hold.
    init(_ address: ServerAddress, policy: RetryPolicy, timeout: Int, tool: String) throws {
        self.address = address
        self.policy = policy
        self.timeout = Double(timeout)
        self.tool = tool
        let key = getenv(CompletionsServer.keyVariable).map { String(cString: $0) } ?? ""
        guard key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Failure(.cannotOpen, CompletionsServer.keyVariable, "holds a space, a control character or one beyond ASCII")
        }
        headers = key.isEmpty ? [] : ["Authorization: Bearer \(key)"]
    }

    /// A connection for one thread.
    ///
    /// - refusing500: takes the status 500 as an answer, not as a trouble that may pass.
    func connect(refusing500: Bool = false) throws -> PatientConnection {
        var policy = policy
        policy.waitsOn500 = !refusing500
        return try PatientConnection(policy) { [self] in note($0) }
    }

    /// The failures that pass are told at most every ten seconds.
    private func note(_ words: String) {
        let now = monotonicSeconds()
        let isDue = lastNote.withLock { last in
            guard last.map({ now - $0 >= 10 }) ?? true else { return false }
            last = now
            return true
        }
        if isDue { voice.withLock { _ in Diagnostics.write("\(tool): \(words)") } }
    }

    // MARK: Models

    struct ModelFacts {
        var name: String
        /// The most tokens of prompt and answer together, where the server says so.
        var maximumLength: Int?
    }

    /// The model that scores: the named one, or the only one that there is.
    ///
    /// Throws 66 where the server has several, or does not name what it has.
    func model(named name: String?, _ connection: PatientConnection) throws -> ModelFacts {
        let answer = try connection.send(address.models, headers: headers, limits: limits(bodyBytes: 16 << 20), name: address.base)
        guard answer.status == 200, let root = try? JSONValue.parse(answer.body, name: address.base), let list = root["data"],
            list.count > 0
        else {
            if [401, 403].contains(answer.status) { throw refusal(answer, "/models") }
            if let name { return ModelFacts(name: name) }
            throw Failure(
                .cannotOpen, address.base, "does not say which models it has (status \(answer.status) at /models)",
                hint: "see whether the address is right; --endpoint-model gives the name")
        }
        let models = list.elements.map { ModelFacts(name: $0["id"]?.string ?? "", maximumLength: $0["max_model_len"]?.integer) }
        if let name {
            return models.first { $0.name.utf8.elementsEqual(name.utf8) } ?? ModelFacts(name: name)
        }
        guard models.count == 1, !models[0].name.isEmpty else {
            let names = models.prefix(8).map { printable($0.name) }.joined(separator: ", ")
            throw Failure(.cannotOpen, address.base, "has \(models.count) models: \(names)", hint: "choose one with --endpoint-model")
        }
        return models[0]
    }

    // MARK: Completions

    /// Posts a request and gives the answer's JSON.
    ///
    /// - entries: numbers that the answer may hold, which bound its length. Throws 65 with the server's words where it refuses the request,
    /// 66 where it has nothing at this address or wants another key, 74 where there was no answer.
    func complete(_ request: [UInt8], entries: Int, _ connection: PatientConnection) throws -> JSONValue {
        let answer = try connection.send(
            address.completions, json: request, headers: headers, limits: limits(bodyBytes: (16 << 20) + 1024 * entries), name: address.base
        )
        guard answer.status == 200 else { throw refusal(answer, "/completions") }
        return try answer.body.withUnsafeBytes { try JSONValue.parse($0, name: "\(address.base): the answer") }
    }

    private func limits(bodyBytes: Int) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.totalSeconds = timeout
        limits.connectSeconds = min(30, timeout)
        limits.bodyBytes = bodyBytes
        return limits
    }

    private func refusal(_ answer: HTTPAnswer, _ path: String) -> Failure {
        let words = "status \(answer.status) at \(path)" + (serverWords(answer.body).map { ": \($0)" } ?? "")
        switch answer.status {
        case 401, 403:
            return Failure(
                .cannotOpen, address.base, words, hint: "the key is taken from the environment: \(CompletionsServer.keyVariable)=…")
        case 404, 405:
            return Failure(.cannotOpen, address.base, words, hint: "see whether the address and the model's name are right")
        case 300..<400:
            return Failure(.cannotOpen, address.base, words, hint: "the server sends elsewhere: give that address")
        default: return Failure(.badData, address.base, words)
        }
    }
}
