package import JSON
package import ParleyCore

/// Where a server of OpenAI's chat completions is, and in what it differs from the others.
package struct OpenAIProviderConfiguration: Sendable {
    /// The field that bounds an answer's length.
    package enum MaxTokensField: String, CaseIterable, Sendable {
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
    /// Header fields that every request has besides; their values are secrets, as the key is.
    package var headers: HTTPHeaders = [:]
    /// The models known by name, the default first.
    package var models: [ModelDescription]
    /// The field that bounds an answer's length.
    package var maxTokensField: MaxTokensField
    /// Whether the server is asked to tell the usage at the end of a stream (`stream_options`).
    package var streamOptions = true
    /// Whether the model may call several tools at once; nil says nothing of it.
    package var parallelToolCalls: Bool?
    /// Whether instructions come from the role `developer` instead of `system`.
    package var developerRole = false
    /// How reasoning comes and goes back.
    package var reasoning: ReasoningHandling
    /// Members that every request has besides, such as `reasoning_split`, an object. One that a request has anyway is replaced, and left out
    /// where the value is null.
    package var extraFields: JSONValue
    /// How long the server may be silent.
    package var timeouts: ServerTimeouts

    /// Makes a configuration; see the properties for what the parameters mean.
    package init(
        name: String, baseURL: String, apiKey: String? = nil, models: [ModelDescription] = [], maxTokensField: MaxTokensField = .maxTokens,
        reasoning: ReasoningHandling = ReasoningHandling(), extraFields: JSONValue = [:], timeouts: ServerTimeouts = ServerTimeouts()
    ) {
        self.name = name
        self.baseURL = baseURL
        self.apiKey = apiKey
        self.models = models
        self.maxTokensField = maxTokensField
        self.reasoning = reasoning
        self.extraFields = extraFields
        self.timeouts = timeouts
    }
}
