package import JSON
package import ParleyCore

/// Where a server of OpenAI's chat completions is, and in what it differs from the others.
package struct OpenAIProviderConfiguration: Sendable {
    /// The field that bounds an answer's length.
    package enum MaxTokensField: String, Sendable {
        /// The older one, which most compatible servers know.
        case maxTokens = "max_tokens"
        /// The one that OpenAI's reasoning models and MiniMax want.
        case maxCompletionTokens = "max_completion_tokens"
    }

    /// The first half of `PROVIDER:MODEL`.
    package var name: String
    /// The URL that `/chat/completions` follows, such as `https://api.openai.com/v1`.
    package var baseURL: String
    /// What is sent as a bearer token; nil for a server that wants none.
    package var apiKey: String?
    /// The models known by name, the default first.
    package var models: [ModelDescription]
    /// The field that bounds an answer's length.
    package var maxTokensField: MaxTokensField
    /// Members that every request has besides, such as `reasoning_split`.
    package var extraFields: KeyValuePairs<String, JSONValue>
    /// How long the server may be silent.
    package var timeouts: ServerTimeouts

    /// Makes a configuration; see the properties for what the parameters mean.
    package init(
        name: String, baseURL: String, apiKey: String? = nil, models: [ModelDescription] = [], maxTokensField: MaxTokensField = .maxTokens,
        extraFields: KeyValuePairs<String, JSONValue> = [:], timeouts: ServerTimeouts = ServerTimeouts()
    ) {
        self.name = name
        self.baseURL = baseURL
        self.apiKey = apiKey
        self.models = models
        self.maxTokensField = maxTokensField
        self.extraFields = extraFields
        self.timeouts = timeouts
    }
}
