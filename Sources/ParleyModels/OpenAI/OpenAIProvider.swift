package import ParleyCore

/// A server of OpenAI's chat completions, or one of the many that speak as it does.
///
/// Nothing is repeated: a call that fails has failed.
package struct OpenAIProvider: ModelProvider {
    private let configuration: OpenAIProviderConfiguration
    private let server: ModelServer

    /// Makes a provider.
    ///
    /// - Parameters:
    ///   - configuration: where the server is.
    ///   - client: what asks it; it must outlive the provider's calls. Plain HTTP goes to loopback and the hosts that it allows.
    package init(configuration: OpenAIProviderConfiguration, client: HTTPClient) {
        self.configuration = configuration
        server = ModelServer(client: client, failures: FailureTranslation(provider: configuration.name, apiKey: configuration.apiKey))
    }

    package var name: String { configuration.name }
    package var models: [ModelDescription] { configuration.models }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        ServerStream(try await server.ask(httpRequest(for: request)), ChatAnswer(failures: server.failures))
    }

    private func httpRequest(for request: ModelRequest) -> HTTPRequest {
        var headers: HTTPHeaders = ["Content-Type": "application/json", "Accept": "text/event-stream", "User-Agent": "parley"]
        if let apiKey = configuration.apiKey { headers.append(name: "Authorization", value: "Bearer \(apiKey)") }
        let slash = configuration.baseURL.hasSuffix("/") ? "" : "/"
        return HTTPRequest(
            url: "\(configuration.baseURL)\(slash)chat/completions", headers: headers,
            body: ChatRequest.body(for: request, configuration), connectTimeout: configuration.timeouts.connect,
            firstByteTimeout: configuration.timeouts.idle, idleTimeout: configuration.timeouts.idle)
    }
}
