// The one pass that reads and checks the metadata and the tensor table of a GGUF file.

/// Reads a GGUF file front to back. Its limits are those of the reference, or tighter where a larger figure can only be an attack.
struct GGUFReader {
    static let longestKey = 65_535
    static let longestTensorName = 63
    static let mostDimensions = 4
    static let largestAlignment = 1 << 20
    private static let alignmentKey = Array("general.alignment".utf8)
    /// The fewest bytes of a metadata entry (length, one byte of key, type, one byte) and of a tensor (length, one byte of name,
    /// no dimensions, type, offset).
    static let smallestEntry = 8 + 1 + 4 + 1
    static let smallestTensor = 8 + 1 + 4 + 4 + 8

    let map: MappedFile
    private var cursor: ByteCursor
    private(set) var version: UInt32 = 0
    private(set) var keys: [String] = []
    private(set) var values: [[UInt8]: (value: GGUFValue, place: Int)] = [:]
    private(set) var tensors: [GGUFTensor] = []
    private(set) var places: [[UInt8]: Int] = [:]
    private(set) var trailingBytes = 0

    init(_ map: MappedFile) {
        self.map = map
        cursor = ByteCursor(map.bytes, name: map.name)
    }

    mutating func readAll() throws {
        try readVersion()
        let tensorCount = try count("tensors", smallest: GGUFReader.smallestTensor)
        let entryCount = try count("metadata entries", smallest: GGUFReader.smallestEntry)
        keys.reserveCapacity(entryCount)
        values.reserveCapacity(entryCount)
        for _ in 0..<entryCount { try readEntry() }
        try checkSplit()
        let alignment = try readAlignment()
        let declared = try readTensorTable(tensorCount)
        try place(declared, alignment)
    }

    private mutating func readVersion() throws {
        guard map.bytes.starts(with: "GGUF".utf8) else {
            if map.bytes.starts(with: "FUGG".utf8) { throw cursor.failure("a GGUF file in the other byte order") }
            let kind = FileKind(Array(map.bytes.prefix(FileKind.sniffed)))
            throw cursor.failure("not a GGUF file: this is \(kind.title)", hint: kind.hint)
        }
        cursor.offset = 4
        version = try cursor.u32("the version")
        if version != 0, version & 0xFFFF == 0 {
            throw cursor.failure(
                "GGUF version \(version.byteSwapped) in the other byte order: this is a big-endian file", at: 4,
                hint: "convert it for little-endian machines")
        }
        guard version == 2 || version == 3 else {
            throw cursor.failure(
                "GGUF version \(version) is not supported; versions 2 and 3 are", at: 4,
                hint: version == 1 ? "convert the model again with a newer llama.cpp" : nil)
        }
    }

    /// A number of things that take at least `smallest` bytes each.
    private mutating func count(_ what: String, smallest: Int) throws -> Int {
        let place = cursor.place
        let count = try cursor.u64("a count")
        guard count <= UInt64(cursor.remaining / smallest) else {
            throw cursor.failure("\(count) \(what) cannot stand in the \(cursor.remaining) bytes that follow", at: place)
        }
        return Int(count)
    }

    // MARK: Metadata

    private mutating func readEntry() throws {
        let place = cursor.place
        let key = try readName("key", longest: GGUFReader.longestKey)
        let code = try cursor.u32("a value's type")
        guard let type = GGUFValueType(rawValue: code) else {
            throw cursor.failure("key '\(printable(key))': unknown value type \(code)", at: cursor.place - 4)
        }
        // As its other readers: numbers elsewhere may have any width, this one may not.
        guard type == .uint32 || !key.elementsEqual(Self.alignmentKey) else {
            throw cursor.failure("key 'general.alignment' must be a uint32, found the type \(type.name)", at: place)
        }
        let value = try readValue(type, key)
        guard values.updateValue((value, place), forKey: [UInt8](key)) == nil else {
            throw cursor.failure("key '\(printable(key))' occurs twice", at: place)
        }
        keys.append(String(decoding: key, as: UTF8.self))
    }

