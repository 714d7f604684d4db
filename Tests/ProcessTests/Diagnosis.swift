import JSON
import ParleyTestSupport

/// What `parley doctor --json` has found.
struct Diagnosis {
    let code: Int32
    /// All that it printed.
    let output: String
    private let findings: [JSONValue]

    /// Runs it to its end.
    ///
    /// - Parameter environment: variables beside PATH.
    init(_ arguments: [String], environment: [String: String] = [:]) async throws {
        let process = try ParleyProcess(["doctor", "--json"] + arguments, environment: environment)
        process.endInput()
        output = await process.rest()
        code = await process.exitCode()
        findings = try JSONReader.parse(Array(output.utf8))["findings"]?.arrayValue ?? []
    }

    /// What is wrong.
    var problems: [String] { findings.filter { $0["mark"] == "problem" }.compactMap { $0["message"]?.stringValue } }

    /// What was found and has a text in it; empty for nothing.
    func message(_ subject: String, _ mark: String, _ text: String) -> String {
        finding(subject, mark, text)?["message"]?.stringValue ?? ""
    }

    /// What is to be done about it; empty for nothing.
    func advice(_ subject: String, _ mark: String, _ text: String) -> String { finding(subject, mark, text)?["advice"]?.stringValue ?? "" }

    private func finding(_ subject: String, _ mark: String, _ text: String) -> JSONValue? {
        findings.first { finding in
            finding["subject"]?.stringValue == subject && finding["mark"]?.stringValue == mark
                && finding["message"]?.stringValue?.contains(text) ?? false
        }
    }
}
