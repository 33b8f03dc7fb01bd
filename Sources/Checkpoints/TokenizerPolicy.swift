// Whether a model's tokenizer begins a text with the BOS id, from the files beside the weights.
import Streams

/// Reads the policy of a Hugging Face folder.
enum TokenizerPolicy {
    /// Longer files are not opened for this question.
    static let longest = 64 << 20

    /// In this order: `add_bos_token` of tokenizer_config.json; the class named there, where it has a fixed habit (LlamaTokenizer
    /// adds it); the template of tokenizer.json. Nil when none of them tells.
    ///
    /// Throws `Failure.badData` for a file that is not what it should be.
    static func addsBOS(_ folder: String) throws -> Bool? {
        let configuration = inside(folder, "tokenizer_config.json")
        if exists(configuration) {
            let json = try smallJSON(configuration, limit: longest)
            if let flag = json["add_bos_token"], !flag.isNull {
                guard let adds = flag.boolean else {
                    throw Failure(
                        .badData, configuration, .whole, "key 'add_bos_token' must be true or false, found \(ConfigurationKeys.title(flag))"
                    )
                }
                return adds
            }
            if ["LlamaTokenizer", "LlamaTokenizerFast"].contains(json["tokenizer_class"]?.string) { return true }
        }
        let tokenizer = inside(folder, "tokenizer.json")
        guard exists(tokenizer) else { return nil }
        return template(try smallJSON(tokenizer, limit: longest)["post_processor"])
    }

    /// Whether a post-processor's template for one text begins with a special token; nil when there is no template.
    private static func template(_ processor: JSONValue?) -> Bool? {
        guard let processor else { return nil }
        if processor.isNull { return false }
        // Processors hold processors one level deep in practice; deeper ones are not asked.
        let candidates = [processor] + (processor["processors"]?.elements ?? [])
        for candidate in candidates where candidate["type"]?.string == "TemplateProcessing" {
            guard let single = candidate["single"], single.count > 0, single.kind == .array else { return nil }
            return single[0]["SpecialToken"] != nil
        }
        return false
    }
}
