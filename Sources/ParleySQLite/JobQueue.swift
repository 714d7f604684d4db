import Foundation

/// What waits for threads: added one by one from anywhere, taken many at a time by the threads.
final class JobQueue: @unchecked Sendable {
    // Sendable because all that changes is touched only while `condition` is locked.
    private let condition = NSCondition()
    private var waiting: [DatabaseJob] = []
    private var isClosed = false
    private var threads: Int
    private var atEnd: [@Sendable () -> Void] = []

    /// How many jobs may wait. Whoever adds a job waits for its outcome, so there are never more jobs than tasks inside the store, and the
    /// host bounds those far below this; it is the backstop should the host ever fail to.
    private let capacity: Int

    /// - Parameter threads: how many threads take jobs.
    init(threads: Int = 1, capacity: Int = 65_536) {
        self.threads = threads
        self.capacity = capacity
    }

    /// Why a job was not taken.
    enum Refusal: Error { case full, closed }

    /// Adds a job at the end.
    func add(_ job: DatabaseJob) throws(Refusal) {
        let isFirst = try append(job)
        // Whoever is woken while the lock is held goes to sleep again at once, and must be woken twice.
        if isFirst { condition.signal() }
    }

    /// - Returns: whether nothing waited before.
    private func append(_ job: DatabaseJob) throws(Refusal) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { throw .closed }
        guard waiting.count < capacity else { throw .full }
        waiting.append(job)
        return waiting.count == 1
    }

    /// Waits for jobs and takes them in the order in which they were added.
    ///
    /// - Parameter limit: how many to take; those beyond are left for other threads.
    /// - Returns: nil when the queue is closed and empty.
    func take(atMost limit: Int = .max) -> [DatabaseJob]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            guard !isClosed else { return nil }
            condition.wait()
        }
        guard waiting.count > limit else {
            let taken = waiting
            waiting = []
            return taken
        }
        let taken = Array(waiting.prefix(limit))
        waiting.removeFirst(limit)
        condition.signal()
        return taken
    }

    /// Takes no more jobs; those that wait are still handed out.
    ///
    /// - Parameter atEnd: called when the threads have done the last job.
    func close(atEnd: @escaping @Sendable () -> Void = {}) {
        let alreadyEnded = condition.withLock {
            isClosed = true
            condition.broadcast()
            if threads > 0 { self.atEnd.append(atEnd) }
            return threads == 0
        }
        if alreadyEnded { atEnd() }
    }

    /// Says that a thread has done its last job.
    func end() {
        let callbacks = condition.withLock {
            threads -= 1
            guard threads == 0 else { return [] as [@Sendable () -> Void] }
            defer { atEnd = [] }
            return atEnd
        }
        for callback in callbacks { callback() }
    }
}
