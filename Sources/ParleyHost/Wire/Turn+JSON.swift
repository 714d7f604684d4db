package import JSON
package import ParleyCore

extension Turn: JSONWritable {
    /// Writes the value as the protocol's Turn.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("conversationId", conversationID)
            writer.member("status", status.rawValue)
            writer.member("stopReason", stopReason?.rawValue)
            writer.member("error", error.map { $0.wireError })
            writer.member("userMessageId", userMessageID)
            writer.member("messageId", messageID)
            writer.member("usage", usage)
            writer.member("context", context)
            writer.member("quota", quota)
            writer.member("createdAt", createdAt.rfc3339)
            writer.member("completedAt", completedAt?.rfc3339)
        }
    }
}

extension Omissions: JSONWritable {
    /// Writes the value as the protocol's `turn.context`.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("messagesLeftOut", messagesLeftOut)
            writer.member("toolOutputsCleared", toolOutputsCleared)
        }
    }
}

extension JSONWriter {
    /// Writes the members `turn` and, if there is one, `message`.
    mutating func members(of result: TurnResult) {
        member("turn", result.turn)
        member("message", result.message)
    }
}
