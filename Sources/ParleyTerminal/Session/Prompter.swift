import Glibc
import ParleyClient

/// Takes messages from somebody who writes them.
final class Prompter {
    /// What stands before a message.
    static let prompt = "> "
    private static let continuation = "  "
    /// How many possibilities are listed at once.
    private static let maximumCandidates = 24

    private let link: HostLink
    private let screen: Screen
    private let keyboard: Keyboard?
    private var editor = LineEditor()
    private var decoder = KeyDecoder()
    private var keys: [Key] = []
    /// How many rows above the cursor the text begins.
    private var rowsAbove = 0
    /// Whether the last thing that came was Ctrl-C, so that another one leaves.
    var hasInterrupted = false
    /// What Tab completes.
    var commands: [Command] = []

    init(_ link: HostLink, _ screen: Screen, _ keyboard: Keyboard?) {
        self.link = link
        self.screen = screen
        self.keyboard = keyboard
    }

    /// Puts messages into the history, in the place of those that are there.
    func remember(_ messages: [String]) {
        editor.forget()
        for message in messages { editor.remember(message) }
    }

    /// The next message.
    ///
    /// - Parameter values: what an argument of a command can be.
    /// - Returns: nil when somebody leaves.
    func message(
        values: (_ command: String, _ field: String) -> [Completion.Candidate]
    ) throws(HostLink.Trouble) -> String? {
        guard keyboard != nil else { return try line() }
        screen.beginParagraph()
        rowsAbove = 0
        draw()
        while true {
            while !keys.isEmpty {
                switch try take(keys.removeFirst(), values) {
                case .message(let text): return text
                case .leave: return nil
                case nil: break
                }
            }
            draw()
            if !link.typedAhead.isEmpty {
                keys = decoder.add(link.typedAhead)
                link.typedAhead = []
                continue
            }
            if link.hasInputEnded {
                finish()
                return nil
            }
            switch link.events.next() {
            case .input(let bytes): keys = decoder.add(bytes)
            case .inputEnded: link.endInput()
            case .hostEnded:
                finish()
                throw .hostEnded
            case .signal(SIGWINCH): break
            case .signal(SIGCONT): keyboard?.begin()
            case .signal(let number):
                finish()
                try HostLink.check(number)
            case .message(.request(let id, _, _)): link.connection?.refuse(id)
            case .message, .nothing: break
            }
        }
    }

    /// What a key has brought about.
    private enum Outcome {
        case message(String)
        case leave
    }

    private func take(
        _ key: Key, _ values: (_ command: String, _ field: String) -> [Completion.Candidate]
    ) throws(HostLink.Trouble) -> Outcome? {
        let action = editor.take(key)
        if action != .interrupt { hasInterrupted = false }
        switch action {
        case .edited: break
        case .submit(let text):
            draw(text)
            finish()
            return .message(text)
        case .leave:
            finish()
            return .leave
        case .interrupt:
            if editor.text.isEmpty, hasInterrupted {
                finish()
                throw .leave(128 + SIGINT)
            }
            hasInterrupted = editor.text.isEmpty
            editor.clear()
            if hasInterrupted {
                erase()
                screen.paragraph("Ctrl-C again leaves, and so does Ctrl-D.", .dim)
            }
        case .suspend:
            finish()
            keyboard?.suspend()
        case .clearScreen:
            screen.control(.clear)
            rowsAbove = 0
        case .complete: complete(values)
        }
        return nil
    }

    // MARK: Drawing

    private func erase() {
        screen.control(.lineBegin)
        screen.control(.up(rowsAbove))
        screen.control(.eraseDown)
        rowsAbove = 0
    }

    /// Draws the text where it was drawn before.
    ///
    /// - Parameter text: a text in the place of the editor's.
    private func draw(_ text: String? = nil) {
        let size = screen.size
        let layout = EditorLayout(
            prompt: Self.prompt, continuation: Self.continuation, before: text ?? editor.before, after: text == nil ? editor.after : "",
            width: size.columns, height: max(1, size.rows - 1))
        erase()
        for (index, row) in layout.rows.enumerated() {
            if index > 0 { screen.newline() }
            let mark = row.prefix(Self.prompt.count)
            screen.text(String(mark), Style(isBold: true, color: .green))
            screen.text(String(row.dropFirst(mark.count)))
        }
        screen.control(.up(layout.rows.count - 1 - layout.cursorRow))
        screen.control(.lineBegin)
        screen.control(.right(layout.cursorColumn))
        rowsAbove = layout.cursorRow
        screen.flush()
    }

    /// Leaves what was written where it is, and begins a line behind it.
    private func finish() {
        screen.newline()
        screen.flush()
        rowsAbove = 0
    }

    // MARK: Completion

    private func complete(_ values: (_ command: String, _ field: String) -> [Completion.Candidate]) {
        let completion = Completion(before: editor.before, commands: commands, values: values)
        if completion.candidates.count == 1 {
            editor.replaceBefore(completion.count, with: completion.candidates[0].text + " ")
            return
        }
        if completion.common.count > completion.count {
            editor.replaceBefore(completion.count, with: completion.common)
            return
        }
        guard !completion.candidates.isEmpty else { return }
        erase()
        let shown = completion.candidates.prefix(Self.maximumCandidates)
        let widest = shown.map { DisplayWidth.of($0.text) }.max() ?? 0
        for candidate in shown {
            let padding = String(repeating: " ", count: widest - DisplayWidth.of(candidate.text) + 2)
            screen.text(SafeText.line(candidate.text, width: screen.size.columns - 1), Style(color: .cyan))
            let room = screen.size.columns - 1 - widest - 2
            if room > 10, !candidate.hint.isEmpty { screen.text(padding + SafeText.line(candidate.hint, width: room), .dim) }
            screen.newline()
        }
        if completion.candidates.count > shown.count { screen.line("and \(completion.candidates.count - shown.count) more", .dim) }
    }

    // MARK: Without a cursor

    /// The next message of a terminal that gives whole lines and moves no cursor.
    private func line() throws(HostLink.Trouble) -> String? {
        var message: [String] = []
        while true {
            if let end = link.typedAhead.firstIndex(of: 0x0A) {
                let line = String(decoding: link.typedAhead[..<end], as: UTF8.self)
                link.typedAhead.removeFirst(end + 1)
                if line.hasSuffix("\\") {
                    message.append(String(line.dropLast()))
                    continue
                }
                return (message + [line]).joined(separator: "\n")
            }
            if link.hasInputEnded {
                finish()
                return nil
            }
            screen.text(message.isEmpty ? Self.prompt : Self.continuation)
            screen.flush()
            wait: while true {
                switch link.events.next() {
                case .input(let bytes):
                    link.typedAhead += bytes
                    break wait
                case .inputEnded:
                    link.endInput()
                    break wait
                case .hostEnded:
                    finish()
                    throw .hostEnded
                case .signal(let number): try HostLink.check(number)
                case .message(.request(let id, _, _)): link.connection?.refuse(id)
                case .message, .nothing: break
                }
            }
        }
    }
}
