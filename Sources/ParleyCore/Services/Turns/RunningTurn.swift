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
        var deadline: Int64
        var hasCalledModel = false
        var hasSaidSomething = false
        /// All that it has produced.
        var log: TurnLog
        /// The assistant's message without its content, which grows in the log.
        var message: Message?
        /// What the models are told of the conversation.
        var path: ConversationPath?
        /// What the provider wants sent back with the message.
        var replay: Message.Replay?
        /// The assistant's last message that ended with tool calls.
        var step: Message?
        var isStepStored = false
        /// Whether the content has grown since it was last checkpointed.
        var grown = false
        /// By reference, because there is none most of the time.
        var result: Shared<TurnResult>?
        var waiting: [Int: CheckedContinuation<TurnResult?, Never>] = [:]
        /// The waits that have not begun, and that nobody has ended.
        var announced: Set<Int> = []
        var nextWaiting = 0
        var followers: [(number: Int, follower: any TurnFollower)] = []
        var nextFollower = 0

        var answer: Message? {
            guard var message else { return nil }
            message.content = log.parts(of: message.id)
            message.replay = replay
            return message
        }
    }

    let id: String
    let conversationID: String
    private let cancellation: Cancellation
    private let ambient: any Ambient
    private let state: Locked<State>

    /// Wraps a turn that was admitted.
    ///
    /// - Parameters:
    ///   - deadline: when its time is up, in milliseconds of the monotonic clock.
    ///   - lastSequence: the number of the last event that it has had.
    ///   - cancellation: ends the task that runs the turn.
    init(_ turn: Turn, deadline: Int64, lastSequence: Int = 0, cancellation: Cancellation, ambient: any Ambient) {
        id = turn.id
        conversationID = turn.conversationID
        self.cancellation = cancellation
        self.ambient = ambient
        state = Locked(State(deadline: deadline, log: TurnLog(after: lastSequence)))
    }

    /// When its time is up, in milliseconds of the monotonic clock; a turn that waits has all the time in the world.
    var deadline: Int64 {
        get { state.withLock { $0.deadline } }
        set { state.withLock { $0.deadline = newValue } }
    }

    /// What the models are told of the conversation; nil as long as none is asked.
    var path: ConversationPath? {
        get { state.withLock { $0.path } }
        set { state.withLock { $0.path = newValue } }
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

    /// Notes that the model is about to be asked, which costs something whatever comes of it.
    func willCallModel() {
        state.withLock { $0.hasCalledModel = true }
    }

    /// Notes that there is something to show for the turn: text, or a tool that was executed.
    func didSaySomething() {
        state.withLock { $0.hasSaidSomething = true }
    }

    /// What becomes of what the turn holds, if it ends so.
    func settlement(for status: Turn.Status) -> Settlement {
        state.withLock { Settlement(status: status, calledModel: $0.hasCalledModel, saidSomething: $0.hasSaidSomething) }
    }

    /// Notes and numbers an event.
    func event(_ body: TurnEvent.Body) -> TurnEvent {
        let sequence = state.withLock { $0.log.append(body) }
        return TurnEvent(conversationID: conversationID, turnID: id, sequence: sequence, body: body)
    }

    /// The number that the next event will bear.
    var nextSequence: Int { lastSequence + 1 }

    /// The number of the last event; 0 before the first.
    var lastSequence: Int { state.withLock { $0.log.sequence } }

    /// Appends pieces to the answer and numbers them, in one step, so that a checkpoint never tears them apart.
    ///
    /// - Parameter message: the assistant's message, empty; used for the first piece only.
    func append(_ pieces: [AnswerPiece], startingWith message: () -> Message) -> [TurnEvent] {
        state.withLock { state in
            let id =
                state.message?.id
                ?? {
                    let message = message()
                    state.message = message
                    return message.id
                }()
            state.grown = true
            return pieces.map { piece in
                let sequence = state.log.append(piece, to: id)
                // Thoughts alone are nothing to show for a turn.
                if piece.kind == .text { state.hasSaidSomething = true }
                return TurnEvent(
                    conversationID: conversationID, turnID: self.id, sequence: sequence,
                    body: piece.kind == .text
                        ? .messageDelta(messageID: id, delta: piece.text) : .reasoningDelta(messageID: id, delta: piece.text))
            }
        }
    }

    /// Keeps what the provider wants sent back with the message at hand; nil forgets it.
    func keep(_ replay: Message.Replay?) {
        state.withLock { $0.replay = replay }
    }

    /// The assistant's message as far as it goes, or the one before if that could not be stored; nil when nothing has been said.
    func answer() -> Message? {
        state.withLock { $0.answer ?? ($0.isStepStored ? nil : $0.step) }
    }

    /// Notes that the message that was ended last is stored.
    func didStore(_ step: Message) {
        state.withLock { state in
            state.step = step
            state.isStepStored = true
        }
    }

    /// The assistant's last message that ended with tool calls and is stored.
    var storedStep: Message? { state.withLock { $0.isStepStored ? $0.step : nil } }

    /// Ends the assistant's message with tool calls; the next delta begins another.
    ///
    /// - Parameter message: the message, empty; used when there was no text before the calls.
    /// - Returns: the message, complete, and the number of the last event.
    func endStep(with calls: [ToolCall], startingWith message: () -> Message) -> (message: Message, lastSequence: Int) {
        state.withLock { state in
            var ended = state.answer ?? message()
            ended.content += calls.map { .toolCall($0) }
            ended.replay = state.replay
            ended.status = .complete
            state.step = ended
            state.isStepStored = false
            state.message = nil
            state.replay = nil
            state.grown = false
            return (ended, state.log.sequence)
        }
    }

    /// What has been said, if there is more than at the last call.
    func takeCheckpoint() -> TurnCheckpoint? {
        state.withLock { state in
            guard state.grown, state.result == nil, let message = state.answer else { return nil }
            state.grown = false
            return TurnCheckpoint(turnID: id, message: message, lastSequence: state.log.sequence)
        }
    }

    /// Says how the turn ended, to all who wait, one after the other.
    func finish(_ result: TurnResult) async {
        let waiting = state.withLock { state in
            state.result = Shared(result)
            defer { state.waiting = [:] }
            return state.waiting.sorted { $0.key < $1.key }.map(\.value)
        }
        for continuation in waiting {
            ambient.beginActivity()
            continuation.resume(returning: result)
            await ambient.rest()
        }
    }

    /// Announces a wait for the end, so that it can be ended before it begins.
    ///
    /// - Returns: its number.
    func announceWait() -> Int {
        state.withLock { state in
            state.nextWaiting += 1
            state.announced.insert(state.nextWaiting)
            return state.nextWaiting
        }
    }

    /// Ends a wait for the end, which is over then without a result; does nothing to one that is over.
    func endWait(_ id: Int) {
        let continuation = state.withLock { state in
            state.announced.remove(id)
            return state.waiting.removeValue(forKey: id)
        }
        guard let continuation else { return }
        ambient.beginActivity()
        continuation.resume(returning: nil)
    }

    /// Waits for the end.
    ///
    /// - Parameters:
    ///   - wait: the number of a wait that was announced, and has not begun; nil for one that only the task can end.
    ///   - cause: ends the turn early, once this waits for it, so that those who wait are told in the same order every time.
    /// - Returns: nil when the wait is ended or the task cancelled before.
    func result(wait: Int? = nil, endingBy cause: Cause? = nil) async -> TurnResult? {
        let id = wait ?? announceWait()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    guard state.announced.remove(id) != nil, state.result == nil, !Task.isCancelled else { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if let cause { end(cause) }
                if isOver { continuation.resume(returning: state.withLock { $0.result?.value }) } else { ambient.endActivity() }
            }
        } onCancel: {
            endWait(id)
        }
    }
}

