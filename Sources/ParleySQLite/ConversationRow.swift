import GRDB
import JSON
import ParleyCore

/// A conversation as it stands in the database.
struct ConversationRow {
    let key: Int64
    let owner: Int64
    /// The key of the message that the next one follows.
    let head: Int64?
    /// The bot's key.
    let bot: Int64?
    /// The command that waits for an argument.
    let pendingCommand: PendingCommand?
    /// The host of the turn that runs.
    let activeHost: Int64?
    var value: Conversation

    fileprivate static let selection = """
        SELECT c.key, c.owner, c.head, c.bot, t.host, c.id, c.title, b.id, c.pinned, c.archived, c.metadata, c.message_count, t.id,
            c.created_at, c.updated_at, c.usage, c.pending_command, h.id
        FROM conversations c
        LEFT JOIN bots b ON b.key = c.bot
        LEFT JOIN messages h ON h.key = c.head
        LEFT JOIN turns t ON t.conversation = c.key AND t.status = 'inProgress'
        """
    fileprivate static let byID = selection + " WHERE c.id = ?"
    fileprivate static let byKey = selection + " WHERE c.key = ?"

    fileprivate init(_ row: StoredRow) throws {
        key = row[0]
        owner = row[1]
        head = row[2]
        bot = row[3]
        activeHost = row[4]
        let usage: [UInt8]? = row[15]
        let pending: [UInt8]? = row[16]
        pendingCommand = try pending.map(StoredJSON.pendingCommand)
        value = Conversation(
            id: row[5], title: row[6], botID: row[7], pinned: row[8], archived: row[9],
            metadata: try StoredJSON.value(row[10], column: "conversations.metadata"), headMessageID: row[17], messageCount: row[11],
            activeTurnID: row[12],
            usage: try usage.map { try StoredJSON.usage($0, column: "conversations.usage") }, createdAt: row[13], updatedAt: row[14])
    }
}

extension StoreTransaction {
    /// Finds a conversation of a person.
    ///
    /// - Throws: `notFound`, also for what is somebody else's.
    func conversation(_ id: String, of person: Int64?) throws -> ConversationRow {
        let found = try db.first(ConversationRow.byID, id, read: ConversationRow.init)
        guard let found else { throw Failure.notFound(.conversation, id) }
        guard found.owner == person else { throw notTheCallers(.conversation, id) }
        return found
    }

    /// Reads a conversation that is known to be there.
    func conversation(key: Int64) throws -> Conversation {
        guard let found = try db.first(ConversationRow.byKey, key, read: ConversationRow.init) else {
            throw SQLiteFailure.unreadable("conversations.key")
        }
        return found.value
    }

    /// Makes a conversation, linked to a bot that its owner may use.
    ///
    /// - Throws: `notFound` (bot).
    func insert(_ new: NewConversation, owner: Int64) throws {
        let bot = try new.botID.map { try self.usableBot($0, by: owner).key }
        try db.run(
            """
            INSERT INTO conversations (id, owner, bot, title, metadata, created_at, updated_at, used_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7)
            """,
            new.id, owner, bot, new.title, StoredJSON.text(of: new.metadata), new.createdAt, timeOfUse(at: new.createdAt))
    }

    /// Stores a conversation's new title and metadata, and whether it is pinned and archived. Whatever changes, it is used.
    ///
    /// - Parameter isRenamed: whether the title is another than before.
    func update(_ conversation: ConversationRow, isRenamed: Bool, at now: Timestamp) throws {
        let value = conversation.value
        if isRenamed { try buryTitle(ofConversation: conversation.key) }
        try db.run(
            """
            UPDATE conversations SET title = ?, metadata = ?, pinned = ?, archived = ?, updated_at = ?, used_at = ?,
                unindexed = max(unindexed, ?)
            WHERE key = ?
            """,
            value.title, StoredJSON.text(of: value.metadata), value.pinned, value.archived, value.updatedAt, timeOfUse(at: now), isRenamed,
            conversation.key)
    }

