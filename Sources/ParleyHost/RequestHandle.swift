import ParleyCore

/// A request that is not answered yet, for whoever wants to cancel it.
final class RequestHandle: Sendable {
    private struct State {
        var isCancelled = false
        var runsTurn: Bool
        var endsWithTurn = false
        var turnID: String?
    }

    /// Cancels the task that runs the request.
    let cancellation = Cancellation()
    private let turns: Turns
    private let state: Locked<State>

    /// - Parameter runsTurn: whether the request, once admitted, is a turn: then only the turn is cancelled, and the reply is its result.
    init(runsTurn: Bool, turns: Turns) {
        self.turns = turns
        state = Locked(State(runsTurn: runsTurn))
    }

    /// Whether somebody wants the request cancelled.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Cancels the request as far as it has come.
    func cancel() {
        let (runsTurn, turnID) = state.withLock { state in
            state.isCancelled = true
            return (state.runsTurn, state.turnID)
        }
        if let turnID {
            turns.cancelOwn(turnID)
        } else if !runsTurn {
            cancellation.request()
        }
    }

    /// Ends the waiting of a request that is not a turn, because the process ends.
    func stopWaiting() {
        if !state.withLock({ $0.runsTurn || $0.endsWithTurn }) { cancellation.request() }
    }

    /// Says that the request follows a turn of this process, and so ends with it also when the process ends.
    func endsWithTurn() {
        state.withLock { $0.endsWithTurn = true }
    }

    /// Says that the request only waits for a turn that another one runs.
    func onlyWaits() {
        let isCancelled = state.withLock { state in
            state.runsTurn = false
            return state.isCancelled
        }
        if isCancelled { cancellation.request() }
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
