// How tensors lie in files: several of a model's in one, transposed, or with their rows in another order.
import Compute

/// A tensor as files of a family name it, and which of the model's tensors it holds.
struct StoredName: Sendable {
    /// Its name, `#` for the block's number; the first is written, the others are read too.
    let names: [String]
    /// The model's tensors in it, in the order of their rows.
    let roles: [TensorRole]
    let layout: Layout

    enum Layout: Sendable {
        /// Rows of one tensor after those of the other.
        case rows
        /// The rows of one head of each, then those of the next head (GPT-NeoX's query_key_value).
        case heads
        /// Transposed: (inputs, outputs), outputs of one after those of the other (GPT-2's Conv1D).
        case columns
        /// (rows, 1, columns), as torch stores the kernels of a depthwise convolution.
        case kernels
        /// Rows i and i + D/2 of a head side by side, as llama.cpp's rotary embedding wants them.
        ///
        /// Source: llama.cpp, convert_hf_to_gguf.py, LlamaModel.permute.
        case pairs
        /// −exp of the model's values, as llama.cpp stores a state space's rates.
        case negativeExponential
    }

    init(_ name: String, or others: [String] = [], _ roles: TensorRole..., layout: Layout = .rows) {
        names = [name] + others
        self.roles = roles
        self.layout = layout
    }

    private init(names: [String], roles: [TensorRole], layout: Layout) {
        self.names = names
        self.roles = roles
        self.layout = layout
    }

    /// The tensors of a block and around it under the model's own names, which are those of Hugging Face's Llama.
    static func own(_ roles: [TensorRole]) -> [StoredName] {
        roles.map { role in
            let isAround = role.rawValue.utf8.starts(with: "model.".utf8) || role == .head
            return StoredName(names: [isAround ? role.rawValue : "model.layers.#." + role.rawValue], roles: [role], layout: .rows)
        }
    }

    /// A pair of tensors `stem.weight` and `stem.bias`.
    static func pair(_ stem: String, _ weight: TensorRole, _ bias: TensorRole, layout: Layout = .rows) -> [StoredName] {
        // A transposed matrix has an ordinary bias.
        let biasLayout = layout == .columns ? Layout.rows : layout
        return [
            StoredName(names: [stem + ".weight"], roles: [weight], layout: layout),
            StoredName(names: [stem + ".bias"], roles: [bias], layout: biasLayout),
        ]
    }

    /// The same with other spellings of the whole name: the name without `prefix`.
    func alsoWithout(_ prefix: String) -> StoredName {
        let short = names.filter { $0.utf8.starts(with: prefix.utf8) }.map { String($0.dropFirst(prefix.count)) }
        return StoredName(names: names + short, roles: roles, layout: layout)
    }

    /// `#` replaced by the block's number.
    static func numbered(_ name: String, _ layer: Int?) -> String {
        guard let layer, let mark = name.firstIndex(of: "#") else { return name }
        return name[..<mark] + String(layer) + name[name.index(after: mark)...]
    }
}

/// A stored tensor of one block of one model: its parts and its shape.
struct StoredLayout {
    let stored: StoredName
    let layer: Int?
    /// The model's tensors in it.
    let parts: [TensorShape]
    /// Rows of a head of each part; 0 where rows have no heads.
    let headWidth: Int

    /// The spellings of its name, the one that is written first.
    var names: [String] { stored.names.map { StoredName.numbered($0, layer) } }

    /// The shape in a file.
    var shape: [Int] {
        let rows = parts.reduce(0) { $0 + $1.shape[0] }
        let rest = Array(parts[0].shape.dropFirst())
        switch stored.layout {
        case .columns: return rest + [rows]
        case .kernels: return [rows, 1] + rest
        case .rows, .heads, .pairs, .negativeExponential: return [rows] + rest
        }
    }

    /// The row (or column) of the stored tensor that holds row `row` of part `part`.
    func place(part: Int, row: Int) -> Int {
        switch stored.layout {
        case .rows, .columns, .kernels, .negativeExponential:
            return parts[..<part].reduce(row) { $0 + $1.shape[0] }
        case .heads:
            return (row / headWidth * parts.count + part) * headWidth + row % headWidth
        case .pairs:
            let (head, inside, half) = (row / headWidth, row % headWidth, headWidth / 2)
            return head * headWidth + (inside < half ? 2 * inside : 2 * (inside - half) + 1)
        }
    }

    /// Every stored tensor of a model, in the order of the model's own. The names of a family cover all roles that it can have.
    static func all(_ names: [StoredName], _ configuration: ModelConfiguration) -> [StoredLayout] {
        var byRole: [TensorRole: Int] = [:]
        for (i, name) in names.enumerated() { for role in name.roles { byRole[role] = i } }
        var layouts: [StoredLayout] = []
        var open: [String: Int] = [:]
        for tensor in configuration.parameterShapes {
            guard let index = byRole[tensor.role] else { preconditionFailure("bug: no stored name for '\(tensor.name)'") }
            let stored = names[index]
            let key = StoredName.numbered(stored.names[0], tensor.layer)
            if let place = open[key] {
                let old = layouts[place]
                layouts[place] = StoredLayout(stored: stored, layer: old.layer, parts: old.parts + [tensor], headWidth: old.headWidth)
            } else {
                open[key] = layouts.count
                layouts.append(
                    StoredLayout(stored: stored, layer: tensor.layer, parts: [tensor], headWidth: configuration.headWidth))
            }
        }
        for layout in layouts {
            precondition(layout.parts.map(\.role) == layout.stored.roles, "bug: parts of '\(layout.names[0])' are not all there")
        }
        return layouts
    }
}
