// Whether a document is led by BOS or closed by EOS: by the vocabulary's own files, or forced.

/// When a beginning- or end-of-sequence token is added around a document.
public enum SpecialTokenPolicy: String, CaseIterable, Sendable {
    /// As the model's or the vocabulary's own files say.
    case auto
    case always
    case never

    /// The id to add, nil for none.
    ///
    /// - id: the token's id, nil where the files name none. - asked: whether the files ask for it.
    /// - Throws: 65 when it is forced but the files name none.
    public func resolve(id: UInt32?, asked: Bool, token: String, subject: String) throws -> UInt32? {
        switch self {
        case .never: return nil
        case .auto: return asked ? id : nil
        case .always:
            guard let id else {
                throw Failure(.badData, subject, .whole, "names no \(token) token, so none can be added")
            }
            return id
        }
    }
}
