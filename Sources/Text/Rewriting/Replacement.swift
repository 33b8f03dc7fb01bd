// Every match of a pattern written as something else.

/// HF's Replace. What is written stands for the whole match; an empty match for nothing.
struct Replacement: Sendable {
    let pattern: any TextPattern
    let content: [UInt8]

    func leavesAlone(_ text: UnsafeRawBufferPointer) -> Bool {
        if text.isEmpty { return true }
        if let literal = pattern as? LiteralPattern, !literal.bytes.isEmpty { return literal.first(in: text, from: 0) == nil }
        return pattern.matches(in: text).isEmpty
    }

    func apply(_ text: inout RewrittenText) {
        guard text.count > 0 else { return }
        let source = text
        let matches = source.bytes.withUnsafeBytes { pattern.matches(in: $0) }
        guard !matches.isEmpty else { return }
        text.removeAll()
        var copied = 0
        for match in matches {
            text.append(source, copied..<match.lowerBound)
            copied = match.upperBound
            if match.isEmpty {
                let place = match.lowerBound < source.count ? Int(source.starts[match.lowerBound]) : Int(source.ends[source.count - 1])
                text.append(content, standingFor: place..<place)
            } else if source.bytes[match].elementsEqual(content) {
                text.append(source, match)
            } else {
                text.append(content, standingFor: source.origin(match))
            }
        }
        text.append(source, copied..<source.count)
    }
}
