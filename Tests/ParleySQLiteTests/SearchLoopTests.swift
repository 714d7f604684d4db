import Foundation
import JSON
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// What searches cost others, and what others do to searches meanwhile.
@Suite struct SearchLoopTests {
    private static let now = Timestamp(milliseconds: 9_000)

    @Test func nobodyButSearchesWaitsForASearch() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("c", title: "Parrots", for: .ann)
        let (isSearching, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        async let long: Void = store.searches.read { _ in
            isSearching.signal()
            mayEnd.wait()
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                isSearching.wait()
                continuation.resume()
            }
        }
        // More than there are threads, and a turn besides.
        for _ in 0..<20 { #expect(try await store.conversation("c", for: .ann).title == "Parrots") }
        try await store.exchange("t", in: "c", for: .ann)

        let isSettled = Locked(false)
        let search = try ConversationSearch.plain("parrots")
        // One that is wanted no more is answered at once, however long it would have to wait.
        let waiting = Task {
            await Result { () async throws(Failure) in
                try await store.searchConversations(search, page: PageRequest(), for: .ann) { isSettled.withLock { $0 = true } }
            }
        }
        waiting.cancel()
        guard case .failure(let failure) = await waiting.value else {
            Issue.record("it was found")
            return
        }
        #expect(failure.code == .cancelled && !isSettled.withLock { $0 })
        mayEnd.signal()
        try await long
        #expect(try await store.found("parrots", for: .ann) == ["c": ["title"]])
        #expect(!isSettled.withLock { $0 })
        try await store.close()
    }

