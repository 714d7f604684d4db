import GRDB
import Logging
import ParleyCore

/// The loop through which all reads go: whatever waits shares one read transaction.
///
/// The transaction begins after the jobs are taken, so each sees all that was committed before it was asked for. On a file it has a connection
/// of its own and never waits for the writer.
struct ReadLoop: Sendable {
    private let thread: JobThread

    init(reader: any DatabaseReader, logger: Logger) {
        thread = JobThread(name: "parley-read") { jobs in
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
        try await thread.perform(body)
    }

    /// Takes no more work and returns when the last is done.
    func stop() async {
        await thread.stop()
    }

    private static func run(_ job: DatabaseJob, _ db: Database) {
        do {
            try job.run(db)()
        } catch {
            job.fail(SQLiteFailure.failure(for: error))
        }
    }
}
