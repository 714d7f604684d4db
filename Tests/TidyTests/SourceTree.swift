import Foundation

/// The project's files, as text.
struct SourceTree {
    struct File {
        /// Relative to the project's root, with `/`.
        var path: String
        var text: String

        /// The lines of code, numbered from 1, without comments that stand alone on a line.
        var code: [(number: Int, line: Substring)] {
            text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
                .filter { !$0.element.drop(while: { $0 == " " }).hasPrefix("//") }
                .map { ($0.offset + 1, $0.element) }
        }
    }

    /// The project's root, found from where this file stands.
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// All Swift files below a folder.
    static func swiftFiles(below folder: String) throws -> [File] {
        let base = root.appendingPathComponent(folder)
        guard let paths = FileManager.default.enumerator(atPath: base.path) else { return [] }
        return try paths.compactMap { $0 as? String }.filter { $0.hasSuffix(".swift") }.sorted().map { path in
            File(path: "\(folder)/\(path)", text: try String(contentsOf: base.appendingPathComponent(path), encoding: .utf8))
        }
    }
}
