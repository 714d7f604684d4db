import JSON
import ParleyCore

/// An answer that is put together from the events of a streamed message.
struct MessagesAnswer: ServerAnswer {
    private(set) var ending: AnswerEnding?
    var pieces = PieceReader<MessagesEvent>()
    private let failures: FailureTranslation
    private var events: [ModelEvent] = []
    private var blocks = ContentBlocks()
    /// Why the model stopped. The end is told later, when the stream has said that it is one.
    private var stopReason: Turn.StopReason?
    private var counts = MessagesEvent.Counts()
    private var usage: Usage?
    private var hasBegun = false

    /// Begins an answer.
    ///
    /// - Parameter failures: says what goes wrong.
    init(failures: FailureTranslation) {
        self.failures = failures
    }

    var hasStopped: Bool { stopReason != nil }

    mutating func takeEvents() -> [ModelEvent] {
        defer { events = [] }
        return events
    }

    // MARK: What comes in

    mutating func take(_ message: MessagesEvent, event: String) {
        take(message, type: message.type.isEmpty ? event : message.type)
    }

    mutating func take(document message: MessagesEvent) -> Bool {
        guard message.type == "message" || !message.content.isEmpty else { return false }
        take(message, type: "message")
        return true
    }

    mutating func end(isComplete: Bool) {
        guard ending == nil else { return }
        guard hasBegun else { return fail { $0.empty() } }
        guard let reason = stopReason ?? (isComplete ? .endTurn : nil) else { return fail { $0.cut() } }
        // After a refusal nothing is done, and nothing of it is to be said again.
        if reason != .refusal {
            let (calls, replay) = blocks.result(isCut: reason == .maxTokens)
            events += calls.map { .toolCall($0) }
            if let replay { events.append(.replay(replay)) }
        }
        events.append(.finished(reason))
        ending = .finished
    }

    mutating func fail(_ failure: (FailureTranslation) -> Failure) {
        if ending == nil { ending = .failed(failure(failures)) }
    }

    // MARK: Events

    private mutating func take(_ message: MessagesEvent, type: String) {
        switch type {
        case "message_start":
            hasBegun = true
            take(message.counts)
        case "content_block_start":
            hasBegun = true
            if let block = message.block { events += blocks.begin(message.index, block) }
        case "content_block_delta":
            hasBegun = true
            if let delta = message.delta { events += blocks.add(message.index, delta) }
        case "content_block_stop":
            events += blocks.end(message.index)
        case "message_delta":
            hasBegun = true
            finish(message.stopReason)
            take(message.counts)
        case "message_stop":
            end(isComplete: true)
        case "message":
            hasBegun = true
            // Where it follows a stream it only repeats that.
            if blocks.isEmpty {
                for (index, block) in message.content.enumerated() { events += blocks.begin(index, block) }
            }
            finish(message.stopReason)
            take(message.counts)
        // A ping, and whatever is invented yet.
        default: break
        }
    }

    private mutating func take(_ newer: MessagesEvent.Counts) {
        counts.take(newer)
        guard let latest = counts.usage, latest != usage else { return }
        usage = latest
        events.append(.usage(latest))
    }

    private mutating func finish(_ reason: String) {
        switch reason {
        case "": break
        case "max_tokens": stopReason = .maxTokens
        // What the model has said until its window was full is as good as an answer at its bound, and no request too many.
        case "model_context_window_exceeded": stopReason = .maxTokens
        case "refusal": stopReason = .refusal
        // "end_turn", "stop_sequence", "tool_use", and names that nobody knows yet. "pause_turn" ends a long run of the server's own tools,
        // to be gone on with by another request; none of them is ever offered, so that it is an end like any other.
        default: stopReason = .endTurn
        }
    }
}
