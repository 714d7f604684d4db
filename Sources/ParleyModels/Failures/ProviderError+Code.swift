import ParleyCore

extension ProviderError {
    /// What the error means to us.
    ///
    /// The most telling sign decides: the text of an overflow, which nobody gives a name of its own in all cases; MiniMax's number; the
    /// name; the text of an empty account; then the HTTP status; and a vague name at last.
    ///
    /// - Parameter status: the HTTP status of the response; nil when it promised success.
    func code(status: Int?) -> Failure.Code {
        let status = status ?? self.status
        let text = message?.lowercased() ?? ""
        if status == 413 || Self.concernsRequest(status) && Self.mentions(text, Self.overflowTexts) { return .contextWindowExceeded }
        if let code = number.flatMap({ Self.codesOfNumbers[$0] }) { return code }
        if let code = firstCode(in: Self.codesOfNames) { return code }
        if Self.concernsAccount(status), Self.mentions(text, Self.billingTexts) { return .modelBilling }
        if let status { return Self.code(ofStatus: status) }
        return firstCode(in: Self.codesOfVagueNames) ?? .modelUnavailable
    }

    private static func code(ofStatus status: Int) -> Failure.Code {
        switch status {
        case 401, 403: .modelAuth
        case 402: .modelBilling
        case 408, 504: .modelTimeout
        case 429: .modelRateLimited
        case 400...499: .modelRejected
        // Redirects too: a server of models that has moved is not there.
        default: .modelUnavailable
        }
    }

    private func firstCode(in codes: [String: Failure.Code]) -> Failure.Code? {
        names.lazy.compactMap { codes[$0.lowercased()] }.first
    }

    private static func mentions(_ text: String, _ phrases: [String]) -> Bool {
        phrases.contains { text.contains($0) }
    }

    private static func concernsRequest(_ status: Int?) -> Bool {
        ![401, 402, 403, 429].contains(status)
    }

    private static func concernsAccount(_ status: Int?) -> Bool {
        [nil, 400, 402, 403, 429].contains(status)
    }

    /// How providers say that a conversation is too long: OpenAI, vLLM, OpenRouter (context length), llama.cpp (context size), MiniMax,
    /// Anthropic (prompt is too long), Bedrock, Gemini (input token count), xAI, Groq (reduce the length), GLM, Kimi.
    private static let overflowTexts = [
        "context length", "context_length", "context window", "context size", "context limit", "prompt is too long", "input is too long",
        "input token count", "maximum prompt length", "maximum allowed input length", "reduce the length of", "model token limit",
    ]

    private static let billingTexts = [
        "exceeded your current quota", "insufficient balance", "insufficient credit", "insufficient quota", "credit balance",
        "out of credits",
        "payment required",
    ]

    /// MiniMax's list of error codes, those that say more than the HTTP status does.
    private static let codesOfNumbers: [Int: Failure.Code] = [
        1000: .modelUnavailable, 1001: .modelTimeout, 1002: .modelRateLimited, 1004: .modelAuth, 1008: .modelBilling,
        1013: .modelUnavailable, 1024: .modelUnavailable, 1026: .modelRejected, 1027: .modelRejected, 1033: .modelUnavailable,
        1039: .modelRateLimited, 1041: .modelRateLimited, 1042: .modelRejected, 2013: .modelRejected, 2045: .modelRateLimited,
        2049: .modelAuth, 2056: .modelBilling, 2061: .modelRejected,
    ]

    private static let codesOfNames: [String: Failure.Code] = [
        "context_length_exceeded": .contextWindowExceeded, "request_too_large": .contextWindowExceeded,
        "insufficient_quota": .modelBilling, "insufficient_balance": .modelBilling, "insufficient_balance_error": .modelBilling,
        "billing_error": .modelBilling, "billing_hard_limit_reached": .modelBilling, "billing_not_active": .modelBilling,
        "rate_limit_exceeded": .modelRateLimited, "rate_limit_error": .modelRateLimited,
        "invalid_api_key": .modelAuth, "authentication_error": .modelAuth, "authorized_error": .modelAuth, "permission_error": .modelAuth,
        "overloaded_error": .modelUnavailable, "timeout_error": .modelTimeout,
    ]

    /// Names that providers use for many things, so that any HTTP status says more.
    private static let codesOfVagueNames: [String: Failure.Code] = [
        "invalid_request_error": .modelRejected, "invalid_request": .modelRejected, "bad_request": .modelRejected,
        "badrequesterror": .modelRejected, "not_found_error": .modelRejected, "model_not_found": .modelRejected,
        "content_filter": .modelRejected,
    ]
}
