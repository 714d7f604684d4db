import JSONRPC
import ParleyCore

/// Lets requests that are answered at length begin a few at a time, and only while the connection takes more.
///
/// Otherwise as many pages would be read for a client that reads none of them as it has requests in flight. They begin in their order.
final class AnswerGate: Sendable {
    /// A place, which is given back once: when somebody says so, or nobody has it any more.
    final class Place: Sendable {
        private let gate: AnswerGate
        private let isTaken = Locked(true)

        fileprivate init(of gate: AnswerGate) {
            self.gate = gate
        }

        deinit {
            leave()
        }

        /// Gives it back, because the answer is on its way or needs none; a second time does nothing.
        func leave() {
            let wasTaken = isTaken.withLock { isTaken in
                defer { isTaken = false }
                return isTaken
            }
            if wasTaken { gate.leave() }
        }
    }

    private struct State {
        var taken = 0
        /// Those who wait, by their numbers; who has given up is missing.
        var waiting: [Int: CheckedContinuation<Bool, Never>] = [:]
        var first = 0
        var next = 0
        /// Whether the connection says when it takes more.
        var awaitsConnection = false

        mutating func popFirst() -> CheckedContinuation<Bool, Never>? {
            while first < next {
                first += 1
                if let continuation = waiting.removeValue(forKey: first - 1) { return continuation }
            }
            return nil
        }
    }

    private let connection: Connection
    private let places: Int
    private let state = Locked(State())

    /// - Parameter places: how many may be on their way at once: enough to share the store's transactions.
    init(connection: Connection, places: Int) {
        self.connection = connection
        self.places = places
    }

    /// Waits for a place, to be held until the answer is sent.
    ///
    /// - Returns: nil when the task is cancelled before.
    func enter() async -> Place? {
        let number = state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
        let hasEntered = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = state.withLock { state in
                    guard !Task.isCancelled else { return false }
                    state.waiting[number] = continuation
                    // Somebody later may have looked for the first already.
                    state.first = min(state.first, number)
                    return true
                }
                if waits { serve() } else { continuation.resume(returning: false) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: false)
        }
        return hasEntered ? Place(of: self) : nil
    }

    private func leave() {
        state.withLock { $0.taken -= 1 }
        serve()
    }

    /// Lets those begin who can.
    ///
    /// - Parameter isDue: whether the connection has just taken more: then one begins whatever others have sent since.
    private func serve(isDue: Bool = false) {
        var isDue = isDue
        let (beginning, mustWait) = state.withLock { state in
            if isDue { state.awaitsConnection = false }
            var beginning: [CheckedContinuation<Bool, Never>] = []
            while state.taken < places, isDue || !connection.isCongested, let continuation = state.popFirst() {
                isDue = false
                state.taken += 1
                beginning.append(continuation)
            }
            // Whoever leaves looks again, so that only a connection is waited for that has enough.
            guard state.taken < places, !state.waiting.isEmpty, !state.awaitsConnection else { return (beginning, false) }
            state.awaitsConnection = true
            return (beginning, true)
        }
        for continuation in beginning { continuation.resume(returning: true) }
        if mustWait { connection.onceWritable { [self] in serve(isDue: true) } }
    }
}
