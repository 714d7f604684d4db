import JSON
import ParleyCore

/// Says in the words of the domain what went wrong at a provider, and never its key.
struct FailureTranslation: Sendable {
    /// The provider's name, as it stands in every message.
    let provider: String
    /// What must not come back to light, should the provider repeat it.
    let apiKey: String?
    /// Further texts of that kind: the values of header fields.
    var secrets: [String] = []
    /// The header of the response in whose body the failure is told.
    private var headers: HTTPHeaders = [:]

    /// How much of a provider's own words is passed on, in Unicode scalars.
    private static let shownLength = 500

    /// Makes one for a provider; see the properties for what the parameters mean.
    init(provider: String, apiKey: String?) {
        self.provider = provider
        self.apiKey = apiKey
    }

    /// The same for what is told in the body of a response.
    func of(_ response: HTTPResponse) -> FailureTranslation {
        var translation = self
        translation.headers = response.headers
        return translation
    }

    /// A failure that the provider has told of.
    ///
    /// - Parameters:
    ///   - error: what it said.
    ///   - status: the status of the response; nil when that promised success.
    ///   - headers: those of the response; nil for what `of(_:)` was given.
    func failure(_ error: ProviderError, status: Int? = nil, headers: HTTPHeaders? = nil) -> Failure {
        let headers = headers ?? self.headers
        let code = error.code(status: status)
        let shownStatus = status ?? error.status
        let words = error.message.map(clean)
        var details: [Failure.Detail] = []
        if let shownStatus { details.append(.init("providerStatus", .integer(Int64(shownStatus)))) }
        if let name = error.number.map(String.init) ?? error.names.first { details.append(.init("providerCode", .string(clean(name)))) }
        if let words { details.append(.init("providerMessage", .string(words))) }
        if let id = headers.requestID ?? error.requestID { details.append(.init("providerRequestId", .string(clean(id)))) }
        if let delay = headers.retryAfterMilliseconds ?? (code == .modelRateLimited ? headers.rateLimitResetMilliseconds : nil) {
            details.append(.init("retryAfterMs", .integer(delay)))
        }
        let said = shownStatus.map { " (status \($0))" } ?? ""
        // A redirect is not followed: the key is for the server that was configured, and a POST that goes elsewhere is seldom what is meant.
        let isRedirect = status.map { (300..<400).contains($0) } ?? false
        let sentence = isRedirect ? "The provider \"\(provider)\" redirects elsewhere: its base URL may be wrong" : sentence(for: code)
        return Failure(
            code, "\(sentence)\(said).", details: details, underlying: words,
            isRetryable: isRetryable(code, status: shownStatus, headers))
    }

    /// A failure on the way to the provider or back.
    ///
    /// - Parameters:
    ///   - failure: what the HTTP client said.
    ///   - isInAnswer: whether a part of the answer had come.
    func failure(_ failure: HTTPFailure, isInAnswer: Bool = false) -> Failure {
        switch failure.kind {
        case .cancelled: .cancelledCall()
        case .timeout: Failure(.modelTimeout, "\(sentence(for: .modelTimeout)).", underlying: failure.message)
        case .resolve: unavailable("The address of the provider \"\(provider)\" was not found.", underlying: failure.message)
        case .connect: unavailable("The provider \"\(provider)\" cannot be reached.", underlying: failure.message)
        case .tls: unavailable("No secure connection to the provider \"\(provider)\" came about.", underlying: failure.message)
        case .badURL:
            unavailable("The base URL of the provider \"\(provider)\" cannot be used.", underlying: failure.message, isRetryable: false)
        case .closed where isInAnswer: cut(underlying: failure.message)
        case .closed: unavailable("The provider \"\(provider)\" closed the connection without an answer.", underlying: failure.message)
        case .tooLarge: unavailable("The provider \"\(provider)\" sent more at once than is accepted.", underlying: failure.message)
        case .other: unavailable("The call of the provider \"\(provider)\" failed.", underlying: failure.message)
        }
    }

    /// Whether the call may be made again, where somebody has said so. An empty account stays empty, whatever its server says.
    private func isRetryable(_ code: Failure.Code, status: Int?, _ headers: HTTPHeaders) -> Bool? {
        if code == .modelBilling { return false }
        switch headers["x-should-retry"]?.lowercased() {
        case "true": return true
        case "false": return false
        // A conflict of two requests (OpenAI), which nothing is wrong with.
        default: return status == 409 ? true : nil
        }
    }

    /// An answer of which the end is missing.
    func cut(underlying: String? = nil) -> Failure {
        unavailable("The answer of the provider \"\(provider)\" stopped before its end.", underlying: underlying)
    }

    /// A response that promised an answer and held none.
    func empty() -> Failure {
        unavailable("The provider \"\(provider)\" gave an empty answer.")
    }

    /// A response that is a web page.
    func webPage() -> Failure {
        unavailable("The provider \"\(provider)\" answered with a web page: its base URL may be wrong.", isRetryable: false)
    }

    /// A tool call that came as text, and not whole.
    func brokenToolCall() -> Failure {
        unavailable("The model of the provider \"\(provider)\" wrote a tool call into its text that cannot be read.")
    }

    /// A response that is neither an answer nor an error.
    func unintelligible(underlying: String) -> Failure {
        unavailable("The provider \"\(provider)\" sent something that is no answer.", underlying: clean(underlying))
    }

    private func unavailable(_ message: String, underlying: String? = nil, isRetryable: Bool? = nil) -> Failure {
        Failure(.modelUnavailable, message, underlying: underlying, isRetryable: isRetryable)
    }

    private func sentence(for code: Failure.Code) -> String {
        switch code {
        case .modelAuth where apiKey == nil: "The provider \"\(provider)\" wants an API key, and none is set"
        case .modelAuth: "The provider \"\(provider)\" refuses access with this API key"
        case .modelBilling: "The account with the provider \"\(provider)\" has no credit or quota left"
        case .modelRateLimited: "The provider \"\(provider)\" limits the rate of requests"
        case .modelRejected: "The provider \"\(provider)\" rejected the request"
        case .modelTimeout: "The provider \"\(provider)\" did not answer in time"
        case .contextWindowExceeded: "The conversation is too long for this model of the provider \"\(provider)\""
        default: "The provider \"\(provider)\" is not available"
        }
    }

    /// A provider's words on one line, bounded, without control characters and without the key.
    private func clean(_ words: String) -> String {
        var text = String(String.UnicodeScalarView(words.unicodeScalars.map { $0.isPrinting ? $0 : " " }))
        // Before it is shortened, lest a part of a secret remain. A shorter one is no secret: servers that want none are given "none".
        for secret in [apiKey].compactMap(\.self) + secrets where secret.utf8.count >= 6 {
            text = text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: "[key]")
        }
        let shown = text.unicodeScalars.prefix(Self.shownLength)
        return shown.endIndex == text.endIndex ? text : String(shown) + "…"
    }
}

extension Unicode.Scalar {
    fileprivate var isPrinting: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}
