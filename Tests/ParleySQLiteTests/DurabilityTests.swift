import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// When what was accepted is on the disk.
@Suite struct DurabilityTests {
    let database: TemporaryDatabase
    let disk: FaultyDisk

    init() throws {
        database = try TemporaryDatabase()
        disk = FaultyDisk(folder: database.folder.path)
    }

    /// What is asked of the disk for one acceptance, from the call to its return.
    private func eventsOfAcceptance(_ durability: SQLiteStoreConfiguration.Durability) async throws -> [FaultyDisk.Event] {
        let store = try database.open(durability: durability)
        try await store.makeConversation("c", for: .ann)
        _ = disk.takeEvents()
        try await store.admit("t", in: "c", for: .ann)
        let events = disk.takeEvents()
        try await store.close()
        return events
    }

    @Test func fullWaitsForTheDiskAfterTheLastWrite() async throws {
        let events = try await eventsOfAcceptance(.full)
        let write = try #require(events.lastIndex(where: { $0.isLog && $0.operation == .write }))
        let sync = try #require(events.lastIndex(where: { $0.isLog && $0.operation == .sync }))
        #expect(sync > write)
    }

    @Test func normalDoesNotWait() async throws {
        let events = try await eventsOfAcceptance(.normal)
        #expect(events.contains(where: { $0.isLog && $0.operation == .write }))
        #expect(!events.contains(where: { $0.operation == .sync }))
    }

    @Test func aBackupIsOnTheDiskBeforeItHasItsName() async throws {
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        _ = disk.takeEvents()
        let target = database.folder.appending(path: "copy.db").path
        _ = try SQLiteStore.backUp(path: database.path, to: target)
        let events = disk.takeEvents().filter { !$0.isLog }
        let write = try #require(events.lastIndex(where: { $0.operation == .write }))
        #expect(events[write...].contains(where: { $0.operation == .sync }))
        try await store.close()
    }
}
