package import ParleyCore

/// Where a server of models is, and which of the two protocols it speaks.
package enum ProviderConfiguration: Sendable {
    /// OpenAI's chat completions.
    case openAI(OpenAIProviderConfiguration)
    /// Anthropic's Messages API.
    case anthropic(AnthropicProviderConfiguration)

    /// The first half of `PROVIDER:MODEL`.
    package var name: String {
        switch self {
        case .openAI(let configuration): configuration.name
        case .anthropic(let configuration): configuration.name
        }
    }

    /// The URL that the protocol's own path follows.
    package var baseURL: String {
        switch self {
        case .openAI(let configuration): configuration.baseURL
        case .anthropic(let configuration): configuration.baseURL
        }
    }

    /// The key; nil for a server that wants none.
    package var apiKey: String? {
        get {
            switch self {
            case .openAI(let configuration): configuration.apiKey
            case .anthropic(let configuration): configuration.apiKey
            }
        }
        set { update({ $0.apiKey = newValue }, { $0.apiKey = newValue }) }
    }

    /// Header fields that every request has besides; their values are secrets.
    package var headers: HTTPHeaders {
        get {
            switch self {
            case .openAI(let configuration): configuration.headers
            case .anthropic(let configuration): configuration.headers
            }
        }
        set { update({ $0.headers = newValue }, { $0.headers = newValue }) }
    }

    /// The models known by name, the default first.
    package var models: [ModelDescription] {
        get {
            switch self {
            case .openAI(let configuration): configuration.models
            case .anthropic(let configuration): configuration.models
            }
        }
        set { update({ $0.models = newValue }, { $0.models = newValue }) }
    }

    /// How long the server may be silent.
    package var timeouts: ServerTimeouts {
        get {
            switch self {
            case .openAI(let configuration): configuration.timeouts
            case .anthropic(let configuration): configuration.timeouts
            }
        }
        set { update({ $0.timeouts = newValue }, { $0.timeouts = newValue }) }
    }

    /// Makes the provider.
    ///
    /// - Parameter client: what asks the server; it must outlive the provider's calls.
    package func provider(_ client: HTTPClient) -> any ModelProvider {
        switch self {
        case .openAI(let configuration): OpenAIProvider(configuration: configuration, client: client)
        case .anthropic(let configuration): AnthropicProvider(configuration: configuration, client: client)
        }
    }

    private mutating func update(
        _ openAI: (inout OpenAIProviderConfiguration) -> Void, _ anthropic: (inout AnthropicProviderConfiguration) -> Void
    ) {
        switch self {
        case .openAI(var configuration):
            openAI(&configuration)
            self = .openAI(configuration)
        case .anthropic(var configuration):
            anthropic(&configuration)
            self = .anthropic(configuration)
        }
    }
}
