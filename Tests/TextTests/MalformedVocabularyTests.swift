// Malformed vocabularies: each is refused with status 65 and words that say what is wrong, never a trap.
import Streams
import TestSupport
import Text
import XCTest

final class MalformedVocabularyTests: XCTestCase {
    private let folder = ScratchFolder()

    // MARK: tokenizer.json

    /// A small valid file; each argument takes the place of one of its values.
    private func json(
        model: String? = nil, vocab: String = #"{"a":0,"b":1,"ab":2,"c":3}"#, merges: String = #"["a b"]"#, options: String = "",
        added: String = "[]",
        normalizer: String = "null", pre: String = #"{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}"#,
        post: String = "null", decoder: String = "null", top: String = ""
    ) -> String {
        let model = model ?? #"{"type":"BPE",\#(options)"vocab":\#(vocab),"merges":\#(merges)}"#
        return """
            {"version":"1.0",\(top)"added_tokens":\(added),"normalizer":\(normalizer),"pre_tokenizer":\(pre),\
            "post_processor":\(post),"decoder":\(decoder),"model":\(model)}
            """
    }

    private func refuse(_ text: String, _ word: String, line: UInt = #line) {
        assertRefused(word, title: String(text.prefix(200)), line: line) { try Tokenizer.load(folder.write("tokenizer.json", text)) }
    }

    private func accept(_ text: String, _ input: String, _ ids: [UInt32], line: UInt = #line) throws {
        XCTAssertEqual(try Tokenizer.load(folder.write("tokenizer.json", text)).tokens(input).ids, ids, line: line)
    }

