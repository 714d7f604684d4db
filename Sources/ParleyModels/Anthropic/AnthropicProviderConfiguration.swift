package import JSON
package import ParleyCore

/// Where a server of Anthropic's Messages API is, and in what it differs from the others.
package struct AnthropicProviderConfiguration: Sendable {
    /// How the key is sent.
    package enum Authentication: Sendable {
        /// As `x-api-key`, which Anthropic reads.
        case apiKey
        /// As `x-api-key` and as a bearer token too, because MiniMax's errors name now one and now the other.
        case apiKeyAndBearer
    }

    /// What a model may think before it answers.
    package enum Thinking: String, CaseIterable, Sendable {
        /// As much as it finds right. MiniMax-M3 does not think unless it is told so.
        case adaptive
    }

    /// The first half of `PROVIDER:MODEL`.
    package var name: String
    /// The URL that `/v1/messages` follows, such as `https://api.anthropic.com` or `https://api.minimax.io/anthropic`.
    package var baseURL: String
    /// The key; nil for a server that wants none.
    package var apiKey: String?
    /// How the key is sent.
    package var authentication: Authentication
    /// Header fields that every request has besides; their values are secrets, as the key is.
    package var headers: HTTPHeaders = [:]
    /// The models known by name, the default first.
    package var models: [ModelDescription]
    /// The longest answer that a model gives, in tokens, by the model's name. The API wants a bound in every request, so that one is sent even
    /// when nobody asks for any.
    package var maxOutputTokens: [String: Int]
    /// What a model may think; nil says nothing of it. The API takes no temperature from those who let the model think.
    package var thinking: Thinking?
    /// Whether the server is told which parts of a request come again, so that it reads them at a lower price.
    package var cachesPrompts: Bool
    /// Members that every request has besides, such as `service_tier`, an object.
    package var extraFields: JSONValue
    /// How long the server may be silent.
    package var timeouts: ServerTimeouts

    /// Makes a configuration; see the properties for what the parameters mean.
    package init(
        name: String, baseURL: String, apiKey: String? = nil, authentication: Authentication = .apiKey, models: [ModelDescription] = [],
        maxOutputTokens: [String: Int] = [:], thinking: Thinking? = nil, cachesPrompts: Bool = true,
        extraFields: JSONValue = [:], timeouts: ServerTimeouts = ServerTimeouts()
    ) {
        self.name = name
        self.baseURL = baseURL
        self.apiKey = apiKey
        self.authentication = authentication
        self.models = models
        self.maxOutputTokens = maxOutputTokens
        self.thinking = thinking
        self.cachesPrompts = cachesPrompts
        self.extraFields = extraFields
        self.timeouts = timeouts
    }

    /// The bound that a request names: what was asked for, as far as the model goes.
    ///
    /// - Parameter request: what the model is asked.
    func maxTokens(for request: ModelRequest) -> Int {
        let known = maxOutputTokens[request.model] ?? Self.smallModels.first(where: { request.model.hasPrefix($0.prefix) })?.maxTokens
        guard let asked = request.maxOutputTokens else { return known ?? Self.defaultMaxTokens }
        return min(asked, known ?? asked)
    }

    /// What every model of Anthropic since 2025, and every one of MiniMax, can write.
    private static let defaultMaxTokens = 32_000

    /// Models that can write less ("Models overview" in Anthropic's documentation).
    private static let smallModels = [
        (prefix: "claude-3-5-", maxTokens: 8_192), (prefix: "claude-3-haiku", maxTokens: 4_096),
        (prefix: "claude-3-opus", maxTokens: 4_096),
    ]
}
