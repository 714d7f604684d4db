import Foundation
import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

@Suite struct BackupTests {
    let database: TemporaryDatabase
    let store: SQLiteStore
    private var target: String { database.folder.appending(path: "copy.db").path }

    init() async throws {
        database = try TemporaryDatabase()
        store = try database.open()
        try await store.makeConversation("c", for: .ann)
        try await store.exchange("t", in: "c", for: .ann)
    }

    /// Opens the copy as a host, which recovers it, and leaves it.
    private func openCopy<Value>(_ body: (SQLiteStore) async throws -> Value) async throws -> Value {
        let copy = try SQLiteStore.open(.test(.file(path: target)))
        let value = try await body(copy)
        try await copy.close()
        return value
    }

    private func expectRefusal(
        _ reason: StoreOpenFailure.Reason, to target: String, overwrites: Bool = false, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let files = try database.files
        do throws(StoreOpenFailure) {
            _ = try SQLiteStore.backUp(path: database.path, to: target, overwrites: overwrites, busyTimeout: .milliseconds(50))
            Issue.record("it was copied", sourceLocation: sourceLocation)
        } catch {
            #expect(error.reason == reason && error.message.hasSuffix("."), "\(error)", sourceLocation: sourceLocation)
        }
        #expect(try database.files == files, sourceLocation: sourceLocation)
    }

