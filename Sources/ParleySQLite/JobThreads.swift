import Foundation
import GRDB
import ParleyCore

/// Threads of their own that work off database jobs, many at a time.
///
/// Blocking inside SQLite would starve Swift's few cooperative threads, and a task's cancellation would abort GRDB's own asynchronous
/// accesses; a job here is finished whatever becomes of the task that asked for it, unless it says itself that it may be given up.
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
            add(
                DatabaseJob(
                    run: { db in
                        let value = try body(db)
                        return { continuation.resume(returning: .success(value)) }
                    },
                    fail: { continuation.resume(returning: .failure($0)) },
                    isAlone: isAlone))
        }
        return try outcome.get()
    }

    /// Has a thread do something that is given up when nobody wants it any more.
    ///
    /// - Parameter body: does it; asks from time to time whether it is still wanted, and throws whatever it likes when it is not.
    /// - Throws: what the body throws, in the domain's words; `cancelled` at once when the task is cancelled.
    func performWhileWanted<Value: Sendable>(
        _ body: @escaping @Sendable (Database, _ isWanted: () -> Bool) throws -> Value
    ) async throws(Failure) -> Value {
        let answer = JobAnswer<Value>()
        let outcome: Result<Value, Failure> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                answer.onceGiven { continuation.resume(returning: $0) }
                add(
                    DatabaseJob(
                        run: { db in
                            guard answer.isWanted else { return {} }
                            let value = try body(db) { answer.isWanted }
                            return { answer.give(.success(value)) }
                        },
                        fail: { answer.give(.failure($0)) },
                        isAlone: false))
            }
        } onCancel: {
            answer.give(.failure(Failure(.cancelled, "The request was cancelled.")))
        }
        return try outcome.get()
    }

    private func add(_ job: DatabaseJob) {
        do throws(JobQueue.Refusal) {
            try queue.add(job)
        } catch {
            switch error {
            case .closed: job.fail(SQLiteFailure.closed)
            case .full: job.fail(Failure(.storeUnavailable, "Too many requests wait for the store."))
            }
        }
    }

    /// Takes no more jobs and returns when the last one is done.
    func stop() async {
        await withCheckedContinuation { continuation in
            queue.close { continuation.resume() }
        }
    }
}