    @Test func aSearchIsToldThatNobodyWantsIt() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        let hasBegun = AsyncStream<Void>.makeStream()
        let hasEnded = AsyncStream<Void>.makeStream()
        let task = Task {
            await Result { () async throws(Failure) in
                try await store.searches.readWhileWanted { _, isWanted in
                    hasBegun.continuation.finish()
                    while isWanted() { usleep(100) }
                    hasEnded.continuation.finish()
                    throw CancellationError()
                }
            }
        }
        for await _ in hasBegun.stream {}
        task.cancel()
        for await _ in hasEnded.stream {}
        guard case .failure(let failure) = await task.value else {
            Issue.record("it was found")
            return
        }
        #expect(failure.code == .cancelled)
        // And a search asks.
        try await store.makeConversation("c", title: "Parrots", for: .ann)
        for _ in 0..<2 {
            try await store.read { transaction in
                let person = try transaction.person(.ann)
                #expect(throws: CancellationError.self) {
                    try transaction.search(.plain("parrots"), of: person, page: PageRequest()) { false }
                }
            }
            while try await store.prepareSearches() {}
        }
        try await store.close()
    }

    @Test func whatIsSaidWhileASearchIsReadIsNotFound() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("c", title: "Parrots", for: .ann)
        let found = try await store.searchConversations(.plain("parrots"), page: PageRequest(), for: .ann) {
            // Another thread writes; this one has its snapshot.
            let isDone = DispatchSemaphore(value: 0)
            Task {
                _ = try? await store.updateConversation("c", ConversationChange(title: "Rooks"), at: Self.now, for: .ann)
                isDone.signal()
            }
            isDone.wait()
        }
        #expect(found.elements.map(\.conversation.title) == ["Parrots"])
        #expect(try await store.found("parrots", for: .ann) == [:])
        try await store.close()
    }

    @Test func muchThatIsMissingIsReadNoMoreThanAFewTimes() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        for caller in [Caller.ann, .bob] {
            try await store.makeConversation("\(caller)", title: "Parrots", for: caller)
            try await store.exchange("t\(caller)", in: "\(caller)", text: "Howdy", for: caller)
        }
        try await store.write { transaction in
            try transaction.db.database.execute(
                sql: """
                    WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 80)
                    INSERT INTO messages (id, conversation, role, status, created_at, turn_id, parts)
                    SELECT 'm' || n, 1, 'user', 'complete', 1, (SELECT id FROM turns WHERE conversation = 1),
                        '[{"type":"text","text":"needle' || n || ' ' || replace(hex(zeroblob(20000)), '00', 'ab ') || '"}]' FROM n;
                    """)
        }
        func entries() async throws(Failure) -> Int {
            try await store.read { try $0.db.first("SELECT count(*) FROM search_entries") { $0[0] } ?? 0 }
        }
        func search(_ query: String, for caller: Caller) async throws -> [String?] {
            try await store.searchConversations(.plain(query), page: PageRequest(), for: caller).elements.flatMap {
                $0.matches.map(\.messageID)
            }
        }
        // What is little is read.
        #expect(try await search("howdy", for: .bob) == ["t\(Caller.bob).user"])
        #expect(try await entries() == 0)
        #expect(try await search("\"needle80\"", for: .ann) == ["m80"])
        let first = try await entries()
        #expect((20...60).contains(first))
        #expect(try await search("\"needle1\"", for: .ann) == ["m1"])
        #expect(try await search("\"needle79\"", for: .ann) == ["m79"])
        #expect(try await search("\"needle80\"", for: .ann) == ["m80"])
        let last = try await entries()
        #expect(last > 80)
        #expect(try await search("ne", for: .ann) == ["m80", "m79", "m78"])
        #expect(try await entries() == last)
        while try await store.prepareSearches() {}
        #expect(try await search("needle8", for: .ann) == ["m80", "m8"])
        try await store.close()
    }

    @Test func whatHasHappenedSinceABatchWasReadStays() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        let guest = NewAnonymousUser.numbered(1)
        try await store.createAnonymousUser(guest)
        let names = ["renamed", "deleted", "longer", "running", "signs"]
        for name in names { try await store.makeConversation(name, title: name == "signs" ? "!!!" : "old", for: .ann) }
        try await store.makeConversation("claimed", title: "old", for: .anonymous(guest.tokenHash))
        for name in names.prefix(3) { try await store.exchange("t" + name, in: name, text: "old", answer: "…", for: .ann) }
        let running = try await store.admit("r", in: "running", for: .ann)
        let partial = Message.answer(to: running, text: "old", status: .partial)
        try await store.checkpoint([TurnCheckpoint(turnID: "r", message: partial, lastSequence: 2)])

        let batch = try await store.read { try SearchIndex(db: $0.db.database).missing(from: SearchIndex.Place()).folded() }
        #expect(batch.conversations.count == 6 && !batch.isMore)
        _ = try await store.updateConversation("renamed", ConversationChange(title: "new"), at: Self.now, for: .ann)
        try await store.deleteConversation("deleted", at: Self.now, for: .ann)
        try await store.makeConversation("again", title: "new", for: .ann)
        try await store.exchange("u", in: "longer", text: "new", answer: "new", for: .ann)
        try await store.finish(running, text: "new")
        _ = try await store.claimAnonymousUser(guest.tokenHash, isConfirmed: true, at: Self.now, for: .ann)
        for _ in 0..<2 { _ = try await store.write { try SearchIndex(db: $0.db.database).put(batch) } }

        #expect(
            try await store.found("old", for: .ann) == [
                "renamed": ["trenamed.user"], "longer": ["title", "tlonger.user"], "running": ["title"], "claimed": ["title"],
            ])
        #expect(
            try await store.found("new", for: .ann) == [
                "renamed": ["title"], "again": ["title"], "longer": ["u.assistant", "u.user"], "running": ["r.assistant"],
            ])
        #expect(try await store.read { try $0.db.first("SELECT count(*) FROM conversations WHERE unindexed") { $0[0] as Int } } == 0)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func whatAnotherVersionHasPutInIsPutInAnew() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("c", title: "Parrots", for: .ann)
        while try await store.prepareSearches() {}
        try await store.close()
        try database.meddle { db in
            try db.execute(
                sql:
                    "UPDATE search_index SET words = replace(words, 'parrots', 'rooks'); UPDATE marks SET value = 1 WHERE name = 'searchFolding'"
            )
        }
        #expect(SQLiteStore.check(path: database.path) == [])
        let next = try database.open()
        #expect(try await next.found("parrots", for: .ann) == ["c": ["title"]])
        #expect(try await next.found("rooks", for: .ann) == [:])
        try await next.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }
}

extension Result where Failure == ParleyCore.Failure {
    /// What becomes of something.
    fileprivate init(_ body: () async throws(Failure) -> Success) async {
        do throws(Failure) {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
