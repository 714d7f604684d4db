package import JSON
package import ParleyCore

extension Conversation: JSONWritable {
    /// Writes the value as the protocol's Conversation.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("title", title)
            writer.member("botId", botID)
            writer.member("pinned", pinned)
            writer.member("archived", archived)
            writer.member("metadata", metadata)
            writer.member("headMessageId", headMessageID)
            writer.member("messageCount", messageCount)
            writer.member("activeTurnId", activeTurnID)
            writer.member("usage", usage)
            writer.member("createdAt", createdAt.rfc3339)
            writer.member("updatedAt", updatedAt.rfc3339)
        }
    }
}

extension AnonymousUser: JSONWritable {
    /// Writes the value as the protocol's AnonymousUser.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", id)
            writer.member("createdAt", createdAt.rfc3339)
        }
    }
}
