import Foundation
import GRDB
import JSON
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

@Suite struct ErasureTests {
    let database: TemporaryDatabase

    init() throws { database = try TemporaryDatabase() }

    /// Writes a secret wherever a client's text can stand, and deletes it.
    ///
    /// Rows that stay stand between those that go, and rows grow in a random order: pages are then split and repacked, which leaves copies
    /// of rows in their gaps that `secure_delete` knows nothing of.
    private func writeAndDelete(_ secret: String, in store: SQLiteStore, count: Int = 80, seed: UInt64 = 5) async throws {
        var chance = SeededGenerator(seed: seed)
        let ids = (0..<count).map { "\(secret.prefix(3))\($0)" }
        for id in ids {
            try await store.makeConversation("kept" + id, title: "keptTitle", for: .ann)
            let bot = Bot(
                id: "b" + id, name: "\(secret)\(id)", description: secret, instructions: secret, model: secret, temperature: nil,
                config: ["k": .string(secret)], revision: 1, createdAt: Timestamp(milliseconds: 1), updatedAt: Timestamp(milliseconds: 1))
            _ = try await store.createBot(bot, request: nil, for: .ann)
            try await store.makeConversation("c" + id, title: secret, botID: "b" + id, for: .ann)
            let admitted = try await store.admit("t" + id, in: "c" + id, text: secret, for: .ann)
            try await store.checkpoint([
                TurnCheckpoint(turnID: "t" + id, message: .answer(to: admitted, text: secret, status: .partial), lastSequence: 1)
            ])
            var outcome = TurnOutcome.plain(admitted, text: secret)
            outcome.error = TurnError(code: .modelRejected, message: secret, details: [Failure.Detail("k", .string(secret))])
            _ = try await store.finishTurn(outcome)
            try await store.exchange("kept" + id, in: "kept" + id, for: .ann)
        }
        while try await store.prepareSearches() {}
        for (number, id) in (ids + ids).shuffled(using: &chance).enumerated() {
            let now = Timestamp(milliseconds: Int64(10 + number))
            let longer = String(repeating: secret, count: Int.random(in: 1...60, using: &chance))
            _ = try await store.updateConversation("c" + id, ConversationChange(metadata: ["k": .string(longer)]), at: now, for: .ann)
            _ = try await store.updateBot("b" + id, BotChange(instructions: longer), ifRevision: nil, at: now, for: .ann)
        }
        for id in ids.shuffled(using: &chance) {
            try await store.deleteConversation("c" + id, at: Timestamp(milliseconds: 9_000), for: .ann)
            try await store.deleteBot("b" + id, at: Timestamp(milliseconds: 9_000), for: .ann)
        }
    }