    /// What a conversation has cost once more is added, as it is stored; nil when nothing is.
    func usage(ofConversation key: Int64, with added: Usage?) throws -> String? {
        guard let added else { return nil }
        let stored: [UInt8]?? = try db.first("SELECT usage FROM conversations WHERE key = ?", key) { $0[0] }
        return StoredJSON.text(of: try (stored ?? nil).map { try StoredJSON.usage($0, column: "conversations.usage") + added } ?? added)
    }

    /// Links a conversation to a bot, or to none.
    func link(_ conversation: ConversationRow, to bot: Int64?, at now: Timestamp) throws {
        try db.run(
            "UPDATE conversations SET bot = ?, updated_at = ?, used_at = ? WHERE key = ?", bot, conversation.value.updatedAt,
            timeOfUse(at: now), conversation.key)
    }

    /// Deletes a conversation with all that belongs to it.
    func delete(_ conversation: ConversationRow, at now: Timestamp) throws {
        try leaveQueue(whereConversation: "c.key", conversation.key, at: now)
        try db.run("DELETE FROM conversations WHERE key = ?", conversation.key)
        try Erasure.setPending(in: db, since: now)
    }

    /// Lists a person's conversations, the one changed last first.
    func conversations(of person: Int64?, _ filter: ConversationFilter, page: PageRequest) throws -> Page<Conversation> {
        let place = try PageCursor.place(in: .conversations, of: filter.cursorScope, named: page.cursor, fields: 2)
        guard let person else { return Page(elements: [], nextCursor: nil) }
        var collector = PageCollector<Conversation>(limit: page.limit, maximumBytes: surroundings.maximumPageBytes)
        // Keys begin at 1: an unknown bot is linked to nothing.
        let bot = try filter.botID.map { try botKey($0) ?? 0 }
        // Spelt out, because an index that holds but some rows is only used where it is plain that they are enough.
        let pinned = filter.pinned.map { " AND c.pinned = \($0 ? 1 : 0)" } ?? ""
        let list = ConversationRow.selection + " WHERE c.owner = ?1 AND c.archived = ?2" + pinned + (bot == nil ? "" : " AND c.bot = ?5")
        func collect(_ row: StoredRow) throws -> Bool {
            let conversation = try ConversationRow(row).value
            let metadata: [UInt8] = row[10]
            return collector.add(conversation, size: conversation.title.utf8.count + metadata.count)
        }
        var before = Int.max
        if let place {
            let (moment, id) = try PageCursor.moment(place)
            // The order runs down in time and up in ids, so the rest of one millisecond is a range of its own.
            let rest = list + " AND c.updated_at = ?3 AND c.id > ?4 ORDER BY c.id"
            try db.forEach(rest, person, filter.archived, moment, id, bot, read: collect)
            before = moment
        }
        if !collector.isFull {
            try db.forEach(
                list + " AND c.updated_at < ?3 ORDER BY c.updated_at DESC, c.id", person, filter.archived, before, String?.none, bot,
                read: collect)
        }
        let end = collector.next == nil ? nil : collector.elements.last
        return Page(
            elements: collector.elements,
            nextCursor: end.map { PageCursor(.conversations, of: filter.cursorScope, after: $0).text })
    }
}

extension ConversationFilter {
    /// What a list is narrowed to, as its cursors say it.
    fileprivate var cursorScope: String? {
        // As it was before there was anything else, so that cursors go on.
        guard archived || pinned != nil else { return botID }
        return StoredJSON.text(of: .array([botID.map(JSONValue.string) ?? .null, .bool(archived), pinned.map(JSONValue.bool) ?? .null]))
    }
}

extension PageCursor {
    /// The place after a conversation, where the one changed last comes first.
    init(_ list: List, of parent: String?, after conversation: Conversation) {
        self.init(list, of: parent, at: [.integer(conversation.updatedAt.milliseconds), .string(conversation.id)])
    }

    /// The moment and the id of such a place.
    ///
    /// - Throws: `invalidParams` (path `cursor`).
    static func moment(_ place: [JSONValue]) throws(Failure) -> (moment: Int, id: String) {
        guard let moment = place[0].intValue, let id = place[1].stringValue else { throw invalid }
        return (moment, id)
    }
}
