import GRDB
import JSON
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

@Suite struct SearchIndexTests {
    private static let text = #"[{"type":"text","text":"Hello, parrots"}]"#

    @Test func anOlderDatabaseIsSearchedAtOnceAndIndexedBitByBit() async throws {
        let database = try TemporaryDatabase()
        try database.meddle { db in
            try Schema.migrate(db, through: Array(Schema.steps.prefix(6)))
            try db.execute(
                sql: """
                    PRAGMA journal_mode = WAL;
                    INSERT INTO people (key, kind, external_id, created_at) VALUES (1, 'user', 'ann', 1), (2, 'user', 'bob', 1);
                    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 200)
                    INSERT INTO conversations (key, id, owner, head, message_count, created_at, updated_at, title, metadata)
                    SELECT n, 'c' || n, 1 + n % 2, n, 1, 1, n, iif(n = 7, 'Parrots', ''), '{}' FROM n;
                    INSERT INTO turns (key, id, conversation, person, epoch, status, created_at, started_at, completed_at, deadline, stop_reason,
                        user_message_id) SELECT key, 't' || key, key, owner, 1, 'completed', 1, 1, 1, 1, 'endTurn', 'm' || key FROM conversations;
                    INSERT INTO messages (key, id, conversation, role, status, created_at, turn_id, parts)
                    SELECT key, 'm' || key, key, 'user', 'complete', 1, 't' || key, '\(Self.text)' FROM conversations;
                    """)
        }
        let store = try database.open()
        let found = try await store.searchConversations(.plain("parrots"), page: PageRequest(limit: 200), for: .bob).elements
        #expect(found.count == 100 && found.last?.matches.count == 1)
        var steps = 1
        while try await store.prepareSearches() { steps += 1 }
        // The search has begun with it.
        #expect(steps > 2)
        #expect(try await store.searchConversations(.plain("parrots"), page: PageRequest(limit: 200), for: .bob).elements == found)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func longTextsArePutInOneByOne() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        try await store.makeConversation("c", title: "Title", for: .ann)
        for number in 0..<4 {
            try await store.exchange(
                "t\(number)", in: "c", text: String(repeating: "word\(number) ", count: 11_000), answer: "short", for: .ann)
        }
        var counts: [Int] = []
        repeat {
            counts.append(try await store.read { try $0.db.first("SELECT count(*) FROM search_entries") { $0[0] } ?? 0 })
        } while try await store.prepareSearches()
        #expect(counts == [0, 2, 4, 6, 8])
        #expect(try await store.found("word3", for: .ann) == ["c": ["t3.user"]])
        try await store.close()
    }

