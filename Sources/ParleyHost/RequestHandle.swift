import ParleyCore

/// A request that is not answered yet, for whoever wants to cancel it.
final class RequestHandle: Sendable {
    private struct State {
        var isCancelled = false
        var turnID: String?
    }

    /// Cancels the task that runs the request.
    let cancellation = Cancellation()
    private let runsTurn: Bool
    private let turns: Turns
    private let state = Locked(State())

    /// - Parameter runsTurn: whether the request, once admitted, is a turn: then only the turn is cancelled, and the reply is its result.
    init(runsTurn: Bool, turns: Turns) {
        self.runsTurn = runsTurn
        self.turns = turns
    }

    /// Whether somebody wants the request cancelled.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Cancels the request as far as it has come.
    func cancel() {
        let turnID = state.withLock { state in
            state.isCancelled = true
            return state.turnID
        }
        if let turnID {
            turns.cancelOwn(turnID)
        } else if !runsTurn {
            cancellation.request()
        }
    }

    /// Ends the waiting of a request that is not a turn, because the process ends.
    func stopWaiting() {
        if !runsTurn { cancellation.request() }
    }

    /// Says which turn the request has become.
    func admitted(turnID: String) {
        let isCancelled = state.withLock { state in
            state.turnID = turnID
            return state.isCancelled
        }
        if isCancelled { turns.cancelOwn(turnID) }
    }
}
