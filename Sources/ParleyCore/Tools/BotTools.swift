import JSON

/// The tools by which an assistant looks after bots. They act for whom the turn acts for, with the same rights, limits and errors as the methods.
package struct BotTools: ToolSource {
    package let name = "built-in"
    private let bots: Bots
    private let conversations: Conversations
    private let definitions: [ToolDefinition]

    /// Offers the tools.
    ///
    /// - Throws: `internalError` when one of them cannot be, which the tests would show.
    package init(bots: Bots, conversations: Conversations) throws(Failure) {
        self.bots = bots
        self.conversations = conversations
        definitions = try Self.describe()
    }

    package func tools() -> [ToolDefinition] { definitions }

    package func call(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ToolOutput {
        let arguments = Arguments(call.arguments)
        switch call.name {
        case "create_bot": return try await create(arguments, context)
        case "list_bots": return try await list(arguments, context)
        case "set_bot": return try await set(arguments, context)
        case "get_bot_info": return try await describe(arguments, context)
        case "update_bot": return try await update(arguments, context)
        default: throw Failure(.internalError, "There is no built-in tool of this name.")
        }
    }

    // MARK: What the tools do

    private func create(_ arguments: Arguments, _ context: ToolContext) async throws(Failure) -> ToolOutput {
        let bot = try await bots.create(
            Bots.Draft(
                name: arguments["name"] ?? "", description: arguments["description"] ?? "", instructions: arguments["instructions"],
                model: arguments["model"]),
            for: context.caller)
        _ = try await conversations.setBot(bot.id, of: context.conversationID, for: context.caller)
        return ToolOutput(
            text: "Made the bot \"\(bot.name)\" (id \(bot.id)). It answers in this conversation from the next message on.", data: bot.data)
    }

    private func list(_ arguments: Arguments, _ context: ToolContext) async throws(Failure) -> ToolOutput {
        let scope = arguments["scope"].flatMap(BotScope.init(rawValue:)) ?? .all
        let page = try await bots.list(scope, page: PageRequest(limit: PageRequest.maximumLimit), for: context.caller)
        let lines = page.elements.map { bot in
            "- **\(bot.name)** (id \(bot.id))\(bot.visibility == .published ? ", published" : "")\(bot.description.isEmpty ? "" : ": \(bot.description)")"
        }
        let text = lines.isEmpty ? "There are no bots." : lines.joined(separator: "\n")
        return ToolOutput(
            text: page.nextCursor == nil ? text : text + "\n(there are more)", data: ["bots": .array(page.elements.map(\.data))])
    }

    private func set(_ arguments: Arguments, _ context: ToolContext) async throws(Failure) -> ToolOutput {
        guard let wanted = arguments["bot"] else {
            _ = try await conversations.setBot(nil, of: context.conversationID, for: context.caller)
            return ToolOutput(text: "The assistant answers in this conversation from the next message on.")
        }
        let bot = try await find(wanted, context)
        _ = try await conversations.setBot(bot.id, of: context.conversationID, for: context.caller)
        return ToolOutput(text: "The bot \"\(bot.name)\" answers in this conversation from the next message on.", data: bot.data)
    }

    private func describe(_ arguments: Arguments, _ context: ToolContext) async throws(Failure) -> ToolOutput {
        var bot: Bot
        if let wanted = arguments["bot"] {
            bot = try await find(wanted, context)
        } else {
            let conversation = try await conversations.get(context.conversationID, for: context.caller)
            guard let id = conversation.botID else {
                return ToolOutput(text: "No bot answers in this conversation, but the default assistant.")
            }
            bot = try await bots.get(id, for: context.caller)
        }
        var lines = ["**\(bot.name)** (id \(bot.id), revision \(bot.revision), \(bot.visibility.rawValue))"]
        if !bot.description.isEmpty { lines.append("Description: \(bot.description)") }
        if let model = bot.model { lines.append("Model: \(model)") }
        if let instructions = bot.instructions { lines.append("Instructions: \(instructions)") }
        return ToolOutput(text: lines.joined(separator: "\n"), data: bot.data)
    }

    private func update(_ arguments: Arguments, _ context: ToolContext) async throws(Failure) -> ToolOutput {
        let bot = try await find(arguments["bot"] ?? "", context)
        var change = BotChange(name: arguments["name"], description: arguments["description"])
        if let instructions = arguments["instructions"] { change.instructions = .some(instructions) }
        if let model = arguments["model"] { change.model = .some(model) }
        let updated = try await bots.update(bot.id, change, ifRevision: nil, for: context.caller)
        return ToolOutput(text: "Changed the bot \"\(updated.name)\"; this is revision \(updated.revision).", data: updated.data)
    }

    /// Finds a bot by its id, or by its name without regard to letter case.
    private func find(_ wanted: String, _ context: ToolContext) async throws(Failure) -> Bot {
        var page = PageRequest(limit: PageRequest.maximumLimit)
        while true {
            let found = try await bots.list(.all, page: page, for: context.caller)
            let named = found.elements.first { $0.id == wanted || $0.name.lowercased() == wanted.lowercased() }
            // The list leaves nothing out that its owner may see.
            if let named { return named }
            guard let next = found.nextCursor else { break }
            page.cursor = next
        }
        throw Failure(.notFound, "There is no bot \"\(wanted.prefix(80))\".")
    }
}

/// The arguments of a call, which its schema has found good.
private struct Arguments {
    private let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    subscript(name: String) -> String? { value[name]?.stringValue }
}

extension Bot {
    /// What a client's interface may show.
    fileprivate var data: JSONValue {
        [
            "bot": [
                "id": .string(id), "name": .string(name), "description": .string(description), "visibility": .string(visibility.rawValue),
            ]
        ]
    }
}

extension BotTools {
    private static func describe() throws(Failure) -> [ToolDefinition] {
        let bot: JSONValue = ["type": "string", "minLength": 1, "description": "The bot's name or id."]
        let details: [(String, JSONValue)] = [
            ("description", ["type": "string", "description": "What the bot is for, one sentence."]),
            ("instructions", ["type": "string", "description": "What the bot is told before every conversation."]),
            ("model", ["type": "string", "description": "The model that answers, as PROVIDER:MODEL; leave it out for the default."]),
        ]
        func schema(_ properties: [(String, JSONValue)], required: [String]) -> JSONValue {
            [
                "type": "object", "properties": .object(.init(uniqueKeysWithValues: properties)),
                "required": .array(required.map { .string($0) }), "additionalProperties": false,
            ]
        }
        let name: (String, JSONValue) = (
            "name", ["type": "string", "minLength": 1, "maxLength": 80, "description": "What the bot is called."]
        )
        return [
            try ToolDefinition(
                name: "create_bot", title: "Create a bot",
                summary: "Make a bot with a name and instructions, and let it answer in this conversation.",
                help: "The bot is yours alone. Its name must differ from those of your other bots.",
                example: "/create_bot Ada --description \"Explains mathematics\"", category: "Bots",
                inputSchema: schema([name] + details, required: ["name"])),
            try ToolDefinition(
                name: "list_bots", title: "List bots", summary: "List your bots and the published ones.",
                example: "/list_bots --scope own", category: "Bots",
                inputSchema: schema(
                    [("scope", ["type": "string", "enum": ["own", "published", "all"], "description": "Which bots; all by default."])],
                    required: [])),
            try ToolDefinition(
                name: "set_bot", title: "Choose the bot",
                summary: "Let a bot answer in this conversation, or the default assistant when no bot is named.",
                example: "/set_bot Ada", category: "Bots", inputSchema: schema([("bot", bot)], required: [])),
            try ToolDefinition(
                name: "get_bot_info", title: "Describe a bot", summary: "Tell what a bot is, by default the one of this conversation.",
                example: "/get_bot_info Ada", category: "Bots", inputSchema: schema([("bot", bot)], required: [])),
            try ToolDefinition(
                name: "update_bot", title: "Change a bot",
                summary: "Change the name, description, instructions or model of one of your bots.",
                example: "/update_bot Ada --instructions \"Answer briefly.\"", category: "Bots",
                inputSchema: schema([("bot", bot), name] + details, required: ["bot"])),
        ]
    }
}
