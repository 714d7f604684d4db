package import JSON
package import ParleyCore

extension ToolRegistry.Entry: JSONWritable {
    /// Writes the value as the protocol's Tool.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("name", definition.name)
            writer.member("title", definition.title)
            writer.member("description", definition.summary)
            writer.member("category", definition.category)
            writer.member("source", source.name)
            writer.member("policy", definition.policy.rawValue)
            writer.key("inputSchema")
            writer.value(definition.inputSchema)
        }
    }
}

/// A tool as somebody may call it by a command.
struct Command: JSONWritable, Sendable {
    let entry: ToolRegistry.Entry

    /// Writes the value as the protocol's Command.
    func write(to writer: inout JSONWriter) {
        let definition = entry.definition
        writer.object { writer in
            writer.member("name", definition.name)
            writer.member("title", definition.title)
            writer.member("description", definition.summary)
            if !definition.help.isEmpty { writer.member("help", definition.help) }
            writer.member("usage", CommandHelp.usage(of: definition))
            writer.member("example", definition.example)
            writer.member("category", definition.category)
            writer.member("source", entry.source.name)
            writer.key("inputSchema")
            writer.value(definition.inputSchema)
        }
    }
}

extension JSONWriter {
    /// Writes a tool call's members, which a part of a message and an event have in common.
    mutating func members(of call: ToolCall) {
        member("id", call.id)
        member("name", call.name)
        key("arguments")
        value(call.arguments)
    }

    /// Writes a tool result's members, which a part of a message and an event have in common.
    ///
    /// - Parameter milliseconds: how long it took, where that is shown.
    mutating func members(of result: ToolResult, milliseconds: Int64? = nil) {
        member("toolCallId", result.toolCallID)
        member("status", result.status.rawValue)
        member("durationMs", milliseconds.map { Int($0) })
        member("text", result.text)
        if let data = result.data {
            key("data")
            value(data)
        }
    }
}
