import GRDB
import GRDBSQLite
import Logging
import ParleyCore

/// The loop through which all writes go: whatever waits is committed together, so that many writers share the cost of a commit.
///
/// A job that fails is undone alone. Most that fail have not changed anything yet, and then there is nothing to undo; when one has, the
/// transaction is begun anew, with a savepoint for each job. So a job may be done twice, and must change nothing but the database. (A
/// savepoint has SQLite copy every page that its job is the first to change, which cost more than most jobs.) Nobody is answered before the
/// commit, and when the commit fails, all fail.
struct CommitLoop: Sendable {
    private let threads: JobThreads

    /// Starts the loop.
    ///
    /// - Parameters:
    ///   - writer: whose connection it writes with.
    ///   - counters: told of what becomes of transactions, and made to write what it holds before they are committed.
    init(writer: any DatabaseWriter, counters: CounterMemory, logger: Logger) {
        let log = LogCare(logger: logger)
        writer.writeWithoutTransaction { log.watch($0) }
        threads = JobThreads(name: "parley-commit") { jobs in
            for batch in jobs.runs() {
                writer.writeWithoutTransaction { db in
                    if batch.first?.isAlone == true {
                        Self.runAlone(batch, db)
                        counters.forget()
                    } else {
                        Self.commit(batch, db, counters, logger)
                    }
                    log.look(db)
                }
            }
        }
    }

    /// Does something within a transaction and returns once it is committed.
    ///
    /// - Parameter body: changes nothing but the database, for it may be done a second time in place of the first.
    /// - Throws: what the body throws, in the domain's words; then nothing was changed.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws(Failure) -> Value {
        try await threads.perform(body)
    }

    /// Does something between two transactions that must stand outside of them.
    func writeAlone<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws(Failure) -> Value {
        try await threads.perform(isAlone: true, body)
    }

    /// Takes no more work and returns when the last is done.
    func stop() async {
        await threads.stop()
    }

    private static func runAlone(_ jobs: ArraySlice<DatabaseJob>, _ db: Database) {
        for job in jobs {
            do {
                try job.run(db)()
            } catch {
                job.fail(SQLiteFailure.failure(for: error))
            }
        }
    }

    /// Commits some jobs together, and answers them.
    static func commit(_ jobs: ArraySlice<DatabaseJob>, _ db: Database, _ counters: CounterMemory, _ logger: Logger) {
        // Only left from a batch before this one that could not be rolled back.
        rollBack(db, logger)
        let answers: [@Sendable () -> Void]
        do {
            answers = try run(jobs, db, counters, hasSavepoints: false) ?? run(jobs, db, counters, hasSavepoints: true) ?? []
            try db.run("COMMIT")
            counters.commit()
        } catch {
            rollBack(db, logger)
            let failure = SQLiteFailure.failure(for: error)
            for job in jobs { job.fail(failure) }
            return
        }
        for answer in answers { answer() }
    }

    /// Runs jobs in a transaction, which stays open.
    ///
    /// - Returns: what tells their outcomes, good or bad, once they are committed; nil when one of several had to be undone and could not be
    ///   alone, so that the transaction was given up.
    /// - Throws: when the whole transaction is lost.
    private static func run(
        _ jobs: ArraySlice<DatabaseJob>, _ db: Database, _ counters: CounterMemory, hasSavepoints: Bool
    ) throws -> [@Sendable () -> Void]? {
        try db.run("BEGIN IMMEDIATE")
        try requireFile(of: db)
        try counters.begin(db)
        var answers: [@Sendable () -> Void] = []
        answers.reserveCapacity(jobs.count)
        for job in jobs {
            if hasSavepoints { try db.run("SAVEPOINT job") }
            let trace = counters.trace(in: db)
            do {
                let answer = try job.run(db)
                if hasSavepoints { try counters.writeAdditions(to: db) }
                answers.append(answer)
            } catch {
                // A full disk and the like make SQLite undo the whole transaction by itself.
                guard db.isInsideTransaction, jobs.count > 1 else { throw error }
                if hasSavepoints {
                    try db.run("ROLLBACK TO job")
                    counters.forget()
                } else if counters.trace(in: db) != trace || error is DatabaseError {
                    try db.run("ROLLBACK")
                    return nil
                }
                let failure = SQLiteFailure.failure(for: error)
                answers.append { job.fail(failure) }
            }
            if hasSavepoints { try db.run("RELEASE job") }
        }
        try counters.writeAdditions(to: db)
        return answers
    }

    /// Makes sure that the database's file is still found where it was opened: to a file that somebody has removed SQLite goes on writing what
    /// nobody will ever read.
    private static func requireFile(of db: Database) throws {
        var hasMoved: Int32 = 0
        guard sqlite3_file_control(db.sqliteConnection, "main", SQLITE_FCNTL_HAS_MOVED, &hasMoved) == SQLITE_OK, hasMoved != 0 else {
            return
        }
        throw DatabaseError(resultCode: .SQLITE_READONLY_DBMOVED, message: "the file was removed, or another one is in its place")
    }

    private static func rollBack(_ db: Database, _ logger: Logger) {
        guard db.isInsideTransaction else { return }
        do {
            try db.run("ROLLBACK")
        } catch {
            logger.error("a transaction could not be rolled back", metadata: ["error": "\(error)"])
        }
    }
}

extension [DatabaseJob] {
    /// Cuts the jobs, of which there is at least one, into runs that must either all stand alone or none of them, in order.
    fileprivate func runs() -> [ArraySlice<DatabaseJob>] {
        var runs: [ArraySlice<DatabaseJob>] = []
        var start = startIndex
        for index in indices.dropFirst() where self[index].isAlone != self[index - 1].isAlone {
            runs.append(self[start..<index])
            start = index
        }
        runs.append(self[start...])
        return runs
    }
}
