import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// What is safe when the machine loses power: with `full` all that was answered, with `normal` a database that is sound.
@Suite struct DurabilityTests {
    private let database: TemporaryDatabase
    private let disk: FaultyDisk

    init() async throws {
        database = try TemporaryDatabase()
        try await database.open().close()
        disk = try FaultyDisk(folder: database.folder.path)
    }

    @Test func fullSyncsAfterTheLastWriteAndBeforeTheAnswer() async throws {
        let store = try database.open(durability: .full)
        try await store.makeConversation("c", for: .ann)
        disk.forget()
        try await store.admit("t", in: "c", for: .ann)
        let calls = disk.calls
        let written = try #require(calls.lastIndex { $0.operation == .write })
        let synced = try #require(calls.lastIndex(of: FaultyDisk.Call(.sync, of: .log)))
        #expect(calls[written].file == .log && written < synced)

        // Were the answer given without waiting for it, a sync that fails would not matter.
        disk.fail(.unsafe)
        await expectFailure(Failure(.storeUnavailable, "")) { () async throws(Failure) in
            try await store.makeConversation("d", for: .ann)
        }
        disk.heal()
        await expectFailure(.notFound(.conversation, "d")) { () async throws(Failure) in try await store.conversation("d", for: .ann) }
        try await store.close()
    }

    @Test func normalWaitsForNoSync() async throws {
        let store = try database.open(durability: .normal)
        try await store.makeConversation("c", for: .ann)
        disk.forget()
        disk.fail(.unsafe)
        try await store.admit("t", in: "c", for: .ann)
        #expect(disk.failures == 0 && disk.calls.contains(FaultyDisk.Call(.write, of: .log)))
        disk.heal()
        try await store.close()
    }

    /// What is left of a turn when power is lost now, nil for nothing. What is left besides is a database as good as any.
    private func survivor(_ id: String) async throws -> TurnResult? {
        let left = try TemporaryDatabase()
        try disk.writeDurable(to: left.folder.path)
        let store = try left.open()
        var found: TurnResult?
        do throws(Failure) {
            found = try await store.turn(id, for: .ann)
        } catch {
            #expect(error.code == .notFound)
        }
        try await store.makeConversation("after", for: .ann)
        try await store.exchange("after", in: "after", for: .ann)
        try await store.close()
        #expect(SQLiteStore.check(path: left.path) == [])
        return found
    }

    @Test func whatWasAnsweredSurvivesWithFull() async throws {
        try disk.keepDurable()
        let store = try database.open(durability: .full)
        try await store.makeConversation("c", for: .ann)
        for id in ["t1", "t2", "t3"] {
            let admitted = try await store.admit(id, in: "c", for: .ann)
            #expect(try await survivor(id)?.turn.status == .interrupted)
            let result = try await store.finish(admitted)
            #expect(try await survivor(id) == result)
        }
        try await store.close()
    }

    @Test func theLastMomentsMayBeLostWithNormalAndNothingElse() async throws {
        try disk.keepDurable()
        let store = try database.open(durability: .normal)
        try await store.makeConversation("c", for: .ann)
        let first = try await store.exchange("t1", in: "c", for: .ann)
        // That nothing is left of it shows that this way of losing power can tell the two apart.
        #expect(try await survivor("t1") == nil)
        _ = try await store.writeAlone { try $0.db.first("PRAGMA wal_checkpoint(TRUNCATE)") { $0[0] as Int } }
        try await store.exchange("t2", in: "c", for: .ann)
        #expect(try await survivor("t1") == first)
        #expect(try await survivor("t2") == nil)
        try await store.close()
    }
}
