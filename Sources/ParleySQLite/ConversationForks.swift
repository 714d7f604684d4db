import GRDB
import ParleyCore

/// Conversations that are made of others.
extension StoreTransaction {
    /// Makes a conversation of the path that leads to a message of another one: copies of its messages, in copies of their turns.
    ///
    /// - Throws: `notFound` (conversation, message); `invalidParams` (path `messageId`) for a path that is too much; `conversationBusy`,
    ///   `idempotencyConflict`.
    func fork(_ fork: ConversationFork, for caller: Caller) throws -> Conversation {
        let person = try person(caller)
        if let person, let request = fork.request, let made = try result(of: request, .fork, by: person) {
            return try conversation(made, of: person).value
        }
        let (source, end) = try end(of: fork, by: person)
        let path = try ancestors(of: end) { _, count in
            guard count < fork.bounds.messages else { throw Failure.pathTooLong(messages: fork.bounds.messages) }
            return true
        }
        if let request = fork.request { try remember(request, .fork, of: source.owner, result: fork.id, at: fork.now) }
        try insert(
            NewConversation(
                id: fork.id, title: fork.title(source.value.title), botID: source.value.botID, metadata: source.value.metadata,
                createdAt: fork.now),
            owner: source.owner)
        let copy = try conversation(fork.id, of: person)
        let head = try self.copy(path, into: copy, fork)
        try complete(copy, head: head, messageCount: path.count)
        return try conversation(fork.id, of: person).value
    }

    /// Sets the head of a conversation that was just filled, and how many messages it has.
    func complete(_ conversation: ConversationRow, head: Int64?, messageCount: Int) throws {
        try db.run("UPDATE conversations SET head = ?, message_count = ? WHERE key = ?", head, messageCount, conversation.key)
    }

    /// The message at which a fork's path ends, nil for none; what runs is not copied.
    private func end(of fork: ConversationFork, by person: Int64?) throws -> (source: ConversationRow, end: Int64?) {
        var source = try conversation(fork.sourceID, of: person)
        var node: MessageNode?
        if let id = fork.messageID { node = try self.node(id, in: source) }
        if node == nil || node?.turnID == source.value.activeTurnID { try requireFree(source, at: fork.now) }
        // What a dead host has said is the head once it is recovered.
        source = try conversation(fork.sourceID, of: person)
        return (source, node?.key ?? source.head)
    }

    /// The path that ends with a message, the first one first.
    ///
    /// - Parameters:
    ///   - end: nil for no path.
    ///   - takes: whether a message is still wanted, after so many that come after it.
    func ancestors(of end: Int64?, takes: (_ key: Int64, _ count: Int) throws -> Bool) throws -> [Int64] {
        var keys: [Int64] = []
        var next = end
        while let key = next, try takes(key, keys.count) {
            keys.append(key)
            next = try db.first("SELECT parent FROM messages WHERE key = ?", key) { (row) -> Int64? in row[0] } ?? nil
        }
        return keys.reversed()
    }

    /// A turn on a path, and what is made of it.
    private struct CopiedTurn {
        let sourceID: String
        let id: String
        /// The copy of its last answer.
        var answerID: String?
    }

    /// Copies the messages of a path, and the turns that they belong to.
    ///
    /// - Returns: the last one's key.
    private func copy(_ path: [Int64], into copy: ConversationRow, _ fork: ConversationFork) throws -> Int64? {
        var turns: [CopiedTurn] = []
        var ids: [String: String] = [:]
        var (head, bytes): (Int64?, Int) = (nil, 0)
        for key in path {
            guard let row = try messageRow(key, conversationID: copy.value.id) else { throw SQLiteFailure.unreadable("messages.parent") }
            bytes += row.size + row.privateSize
            guard bytes <= fork.bounds.bytes else { throw Failure.pathTooLarge(bytes: fork.bounds.bytes) }
            var message = row.value
            // A turn goes straight on, so its messages stand together.
            if turns.last?.sourceID != message.turnID { turns.append(CopiedTurn(sourceID: message.turnID, id: fork.newID(.turn))) }
            let id = fork.newID(.message)
            ids[message.id] = id
            message.id = id
            message.turnID = turns[turns.count - 1].id
            if message.role == .assistant { turns[turns.count - 1].answerID = id }
            head = try insert(message, conversation: copy.key, parent: head, isCopy: true)
        }
        for turn in turns {
            let source = try self.turn(turn.sourceID)
            guard let questionID = ids[source.value.userMessageID] else { throw SQLiteFailure.unreadable("turns.user_message_id") }
            try db.run(
                """
                INSERT INTO turns (id, conversation, person, epoch, status, last_sequence, created_at, started_at, deadline, completed_at,
                    stop_reason, user_message_id, assistant_message_id, model, usage, error, context, local, copied)
                SELECT ?2, ?3, ?4, ?5, status, last_sequence, created_at, started_at, deadline, completed_at, stop_reason, ?6, ?7, model, usage,
                    error, context, local, 1
                FROM turns WHERE key = ?1
                """,
                source.key, turn.id, copy.key, copy.owner, TurnRow.firstEpoch, questionID, turn.answerID)
        }
        return head
    }
}
