import ParleyCore

/// What a job has come to: given once, by the thread or by whoever wants it no more, whichever is first.
final class JobAnswer<Value: Sendable>: Sendable {
    private struct State {
        var outcome: Result<Value, Failure>?
        var receiver: (@Sendable (Result<Value, Failure>) -> Void)?
    }

    private let state = Locked(State())

    /// Whether nothing has been given yet.
    var isWanted: Bool { state.withLock { $0.outcome == nil } }

    /// Says who receives it; at once if it has been given already. To be called once.
    func onceGiven(_ receiver: @escaping @Sendable (Result<Value, Failure>) -> Void) {
        let outcome = state.withLock { state in
            if state.outcome == nil { state.receiver = receiver }
            return state.outcome
        }
        if let outcome { receiver(outcome) }
    }

    /// Gives it; a second time does nothing.
    func give(_ outcome: Result<Value, Failure>) {
        let receiver = state.withLock { state in
            guard state.outcome == nil else { return nil as (@Sendable (Result<Value, Failure>) -> Void)? }
            defer { state.receiver = nil }
            state.outcome = outcome
            return state.receiver
        }
        receiver?(outcome)
    }
}
