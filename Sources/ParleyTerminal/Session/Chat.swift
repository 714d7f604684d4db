import Glibc
import JSON
import ParleyClient

/// A conversation at a terminal: messages are written, answers shown, commands done.
package final class Chat {
    /// The names of the slash commands that are done here and not by the host.
    package static let commandNames = ClientCommand.allCases.map(\.rawValue)

    /// How many conversations are listed.
    private static let listed = 20
    /// How much is looked at of a conversation that goes on.
    private static let recapped = 100

    private let link: HostLink
    private let screen: Screen
    private let options: ChatOptions
    private let keyboard: Keyboard?
    private let prompter: Prompter
    private var conversationID: String?
    /// The bot of a conversation that is not made yet.
    private var bot: JSONValue?
    /// The model that was chosen here; nil for the bot's or the host's.
    private var model: String?
    private var showsThoughts = false
    private var hasWarned = false
    /// Whether the host is worth being started again when it dies: it has answered since the last time.
    private var mayRevive = true
    private var listing: [JSONValue] = []

    /// - Parameter options: what is wanted; stdin is a terminal.
    package init(_ options: ChatOptions) {
        self.options = options
        screen = Screen(
            STDOUT_FILENO, Screen.Abilities(of: STDOUT_FILENO, environment: options.environment, wantsColor: options.wantsColor))
        link = HostLink(options, Events(input: STDIN_FILENO, signals: SignalPipe(EndSignals.taken)), isInteractive: true)
        keyboard = screen.abilities.movesCursor ? Keyboard(screen) : nil
        prompter = Prompter(link, screen, keyboard)
    }

    /// Chats until somebody leaves.
    ///
    /// - Returns: the exit code: 0, 128 and a signal's number (130 after Ctrl-C twice), 1 when the host cannot go on, or the host's where it could
    ///   not start.
    package func run() -> Int32 {
        keyboard?.begin()
        defer { keyboard?.end() }
        do {
            try begin()
            while true {
                do {
                    guard let message = try prompter.message(values: values) else { break }
                    try take(message)
                } catch HostLink.Trouble.refused(let refusal) {
                    complain(Explanation.line(refusal, hasCommands: true))
                } catch HostLink.Trouble.hostEnded {
                    try revive()
                }
            }
            link.end()
            return 0
        } catch HostLink.Trouble.leave(let code) {
            screen.beginLine()
            screen.flush()
            link.end(isHurried: true)
            return code
        } catch HostLink.Trouble.hostEnded {
            return giveUp()
        } catch HostLink.Trouble.refused(let refusal) {
            complain(Explanation.line(refusal, hasCommands: true))
            link.end()
            return 1
        } catch {
            complain("\(error).")
            return 1
        }
    }

    private func complain(_ text: String) {
        screen.beginLine()
        screen.paragraph(text, .error)
        screen.flush()
    }

    // MARK: The host

    private func begin() throws {
        try link.start()
        let status = try link.call("getStatus")
        prompter.commands = try commands()
        let bot = try options.bot.map { try Conversations(link).bot(named: $0) }
        self.bot = bot
        let version = status["version"]?.stringValue ?? ""
        var title = "parley \(version), \(status["defaultModel"]?.stringValue ?? "no model")"
        if let name = bot?["name"]?.stringValue { title += ", \(name)" }
        screen.paragraph("\(title). /help tells more, Ctrl-D leaves.", .dim)
        if status["demonstration"]?.boolValue == true {
            screen.paragraph(
                "No language model is set up, so a demonstration answers. Set MINIMAX_API_KEY, OPENAI_API_KEY or ANTHROPIC_API_KEY, or "
                    + "choose one with --model.", Style(color: .yellow))
        }
        if options.isContinued {
            if let latest = try Conversations(link).latest(bot: bot) {
                try open(latest)
            } else {
                screen.paragraph("There is no conversation to go on with, so this is a new one.", .dim)
            }
        }
    }

    private func commands() throws(HostLink.Trouble) -> [Command] {
        let hosts = (try link.call("listCommands")["data"]?.arrayValue ?? []).compactMap(Command.init)
        let own = ClientCommand.allCases.map(\.command)
        return hosts.filter { host in !own.contains { $0.name == host.name } } + own
    }

    /// Starts the host again after it has died, once.
    private func revive() throws {
        screen.beginLine()
        guard mayRevive else { throw HostLink.Trouble.hostEnded }
        mayRevive = false
        for line in link.end().explanation { complain(line) }
        screen.paragraph("It is started again.", .dim)
        try link.start()
        guard let id = conversationID else { return }
        let messages: [JSONValue]
        do throws(HostLink.Trouble) {
            messages = try Conversations(link).messages(id, 1)
        } catch {
            guard case .refused(let refusal) = error, refusal.code == "notFound" else { throw error }
            conversationID = nil
            screen.paragraph("The conversation was only in memory, and is gone.", .dim)
            return
        }
        if let last = messages.last, last["status"]?.stringValue == "partial" {
            screen.paragraph("What was kept of the answer:", .dim)
            show(last)
        }
        screen.paragraph("/regenerate lets the message be answered again.", .dim)
    }

    /// Says why the host cannot go on.
    private func giveUp() -> Int32 {
        let end = link.end()
        screen.beginLine()
        for line in end.explanation { complain(line) }
        return end.exitCode
    }

    // MARK: Messages

    private func take(_ message: String) throws {
        guard message.contains(where: { !$0.isWhitespace }) else { return }
        if let (command, argument) = ClientCommand.read(message) { return try run(command, argument) }
        let words = message.split(whereSeparator: \.isWhitespace)
        if words.count <= 2, words[0] == "/help" || words == ["/"] && conversationID == nil {
            return try help(words.dropFirst().first.map(String.init))
        }
        if let problem = MessageSize.problem(message, link.limits) { return complain(problem) }
        try turn(
            "sendMessage",
            [
                "conversationId": conversationID.map { .string($0) } ?? .null, "text": .string(message),
                "botId": conversationID == nil ? bot?["id"] ?? .null : .null, "model": model.map { .string($0) } ?? .null,
            ])
        if words == ["/"] { screen.paragraph("/help tells about the commands and keys of this terminal, too.", .dim) }
    }

    private func turn(_ method: String, _ params: JSONValue) throws(HostLink.Trouble) {
        let display = TurnDisplay(screen, .rendered, showsThoughts: showsThoughts)
        let reply: JSONValue
        do {
            defer { conversationID = display.conversationID ?? conversationID }
            reply = try TurnRunner(link, display, screen, keyboard: keyboard).run(method, params)
        } catch {
            display.pause()
            screen.flush()
            throw error
        }
        mayRevive = true
        conversationID = reply["turn"]?["conversationId"]?.stringValue ?? conversationID
        display.complete(reply["message"])
        let turn = reply["turn"] ?? [:]
        switch turn["status"]?.stringValue {
        case "completed":
            if turn["stopReason"]?.stringValue == "maxTokens" { screen.paragraph("The answer has reached its greatest length.", .dim) }
        case "cancelled":
            prompter.hasInterrupted = keyboard != nil
            screen.paragraph(keyboard == nil ? "Cancelled." : "Cancelled. Ctrl-C again leaves.", .dim)
        default:
            complain(turn["error"].map { Explanation.line(HostConnection.Refusal($0), hasCommands: true) } ?? "The answer was interrupted.")
        }
        if let warning = display.warning, !hasWarned {
            hasWarned = true
            screen.paragraph(warning, Style(color: .yellow))
        }
        if let next = display.nextConversationID {
            conversationID = next
            screen.paragraph("You are in it now; /conversations lists the others.", .dim)
        }
        screen.flush()
    }

    private func show(_ message: JSONValue) {
        var renderer = MarkdownRenderer(width: screen.size.columns, isStyled: screen.abilities.hasStyles)
        screen.beginParagraph()
        screen.pieces(renderer.add(Transcription.text(of: message)) + renderer.end())
    }

    // MARK: Commands

    private func run(_ command: ClientCommand, _ argument: String) throws(HostLink.Trouble) {
        switch command {
        case .conversations: try listConversations()
        case .open:
            guard !argument.isEmpty else { return try listConversations() }
            if listing.isEmpty { listing = try Conversations(link).list(Self.listed) }
            guard let number = Int(argument), listing.indices.contains(number - 1) else {
                return complain("There is no conversation \(argument) in the list; /conversations shows it.")
            }
            try open(listing[number - 1])
        case .model: try choose(model: argument)
        case .regenerate: try regenerate()
        case .thoughts:
            showsThoughts.toggle()
            screen.paragraph("What the model thinks is \(showsThoughts ? "shown" : "not shown any more").", .dim)
        case .exit: throw .leave(0)
        }
        screen.flush()
    }

    private func listConversations() throws(HostLink.Trouble) {
        listing = try Conversations(link).list(Self.listed)
        guard !listing.isEmpty else { return screen.paragraph("There are no conversations.", .dim) }
        for (index, conversation) in listing.enumerated() {
            let isOpen = conversation["id"]?.stringValue == conversationID
            let number = "\(index + 1)"
            let start =
                "\(isOpen ? "*" : " ")\(String(repeating: " ", count: max(0, 2 - number.count)))\(number)  "
                + "\(Clock.local(conversation["updatedAt"]?.stringValue ?? ""))  "
            let room = max(10, screen.size.columns - 1 - DisplayWidth.of(start))
            screen.line(start + SafeText.line(Self.title(conversation), width: room), isOpen ? .bold : .plain)
        }
        screen.paragraph("/open NUMBER goes on with one.", .dim)
    }

    private static func title(_ conversation: JSONValue) -> String {
        let title = SafeText.line(conversation["title"]?.stringValue ?? "")
        return title.isEmpty ? "(no title)" : title
    }

    /// Goes on with a conversation, and tells how it stands.
    private func open(_ conversation: JSONValue) throws(HostLink.Trouble) {
        guard let id = conversation["id"]?.stringValue else { return }
        conversationID = id
        let messages = try Conversations(link).messages(id, Self.recapped).filter { $0["local"]?.boolValue != true }
        let own = messages.filter { $0["role"]?.stringValue == "user" }
        prompter.remember(own.map(Transcription.text))
        screen.beginLine()
        screen.paragraph(
            "\(Self.title(conversation)), \(Clock.local(conversation["updatedAt"]?.stringValue ?? ""))", .bold)
        if let last = own.last {
            screen.line(Prompter.prompt + SafeText.line(Transcription.text(of: last), width: screen.size.columns - 4), .dim)
            if let answer = messages.last(where: { $0["role"]?.stringValue == "assistant" && !Transcription.text(of: $0).isEmpty }) {
                show(answer)
                if answer["status"]?.stringValue == "partial" { screen.paragraph("The answer is not whole.", .dim) }
            }
        }
        screen.flush()
    }

    private func choose(model name: String) throws(HostLink.Trouble) {
        if name == "default" {
            model = nil
            return screen.paragraph("The bot's model answers, or the host's.", .dim)
        }
        if !name.isEmpty {
            model = name
            return screen.paragraph("\(name) answers from now on.", .dim)
        }
        for choice in try link.call("listModels")["data"]?.arrayValue ?? [] {
            guard let id = choice["id"]?.stringValue else { continue }
            let isChosen = model.map { $0 == id } ?? (choice["default"]?.boolValue ?? false)
            screen.line("\(isChosen ? "*" : " ") \(id)", isChosen ? .bold : .plain)
        }
        if let model { screen.paragraph("\(model) was chosen; /model default takes that back.", .dim) }
    }

    private func regenerate() throws(HostLink.Trouble) {
        guard let id = conversationID else { return complain("Nothing was said yet.") }
        let last = try Conversations(link).messages(id, Self.recapped).last {
            $0["role"]?.stringValue == "user" && $0["local"]?.boolValue != true
        }
        guard let last else { return complain("There is no message that could be answered again.") }
        screen.line(Prompter.prompt + SafeText.line(Transcription.text(of: last), width: screen.size.columns - 4), .dim)
        try turn(
            "regenerateMessage",
            ["conversationId": .string(id), "messageId": last["id"] ?? .null, "model": model.map { .string($0) } ?? .null])
    }

    /// Tells about all commands, or one.
    private func help(_ name: String?) throws(HostLink.Trouble) {
        let name = name.map { $0.hasPrefix("/") ? String($0.dropFirst()) : $0 }
        let own = ClientCommand.allCases.map(\.command)
        if let name {
            guard let command = prompter.commands.first(where: { $0.name == name }) else {
                return complain("There is no command /\(name); / lists all of them.")
            }
            screen.paragraph(command.usage, .bold)
            screen.paragraph(command.summary)
            for field in command.fields {
                screen.paragraph("  --\(field.name)\(field.isRequired ? " (required)" : ""): \(field.summary)")
            }
            return screen.flush()
        }
        func list(_ commands: [Command]) -> String { commands.map { "- `\($0.usage)`: \($0.summary)" }.joined(separator: "\n") }
        let hosts = prompter.commands.filter { !own.contains($0) }
        let text = """
            **Conversations and bots**
            \(list(hosts))

            **This terminal**
            \(list(own))

            **Keys**
            \(ClientCommand.keys)
            """
        var renderer = MarkdownRenderer(width: screen.size.columns, isStyled: screen.abilities.hasStyles)
        screen.pieces(renderer.add(text) + renderer.end())
        screen.flush()
    }

    /// What an argument of a command can be.
    private func values(_ command: String, _ field: String) -> [Completion.Candidate] {
        do {
            switch field {
            case "bot":
                return try Conversations(link).bots().compactMap { $0["name"]?.stringValue.map { Completion.Candidate(Self.quoted($0)) } }
            case _ where field == "model" || command == ClientCommand.model.rawValue:
                return (try link.call("listModels")["data"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue.map { .init($0) } }
            case "command": return prompter.commands.map { .init($0.name, $0.summary) }
            case "number":
                if listing.isEmpty { listing = try Conversations(link).list(Self.listed) }
                return listing.enumerated().map { .init("\($0.offset + 1)", Self.title($0.element)) }
            default: return []
            }
        } catch {
            // A menu that cannot be had is an empty one; whatever is wrong is told by what is done next.
            return []
        }
    }

    private static func quoted(_ text: String) -> String { text.contains(" ") ? "\"\(text)\"" : text }
}
