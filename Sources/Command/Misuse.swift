// Wrong usage said better than by ArgumentParser: a command that is none; an option that is none, before what is missing because of it.
import ArgumentParser
import Streams

/// Wrong usage with the command whose help has more.
struct Misuse: Error {
    let message: String
    /// "evaluate perplexity"
    let command: String

    /// What is rather the matter with arguments that ArgumentParser refused; nil where it has said it.
    ///
    /// It looks for required options before it looks at those that nobody knows, so that of `--stpes 5` it says that '--steps' is missing.
    static func found(in arguments: [String], of program: any Program.Type) -> Misuse? {
        let name = program._commandName
        let commands = program.configuration.subcommands
        if commands.isEmpty { return unknownOption(in: arguments, help: program.helpMessage(columns: 80), command: name) }
        let names = list(commands.map { $0._commandName })
        guard let first = arguments.first, !first.utf8.starts(with: "-".utf8) else {
            return Misuse(message: "a command is missing: expected \(names)", command: name)
        }
        if first == "help" { return nil }
        guard let command = commands.first(where: { $0._commandName == first }) else {
            return Misuse(message: "no command '\(printable(first))': expected \(names)", command: name)
        }
        return unknownOption(in: arguments, help: program.helpMessage(for: command, columns: 80), command: "\(name) \(first)")
    }

    /// Nil where the help knows every long option.
    private static func unknownOption(in arguments: [String], help: String, command: String) -> Misuse? {
        let known = longOptions(inHelp: help)
        let typed = arguments.prefix { $0 != "--" }.filter { $0.utf8.starts(with: "--".utf8) }.map { String($0.prefix { $0 != "=" }) }
        guard let unknown = typed.first(where: { !known.contains($0) }) else { return nil }
        return Misuse(message: "unknown option '\(printable(unknown))'" + suggestion(for: unknown, among: known), command: command)
    }

    /// ". Did you mean '--steps'?", of at most three changes, and half of the letters; empty where nothing is near.
    private static func suggestion(for option: String, among known: Set<String>) -> String {
        let distances = known.sorted().map { (name: $0, distance: editDistance(Array(option.utf8), Array($0.utf8))) }
        guard let nearest = distances.min(by: { $0.distance < $1.distance }), nearest.distance <= min(3, (option.utf8.count - 2) / 2) else {
            return ""
        }
        return ". Did you mean '\(nearest.name)'?"
    }

    /// Insertions, removals and replacements that make one of the other.
    private static func editDistance(_ one: [UInt8], _ other: [UInt8]) -> Int {
        var row = Array(0...other.count)
        for (i, byte) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, its) in other.enumerated() {
                let replaced = diagonal + (byte == its ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
            }
        }
        return row[other.count]
    }

    private static func list(_ names: [String]) -> String {
        names.count < 2 ? names.joined() : names.dropLast().joined(separator: ", ") + " or " + names[names.count - 1]
    }
}

/// The long options that a help text names, with their dashes.
public func longOptions(inHelp help: String) -> Set<String> {
    Set(help.split { " ,\n=[]".contains($0) }.filter { $0.utf8.starts(with: "--".utf8) }.map { String($0) })
}
