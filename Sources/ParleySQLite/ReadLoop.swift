import Foundation
import GRDB
import Logging
import ParleyCore

/// A loop through which reads go: jobs that wait share a read transaction.
///
/// The transaction begins after its jobs are taken, so each sees all that was committed before it was asked for. On a file there are
/// several threads with a connection each, which never wait for the writer; in memory there is but one connection for everything.
struct ReadLoop: Sendable {
    /// How many jobs share a transaction: enough to share its cost, few enough to leave some to other threads.
    private static let batch = 16
    /// The most threads, and so connections, for all but searches.
    private static let maximumThreads = 5
    /// How many connections all loops of a store need at most.
    static let maximumConnections = maximumThreads + 1

    private let threads: JobThreads

    /// The loop of all reads but searches.
    init(reader: any DatabaseReader, logger: Logger) {
        let count = reader is DatabasePool ? min(ProcessInfo.processInfo.activeProcessorCount, Self.maximumThreads) : 1
        threads = JobThreads(name: "parley-read", count: count, batch: Self.batch) { Self.run($0, reader, logger) }
    }

    /// The loop of searches: a thread of their own, on which they wait for one another, so that nobody else does however long they take.
    init(ofSearches reader: any DatabaseReader, logger: Logger) {
        threads = JobThreads(name: "parley-search", batch: 1) { Self.run($0, reader, logger) }
    }

    /// Reads something.
    ///
    /// - Throws: what the body throws, in the domain's words.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws(Failure) -> Value {
        try await threads.perform(body)
    }

    /// Reads something for as long as it is wanted.
    ///
    /// - Parameter body: reads it; asks from time to time whether it is still wanted, and throws whatever it likes when it is not.
    /// - Throws: what the body throws, in the domain's words; `cancelled` at once when the task is cancelled.
    func readWhileWanted<Value: Sendable>(
        _ body: @escaping @Sendable (Database, _ isWanted: () -> Bool) throws -> Value
    ) async throws(Failure) -> Value {
        try await threads.performWhileWanted(body)
    }

    /// Takes no more work and returns when the last is done.
    func stop() async {
        await threads.stop()
    }

    private static func run(_ jobs: [DatabaseJob], _ reader: any DatabaseReader, _ logger: Logger) {
        var remaining = jobs[...]
        do {
            try reader.read { db in
                while let job = remaining.popFirst() { run(job, db) }
            }
        } catch {
            logger.error("a read transaction failed", metadata: ["error": "\(error)"])
            let failure = SQLiteFailure.failure(for: error)
            for job in remaining { job.fail(failure) }
        }
    }

    private static func run(_ job: DatabaseJob, _ db: Database) {
        do {
            try job.run(db)()
        } catch {
            job.fail(SQLiteFailure.failure(for: error))
        }
    }
}
