import GRDB
import JSON
import ParleyCore

/// Where in a conversation something was found.
private struct Places {
    var title = false
    /// The keys of the newest messages, the newest first.
    var messages: [Int64] = []

    /// Adds a message's key, or ``SearchIndex/title``.
    mutating func add(_ message: Int64) {
        guard message != SearchIndex.title else { return title = true }
        messages.insert(message, at: messages.firstIndex { $0 < message } ?? messages.endIndex)
        if messages.count > FoundConversation.maximumMessages { messages.removeLast() }
    }
}

/// How conversations are found by what was said in them.
extension StoreTransaction {
    /// Finds a person's conversations, the one changed last first.
    ///
    /// All places are looked up before the first conversation is shown, for the order is that of conversations. That costs a microsecond or two
    /// for each place, and they are all the person's own (``SearchTerms``).
    ///
    /// - Parameter isWanted: asked from time to time; a `CancellationError` is thrown when it is false.
    func search(
        _ search: ConversationSearch, of person: Int64?, page: PageRequest, isWanted: () -> Bool = { true }
    ) throws -> Page<FoundConversation> {
        let cursor = try PageCursor.place(in: .foundConversations, of: search.cursorScope, named: page.cursor, fields: 2)
        let place = try cursor.map(PageCursor.moment)
        guard let person else { return Page(elements: [], nextCursor: nil) }
        let found = try places(of: search.query, person, isWanted)
        let bot = try search.botID.map { try botKey($0) ?? 0 }
        var candidates: [(moment: Int, id: String, key: Int64, places: Places)] = []
        for (key, places) in found {
            guard isWanted() else { throw CancellationError() }
            let row: (moment: Int, id: String)? = try db.first(
                """
                SELECT updated_at, id FROM conversations
                WHERE key = ?1 AND owner = ?2 AND archived = coalesce(?3, archived) AND (?4 IS NULL OR bot = ?4)
                """, key, person, search.archived, bot
            ) { ($0[0], $0[1]) }
            guard let row, place.map({ (-$0.moment, $0.id) < (-row.moment, row.id) }) ?? true else { continue }
            candidates.append((row.moment, row.id, key, places))
        }
        candidates.sort { (-$0.moment, $0.id) < (-$1.moment, $1.id) }

        var collector = PageCollector<FoundConversation>(limit: page.limit, maximumBytes: surroundings.maximumPageBytes)
        // What would find no room need not be read.
        for candidate in candidates.prefix(page.limit) {
            guard isWanted() else { throw CancellationError() }
            let (element, size) = try show(candidate.key, candidate.places, search.query)
            if !collector.add(element, size: size) { break }
        }
        let end = collector.elements.count < candidates.count ? collector.elements.last?.conversation : nil
        return Page(
            elements: collector.elements,
            nextCursor: end.map { PageCursor(.foundConversations, of: search.cursorScope, after: $0).text })
    }

    /// Looks up where a query is found among a person's texts, by conversation.
    private func places(of query: SearchQuery, _ person: Int64, _ isWanted: () -> Bool) throws -> [Int64: Places] {
        var found: [Int64: Places] = [:]
        try db.forEach(
            """
            SELECT e.conversation, e.message FROM search_index s CROSS JOIN search_entries e ON e.key = s.rowid
            WHERE s.words MATCH ? AND e.conversation IS NOT NULL
            """, SearchTerms(owner: person).expression(of: query)
        ) { row in
            found[row[0], default: Places()].add(row[1])
            return isWanted()
        }
        // What is not in the index yet is read.
        let index = SearchIndex(db: db.database)
        let keys: [Int64] = try db.all("SELECT key FROM conversations WHERE unindexed AND owner = ?", person) { $0[0] }
        for key in keys {
            try index.forEachMissing(in: key) { message, text in
                if query.matches(text) { found[key, default: Places()].add(message) }
                return isWanted()
            }
            guard isWanted() else { throw CancellationError() }
        }
        return found
    }

    /// Reads a conversation and what is to be shown of the places where something was found in it.
    ///
    /// - Returns: that, and how many bytes were read for it.
    private func show(_ key: Int64, _ places: Places, _ query: SearchQuery) throws -> (FoundConversation, size: Int) {
        let conversation = try conversation(key: key)
        var found = FoundConversation(conversation: conversation, matches: [])
        var size = conversation.title.utf8.count + StoredJSON.text(of: conversation.metadata).utf8.count
        if places.title { found.matches.append(.init(excerpt: SearchExcerpt(of: conversation.title, for: query))) }
        for key in places.messages {
            let match: FoundConversation.Match? = try db.first("SELECT id, role, parts FROM messages WHERE key = ?", key) { row in
                guard let role = Message.Role(rawValue: row[1]) else { throw SQLiteFailure.unreadable("messages.role") }
                let text = try StoredJSON.parts(row[2]).searchText
                size += text.utf8.count
                return .init(messageID: row[0], role: role, excerpt: SearchExcerpt(of: text, for: query))
            }
            if let match { found.matches.append(match) }
        }
        return (found, size)
    }
}

extension ConversationSearch {
    /// What the list is narrowed to, as its cursors say it.
    fileprivate var cursorScope: String {
        StoredJSON.text(
            of: .array([
                .array(query.phrases.map { .string($0.words.joined(separator: " ") + ($0.isOpen ? "*" : "")) }),
                archived.map(JSONValue.bool) ?? .null, botID.map(JSONValue.string) ?? .null,
            ]))
    }
}
