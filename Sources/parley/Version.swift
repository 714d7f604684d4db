import CCommit

/// The program's version, by semantic versioning (semver.org 2.0.0).
enum Version {
    static let current = "0.1.0"

    /// The version with the commit that the program was built from, for people.
    static var withCommit: String {
        let commit = String(cString: parley_commit())
        return "\(current) (\(commit.isEmpty ? "unknown commit" : commit))"
    }
}
