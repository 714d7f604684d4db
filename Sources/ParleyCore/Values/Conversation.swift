package import JSON

/// A conversation: a tree of messages with a head, owned by one person, optionally answered by a bot.
package struct Conversation: Hashable, Sendable {
    /// The id that clients know; opaque.
    package var id: String
    /// Empty until the owner or the first message gives one.
    package var title: String
    /// The bot that it is linked to; nil for none.
    package var botID: String?
    /// Whether the owner keeps it at the top.
    package var pinned: Bool
    /// Whether the owner has put it away.
    package var archived: Bool
    /// An opaque object of the client's own.
    package var metadata: JSONValue
    /// The message that the next one follows; nil while there is none.
    package var headMessageID: String?
    /// All messages stored in the conversation.
    package var messageCount: Int
    /// The turn that runs now, if any.
    package var activeTurnID: String?
    /// What all its messages together cost; nil when nothing is known to have cost anything.
    package var usage: Usage?
    /// When it was made.
    package var createdAt: Timestamp
    /// When it last changed.
    package var updatedAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        id: String, title: String, botID: String?, pinned: Bool = false, archived: Bool = false, metadata: JSONValue,
        headMessageID: String? = nil, messageCount: Int, activeTurnID: String?, usage: Usage? = nil, createdAt: Timestamp,
        updatedAt: Timestamp
    ) {
        self.id = id
        self.title = title
        self.botID = botID
        self.pinned = pinned
        self.archived = archived
        self.metadata = metadata
        self.headMessageID = headMessageID
        self.messageCount = messageCount
        self.activeTurnID = activeTurnID
        self.usage = usage
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// What `updateConversation` changes; a field that is nil stays as it is.
package struct ConversationChange: Sendable {
    /// An empty title clears it: the next message gives a new one.
    package var title: String?
    /// An opaque object of the client's own.
    package var metadata: JSONValue?
    /// The message that the next one is to follow.
    package var headMessageID: String?
    /// Whether the owner keeps it at the top.
    package var pinned: Bool?
    /// Whether the owner has put it away.
    package var archived: Bool?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        title: String? = nil, metadata: JSONValue? = nil, headMessageID: String? = nil, pinned: Bool? = nil, archived: Bool? = nil
    ) {
        self.title = title
        self.metadata = metadata
        self.headMessageID = headMessageID
        self.pinned = pinned
        self.archived = archived
    }

    /// Whether it only says where the conversation stands among others: nothing happens in it then, and `updatedAt` stays.
    package var onlyFiles: Bool {
        title == nil && metadata == nil && headMessageID == nil && (pinned != nil || archived != nil)
    }
}
