// The header of a safetensors document: u64 length (little-endian), JSON of that length, then the tensors' bytes.
//
//     {"__metadata__": {string: string, ...}, name: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
//
// Offsets count from the first byte after the JSON. Source: https://github.com/huggingface/safetensors (README, "Format").

/// Reads and writes the JSON header that files and stream records share.
public enum SafetensorsHeader {
    /// The longest header accepted, as in the reference implementation.
    public static let longest = 100_000_000
    /// The most dimensions of a tensor.
    public static let highestRank = 64
    /// The most objects and the most commas in a header: bounds for memory, far past any model.
    static let mostObjects = 1 << 18
    static let mostCommas = 1 << 22

    public typealias Contents = (metadata: [(String, String)], tensors: [TensorEntry])

    /// Checks and reads a header.
    ///
    /// - `json`: the header's bytes after its length. `base`: the offset of its first byte in `name`; ranges are offsets in `name` as well.
    /// - `dataBytes`: how many bytes follow the header, or nil when only the header tells.
    ///
    /// The tensors come in the order of their bytes. They must cover the data from its first byte to its last without a gap or an overlap;
    /// names are unique; types are known; ranks are at most 64; no product overflows. Throws `Failure.badData` with the byte at which the
    /// entry of what is wrong begins, or at which the data ends.
    public static func parse(_ json: UnsafeRawBufferPointer, dataBytes: Int?, name: String, base: Int) throws -> Contents {
        let reader = HeaderReader(json: json, name: name, base: base)
        try reader.checkSize()
        let root: JSONValue
        do { root = try JSONValue.parse(json, name: name, base: base) } catch let failure as Failure {
            if case .lineByte(_, let byte) = failure.place {
                throw Failure(.badData, name, .byte(byte), "safetensors header: \(failure.message)")
            }
            throw failure
        }
        var metadata: [(String, String)] = []
        var tensors: [TensorEntry] = []
        tensors.reserveCapacity(root.count)
        try root.forEachEntry { key, value in
            if key.elementsEqual("__metadata__".utf8) {
                metadata = try reader.metadata(value)
            } else {
                tensors.append(try reader.tensor(String(decoding: key, as: UTF8.self), value))
            }
        }
        tensors.sort { ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound) }
        try reader.checkCover(tensors, dataBytes: dataBytes)
        return (metadata, tensors)
    }

    /// The bytes of a header, length included, padded with spaces so that the data starts at a multiple of `alignment` (and the length
    /// counts the padding). Offsets follow from the order of `tensors`.
    public static func bytes(
        metadata: [(String, String)], tensors: [(name: String, type: ElementType, shape: [Int])], alignment: Int = 8
    ) -> [UInt8] {
        var json = JSONText()
        json.beginObject()
        if !metadata.isEmpty {
            json.key("__metadata__")
            json.beginObject()
            for (key, value) in metadata {
                json.key(key)
                json.string(value)
            }
            json.endObject()
        }
        var offset = 0
        for tensor in tensors {
            json.key(tensor.name)
            json.beginObject()
            json.key("dtype")
            json.string(tensor.type.rawValue)
            json.key("shape")
            json.beginArray()
            for dimension in tensor.shape { json.integer(dimension) }
            json.endArray()
            json.key("data_offsets")
            json.beginArray()
            json.integer(offset)
            offset += tensor.shape.reduce(tensor.type.size, *)
            json.integer(offset)
            json.endArray()
            json.endObject()
        }
        json.endObject()
        let padding = (alignment - (8 + json.bytes.count) % alignment) % alignment
        var bytes = withUnsafeBytes(of: UInt64(json.bytes.count + padding).littleEndian) { Array($0) }
        bytes.append(contentsOf: json.bytes)
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
        return bytes
    }
}

/// The checks of one header, with what their messages need.
private struct HeaderReader {
    let json: UnsafeRawBufferPointer
    let name: String
    /// Offset of the JSON.
    let base: Int
    /// Offset of the first data byte.
    var data: Int { base + json.count }

    /// At the entry of `key`, where one is told.
    func failure(_ message: String, in key: String? = nil, hint: String? = nil) -> Failure {
        Failure(.badData, name, .byte(key.map(place) ?? base), "safetensors header: \(message)", hint: hint)
    }

    /// The offset of the entry of `key`: of the quote in front of it. The JSON's own where it is not found, as in very deep nesting.
    private func place(of key: String) -> Int {
        var scanner = JSONScanner(json, wideIntegers: true)
        do {
            try scanner.beginObject(uniqueKeys: false)
            while true {
                let before = scanner.position
                guard let found = try scanner.nextKey() else { return base }
                if found.elementsEqual(key.utf8) { return base + (json[before...].firstIndex(of: UInt8(ascii: "\"")) ?? 0) }
                try scanner.skipValue()
            }
        } catch {
            return base
        }
    }

