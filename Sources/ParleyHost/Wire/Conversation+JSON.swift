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

extension FoundConversation: JSONWritable {
    /// Writes `{conversation, matches}`.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("conversation", conversation)
            writer.member("matches", matches)
        }
    }
}

extension FoundConversation.Match: JSONWritable {
    /// Writes `{messageId?, role?, snippet, highlights}`.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("messageId", messageID)
            writer.member("role", role?.rawValue)
            writer.member("snippet", excerpt.text)
            writer.member("highlights", excerpt.highlights)
        }
    }
}

extension SearchExcerpt.Highlight: JSONWritable {
    /// Writes `{start, length}`.
    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("start", start)
            writer.member("length", length)
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
