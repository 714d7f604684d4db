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
        server = ModelServer(
            name: configuration.name, baseURL: configuration.baseURL, apiKey: configuration.apiKey, headers: configuration.headers,
            timeouts: configuration.timeouts, client: client)
    }

    package var name: String { configuration.name }
    package var models: [ModelDescription] { configuration.models }
    package var thread: (any ModelThread)? { server.thread }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        let response = try await server.post("chat/completions", headers: headers, body: ChatRequest.body(for: request, configuration))
        // The history's last message is another one in every step of a turn.
        let place = request.messages.last?.id.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.suffix(12) ?? ""
        return ServerStream(
            response,
            ChatAnswer(
                failures: server.failures.of(response), handling: configuration.reasoning, tools: request.tools,
                idPrefix: "call_\(place)_"))
    }

    private var headers: HTTPHeaders {
        guard let apiKey = configuration.apiKey else { return [:] }
        return ["Authorization": "Bearer \(apiKey)"]
    }
}
