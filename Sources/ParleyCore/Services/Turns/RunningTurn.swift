/// A turn that this process runs: what it has said so far, and the ways to end it and to wait for its end.
final class RunningTurn: Sendable {
    /// Why a turn is ended before the model has finished.
    enum Cause: Sendable {
        /// Somebody asked.
        case cancelled
        /// The turn's time was up.
        case deadline
        /// The process ends.
        case interrupted
    }

    private struct State {
        var cause: Cause?
        var sequence = 0
        /// The assistant's message without its text, which grows in place beside it.
        var message: Message?
        var text = ""
        /// Whether the text has grown since it was last checkpointed.
        var grown = false
        var result: TurnResult?
        var waiting: [CheckedContinuation<TurnResult, Never>] = []

        var answer: Message? {
            guard var message else { return nil }
            message.content = [.text(text)]
            return message
        }
    }

    let id: String
    let conversationID: String
    /// When its time is up, on the monotonic clock.
    let deadline: Int64
    private let cancellation: Cancellation
    private let state = Locked(State())

    /// Wraps a turn that was admitted.
    ///
    /// - Parameters:
    ///   - deadline: in milliseconds of the monotonic clock.
    ///   - cancellation: ends the task that runs the turn.
    init(_ admitted: AdmittedTurn, deadline: Int64, cancellation: Cancellation) {
        id = admitted.turn.id
        conversationID = admitted.turn.conversationID
        self.deadline = deadline
        self.cancellation = cancellation
    }

    /// Ends the turn early; only the first cause counts, and none does once the turn has ended.
    func end(_ cause: Cause) {
        let first = state.withLock { state in
            guard state.cause == nil, state.result == nil else { return false }
            state.cause = cause
            return true
        }
        if first { cancellation.request() }
    }

    /// Why the turn is being ended early, if it is.
    var cause: Cause? { state.withLock { $0.cause } }

    /// Numbers an event.
    func event(_ body: TurnEvent.Body) -> TurnEvent {
        let sequence = state.withLock { state in
            state.sequence += 1
            return state.sequence
        }
        return TurnEvent(conversationID: conversationID, turnID: id, sequence: sequence, body: body)
    }

    /// The number that the next event will bear.
    var nextSequence: Int { state.withLock { $0.sequence + 1 } }

    /// Appends deltas to the answer and numbers them, in one step, so that a checkpoint never tears them apart.
    ///
    /// - Parameter message: the assistant's message, empty; used for the first delta only.
    func append(_ deltas: [String], startingWith message: () -> Message) -> [TurnEvent] {
        state.withLock { state in
            let id =
                state.message?.id
                ?? {
                    let message = message()
                    state.message = message
                    return message.id
                }()
            state.grown = true
            return deltas.map { delta in
                state.text += delta
                state.sequence += 1
                return TurnEvent(
                    conversationID: conversationID, turnID: self.id, sequence: state.sequence,
                    body: .messageDelta(messageID: id, delta: delta))
            }
        }
    }

    /// The assistant's message as far as it goes; nil when nothing has been said.
    func answer() -> Message? {
        state.withLock { $0.answer }
    }

    /// What has been said, if there is more than at the last call.
    func takeCheckpoint() -> TurnCheckpoint? {
        state.withLock { state in
            guard state.grown, state.result == nil, let message = state.answer else { return nil }
            state.grown = false
            return TurnCheckpoint(turnID: id, message: message, lastSequence: state.sequence)
        }
    }

    /// Says how the turn ended, to all who wait.
    func finish(_ result: TurnResult) {
        let waiting = state.withLock { state in
            state.result = result
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: result) }
    }

    /// Waits for the end.
    func result() async -> TurnResult {
        await withCheckedContinuation { continuation in
            let result: TurnResult? = state.withLock { state in
                if state.result == nil { state.waiting.append(continuation) }
                return state.result
            }
            if let result { continuation.resume(returning: result) }
        }
    }
}

extension RunningTurn: Comparable {
    static func == (left: RunningTurn, right: RunningTurn) -> Bool { left === right }

    /// Who began earlier is ended earlier.
    static func < (left: RunningTurn, right: RunningTurn) -> Bool { (left.deadline, left.id) < (right.deadline, right.id) }
}
