// tokenize: NDJSON text in, token records with byte offsets out, and back.

import ArgumentParser
import Command
import Streams
import Text

@main
struct Tokenize: Tool {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Turn NDJSON text into token records with byte offsets, and back.",
        discussion: """
            Reads {"id":…,"text":…} records, one a line, and writes the token ids of each text with the half-open byte \
            span that each token stands for. The vocabulary is a Hugging Face tokenizer.json, a SentencePiece .model, \
            a .tiktoken or tekken.json, a .gguf with its vocabulary inside, or a folder that holds one of them (the manual page \
            has the order in which it is searched). With --decode it reads token records and writes {"id":…,"text":…}.
            """)

    @Option(help: ArgumentHelp("Vocabulary: a file or a folder.", valueName: "path"), completion: .file())
    var tokenizer: String

    @Option(help: ArgumentHelp("Key of a record's text.", valueName: "key"))
    var textKey = "text"

    @Option(help: ArgumentHelp("Key of a record's id; the record's number where it is absent.", valueName: "key"))
    var idKey = "id"

    @Flag(help: "Add the special tokens that the vocabulary's own files ask for (BOS, EOS), with empty spans.")
    var addSpecialTokens = false

    @Flag(help: "Read strings like '<|im_end|>' in the text as text, not as the added tokens of that name.")
    var plainText = false

    @Option(
        help: ArgumentHelp(
            "Join the documents and cut them into chunks of so many tokens, without offsets (default: documents stay whole).",
            valueName: "length"))
    var pack: Int?

    @Option(help: ArgumentHelp("Token behind each document of a chunk: eos (the vocabulary's), none, or an id.", valueName: "token"))
    var separator = Separator.eos

    @Flag(help: "Turn token records back into text records.")
    var decode = false

    @Flag(help: "With --decode: write U+FFFD for bytes that make up no character, instead of refusing them.")
    var lossy = false

    @Option(help: ArgumentHelp("Tokens in one record of the tensor stream, about.", valueName: "n"))
    var batchTokens = 65536

    @OptionGroup var reject: RejectOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var common: CommonOptions

    @Argument(help: ArgumentHelp("Corpora; '-' or none is standard input.", valueName: "file"), completion: .file())
    var files: [String] = []

    func validate() throws {
        guard batchTokens >= 1 else { throw ValidationError("--batch-tokens must be at least 1") }
        if let pack, pack < 1 { throw ValidationError("--pack must be at least 1") }
        if pack == nil && separator != .eos { throw ValidationError("--separator is for --pack") }
        if lossy && !decode { throw ValidationError("--lossy is for --decode") }
        if decode && (pack != nil || addSpecialTokens || plainText || reject.onError == .skip) {
            throw ValidationError("--decode takes none of --pack, --add-special-tokens, --plain-text and --on-error skip")
        }
    }

    func run(_ context: Context) throws {
        let inputs = try context.inputs(files)
        let tokenizer = try Tokenizer.load(self.tokenizer)
        tokenizer.recognisesAddedTokens = !plainText
        if decode {
            try Decoding(self, tokenizer, context).run(inputs)
        } else {
            try Encoding(self, tokenizer, context).run(inputs)
        }
    }
}

/// What stands behind each document of packed chunks: `--separator`.
enum Separator: Equatable, ExpressibleByArgument {
    case eos, none
    case id(UInt32)

    init?(argument: String) {
        switch argument {
        case "eos": self = .eos
        case "none": self = .none
        default:
            guard let id = UInt32(argument), argument.utf8.first != UInt8(ascii: "+") else { return nil }
            self = .id(id)
        }
    }

    var defaultValueDescription: String {
        switch self {
        case .eos: "eos"
        case .none: "none"
        case .id(let id): String(id)
        }
    }
}
