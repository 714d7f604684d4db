import Foundation
import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// What the store does when the disk does not do what it should: see ``FaultyDisk`` for how, and why that way.
@Suite struct StorageTroubleTests {
    let database: TemporaryDatabase
    let disk: FaultyDisk

    init() throws {
        database = try TemporaryDatabase()
        disk = FaultyDisk(folder: database.folder.path)
    }

    /// A kind of trouble, and the code that callers are told.
    struct Trouble: Sendable, CustomTestStringConvertible {
        let fault: FaultyDisk.Fault
        let code: Failure.Code
        var testDescription: String { fault.description }

        init(_ operations: FaultyDisk.Operation..., lasting: Bool, full: Bool = false) {
            fault = FaultyDisk.Fault(Set(operations), isLasting: lasting, isFull: full)
            code = full ? .storeFull : .storeUnavailable
        }
    }

    static let troubles = [
        Trouble(.read, lasting: false), Trouble(.read, lasting: true), Trouble(.write, lasting: false), Trouble(.write, lasting: true),
        Trouble(.sync, lasting: false), Trouble(.sync, lasting: true), Trouble(.write, lasting: false, full: true),
        Trouble(.write, lasting: true, full: true), Trouble(.open, .truncate, .delete, lasting: false),
        Trouble(.open, .read, .write, .sync, .truncate, .delete, lasting: true),
    ]

    /// Plays the scenario on a new database. What fails is repeated once the disk is well again, and then must succeed.
    ///
    /// - Parameters:
    ///   - fault: what goes wrong, nil for nothing.
    ///   - code: what a step may fail with.
    /// - Returns: all rows at the end, and how many calls failed.
    private func play(_ fault: FaultyDisk.Fault?, code: Failure.Code = .storeUnavailable) async throws -> (rows: [String], failures: Int) {
        // Syncs with each commit, so that they can fail; a log that is moved into the database at its end has no other reason to.
        let store = try database.open(durability: .full, quotas: Scenario.quotas)
        if let fault { disk.fail(fault) }
        var failures = 0
        for (name, step) in Scenario.steps {
            do throws(Failure) {
                try await step(store)
            } catch {
                #expect(error.code == code, "\(name), with \(String(describing: fault)): \(error)")
                failures += disk.repair()
                #expect(SQLiteStore.check(path: database.path) == [], "after \(name), with \(String(describing: fault))")
                try await step(store)
            }
        }
        failures += disk.repair()
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [], "with \(String(describing: fault))")
        let rows = try Scenario.rows(ofDatabase: database.path)
        for suffix in ["", "-hosts"] { try FileManager.default.removeItem(atPath: database.path + suffix) }
        return (rows, failures)
    }

    /// The first, the second, the third call of a kind fails, and so on until there is none left that could. However it fails, the store says
    /// so, nothing is half done or counted twice or not at all, and the same again succeeds: in the end each row is as without any trouble.
    @Test(arguments: troubles) func anyCallMayFail(_ trouble: Trouble) async throws {
        let expected = try await play(nil).rows
        #expect(expected.count > 20)
        var fault = trouble.fault
        while true {
            let (rows, failures) = try await play(fault, code: trouble.code)
            #expect(rows == expected, "with \(fault)")
            guard failures > 0 else { break }
            fault.first += 1
        }
        #expect(fault.first > 3, "hardly anything failed: \(fault)")
    }

    /// Opens the database, or is told in a sentence why that cannot be.
    private func openOrRefuse() -> SQLiteStore? {
        do throws(StoreOpenFailure) {
            return try database.open(durability: .full)
        } catch {
            #expect(error.message.hasSuffix("."), "\(error)")
            return nil
        }
    }

    /// The same while the database is made, opened and closed.
    @Test(arguments: troubles) func openingMayFail(_ trouble: Trouble) async throws {
        var fault = trouble.fault
        var hasFailed = true
        while hasFailed {
            disk.fail(fault)
            let spoiled = openOrRefuse()
            do throws(Failure) {
                try await spoiled?.close()
            } catch {
                #expect(error.code == trouble.code, "with \(fault): \(error)")
            }
            hasFailed = disk.repair() > 0
            let store = try database.open()
            try await store.makeConversation("c", for: .ann)
            try await store.close()
            #expect(SQLiteStore.check(path: database.path) == [], "with \(fault)")
            #expect(try database.files == ["parley.db", "parley.db-hosts"])
            for suffix in ["", "-hosts"] { try FileManager.default.removeItem(atPath: database.path + suffix) }
            fault.first += 1
        }
        #expect(fault.first > 3, "hardly anything failed: \(fault)")
    }

    /// A backup that fails leaves nothing behind, and the original as it was.
    @Test(arguments: troubles) func aBackupMayFail(_ trouble: Trouble) async throws {
        let store = try database.open()
        try await store.makeConversation("c", title: String(repeating: "x", count: 20_000), for: .ann)
        try await store.makeConversation("gone", for: .ann)
        try await store.deleteConversation("gone", at: Timestamp(milliseconds: 5_000), for: .ann)
        let target = database.folder.appending(path: "copy.db").path
        var fault = trouble.fault
        while true {
            let files = try database.files
            disk.fail(fault)
            do throws(StoreOpenFailure) {
                _ = try SQLiteStore.backUp(path: database.path, to: target)
            } catch {
                #expect(error.message.hasSuffix("."), "\(error)")
                #expect(try database.files == files, "with \(fault)")
                if trouble.fault.isFull { #expect(error.message.contains("no space left"), "\(error)") }
                disk.repair()
                fault.first += 1
                continue
            }
            #expect(SQLiteStore.check(path: target) == [], "with \(fault)")
            guard disk.repair() > 0 else { break }
            try FileManager.default.removeItem(atPath: target)
            fault.first += 1
        }
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    /// A program that writes, or copies with the writers shut out, for longer than anybody waits.
    @Test func aDatabaseThatIsHeldIsUnavailableUntilItIsLetGo() async throws {
        let store = try database.open(busyTimeout: .milliseconds(20), quotas: .standard)
        try await store.makeConversation("c", for: .ann)
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let holder = try DatabaseQueue(path: database.path, configuration: configuration)
        try await holder.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        do throws(Failure) {
            try await store.admit("t", in: "c", for: .ann)
            Issue.record("it was accepted")
        } catch {
            #expect(error.code == .storeUnavailable)
        }
        // Reading goes on.
        #expect(try await store.conversation("c", for: .ann).messageCount == 0)
        try await holder.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try await store.exchange("t", in: "c", for: .ann)
        #expect(try await store.conversation("c", for: .ann).messageCount == 2)
        try holder.close()
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }
}
