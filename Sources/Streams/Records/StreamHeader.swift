// What a stream says of itself before its records: what it holds and where that came from.

/// The header of a stream: its kind and named facts, in order.
///
/// Keys in use: `version` ("1"), `producer`, `tokenizer`, `vocabulary_sha256`, `vocabulary_size`, `special_tokens` ("none", "added"),
/// `bos_id`, `eos_id` (absent when the tokenizer has none), `add_bos` ("true", "false"); packed chunks add `packed` (their length) and
/// `separator_id`. Scores add `model`, `model_sha256`, `bos`, `window`, `stride`, `precision` ("server" and "imported" among others) and,
/// where a server gave them, `endpoint` (its dialect). Aligned streams hold the student's facts, the teacher's with the prefix `teacher_`,
/// and `aggregate`.
public struct StreamHeader: Equatable, Sendable {
    public enum Kind: String, CaseIterable, Sendable {
        case tokens, scores, aligned

        /// The program that makes streams of this kind.
        public var maker: String {
            switch self {
            case .tokens: "tokenize"
            case .scores: "teacher-score"
            case .aligned: "align"
            }
        }
    }

    /// The version of the format that this program writes and reads.
    public static let version = "1"

    public var stream: Kind
    /// The facts in the order in which they are written; keys are unique.
    public private(set) var fields: [(key: String, value: String)] = []

    /// A header with `version` and nothing else.
    public init(_ stream: Kind) {
        self.stream = stream
        self["version"] = StreamHeader.version
    }

    /// A fact by its key. Setting a new key appends it; setting nil removes it.
    public subscript(key: String) -> String? {
        get { fields.first { $0.key.utf8.elementsEqual(key.utf8) }?.value }
        set {
            let at = fields.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
            switch (at, newValue) {
            case (let at?, let value?): fields[at].value = value
            case (let at?, nil): fields.remove(at: at)
            case (nil, let value?): fields.append((key, value))
            case (nil, nil): break
            }
        }
    }

    /// A fact as a number; nil when absent or not a decimal integer from 0 up.
    public func integer(_ key: String) -> Int? {
        self[key].flatMap(decimal)
    }

    /// A fact as a token id; nil when absent or not one.
    public func tokenID(_ key: String) -> UInt32? {
        integer(key).flatMap { UInt32(exactly: $0) }
    }

    public static func == (left: StreamHeader, right: StreamHeader) -> Bool {
        left.stream == right.stream && left.fields.elementsEqual(right.fields, by: ==)
    }

    /// The first key in which two headers disagree, `producer` and the order aside; nil when their streams may be joined.
    public func disagreement(with other: StreamHeader) -> String? { disagreements(with: other).first }

    /// All of those keys, some of them twice.
    func disagreements(with other: StreamHeader) -> [String] {
        if stream != other.stream { return ["stream"] }
        return (fields + other.fields).map(\.key).filter { $0 != "producer" && self[$0] != other[$0] }
    }

    /// Why a stream with the header `next` may not follow one with this header, in words.
    func refusal(of next: StreamHeader, _ key: String) -> String {
        let (here, there) = key == "stream" ? (stream.rawValue, next.stream.rawValue) : (self[key] ?? "absent", next[key] ?? "absent")
        return "another stream begins here whose header disagrees: '\(printable(key))' is \(printable(there)), before \(printable(here))"
    }

    /// A header from the facts in a file, `stream` and `version` among them. Throws `RecordProblem`.
    static func read(_ facts: [(String, String)]) throws -> StreamHeader {
        guard let name = facts.first(where: { $0.0 == "stream" })?.1, let kind = Kind(rawValue: name) else {
            let found = facts.first { $0.0 == "stream" }.map { "unknown stream '\(printable($0.1))'" } ?? "the header has no 'stream'"
            throw RecordProblem("\(found), expected \(Kind.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        var header = StreamHeader(kind)
        header.fields = []
        for (key, value) in facts where key != "stream" { header[key] = value }
        guard let found = header["version"] else { throw RecordProblem("the header has no 'version'") }
        guard found == version else {
            throw RecordProblem("version '\(printable(found))' of the format, this program reads version \(version)")
        }
        return header
    }
}

/// The value of canonical decimal digits: no sign, no leading zero, within `Int`.
func decimal(_ text: String) -> Int? {
    let digits = text.utf8
    guard let first = digits.first, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return first == UInt8(ascii: "0") && digits.count > 1 ? nil : Int(text)
}
