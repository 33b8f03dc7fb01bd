// What a file is, by its first bytes: so that the wrong input is called by its name.

/// The kinds of input that people give by accident or on purpose.
public enum FileKind: Sendable {
    case empty
    /// Our own records in the tensor encoding.
    case tensorStream
    case safetensors, gguf, ggufSwapped, hdf5, zip, pickle
    case jsonObject, jsonArray
    case gzip, zstd, xz, bzip2, parquet, arrow
    /// The index of a Megatron token shard.
    case megatronIndex
    case lfsPointer, html, utf16, zeros
    case unknown

    /// How many first bytes `init(_:)` wants to see.
    public static let sniffed = 4096

    /// Recognises the first bytes of a file: `sniffed` of them, or all.
    public init(_ head: [UInt8]) {
        self = FileKind.magic(head) ?? FileKind.byText(head)
    }

    /// Recognises what comes next in an input, consuming nothing.
    ///
    /// Waits for no more bytes than it needs, so that a slow writer's first line is not held up.
    public init(_ input: ByteInput) throws {
        self.init(try input.peek(16))
        if case .safetensors = self { self.init(try input.peek(FileKind.sniffed)) }
    }

    /// The kind as words for "this is ...".
    public var title: String {
        switch self {
        case .empty: "an empty file"
        case .tensorStream: "a tensor stream"
        case .safetensors: "a safetensors file"
        case .gguf: "a GGUF file"
        case .ggufSwapped: "a GGUF file in the other byte order"
        case .hdf5: "an HDF5 file"
        case .zip: "a zip archive, perhaps a PyTorch checkpoint"
        case .pickle: "a Python pickle, perhaps a PyTorch checkpoint"
        case .jsonObject: "JSON or NDJSON"
        case .jsonArray: "a JSON array"
        case .gzip: "gzip data"
        case .zstd: "zstd data"
        case .xz: "xz data"
        case .bzip2: "bzip2 data"
        case .parquet: "a parquet file"
        case .arrow: "an Arrow file"
        case .megatronIndex: "the index of a Megatron token shard"
        case .lfsPointer: "a Git LFS pointer, not the file itself"
        case .html: "an HTML page"
        case .utf16: "UTF-16 text"
        case .zeros: "nothing but zero bytes"
        case .unknown: "data of an unknown kind"
        }
    }

    /// What to do about it, where that is known.
    public var hint: String? {
        switch self {
        case .tensorStream, .megatronIndex: "dump it with 'stream-cat'"
        case .gzip: "decompress it first: gzip -dc FILE | ..."
        case .zstd: "decompress it first: zstd -dc FILE | ..."
        case .xz: "decompress it first: xz -dc FILE | ..."
        case .bzip2: "decompress it first: bzip2 -dc FILE | ..."
        case .jsonArray: "one record a line is needed: jq -c '.[]' FILE | ..."
        case .utf16: "convert it first: iconv -f UTF-16 -t UTF-8 FILE | ..."
        case .lfsPointer: "fetch the file itself: git lfs pull"
        case .html: "the download gave a page, probably an error or a login, instead of the file"
        case .zip, .pickle: "convert it to safetensors: a pickle can run code and is never opened"
        case .zeros: "the file was not written to its end: fetch or make it again"
        case .parquet, .arrow: "convert it to NDJSON first, for example with duckdb or pyarrow"
        default: nil
        }
    }

    private static func magic(_ head: [UInt8]) -> FileKind? {
        if head.isEmpty { return .empty }
        let table: [([UInt8], FileKind)] = [
            ([0x1F, 0x8B], .gzip), ([0x28, 0xB5, 0x2F, 0xFD], .zstd), ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], .xz),
            (Array("BZh".utf8), .bzip2), (Array("PAR1".utf8), .parquet), (Array("ARROW1".utf8), .arrow),
            ([0xFF, 0xFF, 0xFF, 0xFF], .arrow), (Array("GGUF".utf8), .gguf), (Array("FUGG".utf8), .ggufSwapped),
            ([0x89, 0x48, 0x44, 0x46], .hdf5), ([0x50, 0x4B, 0x03, 0x04], .zip), ([0x80, 0x02], .pickle), ([0x80, 0x03], .pickle),
            ([0x80, 0x04], .pickle), ([0x80, 0x05], .pickle), ([0xFF, 0xFE], .utf16), ([0xFE, 0xFF], .utf16),
            (Array("version https://".utf8), .lfsPointer), (MegatronIndex.magic, .megatronIndex),
        ]
        // A safetensors header first: its length may begin with the bytes of any of these.
        if let kind = safetensors(head) { return kind }
        if let found = table.first(where: { head.starts(with: $0.0) }) { return found.1 }
        if head.count >= 4, head[1] == 0, head[3] == 0, head[0] != 0 || head[2] != 0 { return .utf16 }
        if head.count >= 4, head[0] == 0, head[2] == 0, head[1] != 0, head[3] != 0 { return .utf16 }
        return head.count >= 8 && head.allSatisfy { $0 == 0 } ? .zeros : nil
    }

    /// A length of a plausible header, then '{'; a stream's first record says `"kind":"header"`.
    private static func safetensors(_ head: [UInt8]) -> FileKind? {
        guard head.count > 8, head[8] == UInt8(ascii: "{") else { return nil }
        let length = head[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length >= 2, length <= SafetensorsHeader.longest else { return nil }
        let text = head[8...].filter { $0 != UInt8(ascii: " ") }
        let mark = Array("\"kind\":\"header\"".utf8)
        let found = text.count >= mark.count && (0...text.count - mark.count).contains { text[$0..<$0 + mark.count].elementsEqual(mark) }
        return found ? .tensorStream : .safetensors
    }

    /// Not every '<' opens a page: a list of pieces begins with "<unk>".
    private static func isMarkup(_ text: ArraySlice<UInt8>) -> Bool {
        let start = text.prefix(16).map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
        return ["<!doctype", "<html", "<head", "<body", "<!--", "<?xml"].contains { start.starts(with: $0.utf8) }
    }

    private static func byText(_ head: [UInt8]) -> FileKind {
        let text = head.starts(with: [0xEF, 0xBB, 0xBF]) ? head.dropFirst(3) : head[...]
        guard let first = text.first(where: { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }) else { return .unknown }
        switch first {
        case UInt8(ascii: "{"): return .jsonObject
        case UInt8(ascii: "["): return .jsonArray
        case UInt8(ascii: "<") where isMarkup(text.drop { $0 != first }): return .html
        default: return .unknown
        }
    }
}
