import JSON
import ParleyCore

/// A hosted provider that the environment alone connects: `…_API_KEY`, and if wanted `…_BASE_URL` and `…_MODEL`, as in its own libraries.
///
/// An empty variable counts as unset.
package enum Preset: String, CaseIterable, Sendable {
    /// MiniMax: `MINIMAX_API_KEY`, `MINIMAX_BASE_URL`, `MINIMAX_MODEL`. A base URL that ends in `/anthropic` speaks Anthropic's protocol.
    case minimax
    /// OpenAI: `OPENAI_API_KEY`, `OPENAI_BASE_URL`, `OPENAI_MODEL`.
    case openai
    /// Anthropic: `ANTHROPIC_API_KEY`, `ANTHROPIC_BASE_URL`, `ANTHROPIC_MODEL`.
    case anthropic

    /// The variable that holds the key; without it the provider is not connected.
    package var keyVariable: String { "\(prefix)_API_KEY" }

    /// How the provider is connected.
    ///
    /// - Parameter environment: the variables. `…_BASE_URL` is what the protocol's path follows; `…_MODEL` is the default model.
    /// - Returns: nil when there is no key.
    package func configuration(environment: [String: String]) -> ProviderConfiguration? {
        func variable(_ name: String) -> String? {
            // A file that was pasted into a variable brings a newline with it.
            let value = environment[name]?.split(whereSeparator: \.isWhitespace).joined(separator: " ") ?? ""
            return value.isEmpty ? nil : value
        }
        guard let apiKey = variable(keyVariable) else { return nil }
        var configuration = connection(baseURL: variable("\(prefix)_BASE_URL"))
        configuration.apiKey = apiKey
        if let model = variable("\(prefix)_MODEL") { configuration.setDefaultModel(model) }
        return configuration
    }

    private var prefix: String { rawValue.uppercased() }

    private func connection(baseURL: String?) -> ProviderConfiguration {
        switch self {
        case .minimax:
            let baseURL = baseURL ?? "https://api.minimax.io/v1"
            guard !["/anthropic", "/anthropic/"].contains(where: baseURL.hasSuffix) else {
                // Without being told to, MiniMax-M3 does not think here.
                return .anthropic(
                    AnthropicProviderConfiguration(
                        name: rawValue, baseURL: baseURL, authentication: .apiKeyAndBearer, models: Self.minimaxModels,
                        thinking: .adaptive))
            }
            // Without the split the reasoning stands in the text, between `<think>` and `</think>`. The models want to read all of it again.
            return .openAI(
                OpenAIProviderConfiguration(
                    name: rawValue, baseURL: baseURL, models: Self.minimaxModels, maxTokensField: .maxCompletionTokens,
                    reasoning: ReasoningHandling(sendBack: .always), extraFields: ["reasoning_split": true]))
        case .openai:
            // GPT-5.4 does not reason unless it is told to, and so is quick and accepts a temperature.
            return .openAI(
                OpenAIProviderConfiguration(
                    name: rawValue, baseURL: baseURL ?? "https://api.openai.com/v1",
                    models: [
                        ModelDescription(model: "gpt-5.4", contextWindow: 1_050_000),
                        ModelDescription(model: "gpt-5.4-mini", contextWindow: 400_000),
                    ],
                    maxTokensField: .maxCompletionTokens))
        case .anthropic:
            return .anthropic(
                AnthropicProviderConfiguration(
                    name: rawValue, baseURL: baseURL ?? "https://api.anthropic.com",
                    models: [
                        ModelDescription(model: "claude-sonnet-4-6", contextWindow: 200_000),
                        ModelDescription(model: "claude-haiku-4-5", contextWindow: 200_000),
                    ]))
        }
    }

    private static let minimaxModels =
        [ModelDescription(model: "MiniMax-M3", contextWindow: 1_000_000)]
        + ["M2.7", "M2.7-highspeed", "M2.5", "M2.5-highspeed", "M2.1", "M2.1-highspeed", "M2"].map {
            ModelDescription(model: "MiniMax-\($0)", contextWindow: 204_800)
        }
}

extension ProviderConfiguration {
    /// Puts a model first, adding it if it is not known.
    fileprivate mutating func setDefaultModel(_ model: String) {
        let known = models.first { $0.model == model } ?? ModelDescription(model: model)
        models = [known] + models.filter { $0.model != model }
    }
}
