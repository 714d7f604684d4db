package import ParleyCore

/// A server of Anthropic's Messages API, or one of those that speak as it does, such as MiniMax.
///
/// Nothing is repeated: a call that fails has failed.
package struct AnthropicProvider: ModelProvider {
    private let configuration: AnthropicProviderConfiguration
    private let server: ModelServer

    /// Makes a provider.
    ///
    /// - Parameters:
    ///   - configuration: where the server is.
    ///   - client: what asks it; it must outlive the provider's calls. Plain HTTP goes to loopback and the hosts that it allows.
    package init(configuration: AnthropicProviderConfiguration, client: HTTPClient) {
        self.configuration = configuration
        server = ModelServer(
            name: configuration.name, baseURL: configuration.baseURL, apiKey: configuration.apiKey, headers: configuration.headers,
            timeouts: configuration.timeouts, client: client)
    }

    package var name: String { configuration.name }
    package var models: [ModelDescription] { configuration.models }
    package var thread: (any ModelThread)? { server.thread }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        let response = try await server.post("v1/messages", headers: headers, body: MessagesRequest.body(for: request, configuration))
        return ServerStream(response, MessagesAnswer(failures: server.failures.of(response)))
    }

    private var headers: HTTPHeaders {
        var headers: HTTPHeaders = ["anthropic-version": "2023-06-01"]
        if let apiKey = configuration.apiKey {
            headers.append(name: "x-api-key", value: apiKey)
            if configuration.authentication == .apiKeyAndBearer { headers.append(name: "Authorization", value: "Bearer \(apiKey)") }
        }
        return headers
    }
}
