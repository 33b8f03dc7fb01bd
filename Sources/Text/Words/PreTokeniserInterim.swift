import Streams

struct Words {
    var text: RewrittenText
    var ranges: [Range<Int>]
}
struct PreTokeniser {
    var patterns: [Pattern]
    init(json: JSONValue, name: String) throws {
        patterns = []
        let steps = json["type"]?.string == "Sequence" ? json["pretokenizers"]?.elements ?? [] : [json]
        for s in steps {
            if s["type"]?.string == "Split", let p = s["pattern"]?["Regex"]?.bytes {
                patterns.append(try Pattern(p, name: name))
            } else if s["type"]?.string == "Digits" {
                patterns.append(try Pattern(Array("\\p{N}".utf8), name: name))
            } else if s["type"]?.string == "ByteLevel" || s["type"]?.string == "Metaspace" {
            } else {
                throw Failure(.badData, name, .whole, "interim \(s["type"]?.string ?? "")")
            }
        }
    }
    init(patterns: [Pattern]) { self.patterns = patterns }
    static func isolating(_ p: [Pattern]) -> PreTokeniser { PreTokeniser(patterns: p) }
    func cut(_ words: inout Words) {
        for p in patterns {
            var out: [Range<Int>] = []
            words.text.bytes.withUnsafeBytes { b in
                for r in words.ranges {
                    var last = r.lowerBound
                    p.forEachMatch(b, r) { m in
                        if m.lowerBound > last { out.append(last..<m.lowerBound) }
                        if !m.isEmpty { out.append(m) }
                        last = m.upperBound
                    }
                    if last < r.upperBound { out.append(last..<r.upperBound) }
                }
            }
            words.ranges = out
        }
    }
}
