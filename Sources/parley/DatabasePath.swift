import Foundation

/// Where the database is when nobody says.
enum DatabasePath {
    /// `parley/parley.db` in `$XDG_DATA_HOME`, which is `~/.local/share` by default (XDG Base Directory Specification 0.8).
    static func standard(environment: [String: String]) -> String {
        let data = environment["XDG_DATA_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        let home = environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? FileManager.default.homeDirectoryForCurrentUser.path
        return (data ?? home + "/.local/share") + "/parley/parley.db"
    }
}
