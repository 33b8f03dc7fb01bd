// White space taken away at the ends of the text.

/// HF's Strip. What is taken away is a gap.
struct Stripping: Equatable {
    var left: Bool
    var right: Bool

    func leavesAlone(_ text: UnsafeRawBufferPointer) -> Bool {
        kept(text) == 0..<text.count
    }

    func apply(_ text: inout RewrittenText) {
        let range = text.bytes.withUnsafeBytes { kept($0) }
        guard range != 0..<text.count else { return }
        let source = text
        text.removeAll()
        text.append(source, range)
    }

    private func kept(_ text: UnsafeRawBufferPointer) -> Range<Int> {
        var start = 0
        var end = text.count
        while left && start < end {
            let (code, length) = decodeScalar(text, start)
            guard CharacterClasses.of(code).contains(.space) else { break }
            start += length
        }
        while right && start < end {
            let last = lastScalarStart(text, end)
            guard CharacterClasses.of(decodeScalar(text, last).code).contains(.space) else { break }
            end = last
        }
        return start..<end
    }
}
