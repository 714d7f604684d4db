/// The bounds of one copy: a conversation that `forkConversation` or `importConversation` makes, in one transaction.
package struct CopyBounds: Hashable, Sendable {
    /// How many messages it may have.
    package var messages: Int
    /// How large they may be together, in UTF-8 bytes of their content.
    package var bytes: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(messages: Int, bytes: Int) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// A conversation about to be made of the path that leads to a message of another one.
package struct ConversationFork: Sendable {
    /// The id of the conversation that is made; opaque.
    package var id: String
    /// The conversation whose path is copied.
    package var sourceID: String
    /// The last message of the path; nil for the head.
    package var messageID: String?
    /// Gives the title, from that of the source.
    package var title: @Sendable (String) -> String
    /// What the copy may be at most.
    package var bounds: CopyBounds
    /// Makes the ids of messages and turns.
    package var newID: @Sendable (IDKind) -> String
    /// When it is made.
    package var now: Timestamp
    /// What the client calls the request that makes it; nil when it cannot be repeated.
    package var request: ClientRequest?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        id: String, sourceID: String, messageID: String?, title: @escaping @Sendable (String) -> String, bounds: CopyBounds,
        newID: @escaping @Sendable (IDKind) -> String, now: Timestamp, request: ClientRequest?
    ) {
        self.id = id
        self.sourceID = sourceID
        self.messageID = messageID
        self.title = title
        self.bounds = bounds
        self.newID = newID
        self.now = now
        self.request = request
    }
}

extension Failure {
    /// A path that is more than may be copied at once.
    package static func pathTooLong(messages limit: Int) -> Failure {
        .invalidParams(path: "messageId", reason: "the path to this message is longer than \(limit) messages")
    }

    /// The same, of its content.
    package static func pathTooLarge(bytes limit: Int) -> Failure {
        .invalidParams(path: "messageId", reason: "the messages up to this one are larger than \(limit) bytes")
    }
}
