import GRDB
import ParleyCore

/// A message as it stands in the database.
struct MessageRow {
    /// The message, which does not know yet which one it follows.
    fileprivate let value: Message
    /// The key of the message that it follows.
    fileprivate let parent: Int64?
    /// Bytes of the stored content.
    fileprivate let size: Int

    private static let columns = "m.parent, m.id, m.turn_id, m.role, m.status, m.model, m.usage, m.created_at, m.parts, m.local"
    fileprivate static let byKey = "SELECT \(columns) FROM messages m WHERE m.key = ?"
    /// Of what no model is told, the content is not even read.
    fileprivate static let byKeyForModels = byKey.replacing("m.parts", with: "iif(m.local, '[]', m.parts)")
    fileprivate static let byID = "SELECT \(columns), p.id FROM messages m LEFT JOIN messages p ON p.key = m.parent WHERE m.id = ?"

    fileprivate init(_ row: StoredRow, conversationID: String) throws {
        guard let role = Message.Role(rawValue: row[3]) else { throw SQLiteFailure.unreadable("messages.role") }
        guard let status = Message.Status(rawValue: row[4]) else { throw SQLiteFailure.unreadable("messages.status") }
        let usage: [UInt8]? = row[6]
        let parts: [UInt8] = row[8]
        parent = row[0]
        size = parts.count
        value = Message(
            id: row[1], conversationID: conversationID, turnID: row[2], parentID: nil, role: role, content: try StoredJSON.parts(parts),
            status: status, isLocal: row[9], model: row[5], usage: try usage.map { try StoredJSON.usage($0, column: "messages.usage") },
            createdAt: row[7])
    }
}

extension StoreTransaction {
    /// The key of a message of a conversation.
    func messageKey(_ id: String, inConversation conversation: Int64) throws -> Int64? {
        try db.first("SELECT key FROM messages WHERE id = ? AND conversation = ?", id, conversation) { $0[0] }
    }

    /// The id of a message.
    func messageID(_ key: Int64) throws -> String? {
        try db.first("SELECT id FROM messages WHERE key = ?", key) { $0[0] }
    }

    /// Reads the assistant's message of a turn, if there is one.
    func answer(of turn: TurnRow) throws -> Message? {
        guard let id = turn.value.messageID else { return nil }
        return try db.first(MessageRow.byID, id) { row in
            var message = try MessageRow(row, conversationID: turn.value.conversationID).value
            message.parentID = row[10]
            return message
        }
    }

    /// Lists the path that ends with a conversation's head, newest first.
    func messages(in conversation: ConversationRow, page: PageRequest) throws -> Page<Message> {
        let id = conversation.value.id
        var start = conversation.head
        if let place = try PageCursor.place(in: .messages, of: id, named: page.cursor, fields: 1) {
            guard let message = place[0].stringValue, let key = try messageKey(message, inConversation: conversation.key) else {
                throw PageCursor.invalid
            }
            start = key
        }
        guard let start else { return Page(elements: [], nextCursor: nil) }
        let (messages, next) = try path(
            from: start, conversationID: id, limit: page.limit, maximumBytes: surroundings.maximumPageBytes, size: \.size)
        return Page(elements: messages, nextCursor: next.map { PageCursor(.messages, of: id, at: [.string($0)]).text })
    }

    /// The path that ends with a message, oldest first, as much of its end as fits; commands and what came of them left out.
    ///
    /// - Throws: `notFound` (message).
    func history(endingAt id: String, maximumBytes: Int) throws -> [Message] {
        let last: (key: Int64, conversationID: String)? = try db.first(
            "SELECT m.key, c.id FROM messages m JOIN conversations c ON c.key = m.conversation WHERE m.id = ?", id
        ) { ($0[0], $0[1]) }
        guard let last else { throw Failure.notFound(.message, id) }
        return try path(
            from: last.key, conversationID: last.conversationID, by: MessageRow.byKeyForModels, limit: .max, maximumBytes: maximumBytes
        ) {
            $0.value.modelBytes
        }.messages.reversed().filter { !$0.isLocal }
    }

    /// Walks from a message towards the first of its path. No more is read than what fits, and one message.
    ///
    /// - Parameters:
    ///   - key: the message to begin with, which always fits.
    ///   - conversationID: its conversation.
    ///   - statement: reads one message.
    ///   - limit: how many messages fit.
    ///   - maximumBytes: how big they may be together.
    ///   - size: how big one is.
    /// - Returns: the messages, newest first, and the id of the first that does not fit.
    private func path(
        from key: Int64, conversationID: String, by statement: String = MessageRow.byKey, limit: Int, maximumBytes: Int,
        size: (MessageRow) -> Int
    ) throws -> (messages: [Message], next: String?) {
        var messages: [Message] = []
        var bytes = 0
        var next: Int64? = key
        while let key = next {
            let row = try db.first(statement, key) { try MessageRow($0, conversationID: conversationID) }
            guard let row else { throw SQLiteFailure.unreadable("messages.parent") }
            // Each message tells the one before it, which comes after it here, what it is called.
            if !messages.isEmpty { messages[messages.count - 1].parentID = row.value.id }
            bytes += size(row)
            guard messages.isEmpty || messages.count < limit && bytes <= maximumBytes else { return (messages, row.value.id) }
            messages.append(row.value)
            next = row.parent
        }
        return (messages, nil)
    }

    /// Stores a message.
    ///
    /// - Returns: its key.
    func insert(_ message: Message, conversation: Int64, parent: Int64?) throws -> Int64 {
        try db.run(
            """
            INSERT INTO messages (id, conversation, turn_id, parent, role, status, local, created_at, model, usage, parts)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            message.id, conversation, message.turnID, parent, message.role.rawValue, message.status.rawValue, message.isLocal,
            message.createdAt, message.model, message.usage.map(StoredJSON.text), StoredJSON.text(of: message.content))
        return db.lastInsertedRowID
    }

    /// Stores a message in the place of what its checkpoints left.
    func update(_ message: Message, key: Int64) throws {
        try db.run(
            "UPDATE messages SET status = ?, created_at = ?, model = ?, usage = ?, parts = ? WHERE key = ?",
            message.status.rawValue, message.createdAt, message.model, message.usage.map(StoredJSON.text),
            StoredJSON.text(of: message.content), key)
    }
}