    @Test func nothingIsLeftAfterClosing() async throws {
        var leftovers = 0
        for seed in [2, 5, 6] as [UInt64] {
            let database = try TemporaryDatabase()
            let store = try database.open()
            try await writeAndDelete("xyzzySecret", in: store, seed: seed)
            #expect(try database.files(with: "xyzzySecret").contains("parley.db-wal"))
            // Emptying the log alone is not always enough, although deleted bytes are overwritten.
            try await store.writeAlone { try $0.db.database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
            leftovers += try database.files(with: "xyzzySecret").count
            try await store.close()
            #expect(try database.files(with: "xyzzySecret") == [])
            // As it stands in the index of searches.
            #expect(try database.files(with: "xyzzysecret") == [])
            #expect(try database.files(with: "keptTitle") == ["parley.db"])
            #expect(try database.files(with: "kepttitle") == ["parley.db"])
            #expect(try database.files == ["parley.db", "parley.db-hosts"])
            #expect(SQLiteStore.check(path: database.path) == [])
            let again = try database.open()
            #expect(try await !again.erasurePending())
            try await again.close()
        }
        #expect(leftovers > 0, "this test would not notice an erasure that does not rewrite the file")
    }

    @Test func nothingIsLeftAfterErasing() async throws {
        let store = try database.open()
        try await writeAndDelete("xyzzySecret", in: store)
        #expect(try await store.erasurePending())
        #expect(try await store.erase())
        #expect(try database.files(with: "xyzzySecret") == [])
        #expect(try await !store.erasurePending())
        // And the store goes on.
        try await store.makeConversation("c", for: .ann)
        #expect(try await store.conversation("c", for: .ann).id == "c")
        try await store.close()
    }

    @Test func wordsLeaveTheIndexOfSearches() async throws {
        let store = try database.open()
        for id in ["gone", "kept"] {
            try await store.makeConversation(id, title: "Title", for: .ann)
            try await store.exchange("t." + id, in: id, text: "xyzzy\(id)", answer: "plugh\(id)", for: .ann)
        }
        while try await store.prepareSearches() {}
        try await store.deleteConversation("gone", at: Timestamp(milliseconds: 9_000), for: .ann)
        while try await store.prepareSearches() {}
        let copy = database.path + "-copy"
        _ = try SQLiteStore.backUp(path: database.path, to: copy)
        // Rewriting the file alone leaves the words in the index, which has only noted that they are gone.
        try await store.writeAlone { try $0.db.database.execute(sql: "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)") }
        #expect(try database.files(with: "plughgone") == ["parley.db"])
        #expect(try await store.erase())
        for word in ["plughgone", "xyzzygone"] { #expect(try database.files(with: word) == []) }
        #expect(try database.files(with: "plughkept") == ["parley.db", "parley.db-copy"])
        #expect(try await store.found("plughkept", for: .ann) == ["kept": ["t.kept.assistant"]])
        try await store.close()
    }

    @Test func readersAreNotInTheWay() async throws {
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        try await writeAndDelete("xyzzySecret", in: store, count: 8)
        let erased = try await withThrowingTaskGroup(of: Bool?.self) { group in
            group.addTask { try await store.erase() }
            for _ in 0..<4 {
                group.addTask {
                    while !Task.isCancelled { _ = try await store.conversation("c", for: .ann) }
                    return nil
                }
            }
            var erased: Bool?
            while let outcome = try await group.next() {
                guard let outcome else { continue }
                erased = outcome
                group.cancelAll()
            }
            return erased
        }
        #expect(erased == true)
        #expect(try database.files(with: "xyzzySecret") == [])
        try await store.close()
    }

    @Test func otherHostsKeepItPending() async throws {
        let store = try database.open()
        let other = try database.open()
        try await writeAndDelete("xyzzySecret", in: store, count: 8)
        #expect(try await !store.erase())
        #expect(try await store.erasurePending())
        try await store.close()
        #expect(try await other.erasurePending())
        // The last one out erases.
        try await other.close()
        #expect(try database.files(with: "xyzzySecret") == [])
    }

    @Test func aHostThatDiedIsNotInTheWay() async throws {
        let store = try database.open()
        try await writeAndDelete("xyzzySecret", in: store, count: 8)
        store.surroundings.locks?.unlockAll()
        let next = try database.open()
        #expect(try await next.erasurePending())
        #expect(try await next.erase())
        #expect(try await !next.erasurePending())
        try await next.close()
        withExtendedLifetime(store) {}
    }

    @Test func compactingBesideAReader() async throws {
        try await database.open().close()
        let reader = try DatabasePool(path: database.path)
        try await reader.read { db in
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM marks")
            #expect(throws: StoreOpenFailure(.locked, "\(database.path) is being read by another program.")) {
                try SQLiteStore.compact(path: database.path, busyTimeout: .milliseconds(50))
            }
        }
        try reader.close()
        _ = try SQLiteStore.compact(path: database.path)
    }

    @Test func compacting() async throws {
        let store = try database.open()
        try await writeAndDelete("xyzzySecret", in: store)
        let inUse = "\(database.path) is in use by process \(getpid()), which must end before this can be done."
        #expect(throws: StoreOpenFailure(.locked, inUse)) { try SQLiteStore.compact(path: database.path) }
        store.surroundings.locks?.unlockAll()
        // Its connections are still open, as those of a process that is just dying may be.
        let (before, after) = try SQLiteStore.compact(path: database.path)
        #expect(after < before)
        #expect(try database.files(with: "xyzzySecret") == [])
        #expect(try await !store.erasurePending())
        withExtendedLifetime(store) {}
    }
}
