import GRDB
import ParleyCore

/// The index of what searches look through, and how it keeps up with what is stored.
///
/// What stores or deletes something only leaves word of it, which costs next to nothing: `conversations.unindexed`, and entries that have lost
/// their conversation. The rest is done later, a little at a time: what is missing is read and folded in one transaction (``missing(from:)``), and put
/// in in another (``put(_:)``), which whoever else writes waits for. A search finds what is not in the index yet by reading it.
struct SearchIndex {
    /// How far a walk through the conversations that are not in the index has come: the last one that is done with, by owner.
    struct Place {
        var owner: Int64 = 0
        var conversation: Int64 = 0
    }

    /// What stands for a conversation's title among the keys of its messages.
    static let title: Int64 = 0

    /// How much is done in one transaction: as many conversations, entries that are taken out, and bytes of text; one text may be longer.
    private static let batch = 64
    static let batchBytes = 65_536
    /// What a text costs beside its bytes, in bytes.
    private static let overhead = 128

    let db: Database

    // MARK: Keeping up

    /// Changes whenever ``SearchWords``, or the libraries that it asks, make other words of a text, or `searchText` another text of a message.
    private static let folding = 2
    private static let foldingMark = "searchFolding"

    /// Whether the index holds what this version makes of texts.
    func hasCurrentFolding() throws -> Bool {
        try db.first("SELECT value FROM marks WHERE name = ?", Self.foldingMark) { $0[0] } == Self.folding
    }

    /// Has everything put in anew if another version has put it in, which may have made other words of it.
    func requireCurrentFolding() throws {
        guard try !hasCurrentFolding() else { return }
        try db.run("UPDATE search_entries SET conversation = NULL WHERE conversation IS NOT NULL")
        try db.run("UPDATE conversations SET unindexed = 1 WHERE NOT unindexed")
        try db.run(
            "INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", Self.foldingMark,
            Self.folding)
    }

    /// Whether anything is to be taken out.
    func hasGraves() throws -> Bool {
        try db.first("SELECT EXISTS (SELECT 1 FROM search_entries WHERE conversation IS NULL)") { $0[0] } ?? false
    }

    /// Reads some of what is missing.
    ///
    /// Walking on from where the last batch ended, and not always from the beginning, keeps those who say a lot from holding up everybody else.
    func missing(from place: Place) throws -> SearchBatch {
        var list = try conversations("owner = ?1 AND key > ?2 ORDER BY key", place.owner, place.conversation, atMost: Self.batch)
        list += try conversations(
            "owner > ?1 AND ?2 IS NOT NULL ORDER BY owner, key", place.owner, place.conversation, atMost: Self.batch - list.count)
        return try missing(of: list, from: place)
    }

    /// Reads some of what is missing of one person.
    func missing(of owner: Int64) throws -> SearchBatch {
        let place = Place(owner: owner)
        return try missing(
            of: conversations("owner = ?1 AND key > ?2 ORDER BY key", place.owner, place.conversation, atMost: Self.batch), from: place)
    }

    private func conversations(
        _ condition: String, _ owner: Int64, _ key: Int64, atMost count: Int
    ) throws -> [SearchBatch.Conversation] {
        try db.all("SELECT key, id, owner FROM conversations WHERE unindexed AND \(condition) LIMIT ?3", owner, key, count) {
            SearchBatch.Conversation(key: $0[0], id: $0[1], owner: $0[2])
        }
    }

    private func missing(of list: [SearchBatch.Conversation], from place: Place) throws -> SearchBatch {
        var batch = SearchBatch(next: place)
        for var conversation in list {
            try forEachMissing(in: conversation.key) { message, text in
                guard batch.bytes < Self.batchBytes else {
                    conversation.isWhole = false
                    return false
                }
                batch.bytes += text.utf8.count + Self.overhead
                conversation.entries.append(SearchBatch.Entry(message: message, text: text))
                return true
            }
            batch.conversations.append(conversation)
            guard conversation.isWhole else {
                batch.isMore = true
                return batch
            }
            batch.next = Place(owner: conversation.owner, conversation: conversation.key)
        }
        batch.isMore = list.count == Self.batch
        if !batch.isMore { batch.next = Place() }
        return batch
    }

    /// Puts in what was missing, and takes out some of what is gone.
    ///
    /// What has happened since the batch was read is not undone by it: what is gone, renamed, somebody else's or there already is left out, and a
    /// conversation in which more was said keeps the word of it.
    ///
    /// - Returns: whether more of what is gone may be left.
    func put(_ batch: SearchBatch) throws -> Bool {
        for conversation in batch.conversations {
            let title: String? = try db.first(
                "SELECT title FROM conversations WHERE key = ? AND id = ? AND owner = ?", conversation.key, conversation.id,
                conversation.owner
            ) { $0[0] }
            guard let title else { continue }
            // What has no words is put in as well, or it would be found missing for ever.
            for entry in conversation.entries where entry.message != Self.title || entry.text == title {
                let isNew = try db.run(
                    "INSERT OR IGNORE INTO search_entries (conversation, message) VALUES (?, ?)", conversation.key, entry.message)
                if isNew > 0 { try db.run("INSERT INTO search_index (rowid, words) VALUES (?, ?)", db.lastInsertedRowID, entry.words) }
            }
            if try conversation.isWhole && !isAnythingMissing(in: conversation.key) {
                try db.run("UPDATE conversations SET unindexed = 0 WHERE key = ?", conversation.key)
            }
        }
        return try emptyGraves(atMost: Self.batch) == Self.batch
    }

