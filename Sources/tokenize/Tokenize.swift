// tokenize: NDJSON text in, token records with byte offsets out.

import ArgumentParser
import Command
import Streams
import Text

@main
struct Tokenize: Tool {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn NDJSON text into token records with byte offsets.",
        discussion: """
            Reads {"id":…,"text":…} records, one a line, and writes the token ids of each text with the half-open byte \
            span that each token stands for. The vocabulary is a Hugging Face tokenizer.json, a SentencePiece .model, \
            a .gguf with its vocabulary inside, or a folder that holds one of them (searched in this order).
            """)

    @Option(help: ArgumentHelp("Vocabulary: a file or a folder.", valueName: "path"))
    var tokenizer: String

    @Option(help: ArgumentHelp("Key of a record's text.", valueName: "key"))
    var textKey = "text"

    @Option(help: ArgumentHelp("Key of a record's id; the record's number where it is absent.", valueName: "key"))
    var idKey = "id"

    @Flag(help: "Add the special tokens that the vocabulary's own files ask for (BOS, EOS), with empty spans.")
    var addSpecialTokens = false

    @Flag(help: "Read strings like '<|im_end|>' in the text as text, not as the added tokens of that name.")
    var plainText = false

    @Option(help: ArgumentHelp("Tokens in one record of the tensor stream, about.", valueName: "n"))
    var batchTokens = 65536

    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Corpora; '-' or none is standard input.", valueName: "file"))
    var files: [String] = []

    func validate() throws {
        guard batchTokens >= 1 else { throw ValidationError("--batch-tokens must be at least 1") }
    }

    func run(_ context: Context) throws {
        let inputs = try context.inputs(files)
        let tokenizer = try Tokenizer.load(self.tokenizer)
        tokenizer.recognisesAddedTokens = !plainText
        let writer = try RecordWriter(
            output.open(), header: header(of: tokenizer, context), encoding: output.format)
        let progress = context.progress(unit: "tokens")
        var corpusTokenizer = CorpusTokenizer(tokenizer, addsSpecialTokens: addSpecialTokens)
        var batch = RecordBatch()
        for path in inputs {
            let corpus = CorpusReader(try ByteInput.open(path), textKey: textKey, idKey: idKey)
            while let document = try corpus.next() {
                corpusTokenizer.append(document, to: &batch)
                if batch.tokenCount >= batchTokens {
                    progress.advance(batch.tokenCount)
                    try writer.write(batch)
                    batch.removeAll()
                }
            }
        }
        if batch.documentCount > 0 { try writer.write(batch) }
        try writer.finish()
        progress.finish()
        context.note(summary(corpusTokenizer))
    }

    private func summary(_ done: CorpusTokenizer) -> String {
        var text = "\(done.documents) documents, \(done.bytes) bytes, \(done.tokens) tokens"
        if done.droppedBytes > 0 { text += ", \(done.droppedBytes) bytes that the vocabulary cannot express" }
        return text
    }

    private func header(of tokenizer: Tokenizer, _ context: Context) -> StreamHeader {
        var header = StreamHeader(.tokens)
        header["producer"] = context.producer
        header["tokenizer"] = context.provenance ? tokenizer.name : nil
        header["vocabulary_sha256"] = tokenizer.vocabularySHA256
        header["vocabulary_size"] = String(tokenizer.vocabularySize)
        header["special_tokens"] = addSpecialTokens ? "added" : "none"
        header["bos_id"] = tokenizer.bosID.map { String($0) }
        header["eos_id"] = tokenizer.eosID.map { String($0) }
        header["add_bos"] = String(tokenizer.addsBOS)
        header["add_eos"] = String(tokenizer.addsEOS)
        return header
    }
}
