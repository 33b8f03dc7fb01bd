// Few-shot prompts: worked examples in front of an item.

import ArgumentParser
import Command
import Compute
import Streams

/// How many worked examples stand in front of an item, and where they come from.
struct FewShotOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Worked examples in front of each item.", valueName: "n"))
    var shots = 0

    @Option(help: ArgumentHelp("Items with answers for --shots (default: none).", valueName: "file"), completion: .file())
    var examples: String?

    @Option(
        help: ArgumentHelp(
            "Draw the examples of each item by its id and this number (default: the first of the file).", valueName: "n"))
    var seed: UInt64?

    mutating func validate() throws {
        guard (0...10_000).contains(shots) else { throw ValidationError("--shots must lie between 0 and 10000") }
        if shots > 0 && examples == nil { throw ValidationError("--shots needs --examples FILE") }
        if shots == 0 && examples != nil { throw ValidationError("--examples needs --shots N") }
    }

    /// Reads the examples. Throws 65 for a line that is no item or has no answer, and for fewer of them than `shots`; 66.
    func load<Item: TaskItem>(_ kind: Item.Type) throws -> FewShot {
        guard let examples else { return FewShot(examples: [], shots: 0, seed: nil) }
        let worked = try readItems(Item.self, from: [examples]).map { item in
            guard let text = item.worked else { throw Failure(.badData, examples, "item \(quoted(item.id)) has no answer to show") }
            return text
        }
        guard worked.count >= shots else {
            throw Failure(.badData, examples, "holds \(worked.count) items, fewer than the \(shots) of --shots")
        }
        return FewShot(examples: worked, shots: shots, seed: seed)
    }
}

/// Worked examples, each the text of an item with its right answer, and which of them stand in front of an item.
///
/// As lm-evaluation-harness 0.4 writes prompts (`ConfigurableTask.fewshot_context`): every example closed by an empty line. An example whose
/// text is that of the item itself is never taken.
struct FewShot {
    let examples: [[UInt8]]
    let shots: Int
    /// nil takes the first of the examples.
    let seed: UInt64?

    private static let delimiter = Array("\n\n".utf8)

    /// What stands in front of an item: empty without examples.
    ///
    /// - id: the item's, which with the seed decides the draw, whatever other items there are.
    /// - worked: the item with its answer. Where it is one of just `shots` examples, one less is shown.
    func preamble(id: [UInt8], worked: [UInt8]?) -> [UInt8] {
        var text: [UInt8] = []
        for example in chosen(id: id, worked: worked) { text += examples[example] + FewShot.delimiter }
        return text
    }

    /// The places of the examples, in the order in which they are shown.
    private func chosen(id: [UInt8], worked: [UInt8]?) -> [Int] {
        guard shots > 0 else { return [] }
        guard let seed else { return Array(examples.indices.lazy.filter { examples[$0] != worked }.prefix(shots)) }
        // The first steps of Fisher and Yates's shuffle; what it has moved is kept, not the whole.
        var random = Xoshiro256(seed: XXH64.hash(id, seed: seed))
        var moved: [Int: Int] = [:]
        var result: [Int] = []
        for step in examples.indices where result.count < shots {
            // A number below the rest by its share of 2⁶⁴: no bias that anyone could see.
            let place = step + Int(random.next().multipliedFullWidth(by: UInt64(examples.count - step)).high)
            let drawn = moved[place] ?? place
            moved[place] = moved[step] ?? step
            if examples[drawn] != worked { result.append(drawn) }
        }
        return result
    }
}
