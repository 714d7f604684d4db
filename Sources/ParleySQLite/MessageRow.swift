import GRDB
import ParleyCore

/// A message as it stands in the database.
struct MessageRow {
    /// The message, which does not know yet which one it follows.
    let value: Message
    /// The key of the message that it follows.
    fileprivate let parent: Int64?
    /// Bytes of the stored content.
    let size: Int

    private static let columns = """
        m.parent, m.id, m.turn_id, m.role, m.status, m.model, m.usage, m.created_at, m.parts, m.private, m.local, m.rating, m.rating_note
        """
    /// With the number of siblings, which the index on the parent tells.
    fileprivate static let byKeyForLists = """
        SELECT \(columns), (SELECT count(*) FROM messages s WHERE s.conversation = m.conversation AND s.parent IS m.parent)
        FROM messages m WHERE m.key = ?
        """
    /// Of what no model is told, the content is not even read.
    fileprivate static let byKeyForModels =
        "SELECT \(columns.replacing("m.parts", with: "iif(m.local, '[]', m.parts)")), NULL FROM messages m WHERE m.key = ?"
    /// With its turn and what it follows.
    private static let filed = """
        SELECT \(columns), NULL, p.id, t.status, t.stop_reason, t.error
        FROM messages m JOIN turns t ON t.id = m.turn_id LEFT JOIN messages p ON p.key = m.parent
        """
    static let filedByKey = filed + " WHERE m.key = ?"
    /// The index is named, for a range of keys could also be looked for through everybody's messages.
    static let filedInOrder =
        filed.replacing("messages m JOIN", with: "messages m INDEXED BY messages_in_order JOIN")
        + " WHERE m.conversation = ? AND m.key > ? AND m.key <= ? ORDER BY m.key"
    fileprivate static let byID = "SELECT \(columns), NULL, p.id FROM messages m LEFT JOIN messages p ON p.key = m.parent WHERE m.id = ?"
    /// What follows a message, or begins a conversation, from a key on.
    static let byParent = """
        SELECT \(columns), ?4 FROM messages m WHERE m.conversation = ?1 AND m.parent IS ?2 AND m.key >= ?3 ORDER BY m.key
        """
    /// What a turn has said after a message: at most one, because a turn goes straight on.
    fileprivate static let next = """
        SELECT \(columns), NULL, m.key FROM messages m WHERE m.conversation = ? AND m.parent = ? AND m.turn_id = ? ORDER BY m.key LIMIT 1
        """

    init(_ row: StoredRow, conversationID: String) throws {
        guard let role = Message.Role(rawValue: row[3]) else { throw SQLiteFailure.unreadable("messages.role") }
        guard let status = Message.Status(rawValue: row[4]) else { throw SQLiteFailure.unreadable("messages.status") }
        let usage: [UInt8]? = row[6]
        let parts: [UInt8] = row[8]
        let replay: [UInt8]? = row[9]
        let verdict: String? = row[11]
        let siblings: Int? = row[13]
        parent = row[0]
        size = parts.count
        value = Message(
            id: row[1], conversationID: conversationID, turnID: row[2], parentID: nil,
            siblingCount: siblings.flatMap { $0 > 1 ? $0 : nil }, role: role, content: try StoredJSON.parts(parts), status: status,
            isLocal: row[10], model: row[5], usage: try usage.map { try StoredJSON.usage($0, column: "messages.usage") },
            replay: try replay.map(StoredJSON.replay),
            rating: try verdict.map { word in
                guard let verdict = Message.Rating.Verdict(rawValue: word) else { throw SQLiteFailure.unreadable("messages.rating") }
                return Message.Rating(verdict: verdict, note: row[12])
            }, createdAt: row[7])
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
        try turn.value.messageID.flatMap { try message($0, ofConversation: turn.value.conversationID) }
    }

    /// Reads a message of a conversation.
    func message(_ id: String, ofConversation conversationID: String) throws -> Message? {
        try db.first(MessageRow.byID, id) { row in
            var message = try MessageRow(row, conversationID: conversationID).value
            message.parentID = row[14]
            return message
        }
    }

    /// The message that a turn answers and what it has said since, oldest first.
    func messages(of turn: TurnRow) throws -> [Message] {
        let (questionID, conversationID) = (turn.value.userMessageID, turn.value.conversationID)
        var messages = try message(questionID, ofConversation: conversationID).map { [$0] } ?? []
        var key = try messageKey(questionID, inConversation: turn.conversation)
        while let parent = key {
            key = try db.first(MessageRow.next, turn.conversation, parent, turn.value.id) { row in
                var message = try MessageRow(row, conversationID: conversationID).value
                message.parentID = messages.last?.id
                messages.append(message)
                return row[14]
            }
        }
        return messages
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
        var bytes = 0
        let (messages, next) = try path(from: start, conversationID: id, by: MessageRow.byKeyForLists) { row, read in
            bytes += row.size
            return read.isEmpty || read.count < page.limit && bytes <= surroundings.maximumPageBytes
        }
        return Page(elements: messages, nextCursor: next.map { PageCursor(.messages, of: id, at: [.string($0)]).text })
    }

