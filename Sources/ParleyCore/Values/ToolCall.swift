package import JSON

/// What a model wants done: a tool by its name, with arguments.
package struct ToolCall: Hashable, Sendable {
    /// What the result names; the model's own, or ours where it gave none.
    package var id: String
    /// Which tool.
    package var name: String
    /// An object, unless the model wrote something else.
    package var arguments: JSONValue

    /// Makes one of its fields; see them for what the parameters mean.
    package init(id: String, name: String, arguments: JSONValue) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// What came of a tool call.
package struct ToolResult: Hashable, Sendable {
    /// How it ended.
    package enum Status: String, CaseIterable, Sendable {
        /// The tool did what was asked.
        case completed
        /// It did not; the text says why.
        case failed
        /// Nobody allowed it.
        case denied
        /// The turn ended first.
        case cancelled
    }

    /// Which call.
    package var toolCallID: String
    /// How it ended.
    package var status: Status
    /// What the model reads.
    package var text: String
    /// What a client's interface may show beside the text; the model never reads it.
    package var data: JSONValue?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(toolCallID: String, status: Status, text: String, data: JSONValue? = nil) {
        self.toolCallID = toolCallID
        self.status = status
        self.text = text
        self.data = data
    }
}
