/// A conversation about to be made of a file: a tree of messages that was found to be in order.
package struct ConversationImport: Sendable {
    /// A message's place in the tree.
    package struct Place: Sendable {
        /// The number of the message that it follows, which is smaller than its own; nil for none.
        package var parent: Int?
        /// The number of its turn.
        package var turn: Int

        /// Makes one of its fields; see them for what the parameters mean.
        package init(parent: Int?, turn: Int) {
            self.parent = parent
            self.turn = turn
        }
    }

    /// A turn about to be stored.
    package struct ImportedTurn: Sendable {
        /// The id that clients will know.
        package var id: String
        /// How it has ended.
        package var ending: TurnEnding
        /// Whether it is a command's.
        package var isLocal: Bool
        /// The id of the message that it answers.
        package var userMessageID: String
        /// The id of its last answer, if there is one.
        package var messageID: String?
        /// What its answers cost together.
        package var usage: Usage?
        /// When its first message was made.
        package var createdAt: Timestamp
        /// When its last message was made.
        package var completedAt: Timestamp

        /// Makes one of its fields; see them for what the parameters mean.
        package init(
            id: String, ending: TurnEnding, isLocal: Bool, userMessageID: String, messageID: String?, usage: Usage?, createdAt: Timestamp,
            completedAt: Timestamp
        ) {
            self.id = id
            self.ending = ending
            self.isLocal = isLocal
            self.userMessageID = userMessageID
            self.messageID = messageID
            self.usage = usage
            self.createdAt = createdAt
            self.completedAt = completedAt
        }
    }

    /// The conversation.
    package var conversation: NewConversation
    /// The turns.
    package var turns: [ImportedTurn]
    /// The messages' places, in their order.
    package var places: [Place]
    /// The number of the message that the next one is to follow; nil for none.
    package var head: Int?
    /// Makes a message by its number, with its new ids; read anew each time, because all of them together may be large.
    package var message: @Sendable (_ number: Int) throws(Failure) -> Message

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        conversation: NewConversation, turns: [ImportedTurn], places: [Place], head: Int?,
        message: @escaping @Sendable (_ number: Int) throws(Failure) -> Message
    ) {
        self.conversation = conversation
        self.turns = turns
        self.places = places
        self.head = head
        self.message = message
    }
}
