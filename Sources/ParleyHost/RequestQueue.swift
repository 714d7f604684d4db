import ParleyCore

/// Lets requests that share a scope take effect in the order in which they came, and all others overlap.
///
/// The one place where tasks begin: a request becomes a task as soon as it holds its scope.
final class RequestQueue: Sendable {
    /// A request that waits for its scope or runs.
    final class Entry: Sendable {
        fileprivate let locks: [Scope.Lock]
        fileprivate let bytes: Int
        /// Cancels the request's task.
        let cancellation: Cancellation
        fileprivate let executor: (any TaskExecutor)?
        fileprivate let work: @Sendable (Entry) async -> Void
        private let queue: RequestQueue
        private let held = Locked(true)

        fileprivate init(
            locks: [Scope.Lock], bytes: Int, cancellation: Cancellation, executor: (any TaskExecutor)?, queue: RequestQueue,
            work: @escaping @Sendable (Entry) async -> Void
        ) {
            self.locks = locks
            self.bytes = bytes
            self.cancellation = cancellation
            self.executor = executor
            self.queue = queue
            self.work = work
        }

        /// Lets go of the scope, because the request has taken effect; a second time does nothing.
        func release() {
            let first = held.withLock { held in
                defer { held = false }
                return held
            }
            if first { queue.release(self) }
        }
    }

    private struct Line {
        var holders = 0
        var heldExclusively = false
        var waiting: [(entry: Entry, exclusive: Bool)] = []
        var next = 0

        /// Whether a lock can be taken at once: nobody waits, and nobody who holds minds.
        mutating func take(exclusive: Bool) -> Bool {
            guard next == waiting.count, holders == 0 || (!exclusive && !heldExclusively) else { return false }
            holders += 1
            heldExclusively = exclusive
            return true
        }

        /// Whether nobody holds the lock or waits for it.
        var isUnused: Bool { holders == 0 && waiting.isEmpty }

        /// Takes the lock back from one who held it.
        ///
        /// - Returns: who has it now.
        mutating func letGo() -> [Entry] {
            holders -= 1
            if holders == 0 { heldExclusively = false }
            return waiting.isEmpty ? [] : grant()
        }

        /// Gives the lock to as many of those who wait as can have it together.
        private mutating func grant() -> [Entry] {
            var granted: [Entry] = []
            while next < waiting.count {
                let (entry, exclusive) = waiting[next]
                guard holders == 0 || (!exclusive && !heldExclusively) else { break }
                next += 1
                holders += 1
                heldExclusively = exclusive
                granted.append(entry)
            }
            if next == waiting.count {
                waiting = []
                next = 0
            } else if next > 64, next * 2 > waiting.count {
                waiting.removeFirst(next)
                next = 0
            }
            return granted
        }
    }

    private struct State {
        var lines: [Scope.Lock.Key: Line] = [:]
        /// How many locks each waiting entry still lacks.
        var missing: [ObjectIdentifier: Int] = [:]
        var count = 0
        var bytes = 0
        var idle: [Int: CheckedContinuation<Void, Never>] = [:]
        var nextIdle = 0
    }

    private let state = Locked(State())
    private let ambient: any Ambient

    /// An empty queue.
    init(ambient: any Ambient) {
        self.ambient = ambient
    }

    /// How many requests wait or run, and how large they are in all, in bytes; one whose reply was given at its acceptance still counts.
    var load: (count: Int, bytes: Int) { state.withLock { ($0.count, $0.bytes) } }

    /// Adds a request. Called in the order of the requests.
    ///
    /// - Parameters:
    ///   - locks: what the request must hold before it begins.
    ///   - bytes: how large the request is.
    ///   - cancellation: is armed to cancel the request's task.
    ///   - beginsHere: whether the calling thread carries it out as far as it comes without waiting.
    ///   - executor: where it goes on once it has waited; nil where all tasks do.
    ///   - work: the request; the scope is let go when it returns, at the latest.
    func add(
        _ locks: [Scope.Lock], bytes: Int = 0, cancellation: Cancellation = Cancellation(), beginsHere: Bool = true,
        executor: (any TaskExecutor)? = nil, work: @escaping @Sendable (Entry) async -> Void
    ) {
        let entry = Entry(locks: locks, bytes: bytes, cancellation: cancellation, executor: executor, queue: self, work: work)
        ambient.beginActivity()
        let begins = state.withLock { state in
            state.count += 1
            state.bytes += entry.bytes
            var missing = 0
            for lock in locks {
                if !state.lines[lock.key, default: Line()].take(exclusive: lock.exclusive) {
                    state.lines[lock.key]?.waiting.append((entry, lock.exclusive))
                    missing += 1
                }
            }
            if missing > 0 { state.missing[ObjectIdentifier(entry)] = missing }
            return missing == 0
        }
        guard begins else { return }
        guard beginsHere else { return begin(entry) }
        // As far as it comes without waiting, a request is carried out by the thread that reads it: to wake another one takes longer.
        arm(entry, Task.immediate(executorPreference: entry.executor) { await self.carryOut(entry) })
    }

    /// Returns when no request waits or runs, or when the task is cancelled.
    func idle() async {
        let id = state.withLock { state in
            state.nextIdle += 1
            return state.nextIdle
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.count == 0 || Task.isCancelled { return true }
                    state.idle[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.idle.removeValue(forKey: id) }?.resume()
        }
    }

    /// Begins a request that is not carried out by whoever calls this, such as one that lets go of what it waited for, who has work of their own.
    private func begin(_ entry: Entry) {
        arm(entry, Task(executorPreference: entry.executor) { await self.carryOut(entry) })
    }

    private func carryOut(_ entry: Entry) async {
        await entry.work(entry)
        entry.release()
        end(entry)
    }

    private func arm(_ entry: Entry, _ task: Task<Void, Never>) {
        entry.cancellation.arm { task.cancel() }
    }

    private func release(_ entry: Entry) {
        let ready: [Entry] = state.withLock { state in
            var ready: [Entry] = []
            for lock in entry.locks {
                guard let index = state.lines.index(forKey: lock.key) else { continue }
                for granted in state.lines.values[index].letGo() {
                    let id = ObjectIdentifier(granted)
                    let missing = state.missing[id, default: 1] - 1
                    state.missing[id] = missing == 0 ? nil : missing
                    if missing == 0 { ready.append(granted) }
                }
                if state.lines.values[index].isUnused { state.lines.remove(at: index) }
            }
            return ready
        }
        for entry in ready { begin(entry) }
    }

    private func end(_ entry: Entry) {
        let idle = state.withLock { state in
            state.count -= 1
            state.bytes -= entry.bytes
            guard state.count == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { state.idle = [:] }
            return Array(state.idle.values)
        }
        ambient.endActivity()
        for continuation in idle { continuation.resume() }
    }
}