    /// A key or a tensor's name: not empty, UTF-8, without NUL.
    private mutating func readName(_ what: String, longest: Int) throws -> UnsafeRawBufferPointer {
        let place = cursor.place
        let length = try cursor.u64("a name's length")
        guard length > 0 else { throw cursor.failure("an empty \(what)", at: place) }
        guard length <= UInt64(longest) else { throw cursor.failure("a \(what) of \(length) bytes; the most is \(longest)", at: place) }
        let name = try cursor.bytes(length, "a name")
        if let bad = firstInvalidUTF8(name) { throw cursor.failure("\(what) '\(printable(name))' is not UTF-8", at: place + 8 + bad) }
        if name.contains(0) { throw cursor.failure("\(what) '\(printable(name))' holds a NUL byte", at: place + 8) }
        return name
    }

    private mutating func readValue(_ type: GGUFValueType, _ key: UnsafeRawBufferPointer) throws -> GGUFValue {
        switch type {
        case .uint8: return .unsigned(UInt64(try cursor.u8()))
        case .uint16: return .unsigned(UInt64(try cursor.u16()))
        case .uint32: return .unsigned(UInt64(try cursor.u32()))
        case .uint64: return .unsigned(try cursor.u64())
        case .int8: return .signed(Int64(try cursor.i8()))
        case .int16: return .signed(Int64(try cursor.i16()))
        case .int32: return .signed(Int64(try cursor.i32()))
        case .int64: return .signed(try cursor.i64())
        case .float32: return .real(Double(try cursor.f32()))
        case .float64: return .real(try cursor.f64())
        case .bool: return .boolean(try readBoolean(key))
        case .string: return .string([UInt8](try readString(key)))
        case .array: return .array(try readArray(key))
        }
    }

    private mutating func readBoolean(_ key: UnsafeRawBufferPointer) throws -> Bool {
        let byte = try cursor.u8("a boolean")
        guard byte <= 1 else { throw cursor.failure("key '\(printable(key))': a boolean of value \(byte)", at: cursor.place - 1) }
        return byte == 1
    }

    private mutating func readString(_ key: UnsafeRawBufferPointer) throws -> UnsafeRawBufferPointer {
        let place = cursor.place
        let length = try cursor.u64("a string's length")
        guard length <= UInt64(cursor.remaining) else {
            throw cursor.failure("key '\(printable(key))': a string of \(length) bytes, but \(cursor.remaining) are left", at: place)
        }
        return try cursor.bytes(length)
    }

    private mutating func readArray(_ key: UnsafeRawBufferPointer) throws -> GGUFArray {
        let place = cursor.place
        let title = "key '\(printable(key))'"
        let code = try cursor.u32("an array's type")
        guard let type = GGUFValueType(rawValue: code) else {
            throw cursor.failure("\(title): an array of unknown type \(code)", at: place)
        }
        guard type != .array else { throw cursor.failure("\(title): arrays of arrays are not supported", at: place) }
        let count = try cursor.u64("an array's length")
        // A string takes at least its length.
        let smallest = UInt64(type.size ?? 8)
        guard let bytes = extent(count: count, unit: smallest), bytes <= UInt64(cursor.remaining) else {
            throw cursor.failure(
                "\(title): an array of \(count) \(type.name) cannot stand in the \(cursor.remaining) bytes left", at: place)
        }
        let start = cursor.offset
        if type == .string {
            for _ in 0..<count { _ = try readString(key) }
        } else if type == .bool {
            for _ in 0..<count { _ = try readBoolean(key) }
        } else {
            try cursor.skip(bytes)
        }
        return GGUFArray(type: type, count: Int(count), range: start..<cursor.offset, map: map)
    }

    private func checkSplit() throws {
        guard let (value, place) = values[Array("split.count".utf8)] else { return }
        guard let count = value.integer else {
            throw cursor.failure("key 'split.count' must be an integer, found \(value.kind)", at: place)
        }
        guard count <= 1 else {
            throw cursor.failure(
                "one of \(count) parts of a split model, which are not read", at: place, hint: "join them first: llama-gguf-split --merge")
        }
    }

    private func readAlignment() throws -> UInt64 {
        guard case (.unsigned(let alignment), let place)? = values[Self.alignmentKey] else { return 32 }
        guard alignment > 0, alignment & (alignment - 1) == 0, alignment <= GGUFReader.largestAlignment else {
            throw cursor.failure(
                "key 'general.alignment' must be a power of two up to \(GGUFReader.largestAlignment), found \(alignment)", at: place)
        }
        return alignment
    }

