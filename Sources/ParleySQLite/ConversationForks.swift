import GRDB
import ParleyCore

/// Conversations that are made of others.
extension StoreTransaction {
    /// Makes a conversation of the path that leads to a message of another one: copies of its messages, in copies of their turns.
    ///
    /// - Throws: `notFound` (conversation, message); `invalidParams` (path `messageId`) for a path that is too much; `conversationBusy`,
    ///   `quotaExceeded` (`SCOPE.copies`), `idempotencyConflict`.
    func fork(_ fork: ConversationFork, for caller: Caller) throws -> Conversation {
        let person = try person(caller)
        if let person, let request = fork.request, let made = try result(of: request, .fork, by: person) {
            return try conversation(made, of: person).value
        }
        let (source, end) = try end(of: fork, by: person)
        let path = try path(to: end, within: fork.bounds)
        try takeCopy(by: source.owner, caller.kind, at: fork.now)
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

    /// A message on a path, as far as it must be known to be copied.
    private struct Source {
        let key: Int64
        let id: String
        let turnID: String
        let isAnswer: Bool
    }

    /// The path to a message, the first one first.
    ///
    /// - Throws: `invalidParams` (path `messageId`) for one that is too much, before anything is written.
    private func path(to end: Int64?, within bounds: CopyBounds) throws -> [Source] {
        var bytes = 0
        var path: [Source] = []
        _ = try ancestors(of: end) { key, count in
            guard count < bounds.messages else { throw Failure.pathTooLong(messages: bounds.messages) }
            let source = try db.first(
                """
                SELECT id, turn_id, role = 'assistant', length(CAST(parts AS BLOB)) + coalesce(length(private), 0) FROM messages WHERE key = ?
                """, key
            ) { row in
                bytes += row[3]
                return Source(key: key, id: row[0], turnID: row[1], isAnswer: row[2])
            }
            guard bytes <= bounds.bytes else { throw Failure.pathTooLarge(bytes: bounds.bytes) }
            guard let source else { throw SQLiteFailure.unreadable("messages.parent") }
            path.append(source)
            return true
        }
        return path.reversed()
    }

    /// A turn on a path, and what is made of it.
    private struct CopiedTurn {
        let sourceID: String
        let id: String
        /// The copy of its last answer.
        var answerID: String?
    }

    /// Copies the messages of a path, as they are stored, and the turns that they belong to.
    ///
    /// - Returns: the last one's key.
    private func copy(_ path: [Source], into copy: ConversationRow, _ fork: ConversationFork) throws -> Int64? {
        var turns: [CopiedTurn] = []
        var ids: [String: String] = [:]
        var head: Int64?
        for source in path {
            // A turn goes straight on, so its messages stand together.
            if turns.last?.sourceID != source.turnID { turns.append(CopiedTurn(sourceID: source.turnID, id: fork.newID(.turn))) }
            let id = fork.newID(.message)
            ids[source.id] = id
            if source.isAnswer { turns[turns.count - 1].answerID = id }
            // Whatever leads to it is copied as well, so it stands as deep.
            try db.run(
                """
                INSERT INTO messages (id, conversation, turn_id, parent, role, status, local, created_at, model, usage, rating, rating_note,
                    parts, private, depth)
                SELECT ?2, ?3, ?4, ?5, role, status, local, created_at, model, usage, rating, rating_note, parts, private, depth
                FROM messages WHERE key = ?1
                """,
                source.key, id, copy.key, turns[turns.count - 1].id, head)
            head = db.lastInsertedRowID
        }
        for turn in turns {
            let source = try self.turn(turn.sourceID)
            guard let questionID = ids[source.value.userMessageID] else { throw SQLiteFailure.unreadable("turns.user_message_id") }
            // What a turn cost is told of it only where all of it was copied.
            let isWhole = source.value.messageID.map { ids[$0] != nil } ?? true
            try db.run(
                """
                INSERT INTO turns (id, conversation, person, epoch, status, last_sequence, created_at, started_at, deadline, completed_at,
                    stop_reason, user_message_id, assistant_message_id, model, usage, error, context, local, copied)
                SELECT ?2, ?3, ?4, ?5, status, last_sequence, created_at, started_at, deadline, completed_at, stop_reason, ?6, ?7, model,
                    iif(?8, usage, NULL), error, iif(?8, context, NULL), local, 1
                FROM turns WHERE key = ?1
                """,
                source.key, turn.id, copy.key, copy.owner, TurnRow.firstEpoch, questionID, turn.answerID, isWhole)
        }
        return head
    }
}
