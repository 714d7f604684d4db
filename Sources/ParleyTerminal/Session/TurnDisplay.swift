import JSON
import ParleyClient

/// Shows a turn while it runs.
final class TurnDisplay {
    /// What of a turn is worth being shown to somebody.
    enum Manner {
        /// Rendered Markdown, with what the model thinks and does.
        case rendered
        /// Only what is said, as it is.
        case raw
    }

    /// How much is shown of why a tool has failed, in columns.
    private static let longestReason = 400

    private let screen: Screen
    private let manner: Manner
    private let showsThoughts: Bool
    private var renderer: MarkdownRenderer?
    private var thoughts: LineWrapper?
    private var messageID: String?
    private var thinkingSince: Int?
    private let begin = Clock.monotonic
    private var tools: [(id: String, name: String, arguments: JSONValue)] = []
    /// Whether the turn is a command's, whose answer says all that its tools do.
    private var isLocal = false
    private var isCancelling = false
    /// The conversation, once it is known.
    private(set) var conversationID: String?
    /// A conversation that a command has made, to go on with.
    private(set) var nextConversationID: String?
    /// A warning that a limit is near.
    private(set) var warning: String?
    /// Whether anything was said.
    private(set) var hasSpoken = false

    init(_ screen: Screen, _ manner: Manner, showsThoughts: Bool) {
        self.screen = screen
        self.manner = manner
        self.showsThoughts = showsThoughts
    }

    /// Shows that the turn goes on; to be called every `Screen.tick`.
    func tick() {
        guard manner == .rendered else { return }
        let seconds = (Clock.monotonic - begin) / 1_000
        let what = isCancelling ? "cancelling" : tools.last?.name ?? (thinkingSince == nil ? "waiting" : "thinking")
        screen.wait(seconds < 2 ? "\(what)…" : "\(what)… \(seconds) s")
    }

    /// Shows that the turn's end was asked for.
    func cancel() {
        isCancelling = true
    }

    /// Shows an event of the turn.
    func take(_ method: String, _ params: JSONValue) {
        if let id = params["conversationId"]?.stringValue { conversationID = id }
        switch method {
        case "turnStarted": isLocal = params["turn"]?["local"]?.boolValue ?? false
        case "messageDelta": say(params["messageId"]?.stringValue, params["delta"]?.stringValue ?? "")
        case "reasoningDelta": think(params["delta"]?.stringValue ?? "")
        case "toolCallStarted":
            pause()
            let call = params["toolCall"] ?? [:]
            tools.append((call["id"]?.stringValue ?? "", call["name"]?.stringValue ?? "", call["arguments"] ?? [:]))
        case "toolCallCompleted": completeTool(params)
        case "retryScheduled": retry(params)
        case "quotaWarning": warning = params["message"]?.stringValue
        case "turnCompleted": pause()
        default: break
        }
        screen.flush()
    }

    /// Ends what was being said, so that something else can be shown.
    func pause() {
        endThought()
        guard let whole = renderer?.end() else { return }
        screen.pieces(whole)
        renderer = nil
        messageID = nil
    }

    /// Shows an answer that has not come piece by piece.
    func complete(_ message: JSONValue?) {
        pause()
        if !hasSpoken, let message { say(message["id"]?.stringValue, Transcription.text(of: message)) }
        pause()
        if manner == .raw { screen.beginLine() }
        screen.flush()
    }

    private func say(_ id: String?, _ text: String) {
        endThought()
        guard !text.isEmpty else { return }
        if manner == .raw {
            if id != messageID, hasSpoken { screen.raw("\n\n") }
            screen.raw(text)
        } else {
            if id != messageID {
                pause()
                screen.beginParagraph()
            }
            var renderer = renderer ?? MarkdownRenderer(width: screen.size.columns, isStyled: screen.abilities.hasStyles)
            renderer.width = screen.size.columns
            screen.pieces(renderer.add(text))
            self.renderer = renderer
        }
        messageID = id
        hasSpoken = true
    }

    // MARK: Thoughts and tools

    private func think(_ text: String) {
        guard manner == .rendered else { return }
        if thinkingSince == nil {
            pause()
            thinkingSince = Clock.monotonic
            if showsThoughts { screen.beginParagraph() }
        }
        guard showsThoughts else { return }
        var wrapper = thoughts ?? LineWrapper(width: screen.size.columns, first: [.text("  ", .dim)], indent: [.text("  ", .dim)])
        for scalar in SafeText.shown(text).unicodeScalars {
            if scalar == "\n" {
                wrapper.end()
                screen.pieces(wrapper.take() + [.newline])
                wrapper = LineWrapper(width: screen.size.columns, first: [.text("  ", .dim)], indent: [.text("  ", .dim)])
            } else {
                wrapper.add(scalar, .dim)
            }
        }
        screen.pieces(wrapper.take())
        thoughts = wrapper
    }

    private func endThought() {
        guard let since = thinkingSince else { return }
        thinkingSince = nil
        if var wrapper = thoughts {
            wrapper.end()
            screen.pieces(wrapper.take())
            thoughts = nil
        }
        note("Thought for \(Explanation.duration(milliseconds: Clock.monotonic - since)).")
    }

    private func completeTool(_ params: JSONValue) {
        let id = params["toolCallId"]?.stringValue
        guard let index = tools.firstIndex(where: { $0.id == id }) else { return }
        let tool = tools.remove(at: index)
        if isLocal, tool.name == "new" { nextConversationID = params["data"]?["conversation"]?["id"]?.stringValue }
        guard manner == .rendered, !isLocal else { return }
        let isDone = params["status"]?.stringValue == "completed"
        let line = "\(isDone ? "✓" : "✗") \(tool.name) \(Transcription.arguments(tool.arguments))"
        screen.beginLine()
        screen.line(SafeText.line(line, width: screen.size.columns - 1), isDone ? .dim : .error)
        if !isDone, let text = params["text"]?.stringValue { screen.paragraph(SafeText.line(text, width: Self.longestReason), .error) }
    }

    private func retry(_ params: JSONValue) {
        let message = params["error"]?["message"]?.stringValue ?? "The model has failed."
        if let model = params["model"]?.stringValue {
            note("\(message) Asking \(model) instead.")
        } else {
            note("\(message) Asking again in \(Explanation.duration(milliseconds: params["delayMs"]?.intValue ?? 0)).")
        }
    }

    private func note(_ text: String) {
        guard manner == .rendered else { return }
        if let whole = renderer?.end() { screen.pieces(whole) }
        renderer = nil
        messageID = nil
        screen.beginLine()
        screen.paragraph(text, .dim)
    }
}
