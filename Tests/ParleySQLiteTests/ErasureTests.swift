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
    private func writeAndDelete(_ secret: String, in store: SQLiteStore, count: Int = 40) async throws {
        for number in 0..<count {
            let id = "\(secret.prefix(3))\(number)"
            let filler = String(repeating: "\(number)", count: 50 * number)
            _ = try await store.createBot(
                Bot(
                    id: "b" + id, name: "\(secret)n\(number)", description: secret + filler, instructions: secret + filler, model: secret,
                    temperature: nil, config: ["k": .string(secret)], revision: 1, createdAt: Timestamp(milliseconds: 1),
                    updatedAt: Timestamp(milliseconds: 1)), for: .ann)
            _ = try await store.createConversation(
                NewConversation(
                    id: "c" + id, title: secret, botID: "b" + id, metadata: ["k": .string(secret + filler)],
                    createdAt: Timestamp(milliseconds: 1)), for: .ann)
            let admitted = try await store.admit("t" + id, in: "c" + id, text: filler + secret, for: .ann)
            try await store.checkpoint([
                TurnCheckpoint(turnID: "t" + id, message: .answer(to: admitted, text: secret, status: .partial), lastSequence: 1)
            ])
            var outcome = TurnOutcome.plain(admitted, text: secret + filler)
            outcome.error = TurnError(code: .modelRejected, message: secret, details: [Failure.Detail("k", .string(secret))])
            _ = try await store.finishTurn(outcome)
            // Moves rows about, which leaves copies behind.
            _ = try await store.updateConversation(
                "c" + id, ConversationChange(title: secret + secret, metadata: ["k": .string(secret)]), at: Timestamp(milliseconds: 5),
                for: .ann)
            _ = try await store.updateBot(
                "b" + id, BotChange(instructions: secret), ifRevision: nil, at: Timestamp(milliseconds: 5), for: .ann)
        }
        for number in 0..<count {
            let id = "\(secret.prefix(3))\(number)"
            try await store.deleteConversation("c" + id, at: Timestamp(milliseconds: 9), for: .ann)
            try await store.deleteBot("b" + id, at: Timestamp(milliseconds: 9), for: .ann)
        }
    }

    /// The files in which a text stands.
    private func files(with text: String) throws -> [String] {
        try database.files.filter { name in
            try Data(contentsOf: database.folder.appending(path: name)).range(of: Data(text.utf8)) != nil
        }
    }

    @Test func nothingIsLeftAfterClosing() async throws {
        let store = try database.open()
        try await store.makeConversation("kept", title: "keptTitle", for: .ann)
        try await writeAndDelete("xyzzySecret", in: store)
        // The test can fail: before it is erased, the text is there.
        #expect(try !files(with: "xyzzySecret").isEmpty)
        try await store.close()
        #expect(try files(with: "xyzzySecret") == [])
        #expect(try files(with: "xyz") == [])
        #expect(try files(with: "keptTitle") == ["parley.db"])
        #expect(try database.files == ["parley.db", "parley.db-hosts"])
        #expect(SQLiteStore.check(path: database.path) == [])
        let again = try database.open()
        #expect(try await !again.erasurePending())
        try await again.close()
    }

    @Test func nothingIsLeftAfterErasing() async throws {
        let store = try database.open()
        try await writeAndDelete("xyzzySecret", in: store)
        #expect(try await store.erasurePending())
        #expect(try await store.erase())
        #expect(try files(with: "xyzzySecret") == [])
        #expect(try await !store.erasurePending())
        // And the store goes on.
        try await store.makeConversation("c", for: .ann)
        #expect(try await store.conversation("c", for: .ann).id == "c")
        try await store.close()
    }

    @Test func readersAreNotInTheWay() async throws {
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        try await writeAndDelete("xyzzySecret", in: store, count: 5)
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
        #expect(try files(with: "xyzzySecret") == [])
        try await store.close()
    }

    @Test func otherHostsKeepItPending() async throws {
        let store = try database.open()
        let other = try database.open()
        try await writeAndDelete("xyzzySecret", in: store, count: 5)
        #expect(try await !store.erase())
        #expect(try await store.erasurePending())
        try await store.close()
        #expect(try await other.erasurePending())
        // The last one out erases.
        try await other.close()
        #expect(try files(with: "xyzzySecret") == [])
    }

    @Test func aHostThatDiedIsNotInTheWay() async throws {
        let store = try database.open()
        try await writeAndDelete("xyzzySecret", in: store, count: 5)
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
        #expect(try files(with: "xyzzySecret") == [])
        #expect(try await !store.erasurePending())
        withExtendedLifetime(store) {}
    }
}
