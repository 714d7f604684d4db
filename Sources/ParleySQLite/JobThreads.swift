import Foundation
import GRDB
import ParleyCore

/// Threads of their own that work off database jobs, many at a time.
///
/// Blocking inside SQLite would starve Swift's few cooperative threads, and a task's cancellation would abort GRDB's own asynchronous
/// accesses; a job here is finished whatever becomes of the task that asked for it.
final class JobThreads: Sendable {
    private let queue: JobQueue

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - name: shown by debuggers.
    ///   - count: how many.
    ///   - batch: how many jobs a thread takes at once.
    ///   - process: works off jobs, calling for each either what `run` returned or `fail`, exactly once.
    init(name: String, count: Int = 1, batch: Int = .max, process: @escaping @Sendable ([DatabaseJob]) -> Void) {
        queue = JobQueue(threads: count)
        for _ in 0..<count {
            let thread = Thread { [queue] in
                while let jobs = queue.take(atMost: batch) { process(jobs) }
                queue.end()
            }
            thread.name = name
            thread.start()
        }
    }

    deinit {
        queue.close()
    }

    /// Has a thread do something and waits for the outcome.
    ///
    /// - Throws: what the body throws, in the domain's words.
    func perform<Value: Sendable>(
        isAlone: Bool = false, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(Failure) -> Value {
        let outcome: Result<Value, Failure> = await withCheckedContinuation { continuation in
            let job = DatabaseJob(
                run: { db in
                    let value = try body(db)
                    return { continuation.resume(returning: .success(value)) }
                },
                fail: { continuation.resume(returning: .failure($0)) },
                isAlone: isAlone)
            do throws(JobQueue.Refusal) {
                try queue.add(job)
            } catch {
                switch error {
                case .closed: job.fail(SQLiteFailure.closed)
                case .full: job.fail(Failure(.storeUnavailable, "Too many requests wait for the store."))
                }
            }
        }
        return try outcome.get()
    }

    /// Takes no more jobs and returns when the last one is done.
    func stop() async {
        await withCheckedContinuation { continuation in
            queue.close { continuation.resume() }
        }
    }
}
