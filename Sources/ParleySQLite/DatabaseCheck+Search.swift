import GRDB
import ParleyCore

/// What must hold of the index of searches.
extension DatabaseCheck {
    /// Makes what the check reads the index with; it lies beside the database, in memory, and must be made before the connection may only look.
    static func prepareSearchCheck(in db: Database) throws {
        try db.execute(
            sql: """
                PRAGMA temp_store = MEMORY;
                CREATE VIRTUAL TABLE temp.search_instances USING fts5vocab (main, search_index, instance)
                """)
    }

    /// FTS5's own check writes, or behaves as if it did, and would keep hosts waiting; this one says the same by reading, and tells whether the index
    /// is that of what is stored; of one that another version has put in only a host that opens it makes one that can be told.
    static func searchIndex(in db: Database) throws -> [String] {
        let damage: [String]
        do {
            damage = try words(in: db)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            damage = ["The index of searches is damaged; parley db compact makes it anew."]
        }
        let isCurrent = try SearchIndex(db: db).hasCurrentFolding()
        return try damage + graves(in: db) + (isCurrent ? strangers(in: db) + gaps(in: db) : [])
    }

    /// Whether the index holds the words that were put in, each in its place: both ways are summed up in a number.
    private static func words(in db: Database) throws -> [String] {
        var indexed: UInt64 = 0
        try db.forEach("SELECT term, doc, offset FROM temp.search_instances") { row in
            let (term, entry, place): ([UInt8], Int, Int) = (row[0], row[1], row[2])
            indexed &+= fingerprint(term[...], entry, place)
            return true
        }
        var kept: UInt64 = 0
        try db.forEach("SELECT rowid, words FROM search_index") { row in
            let (entry, words): (Int, [UInt8]) = (row[0], row[1])
            for (place, word) in words.split(separator: UInt8(ascii: " ")).enumerated() { kept &+= fingerprint(word, entry, place) }
            return true
        }
        return indexed == kept ? [] : ["The index of searches does not hold the words that were put in."]
    }

    /// FNV-1a (https://www.rfc-editor.org/rfc/rfc9923.html), over a word and its place.
    private static func fingerprint(_ word: ArraySlice<UInt8>, _ entry: Int, _ place: Int) -> UInt64 {
        func add(_ byte: UInt8, to hash: UInt64) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        var hash = word.reduce(0xCBF2_9CE4_8422_2325) { add($1, to: $0) }
        for number in [entry, place] {
            for shift in stride(from: 0, to: 64, by: 8) { hash = add(UInt8(truncatingIfNeeded: number >> shift), to: hash) }
        }
        return hash
    }

    /// Whether each entry has its words, and the other way round.
    private static func graves(in db: Database) throws -> [String] {
        let entries: Set<Int> = Set(try db.all("SELECT key FROM search_entries") { $0[0] })
        let rows: Set<Int> = Set(try db.all("SELECT rowid FROM search_index") { $0[0] })
        return entries == rows ? [] : ["The index of searches and the list of its entries do not agree."]
    }

    /// Whether what is found in a conversation was said there.
    private static func strangers(in db: Database) throws -> [String] {
        let index = SearchIndex(db: db)
        var ids: [String] = []
        try db.forEach(
            """
            SELECT c.id, c.owner, c.title, e.message, m.conversation IS e.conversation, s.words
            FROM search_entries e JOIN conversations c ON c.key = e.conversation
            LEFT JOIN messages m ON m.key = e.message LEFT JOIN search_index s ON s.rowid = e.key
            ORDER BY e.conversation
            """
        ) { row in
            let (id, owner, title, message, isOfConversation): (String, Int64, String, Int64, Bool) = (
                row[0], row[1], row[2], row[3], row[4]
            )
            let text = message == SearchIndex.title ? title : isOfConversation ? try index.text(ofMessage: message)?.text : nil
            let words: String? = row[5]
            if words != text.map({ SearchTerms(owner: owner).text(of: $0) }), ids.last != id { ids.append(id) }
            return true
        }
        return limited(ids.map { "Conversation \($0) is found by what was not said in it." })
    }

    /// Whether what was said in a conversation is found.
    private static func gaps(in db: Database) throws -> [String] {
        let index = SearchIndex(db: db)
        let conversations: [(key: Int64, id: String)] = try db.all("SELECT key, id FROM conversations WHERE NOT unindexed") {
            ($0[0], $0[1])
        }
        let incomplete = try conversations.filter { conversation in
            var isMissing = false
            try index.forEachMissing(in: conversation.key) { _, text in
                var words = SearchWords(text)
                isMissing = words.next() != nil
                return !isMissing
            }
            return isMissing
        }
        return limited(incomplete.map { "Conversation \($0.id) is not found by all that was said in it." })
    }
}