    func testSyntax() throws {
        try accept(json(), "abc", [2, 3])
        refuse(json(vocab: #"{"a":0,"b":1,"ab":2,}"#), "JSON")
        refuse("// comment\n" + json(), "not a vocabulary")
        refuse(json() + json(), "JSON")
        refuse(json(vocab: #"{"a":NaN}"#), "JSON")
        refuse(json(vocab: #"{"a":0,"a":1}"#), "twice")
        refuse("{}", "'model'")
        refuse("\u{FEFF}" + json(), "JSON")
        refuse(json(model: "null"), "'model'")
        refuse(json(model: #"{"type":"Unigram","vocab":[]}"#), "empty")
        refuse(json(model: #"{"type":"WordLevel","vocab":{"a":0}}"#), "WordLevel")
        refuse(json(model: #"{"type":null,"vocab":{},"merges":[]}"#), "type")
        refuse(json(model: #"{"type":"BPE","vocab":{},"merges":[]}"#), "empty")
        refuse(json(options: #""byte_fallback":1,"#), "'byte_fallback'")
        refuse(json(options: #""unk_token":[],"#), "'unk_token'")
        refuse(json(top: #""version":"2.0","#), "JSON")
        refuse(json(top: #""normaliser":null,"#), "'normaliser'")
        refuse(json().replacing("\"1.0\"", with: "\"2.0\""), "version")
    }

    func testEveryCutIsRefused() throws {
        let bytes = Array(json(added: #"[{"id":4,"content":"<s>","special":true,"normalized":false}]"#).utf8)
        for length in 1..<bytes.count {
            assertRefused(title: "\(length) bytes") { try Tokenizer.load(folder.write("cut.json", Array(bytes[..<length]))) }
        }
    }

    func testIDs() throws {
        refuse(json(vocab: #"{"a":0,"b":1,"ab":1}"#), "one id")
        for id in ["-1", "1.5", "1099511627776", "99999999999999999999", "\"1\"", "null"] {
            refuse(json(vocab: #"{"a":0,"b":1,"ab":\#(id)}"#), ":")
        }
        try accept(json(vocab: #"{"a":0,"b":10,"ab":20}"#, merges: #"["a b"]"#), "abb", [20, 10])
        // Gaps between ids cost memory that the file does not pay for: 2 for each token and 2^16 may be.
        try accept(json(vocab: #"{"a":0,"b":1,"ab":65541}"#), "ab", [65541])
        refuse(json(vocab: #"{"a":0,"b":1,"ab":65542}"#), "no id between 0 and 65541")
        // Equal as Unicode, but not as bytes: two tokens.
        let vocab = "{\"\u{e9}\":0,\"e\u{301}\":1}"
        let pieces = json(
            vocab: vocab, merges: "[]", normalizer: #"{"type":"Replace","pattern":{"String":" "},"content":"▁"}"#, pre: "null")
        try accept(pieces, "\u{e9}", [0])
    }

    func testMerges() throws {
        refuse(json(merges: #"["a x"]"#), "merge 0")
        refuse(json(merges: #"["a b","b c"]"#), "merge 1")
        refuse(json(vocab: #"{"a":0,"b":1}"#, merges: #"["a b"]"#), "merge 0")
        for merge in [#""a""#, #""a b c""#, #"["a"]"#, #"["a","b","c"]"#, "5", "null", #"{"a":1}"#, #"["a",5]"#] {
            refuse(json(merges: "[\(merge)]"), "merge 0")
        }
        refuse(json(merges: #"{"a":"b"}"#), "merges")
        try accept(json(merges: #"[["a","b"]]"#), "ab", [2])
    }

    func testOptions() throws {
        refuse(json(options: #""continuing_subword_prefix":"__","#), "continuing_subword_prefix")
        refuse(json(options: #""end_of_word_suffix":"</w>","#), "end_of_word_suffix")
        try accept(json(options: #""continuing_subword_prefix":"","end_of_word_suffix":null,"dropout":null,"#), "ab", [2])
        for dropout in ["2", "-1", "0.1", "\"x\""] { refuse(json(options: #""dropout":\#(dropout),"#), "dropout") }
        refuse(json(options: #""ignore_merges":"yes","#), "ignore_merges")
        refuse(json(options: #""byte_fallback":true,"#, pre: #"{"type":"Metaspace","replacement":"▁"}"#), "byte_fallback")
        refuse(json(options: #""unk_token":"<unk>","#, pre: #"{"type":"Metaspace","replacement":"▁"}"#), "unk_token")
        refuse(json(options: #""unk_token":5,"#, pre: #"{"type":"Metaspace","replacement":"▁"}"#), "unk_token")
        refuse(json(vocab: "{\"a\":0,\"\u{3b1}\":1}", merges: "[]"), "outside the byte-level alphabet")
    }

    func testComponents() throws {
        let deep = String(repeating: #"{"type":"Sequence","normalizers":["#, count: 100_000) + String(repeating: "]}", count: 100_000)
        refuse(json(normalizer: deep), ":")
        refuse(json(normalizer: #"{"type":"NFX"}"#), "NFX")
        refuse(json(normalizer: #"{"type":"Precompiled","precompiled_charsmap":"!!"}"#, pre: "null"), "precompiled_charsmap")
        try accept(json(normalizer: #"{"type":"Sequence","normalizers":[{"type":"Lowercase"}]}"#, pre: "null"), "ABc", [2, 3])
        refuse(json(pre: #"{"type":"Jieba"}"#), "Jieba")
        refuse(json(pre: #"{"type":"Sequence","pretokenizers":[{"type":"Jieba"},{"type":"ByteLevel"}]}"#), "Jieba")
        let split = #"{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated","invert":false}"#
        let linear = json(
            pre: #"{"type":"Sequence","pretokenizers":[\#(split),{"type":"ByteLevel","use_regex":false,"add_prefix_space":false}]}"#)
        try accept(linear, String(repeating: "a", count: 10_000) + "b", Array(repeating: 0, count: 9_999) + [2])
        try accept(json(pre: "null"), "abc", [2, 3])
        refuse(json(pre: "{}"), "type")
        refuse(json(decoder: #"{"type":"WordPiece"}"#), "WordPiece")
        refuse(json(post: #"{"type":"BertProcessing"}"#), "'cls'")
        let template =
            #"{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{}}"#
        refuse(json(post: template), "'<s>'")
        refuse(json(top: #""truncation":{"max_length":2,"stride":4,"strategy":"LongestFirst","direction":"Right"},"#), "truncation")
        try accept(json(options: #""vocab_file":"/etc/passwd","#), "ab", [2])
    }

    func testAddedTokens() throws {
        func token(_ content: String, _ id: String) -> String {
            #"{"id":\#(id),"content":"\#(content)","special":true,"normalized":false}"#
        }
        try accept(json(added: "[\(token("<s>", "4"))]"), "<s>ab", [4, 2])
        refuse(json(added: "[\(token("", "4"))]"), "empty")
        refuse(json(added: "[\(token("<s>", "4")),\(token("<s>", "5"))]"), "twice")
        refuse(json(added: "[\(token("<s>", "1"))]"), "<s>")
        refuse(json(added: "[\(token("a", "4"))]"), "'a'")
        refuse(json(added: "[\(token("<s>", "7"))]"), "<s>")
        refuse(json(added: "[\(token("<s>", "-1"))]"), "added token")
        refuse(json(added: #"[{"id":4}]"#), "added token")
        refuse(json(added: #"{"a":4}"#), "added_tokens")
        refuse(json(added: #"[{"id":4,"content":"<s>","lstrip":1}]"#), "'lstrip'")
        // Time must not grow with the square of their number.
        let many = (0..<100_000).map { token("<\($0)>", String($0 + 4)) }.joined(separator: ",")
        try accept(json(added: "[\(many)]"), "<99999>ab<0>", [100_003, 2, 4])
    }

    func testAddedTokensThatNoTrieHolds() {
        let long = String(repeating: "x", count: 1 << 23)
        for isNormalised in [false, true] {
            let token = #"{"id":4,"content":"\#(long)","normalized":\#(isNormalised)}"#
            assertRefused("tokenizer.json", "trie") { try Tokenizer.load(folder.write("tokenizer.json", json(added: "[\(token)]"))) }
        }
    }

    // MARK: SentencePiece

    private func varint(_ value: Int) -> [UInt8] {
        var rest = UInt64(bitPattern: Int64(value))
        var bytes: [UInt8] = []
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    private func field(_ number: Int, _ contents: [UInt8]) -> [UInt8] { varint(number << 3 | 2) + varint(contents.count) + contents }
    private func number(_ number: Int, _ value: Int) -> [UInt8] { varint(number << 3) + varint(value) }

    private func piece(_ text: [UInt8], score: Float? = -1, type: Int? = nil) -> [UInt8] {
        var contents = field(1, text)
        if let score { contents += varint(2 << 3 | 5) + littleEndian(score.bitPattern) }
        if let type { contents += number(3, type) }
        return field(1, contents)
    }

    private func piece(_ text: String, score: Float? = -1, type: Int? = nil) -> [UInt8] {
        piece(Array(text.utf8), score: score, type: type)
    }

    /// A valid model of six pieces, with `more` pieces behind them.
    private func model(_ more: [UInt8] = [], trainer: [UInt8] = [], normaliser: [UInt8] = [], unknown: Bool = true) -> [UInt8] {
        (unknown ? piece("<unk>", score: 0, type: 2) : []) + piece("<s>", type: 3) + piece("</s>", type: 3) + piece("\u{2581}") + piece("a")
            + piece("\u{2581}a")
            + more + field(2, number(3, 2) + trainer) + field(3, number(4, 0) + normaliser)
    }

    private func refuse(_ bytes: [UInt8], _ word: String, line: UInt = #line) {
        assertRefused(word, title: printable(bytes, limit: 120), line: line) { try Tokenizer.load(folder.write("tokenizer.model", bytes)) }
    }

    private func accept(_ bytes: [UInt8], _ input: String, _ ids: [UInt32], line: UInt = #line) throws {
        XCTAssertEqual(try Tokenizer.load(folder.write("tokenizer.model", bytes)).tokens(input).ids, ids, line: line)
    }

    func testWireFormat() throws {
        try accept(model(), "a a", [5, 5])
        refuse([UInt8](), "empty")
        refuse(model() + [0x0A] + [UInt8](repeating: 0x80, count: 11), "varint")
        refuse(model() + [0x0A, 0x80], "varint")
        refuse(model() + varint(1 << 3 | 2) + varint(1 << 40), "bytes")
        refuse(model() + varint(1 << 3 | 2) + [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], "bytes")
        for type in [3, 4, 6, 7] { refuse(model() + [UInt8(5 << 3 | type)], "wire type") }
        refuse(model() + [0x02, 0x00], "field number")
        refuse(model() + number(1, 5), "pieces")
        refuse(model(field(1, number(1, 5))), "piece")
        refuse(model(trainer: field(3, [])), "model_type")
        try accept(model() + field(99, [1, 2, 3]), "a", [5])
        var nested: [UInt8] = []
        for _ in 0..<20_000 { nested = field(9, nested) }
        try accept(model() + nested, "a", [5])
        let whole = model()
        for length in 1..<whole.count {
            // A cut between two fields leaves a message that is well formed, but a model without its specifications.
            assertRefused(title: "\(length) bytes") { try Tokenizer.load(folder.write("cut.model", Array(whole[..<length]))) }
        }
    }

    func testPieces() throws {
        refuse(field(2, number(3, 2)) + field(3, number(4, 0)), ":")
        refuse(model(piece("")), "empty")
        refuse(model(piece("a")), "twice")
        refuse(model(unknown: false), "unknown")
        refuse(model(piece("<u>", type: 2)), "second unknown")
        refuse(model(piece("<0x41>", type: 6)), "byte")
        refuse(model(piece("<0xZZ>", type: 6), trainer: number(35, 1)), "byte piece")
        refuse(model((0..<255).flatMap { piece(byteName($0), type: 6) }, trainer: number(35, 1)), "255 byte pieces")
        refuse(model(trainer: number(35, 1)), "byte_fallback")
        try accept(model(piece([0x61, 0x00, 0x62]) + piece("b") + piece([0x00])), "a\u{0}b", [5, 8, 7])
        refuse(model(piece([0x61, 0xFF])), "UTF-8")
        refuse(model(piece([UInt8](repeating: 0x61, count: 1 << 20))), ": piece 6 has 1048576 bytes, more than 1024")
        for score in [Float.nan, .infinity, -.infinity] { refuse(model(piece("b", score: score)), "score") }
        try accept(model(piece("b", score: nil)), "b", [3, 6])
        refuse(model(piece("b", type: 9)), "type 9")
        refuse(model() + model(), "twice")
    }

    func testUserDefinedPiecesThatNoTrieHolds() {
        let rest = [UInt8](repeating: 0x78, count: 1019)
        let pieces = (10_000..<18_400).flatMap { piece(Array(String($0).utf8) + rest, type: 4) }
        let plain = number(4, 0)
        assertRefused("m.model", "trie") { try Tokenizer.load(folder.write("m.model", model(pieces, normaliser: plain))) }
    }

    private func byteName(_ byte: Int) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x" + (byte < 16 ? "0" : "") + digits + ">"
    }

    func testSpecifications() throws {
        for type in [0, 3, 4, 9] { refuse(model(trainer: number(3, type)), "model_type") }
        refuse(model(trainer: number(40, 6)), "unk_id")
        refuse(model(trainer: number(40, -1)), "unk_id")
        refuse(model(trainer: number(41, 6)), "bos_id")
        try accept(model(trainer: number(4, 32000)), "a", [5])
        try accept(model(trainer: number(41, -1) + number(42, -1)), "a", [5])
        refuse(model(normaliser: field(2, [1, 2, 3])), "precompiled_charsmap")
        try accept(model(normaliser: number(4, 1)), "  a   a ", [5, 5])
    }

    // MARK: GGUF

    private func strings(_ key: String, _ values: [String]) -> [UInt8] {
        GGUFBytes.array(key, type: 8, count: UInt64(values.count), values.flatMap { GGUFBytes.string($0) })
    }

    private func gguf(
        model: String = "gpt2", pre: String? = "gpt-2", tokens: [String] = ["a", "b", "ab", "<s>"], types: [Int32]? = [1, 1, 1, 3],
        merges: [String]? = ["a b"],
        scores: [Float]? = nil, more: [[UInt8]] = []
    ) -> [UInt8] {
        var entries = [GGUFBytes.text("tokenizer.ggml.model", model), strings("tokenizer.ggml.tokens", tokens)]
        if let pre { entries.append(GGUFBytes.text("tokenizer.ggml.pre", pre)) }
        if let types {
            entries.append(
                GGUFBytes.array("tokenizer.ggml.token_type", type: 5, count: UInt64(types.count), types.flatMap { littleEndian($0) }))
        }
        if let merges { entries.append(strings("tokenizer.ggml.merges", merges)) }
        if let scores {
            entries.append(GGUFBytes.array("tokenizer.ggml.scores", type: 6, count: UInt64(scores.count), float32Bytes(scores)))
        }
        return GGUFBytes.file(entries: entries + more)
    }

    private func refuseGGUF(_ bytes: [UInt8], _ word: String, line: UInt = #line) {
        assertRefused(word, line: line) { try Tokenizer.load(folder.write("m.gguf", bytes)) }
    }

    func testGGUF() throws {
        let valid = try Tokenizer.load(folder.write("m.gguf", gguf(more: [GGUFBytes.uint32("tokenizer.ggml.bos_token_id", 3)])))
        XCTAssertEqual(valid.tokens("<s>abb").ids, [3, 2, 1])
        XCTAssertEqual(valid.bosID, 3)
        refuseGGUF(GGUFBytes.file(entries: []), "tokenizer.ggml.model")
        refuseGGUF(gguf(model: "bert"), "unknown_token_id")
        refuseGGUF(gguf(model: "rwkv"), "rwkv")
        refuseGGUF(gguf(pre: nil), "tokenizer.ggml.pre")
        refuseGGUF(gguf(pre: "default"), "default")
        refuseGGUF(gguf(pre: "kimi-k2"), "kimi-k2")
        refuseGGUF(gguf(tokens: [], types: []), "tokens")
        refuseGGUF(gguf(tokens: ["a", "b", "ab", "a"]), "twice")
        refuseGGUF(gguf(tokens: ["a", "b", "ab", String(repeating: "c", count: 65_537)]), "token 3 has 65537 bytes")
        refuseGGUF(gguf(tokens: ["a", "b", "ab", ""]), "empty")
        // Outside the alphabet, and as pieces with merges.
        refuseGGUF(gguf(tokens: ["a", "b", "ab", "<s> ", "<s> "], types: [1, 1, 1, 3, 3]), "twice")
        refuseGGUF(gguf(model: "gemma4", tokens: ["a", "b", "ab", "b"]), "twice")
        refuseGGUF(gguf(model: "gemma4", merges: ["a c"]), "merge 0")
        refuseGGUF(gguf(model: "gemma4", merges: ["a b c"]), "merge 0")
        refuseGGUF(gguf(types: [1, 1, 1]), "token_type")
        // A refusal has the place of the entry that is wrong.
        let last = GGUFBytes.uint32("tokenizer.ggml.eos_token_id", 4)
        assertRefused(byte: gguf().count, "eos_token_id") { try Tokenizer.load(folder.write("m.gguf", gguf(more: [last]))) }
        refuseGGUF(gguf(merges: nil), "merges")
        refuseGGUF(gguf(merges: ["a c"]), "merge 0")
        refuseGGUF(gguf(merges: ["ab"]), "merge 0")
        refuseGGUF(gguf(more: [GGUFBytes.uint32("tokenizer.ggml.eos_token_id", 4)]), "eos_token_id")
        refuseGGUF(gguf(model: "llama"), "scores")
        refuseGGUF(gguf(model: "llama", types: [1, 1, 1, 7], scores: [0, 0, 0, 0]), "type 7")
        refuseGGUF(gguf(model: "llama", types: nil, scores: [0, 0, 0, 0]), "token_type")
        refuseGGUF(gguf(model: "llama", scores: [0, .nan, 0, 0]), "score")
        refuseGGUF(gguf(model: "llama", scores: [0, 0, 0]), "scores")
    }

    // MARK: The wrong files

    func testWrongFiles() throws {
        for (bytes, word) in [
            (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "LFS"), ([0x1F, 0x8B, 8, 0], "gzip"),
            (Array("<!doctype html>".utf8), "HTML"),
            (Array("[1]".utf8), "array"), ([UInt8](repeating: 0, count: 64), "zero"), (Array("IQ== 0\n".utf8), "byte 0"),
        ] {
            refuse(bytes, word)
        }
        let empty = folder("empty")
        try folder.write("empty/readme", ":")
        assertRefused(status: .cannotOpen, "no vocabulary") { try Tokenizer.load(empty) }
        assertRefused(status: .cannotOpen) { try Tokenizer.load(folder("absent")) }
    }

    func testFolderIsSearchedInOrder() throws {
        try folder.write("f/x.gguf", gguf())
        XCTAssertEqual(try Tokenizer.load(folder("f")).vocabularySize, 4)
        try folder.write("f/tokenizer.model", model())
        XCTAssertEqual(try Tokenizer.load(folder("f")).vocabularySize, 6)
        try folder.write("f/tokenizer.json", json(vocab: #"{"a":0}"#, merges: "[]"))
        XCTAssertEqual(try Tokenizer.load(folder("f")).vocabularySize, 1)
        try folder.write("g/x.gguf", gguf())
        try folder.write("g/y.gguf", gguf())
        assertRefused(status: .cannotOpen, "2 .gguf files") { try Tokenizer.load(folder("g")) }
    }
}
