/// The commands that the terminal understands by itself; all others are the host's.
enum ClientCommand: String, CaseIterable {
    case conversations
    case open
    case model
    case regenerate
    case thoughts
    case exit

    /// What menus and `/help` tell of it.
    var command: Command {
        switch self {
        case .conversations: Command(rawValue, "/conversations", "List your conversations, to go on with one.")
        case .open:
            Command(
                rawValue, "/open NUMBER", "Go on with a conversation of the list.",
                fields: [.init(name: "number", summary: "Its number in /conversations.")])
        case .model:
            Command(
                rawValue, "/model [NAME]",
                "Choose the model of the next messages, or list the models; `default` brings the first one back.",
                fields: [.init(name: "name", summary: "The model, as PROVIDER:MODEL.")])
        case .regenerate: Command(rawValue, "/regenerate", "Let the last message be answered again.")
        case .thoughts: Command(rawValue, "/thoughts", "Show what the model thinks, or show it no more.")
        case .exit: Command(rawValue, "/exit", "Leave; Ctrl-D does too.")
        }
    }

    /// Reads a message that is such a command.
    ///
    /// - Returns: nil when it is none.
    static func read(_ text: String) -> (command: ClientCommand, argument: String)? {
        let trimmed = text.split(whereSeparator: \.isWhitespace)
        // Who wants to leave tries these first.
        if trimmed.count == 1, ["exit", "quit", "/quit"].contains(String(trimmed[0])) { return (.exit, "") }
        guard let name = trimmed.first, name.hasPrefix("/"), let command = ClientCommand(rawValue: String(name.dropFirst())) else {
            return nil
        }
        return (command, trimmed.dropFirst().joined(separator: " "))
    }

    /// The keys that are worth knowing.
    static let keys = """
        - Enter sends. Alt-Enter, or a backslash at the end of a line, begins a new line.
        - Ctrl-C cancels the answer, twice it leaves. Ctrl-D leaves.
        - Tab completes commands. ↑ brings back what you have written.
        """
}
