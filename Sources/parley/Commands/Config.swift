import ArgumentParser

/// `parley config`: what is in force and where it came from.
struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print every setting with its value and where it came from; secrets are masked.",
        discussion: """
            Flags win over PARLEY_… variables, which win over a settings file, which wins over defaults; give this command the same flags and \
            the same environment as `parley serve`. The servers of models come last, and the models that are known by name.

            Exit codes: 0; 64 for wrong flags; 78 for wrong settings.
            """)

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await Self.reporting {
            let settings = try options.settings()
            let rows = settings.entries.map { entry in
                (entry.key.name, entry.text.map(entry.key.shown) ?? "(not set)", entry.origin.description, entry.key.summary)
            }
            let nameWidth = rows.map(\.0.count).max() ?? 0
            let valueWidth = min(40, rows.map(\.1.count).max() ?? 0)
            for (name, value, origin, summary) in rows {
                print("\(name.padded(to: nameWidth))  \(value.padded(to: valueWidth))  \(origin)")
                print("\("".padded(to: nameWidth))    \(summary)")
            }
            for name in settings.unknownVariables { print("warning: \(name) is no setting") }
            _ = try await AuthSettings.authentication(settings)
            for line in try Composition.describeModels(settings) { print(line) }
        }
    }
}

/// Secrets that stand inside other texts.
enum Credentials {
    /// A URL with its user name, password and query masked.
    static func masked(inURL url: String) -> String {
        var masked = url
        if let scheme = url.range(of: "://") {
            let rest = url[scheme.upperBound...]
            let authorityEnd = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
            if let at = rest[..<authorityEnd].lastIndex(of: "@") { masked = url[..<scheme.upperBound] + "***" + url[at...] }
        }
        if let query = masked.firstIndex(of: "?") { masked = masked[..<query] + "?***" }
        return masked
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
