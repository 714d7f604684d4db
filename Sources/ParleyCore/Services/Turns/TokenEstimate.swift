/// How many tokens a text will be, before a provider has counted them: a quarter of its UTF-8 bytes, corrected by what the same model
/// counted the last time in the same conversation.
struct TokenEstimate: Hashable, Sendable {
    private static let bytesPerToken = 4.0
    /// Beyond these, a provider has counted something else than what it was sent.
    private static let plausible = 0.25...4.0

    /// By how much the model counts more than a quarter of the bytes.
    private let factor: Double

    /// Nothing is known of the model yet.
    init() { factor = 1 }

    /// Learns from a call.
    ///
    /// - Parameters:
    ///   - tokens: what the provider counted.
    ///   - bytes: what it was sent.
    init(tokens: Int, of bytes: Int) {
        guard tokens > 0, bytes > 0 else {
            factor = 1
            return
        }
        factor = min(max(Double(tokens) * Self.bytesPerToken / Double(bytes), Self.plausible.lowerBound), Self.plausible.upperBound)
    }

    /// The tokens of so many bytes.
    func tokens(of bytes: Int) -> Int { Int((Double(bytes) / Self.bytesPerToken * factor).rounded(.up)) }
}

extension Usage {
    /// What a call cost whose provider said nothing of it.
    ///
    /// - Parameters:
    ///   - sent: the bytes of all that went to the model.
    ///   - received: those of all that it said.
    ///   - reasoning: those of what it thought, which are among the received.
    static func estimated(sent: Int, received: Int, reasoning: Int) -> Usage {
        let estimate = TokenEstimate()
        return Usage(
            inputTokens: estimate.tokens(of: sent), outputTokens: estimate.tokens(of: received),
            reasoningTokens: reasoning > 0 ? estimate.tokens(of: reasoning) : nil, isEstimated: true)
    }
}
