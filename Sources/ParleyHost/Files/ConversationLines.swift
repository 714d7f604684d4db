import JSON
import ParleyCore

/// A conversation as JSON Lines: one line for the conversation, then one a message, each after the one that it follows.
enum ConversationLines {
    /// What the first line says that the file is.
    static let format = "parley-conversation"
    /// The version of the form, which readers know or refuse.
    static let version = 1

    /// Writes a page; all pages together are the file.
    static func text(of excerpt: ConversationExcerpt) -> String {
        var writer = JSONWriter()
        if let conversation = excerpt.conversation {
            write(conversation, botName: excerpt.botName, to: &writer)
            writer.newline()
        }
        for filed in excerpt.messages {
            write(filed, to: &writer)
            writer.newline()
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func write(_ conversation: Conversation, botName: String?, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("type", "conversation")
            writer.member("format", format)
            writer.member("version", version)
            writer.member("title", conversation.title)
            writer.member("botName", botName)
            writer.member("metadata", conversation.metadata)
            writer.member("headMessageId", conversation.headMessageID)
            writer.member("createdAt", conversation.createdAt.rfc3339)
        }
    }

    private static func write(_ filed: FiledMessage, to writer: inout JSONWriter) {
        let message = filed.message
        writer.object { writer in
            writer.member("type", "message")
            writer.member("id", message.id)
            writer.member("parentId", message.parentID)
            writer.key("turn")
            writer.object { writer in
                writer.member("id", message.turnID)
                writer.member("status", filed.ending.status.rawValue)
                writer.member("stopReason", filed.ending.stopReason?.rawValue)
                if let error = filed.ending.error {
                    writer.key("error")
                    writer.object { writer in
                        writer.member("code", error.code.rawValue)
                        writer.member("message", error.message)
                    }
                }
            }
            writer.member("role", message.role.rawValue)
            writer.member("content", message.content)
            writer.member("status", message.status.rawValue)
            if message.isLocal { writer.member("local", true) }
            writer.member("model", message.model)
            writer.member("usage", message.usage)
            writer.member("rating", message.rating?.verdict.rawValue)
            writer.member("ratingNote", message.rating?.note)
            writer.member("createdAt", message.createdAt.rfc3339)
        }
    }
}
