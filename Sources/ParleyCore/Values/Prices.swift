/// What a model's tokens cost, exactly: in millionths of the currency for a million tokens, which are also its 10⁻¹² for one token.
package struct Prices: Hashable, Sendable {
    /// An ISO 4217 code, such as `USD`.
    package var currency: String
    /// For input that the provider had not cached.
    package var input: Int64
    /// For input that the provider had cached; nil when it costs the same.
    package var cachedInput: Int64?
    /// For what the model writes.
    package var output: Int64

    /// Makes one of its fields; see them for what the parameters mean.
    package init(currency: String, input: Int64, cachedInput: Int64? = nil, output: Int64) {
        self.currency = currency
        self.input = input
        self.cachedInput = cachedInput
        self.output = output
    }

    /// Reads a price for a million tokens.
    ///
    /// - Parameter text: digits, perhaps a point and up to six digits more, such as `0.30`; below a million.
    /// - Returns: nil for anything else.
    package static func millionths(_ text: String) -> Int64? {
        let halves = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = halves.count == 2 ? halves[1] : "0"
        guard (1...6).contains(halves[0].count), (1...6).contains(fraction.count), (halves[0] + fraction).utf8.allSatisfy({ 48...57 ~= $0 })
        else { return nil }
        return Int64(halves[0] + fraction + String(repeating: "0", count: 6 - fraction.count))
    }

    /// What a call cost.
    package func cost(of usage: Usage) -> Cost {
        let cached = min(usage.cachedInputTokens ?? 0, usage.inputTokens)
        // In 128 bits, for a provider may say any number of tokens.
        let picos =
            Int128(usage.inputTokens - cached) * Int128(input) + Int128(cached) * Int128(cachedInput ?? input) + Int128(usage.outputTokens)
            * Int128(output)
        return Cost(picos: picos, currency: currency)
    }
}

/// An amount of money, as decimal text, because binary fractions of money are never exact.
package struct Cost: Hashable, Sendable {
    /// Digits, perhaps a point and digits more.
    package var amount: String
    /// An ISO 4217 code.
    package var currency: String

    /// Makes one of its fields; see them for what the parameters mean.
    package init(amount: String, currency: String) {
        self.amount = amount
        self.currency = currency
    }
}

extension Cost {
    /// How many digits there are after the point at most: those of a price for one token.
    private static let fractionDigits = 12
    private static let picosInOne: Int128 = 1_000_000_000_000

    /// An amount in 10⁻¹² of the currency, which is not negative.
    fileprivate init(picos: Int128, currency: String) {
        let (whole, fraction) = picos.quotientAndRemainder(dividingBy: Self.picosInOne)
        let digits = String(fraction)
        let padded = String(repeating: "0", count: Self.fractionDigits - digits.count) + digits
        let significant = padded.reversed().drop { $0 == "0" }.reversed()
        self.init(amount: significant.isEmpty ? "\(whole)" : "\(whole).\(String(significant))", currency: currency)
    }

    /// The amount in 10⁻¹² of the currency; nil for a text that is none, or beyond all money.
    private var picos: Int128? {
        let halves = amount.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = halves.count == 2 ? halves[1] : ""
        guard (1...24).contains(halves[0].utf8.count), fraction.utf8.count <= Self.fractionDigits,
            (halves[0] + fraction).utf8.allSatisfy({ 48...57 ~= $0 })
        else { return nil }
        return Int128(halves[0] + fraction + String(repeating: "0", count: Self.fractionDigits - fraction.utf8.count))
    }

    /// Both together, exactly; nil for two currencies.
    static func + (left: Cost, right: Cost) -> Cost? {
        guard left.currency == right.currency, let first = left.picos, let second = right.picos else { return nil }
        return Cost(picos: first + second, currency: left.currency)
    }
}
