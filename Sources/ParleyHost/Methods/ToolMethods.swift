import JSON
import ParleyCore

/// `setClientTools`: the tools that this connection's client offers, from the next turn on; they replace those that it offered before.
struct SetClientTools: Method {
    static let name = "setClientTools"
    let scope = Scope.caller(exclusive: true)
    private let definitions: [ToolDefinition]

    init(from params: inout ParamsReader) throws(JSONError) {
        var tools: [OfferedTool]?
        while let field = try params.nextField() {
            guard field == "tools" else { throw params.unknownField() }
            tools = try params.elements(OfferedTool.self)
            guard tools?.count ?? 0 <= OfferedTool.maximumCount else { throw params.refused("more than \(OfferedTool.maximumCount) tools") }
        }
        definitions = try params.required(tools, "tools").map(\.definition)
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        try await call.host.store.verify(call.caller)
        try call.host.setClientTools(definitions)
        let entries = try call.host.tools().forModels.entries
        return { writer in writer.object { $0.member("data", entries) } }
    }

    /// A tool as a client describes it.
    private struct OfferedTool: JSONReadable {
        static let maximumCount = 128
        let definition: ToolDefinition

        init(from reader: inout JSONReader) throws(JSONError) {
            var texts: [String: String] = [:]
            var inputSchema: JSONValue?
            var policy = ToolDefinition.Policy.allow
            var timeoutSeconds: Int?
            var maxOutputBytes: Int?
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "name", "title", "description": texts[key] = try reader.readNull() ? nil : reader.string()
                case "inputSchema": inputSchema = try reader.value()
                case "policy":
                    guard let word = ToolDefinition.Policy(rawValue: try reader.string()) else {
                        throw reader.mismatch("expected one of \(ToolDefinition.Policy.allCases.map(\.rawValue).joined(separator: ", "))")
                    }
                    policy = word
                case "timeoutSeconds":
                    timeoutSeconds = try reader.integer()
                    guard (1...3_600).contains(timeoutSeconds ?? 1) else { throw reader.mismatch("expected 1 to 3600") }
                case "maxOutputBytes":
                    maxOutputBytes = try reader.integer()
                    guard (1...1_048_576).contains(maxOutputBytes ?? 1) else { throw reader.mismatch("expected 1 to 1048576") }
                default: throw reader.mismatch("unknown field")
                }
            }
            guard let name = texts["name"] else { throw reader.missing("name") }
            guard let description = texts["description"] else { throw reader.missing("description") }
            guard let inputSchema else { throw reader.missing("inputSchema") }
            do throws(Failure) {
                definition = try ToolDefinition(
                    name: name, title: texts["title"], summary: description, category: "Client", inputSchema: inputSchema, policy: policy,
                    timeoutMilliseconds: timeoutSeconds.map { Int64($0) * 1_000 } ?? ToolDefinition.defaultTimeoutMilliseconds,
                    maxOutputBytes: maxOutputBytes ?? ToolDefinition.defaultMaxOutputBytes)
            } catch {
                // The reader stands at the tool; the failure says where in it.
                let words = error.details.compactMap(\.value.stringValue)
                throw reader.mismatch(words.isEmpty ? error.message : words.joined(separator: ": "))
            }
        }
    }
}

/// `listTools`: the tools that the assistant, or the bot of a conversation, may call on this connection.
struct ListTools: Method {
    static let name = "listTools"
    let scope = Scope.caller(exclusive: false)
    let answersAtLength = true
    private let conversationID: String?

    init(from params: inout ParamsReader) throws(JSONError) {
        conversationID = try params.onlyFieldIfAny("conversationId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        var allowed: [String]?
        if let conversationID {
            let conversation = try await call.host.conversations.get(conversationID, for: call.caller)
            if let botID = conversation.botID { allowed = try await call.host.bots.get(botID, for: call.caller).tools }
        } else {
            try await call.host.store.verify(call.caller)
        }
        let entries = try call.host.tools().usable(by: allowed).entries
        return { writer in writer.object { $0.member("data", entries) } }
    }
}

/// `listCommands`: the commands that people may write on this connection.
struct ListCommands: Method {
    static let name = "listCommands"
    let scope = Scope.caller(exclusive: false)
    let answersAtLength = true
    private let conversationID: String?

    init(from params: inout ParamsReader) throws(JSONError) {
        conversationID = try params.onlyFieldIfAny("conversationId")
    }

    func run(_ call: Call) async throws(Failure) -> ResultWriter? {
        // What people may do does not depend on the bot that answers them: a conversation is only looked for.
        if let conversationID {
            _ = try await call.host.conversations.get(conversationID, for: call.caller)
        } else {
            try await call.host.store.verify(call.caller)
        }
        let commands = try call.host.tools().commands.entries.map(Command.init)
        return { writer in writer.object { $0.member("data", commands) } }
    }
}
