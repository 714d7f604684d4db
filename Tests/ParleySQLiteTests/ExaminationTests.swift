import Foundation
import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// What is seen of a database from outside, and that nobody sees that it was looked at. No store is open meanwhile: see ``DatabaseLocks``.
@Suite struct ExaminationTests {
    let database: TemporaryDatabase

    init() throws { database = try TemporaryDatabase() }

    /// Examines a database, and expects that all files are as they were, and none is new.
    private func examine(_ database: TemporaryDatabase? = nil) throws -> DatabaseExamination {
        let database = database ?? self.database
        func contents() throws -> [String: Data] {
            try Dictionary(uniqueKeysWithValues: database.files.map { ($0, try Data(contentsOf: database.folder.appending(path: $0))) })
        }
        let before = try contents()
        let examination = DatabaseExamination(path: database.path, patience: .milliseconds(10))
        #expect(try contents() == before)
        return examination
    }

    private func version(_ examination: DatabaseExamination) -> Int? {
        if case .usable(let version) = examination.state { version } else { nil }
    }

    @Test func nothing() throws {
        let examination = try examine()
        guard case .missing = examination.state else {
            Issue.record("\(examination.state)")
            return
        }
        #expect(examination.folderIsWritable && (examination.freeBytes ?? 0) > 0)
        let below = DatabaseExamination(path: database.path + "/not/yet/parley.db", patience: .zero)
        #expect(below.folderIsWritable)
    }

    @Test func everyVersionOfTheTablesCanBeLookedAt() throws {
        for version in 1...Schema.currentVersion {
            let database = try TemporaryDatabase()
            try database.meddle { db in
                try db.execute(sql: "PRAGMA journal_mode = WAL")
                try Schema.migrate(db, through: Array(Schema.steps.prefix(version)))
                try db.execute(sql: "INSERT INTO marks VALUES ('erasurePending', 77)")
            }
            let examination = try examine(database)
            #expect(self.version(examination) == version && examination.unread == nil)
            #expect(examination.erasurePendingSince == Timestamp(milliseconds: 77))
            #expect(examination.damages.isEmpty && examination.hosts.isEmpty && examination.blocker == nil)
        }
    }

    /// The files of a host that was killed: its last writes stand in the log alone.
    private func leaveFilesOfADeadHost() async throws {
        let living = try TemporaryDatabase()
        let store = try living.open()
        try await store.makeConversation("c", for: .ann)
        _ = try await store.admit("t", in: "c", text: "Hello", for: .ann)
        for file in try living.files {
            try FileManager.default.copyItem(at: living.folder.appending(path: file), to: database.folder.appending(path: file))
        }
        try await store.close()
    }

    @Test func aLogThatADeadHostLeftIsRead() async throws {
        try await leaveFilesOfADeadHost()
        let examination = try examine()
        #expect(version(examination) == Schema.currentVersion && examination.logBytes > 0)
        #expect(examination.deadHosts == 1 && examination.openTurns == 1 && examination.hosts.isEmpty && examination.unread == nil)
    }

    @Test func aLogWithoutItsIndexIsLeftToTheNextHost() async throws {
        try await leaveFilesOfADeadHost()
        try FileManager.default.removeItem(atPath: database.path + "-shm")
        let examination = try examine()
        #expect(examination.unread?.contains("without its index") == true && version(examination) != nil)
        let store = try database.open()
        try await store.close()
        #expect(try examine().unread == nil)
    }

    @Test func damageInsideIsFound() async throws {
        try await database.open().close()
        // More free pages than there are (https://www.sqlite.org/fileformat2.html#the_database_header).
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: database.path))
        try file.seek(toOffset: 36)
        try file.write(contentsOf: [0, 0, 0, 7])
        try file.close()
        let examination = try examine()
        #expect(version(examination) == Schema.currentVersion && examination.unread == nil)
        #expect(examination.damages.first?.lowercased().contains("freelist") == true, "\(examination)")
    }
}
