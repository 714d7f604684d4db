/// A limit in force.
package struct QuotaRule: Hashable, Sendable {
    /// What it counts.
    package var key: QuotaKey
    /// How much there may be; 0 admits none.
    package var limit: Int
    /// The length of the window, in seconds; nil for a limit that is none of a window.
    package var windowSeconds: Int?
    /// Beyond how much used there is a warning; nil for never.
    package var warnAfter: Int?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(_ key: QuotaKey, limit: Int, windowSeconds: Int? = nil, warnAfter: Int? = nil) {
        precondition((key.kind == .window) == (windowSeconds != nil), "a window has a length, and nothing else has")
        self.key = key
        self.limit = limit
        self.windowSeconds = windowSeconds
        self.warnAfter = warnAfter
    }

    /// The length of the window, in milliseconds; 0 for a limit that is none of a window.
    package var windowMilliseconds: Int64 { Int64(windowSeconds ?? 0) * 1_000 }

    /// The warning that is due when so much is used, and so much left.
    package func warning(used: Int, remaining: Int) -> QuotaWarning? {
        guard let warnAfter, used > warnAfter else { return nil }
        return QuotaWarning(scope: key.scope, unit: key.unit, remaining: remaining, limit: limit)
    }
}

/// All limits in force (`quotas.…`). What is not in it is not limited.
package struct QuotaPolicy: Hashable, Sendable {
    /// The longest window, in seconds: 31 days. What was counted longer ago may be forgotten.
    package static let maximumWindowSeconds = 2_678_400

    private var rules: [QuotaKey: QuotaRule] = [:]

    /// Puts a policy together; of two rules with one key the later counts.
    package init(_ rules: [QuotaRule]) {
        for rule in rules { self.rules[rule.key] = rule }
    }

    /// The limits of tools' calls, by the tools' names.
    package var tools: [QuotaKey] { rules.keys.filter(\.isOfTool).sorted { $0.name < $1.name } }

    /// No limits at all.
    package static let unlimited = QuotaPolicy([])

    /// The limits that hold when nobody says otherwise.
    package static let standard = QuotaPolicy([
        QuotaRule(.systemTurns, limit: 500, windowSeconds: 18_000),
        QuotaRule(.systemAnonymousTurns, limit: 400, windowSeconds: 18_000),
        QuotaRule(.anonymousTurns, limit: 50, warnAfter: 40),
        QuotaRule(.anonymousBots, limit: 1),
        QuotaRule(.userBots, limit: 3),
        QuotaRule(.anonymousCopies, limit: 10, windowSeconds: 3_600),
        QuotaRule(.userCopies, limit: 60, windowSeconds: 3_600),
        QuotaRule(.anonymousInFlight, limit: 1),
        QuotaRule(.userInFlight, limit: 2),
        QuotaRule(.addressAnonymousUsers, limit: 30, windowSeconds: 3_600),
    ])

    /// The limit of something; nil for none.
    package subscript(_ key: QuotaKey) -> QuotaRule? {
        get { rules[key] }
        set { rules[key] = newValue }
    }
}