// MARK: - Who follows it

extension RunningTurn {
    /// The event that follows a number; see `TurnLog` for what is joined.
    func event(after sequence: Int, joining maximumBytes: Int) -> TurnEvent? {
        guard let (body, first, last) = state.withLock({ $0.log.event(after: sequence, joining: maximumBytes) }) else { return nil }
        return TurnEvent(conversationID: conversationID, turnID: id, firstSequence: first, sequence: last, body: body)
    }

    /// The place after a number. The terminal event comes after every place, also after its own number.
    func cursor(after sequence: Int) -> TurnCursor {
        let last = state.withLock { $0.log.isComplete ? $0.log.sequence - 1 : $0.log.sequence }
        return TurnCursor(self, after: min(sequence, last))
    }

    /// Tells somebody, from now on, when the turn has produced more.
    ///
    /// - Returns: a number by which to end that.
    func add(_ follower: any TurnFollower) -> Int {
        state.withLock { state in
            state.nextFollower += 1
            state.followers.append((state.nextFollower, follower))
            return state.nextFollower
        }
    }

    func removeFollower(_ number: Int) {
        state.withLock { $0.followers.removeAll { $0.number == number } }
    }

    /// Says to all who follow the turn that it has produced more.
    func tellFollowers() {
        for (_, follower) in state.withLock({ $0.followers }) { follower.moved() }
    }
}

extension RunningTurn: Comparable {
    static func == (left: RunningTurn, right: RunningTurn) -> Bool { left === right }

    /// Who began earlier is ended earlier.
    static func < (left: RunningTurn, right: RunningTurn) -> Bool { (left.deadline, left.id) < (right.deadline, right.id) }
}