    @Test func whatHasNoWordsHoldsUpNothing() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("c", title: "!!!", for: .ann)
        for (number, text) in [String(repeating: ".", count: 70_000), String(repeating: "-", count: 70_000), "word"].enumerated() {
            try await store.exchange("t\(number)", in: "c", text: text, answer: "…", for: .ann)
        }
        #expect(try await store.found("word", for: .ann) == ["c": ["t2.user"]])
        #expect(try await !store.prepareSearches())
        #expect(try await store.read { try $0.db.first("SELECT count(*) FROM conversations WHERE unindexed") { $0[0] as Int } } == 0)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func whoSaysLittleAmongManyFindsItQuickly() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        for caller in [Caller.ann, .bob] { try await store.makeConversation("\(caller)", title: "Parrots", for: caller) }
        try await store.write { transaction in
            try transaction.db.database.execute(
                sql: """
                    INSERT INTO turns (id, conversation, person, epoch, status, created_at, started_at, completed_at, deadline, stop_reason,
                        user_message_id) SELECT 't' || key, key, owner, 1, 'completed', 1, 1, 1, 1, 'endTurn', '' FROM conversations;
                    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
                    INSERT INTO messages (key, id, conversation, role, status, created_at, turn_id, parts)
                    SELECT n, 'm' || n, iif(n % 5000 = 0, 1, 2), 'user', 'complete', 1, iif(n % 5000 = 0, 't1', 't2'), '\(Self.text)' FROM n;
                    """)
        }
        while try await store.prepareSearches() {}
        for query in ["parrots", "p", "\"hello parrots\""] {
            let (count, steps) = try await store.read { transaction in
                let counter = StepCounter()
                counter.install(on: transaction.db.database)
                defer { counter.remove(from: transaction.db.database) }
                let person = try transaction.person(.ann)
                return (try transaction.search(.plain(query), of: person, page: PageRequest()).elements.count, counter.steps)
            }
            #expect(count == 1 && steps < 2_000, "\(steps) steps for \(query)")
        }
        try await store.close()
    }

    @Test func severalHostsIndexSideBySide() async throws {
        let database = try TemporaryDatabase()
        let stores = try [database.open(), database.open()]
        for number in 0..<100 {
            try await stores[number % 2].makeConversation("c\(number)", title: "Title \(number)", for: .user(id: "person\(number % 7)"))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for store in stores { group.addTask { while try await store.prepareSearches() {} } }
            try await group.waitForAll()
        }
        for store in stores {
            #expect(try await store.found("title", for: .user(id: "person3")).count == 14)
            try await store.close()
        }
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func pagesAreBoundedByWhatMustBeRead() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        let metadata: JSONValue = ["k": .string(String(repeating: "x", count: 600_000))]
        for number in 0..<3 {
            let now = Timestamp(milliseconds: 1_000)
            let new = NewConversation(id: "c\(number)", title: "Needle", botID: nil, metadata: metadata, createdAt: now)
            _ = try await store.createConversation(new, for: .ann)
        }
        var pages: [Int] = []
        let found = try await store.allPages(limit: 10) { page async throws(Failure) in
            let page = try await store.searchConversations(.plain("needle"), page: page, for: .ann)
            pages.append(page.elements.count)
            return page
        }
        #expect(pages == [1, 1, 1] && found.map(\.conversation.id) == ["c0", "c1", "c2"])
        try await store.close()
    }

    @Test func anIndexThatIsDamagedCostsNothingButSearches() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("c", title: "Parrots", for: .ann)
        try await store.exchange("t", in: "c", for: .ann)
        while try await store.prepareSearches() {}
        try await store.writeAlone { try $0.db.database.execute(sql: "DELETE FROM search_index_data WHERE id > 10") }
        try await store.close()
        let damage = "The index of searches is damaged; parley db compact makes it anew."
        #expect(SQLiteStore.check(path: database.path) == [damage])
        let next = try database.open()
        await expectFailure(Failure(.storeUnavailable, "")) { () async throws(Failure) in
            try await next.searchConversations(.plain("parrots"), page: PageRequest(), for: .ann)
        }
        try await next.exchange("u", in: "c", text: "Bye", for: .ann)
        #expect(try await next.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.count == 4)
        try await next.close()
        _ = try SQLiteStore.compact(path: database.path)
        #expect(SQLiteStore.check(path: database.path) == [])
        let last = try database.open()
        #expect(try await last.found("parrots", for: .ann) == ["c": ["title"]])
        #expect(try await last.found("bye", for: .ann) == ["c": ["u.user"]])
        try await last.close()
    }

    /// Nothing that people write is an operator, an error or somebody else's.
    @Test func anythingMayBeAskedFor() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        try await store.makeConversation("c", title: "Parrots", for: .ann)
        while try await store.prepareSearches() {}
        var chance = SeededGenerator(seed: 9)
        let pieces = [
            "\"", "*", "(", ")", ":", "^", "-", "+", "AND", "OR", "NOT", "NEAR", "words", "search_index", "rank", "1_", "_", "{", "}", "'",
            ",",
            ";", "\u{0}", "%", "parrots", "2_parrots", "日", "\\", "é", "“", "{words}:", "NEAR(a b, 2)", " ", " ", " ",
        ]
        for _ in 0..<3_000 {
            let query = (0..<Int.random(in: 1...8, using: &chance)).map { _ in pieces.randomElement(using: &chance) ?? "" }.joined()
            guard let search = try? ConversationSearch.plain(query) else { continue }
            for caller in [Caller.ann, .bob] {
                _ = try await store.searchConversations(search, page: PageRequest(), for: caller)
            }
        }
        try await store.close()
    }
}
