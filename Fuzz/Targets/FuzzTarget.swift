// A fuzz target: a parser, and what must hold of it whatever its bytes are.
@testable import Streams

/// A parser under libFuzzer, or under the test that replays what was found.
public struct FuzzTarget: Sendable {
    public let name: String
    /// Inputs longer than this say nothing new.
    public let longest: Int
    private let body: @Sendable (UnsafeRawBufferPointer) throws -> Void

    public init(_ name: String, longest: Int, _ body: @escaping @Sendable (UnsafeRawBufferPointer) throws -> Void) {
        self.name = name
        self.longest = longest
        self.body = body
    }

    /// Tries an input. It is accepted, or refused as bad data with a message of one line; anything else traps.
    public func run(_ bytes: UnsafeRawBufferPointer) {
        do { try body(bytes) } catch let failure as Failure {
            precondition(failure.status == .badData, "refused with another status: \(failure)")
            precondition(!failure.message.isEmpty && failure.message.utf8.allSatisfy { $0 >= 0x20 }, "a message of no line: \(failure)")
        } catch {
            preconditionFailure("refused without words: \(error)")
        }
    }
}

/// What is wrong where two readers of the same bytes disagree.
public func agree(_ holds: Bool, _ what: @autoclosure () -> String, file: StaticString = #file, line: UInt = #line) {
    precondition(holds, what(), file: file, line: line)
}

/// Every target that needs no models.
public let fuzzTargets: [FuzzTarget] = [
    .json, .corpus, .records, .stream, .safetensors, .protobuf, .megatron,
    .gguf, .tokenizerJSON, .sentencePiece, .tiktoken, .tekken, .pattern, .charsmap, .normaliser, .preTokeniser,
]
