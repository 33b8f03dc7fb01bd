// Normalisers that look at one character at a time: lower case, marks, control characters, BERT's steps, byte characters.

/// What becomes of a character.
enum CharacterEdit: Equatable {
    case keep
    case remove
    case write(UInt32)
    case writeTwo(UInt32, UInt32)
    /// A space on either side.
    case space
}

/// A step that goes by single characters.
enum CharacterStep: Equatable, Sendable {
    case lowercase
    /// StripAccents: removes all marks.
    case stripAccents
    /// BERT's strip_accents, once the text is in NFD.
    case stripWidthlessMarks
    case nmt
    case bertClean
    case bertIdeographs

    func edit(_ code: UInt32) -> CharacterEdit {
        switch self {
        case .lowercase:
            if code < 0x80 { return code >= 0x41 && code <= 0x5A ? .write(code | 0x20) : .keep }
            guard let lower = LowerCase.of(code) else { return .keep }
            return code == LowerCase.dottedI ? .writeTwo(lower, LowerCase.dotAbove) : .write(lower)
        case .stripAccents: return CharacterClasses.of(code).contains(.mark) ? .remove : .keep
        case .stripWidthlessMarks: return CharacterClasses.of(code).contains(.accent) ? .remove : .keep
        case .nmt: return Self.nmt(code)
        case .bertClean:
            let classes = CharacterClasses.of(code)
            if classes.contains(.removed) { return .remove }
            return classes.contains(.space) && code != 0x20 ? .write(0x20) : .keep
        case .bertIdeographs: return CharacterClasses.of(code).contains(.ideograph) ? .space : .keep
        }
    }

    /// Control characters go; what stands for white space or for nothing becomes a space.
    private static func nmt(_ code: UInt32) -> CharacterEdit {
        switch code {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: .remove
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: .write(0x20)
        default: .keep
        }
    }

    func leavesAlone(_ text: UnsafeRawBufferPointer) -> Bool {
        var at = 0
        while at < text.count {
            let (code, length) = decodeScalar(text, at)
            if edit(code) != .keep { return false }
            at += length
        }
        return true
    }

    /// Each character that changes is a stretch of its own; a space put beside a character stands for nothing.
    func apply(_ text: inout RewrittenText) {
        let source = text
        var result = RewrittenText()
        var scratch: [UInt8] = []
        var copied = 0
        source.bytes.withUnsafeBytes { bytes in
            var at = 0
            while at < bytes.count {
                let (code, length) = decodeScalar(bytes, at)
                let edit = edit(code)
                defer { at += length }
                if edit == .keep { continue }
                result.append(source, copied..<at)
                copied = at + length
                let origin = source.origin(at..<copied)
                scratch.removeAll(keepingCapacity: true)
                switch edit {
                case .keep, .remove: break
                case .write(let other): appendScalar(other, to: &scratch)
                case .writeTwo(let first, let second):
                    appendScalar(first, to: &scratch)
                    appendScalar(second, to: &scratch)
                case .space:
                    result.append(CollectionOfOne(0x20), standingFor: origin.lowerBound..<origin.lowerBound)
                    result.append(source, at..<copied)
                    result.append(CollectionOfOne(0x20), standingFor: origin.upperBound..<origin.upperBound)
                }
                result.append(scratch, standingFor: origin)
            }
        }
        guard copied > 0 else { return }
        result.append(source, copied..<source.count)
        text = result
    }
}

/// Every byte as the character that stands for it in byte-level vocabularies.
enum ByteCharacters {
    static func apply(_ text: inout RewrittenText) {
        let source = text
        var result = RewrittenText()
        var scratch: [UInt8] = []
        for (at, byte) in source.bytes.enumerated() {
            scratch.removeAll(keepingCapacity: true)
            appendScalar(ByteAlphabet.codes[Int(byte)], to: &scratch)
            if scratch.count == 1 && scratch[0] == byte {
                result.append(source, at..<(at + 1))
            } else {
                result.append(scratch, standingFor: source.origin(at..<(at + 1)))
            }
        }
        text = result
    }

    static func leavesAlone(_ text: UnsafeRawBufferPointer) -> Bool {
        text.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }
}
