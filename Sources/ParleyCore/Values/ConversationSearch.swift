/// Which conversations a list shows.
package struct ConversationFilter: Hashable, Sendable {
    /// Only those linked to this bot; nil for all.
    package var botID: String?
    /// Those that are archived, or those that are not.
    package var archived: Bool
    /// Only those that are pinned, or only those that are not; nil for both.
    package var pinned: Bool?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(botID: String? = nil, archived: Bool = false, pinned: Bool? = nil) {
        self.botID = botID
        self.archived = archived
        self.pinned = pinned
    }
}

/// What is looked for among somebody's conversations.
package struct ConversationSearch: Hashable, Sendable {
    /// What must stand in the title, or in a message of the user's or the assistant's.
    package var query: SearchQuery
    /// Only those linked to this bot; nil for all.
    package var botID: String?
    /// Only those that are archived, or only those that are not; nil for both.
    package var archived: Bool?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(query: SearchQuery, botID: String? = nil, archived: Bool? = nil) {
        self.query = query
        self.botID = botID
        self.archived = archived
    }
}

/// A conversation in which something was found.
package struct FoundConversation: Hashable, Sendable {
    /// Where it was found.
    package struct Match: Hashable, Sendable {
        /// The message; nil for the conversation's title.
        package var messageID: String?
        /// Who speaks in it.
        package var role: Message.Role?
        /// What stands there.
        package var excerpt: SearchExcerpt

        /// Makes one of its fields; see them for what the parameters mean.
        package init(messageID: String? = nil, role: Message.Role? = nil, excerpt: SearchExcerpt) {
            self.messageID = messageID
            self.role = role
            self.excerpt = excerpt
        }
    }

    /// How many messages are told at most.
    package static let maximumMessages = 3

    /// The conversation.
    package var conversation: Conversation
    /// The title, if it was found there, and then the newest of the messages.
    package var matches: [Match]

    /// Makes one of its fields; see them for what the parameters mean.
    package init(conversation: Conversation, matches: [Match]) {
        self.conversation = conversation
        self.matches = matches
    }
}
