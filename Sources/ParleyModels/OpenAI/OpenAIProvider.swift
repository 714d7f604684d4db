package import ParleyCore

/// A server of OpenAI's chat completions, or one of the many that speak as it does.
///
/// Nothing is repeated: a call that fails has failed.
package struct OpenAIProvider: ModelProvider {
    private let configuration: OpenAIProviderConfiguration
    private let client: HTTPClient
    private let failures: FailureTranslation

    /// How much of an error's body is read, in bytes.
    private static let maximumErrorBytes = 64 << 10

    /// Makes a provider.
    ///
    /// - Parameters:
    ///   - configuration: where the server is.
    ///   - client: what asks it; it must outlive the provider's calls. Plain HTTP goes to loopback and the hosts that it allows.
    package init(configuration: OpenAIProviderConfiguration, client: HTTPClient) {
        self.configuration = configuration
        self.client = client
        failures = FailureTranslation(provider: configuration.name, apiKey: configuration.apiKey)
    }

    package var name: String { configuration.name }
    package var models: [ModelDescription] { configuration.models }

    package func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream {
        let response: HTTPResponse
        do {
            response = try await client.send(httpRequest(for: request))
        } catch {
            throw failures.failure(error)
        }
        guard (200..<300).contains(response.status) else { throw await failure(in: response) }
        return OpenAIStream(response: response, failures: failures)
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

    private func failure(in response: HTTPResponse) async -> Failure {
        var error = ProviderError()
        do {
            error = ProviderError(body: try await response.body(limit: Self.maximumErrorBytes))
        } catch {
            // The status says enough, unless nobody wants to know any more.
            if error.kind == .cancelled { return .cancelledCall() }
        }
        return failures.failure(error, status: response.status, headers: response.headers)
    }
}

/// The answer as it comes in.
private struct OpenAIStream: ModelStream {
    let response: HTTPResponse
    private var reader: ChatStreamReader

    init(response: HTTPResponse, failures: FailureTranslation) {
        self.response = response
        reader = ChatStreamReader(failures: failures)
    }

    mutating func next() async throws(Failure) -> [ModelEvent]? {
        while true {
            switch reader.ending {
            case .finished: return nil
            case .failed(let failure): throw failure
            case nil: break
            }
            let events: [ModelEvent]
            do {
                events = if let bytes = try await response.next() { reader.read(bytes) } else { reader.readEnd() }
                // The next call then finds a connection that stands, TLS included.
                if case .finished = reader.ending { response.letEnd() }
            } catch {
                events = reader.readBreak(error)
            }
            if !events.isEmpty { return events }
        }
    }
}
