import GRDB
import ParleyCore

/// A message as it stands in the database.
struct MessageRow {
    let key: Int64
    let value: Message
    /// Bytes of the stored content.
    let size: Int

    fileprivate static let columns = """
        m.key, m.id, c.id, t.id, p.id, m.role, m.status, m.model, m.usage, m.created_at, m.parts
        """

    fileprivate static let joins = """
        JOIN conversations c ON c.key = m.conversation
        JOIN turns t ON t.key = m.turn
        LEFT JOIN messages p ON p.key = m.parent
        """

    fileprivate init(_ row: StoredRow) throws {
        guard let role = Message.Role(rawValue: row[5]) else { throw SQLiteFailure.unreadable("messages.role") }
        guard let status = Message.Status(rawValue: row[6]) else { throw SQLiteFailure.unreadable("messages.status") }
        let usage: [UInt8]? = row[8]
        let parts: [UInt8] = row[10]
        key = row[0]
        size = parts.count
        value = Message(
            id: row[1], conversationID: row[2], turnID: row[3], parentID: row[4], role: role, content: try StoredJSON.parts(parts),
            status: status, model: row[7], usage: try usage.map { try StoredJSON.usage($0, column: "messages.usage") }, createdAt: row[9])
    }
}

extension StoreTransaction {
    /// Reads a message.
    func message(_ id: String) throws -> MessageRow? {
        try db.first("SELECT \(MessageRow.columns) FROM messages m \(MessageRow.joins) WHERE m.id = ?", id, read: MessageRow.init)
    }

    /// The key of a message of a conversation.
    func messageKey(_ id: String, inConversation conversation: Int64) throws -> Int64? {
        try db.first("SELECT key FROM messages WHERE id = ? AND conversation = ?", id, conversation) { $0[0] }
    }

    /// The id of a message.
    func messageID(_ key: Int64) throws -> String? {
        try db.first("SELECT id FROM messages WHERE key = ?", key) { $0[0] }
    }

    /// Walks from a message to the first of its path.
    ///
    /// - Parameter visit: gets the messages, newest first, and tells whether it wants another; none is read that it does not ask for.
    func walk(from key: Int64, _ visit: (MessageRow) throws -> Bool) throws {
        // The steps carry keys only, so that a long message is read once, and SQLite takes each step only when the row is asked for.
        let sql = """
            WITH RECURSIVE path (key, parent) AS (
                SELECT key, parent FROM messages WHERE key = ?
                UNION ALL
                SELECT m.key, m.parent FROM path JOIN messages m ON m.key = path.parent
            )
            SELECT \(MessageRow.columns) FROM path CROSS JOIN messages m ON m.key = path.key \(MessageRow.joins)
            """
        try db.forEach(sql, key) { try visit(MessageRow($0)) }
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
        var collector = PageCollector<Message>(limit: page.limit, maximumBytes: surroundings.maximumPageBytes)
        if let start {
            try walk(from: start) { collector.add($0.value, size: $0.size) }
        }
        return Page(
            elements: collector.elements,
            nextCursor: collector.next.map { PageCursor(.messages, of: id, at: [.string($0.id)]).text })
    }

    /// The path that ends with a message, oldest first, as much of its end as fits.
    ///
    /// - Throws: `notFound` (message).
    func history(endingAt id: String, maximumBytes: Int) throws -> [Message] {
        guard let last: Int64 = try db.first("SELECT key FROM messages WHERE id = ?", id, read: { $0[0] }) else {
            throw Failure.notFound(.message, id)
        }
        var collector = PageCollector<Message>(limit: .max, maximumBytes: maximumBytes)
        try walk(from: last) { collector.add($0.value, size: $0.value.text.utf8.count) }
        return collector.elements.reversed()
    }

    /// Stores a message.
    func insert(_ message: Message, conversation: Int64, turn: Int64, parent: Int64?) throws -> Int64 {
        try db.run(
            """
            INSERT INTO messages (id, conversation, turn, parent, role, status, created_at, model, usage, parts)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            message.id, conversation, turn, parent, message.role.rawValue, message.status.rawValue, message.createdAt, message.model,
            message.usage.map(StoredJSON.text), StoredJSON.text(of: message.content))
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
