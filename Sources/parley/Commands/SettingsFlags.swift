import Foundation

/// The settings that a command line gives.
struct SettingsFlags: Equatable, Sendable {
    /// The setting of each flag that is for one alone.
    static let names = [
        "--database": "database", "--model": "model", "--record": "record", "--caller": "caller", "--log-level": "log.level",
        "--log-format": "log.format",
    ]

    /// What settings with a flag of their own are set to, by dotted name.
    var values: [String: String] = [:]
    /// What `--set` gives, each `KEY=VALUE`.
    var assignments: [String] = []
    /// The settings file.
    var file: String?

    /// The settings in force.
    ///
    /// - Parameter usesEnvironment: false in a deterministic host, which must not depend on where it runs.
    func settings(usesEnvironment: Bool = true) throws(SettingsError) -> Settings {
        var flags: [String: String] = [:]
        for assignment in assignments {
            let halves = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { throw SettingsError("--set \(assignment): expected KEY=VALUE.") }
            flags[String(halves[0])] = String(halves[1])
        }
        return try Settings(
            flags: flags.merging(values) { _, own in own }, environment: usesEnvironment ? ProcessInfo.processInfo.environment : [:],
            filePath: file)
    }
}
