import JSON
import ParleyCore

/// A hosted provider that the environment alone connects.
///
/// An empty variable counts as unset.
package enum Preset: String, CaseIterable, Sendable {
    /// MiniMax: `MINIMAX_API_KEY`, `MINIMAX_BASE_URL`, `MINIMAX_MODEL`.
    case minimax
    /// OpenAI: `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_MODEL`, as in its own libraries.
    case openai

    /// The variable that holds the key; without it the provider is not connected.
    package var keyVariable: String { "\(prefix)_API_KEY" }

    /// How the provider is connected.
    ///
    /// - Parameter environment: the variables. `…_BASE_URL` is what `/chat/completions` follows; `…_MODEL` is the default model.
    /// - Returns: nil when there is no key.
    package func configuration(environment: [String: String]) -> OpenAIProviderConfiguration? {
        func variable(_ name: String) -> String? {
            // A file that was pasted into a variable brings a newline with it.
            let value = environment[name]?.split(whereSeparator: \.isWhitespace).joined(separator: " ") ?? ""
            return value.isEmpty ? nil : value
        }
        guard let apiKey = variable(keyVariable) else { return nil }
        var configuration = connection
        configuration.apiKey = apiKey
        configuration.baseURL = variable("\(prefix)_BASE_URL") ?? configuration.baseURL
        if let model = variable("\(prefix)_MODEL") { configuration.setDefaultModel(model) }
        return configuration
    }

    private var prefix: String { rawValue.uppercased() }

    private var connection: OpenAIProviderConfiguration {
        switch self {
        case .minimax:
            OpenAIProviderConfiguration(
                name: rawValue, baseURL: "https://api.minimax.io/v1",
                models: [
                    ModelDescription(model: "MiniMax-M3", contextWindow: 1_000_000),
                    ModelDescription(model: "MiniMax-M2.7", contextWindow: 204_800),
                    ModelDescription(model: "MiniMax-M2.5", contextWindow: 204_800),
                    ModelDescription(model: "MiniMax-M2.1", contextWindow: 204_800),
                    ModelDescription(model: "MiniMax-M2", contextWindow: 204_800),
                ],
                // Without the split the reasoning stands in the text, between `<think>` and `</think>`.
                maxTokensField: .maxCompletionTokens, extraFields: ["reasoning_split": true])
        case .openai:
            // GPT-5.4 does not reason unless it is told to, and so is quick and accepts a temperature.
            OpenAIProviderConfiguration(
                name: rawValue, baseURL: "https://api.openai.com/v1",
                models: [
                    ModelDescription(model: "gpt-5.4", contextWindow: 1_050_000),
                    ModelDescription(model: "gpt-5.4-mini", contextWindow: 400_000),
                ],
                maxTokensField: .maxCompletionTokens)
        }
    }
}

extension OpenAIProviderConfiguration {
    /// Puts a model first, adding it if it is not known.
    fileprivate mutating func setDefaultModel(_ model: String) {
        let known = models.first { $0.model == model } ?? ModelDescription(model: model)
        models = [known] + models.filter { $0.model != model }
    }
}
