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
        var failures = FailureTranslation(provider: configuration.name, apiKey: configuration.apiKey)
        failures.secrets = configuration.headers.fields.map(\.value)
        server = ModelServer(client: client, failures: failures)
    }

    package var name: String { configuration.name }
    package var models: [ModelDescription] { configuration.models }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        let response = try await server.ask(httpRequest(for: request))
        // The history's last message is another one in every step of a turn.
        let place = request.messages.last?.id.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.suffix(12) ?? ""
        return ServerStream(
            response,
            ChatAnswer(
                failures: server.failures.of(response), handling: configuration.reasoning, tools: request.tools,
                idPrefix: "call_\(place)_"))
    }

    private func httpRequest(for request: ModelRequest) -> HTTPRequest {
        var headers: HTTPHeaders = ["Content-Type": "application/json", "Accept": "text/event-stream", "User-Agent": "parley"]
        if let apiKey = configuration.apiKey { headers.append(name: "Authorization", value: "Bearer \(apiKey)") }
        for field in configuration.headers.fields { headers.append(name: field.name, value: field.value) }
        let slash = configuration.baseURL.hasSuffix("/") ? "" : "/"
        return HTTPRequest(
            url: "\(configuration.baseURL)\(slash)chat/completions", headers: headers,
            body: ChatRequest.body(for: request, configuration), connectTimeout: configuration.timeouts.connect,
            firstByteTimeout: configuration.timeouts.firstByte, idleTimeout: configuration.timeouts.idle)
    }
}