    func checkSize() throws {
        guard json.first == UInt8(ascii: "{") else { throw failure("expected '{' as its first byte") }
        guard json.count <= SafetensorsHeader.longest else { throw failure("longer than \(SafetensorsHeader.longest) bytes") }
        var objects = 0
        var commas = 0
        for byte in json {
            if byte == UInt8(ascii: "{") { objects += 1 }
            if byte == UInt8(ascii: ",") { commas += 1 }
        }
        guard objects <= SafetensorsHeader.mostObjects else { throw failure("more than \(SafetensorsHeader.mostObjects) objects") }
        guard commas <= SafetensorsHeader.mostCommas else { throw failure("more than \(SafetensorsHeader.mostCommas) values") }
    }

    func metadata(_ value: JSONValue) throws -> [(String, String)] {
        if value.isNull { return [] }
        guard value.kind == .object else { throw failure("'__metadata__' must be an object of strings", in: "__metadata__") }
        return try value.entries.map { key, value in
            guard let text = value.string else {
                throw failure("'__metadata__' entry '\(printable(key))' must be a string", in: "__metadata__")
            }
            return (String(decoding: key, as: UTF8.self), text)
        }
    }

    func tensor(_ tensor: String, _ value: JSONValue) throws -> TensorEntry {
        func failure(_ message: String, hint: String? = nil) -> Failure {
            self.failure("tensor '\(printable(tensor))': \(message)", in: tensor, hint: hint)
        }
        guard value.kind == .object else { throw failure("its entry must be an object") }
        try value.forEachEntry { key, _ in
            guard ["dtype", "shape", "data_offsets"].contains(where: { key.elementsEqual($0.utf8) }) else {
                throw failure("unknown field '\(printable(key))'")
            }
        }
        guard let dtype = value["dtype"]?.string else { throw failure("field 'dtype' must be a string") }
        guard let type = ElementType(rawValue: dtype) else {
            let known = ElementType.allCases.map(\.rawValue).joined(separator: " ")
            throw failure("unknown type '\(printable(dtype))'", hint: "this program reads \(known)")
        }
        let shape = try sizes(value["shape"], "shape") { failure($0) }
        guard shape.count <= SafetensorsHeader.highestRank else {
            throw failure("\(shape.count) dimensions, more than \(SafetensorsHeader.highestRank)")
        }
        var bytes = type.size
        for dimension in shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            guard !overflow else { throw failure("shape \(shape) overflows") }
            bytes = product
        }
        let offsets = try sizes(value["data_offsets"], "data_offsets") { failure($0) }
        guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= Int.max - data else {
            throw failure("field 'data_offsets' must be [begin, end], begin <= end")
        }
        guard offsets[1] - offsets[0] == bytes else {
            throw failure("\(type.rawValue) \(shape) takes \(bytes) bytes, but 'data_offsets' span \(offsets[1] - offsets[0])")
        }
        return TensorEntry(name: tensor, type: type, shape: shape, range: data + offsets[0]..<data + offsets[1])
    }

    private func sizes(_ value: JSONValue?, _ field: String, _ failure: (String) -> Failure) throws -> [Int] {
        guard let value, value.kind == .array else { throw failure("field '\(field)' must be an array of integers") }
        return try value.elements.map { element in
            guard let size = element.integer, size >= 0 else { throw failure("field '\(field)' must hold integers from 0 up") }
            return size
        }
    }

    func checkCover(_ tensors: [TensorEntry], dataBytes: Int?) throws {
        var end = data
        for tensor in tensors {
            let title = "tensor '\(printable(tensor.name))'"
            guard tensor.range.lowerBound <= end else {
                throw failure(
                    "\(title) starts at data byte \(tensor.range.lowerBound - data), expected \(end - data): a gap", in: tensor.name)
            }
            guard tensor.range.lowerBound == end else { throw failure("\(title) overlaps the tensor before it", in: tensor.name) }
            end = tensor.range.upperBound
        }
        if let dataBytes, end - data != dataBytes {
            // Where the file ends too early, or where the tensors do.
            throw Failure(
                .badData, name, .byte(min(end, data + dataBytes)),
                "safetensors header: the tensors take \(end - data) bytes, but \(dataBytes) follow the header",
                hint: end - data > dataBytes ? "the file is cut short: the download may not have finished" : nil)
        }
    }
}
