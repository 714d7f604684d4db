import GRDB
import ParleyCore

/// How a user message is accepted.
extension StoreTransaction {
    /// Stores a user message as the new head with a turn that this host runs, and the conversation if it is new.
    ///
    /// - Throws: `authRequired`, `notFound` (conversation, bot), `conversationBusy`.
    func admit(_ new: NewTurn, for caller: Caller) throws -> AdmittedTurn {
        let person: Int64
        var conversation: ConversationRow
        switch new.target {
        case .existing(let id):
            let known = try self.person(caller)
            conversation = try self.conversation(id, of: known)
            if try requireFree(conversation, at: new.now) { conversation = try self.conversation(id, of: known) }
            person = conversation.owner
        case .new(let newConversation):
            person = try personForWriting(caller, at: new.now)
            try insert(newConversation, owner: person)
            conversation = try self.conversation(newConversation.id, of: person)
        }
        let bot = try conversation.bot.flatMap { try self.bot(key: $0) }
        let userMessage = Message(
            id: new.userMessageID, conversationID: conversation.value.id, turnID: new.id,
            parentID: try conversation.head.flatMap { try messageID($0) }, role: .user, content: new.content, status: .complete,
            createdAt: new.now)
        try insert(new, conversation: conversation.key, person: person)
        let head = try insert(userMessage, conversation: conversation.key, parent: conversation.head)

        if conversation.value.title.isEmpty { conversation.value.title = new.title }
        conversation.value.messageCount += 1
        conversation.value.activeTurnID = new.id
        conversation.value.updatedAt = new.now
        try db.run(
            "UPDATE conversations SET head = ?, title = ?, message_count = ?, updated_at = ? WHERE key = ?", head,
            conversation.value.title, conversation.value.messageCount, new.now, conversation.key)
        return AdmittedTurn(
            turn: Turn(
                id: new.id, conversationID: conversation.value.id, status: .inProgress, userMessageID: new.userMessageID,
                createdAt: new.now),
            userMessage: userMessage, conversation: conversation.value, bot: bot)
    }

    /// Makes sure that no turn runs in a conversation; that of a dead host is recovered.
    ///
    /// - Returns: whether a turn was recovered, so that the row is not up to date any more.
    /// - Throws: `conversationBusy`.
    @discardableResult
    func requireFree(_ conversation: ConversationRow, at now: Timestamp) throws -> Bool {
        guard let id = conversation.value.activeTurnID, let host = conversation.activeHost else { return false }
        guard try !surroundings.isAlive(host) else { throw Failure.conversationBusy(turnID: id) }
        _ = try recover(turn(id), at: now)
        return true
    }
}
