// Sliding windows in config.json: one for all layers (Mistral), or for some (Qwen).
import Compute
import Streams

extension ConfigurationKey {
    /// Mistral's: null for none, absent for the class's own.
    static func slidingWindow(default fallback: Int) -> ConfigurationKey {
        ConfigurationKey(names: ["sliding_window"]) { keys, c in
            c.slidingWindow = keys.has("sliding_window") ? try keys.optionalSize("sliding_window") : fallback
        } write: { c, object in
            object.add("sliding_window") { json in if let window = c.slidingWindow { json.integer(window) } else { json.null() } }
        }
    }

    /// Qwen's: a switch, a window, and the layers in which it holds: listed in `layer_types`, or those from `max_window_layers` on.
    static let layeredWindow = ConfigurationKey(
        names: ["use_sliding_window", "sliding_window", "max_window_layers", "layer_types"]
    ) { keys, c in
        let used = try keys.flag("use_sliding_window", default: false)
        let window = keys.has("sliding_window") ? try keys.optionalSize("sliding_window") : 4096
        let first = try keys.count("max_window_layers", default: 28)
        let listed = try layerTypes(keys, layers: c.layers)
        guard used, let window else {
            if let listed, listed.contains(true) {
                throw keys.failure(
                    "key 'layer_types' names 'sliding_attention', but 'use_sliding_window' and 'sliding_window' give no window")
            }
            return
        }
        c.slidingWindow = window
        c.windowedLayers = listed ?? (0..<c.layers).map { $0 >= first }
    } write: { c, object in
        let windowed = c.slidingWindow == nil ? [Bool](repeating: false, count: c.layers) : c.windowedLayers
        let kinds = windowed ?? [Bool](repeating: true, count: c.layers)
        object.add("use_sliding_window") { $0.boolean(c.slidingWindow != nil) }
        object.add("sliding_window") { json in if let window = c.slidingWindow { json.integer(window) } else { json.null() } }
        object.add("max_window_layers") { $0.integer(kinds.firstIndex(of: true) ?? c.layers) }
        object.add("layer_types") { json in
            json.beginArray()
            for kind in kinds { json.string(kind ? "sliding_attention" : "full_attention") }
            json.endArray()
        }
    }

    private static func layerTypes(_ keys: ConfigurationKeys, layers: Int) throws -> [Bool]? {
        guard let list = keys.value("layer_types") else { return nil }
        guard list.kind == .array, list.count == layers else {
            throw keys.failure("key 'layer_types' must be an array with an entry for each of the \(layers) layers")
        }
        return try list.elements.map { kind in
            switch kind.string {
            case "full_attention": return false
            case "sliding_attention": return true
            default:
                throw keys.failure(
                    "key 'layer_types' names \(ConfigurationKeys.title(kind)); 'full_attention' and 'sliding_attention' are supported")
            }
        }
    }
}
