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
        var failures = FailureTranslation(provider: configuration.name, apiKey: configuration.apiKey)
        failures.secrets = configuration.headers.fields.map(\.value)
        server = ModelServer(client: client, failures: failures)
    }

    package var name: String { configuration.name }
    package var models: [ModelDescription] { configuration.models }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        let response = try await server.ask(httpRequest(for: request))
        return ServerStream(response, MessagesAnswer(failures: server.failures.of(response)))
    }

    private func httpRequest(for request: ModelRequest) -> HTTPRequest {
        var headers: HTTPHeaders = [
            "Content-Type": "application/json", "Accept": "text/event-stream", "User-Agent": "parley", "anthropic-version": "2023-06-01",
        ]
        if let apiKey = configuration.apiKey {
            headers.append(name: "x-api-key", value: apiKey)
            if configuration.authentication == .apiKeyAndBearer { headers.append(name: "Authorization", value: "Bearer \(apiKey)") }
        }
        for field in configuration.headers.fields { headers.append(name: field.name, value: field.value) }
        let slash = configuration.baseURL.hasSuffix("/") ? "" : "/"
        return HTTPRequest(
            url: "\(configuration.baseURL)\(slash)v1/messages", headers: headers,
            body: MessagesRequest.body(for: request, configuration), connectTimeout: configuration.timeouts.connect,
            firstByteTimeout: configuration.timeouts.firstByte, idleTimeout: configuration.timeouts.idle)
    }
}
