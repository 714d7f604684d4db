package import JSON
package import ParleyCore

extension Message: JSONWritable {
    /// Writes the value as the protocol's Message, without what the model thought.
    package func write(to writer: inout JSONWriter) {
        write(content.withoutReasoning, to: &writer)
    }

    fileprivate func write(_ content: [Part], to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("conversationId", conversationID)
            writer.member("turnId", turnID)
            writer.member("parentId", parentID)
            writer.member("siblingCount", siblingCount)
            writer.member("role", role.rawValue)
            writer.member("content", content)
            writer.member("status", status.rawValue)
            if isLocal { writer.member("local", true) }
            writer.member("model", model)
            writer.member("usage", usage)
            writer.member("rating", rating?.verdict.rawValue)
            writer.member("ratingNote", rating?.note)
            writer.member("createdAt", createdAt.rfc3339)
        }
    }
}

/// A message with what the model thought.
struct MessageWithReasoning: JSONWritable, Sendable {
    let message: Message

    func write(to writer: inout JSONWriter) { message.write(message.content, to: &writer) }
}

extension Message.Part: JSONWritable, JSONReadable {
    /// Writes the value as the protocol's part.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            switch self {
            case .text(let text):
                writer.member("type", "text")
                writer.member("text", text)
            case .reasoning(let text):
                writer.member("type", "reasoning")
                writer.member("text", text)
            case .toolCall(let call):
                writer.member("type", "toolCall")
                writer.members(of: call)
            case .toolResult(let result):
                writer.member("type", "toolResult")
                writer.members(of: result)
            }
        }
    }

    /// Reads `{type: "text", text}`.
    package init(from reader: inout JSONReader) throws(JSONError) {
        var type: String?
        var text: String?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "type":
                type = try reader.string()
                guard type == "text" else { throw reader.mismatch("expected \"text\"") }
            case "text": text = try reader.string()
            default: throw reader.mismatch("unknown field")
            }
        }
        guard type != nil else { throw reader.missing("type") }
        guard let text else { throw reader.missing("text") }
        self = .text(text)
    }
}

extension Cost: JSONWritable {
    /// Writes the value as the protocol's cost.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("amount", amount)
            writer.member("currency", currency)
        }
    }
}

extension Usage: JSONWritable {
    /// Writes the value as the protocol's usage.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("inputTokens", inputTokens)
            writer.member("cachedInputTokens", cachedInputTokens)
            writer.member("outputTokens", outputTokens)
            writer.member("reasoningTokens", reasoningTokens)
            if isEstimated { writer.member("estimated", true) }
            writer.member("cost", cost)
        }
    }
}