    @Test func holdsWhatTheOriginalHolds() async throws {
        let bytes = try SQLiteStore.backUp(path: database.path, to: target)
        #expect(try Data(contentsOf: URL(fileURLWithPath: target)).count == bytes)
        #expect(try database.files.filter { $0.hasPrefix("copy") } == ["copy.db"])
        #expect(SQLiteStore.check(path: target) == [])
        let messages = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann)
        let copied = try await openCopy { try await $0.messages(inConversation: "c", page: PageRequest(), for: .ann) }
        #expect(copied.elements == messages.elements && messages.elements.count == 2)
        try await store.close()
    }

    @Test func isOfOneMomentWhileHostsWrite() async throws {
        for number in 0..<40 {
            try await store.makeConversation("before.\(number)", title: String(repeating: "x", count: 5_000), for: .ann)
        }
        let (store, database, target) = (store, database, target)
        let written = Locked([0, 0, 0, 0])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    var number = 0
                    while !Task.isCancelled {
                        let id = "\(writer).\(number)"
                        try await store.makeConversation(id, for: .ann)
                        try await store.exchange("t" + id, in: id, for: .ann)
                        number += 1
                        written.withLock { $0[writer] = number }
                    }
                }
            }
            for number in 0..<5 { _ = try SQLiteStore.backUp(path: database.path, to: "\(target)\(number)") }
            // None is kept from writing for good, and none fails.
            while written.withLock({ $0.contains(0) }) { await Task.yield() }
            group.cancelAll()
            try await group.waitForAll()
        }
        var lastCount = 0
        for number in 0..<5 {
            #expect(SQLiteStore.check(path: "\(target)\(number)") == [])
            let count = try await DatabaseQueue(path: "\(target)\(number)").read { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM conversations") ?? 0
            }
            #expect(count >= max(41, lastCount))
            lastCount = count
        }
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func aRunningTurnIsInterruptedInTheCopyAlone() async throws {
        let admitted = try await store.admit("u", in: "c", for: .ann)
        let partial = Message.answer(to: admitted, text: "Hel", status: .partial)
        try await store.checkpoint([TurnCheckpoint(turnID: "u", message: partial, lastSequence: 3)])
        _ = try SQLiteStore.backUp(path: database.path, to: target)
        let copied = try await openCopy { try await $0.turn("u", for: .ann) }
        #expect(copied.turn.status == .interrupted && copied.message == partial)
        #expect(SQLiteStore.check(path: target) == [])
        #expect(try await store.turn("u", for: .ann).turn.status == .inProgress)
        #expect(try await store.finish(admitted).turn.status == .completed)
        try await store.close()
    }

    @Test func deletedTextStaysBehind() async throws {
        try await store.makeConversation("secret", title: "xyzzy-plugh", for: .ann)
        try await store.deleteConversation("secret", at: Timestamp(milliseconds: 5_000), for: .ann)
        _ = try SQLiteStore.backUp(path: database.path, to: target)
        let inCopy = try database.files(with: "xyzzy-plugh").filter { $0.hasPrefix("copy") }
        #expect(inCopy == [])
        #expect(try await openCopy { try await $0.erasurePending() } == false)
        try await store.close()
    }

    @Test(arguments: [0o600, 0o640, 0o440]) func hasThePermissionsOfTheOriginal(mode: Int) async throws {
        try await store.close()
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: database.path)
        _ = try SQLiteStore.backUp(path: database.path, to: target)
        #expect(try database.permissions(target) == mode)
        #expect(SQLiteStore.check(path: target) == [])
    }

    @Test func whatIsThereStays() async throws {
        try Data("mine".utf8).write(to: URL(fileURLWithPath: target))
        try expectRefusal(.exists, to: target)
        #expect(try Data(contentsOf: URL(fileURLWithPath: target)) == Data("mine".utf8))
        _ = try SQLiteStore.backUp(path: database.path, to: target, overwrites: true)
        #expect(SQLiteStore.check(path: target) == [])
        try await store.close()
    }

    @Test(arguments: ["", "-wal", "-shm", "-journal", "-hosts"]) func theDatabaseItselfIsNoTarget(suffix: String) async throws {
        try expectRefusal(.exists, to: database.path + suffix, overwrites: true)
        #expect(SQLiteStore.check(path: database.path) == [])
        try await store.close()
    }

    /// A log that is left from another database would be taken for the copy's.
    @Test func theLogOfAnotherDatabaseIsNotTakenForTheCopys() async throws {
        let other = try TemporaryDatabase()
        let otherStore = try other.open()
        try await otherStore.makeConversation("other", for: .bob)
        for suffix in ["", "-wal", "-shm"] { try FileManager.default.copyItem(atPath: other.path + suffix, toPath: target + suffix) }
        try await otherStore.close()
        try FileManager.default.removeItem(atPath: target)
        try expectRefusal(.exists, to: target)
        _ = try SQLiteStore.backUp(path: database.path, to: target, overwrites: true)
        #expect(try database.files.filter { $0.hasPrefix("copy") } == ["copy.db"])
        #expect(SQLiteStore.check(path: target) == [])
        #expect(try await openCopy { try await $0.conversation("c", for: .ann) }.id == "c")
        try await store.close()
    }

    @Test func aTargetInUseIsNotReplaced() async throws {
        _ = try SQLiteStore.backUp(path: database.path, to: target)
        try await openCopy { copy in
            try expectRefusal(.locked, to: target, overwrites: true)
            try await copy.makeConversation("new", for: .ann)
        }
        _ = try SQLiteStore.backUp(path: database.path, to: target, overwrites: true)
        await expectFailure(.notFound(.conversation, "new")) { () async throws(Failure) in
            let copy: SQLiteStore
            do throws(StoreOpenFailure) {
                copy = try SQLiteStore.open(.test(.file(path: target)))
            } catch {
                throw Failure(.internalError, error.message)
            }
            return try await copy.conversation("new", for: .ann)
        }
        try await store.close()
    }

    @Test func whereNothingCanBeMadeNothingIsLeft() async throws {
        try expectRefusal(.cannotCreate, to: database.folder.appending(path: "nowhere/copy.db").path)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
        try expectRefusal(.exists, to: target)
        try expectRefusal(.cannotCreate, to: target, overwrites: true)
        try await store.close()
    }

    @Test func whatIsNoDatabaseIsNotCopied() async throws {
        try await store.close()
        try database.meddle { try $0.execute(sql: "PRAGMA user_version = \(Schema.currentVersion + 1)") }
        try expectRefusal(.newer, to: target)
        try FileManager.default.removeItem(atPath: database.path)
        try expectRefusal(.missing, to: target)
    }
}
