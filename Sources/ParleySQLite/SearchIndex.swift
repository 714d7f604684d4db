import GRDB
import ParleyCore

/// The index of what searches look through, and how it keeps up with what is stored.
///
/// What stores or deletes something only leaves word of it, which costs next to nothing: `conversations.unindexed`, and entries that have lost
/// their conversation. The rest is done later, a little at a time (``advance(from:)``). A search finds what is not in the index yet by
/// reading it.
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
    private static let batchBytes = 65_536
    /// What a text costs beside its bytes, in bytes.
    private static let overhead = 128

    let db: Database

    // MARK: Keeping up

    /// Whether anything is to be put in or taken out.
    func isBehind() throws -> Bool {
        try db.first(
            "SELECT EXISTS (SELECT 1 FROM conversations WHERE unindexed) OR EXISTS (SELECT 1 FROM search_entries WHERE conversation IS NULL)"
        ) { $0[0] } ?? false
    }

    /// Puts some of what is missing into the index, and takes out some of what is gone.
    ///
    /// Walking on from where the last batch ended, and not always from the beginning, keeps those who say a lot from holding up everybody else.
    ///
    /// - Returns: where to go on, and whether something is left for that.
    func advance(from place: Place) throws -> (next: Place, isMore: Bool) {
        let graves = try emptyGraves(atMost: Self.batch)
        var list: [(owner: Int64, key: Int64)] = try db.all(
            "SELECT owner, key FROM conversations WHERE unindexed AND owner = ? AND key > ? ORDER BY key LIMIT ?", place.owner,
            place.conversation, Self.batch
        ) { ($0[0], $0[1]) }
        list += try db.all(
            "SELECT owner, key FROM conversations WHERE unindexed AND owner > ? ORDER BY owner, key LIMIT ?", place.owner,
            Self.batch - list.count
        ) { ($0[0], $0[1]) }
        var place = place
        var bytes = 0
        for (owner, key) in list {
            guard try add(key, of: owner, &bytes) else { return (place, true) }
            place = Place(owner: owner, conversation: key)
        }
        return list.count < Self.batch ? (Place(), graves == Self.batch) : (place, true)
    }

    /// Puts in what is missing of a conversation.
    ///
    /// - Parameter bytes: what this batch has taken so far.
    /// - Returns: false when the batch is full before all is done.
    private func add(_ conversation: Int64, of owner: Int64, _ bytes: inout Int) throws -> Bool {
        let terms = SearchTerms(owner: owner)
        var isComplete = true
        try forEachMissing(in: conversation) { message, text in
            guard bytes < Self.batchBytes else {
                isComplete = false
                return false
            }
            bytes += text.utf8.count + Self.overhead
            let words = terms.text(of: text)
            guard !words.isEmpty else { return true }
            try db.run("INSERT INTO search_entries (conversation, message) VALUES (?, ?)", conversation, message)
            try db.run("INSERT INTO search_index (rowid, words) VALUES (?, ?)", db.lastInsertedRowID, words)
            return true
        }
        if isComplete { try db.run("UPDATE conversations SET unindexed = 0 WHERE key = ?", conversation) }
        return isComplete
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
    /// - Parameter body: takes a message's key, or ``title``, and its text; tells whether it wants another.
    func forEachMissing(in conversation: Int64, _ body: (_ message: Int64, _ text: String) throws -> Bool) throws {
        let title: String? = try db.first(
            """
            SELECT title FROM conversations c
            WHERE key = ? AND title <> '' AND NOT EXISTS (SELECT 1 FROM search_entries WHERE conversation = c.key AND message = 0)
            """,
            conversation
        ) { $0[0] }
        if let title, try !body(Self.title, title) { return }
        // Messages join a conversation in the order of their keys, and are put in in that order. That the index on parents holds the key as well
        // spares reading those that are there already.
        let keys: [Int64] = try db.all(
            """
            SELECT key FROM messages
            WHERE conversation = ?1 AND key > coalesce((SELECT max(message) FROM search_entries WHERE conversation = ?1), 0)
            """,
            conversation
        ) { $0[0] }
        for key in keys.sorted() {
            guard let (text, isFinal) = try text(ofMessage: key), isFinal else { return }
            if !text.isEmpty, try !body(key, text) { return }
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
