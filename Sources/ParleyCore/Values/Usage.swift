/// What a model's answer cost, in tokens.
package struct Usage: Hashable, Sendable {
    /// All that the model read.
    package var inputTokens: Int
    /// The part of `inputTokens` that the provider had cached.
    package var cachedInputTokens: Int?
    /// All that the model wrote, reasoning included.
    package var outputTokens: Int
    /// The part of `outputTokens` that was reasoning.
    package var reasoningTokens: Int?
    /// Whether the provider said nothing of it, so that the numbers are an estimate.
    package var isEstimated: Bool
    /// What that cost, when the model's prices are known.
    package var cost: Cost?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        inputTokens: Int, cachedInputTokens: Int? = nil, outputTokens: Int, reasoningTokens: Int? = nil, isEstimated: Bool = false,
        cost: Cost? = nil
    ) {
        self.inputTokens = inputTokens
        self.cachedInputTokens = cachedInputTokens
        self.outputTokens = outputTokens
        self.reasoningTokens = reasoningTokens
        self.isEstimated = isEstimated
        self.cost = cost
    }
}

extension Usage {
    /// What both cost together; an estimate when one of them is. There is no cost unless both have one, in one currency.
    package static func + (left: Usage, right: Usage) -> Usage {
        Usage(
            inputTokens: sum(left.inputTokens, right.inputTokens), cachedInputTokens: sum(left.cachedInputTokens, right.cachedInputTokens),
            outputTokens: sum(left.outputTokens, right.outputTokens), reasoningTokens: sum(left.reasoningTokens, right.reasoningTokens),
            isEstimated: left.isEstimated || right.isEstimated, cost: left.cost.flatMap { cost in right.cost.flatMap { cost + $0 } })
    }

    /// A provider may say any number; what is beyond all bounds stays at the bound.
    private static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflows) = left.addingReportingOverflow(right)
        return overflows ? .max : sum
    }

    private static func sum(_ left: Int?, _ right: Int?) -> Int? {
        left == nil && right == nil ? nil : sum(left ?? 0, right ?? 0)
    }
}
