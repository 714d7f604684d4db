import Foundation
import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// Disks that are full or broken, seen from a store that goes on nevertheless.
@Suite struct StoreTroubleTests {
    private let database: TemporaryDatabase
    private let disk: FaultyDisk

    init() throws {
        database = try TemporaryDatabase()
        disk = try FaultyDisk(folder: database.folder.path)
    }

    // MARK: What it is called

    @Test(arguments: [
        (ResultCode.SQLITE_FULL, Failure.Code.storeFull), (.SQLITE_BUSY, .storeUnavailable), (.SQLITE_BUSY_SNAPSHOT, .storeUnavailable),
        (.SQLITE_PROTOCOL, .storeUnavailable), (.SQLITE_IOERR_FSYNC, .storeUnavailable), (.SQLITE_IOERR_SHORT_READ, .storeUnavailable),
        (.SQLITE_NOMEM, .storeUnavailable), (.SQLITE_INTERRUPT, .storeUnavailable), (.SQLITE_READONLY_DBMOVED, .storeUnavailable),
        (.SQLITE_CANTOPEN, .storeUnavailable), (.SQLITE_CORRUPT, .storeUnavailable), (.SQLITE_NOTADB, .storeUnavailable),
        (.SQLITE_CONSTRAINT_UNIQUE, .internalError), (.SQLITE_ERROR, .internalError), (.SQLITE_MISUSE, .internalError),
    ])
    func resultsOfSQLite(code: ResultCode, expected: Failure.Code) {
        let failure = SQLiteFailure.failure(for: DatabaseError(resultCode: code, message: "words"))
        #expect(failure.code == expected && !failure.message.contains("words"))
        #expect(failure.underlying?.contains("words") == true)
    }

    // MARK: No space

    @Test(arguments: [FaultyDisk.Trouble.full, .overQuota])
    func aFullDiskRefusesWhatIsWrittenAndNothingElse(trouble: FaultyDisk.Trouble) async throws {
        let store = try database.open(quotas: .standard)
        try await store.makeConversation("c", for: .ann)
        try await store.makeConversation("d", for: .ann)
        let running = try await store.admit("t1", in: "c", for: .ann)
        let before = try await store.quota(of: .user(id: "ann"), at: Timestamp(milliseconds: 2_000))
        disk.fail(trouble)
        for _ in 0..<3 {
            await expectFailure(Failure(.storeFull, "")) { () async throws(Failure) in try await store.admit("t2", in: "d", for: .ann) }
            await expectFailure(Failure(.storeFull, "")) { () async throws(Failure) in try await store.finish(running) }
            await expectFailure(Failure(.storeFull, "")) { () async throws(Failure) in
                try await store.checkpoint([
                    TurnCheckpoint(turnID: "t1", message: .answer(to: running, status: .partial), lastSequence: 2)
                ])
            }
            await expectFailure(.notFound(.turn, "t2")) { () async throws(Failure) in try await store.turn("t2", for: .ann) }
            #expect(try await store.turn("t1", for: .ann).turn.status == .inProgress)
            #expect(try await store.messages(inConversation: "d", page: PageRequest(), for: .ann).elements == [])
            #expect(try await store.quota(of: .user(id: "ann"), at: Timestamp(milliseconds: 2_000)) == before)
        }
        disk.heal()
        #expect(try await store.finish(running).turn.status == .completed)
        try await store.exchange("t2", in: "d", for: .ann)
        try await store.exchange("t3", in: "c", for: .ann)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    // MARK: No file

    @Test func aFileThatIsGoneTakesNothingUntilItIsBack() async throws {
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        let running = try await store.admit("t1", in: "c", for: .ann)
        let away = database.folder.appending(path: "away.db").path
        try FileManager.default.moveItem(atPath: database.path, toPath: away)
        for isReplaced in [false, true] {
            if isReplaced { try Data("Another file.".utf8).write(to: URL(fileURLWithPath: database.path)) }
            await expectFailure(Failure(.storeUnavailable, "")) { () async throws(Failure) in try await store.finish(running) }
        }
        try FileManager.default.removeItem(atPath: database.path)
        try FileManager.default.moveItem(atPath: away, toPath: database.path)
        #expect(try await store.turn("t1", for: .ann).turn.status == .inProgress)
        try await store.finish(running)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test(arguments: ["-wal", "-shm", "-hosts"])
    func aFolderInThePlaceOfAFileBesideIt(suffix: String) async throws {
        var store = try database.open()
        try await store.makeConversation("c", for: .ann)
        try await store.close()
        let path = database.path + suffix
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        do throws(StoreOpenFailure) {
            _ = try database.open()
            Issue.record("it was opened")
        } catch {
            #expect(error.message.hasSuffix(".") && error.message.contains(database.path))
        }
        try FileManager.default.removeItem(atPath: path)
        store = try database.open()
        try await store.exchange("t", in: "c", for: .ann)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    // MARK: Pages that were being moved

    /// A store that was killed while the log's pages were moved into the database: the first of them is there and says that there are more.
    private func cutShort(_ trouble: FaultyDisk.Trouble, at number: Int) async throws -> TemporaryDatabase {
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        for number in 0..<20 { try await store.exchange("t\(number)", in: "c", text: String(repeating: "?", count: 5_000), for: .ann) }
        disk.fail(trouble, at: number)
        await expectFailure(Failure(trouble == .full ? .storeFull : .storeUnavailable, "")) { () async throws(Failure) in
            try await store.writeAlone { try $0.db.first("PRAGMA wal_checkpoint(TRUNCATE)") { $0[0] as Int } }
        }
        let left = try TemporaryDatabase()
        for name in ["parley.db", "parley.db-wal"] {
            try Data(contentsOf: database.folder.appending(path: name)).write(to: left.folder.appending(path: name))
        }
        disk.heal()
        try await store.close()
        return left
    }

    @Test(arguments: 1...6)
    func aDatabaseIsWholeTogetherWithItsLog(number: Int) async throws {
        let left = try await cutShort(.full, at: number)
        #expect(SQLiteStore.check(path: left.path) == [])
        let copy = left.folder.appending(path: "copy.db").path
        _ = try SQLiteStore.backUp(path: left.path, to: copy)
        for path in [copy, left.path] {
            let store = try SQLiteStore.open(.test(.file(path: path)))
            #expect(try await store.conversation("c", for: .ann).messageCount == 40)
            try await store.exchange("after", in: "c", for: .ann)
            try await store.close()
            #expect(SQLiteStore.check(path: path) == [])
        }
    }

    @Test func withoutItsLogItIsDamaged() async throws {
        let left = try await cutShort(.full, at: 3)
        try FileManager.default.removeItem(atPath: left.path + "-wal")
        #expect(SQLiteStore.check(path: left.path) == ["\(left.path) is damaged; restore it from a backup."])
    }
}
