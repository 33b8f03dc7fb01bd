// A charsmap as HF's Precompiled applies it: cluster by cluster.

extension Charsmap {
    /// Whether no rule begins at any character, so that nothing can change.
    func leavesAlone(_ text: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        while at < text.count {
            let length = text[at] < 0x80 ? 1 : decodeScalar(text, at).length
            if begins(with: text[at]), longestMatch(text, at..<min(text.count, at + 6)) != nil { return false }
            at += length
        }
        return true
    }

    /// HF's Precompiled: a grapheme cluster of fewer than six bytes that a rule matches the beginning of becomes what the shortest such
    /// rule writes, all of it; otherwise each of its characters by itself.
    func apply(_ text: inout RewrittenText) {
        let source = text
        var result = RewrittenText()
        var copied = 0
        source.bytes.withUnsafeBytes { bytes in
            /// Whether a rule rewrote the range.
            func rewrite(_ range: Range<Int>) -> Bool {
                guard begins(with: bytes[range.lowerBound]), let written = shortestReplacement(bytes, range) else { return false }
                if bytes[range].elementsEqual(written) { return true }
                result.append(source, copied..<range.lowerBound)
                result.append(written, standingFor: source.origin(range))
                copied = range.upperBound
                return true
            }
            var clusters = GraphemeClusters(bytes)
            while let cluster = clusters.next() {
                if cluster.count < 6 && rewrite(cluster) { continue }
                var at = cluster.lowerBound
                while at < cluster.upperBound {
                    let length = decodeScalar(bytes, at).length
                    _ = rewrite(at..<(at + length))
                    at += length
                }
            }
        }
        guard copied > 0 else { return }
        result.append(source, copied..<source.count)
        text = result
    }
}
