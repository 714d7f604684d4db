/// The turns that this process runs, and the ends of turns that the store could not take yet.
final class RunningTurns: Sendable {
    private struct State {
        var turns: [String: RunningTurn] = [:]
        /// Where those of them wait that have not begun.
        var places: [String: QueuePlace] = [:]
        /// Whether somebody looks which turns can begin, and whether to look once more afterwards.
        var advancing: (now: Bool, again: Bool) = (false, false)
        var unsettled: [TurnOutcome] = []
        /// Whether every turn is to end, also those that are yet to be added.
        var isEnding = false
        var monitor: CheckedContinuation<Void, Never>?

        mutating func takeMonitor() -> CheckedContinuation<Void, Never>? {
            defer { monitor = nil }
            return monitor
        }
    }

    private let state = Locked(State())

    var count: Int { state.withLock { $0.turns.count } }

    var all: [RunningTurn] { state.withLock { Array($0.turns.values) } }

    subscript(id: String) -> RunningTurn? { state.withLock { $0.turns[id] } }

    /// Adds a turn.
    ///
    /// - Returns: the monitor, if it sleeps for want of turns: the caller resumes it.
    func insert(_ turn: RunningTurn) -> CheckedContinuation<Void, Never>? {
        state.withLock { state in
            state.turns[turn.id] = turn
            return state.takeMonitor()
        }
    }

    /// Whether every turn is to end.
    var isEnding: Bool { state.withLock { $0.isEnding } }

    /// Lets no turn begin any more.
    ///
    /// - Returns: those that run; whoever adds one later sees `isEnding`.
    func beginEnd() -> [RunningTurn] {
        state.withLock { state in
            state.isEnding = true
            return Array(state.turns.values)
        }
    }

    /// Puts the monitor to sleep until there is a turn.
    ///
    /// - Returns: false when there is a turn, or an end to store: the monitor is to go on.
    func keepMonitor(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        state.withLock { state in
            guard state.turns.isEmpty, state.unsettled.isEmpty else { return false }
            state.monitor = continuation
            return true
        }
    }

    /// The monitor, if it sleeps: the caller resumes it.
    func takeMonitor() -> CheckedContinuation<Void, Never>? {
        state.withLock { $0.takeMonitor() }
    }

    func remove(_ turn: RunningTurn) {
        state.withLock { $0.turns[turn.id] = nil }
    }

    // MARK: Those that wait

    /// Notes that a turn waits.
    func insert(_ place: QueuePlace, of turn: RunningTurn) {
        state.withLock { $0.places[turn.id] = place }
    }

    /// Forgets that a turn waits.
    ///
    /// - Returns: where it waited; nil when it does not wait in this process.
    func takePlace(_ id: String) -> QueuePlace? {
        state.withLock { $0.places.removeValue(forKey: id) }
    }

    /// The turns that wait.
    var waiting: [RunningTurn] { state.withLock { state in state.places.keys.compactMap { state.turns[$0] } } }

    /// Whether any turn waits.
    var isAnyWaiting: Bool { state.withLock { !$0.places.isEmpty } }

    /// Begins to look which turns can begin.
    ///
    /// - Returns: false when somebody else does so, who will look once more.
    func beginAdvancing() -> Bool {
        state.withLock { state in
            state.advancing = (true, state.advancing.now)
            return !state.advancing.again
        }
    }

    /// Says that it has been looked.
    ///
    /// - Returns: whether to look once more.
    func endAdvancing() -> Bool {
        state.withLock { state in
            state.advancing = (state.advancing.again, false)
            return state.advancing.now
        }
    }

    func keepUnsettled(_ outcome: TurnOutcome) {
        state.withLock { $0.unsettled.append(outcome) }
    }

    func takeUnsettled() -> [TurnOutcome] {
        state.withLock { state in
            defer { state.unsettled = [] }
            return state.unsettled
        }
    }
}
