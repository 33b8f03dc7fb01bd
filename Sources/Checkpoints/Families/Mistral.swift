// Mistral 7B and its successors in the same class: Llama with a sliding window. llama.cpp stores them as Llama.

extension Family {
    static let mistral = Family(
        name: "mistral", architecture: "MistralForCausalLM", features: { _ in },
        keys: ConfigurationKey.llamaLike(keyValueHeads: 8, positions: 131_072) + [.slidingWindow(default: 4096)],
        tensors: StoredName.own(llamaRoles))
}
