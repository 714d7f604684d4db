import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

@Suite struct LogCareTests {
    /// Writes to the log behind the store's back, and leaves it as it is.
    private func fill(_ database: TemporaryDatabase, bytes: Int) throws {
        try database.meddle { db in
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 0; CREATE TABLE filling (bytes)")
            try db.execute(sql: "INSERT INTO filling VALUES (zeroblob(?))", arguments: [bytes])
        }
    }

    /// How many pages the log of writes has.
    private func pages(_ database: TemporaryDatabase) throws -> Int {
        try database.meddle { db in try db.checkpoint(.passive).walFrameCount }
    }

    /// A host that writes little finds the log that others have made long, and lets it begin anew.
    @Test func whatOthersHaveWrittenIsMovedToo() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("a", for: .ann)
        try fill(database, bytes: 20_000_000)
        try await store.makeConversation("b", for: .ann)
        try await store.makeConversation("c", for: .ann)
        #expect(try pages(database) < 1_000)
        try await store.close()
    }

    /// A short log is left alone, so that the disk is not waited for at each commit.
    @Test func aShortLogStays() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try fill(database, bytes: 4_000_000)
        for name in ["a", "b", "c"] { try await store.makeConversation(name, for: .ann) }
        #expect(try pages(database) > 900)
        try await store.close()
    }
}
