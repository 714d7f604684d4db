import GRDB
import ParleyCore

/// A message as it stands in the database.
struct MessageRow {
    let value: Message
    /// The key of the message before it on its path.
    let parent: Int64?
    /// Bytes of the stored content.
    let size: Int

    fileprivate static let selection = """
        SELECT m.id, t.id, m.parent, p.id, m.role, m.status, m.model, m.usage, m.created_at, m.parts
        FROM messages m JOIN turns t ON t.key = m.turn LEFT JOIN messages p ON p.key = m.parent
        """

    fileprivate init(_ row: StoredRow, conversationID: String) throws {
        guard let role = Message.Role(rawValue: row[4]) else { throw SQLiteFailure.unreadable("messages.role") }
        guard let status = Message.Status(rawValue: row[5]) else { throw SQLiteFailure.unreadable("messages.status") }
        let usage: [UInt8]? = row[7]
        let parts: [UInt8] = row[9]
        parent = row[2]
        size = parts.count
        value = Message(
            id: row[0], conversationID: conversationID, turnID: row[1], parentID: row[3], role: role, content: try StoredJSON.parts(parts),
            status: status, model: row[6], usage: try usage.map { try StoredJSON.usage($0, column: "messages.usage") }, createdAt: row[8])
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
        return try db.first(MessageRow.selection + " WHERE m.id = ?", id) {
            try MessageRow($0, conversationID: turn.value.conversationID).value
        }
    }

    /// Walks from a message to the first of its path.
    ///
    /// - Parameters:
    ///   - key: the message.
    ///   - conversationID: its conversation.
    ///   - visit: gets the messages, newest first, and tells whether it wants another; none is read that it does not ask for.
    private func walk(from key: Int64, conversationID: String, _ visit: (MessageRow) throws -> Bool) throws {
        var next: Int64? = key
        while let key = next {
            let message = try db.first(MessageRow.selection + " WHERE m.key = ?", key) {
                try MessageRow($0, conversationID: conversationID)
            }
            guard let message, try visit(message) else { return }
            next = message.parent
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
        var collector = PageCollector<Message>(limit: page.limit, maximumBytes: surroundings.maximumPageBytes)
        if let start {
            try walk(from: start, conversationID: id) { collector.add($0.value, size: $0.size) }
        }
        return Page(
            elements: collector.elements,
            nextCursor: collector.next.map { PageCursor(.messages, of: id, at: [.string($0.id)]).text })
    }

    /// The path that ends with a message, oldest first, as much of its end as fits.
    ///
    /// - Throws: `notFound` (message).
    func history(endingAt id: String, maximumBytes: Int) throws -> [Message] {
        let last: (key: Int64, conversationID: String)? = try db.first(
            "SELECT m.key, c.id FROM messages m JOIN conversations c ON c.key = m.conversation WHERE m.id = ?", id
        ) { ($0[0], $0[1]) }
        guard let last else { throw Failure.notFound(.message, id) }
        var collector = PageCollector<Message>(limit: .max, maximumBytes: maximumBytes)
        try walk(from: last.key, conversationID: last.conversationID) { collector.add($0.value, size: $0.value.text.utf8.count) }
        return collector.elements.reversed()
    }

    /// Stores a message.
    ///
    /// - Returns: its key.
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
