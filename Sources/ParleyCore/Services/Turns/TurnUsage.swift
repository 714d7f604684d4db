/// What a turn costs: the model's calls together, and the one that writes the message at hand.
struct TurnUsage {
    /// Of all calls; nil when no model has said anything of it.
    private(set) var total: Usage?
    /// Of the call that writes the message at hand.
    private(set) var ofMessage: Usage?
    /// Of the calls before.
    private var before: Usage?
    private var prices: Prices?

    /// Takes what a call costs so far; the last counts.
    mutating func take(_ usage: Usage, prices: Prices?) {
        self.prices = prices
        ofMessage = priced(usage)
        total = priced(before.map { $0 + usage } ?? usage)
    }

    /// Begins another call.
    mutating func beginMessage() {
        before = total
        ofMessage = nil
    }

    private func priced(_ usage: Usage) -> Usage {
        var usage = usage
        usage.cost = prices?.cost(of: usage)
        return usage
    }
}

extension Usage {
    /// The tokens of both, without what they cost.
    static func + (left: Usage, right: Usage) -> Usage {
        func sum(_ left: Int?, _ right: Int?) -> Int? { left == nil && right == nil ? nil : (left ?? 0) + (right ?? 0) }
        return Usage(
            inputTokens: left.inputTokens + right.inputTokens, cachedInputTokens: sum(left.cachedInputTokens, right.cachedInputTokens),
            outputTokens: left.outputTokens + right.outputTokens, reasoningTokens: sum(left.reasoningTokens, right.reasoningTokens))
    }
}
