/// One thing that `parley doctor` has looked at: what it found, and what is to be done about it.
struct Finding: Sendable {
    /// How good or bad it is.
    enum Mark: String, Sendable {
        case ok
        /// Works, and may surprise.
        case warning
        /// Does not work.
        case problem

        /// The sign on a terminal.
        var sign: String {
            switch self {
            case .ok: "✓"
            case .warning: "!"
            case .problem: "✗"
            }
        }
    }

    /// What it is about.
    enum Subject: String, Sendable { case settings, people, limits, database, models }

    let mark: Mark
    let subject: Subject
    /// What was found, one sentence; never holds a secret.
    let message: String
    /// What to do, one or two sentences; nil where nothing is to be done.
    let advice: String?

    static func ok(_ subject: Subject, _ message: String) -> Finding {
        Finding(mark: .ok, subject: subject, message: message, advice: nil)
    }

    static func warning(_ subject: Subject, _ message: String, _ advice: String) -> Finding {
        Finding(mark: .warning, subject: subject, message: message, advice: advice)
    }

    static func problem(_ subject: Subject, _ message: String, _ advice: String) -> Finding {
        Finding(mark: .problem, subject: subject, message: message, advice: advice)
    }
}
