// The normalisers of a tokenizer.json: everything that rewrites text before it is cut into words.

/// One normaliser, or a sequence of them.
///
/// Text comes out as HF tokenizers 0.23.3 has it. Origins are those of `RewrittenText`: each step's stretches are the smallest that
/// change on their own, of what the steps before it left.
indirect enum Normaliser: Sendable {
    case form(NormalForm)
    case character(CharacterStep)
    case bert(BertCleaning)
    case prepend([UInt8])
    case replace(Replacement)
    case strip(Stripping)
    case charsmap(Charsmap)
    case byteLevel
    case sequence([Normaliser])

    /// True only if `apply` would change nothing. Seldom false where that is so. One pass, 8 bytes at a time over ASCII for normal forms.
    func leavesAlone(_ text: UnsafeRawBufferPointer) -> Bool {
        if text.isEmpty { return true }
        return switch self {
        case .form(let form): form.leavesAlone(text)
        case .character(let step): step.leavesAlone(text)
        case .bert(let cleaning): cleaning.steps.allSatisfy { $0.leavesAlone(text) }
        case .prepend(let bytes): bytes.isEmpty
        case .replace(let replacement): replacement.leavesAlone(text)
        case .strip(let stripping): stripping.leavesAlone(text)
        case .charsmap(let map): map.leavesAlone(text)
        case .byteLevel: ByteCharacters.leavesAlone(text)
        case .sequence(let members): members.allSatisfy { $0.leavesAlone(text) }
        }
    }

    /// Rewrites a text. Cost: linear, but for sorting the marks of one letter and what a pattern costs.
    func apply(_ text: inout RewrittenText) {
        switch self {
        case .form(let form): form.apply(&text)
        case .character(let step): step.apply(&text)
        case .bert(let cleaning): for step in cleaning.steps { step.apply(&text) }
        case .prepend(let bytes): Self.prepend(bytes, to: &text)
        case .replace(let replacement): replacement.apply(&text)
        case .strip(let stripping): stripping.apply(&text)
        case .charsmap(let map): map.apply(&text)
        case .byteLevel: ByteCharacters.apply(&text)
        case .sequence(let members): for member in members { member.apply(&text) }
        }
    }

    /// Puts bytes in front of a text that is not empty; they stand for nothing.
    private static func prepend(_ bytes: [UInt8], to text: inout RewrittenText) {
        guard text.count > 0, !bytes.isEmpty else { return }
        let source = text
        let start = Int(source.starts[0])
        text.removeAll()
        text.append(bytes, standingFor: start..<start)
        text.append(source, 0..<source.count)
    }
}

/// HF's BertNormalizer.
struct BertCleaning: Equatable, Sendable {
    /// Its steps in order.
    let steps: [Normaliser.Step]

    /// - stripsAccents: nil does as `lowercases` does.
    init(cleans: Bool, spacesIdeographs: Bool, stripsAccents: Bool?, lowercases: Bool) {
        var steps: [Normaliser.Step] = []
        if cleans { steps.append(.character(.bertClean)) }
        if spacesIdeographs { steps.append(.character(.bertIdeographs)) }
        if stripsAccents ?? lowercases { steps += [.form(.nfd), .character(.stripWidthlessMarks)] }
        if lowercases { steps.append(.character(.lowercase)) }
        self.steps = steps
    }
}

extension Normaliser {
    /// A step of a normaliser that is several.
    enum Step: Equatable, Sendable {
        case form(NormalForm)
        case character(CharacterStep)

        func leavesAlone(_ text: UnsafeRawBufferPointer) -> Bool {
            switch self {
            case .form(let form): form.leavesAlone(text)
            case .character(let step): step.leavesAlone(text)
            }
        }

        func apply(_ text: inout RewrittenText) {
            switch self {
            case .form(let form): form.apply(&text)
            case .character(let step): step.apply(&text)
            }
        }
    }
}
