// A model with what its files say about it.
import Compute
import Streams

/// A model opened from files.
public struct LoadedModel {
    public let model: Model
    /// The path as the user named it.
    public let name: String
    /// The id that opens a text; nil when the model's files name none.
    public let bosID: UInt32?
    /// The ids at which a text that is generated ends; the first is the one that closes a text.
    public let eosIDs: [UInt32]
    /// Whether the model's tokenizer puts the BOS id in front of a text; nil when its files do not tell.
    public let addsBOS: Bool?
    /// What is odd about the files and does no harm, for those who want to know.
    public var remarks: [String] = []
    let files: WeightFiles

    /// The id that closes a text; nil when the model's files name none.
    public var eosID: UInt32? { eosIDs.first }
    /// Positions that the model was made for.
    public var maximumPositions: Int { model.configuration.maximumPositions }
    /// Positions read at once where nobody says: all of those, or for a model without positions what published ones were trained with.
    public var defaultWindow: Int { model.configuration.defaultWindow }

    /// The SHA-256 of the weights, in hexadecimal: of the one file, or of the index followed by its shards in the order of their names
    /// (`cat model.safetensors.index.json model-*.safetensors | sha256sum`).
    ///
    /// Computed when first asked for: one pass over the files.
    public var sha256: String { files.sha256 }

    /// Throws `Failure.badData` when one of the files was written to or cut short since the model was opened: what was computed with it
    /// since then may be wrong. Cost: a system call a file.
    public func checkUnchanged() throws {
        for map in files.maps { try map.checkUnchanged() }
    }
}

extension ModelConfiguration {
    /// Positions to read at once where nobody says: `LoadedModel.defaultWindow`.
    public var defaultWindow: Int { stateSpace == nil ? maximumPositions : min(2048, maximumPositions) }
}

/// The files whose bytes are a model's weights, in the order in which they are hashed.
final class WeightFiles {
    let maps: [MappedFile]

    init(_ maps: [MappedFile]) { self.maps = maps }

    private(set) lazy var sha256: String = {
        var hash = SHA256()
        for map in maps { hash.update(map.bytes) }
        return hexadecimal(hash.finish())
    }()
}

/// The ids that a model's files give to the ends of a text.
struct EndIDs: Equatable {
    var bos: UInt32?
    /// The first is the one that closes a text; generation stops at any.
    var eosIDs: [UInt32] = []
    /// The id that fills batches of others; nothing here uses it.
    var padding: UInt32?

    var eos: UInt32? { eosIDs.first }
}
