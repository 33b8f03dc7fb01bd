// The options of a teacher that runs in another engine, behind HTTP.

import ArgumentParser
import Streams

/// What is asked of a completions server, and how its answer says it: `--dialect`.
enum Dialect: String, CaseIterable, Sendable {
    /// Ids in, `prompt_logprobs` by id out.
    case vllm
    /// Ids in, `echo` with `logprobs` by token strings out.
    case echo
    /// Text in, the same out: for servers that take no ids.
    case text
}

/// `--dialect`: one of them, or the first that the server speaks.
enum DialectChoice: String, CaseIterable, Sendable, ExpressibleByArgument {
    case auto, vllm, echo, text

    var tried: [Dialect] {
        Dialect(rawValue: rawValue).map { [$0] } ?? Dialect.allCases
    }
}

struct EndpointOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Score with a server that speaks OpenAI's completions interface instead: http[s]://host[:port][/path] (default: none).",
            valueName: "url"))
    var endpoint: String?

    @Option(
        help: ArgumentHelp(
            "With --endpoint: the model to ask for (default: the only one that the server has).", valueName: "name"))
    var endpointModel: String?

    @Option(
        help: ArgumentHelp(
            "With --endpoint, where it is needed: the vocabulary that the stream was made with, to check the server's by.",
            valueName: "path"), completion: .file())
    var tokenizer: String?

    @Option(
        help: ArgumentHelp(
            "With --endpoint: vllm (prompt_logprobs), echo (of ids), text (echo of a text), or auto, the first of them that works.",
            valueName: "name"))
    var dialect = DialectChoice.auto

    @Option(help: ArgumentHelp("With --endpoint: requests at the same time.", valueName: "n"))
    var concurrency = 8

    @Option(help: ArgumentHelp("With --endpoint: further tries where the server is away or busy.", valueName: "n"))
    var retries = 8

    @Option(help: ArgumentHelp("With --endpoint: seconds to wait for one answer.", valueName: "seconds"))
    var timeout = 600

    mutating func validate() throws {
        guard let endpoint else {
            if tokenizer != nil || endpointModel != nil || dialect != .auto {
                throw ValidationError("--tokenizer, --endpoint-model and --dialect are for --endpoint")
            }
            return
        }
        let (address, problem) = ServerAddress.parse(endpoint)
        guard address != nil else { throw ValidationError("--endpoint: the address \(problem)") }
        guard tokenizer != nil else { throw ValidationError("--endpoint needs --tokenizer PATH, to check the server's tokens by") }
        guard (1...1024).contains(concurrency) else { throw ValidationError("--concurrency must lie between 1 and 1024") }
        guard (0...1000).contains(retries) else { throw ValidationError("--retries must lie between 0 and 1000") }
        guard (1...86400).contains(timeout) else { throw ValidationError("--timeout must lie between 1 and 86400") }
    }

    var address: ServerAddress? { endpoint.flatMap { ServerAddress.parse($0).address } }

    var policy: RetryPolicy {
        var policy = RetryPolicy()
        policy.retries = retries
        return policy
    }
}