    private func isAnythingMissing(in conversation: Int64) throws -> Bool {
        var isMissing = false
        try forEachMissing(in: conversation) { _, _ in
            isMissing = true
            return false
        }
        return isMissing
    }

    /// Takes entries out of the index that belong to nothing any more.
    ///
    /// - Returns: how many there were, at most `count`.
    func emptyGraves(atMost count: Int) throws -> Int {
        let keys: [Int64] = try db.all("SELECT key FROM search_entries WHERE conversation IS NULL LIMIT ?", count) { $0[0] }
        for key in keys {
            try db.run("DELETE FROM search_index WHERE rowid = ?", key)
            try db.run("DELETE FROM search_entries WHERE key = ?", key)
        }
        return keys.count
    }

    /// Takes all out of the index that belongs to nothing any more, and what has been taken out before as well: FTS5 only notes that something
    /// is gone, until it merges what it has. To be called outside of any transaction.
    ///
    /// - Parameter anew: whether the index is made anew for that, which takes longer; one that is found damaged is in any case.
    func erase(anew: Bool) throws {
        // A database of an older version can be compacted too.
        guard try db.first("SELECT 1 FROM sqlite_schema WHERE name = 'search_index'", read: { _ in true }) ?? false else { return }
        do {
            if anew { try remake() }
            try emptyAllGraves()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT && !anew {
            try remake()
            try emptyAllGraves()
        }
    }

    /// Makes the index anew of the words that stand beside it as they were put in.
    private func remake() throws {
        try db.run("INSERT INTO search_index (search_index) VALUES ('rebuild')")
    }

    private func emptyAllGraves() throws {
        var count = 0
        repeat {
            try db.inTransaction(.immediate) {
                count = try emptyGraves(atMost: Self.batch)
                return .commit
            }
        } while count > 0
        try db.run("INSERT INTO search_index (search_index) VALUES ('optimize')")
    }

    // MARK: What is missing

    /// Reads the texts of a conversation that searches look through and that are not in the index: its title, and what the user or the assistant
    /// says in its messages, in the order in which they were stored. What a running turn still says is not among them.
    ///
    /// - Parameter body: takes a message's key, or ``title``, and its text; tells whether it wants another. It must not call this again.
    func forEachMissing(in conversation: Int64, _ body: (_ message: Int64, _ text: String) throws -> Bool) throws {
        let title: String? = try db.first(
            """
            SELECT title FROM conversations c
            WHERE key = ? AND title <> '' AND NOT EXISTS (SELECT 1 FROM search_entries WHERE conversation = c.key AND message = 0)
            """,
            conversation
        ) { $0[0] }
        if let title, try !body(Self.title, title) { return }
        // Messages join a conversation in the order of their keys, and are put in in that order.
        try db.forEach(
            """
            SELECT key FROM messages INDEXED BY messages_in_order
            WHERE conversation = ?1 AND key > coalesce((SELECT max(message) FROM search_entries WHERE conversation = ?1), 0)
            ORDER BY key
            """, conversation
        ) { row in
            let message: Int64 = row[0]
            guard let (text, isFinal) = try text(ofMessage: message), isFinal else { return false }
            return try text.isEmpty || body(message, text)
        }
    }

    /// What the user or the assistant says in a message.
    ///
    /// - Returns: the text, empty for the results of tools, and whether it is what it will always be.
    func text(ofMessage key: Int64) throws -> (text: String, isFinal: Bool)? {
        try db.first(
            """
            SELECT iif(m.role = 'tool', '[]', m.parts),
                m.status = 'complete' OR NOT EXISTS (SELECT 1 FROM turns t WHERE t.id = m.turn_id AND t.status = 'inProgress')
            FROM messages m WHERE m.key = ?
            """, key
        ) { (try StoredJSON.parts($0[0]).searchText, $0[1]) }
    }
}

/// How word is left for the index.
extension StoreTransaction {
    /// Takes a conversation's title out of what is found.
    func buryTitle(ofConversation key: Int64) throws {
        try db.run("UPDATE search_entries SET conversation = NULL WHERE conversation = ? AND message = ?", key, SearchIndex.title)
    }

    /// Takes all that a person has out of what is found.
    func buryEntries(ofPerson key: Int64) throws {
        try db.run(
            "UPDATE search_entries SET conversation = NULL WHERE conversation IN (SELECT key FROM conversations WHERE owner = ?)", key)
    }
}
