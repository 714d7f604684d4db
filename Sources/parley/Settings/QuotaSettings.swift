import ParleyCore

/// The settings that say how much people may do (`quotas.…`).
enum QuotaSettings {
    private static let limits = 0...1_000_000_000
    private static let windows = 1...QuotaPolicy.maximumWindowSeconds

    /// A line of the table for each limit, and for each window's length.
    static let keys: [SettingKey] =
        QuotaKey.all.flatMap { key in
            let rule = QuotaPolicy.standard[key]
            var keys = [
                SettingKey(
                    "quotas.\(key.name).limit", .limit(limits), default: rule.map { String($0.limit) } ?? SettingKey.noLimit, key.summary)
            ]
            if key.kind == .window {
                keys.append(
                    SettingKey(
                        "quotas.\(key.name).windowSeconds", .integer(windows), default: String(rule?.windowSeconds ?? 86_400),
                        "The time within which that many may be taken, sliding."))
            }
            if key == .anonymousTurns {
                keys.append(
                    SettingKey(
                        "quotas.\(key.name).warnAfter", .limit(limits), default: rule?.warnAfter.map(String.init) ?? SettingKey.noLimit,
                        "Messages beyond this many carry a warning."))
            }
            return keys
        } + [
            SettingKey(
                "quotas.anonymous.tools",
                .table({ $0 == SettingKey.noLimit || Int($0).map(limits.contains) ?? false }, expected: "a whole number, or none"),
                default: "", "How many successful calls of a tool an anonymous person may make in all, by the tool's name."
            )
        ]

    /// The limits that settings give.
    static func policy(_ settings: Settings) -> QuotaPolicy {
        let tools = settings.table("quotas.anonymous.tools").compactMap { name, text in
            Int(text).map { QuotaRule(.anonymousTool(name), limit: $0) }
        }
        return QuotaPolicy(
            tools
                + QuotaKey.all.compactMap { key in
                    settings.limit("quotas.\(key.name).limit").map { limit in
                        QuotaRule(
                            key, limit: limit,
                            windowSeconds: key.kind == .window ? settings.integer("quotas.\(key.name).windowSeconds") : nil,
                            warnAfter: key == .anonymousTurns ? settings.limit("quotas.\(key.name).warnAfter") : nil)
                    }
                })
    }
}

extension QuotaKey {
    /// What the limit means, one sentence.
    fileprivate var summary: String {
        switch self {
        case .systemTurns: "How many messages all people together may send within the window."
        case .systemAnonymousTurns: "How many of them may come from anonymous people, so that these alone cannot shut out users."
        case .anonymousTurns: "How many messages an anonymous person may send in all."
        case .anonymousBots: "How many bots an anonymous person may make in all; deleting one gives none back."
        case .userBots: "How many bots a user may have at a time."
        case .userTurns: "How many messages a user may send within the window."
        case .anonymousInFlight: "How many messages of an anonymous person may be answered at a time."
        case .userInFlight: "How many messages of a user may be answered at a time."
        case .anonymousCopies: "How many conversations an anonymous person may fork or import within the window."
        case .userCopies: "How many conversations a user may fork or import within the window."
        case .addressAnonymousUsers:
            "How many anonymous people may come from one client address within the window, where the parent names it."
        case .addressTurns: "How many messages of anonymous people may come from one client address within the window."
        default: "How many there may be."
        }
    }
}