    /// The path that ends with a message: all from the newest user message on, and of the turns before it as many as fit whole. Commands and
    /// what came of them are left out.
    ///
    /// - Throws: `notFound` (message).
    func history(endingAt id: String, maximumBytes: Int) throws -> History {
        let last: (key: Int64, conversationID: String)? = try db.first(
            "SELECT m.key, c.id FROM messages m JOIN conversations c ON c.key = m.conversation WHERE m.id = ?", id
        ) { ($0[0], $0[1]) }
        guard let last else { throw Failure.notFound(.message, id) }
        var bytes = 0
        var hasQuestion = false
        let (path, _) = try path(from: last.key, conversationID: last.conversationID, by: MessageRow.byKeyForModels) { row, _ in
            guard !row.value.isLocal else { return true }
            bytes += row.value.modelBytes
            guard !hasQuestion || bytes <= maximumBytes else { return false }
            hasQuestion = hasQuestion || row.value.role == .user
            return true
        }
        var messages = path.filter { !$0.isLocal }
        while hasQuestion, messages.last?.role != .user { messages.removeLast() }
        guard let first = messages.last else { return History(messages: [], earlierCount: 0) }
        let depth: Int = try db.first("SELECT depth FROM messages WHERE id = ?", first.id) { $0[0] } ?? 1
        return History(messages: messages.reversed(), earlierCount: depth - 1)
    }

    /// Walks from a message towards the first of its path. No more is read than what is taken, and one message.
    ///
    /// - Parameters:
    ///   - key: the message to begin with.
    ///   - conversationID: its conversation.
    ///   - statement: reads one message.
    ///   - takes: whether a message is still wanted, after those that were taken before it.
    /// - Returns: the messages, newest first, and the id of the first that was not wanted.
    private func path(
        from key: Int64, conversationID: String, by statement: String, takes: (MessageRow, _ before: [Message]) -> Bool
    ) throws -> (messages: [Message], next: String?) {
        var messages: [Message] = []
        var next: String?
        try db.follow(statement, from: key) { stored in
            guard let stored else { throw SQLiteFailure.unreadable("messages.parent") }
            let row = try MessageRow(stored, conversationID: conversationID)
            // Each message tells the one before it, which comes after it here, what it is called.
            if !messages.isEmpty { messages[messages.count - 1].parentID = row.value.id }
            guard takes(row, messages) else {
                next = row.value.id
                return nil
            }
            messages.append(row.value)
            return row.parent
        }
        return (messages, next)
    }

    /// Stores a message.
    ///
    /// - Parameters:
    ///   - parts: its content as it is stored, where that is known already.
    /// - Returns: its key. What it cost is still to be added to what its conversation cost.
    func insert(_ message: Message, conversation: Int64, parent: Int64?, parts: String? = nil) throws -> Int64 {
        try db.run(
            """
            INSERT INTO messages (id, conversation, turn_id, parent, role, status, local, created_at, model, usage, parts, private, rating,
                rating_note, depth)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14,
                1 - ?7 + coalesce((SELECT depth FROM messages WHERE key = ?4), 0))
            """,
            message.id, conversation, message.turnID, parent, message.role.rawValue, message.status.rawValue, message.isLocal,
            message.createdAt, message.model, message.usage.map(StoredJSON.text), parts ?? StoredJSON.text(of: message.content),
            message.replay.map(StoredJSON.bytes), message.rating?.verdict.rawValue, message.rating?.note)
        return db.lastInsertedRowID
    }

    /// Stores a message in the place of what its checkpoints left.
    ///
    /// - Returns: whether what it cost is still to be added to what its conversation cost.
    func update(_ message: Message, key: Int64) throws -> Bool {
        // A checkpoint knows no cost yet, so what the message costs is counted once.
        let isCounted: Bool = try db.first("SELECT usage IS NOT NULL FROM messages WHERE key = ?", key) { $0[0] } ?? false
        try db.run(
            "UPDATE messages SET status = ?, created_at = ?, model = ?, usage = ?, parts = ?, private = ? WHERE key = ?",
            message.status.rawValue, message.createdAt, message.model, message.usage.map(StoredJSON.text),
            StoredJSON.text(of: message.content), message.replay.map(StoredJSON.bytes), key)
        return !isCounted
    }
}
