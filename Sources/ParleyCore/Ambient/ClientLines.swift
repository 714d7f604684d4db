/// Tells whoever waits for it what the client has sent: a scripted model can go on when the client has said something.
package final class ClientLines: Sendable {
    private struct Waiter {
        var method: String
        var continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var next = 0
        var waiting: [Int: Waiter] = [:]
        var hasEnded = false
    }

    private let state = Locked(State())
    private let ambient: any Ambient
    private let deterministic: DeterministicAmbient?

    /// Nothing has been sent.
    ///
    /// - Parameter ambient: is told that who waits does so for input.
    package init(ambient: any Ambient) {
        self.ambient = ambient
        deterministic = ambient as? DeterministicAmbient
    }

    /// Returns when the next request or notification of a method has been read, or the input has ended.
    ///
    /// - Throws: `CancellationError` when the task is cancelled.
    package func wait(for method: String) async throws(CancellationError) {
        let id = state.withLock { state in
            state.next += 1
            return state.next
        }
        let came = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<Bool, Never>) in
                let outcome: Bool? = state.withLock { state in
                    if Task.isCancelled { return false }
                    if state.hasEnded { return true }
                    state.waiting[id] = Waiter(method: method, continuation: continuation)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) } else { ambient.endActivity() }
            }
        } onCancel: {
            wake(id, came: false)
        }
        if !came { throw CancellationError() }
    }

    /// Those who wait for a line that has just come; to be asked before the line takes its effect, for whatever waits only because of the line
    /// itself waits for another one.
    package func waiters(for method: String) -> [Int] { waiting(for: method) }

    /// Says that a line is taking its effect.
    ///
    /// In a deterministic host, whoever waited goes on when that effect is over, one after the other; then it blocks the calling thread, which
    /// must not be one of the concurrency pool's.
    ///
    /// - Parameter waiters: those who have waited for it.
    package func came(for waiters: [Int]) {
        for id in waiters {
            deterministic?.waitUntilQuiescent()
            wake(id, came: true)
        }
    }

    /// Says that nothing more will come, so that nobody needs to wait any longer; in a deterministic host they go on one after the other.
    package func end() async {
        state.withLock { $0.hasEnded = true }
        ambient.beginActivity()
        for id in waiting(for: nil) {
            await ambient.rest()
            wake(id, came: true)
        }
        ambient.endActivity()
    }

    /// Whether anybody waits.
    package var isAwaited: Bool { state.withLock { !$0.waiting.isEmpty } }

    /// Those who wait at this moment, in the order in which they began; nil for all methods.
    private func waiting(for method: String?) -> [Int] {
        state.withLock { state in
            state.waiting.isEmpty ? [] : state.waiting.filter { method == nil || $0.value.method == method }.keys.sorted()
        }
    }

    private func wake(_ id: Int, came: Bool) {
        let waiter = state.withLock { $0.waiting.removeValue(forKey: id) }
        guard let waiter else { return }
        ambient.beginActivity()
        waiter.continuation.resume(returning: came)
    }
}
