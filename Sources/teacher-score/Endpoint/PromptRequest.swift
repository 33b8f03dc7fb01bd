// What a completions server is asked: the log-probabilities of a prompt, and one token that nobody wants.

import Streams

/// One prompt: ids as the model reads them, its beginning-of-sequence token included.
struct Prompt {
    var ids: [UInt32]
    /// Whether the first id is the beginning-of-sequence token.
    var hasBOS: Bool
    /// The same as text, for servers that take no ids.
    var text: [UInt8]?
    var document: [UInt8]
    /// The token of the document that position 0 is; minus one for a beginning-of-sequence token.
    var firstToken: Int

    func place(_ position: Int, _ server: String) -> TokenPlace {
        TokenPlace(server: server, document: document, token: firstToken + position)
    }
}

extension Prompt {
    /// The body of the request.
    ///
    /// - top: how many of the most probable tokens are wanted in every place. At least one token is generated: vLLM refuses none, and
    /// where it stands among the others tells whether the server counts places as we do.
    func request(_ dialect: Dialect, model: String, top: Int) -> [UInt8] {
        var json = JSONText()
        json.beginObject()
        json.member("model", model)
        json.key("prompt")
        if dialect == .text {
            json.string(text ?? [])
        } else {
            json.beginArray()
            for id in ids { json.integer(Int(id)) }
            json.endArray()
        }
        json.member("max_tokens", 1)
        json.member("temperature", 0)
        if dialect == .vllm {
            // Some versions take 0 for "none".
            json.member("prompt_logprobs", max(top, 1))
        } else {
            json.member("echo", true)
            json.member("logprobs", top)
        }
        json.endObject()
        return json.bytes
    }
}
