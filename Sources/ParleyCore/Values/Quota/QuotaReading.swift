import JSON

/// How a limit stands at one moment.
package struct QuotaReading: Hashable, Sendable {
    /// The numbers, which are not shown to everybody.
    package struct Totals: Hashable, Sendable {
        /// How much there may be.
        package var limit: Int
        /// How much is charged.
        package var used: Int
        /// How much is reserved by turns that have not ended.
        package var held: Int
        /// How much is left.
        package var remaining: Int { max(0, limit - used - held) }

        /// Makes one of its fields; see them for what the parameters mean.
        package init(limit: Int, used: Int, held: Int) {
            self.limit = limit
            self.used = used
            self.held = held
        }
    }

    /// Whom the limit concerns.
    package var scope: QuotaKey.Scope
    /// What it counts.
    package var unit: String
    /// The numbers; nil when they are nobody's business.
    package var totals: Totals?
    /// Whether there is room for one more.
    package var isOpen: Bool
    /// The length of the window, in seconds.
    package var windowSeconds: Int?
    /// When the whole window is free; nil when it is, or when no time helps.
    package var resetsAt: Timestamp?
    /// How long until there is room for one more, in milliseconds; nil when there is, or when no time helps.
    package var retryAfterMilliseconds: Int64?

    /// Reads a limit.
    ///
    /// - Parameters:
    ///   - taken: how much is used and held.
    ///   - held: how much of that is held.
    package init(_ rule: QuotaRule, taken: Int, held: Int, resetsAt: Timestamp? = nil, retryAfterMilliseconds: Int64? = nil) {
        self.init(
            scope: rule.key.scope, unit: rule.key.unit, totals: Totals(limit: rule.limit, used: taken - held, held: held),
            isOpen: taken < rule.limit, windowSeconds: rule.windowSeconds, resetsAt: resetsAt,
            retryAfterMilliseconds: retryAfterMilliseconds)
    }

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        scope: QuotaKey.Scope, unit: String, totals: Totals?, isOpen: Bool, windowSeconds: Int?, resetsAt: Timestamp?,
        retryAfterMilliseconds: Int64?
    ) {
        self.scope = scope
        self.unit = unit
        self.totals = totals
        self.isOpen = isOpen
        self.windowSeconds = windowSeconds
        self.resetsAt = resetsAt
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// What a person may see: how much the others have used stays hidden, only whether there is room and when to come back does not.
    package var forItsPerson: QuotaReading {
        guard scope == .system else { return self }
        var reading = self
        reading.totals = nil
        if isOpen { reading.resetsAt = nil }
        return reading
    }
}

/// Says that a limit comes near.
package struct QuotaWarning: Hashable, Sendable {
    /// Whom the limit concerns.
    package var scope: QuotaKey.Scope
    /// What it counts.
    package var unit: String
    /// How much is left.
    package var remaining: Int
    /// How much there may be.
    package var limit: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(scope: QuotaKey.Scope, unit: String, remaining: Int, limit: Int) {
        self.scope = scope
        self.unit = unit
        self.remaining = remaining
        self.limit = limit
    }

    /// One sentence for a person.
    package var message: String {
        remaining == 0
            ? "This was the last of \(limit) messages. Sign in to go on." : "\(remaining) of \(limit) messages are left. Sign in for more."
    }
}

extension Failure {
    /// A limit that leaves no room.
    ///
    /// - Parameters:
    ///   - reading: how the limit stands; what it shows goes into the error's data.
    ///   - key: what it counts.
    package static func quotaExceeded(_ reading: QuotaReading, of key: QuotaKey) -> Failure {
        let reading = reading.forItsPerson
        var details = [Detail("scope", .string(reading.scope.rawValue)), Detail("unit", .string(reading.unit))]
        func add(_ name: String, _ number: Int?) {
            if let number { details.append(Detail(name, .integer(Int64(number)))) }
        }
        add("limit", reading.totals?.limit)
        add("used", reading.totals?.used)
        add("held", reading.totals?.held)
        add("remaining", reading.totals?.remaining)
        add("windowSeconds", reading.windowSeconds)
        if let resetsAt = reading.resetsAt { details.append(Detail("resetsAt", .string(resetsAt.rfc3339))) }
        if let wait = reading.retryAfterMilliseconds { details.append(Detail("retryAfterMs", .integer(wait))) }
        // Waiting helps against what passes or ends by itself, unless nothing is admitted at all.
        let isRetryable = key.kind == .lease && reading.totals?.limit != 0 || key.kind == .window && reading.retryAfterMilliseconds != nil
        details.append(Detail("retryable", .bool(isRetryable)))
        if key.kind == .lifetime { details.append(Detail("httpStatus", .integer(403))) }
        if key.isOnlyForAnonymous && key.kind != .lease {
            details.append(Detail("upgrade", .string("signIn")))
        }
        return Failure(.quotaExceeded, key.refusal, details: details)
    }
}

extension QuotaKey {
    /// Whether the limit does not concern whoever is signed in.
    fileprivate var isOnlyForAnonymous: Bool { scope == .anonymous || scope == .address || self == .systemAnonymousTurns }

    /// Why something is refused, one sentence.
    fileprivate var refusal: String {
        switch (scope, kind) {
        case (.system, _): "The host has taken as many messages as it may for now."
        case (.address, _): "Too much has come from this address for now."
        case (_, .window) where isOfCopies: "You have copied as many conversations as you may for now."
        case (_, .window): "You have sent as many messages as you may for now."
        case (_, .lease): "Another message of yours is still being answered."
        case (_, .live): "You have as many \(unit) as you may have."
        case (_, .lifetime):
            if let toolName {
                "You have used \(toolName) as often as you may without signing in."
            } else if unit == "turns" {
                "You have sent as many messages as you may without signing in."
            } else {
                "You have made as many \(unit) as you may without signing in."
            }
        }
    }
}
