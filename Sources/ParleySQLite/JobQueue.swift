import Foundation
import ParleyCore

/// What waits for threads: added one by one from anywhere, taken many at a time by the threads.
///
/// Threads wait at a semaphore, which counts who is to be woken, and not at a condition: glibc's can lose a signal when several wait
/// (https://sourceware.org/bugzilla/show_bug.cgi?id=25847, mended in 2.41), after which nothing would ever be read again.
final class JobQueue: Sendable {
    private struct State {
        var waiting: [DatabaseJob] = []
        var isClosed = false
        var threads: Int
        var atEnd: [@Sendable () -> Void] = []
    }

    private let state: Locked<State>
    private let arrivals = DispatchSemaphore(value: 0)

    /// How many jobs may wait. Whoever adds a job waits for its outcome, so there are never more jobs than tasks inside the store, and the
    /// host bounds those far below this; it is the backstop should the host ever fail to.
    private let capacity: Int

    /// - Parameter threads: how many threads take jobs.
    init(threads: Int = 1, capacity: Int = 65_536) {
        state = Locked(State(threads: threads))
        self.capacity = capacity
    }

    /// Why a job was not taken.
    enum Refusal: Error { case full, closed }

    /// Adds a job at the end.
    func add(_ job: DatabaseJob) throws(Refusal) {
        let isFirst: Result<Bool, Refusal> = state.withLock { state in
            guard !state.isClosed else { return .failure(.closed) }
            guard state.waiting.count < capacity else { return .failure(.full) }
            state.waiting.append(job)
            return .success(state.waiting.count == 1)
        }
        // Not while the lock is held: whoever is woken then goes to sleep again at once, and must be woken twice.
        if try isFirst.get() { arrivals.signal() }
    }

    /// Waits for jobs and takes them in the order in which they were added.
    ///
    /// - Parameter limit: how many to take; those beyond are left for other threads.
    /// - Returns: nil when the queue is closed and empty.
    func take(atMost limit: Int = .max) -> [DatabaseJob]? {
        while true {
            let (taken, isMore, isOver) = state.withLock { state in
                let taken = state.waiting.count <= limit ? state.waiting : Array(state.waiting.prefix(limit))
                state.waiting.removeFirst(taken.count)
                return (taken, !state.waiting.isEmpty, state.isClosed)
            }
            if isMore { arrivals.signal() }
            if !taken.isEmpty { return taken }
            if isOver { return nil }
            arrivals.wait()
        }
    }

    /// Takes no more jobs; those that wait are still handed out.
    ///
    /// - Parameter atEnd: called when the threads have done the last job.
    func close(atEnd: @escaping @Sendable () -> Void = {}) {
        let threads = state.withLock { state in
            state.isClosed = true
            if state.threads > 0 { state.atEnd.append(atEnd) }
            return state.threads
        }
        for _ in 0..<threads { arrivals.signal() }
        if threads == 0 { atEnd() }
    }

    /// Says that a thread has done its last job.
    func end() {
        let callbacks = state.withLock { state in
            state.threads -= 1
            guard state.threads == 0 else { return [] as [@Sendable () -> Void] }
            defer { state.atEnd = [] }
            return state.atEnd
        }
        for callback in callbacks { callback() }
    }
}
