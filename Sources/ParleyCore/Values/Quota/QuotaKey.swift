/// What a limit counts, and for whom. Its two halves are `scope` and `unit` in receipts and errors, and `quotas.SCOPE.UNIT` in the settings.
package struct QuotaKey: Hashable, Sendable {
    /// Whom a limit concerns.
    package enum Scope: String, CaseIterable, Sendable {
        /// Everybody together.
        case system
        /// One person who is not signed in.
        case anonymous
        /// One person who is.
        case user
        /// All anonymous people behind one client address.
        case address
    }

    /// How a limit counts.
    package enum Kind: Sendable {
        /// What was taken within a time that ends now.
        case window
        /// What was ever taken.
        case lifetime
        /// What there is now.
        case live
        /// What runs now.
        case lease
    }

    /// Whom it concerns.
    package let scope: Scope
    /// What is counted.
    package let unit: String
    /// How it counts.
    package let kind: Kind

    /// `SCOPE.UNIT`.
    package var name: String { "\(scope.rawValue).\(unit)" }

    /// Turns of everybody.
    package static let systemTurns = QuotaKey(scope: .system, unit: "turns", kind: .window)
    /// Turns of all anonymous people together.
    package static let systemAnonymousTurns = QuotaKey(scope: .system, unit: "anonymousTurns", kind: .window)
    /// Turns of an anonymous person.
    package static let anonymousTurns = QuotaKey(scope: .anonymous, unit: "turns", kind: .lifetime)
    /// Bots that an anonymous person has made; deleting one does not give it back.
    package static let anonymousBots = QuotaKey(scope: .anonymous, unit: "bots", kind: .lifetime)
    /// Bots that a user has.
    package static let userBots = QuotaKey(scope: .user, unit: "bots", kind: .live)
    /// Turns of a user.
    package static let userTurns = QuotaKey(scope: .user, unit: "turns", kind: .window)
    /// Conversations that an anonymous person has forked or imported.
    package static let anonymousCopies = QuotaKey(scope: .anonymous, unit: "copies", kind: .window)
    /// Conversations that a user has forked or imported.
    package static let userCopies = QuotaKey(scope: .user, unit: "copies", kind: .window)
    /// Turns of an anonymous person that run.
    package static let anonymousInFlight = QuotaKey(scope: .anonymous, unit: "inFlight", kind: .lease)
    /// Turns of a user that run.
    package static let userInFlight = QuotaKey(scope: .user, unit: "inFlight", kind: .lease)
    /// Anonymous people made from one client address.
    package static let addressAnonymousUsers = QuotaKey(scope: .address, unit: "anonymousUsers", kind: .window)
    /// Turns of anonymous people from one client address.
    package static let addressTurns = QuotaKey(scope: .address, unit: "turns", kind: .window)

    /// Calls of a tool by an anonymous person; one that fails is given back.
    package static func anonymousTool(_ name: String) -> QuotaKey {
        QuotaKey(scope: .anonymous, unit: toolPrefix + name, kind: .lifetime)
    }

    private static let toolPrefix = "tools."

    /// The tool whose calls it counts; nil when it counts something else.
    package var toolName: String? { unit.hasPrefix(Self.toolPrefix) ? String(unit.dropFirst(Self.toolPrefix.count)) : nil }

    /// Whether it counts calls of a tool.
    package var isOfTool: Bool { toolName != nil }

    /// All but those of tools, in the order in which they are shown and checked: what waiting does not help against comes first.
    package static let all: [QuotaKey] = [
        .anonymousTurns, .anonymousBots, .userBots, .anonymousInFlight, .userInFlight, .userTurns, .anonymousCopies, .userCopies,
        .addressAnonymousUsers, .addressTurns, .systemAnonymousTurns, .systemTurns,
    ]

    /// What one turn of a person counts against, whether or not there is a limit: a limit that is set later finds what was taken before.
    package static func turn(of kind: PersonKind, hasAddress: Bool) -> [QuotaKey] {
        switch kind {
        case .anonymous: [.anonymousTurns] + (hasAddress ? [.addressTurns] : []) + [.systemAnonymousTurns, .systemTurns]
        case .user: [.userTurns, .systemTurns]
        case .operator: [.systemTurns]
        }
    }

    /// The limit of the turns of a person that run at once; nil for the operator, who has none.
    package static func inFlight(of kind: PersonKind) -> QuotaKey? {
        switch kind {
        case .anonymous: .anonymousInFlight
        case .user: .userInFlight
        case .operator: nil
        }
    }

    /// The limit of the conversations that a person copies; nil for the operator, who has none.
    package static func copies(of kind: PersonKind) -> QuotaKey? {
        switch kind {
        case .anonymous: .anonymousCopies
        case .user: .userCopies
        case .operator: nil
        }
    }

    /// Whether it counts conversations that are copied.
    package var isOfCopies: Bool { self == .anonymousCopies || self == .userCopies }

    /// The limit of a person's bots; nil for the operator, who has none.
    package static func bots(of kind: PersonKind) -> QuotaKey? {
        switch kind {
        case .anonymous: .anonymousBots
        case .user: .userBots
        case .operator: nil
        }
    }
}

/// What sort of person somebody is.
package enum PersonKind: String, CaseIterable, Sendable {
    /// Signed in.
    case user
    /// Not signed in.
    case anonymous
    /// Whoever runs the host.
    case `operator`
}
