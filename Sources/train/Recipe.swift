// A recipe: options in a JSON file, put in front of those that are typed, so that these win.

import ArgumentParser
import Command
import Streams

/// Options by their long names, from the file of `--recipe`.
///
///     {"_source": "any text", "loss": "guided", "select": 0.4, "recompute": true}
///
/// A key is the name of an option without its dashes; a flag is given by true and left out by false. Keys that begin with "_" are notes.
enum Recipe {
    /// The arguments with those of the recipe in front. Throws 66 or 65 for a file that is none.
    /// - options: the long ones that there are.
    static func expanded(_ arguments: [String], options: @autoclosure () -> Set<String>) throws -> [String] {
        guard let (path, others) = try named(arguments) else { return arguments }
        return try self.arguments(of: path, options: options()) + others
    }

    /// The file, and the arguments without it.
    private static func named(_ arguments: [String]) throws -> (path: String, others: [String])? {
        let typed = arguments.prefix { $0 != "--" }
        guard let at = typed.firstIndex(where: { $0 == "--recipe" || $0.utf8.starts(with: "--recipe=".utf8) }) else { return nil }
        var others = arguments
        let found = others.remove(at: at)
        if found != "--recipe" { return (String(found.dropFirst("--recipe=".count)), others) }
        guard others.indices.contains(at), others[at] != "--" else { throw ValidationError("missing value for '--recipe <file>'") }
        return (others.remove(at: at), others)
    }

    private static func arguments(of path: String, options: Set<String>) throws -> [String] {
        let file = try MappedFile.open(path)
        let recipe = try JSONValue.parse(file.bytes, name: path)
        guard recipe.kind == .object else {
            throw Failure(.badData, path, "not a recipe: expected an object of options", hint: #"write {"steps": 1000, "loss": "guided"}"#)
        }
        return try recipe.entries.flatMap { key, value in
            let name = String(decoding: key, as: UTF8.self)
            return name.utf8.first == UInt8(ascii: "_") ? [] : try argument(name, value, path, options)
        }
    }

    private static func argument(_ name: String, _ value: JSONValue, _ path: String, _ options: Set<String>) throws -> [String] {
        let option = "--" + name
        guard options.contains(option), name != "recipe" else {
            throw Failure(.badData, path, "'\(printable(name))' is no option of train", hint: "see 'train --help'; notes begin with '_'")
        }
        switch value.kind {
        case .boolean: return value.boolean == true ? [option] : []
        case .integer: return ["\(option)=\(value.integer ?? 0)"]
        case .real: return ["\(option)=\(value.number ?? .nan)"]
        case .string: return ["\(option)=\(value.string ?? "")"]
        default: throw Failure(.badData, path, "'\(printable(name))' must be a number, a string, true or false")
        }
    }
}