    // MARK: Tensors

    /// A tensor as its table entry tells it, before its bytes are known to exist.
    private struct Declared {
        var name: UnsafeRawBufferPointer
        var type: GGUFTensorType
        var shape: [Int]
        var bytes: UInt64
        var offset: UInt64
        var place: Int
    }

    private mutating func readTensorTable(_ count: Int) throws -> [Declared] {
        var table: [Declared] = []
        table.reserveCapacity(count)
        places.reserveCapacity(count)
        for index in 0..<count {
            let tensor = try readTensor()
            guard places.updateValue(index, forKey: [UInt8](tensor.name)) == nil else {
                throw cursor.failure("tensor '\(printable(tensor.name))' occurs twice", at: tensor.place)
            }
            table.append(tensor)
        }
        return table
    }

    private mutating func readTensor() throws -> Declared {
        let place = cursor.place
        let name = try readName("tensor name", longest: GGUFReader.longestTensorName)
        let title = "tensor '\(printable(name))'"
        let rank = try cursor.u32("a tensor's number of dimensions")
        guard rank <= GGUFReader.mostDimensions else {
            throw cursor.failure("\(title): \(rank) dimensions; the most is \(GGUFReader.mostDimensions)", at: cursor.place - 4)
        }
        var dimensions: [UInt64] = []
        for _ in 0..<rank { dimensions.append(try cursor.u64("a dimension")) }
        let code = try cursor.u32("a tensor's type")
        guard let type = GGUFTensorType(rawValue: code) else {
            throw cursor.failure("\(title): unknown type \(code)", at: cursor.place - 4)
        }
        let offset = try cursor.u64("a tensor's offset")
        guard let elements = elementCount(dimensions), elements <= UInt64(Int64.max), dimensions.allSatisfy({ $0 <= UInt64(Int64.max) })
        else {
            throw cursor.failure("\(title): dimensions \(dimensions) overflow", at: place)
        }
        guard (dimensions.first ?? 1) % UInt64(type.blockElements) == 0 else {
            throw cursor.failure(
                "\(title): rows of \(dimensions.first ?? 1) elements are not whole \(type.name) blocks of \(type.blockElements)", at: place)
        }
        guard let bytes = extent(count: elements, unit: UInt64(type.blockBytes), per: UInt64(type.blockElements)) else {
            throw cursor.failure("\(title): \(elements) elements of \(type.name) overflow", at: place)
        }
        return Declared(name: name, type: type, shape: dimensions.reversed().map { Int($0) }, bytes: bytes, offset: offset, place: place)
    }

    /// Gives every tensor its bytes: each must begin where the one before ends, padding counted, and end inside the file.
    private mutating func place(_ table: [Declared], _ alignment: UInt64) throws {
        guard !table.isEmpty else { return }
        guard let start = extent(count: UInt64(cursor.offset), unit: 1, alignment: alignment), start <= UInt64(map.bytes.count) else {
            throw cursor.failure("the file ends before its tensors' data")
        }
        let available = UInt64(map.bytes.count) - start
        var expected: UInt64 = 0
        tensors.reserveCapacity(table.count)
        for entry in table {
            let title = "tensor '\(printable(entry.name))'"
            guard entry.offset == expected else {
                throw cursor.failure(
                    "\(title) has offset \(entry.offset), expected \(expected): tensors must follow each other at multiples of \(alignment)",
                    at: entry.place)
            }
            // The padding of the last tensor may be absent.
            guard expected <= available, entry.bytes <= available - expected else {
                throw cursor.failure(
                    "\(title) takes data bytes \(expected) to \(expected) + \(entry.bytes), but the file holds \(available): it is cut short",
                    at: entry.place, hint: Failure.cutHint)
            }
            let begin = Int(start + expected)
            tensors.append(
                GGUFTensor(
                    name: String(decoding: entry.name, as: UTF8.self), type: entry.type, shape: entry.shape,
                    range: begin..<begin + Int(entry.bytes)))
            guard let padded = extent(count: entry.bytes, unit: 1, alignment: alignment) else {
                throw cursor.failure("\(title): \(entry.bytes) bytes overflow", at: entry.place)
            }
            expected += padded
        }
        trailingBytes = Int(max(available, expected) - expected)
    }
}
