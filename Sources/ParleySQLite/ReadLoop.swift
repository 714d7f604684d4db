import Foundation
import GRDB
import Logging
import ParleyCore

/// The loop through which all reads go: jobs that wait share a read transaction.
///
/// The transaction begins after its jobs are taken, so each sees all that was committed before it was asked for. On a file there are
/// several threads with a connection each, which never wait for the writer; in memory there is but one connection for everything.
struct ReadLoop: Sendable {
    /// How many jobs share a transaction: enough to share its cost, few enough to leave some to other threads.
    private static let batch = 16

    private let threads: JobThreads

    init(reader: any DatabaseReader, logger: Logger) {
        let count = reader is DatabasePool ? min(ProcessInfo.processInfo.activeProcessorCount, reader.configuration.maximumReaderCount) : 1
        threads = JobThreads(name: "parley-read", count: count, batch: Self.batch) { jobs in
            var remaining = jobs[...]
            do {
                try reader.read { db in
                    while let job = remaining.popFirst() { Self.run(job, db) }
                }
            } catch {
                logger.error("a read transaction failed", metadata: ["error": "\(error)"])
                let failure = SQLiteFailure.failure(for: error)
                for job in remaining { job.fail(failure) }
            }
        }
    }

    /// Reads something.
    ///
    /// - Throws: what the body throws, in the domain's words.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws(Failure) -> Value {
        try await threads.perform(body)
    }

    /// Takes no more work and returns when the last is done.
    func stop() async {
        await threads.stop()
    }

    private static func run(_ job: DatabaseJob, _ db: Database) {
        do {
            try job.run(db)()
        } catch {
            job.fail(SQLiteFailure.failure(for: error))
        }
    }
}
