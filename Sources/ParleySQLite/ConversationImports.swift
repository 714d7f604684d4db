import GRDB
import ParleyCore

/// A message of a file as it will be stored, so that nobody waits for the writer while it is read.
struct ImportedMessage: Sendable {
    /// The message without its content.
    let message: Message
    /// Its content.
    let parts: String

    init(_ message: Message) {
        var bare = message
        bare.content = []
        self.message = bare
        parts = StoredJSON.text(of: message.content)
    }
}

/// Conversations that are made of files.
extension StoreTransaction {
    /// Makes a conversation of a file: its messages, in turns that have ended.
    ///
    /// - Parameter messages: those of the file, in their order.
    /// - Throws: `authRequired`, `notFound` (bot), `idempotencyConflict`, `quotaExceeded` (`SCOPE.copies`).
    func importConversation(
        _ new: ConversationImport, _ messages: [ImportedMessage], for caller: Caller
    ) throws -> (conversation: Conversation, messages: Int) {
        let now = new.conversation.createdAt
        let person = try personForWriting(caller, at: now)
        if let request = new.conversation.request {
            if let made = try result(of: request, .import, by: person) {
                let conversation = try conversation(made, of: person)
                return (conversation.value, try copiedMessages(in: conversation))
            }
            try remember(request, .import, of: person, result: new.conversation.id, at: now)
        }
        try takeCopy(by: person, caller.kind, at: now)
        try insert(new.conversation, owner: person)
        let conversation = try conversation(new.conversation.id, of: person)
        var keys: [Int64] = []
        keys.reserveCapacity(new.places.count)
        for (place, imported) in zip(new.places, messages) {
            keys.append(
                try insert(
                    imported.message, conversation: conversation.key, parent: place.parent.map { keys[$0] },
                    parts: imported.parts))
        }
        for turn in new.turns { try insert(turn, conversation: conversation) }
        try complete(conversation, head: new.head.map { keys[$0] }, messageCount: keys.count)
        return (try self.conversation(new.conversation.id, of: person).value, keys.count)
    }

    /// How many messages of a conversation were made elsewhere.
    private func copiedMessages(in conversation: ConversationRow) throws -> Int {
        try db.first(
            "SELECT count(*) FROM messages m JOIN turns t ON t.id = m.turn_id WHERE m.conversation = ? AND t.copied", conversation.key
        ) { $0[0] } ?? 0
    }

    private func insert(_ turn: ConversationImport.ImportedTurn, conversation: ConversationRow) throws {
        // Its beginning and its end are the events that there were at least.
        try db.run(
            """
            INSERT INTO turns (id, conversation, person, epoch, status, last_sequence, created_at, started_at, deadline, completed_at,
                stop_reason, user_message_id, assistant_message_id, usage, error, local, copied)
            VALUES (?1, ?2, ?3, ?4, ?5, 2, ?6, ?6, ?7, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 1)
            """,
            turn.id, conversation.key, conversation.owner, TurnRow.firstEpoch, turn.ending.status.rawValue, turn.createdAt,
            turn.completedAt, turn.ending.stopReason?.rawValue, turn.userMessageID, turn.messageID, turn.usage.map(StoredJSON.text),
            turn.ending.error.map(StoredJSON.text), turn.isLocal)
    }
}
