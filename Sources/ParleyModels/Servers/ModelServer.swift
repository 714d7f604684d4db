import ParleyCore

/// A server of models, asked over HTTP.
///
/// Nothing is repeated: a call that fails has failed.
struct ModelServer: Sendable {
    /// What asks it.
    let client: HTTPClient
    /// Says what goes wrong.
    let failures: FailureTranslation

    /// How much of an error's body is read, in bytes.
    private static let maximumErrorBytes = 64 << 10

    /// Sends a request.
    ///
    /// - Returns: the response, if its status promises success.
    /// - Throws: `modelUnavailable`, `modelRateLimited`, `modelRejected`, `modelAuth`, `modelBilling`, `modelTimeout`,
    ///   `contextWindowExceeded`, `cancelled`.
    func ask(_ request: HTTPRequest) async throws(Failure) -> HTTPResponse {
        let response: HTTPResponse
        do {
            response = try await client.send(request)
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
