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
        server = ModelServer(client: client, failures: FailureTranslation(provider: configuration.name, apiKey: configuration.apiKey))
    }

    package var name: String { configuration.name }
    package var models: [ModelDescription] { configuration.models }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        ServerStream(try await server.ask(httpRequest(for: request)), MessagesAnswer(failures: server.failures))
    }

    private func httpRequest(for request: ModelRequest) -> HTTPRequest {
        var headers: HTTPHeaders = [
            "Content-Type": "application/json", "Accept": "text/event-stream", "User-Agent": "parley", "anthropic-version": "2023-06-01",
        ]
        if let apiKey = configuration.apiKey {
            headers.append(name: "x-api-key", value: apiKey)
            if configuration.authentication == .apiKeyAndBearer { headers.append(name: "Authorization", value: "Bearer \(apiKey)") }
        }
        let slash = configuration.baseURL.hasSuffix("/") ? "" : "/"
        return HTTPRequest(
            url: "\(configuration.baseURL)\(slash)v1/messages", headers: headers,
            body: MessagesRequest.body(for: request, configuration), connectTimeout: configuration.timeouts.connect,
            firstByteTimeout: configuration.timeouts.idle, idleTimeout: configuration.timeouts.idle)
    }
}
