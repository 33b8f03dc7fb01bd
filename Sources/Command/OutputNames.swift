// An output that is an input too would replace what it was made from.
import ArgumentParser
import Glibc

/// Throws a usage error where the file that `option` is to write exists and the command line names it once more, by whatever path: an input
/// would be replaced by what was made of it.
public func checkNamedOnce(_ path: String?, option: String) throws {
    guard let path, path != "-", let file = RegularFile(path) else { return }
    let words = CommandLine.arguments.dropFirst().flatMap { word in
        // An option may hold its value, as in --tokenizer=PATH.
        word.hasPrefix("-") ? word.split(separator: "=", maxSplits: 1).dropFirst() : [word[...]]
    }
    guard words.count(where: { RegularFile(String($0)) == file }) > 1 else { return }
    throw ValidationError("\(option) \(path): the command line names this file once more, and it would be replaced: write to another one")
}

/// Which regular file is behind a path.
private struct RegularFile: Equatable {
    private let device: dev_t
    private let number: ino_t

    init?(_ path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        device = status.st_dev
        number = status.st_ino
    }
}
