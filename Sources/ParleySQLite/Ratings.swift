import ParleyCore

/// What people think of answers.
extension StoreTransaction {
    /// Rates an answer, or takes its rating back.
    ///
    /// - Throws: `notFound` (message); `invalidParams` (path `messageId`) for a message that is no answer; `conversationBusy` while the turn runs
    ///   that the message belongs to.
    func rate(_ id: String, as rating: Message.Rating?, at now: Timestamp, by person: Int64?) throws -> Message {
        let place: (conversation: String, owner: Int64)? = try db.first(
            "SELECT c.id, c.owner FROM messages m JOIN conversations c ON c.key = m.conversation WHERE m.id = ?", id
        ) { ($0[0], $0[1]) }
        guard let place else { throw Failure.notFound(.message, id) }
        guard place.owner == person else { throw notTheCallers(.message, id) }
        let conversation = try conversation(place.conversation, of: person)
        let node = try node(id, in: conversation)
        guard node.role == .assistant else {
            throw Failure.invalidParams(path: "messageId", reason: "is not the assistant's, and only answers are rated")
        }
        // The turn is still at work on the message, and tells of it as it knows it.
        if node.turnID == conversation.value.activeTurnID { try requireFree(conversation, at: now) }
        try db.run(
            "UPDATE messages SET rating = ?, rating_note = ? WHERE key = ?", rating?.verdict.rawValue, rating?.note, node.key)
        try noteUse(ofConversation: conversation.key, at: now)
        guard let message = try message(id, ofConversation: place.conversation) else { throw Failure.notFound(.message, id) }
        return message
    }
}
