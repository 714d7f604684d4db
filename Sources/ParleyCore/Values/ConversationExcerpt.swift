/// How a turn stands of which a message is told elsewhere than in its conversation.
package struct TurnEnding: Hashable, Sendable {
    /// Where it stands.
    package var status: Turn.Status
    /// Why the model or the host stopped; nil where that is not known.
    package var stopReason: Turn.StopReason?
    /// Why it failed; nil unless it did.
    package var error: TurnError?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(status: Turn.Status, stopReason: Turn.StopReason?, error: TurnError? = nil) {
        self.status = status
        self.stopReason = stopReason
        self.error = error
    }

    /// What a file says of a turn that ran when its first page was read.
    package static let interrupted = TurnEnding(status: .interrupted, stopReason: .interrupted)
}

/// A message with what a file tells of its turn.
package struct FiledMessage: Hashable, Sendable {
    /// The message.
    package var message: Message
    /// How its turn stands.
    package var ending: TurnEnding

    /// Makes one of its fields; see them for what the parameters mean.
    package init(message: Message, ending: TurnEnding) {
        self.message = message
        self.ending = ending
    }
}

/// A page of what is exported of a conversation.
package struct ConversationExcerpt: Sendable {
    /// Which messages are exported.
    package enum Extent: String, Sendable {
        /// All, each after the one that it follows.
        case tree
        /// The path that leads to the head, the first one first.
        case path
    }

    /// The conversation, on the first page.
    package var conversation: Conversation?
    /// The name of its bot, on the first page.
    package var botName: String?
    /// The messages of this page.
    package var messages: [FiledMessage]
    /// Where the next page begins; nil on the last page. Opaque to clients.
    package var nextCursor: String?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(conversation: Conversation?, botName: String?, messages: [FiledMessage], nextCursor: String?) {
        self.conversation = conversation
        self.botName = botName
        self.messages = messages
        self.nextCursor = nextCursor
    }
}
