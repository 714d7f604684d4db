import Foundation
import GRDB
import Logging
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

@Suite struct CommitLoopTests {
    let database: TemporaryDatabase
    let queue: DatabaseQueue

    init() throws {
        database = try TemporaryDatabase()
        queue = try DatabaseQueue(path: database.path)
        try queue.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE numbers (number INTEGER PRIMARY KEY);
                    CREATE TABLE children (number INTEGER REFERENCES numbers (number) DEFERRABLE INITIALLY DEFERRED);
                    CREATE TABLE counters (name, subject, width, start, count, PRIMARY KEY (name, subject, width, start)) WITHOUT ROWID
                    """)
        }
    }

    /// What became of jobs, in the order in which they were answered.
    private final class Outcomes: @unchecked Sendable {
        // Sendable because the list is touched only while the lock is held.
        private let lock = NSLock()
        private var list: [String] = []

        func add(_ outcome: String) { lock.withLock { list.append(outcome) } }
        var all: [String] { lock.withLock { list } }
    }

    private struct Refusal: Error {}

    /// Commits jobs together.
    ///
    /// - Returns: for each `done` or the failure's code.
    private func commit(
        _ bodies: [@Sendable (Database) throws -> Void], _ counters: CounterMemory = CounterMemory()
    ) throws -> [String] {
        let outcomes = Outcomes()
        let jobs = bodies.enumerated().map { number, body in
            DatabaseJob(
                run: { db in
                    try body(db)
                    return { outcomes.add("\(number) done") }
                },
                fail: { outcomes.add("\(number) \($0.code)") }, isAlone: false)
        }
        queue.writeWithoutTransaction { db in
            CommitLoop.commit(jobs[...], db, counters, Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
            #expect(!db.isInsideTransaction)
        }
        return outcomes.all.sorted()
    }

    private func insert(_ number: Int) -> @Sendable (Database) throws -> Void {
        { try $0.run("INSERT INTO numbers VALUES (?)", number) }
    }

    private var numbers: [Int] {
        get throws { try queue.read { try Int.fetchAll($0, sql: "SELECT number FROM numbers ORDER BY number") } }
    }

    @Test func jobsAreCommittedTogether() throws {
        let path = database.path
        let outcomes = try commit([
            insert(1),
            { db in
                #expect(try Int.fetchOne(db, sql: "SELECT count(*) FROM numbers") == 1)
                let outside = try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "SELECT count(*) FROM numbers") }
                #expect(outside == 0)
            },
            insert(2),
        ])
        #expect(outcomes == ["0 done", "1 done", "2 done"])
        #expect(try numbers == [1, 2])
    }

    @Test func aFailingJobFailsAlone() throws {
        let outcomes = try commit([
            insert(1),
            { db in
                try db.run("INSERT INTO numbers VALUES (2)")
                throw Failure.notFound(.bot, "b")
            },
            insert(1), insert(3),
            { _ in throw Refusal() },
        ])
        #expect(outcomes == ["0 done", "1 notFound", "2 internalError", "3 done", "4 internalError"])
        #expect(try numbers == [1, 3])
    }

    @Test(arguments: [false, true]) func othersAreDoneAgainOnlyForWhatMustBeUndone(_ changesSomething: Bool) throws {
        let runs = Outcomes()
        let outcomes = try commit([
            { db in
                runs.add("first")
                try db.run("INSERT INTO numbers VALUES (1)")
            },
            { db in
                runs.add("failing")
                if changesSomething { try db.run("INSERT INTO numbers VALUES (2)") }
                throw Failure.notFound(.bot, "b")
            },
            { db in
                runs.add("last")
                try db.run("INSERT INTO numbers VALUES (3)")
            },
        ])
        #expect(outcomes == ["0 done", "1 notFound", "2 done"])
        #expect(runs.all == (changesSomething ? ["first", "failing"] : []) + ["first", "failing", "last"])
        #expect(try numbers == [1, 3])
    }

    @Test func aSingleJobThatFailsChangesNothing() throws {
        let outcomes = try commit([
            { db in
                try db.run("INSERT INTO numbers VALUES (2)")
                throw Failure.notFound(.bot, "b")
            }
        ])
        #expect(outcomes == ["0 notFound"])
        #expect(try numbers == [])
    }

    @Test(arguments: [1, 3]) func whenTheCommitFailsAllFail(_ others: Int) throws {
        var bodies = (0..<others).map { insert($0) }
        bodies.append { try $0.run("INSERT INTO children VALUES (99)") }
        #expect(try commit(bodies) == (0...others).map { "\($0) internalError" })
        #expect(try numbers == [])
        #expect(try commit([insert(1)]) == ["0 done"])
    }

    @Test func whenTheTransactionIsLostAllFail() throws {
        let outcomes = try commit([
            insert(1), { try $0.run("INSERT OR ROLLBACK INTO numbers VALUES (1)") }, insert(3),
        ])
        #expect(outcomes == ["0 internalError", "1 internalError", "2 internalError"])
        #expect(try numbers == [])
        #expect(try commit([insert(1)]) == ["0 done"])
    }

    @Test func aLockedDatabaseFailsAll() throws {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: database.path, configuration: configuration)
        try other.inDatabase { try $0.beginTransaction(.immediate) }
        #expect(try commit([insert(1), insert(2)]) == ["0 storeUnavailable", "1 storeUnavailable"])
        try other.inDatabase { try $0.rollback() }
        #expect(try commit([insert(1), insert(2)]) == ["0 done", "1 done"])
    }

    @Test(arguments: [1, 3]) func aFullDiskIsToldFromOtherFailures(_ others: Int) throws {
        try queue.inDatabase { db in
            let pages = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "CREATE TABLE texts (text TEXT); PRAGMA max_page_count = \(pages + 2)")
        }
        var bodies = (0..<others).map { insert($0) }
        bodies.insert({ try $0.run("INSERT INTO texts VALUES (?)", String(repeating: "x", count: 100_000)) }, at: 1)
        let outcomes = try commit(bodies)
        #expect(outcomes.contains("1 storeFull"))
        #expect(Set(outcomes.map { $0.split(separator: " ")[1] }).isSubset(of: ["storeFull", "done"]))
        #expect(try numbers == outcomes.filter { $0.hasSuffix("done") }.map { $0 == "0 done" ? 0 : (Int($0.prefix(1)) ?? 0) - 1 })
    }

    // MARK: The loops on their threads

    @Test func workAloneKeepsItsPlace() async throws {
        let loop = CommitLoop(
            writer: queue, counters: CounterMemory(), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        let order = Outcomes()
        try await loop.write { db in
            #expect(db.isInsideTransaction)
            order.add("write")
        }
        try await loop.writeAlone { db in
            #expect(!db.isInsideTransaction)
            order.add("alone")
        }
        try await loop.write { _ in order.add("write") }
        await loop.stop()
        await expectFailure(SQLiteFailure.closed) { () async throws(Failure) in try await loop.write { _ in } }
        #expect(order.all == ["write", "alone", "write"])
    }

    @Test func manyTasksAreAnswered() async throws {
        let loop = CommitLoop(
            writer: queue, counters: CounterMemory(), logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask {
                    do throws(Failure) {
                        let found = try await loop.write { db in
                            try db.run("INSERT INTO numbers VALUES (?)", number)
                            guard number % 7 != 0 else { throw Refusal() }
                            return try db.first("SELECT number FROM numbers WHERE number = ?", number) { $0[0] as Int }
                        }
                        #expect(found == number && number % 7 != 0)
                    } catch {
                        #expect(error.code == .internalError && number % 7 == 0)
                    }
                }
            }
        }
        #expect(try numbers == (0..<200).filter { $0 % 7 != 0 })
        await loop.stop()
    }

    @Test func aFullQueueRefuses() throws {
        let jobs = JobQueue(capacity: 2)
        let job = DatabaseJob(run: { _ in {} }, fail: { _ in }, isAlone: false)
        try jobs.add(job)
        try jobs.add(job)
        #expect(throws: JobQueue.Refusal.full) { try jobs.add(job) }
        #expect(jobs.take()?.count == 2)
        try jobs.add(job)
        jobs.close()
        #expect(throws: JobQueue.Refusal.closed) { try jobs.add(job) }
        #expect(jobs.take()?.count == 1)
        #expect(jobs.take() == nil)
    }

    @Test func aClosedStoreRefuses() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        try await store.close()
        await expectFailure(SQLiteFailure.closed) { () async throws(Failure) in try await store.conversation("c", for: .ann) }
        await expectFailure(SQLiteFailure.closed) { () async throws(Failure) in try await store.makeConversation("c", for: .ann) }
        await expectFailure(SQLiteFailure.closed) { () async throws(Failure) in try await store.close() }
    }

    // MARK: Counters

    /// What a job does beside counting one.
    enum Job: CaseIterable {
        case nothing, fails, writesAndFails, failsInSQLite, countsForItselfAndFails, breaksTheCommit

        var isUndone: Bool { self != .nothing }
    }

    /// What jobs count counts if they are not undone, once, whoever else is.
    @Test(arguments: Job.allCases, Job.allCases) func onlyWhatIsDoneCounts(one: Job, other: Job) throws {
        let memory = CounterMemory()
        let counter = Counter(name: "system.turns", subject: "")
        func body(_ job: Job, at moment: Int64) -> @Sendable (Database) throws -> Void {
            { db in
                memory.add(counter, at: moment)
                switch job {
                case .nothing: return
                case .fails: throw Refusal()
                case .writesAndFails:
                    try db.run("INSERT INTO numbers VALUES (?)", Int(moment))
                    throw Refusal()
                case .failsInSQLite: try db.run("INSERT INTO numbers VALUES (1), (1)")
                case .countsForItselfAndFails:
                    try memory.writeAdditions(to: db)
                    memory.add(counter, at: moment)
                    throw Refusal()
                case .breaksTheCommit: try db.run("INSERT INTO children VALUES (99)")
                }
            }
        }
        let batches: [[Job]] = [[.nothing, one, .nothing, other, .nothing], [one], [.nothing]]
        for (round, batch) in batches.enumerated() {
            let before = try rows(of: counter)
            let bodies = batch.enumerated().map { body($1, at: Int64(round * 1_000 + $0 / 2)) }
            _ = try commit(bodies, memory)
            let isLost = batch.contains(.breaksTheCommit)
            let expected = isLost ? 0 : batch.count { !$0.isUndone }
            for (width, count) in try rows(of: counter) {
                #expect(count == before[width, default: 0] + expected, "\(batch), rows of \(width) ms")
            }
        }
        #expect(try rows(of: counter).count == CounterWidths.all.count)
    }

    /// What is counted, by the width of the rows.
    private func rows(of counter: Counter) throws -> [Int64: Int] {
        let rows: [(Int64, Int)] = try queue.read { db in
            try db.all("SELECT width, sum(count) FROM counters WHERE name = ? GROUP BY width", counter.name) { ($0[0], $0[1]) }
        }
        return Dictionary(uniqueKeysWithValues: rows)
    }
}
