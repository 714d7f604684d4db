/// The program's version, by semantic versioning (semver.org 2.0.0).
enum Version {
    static let current = "0.1.0"
}
