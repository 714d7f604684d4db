package import JSON

/// A slash command that waits for one more argument, which the conversation's next message gives.
package struct PendingCommand: Hashable, Sendable {
    /// The command's name, without the slash.
    package var name: String
    /// The arguments so far, an object.
    package var arguments: JSONValue
    /// The field that the next message is the value of.
    package var field: String

    /// Makes one of its fields; see them for what the parameters mean.
    package init(name: String, arguments: JSONValue, field: String) {
        self.name = name
        self.arguments = arguments
        self.field = field
    }
}
