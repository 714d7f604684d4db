import Glibc
import JSON
import ParleyClient

/// Asks somebody whether a tool may be called.
struct Approval {
    /// What came of it.
    enum Outcome {
        /// The host has its answer, or wants none any more.
        case answered
        /// Somebody wants the turn to end.
        case interrupted
    }

    private static let options = [
        "y": "allowOnce", "yes": "allowOnce", "a": "allowAlways", "always": "allowAlways", "n": "rejectOnce", "no": "rejectOnce",
        "d": "rejectAlways", "never": "rejectAlways",
    ]
    private static let question = "Allow it? y yes, n no, a always here, d never here: "

    private let link: HostLink
    private let screen: Screen
    private let keyboard: Keyboard?

    init(_ link: HostLink, _ screen: Screen, _ keyboard: Keyboard?) {
        self.link = link
        self.screen = screen
        self.keyboard = keyboard
    }

    /// Answers a request `requestApproval`.
    ///
    /// What was typed before the question was not meant for it. What the host says meanwhile is put off, except that it wants no answer.
    ///
    /// - Parameters:
    ///   - request: the request's id.
    ///   - params: its params.
    func ask(_ request: JSONValue, _ params: JSONValue) throws(HostLink.Trouble) -> Outcome {
        showQuestion(params)
        var others: [Events.Event] = []
        // Of several keys at once none is meant: they may be an arrow, or a paste.
        var decoder = KeyDecoder()
        defer { link.events.putBack(others) }
        func finish(_ word: String) {
            screen.text(word)
            screen.newline()
            screen.flush()
        }
        while true {
            let event = link.events.next()
            switch event {
            case .input(let bytes):
                for key in decoder.add(bytes) {
                    switch key {
                    case .interrupt:
                        finish("^C")
                        return .interrupted
                    case .suspend:
                        keyboard?.suspend()
                        showQuestion(params)
                    case .text(let word):
                        guard let option = Self.options[word.lowercased()] else { continue }
                        link.connection?.reply(to: request, ["option": .string(option)])
                        finish(keyboard == nil ? "" : word)
                        return .answered
                    default: continue
                    }
                }
            case .message(.notification("$/cancelRequest", let params)) where params["id"] == request:
                finish("too late")
                return .answered
            case .inputEnded:
                link.endInput()
                link.connection?.reply(to: request, ["option": "rejectOnce"])
                finish("no")
                return .answered
            case .signal(SIGINT):
                finish("")
                return .interrupted
            case .signal(SIGCONT): keyboard?.begin()
            case .signal(let number): try HostLink.check(number)
            case .hostEnded: throw .hostEnded
            case .message, .nothing: others.append(event)
            }
        }
    }

    private func showQuestion(_ params: JSONValue) {
        screen.beginParagraph()
        screen.paragraph("\(params["name"]?.stringValue ?? "A tool") wants to be called with", Style(color: .yellow))
        for (name, value) in params["arguments"]?.objectValue ?? [:] {
            let text = value.stringValue ?? String(decoding: JSONWriter.encode(value), as: UTF8.self)
            // No line of an argument looks like one of this question's.
            screen.paragraph("  \(name): \(text.replacing("\n", with: "\n    "))")
        }
        screen.text(Self.question, .bold)
        screen.flush()
    }
}
