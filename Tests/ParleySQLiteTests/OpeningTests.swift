import Foundation
import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

@Suite struct OpeningTests {
    let database: TemporaryDatabase

    init() throws { database = try TemporaryDatabase() }

    // MARK: What is made

    @Test func newDatabase() async throws {
        let path = database.folder.appending(path: "a/b/parley.db").path
        let store = try SQLiteStore.open(.test(.file(path: path)))
        #expect(try database.permissions(path) == 0o600)
        #expect(try database.permissions(path + "-wal") == 0o600)
        #expect(try database.permissions(path + "-hosts") == 0o600)
        #expect(try database.permissions((path as NSString).deletingLastPathComponent) == 0o700)
        try await store.makeConversation("c", for: .ann)
        try await store.close()
        let files = try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent).sorted()
        #expect(files == ["parley.db", "parley.db-hosts"])
        let again = try SQLiteStore.open(.test(.file(path: path)))
        #expect(try await again.conversation("c", for: .ann).id == "c")
        try await again.close()
    }

    @Test func emptyFile() async throws {
        try #require(FileManager.default.createFile(atPath: database.path, contents: Data(), attributes: [.posixPermissions: 0o644]))
        let store = try database.open()
        #expect(try database.permissions(database.path) == 0o600)
        try await store.close()
    }

    @Test func databaseWithoutTables() async throws {
        try database.meddle { try $0.execute(sql: "VACUUM") }
        try #require(try !database.content.isEmpty)
        let store = try database.open()
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func leftoversOfAnInterruptedStart() async throws {
        for suffix in ["-new", "-new-journal"] { try Data("half".utf8).write(to: URL(fileURLWithPath: database.path + suffix)) }
        let store = try database.open()
        try await store.close()
        #expect(try database.files == ["parley.db", "parley.db-hosts"])
    }

    @Test func symbolicLink() async throws {
        let link = database.folder.appending(path: "link.db").path
        let store = try database.open()
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: database.path)
        let other = try SQLiteStore.open(.test(.file(path: link)))
        #expect(try await other.status().path == store.status().path)
        try await store.makeConversation("c", for: .ann)
        try await store.admit("t", in: "c", for: .ann)
        #expect(try await other.recoverTurns(at: Timestamp(milliseconds: 1)) == 0)
        try await other.close()
        try await store.close()
    }

    @Test func oddNames() async throws {
        for name in ["a?b#c%20&immutable=1.db", "file:x.db", "ä ö.db", "-.db"] {
            let path = database.folder.appending(path: name).path
            for _ in 0..<2 {
                let store = try SQLiteStore.open(.test(.file(path: path)))
                try await store.close()
            }
            #expect(FileManager.default.fileExists(atPath: path), "\(name)")
            #expect(SQLiteStore.check(path: path) == [], "\(name)")
        }
    }

    // MARK: How it is set up

    @Test(arguments: [(SQLiteStoreConfiguration.Durability.normal, 1), (.full, 2)])
    func settings(_ durability: SQLiteStoreConfiguration.Durability, _ synchronous: Int) async throws {
        let store = try database.open(durability: durability)
        let pragmas: [(String, String)] = [
            ("journal_mode", "wal"), ("synchronous", "\(synchronous)"), ("foreign_keys", "1"), ("secure_delete", "1"),
            ("application_id", "1346458188"), ("user_version", "\(Schema.currentVersion)"),
        ]
        for (name, expected) in pragmas {
            let value = try await store.writeAlone { try $0.db.first("PRAGMA \(name)") { $0[0] as String } }
            #expect(value == expected, "\(name)")
        }
        #expect(try await store.read { try $0.db.first("PRAGMA journal_mode") { $0[0] as String } } == "wal")
        #expect(store.isPersistent && store.engine == "sqlite")
        try await store.close()
    }

    @Test func memory() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        #expect(!store.isPersistent)
        let status = try await store.status()
        #expect(status.path == nil && status.logBytes == 0 && status.databaseBytes > 0 && status.schemaVersion == Schema.currentVersion)
        try await store.close()
    }

    @Test func status() async throws {
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        var status = try await store.status()
        #expect(status.path?.hasSuffix("/parley.db") == true && status.databaseBytes > 4_096 && status.logBytes > 0)
        #expect(status.schemaVersion == Schema.currentVersion && !status.erasurePending)
        try await store.deleteConversation("c", at: Timestamp(milliseconds: 5), for: .ann)
        status = try await store.status()
        #expect(status.erasurePending)
        try await store.close()
    }

    // MARK: What is refused

    private func expectRefusal(_ reason: StoreOpenFailure.Reason, busyTimeout: Duration = .milliseconds(50)) async throws {
        let before = try database.content
        let files = try database.files
        await expectOpenFailure(reason) { () throws(StoreOpenFailure) in try database.open(busyTimeout: busyTimeout) }
        #expect(try database.content == before)
        #expect(try database.files == files)
    }

    private func expectOpenFailure(
        _ reason: StoreOpenFailure.Reason, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () throws(StoreOpenFailure) -> SQLiteStore
    ) async {
        do throws(StoreOpenFailure) {
            _ = try body()
            Issue.record("it was opened", sourceLocation: sourceLocation)
        } catch {
            #expect(error.reason == reason, "\(error)", sourceLocation: sourceLocation)
            let sentence = error.message
            #expect(sentence.hasSuffix(".") && !sentence.contains("\n") && !sentence.contains("SQLite"), sourceLocation: sourceLocation)
        }
    }

    @Test func anotherProgramsDatabase() async throws {
        try database.meddle { try $0.execute(sql: "PRAGMA application_id = 7; CREATE TABLE people (x); INSERT INTO people VALUES (1)") }
        try await expectRefusal(.foreign)
    }

    @Test func anotherProgramsDatabaseInJournalModeWAL() async throws {
        try database.meddle { try $0.execute(sql: "PRAGMA journal_mode = WAL; CREATE TABLE t (x)") }
        try #require(try database.files == ["parley.db"])
        try await expectRefusal(.foreign)
    }

    @Test func tablesThatStandOnlyInALog() async throws {
        try database.meddle { try $0.execute(sql: "PRAGMA journal_mode = WAL") }
        let owner = try DatabaseQueue(path: database.path)
        try await owner.writeWithoutTransaction { try $0.execute(sql: "CREATE TABLE t (x)") }
        try await expectRefusal(.foreign)
        try owner.close()
    }

    @Test func tablesOfNobody() async throws {
        try database.meddle { try $0.execute(sql: "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')") }
        try await expectRefusal(.foreign)
    }

    @Test func newerVersion() async throws {
        try await database.open().close()
        try database.meddle { try $0.execute(sql: "PRAGMA user_version = \(Schema.currentVersion + 1)") }
        try await expectRefusal(.newer)
        try FileManager.default.removeItem(atPath: database.path + "-hosts")
        try await expectRefusal(.newer)
    }

    @Test func noDatabase() async throws {
        try Data(repeating: UInt8(ascii: "x"), count: 5_000).write(to: URL(fileURLWithPath: database.path))
        try await expectRefusal(.notADatabase)
        try Data("hello".utf8).write(to: URL(fileURLWithPath: database.path))
        try await expectRefusal(.notADatabase)
    }

    @Test func folderInItsPlace() async throws {
        try FileManager.default.createDirectory(atPath: database.path, withIntermediateDirectories: false)
        await expectOpenFailure(.notADatabase) { () throws(StoreOpenFailure) in try database.open() }
        #expect(try database.files == ["parley.db"])
    }

    @Test func fileInThePlaceOfItsFolder() async throws {
        try Data("x".utf8).write(to: URL(fileURLWithPath: database.path))
        await expectOpenFailure(.cannotCreate) { () throws(StoreOpenFailure) in
            try SQLiteStore.open(.test(.file(path: database.path + "/inner/parley.db")))
        }
        #expect(try database.files == ["parley.db"])
    }

    @Test func damagedDatabase() async throws {
        let store = try database.open()
        for number in 0..<200 { try await store.makeConversation("c\(number)", title: String(repeating: "x", count: 400), for: .ann) }
        try await store.close()
        var content = try database.content
        // All but the first page, which says what the file is.
        for index in 4_096..<content.count { content[index] = 0x5A }
        try content.write(to: URL(fileURLWithPath: database.path))
        await expectOpenFailure(.corrupt) { () throws(StoreOpenFailure) in try database.open() }
        #expect(SQLiteStore.check(path: database.path) != [])
    }

    @Test func readOnlyFile() async throws {
        try await database.open().close()
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: database.path)
        try await expectRefusal(.readOnly)
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func lockedByAnotherProgram() async throws {
        try await database.open().close()
        let owner = try DatabaseQueue(path: database.path)
        try await owner.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE marks SET value = 1; COMMIT")
        }
        await expectOpenFailure(.locked) { () throws(StoreOpenFailure) in try database.open(busyTimeout: .milliseconds(50)) }
        try owner.close()
        try await database.open().close()
    }

    @Test func beingOpenedByAnotherProcess() async throws {
        let locks = try OwnerLocks(path: database.path + "-hosts")
        #expect(try locks.lock(OwnerLocks.openingByte))
        await expectOpenFailure(.locked) { () throws(StoreOpenFailure) in try database.open(busyTimeout: .milliseconds(50)) }
        locks.unlock(OwnerLocks.openingByte)
        try await database.open().close()
    }

    // MARK: Many at once

    @Test func manyOpenAtOnce() async throws {
        let stores = try await withThrowingTaskGroup(of: SQLiteStore.self) { group in
            for _ in 0..<8 { group.addTask { try database.open() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(stores.map(\.surroundings.host)).count == 8)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, store) in stores.enumerated() {
                group.addTask {
                    for turn in 0..<5 {
                        let id = "\(number).\(turn)"
                        try await store.makeConversation(id, for: .ann)
                        try await store.exchange("t" + id, in: id, for: .ann)
                    }
                }
            }
            try await group.waitForAll()
        }
        for store in stores {
            let all = try await store.allPages(limit: 7) { page async throws(Failure) in
                try await store.conversations(linkedTo: nil, page: page, for: .ann)
            }
            #expect(all.count == 40)
        }
        for store in stores { try await store.close() }
        #expect(SQLiteStore.check(path: database.path) == [])
        #expect(try database.files == ["parley.db", "parley.db-hosts"])
    }
}
