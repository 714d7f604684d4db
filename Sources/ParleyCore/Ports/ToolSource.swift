package import JSON

/// Where tools come from: the host itself, a client, a server of tools. Every adapter passes `ToolSourceContract`.
///
/// - The tools that it offers may change from one turn to the next, never within one.
/// - A call ends soon after its task is cancelled, by throwing `cancelled`.
package protocol ToolSource: Sendable {
    /// What errors and events call the source, such as `built-in` or `client`.
    var name: String { get }

    /// The tools that it offers now.
    func tools() -> [ToolDefinition]

    /// Executes one call of a tool that it offers, with arguments that its schema allows.
    ///
    /// - Returns: what came of it, also when the tool itself says that it failed.
    /// - Throws: whatever keeps the tool from doing it; the message is shown to the model. `cancelled`.
    func call(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ToolOutput
}

/// On whose behalf, and where, a tool is called. The host says so, never the model.
package struct ToolContext: Sendable {
    /// Whom the turn acts for.
    package var caller: Caller
    /// The turn's conversation.
    package var conversationID: String
    /// The turn.
    package var turnID: String
    /// All tools that may be called in the turn, this one included.
    package var tools: ToolRegistry

    /// Makes one of its fields; see them for what the parameters mean.
    package init(caller: Caller, conversationID: String, turnID: String, tools: ToolRegistry) {
        self.caller = caller
        self.conversationID = conversationID
        self.turnID = turnID
        self.tools = tools
    }
}

/// What a tool gives back.
package struct ToolOutput: Hashable, Sendable {
    /// What the model reads.
    package var text: String
    /// What a client's interface may show beside it.
    package var data: JSONValue?
    /// Whether the tool says that it failed.
    package var isError: Bool

    /// Makes one of its fields; see them for what the parameters mean.
    package init(text: String, data: JSONValue? = nil, isError: Bool = false) {
        self.text = text
        self.data = data
        self.isError = isError
    }
}
