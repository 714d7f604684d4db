package import JSON

/// A conversation: a tree of messages with a head, owned by one person, optionally answered by a bot.
package struct Conversation: Hashable, Sendable {
    package var id: String
    /// Empty until the owner or the first message gives one.
    package var title: String
    package var botID: String?
    package var pinned: Bool
    package var archived: Bool
    /// An opaque object of the client's own.
    package var metadata: JSONValue
    /// All messages stored in the conversation.
    package var messageCount: Int
    /// The turn that runs now, if any.
    package var activeTurnID: String?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(
        id: String, title: String, botID: String?, pinned: Bool = false, archived: Bool = false, metadata: JSONValue, messageCount: Int,
        activeTurnID: String?, createdAt: Timestamp, updatedAt: Timestamp
    ) {
        self.id = id
        self.title = title
        self.botID = botID
        self.pinned = pinned
        self.archived = archived
        self.metadata = metadata
        self.messageCount = messageCount
        self.activeTurnID = activeTurnID
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}

/// What `updateConversation` changes; a field that is nil stays as it is.
package struct ConversationChange: Sendable {
    /// An empty title clears it: the next message gives a new one.
    package var title: String?
    package var metadata: JSONValue?

    package init(title: String? = nil, metadata: JSONValue? = nil) {
        self.title = title
        self.metadata = metadata
    }
}
