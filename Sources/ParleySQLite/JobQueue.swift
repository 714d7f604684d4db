import Foundation

/// What waits for a thread: added one by one from anywhere, taken all at once by the thread.
final class JobQueue: @unchecked Sendable {
    // Sendable because all that changes is touched only while `condition` is locked.
    private let condition = NSCondition()
    private var waiting: [DatabaseJob] = []
    private var isClosed = false
    private var hasEnded = false
    private var atEnd: [@Sendable () -> Void] = []

    /// How many jobs may wait. Whoever adds a job waits for its outcome, so there are never more jobs than tasks inside the store, and the host
    /// bounds those far below this; it is the backstop should the host ever fail to.
    private let capacity: Int

    init(capacity: Int = 65_536) {
        self.capacity = capacity
    }

    /// Why a job was not taken.
    enum Refusal: Error { case full, closed }

    /// Adds a job at the end.
    func add(_ job: DatabaseJob) throws(Refusal) {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosed else { throw .closed }
        guard waiting.count < capacity else { throw .full }
        waiting.append(job)
        if waiting.count == 1 { condition.signal() }
    }

    /// Waits for jobs and takes all there are, in the order in which they were added.
    ///
    /// - Returns: nil when the queue is closed and empty.
    func takeAll() -> [DatabaseJob]? {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty {
            guard !isClosed else { return nil }
            condition.wait()
        }
        let taken = waiting
        waiting = []
        return taken
    }

    /// Takes no more jobs; those that wait are still handed out.
    ///
    /// - Parameter atEnd: called when the thread has done its last job.
    func close(atEnd: @escaping @Sendable () -> Void = {}) {
        let alreadyEnded = condition.withLock {
            isClosed = true
            condition.broadcast()
            if !hasEnded { self.atEnd.append(atEnd) }
            return hasEnded
        }
        if alreadyEnded { atEnd() }
    }

    /// Says that the thread has done its last job.
    func end() {
        let callbacks = condition.withLock {
            hasEnded = true
            defer { atEnd = [] }
            return atEnd
        }
        for callback in callbacks { callback() }
    }
}
