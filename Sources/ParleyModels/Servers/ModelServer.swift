import ParleyCore

/// A server of models, asked over HTTP.
///
/// Nothing is repeated: a call that fails has failed.
struct ModelServer: Sendable {
    /// Says what goes wrong.
    let failures: FailureTranslation
    private let client: HTTPClient
    private let baseURL: String
    /// Fields that every request has besides those of the protocol.
    private let headers: HTTPHeaders
    private let timeouts: ServerTimeouts

    /// How much of an error's body is read, in bytes.
    private static let maximumErrorBytes = 64 << 10

    /// Makes a server.
    ///
    /// - Parameters:
    ///   - name: what failures call it.
    ///   - baseURL: what paths follow, with or without a slash at its end.
    ///   - apiKey: what must not come back to light; the protocol says how it is sent.
    ///   - headers: fields that every request has besides those of the protocol, whose values are secrets too.
    ///   - timeouts: how long it may be silent.
    ///   - client: what asks it; it must outlive the calls.
    init(name: String, baseURL: String, apiKey: String?, headers: HTTPHeaders, timeouts: ServerTimeouts, client: HTTPClient) {
        var failures = FailureTranslation(provider: name, apiKey: apiKey)
        failures.secrets = headers.fields.map(\.value)
        self.failures = failures
        self.client = client
        self.baseURL = baseURL.hasSuffix("/") ? baseURL : baseURL + "/"
        self.headers = headers
        self.timeouts = timeouts
    }

    /// The thread on which its answers arrive.
    var thread: any ModelThread { client.modelThread }

    /// Asks for a streamed answer.
    ///
    /// - Parameters:
    ///   - path: what follows the base URL, without a slash at its beginning.
    ///   - protocolHeaders: the fields that the protocol wants, the key among them.
    ///   - body: JSON.
    /// - Returns: the response, if its status promises success.
    /// - Throws: `modelUnavailable`, `modelRateLimited`, `modelRejected`, `modelAuth`, `modelBilling`, `modelTimeout`,
    ///   `contextWindowExceeded`, `cancelled`.
    func post(_ path: String, headers protocolHeaders: HTTPHeaders, body: [UInt8]) async throws(Failure) -> HTTPResponse {
        var fields: HTTPHeaders = ["Content-Type": "application/json", "Accept": "text/event-stream", "User-Agent": "parley"]
        for field in protocolHeaders.fields + headers.fields { fields.append(name: field.name, value: field.value) }
        let response: HTTPResponse
        do {
            response = try await client.send(
                HTTPRequest(
                    url: baseURL + path, headers: fields, body: body, connectTimeout: timeouts.connect,
                    firstByteTimeout: timeouts.firstByte, idleTimeout: timeouts.idle))
        } catch {
            throw failures.failure(error)
        }
        guard (200..<300).contains(response.status) else { throw await failure(in: response) }
        return response
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
