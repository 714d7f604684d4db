import ParleyCore

/// What there is to say about settings, and about people and limits, which nothing but settings decides.
enum SettingsFindings {
    /// Where the settings came from, and what looks like one and is none.
    static func sources(_ settings: Settings) -> [Finding] {
        var counts: [(source: String, count: Int)] = []
        for entry in settings.entries {
            let source: String
            switch entry.origin {
            case .flag: source = "flags"
            case .environment: source = "PARLEY_ variables"
            case .file(let path): source = path
            case .standard: continue
            }
            if let index = counts.firstIndex(where: { $0.source == source }) {
                counts[index].count += 1
            } else {
                counts.append((source, 1))
            }
        }
        let told = counts.map { "\($0.count) from \($0.source)" }.joined(separator: ", ")
        let message = told.isEmpty ? "All settings have their defaults." : "Settings: \(told); all others have their defaults."
        return [.ok(.settings, message)]
            + settings.unknownVariables.map { name in
                .warning(
                    .settings, "The variable \(name) is no setting and has no effect.", "Look for the right name in `parley config`.")
            }
    }

    /// Whose word is taken for who somebody is.
    static func people(_ settings: Settings) async -> [Finding] {
        do throws(SettingsError) {
            let authentication = try await AuthSettings.authentication(settings)
            let verifies = authentication.verifier != nil
            var findings: [Finding] = []
            if verifies, let key = settings.text("auth.jwt.keyFile") {
                let issuer = settings.text("auth.jwt.issuer").map { "the issuer \($0)" } ?? "any issuer"
                findings.append(.ok(.people, "Users' tokens (JWT) of \(issuer) are verified with the key in \(key)."))
            }
            switch (authentication.trustsParent, verifies) {
            case (true, _): findings.append(.ok(.people, "The process that starts Parley may name any user, and the operator."))
            case (false, true): findings.append(.ok(.people, "Nobody may name users: only tokens count."))
            case (false, false):
                findings.append(
                    .warning(
                        .people, "Only people who are not signed in get in: auth.trustParent is false, and no key verifies tokens.",
                        "Set auth.jwt.keyFile."))
            }
            if let user = try Composition.defaultUserID(settings) {
                findings.append(.ok(.people, "Requests that name no caller act for the user \(user)."))
            }
            return findings
        } catch {
            return [.problem(.people, error.description, "Correct the setting; parley serve does not start with it.")]
        }
    }

    /// The limits in force, above all those that surprise.
    static func limits(_ settings: Settings) -> [Finding] {
        var told: [String] = []
        var findings: [Finding] = []
        for key in QuotaKey.all {
            let name = "quotas.\(key.name).limit"
            let limit = settings.limit(name)
            let window = key.kind == .window ? " within \(settings.integer("quotas.\(key.name).windowSeconds")) s" : ""
            told.append("\(key.name) \(limit.map { "\($0)\(window)" } ?? SettingKey.noLimit)")
            if limit == 0 {
                findings.append(
                    .warning(.limits, "\(name) is 0 (\(origin(of: name, settings))): everything that it counts is refused.", raise(name)))
            } else if limit == nil, key == .systemTurns || key == .anonymousTurns {
                let whom = key == .systemTurns ? "what all people together cost" : "what somebody who is not signed in costs"
                findings.append(
                    .warning(.limits, "\(name) is none (\(origin(of: name, settings))): nothing bounds \(whom).", "Set a number."))
            }
        }
        let tools = settings.table("quotas.anonymous.tools").sorted { $0.key < $1.key }
        told += tools.map { "anonymous.tools.\($0.key) \($0.value)" }
        return [.ok(.limits, "In force: \(told.joined(separator: ", ")).")] + findings
    }

    private static func raise(_ name: String) -> String { "Set \(name) to a number, or to none for no limit, unless that is meant." }

    private static func origin(of name: String, _ settings: Settings) -> String {
        settings.entries.first { $0.key.name == name }?.origin.description ?? ""
    }
}
