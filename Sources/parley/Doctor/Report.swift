import Foundation
import Glibc
import JSON

/// What `parley doctor` has found so far, told as it comes or, as JSON, at the end.
struct Report {
    /// How it is told.
    enum Form {
        /// For people: signs and colours.
        case signs
        /// The same in plain words, for a file or a terminal without colours.
        case words
        case json
    }

    private let form: Form
    private var findings: [Finding] = []

    init(form: Form) {
        self.form = form
    }

    /// The form for people that suits where stdout goes (https://no-color.org).
    static func form(environment: [String: String]) -> Form {
        let wantsNoColor = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        return isatty(STDOUT_FILENO) == 1 && !wantsNoColor && environment["TERM"] != "dumb" ? .signs : .words
    }

    /// Whether anything does not work.
    var hasProblem: Bool { findings.contains { $0.mark == .problem } }

    /// Takes findings, and prints them unless all is to be one JSON text.
    mutating func add(_ new: [Finding]) {
        findings += new
        guard form != .json else { return }
        for finding in new {
            let mark = form == .signs ? Self.colored(finding.mark) : Self.padded(finding.mark.rawValue, to: 8)
            print("\(mark) \(Self.padded(finding.subject.rawValue, to: 8))  \(finding.message)")
            if let advice = finding.advice { print("\(form == .signs ? "   " : "          ")\(Self.padded("", to: 8))→ \(advice)") }
        }
        // What takes long comes after what is known already.
        fflush(nil)
    }

    /// Prints the end.
    func end() {
        let (problems, warnings) = (count(.problem), count(.warning))
        guard form == .json else {
            print("")
            switch (problems, warnings) {
            case (0, 0): print("All is well.")
            case (0, _): print("Works, with \(Self.counted(warnings, "warning")).")
            default: print("\(Self.counted(problems, "problem")), \(Self.counted(warnings, "warning")).")
            }
            return
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.key("ok")
            writer.bool(problems == 0)
            writer.member("version", Version.withCommit)
            writer.key("findings")
            writer.array { writer in
                for finding in findings {
                    writer.object { writer in
                        writer.member("mark", finding.mark.rawValue)
                        writer.member("subject", finding.subject.rawValue)
                        writer.member("message", finding.message)
                        writer.member("advice", finding.advice)
                    }
                }
            }
        }
        print(String(decoding: writer.take(), as: UTF8.self))
    }

    private func count(_ mark: Finding.Mark) -> Int { findings.count { $0.mark == mark } }

    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private static func padded(_ text: String, to width: Int) -> String { text + String(repeating: " ", count: max(0, width - text.count)) }

    private static func colored(_ mark: Finding.Mark) -> String {
        let color =
            switch mark {
            case .ok: 32
            case .warning: 33
            case .problem: 31
            }
        return "\u{1B}[\(color)m\(mark.sign)\u{1B}[0m"
    }
}
