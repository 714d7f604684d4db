import JSON

/// What people may have done by commands, and no model may: things of the conversation itself, and help.
package struct ConversationTools: ToolSource {
    /// The command that explains the others.
    static let help = "help"
    /// The command after which the conversation begins anew; the turn that runs it sees to that.
    static let clear = "clear"

    package let name = "built-in"
    private let conversations: Conversations
    private let quotas: Quotas
    private let botTools: BotTools
    private let definitions: [ToolDefinition]

    /// Offers the tools.
    ///
    /// - Parameter botTools: what `bots` and `bot` are short for.
    /// - Throws: `internalError` when one of them cannot be, which the tests would show.
    package init(conversations: Conversations, quotas: Quotas, botTools: BotTools) throws(Failure) {
        self.conversations = conversations
        self.quotas = quotas
        self.botTools = botTools
        definitions = try Self.describe()
    }

    package func tools() -> [ToolDefinition] { definitions }

    package func call(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ToolOutput {
        let argument = call.arguments.objectValue?.values.first?.stringValue
        switch call.name {
        case Self.help:
            let help = CommandHelp(context.tools)
            return ToolOutput(text: argument.map(help.page) ?? help.overview)
        case "bots": return try await botTools.call(ToolCall(id: call.id, name: "list_bots", arguments: call.arguments), in: context)
        case "bot":
            let name = argument == nil ? "get_bot_info" : "set_bot"
            return try await botTools.call(ToolCall(id: call.id, name: name, arguments: call.arguments), in: context)
        case "quota":
            let limits = try await quotas.get(nil, for: context.caller).map { "- \($0.sentence)" }
            return ToolOutput(text: limits.isEmpty ? "There are no limits." : limits.joined(separator: "\n"))
        case "title":
            let title = (argument ?? "").split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let conversation = try await conversations.update(
                context.conversationID, ConversationChange(title: title), for: context.caller)
            return ToolOutput(
                text: title.isEmpty ? "The next message gives the conversation a title." : "The conversation is called “\(title)”.",
                data: conversation.data)
        case "new":
            let current = try await conversations.get(context.conversationID, for: context.caller)
            let made = try await conversations.create(title: argument, botID: current.botID, metadata: nil, for: context.caller)
            return ToolOutput(text: "Made a new conversation (id \(made.id)).", data: made.data)
        case Self.clear:
            return ToolOutput(
                text: "The conversation begins anew with the next message. What was said before is kept, and not sent to the model.")
        default: throw Failure(.internalError, "There is no built-in tool of this name.")
        }
    }

    private static func describe() throws(Failure) -> [ToolDefinition] {
        func tool(
            _ name: String, _ title: String, _ summary: String, help: String = "", example: String? = nil, category: String,
            _ field: (name: String, schema: JSONValue)? = nil, isRequired: Bool = false
        ) throws(Failure) -> ToolDefinition {
            let properties = field.map { JSONValue.object([$0.name: $0.schema]) } ?? [:]
            let required: JSONValue = isRequired ? .array(field.map { [.string($0.name)] } ?? []) : []
            return try ToolDefinition(
                name: name, title: title, summary: summary, help: help, example: example, category: category, audience: .people,
                inputSchema: ["type": "object", "properties": properties, "required": required, "additionalProperties": false])
        }
        let bot: JSONValue = ["type": "string", "minLength": 1, "description": "The bot's name or id."]
        let title: JSONValue = ["type": "string", "minLength": 1, "description": "What the conversation is called."]
        return [
            try tool(
                "bots", "List bots", "List your bots and the published ones.", category: "Bots",
                ("scope", ["type": "string", "enum": ["own", "published", "all"], "description": "Which bots; all by default."])),
            try tool(
                "bot", "Show or choose the bot", "Let a bot answer in this conversation, or tell which one does.",
                help: "`/set_bot` alone brings the default assistant back.", example: "/bot Ada", category: "Bots", ("bot", bot)),
            try tool(
                "title", "Name the conversation", "Give this conversation a title.", example: "/title Holidays in Lisbon",
                category: "Conversation", ("title", title), isRequired: true),
            try tool(
                "new", "New conversation", "Begin another conversation with the same bot.", example: "/new Holidays",
                category: "Conversation", ("title", title)),
            try tool(
                clear, "Begin anew", "Let this conversation begin anew; nothing is deleted.",
                help: "The model is told nothing of what was said before.", category: "Conversation"),
            try tool("quota", "Show the limits", "Tell how many messages and bots you have left.", category: "Conversation"),
            try tool(
                help, "Help", "Explain commands, or one of them.", example: "/help create_bot", category: "Conversation",
                ("command", ["type": "string", "minLength": 1, "description": "The command to explain, with or without the slash."])),
        ]
    }
}

extension Conversation {
    /// What a client's interface may go by.
    fileprivate var data: JSONValue {
        var members: JSONValue = ["id": .string(id), "title": .string(title)]
        if let botID { members = ["id": .string(id), "title": .string(title), "botId": .string(botID)] }
        return ["conversation": members]
    }
}
