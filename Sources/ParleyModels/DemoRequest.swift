import JSON
import ParleyCore

/// What the demonstration understands of a message: three plain requests in English.
///
/// `Create a bot named Ada`, `make a bot called Ada that explains mathematics`; `list my bots`; `use the bot Ada`, `switch to the bot Ada`.
enum DemoRequest {
    /// The tool call that the last message asks for; nil when it asks for none that may be called.
    static func toolCall(in request: ModelRequest) -> ToolCall? {
        guard let message = request.messages.last, message.role == .user else { return nil }
        let words = message.text.split(whereSeparator: \.isWhitespace).map(String.init)
        guard let call = create(words) ?? list(words) ?? set(words), request.tools.contains(where: { $0.name == call.name }) else {
            return nil
        }
        return call
    }

    private static func create(_ words: [String]) -> ToolCall? {
        guard let verb = words.firstIndex(where: { ["create", "make"].contains(plain($0)) }),
            let bot = words[verb...].firstIndex(where: { plain($0) == "bot" }), bot <= verb + 3,
            let marker = words[bot...].firstIndex(where: { ["named", "called"].contains(plain($0)) }), marker < words.count - 1
        else { return nil }
        let rest = words[(marker + 1)...]
        let end = rest.firstIndex { ["that", "who", "which", "and"].contains(plain($0)) } ?? rest.endIndex
        let name = trimmed(rest[..<end].joined(separator: " "))
        guard !name.isEmpty else { return nil }
        var arguments: JSONValue = ["name": .string(name)]
        let purpose = trimmed(rest[end...].dropFirst().joined(separator: " "))
        if !purpose.isEmpty { arguments = ["name": .string(name), "description": .string(purpose)] }
        return ToolCall(id: "", name: "create_bot", arguments: arguments)
    }

    private static func list(_ words: [String]) -> ToolCall? {
        guard let verb = words.first.map(plain), ["list", "show", "which", "what"].contains(verb),
            words.dropFirst().prefix(4).contains(where: { plain($0) == "bots" })
        else { return nil }
        return ToolCall(id: "", name: "list_bots", arguments: [:])
    }

    private static func set(_ words: [String]) -> ToolCall? {
        guard let verb = words.firstIndex(where: { ["use", "choose", "switch"].contains(plain($0)) }),
            let bot = words[verb...].firstIndex(where: { plain($0) == "bot" }), bot <= verb + 3, bot < words.count - 1
        else { return nil }
        return ToolCall(id: "", name: "set_bot", arguments: ["bot": .string(trimmed(words[(bot + 1)...].joined(separator: " ")))])
    }

    /// A word in lower case without the punctuation round it.
    private static func plain(_ word: String) -> String { trimmed(word).lowercased() }

    private static func trimmed(_ text: String) -> String {
        func isEdge(_ character: Character) -> Bool { character.isWhitespace || ".,:;!?\"'“”‘’".contains(character) }
        let start = text.drop(while: isEdge)
        return String(start.reversed().drop(while: isEdge).reversed())
    }
}
