import JSON
import JSONRPC
import ParleyCore

/// Sends a turn's events to the connection that asked for it.
///
/// While the client reads too slowly, adjacent deltas are joined here instead of sent, so that the outbox holds whole frames only and stays
/// small; when they grow large, `ready` keeps the turn from asking the model for more.
final class TurnNotifier: TurnObserver {
    /// How many bytes of joined deltas may wait before the model is slowed down.
    private static let maximumJoinedBytes = 64 * 1024

    /// Deltas of one message and one kind that wait to be sent as one.
    private struct Joined {
        var event: TurnEvent
        var delta: Delta
        var firstSequence: Int
    }

    private struct State {
        var joined: Joined?
        var isWaitingForOutbox = false
        var turn: CheckedContinuation<Void, Never>?
    }

    private let connection: Connection
    private let requestID: RequestID
    private let sendsDeltas: Bool
    // Frames are sent while the lock is held, because the outbox's thread flushes what was joined and must not overtake the turn.
    private let state = Locked(State())

    init(connection: Connection, requestID: RequestID, sendsDeltas: Bool) {
        self.connection = connection
        self.requestID = requestID
        self.sendsDeltas = sendsDeltas
    }

    func observe(_ events: [TurnEvent]) {
        let mustWait = state.withLock { state in
            var writer = JSONWriter()
            let joins = state.joined != nil || connection.isCongested
            for event in events {
                if let delta = event.body.delta {
                    guard sendsDeltas else { continue }
                    if joins {
                        join(delta, event, into: &state, writer: &writer)
                    } else {
                        write(event, to: &writer)
                    }
                } else {
                    flush(&state, to: &writer)
                    write(event, to: &writer)
                }
            }
            if !writer.bytes.isEmpty { connection.send(writer.bytes) }
            guard state.joined != nil, !state.isWaitingForOutbox else { return false }
            state.isWaitingForOutbox = true
            return true
        }
        if mustWait { connection.onceWritable { [self] in outboxDrained() } }
    }

    func ready() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if Task.isCancelled || (state.joined?.delta.text.utf8.count ?? 0) < Self.maximumJoinedBytes { return true }
                    state.turn = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            resumeTurn()
        }
    }

    private func outboxDrained() {
        state.withLock { state in
            state.isWaitingForOutbox = false
            var writer = JSONWriter()
            flush(&state, to: &writer)
            if !writer.bytes.isEmpty { connection.send(writer.bytes) }
        }
        resumeTurn()
    }

    private func resumeTurn() {
        let turn = state.withLock { state in
            defer { state.turn = nil }
            return state.turn
        }
        turn?.resume()
    }

    private func join(_ delta: Delta, _ event: TurnEvent, into state: inout State, writer: inout JSONWriter) {
        if let joined = state.joined?.delta, joined.messageID == delta.messageID, joined.isReasoning == delta.isReasoning {
            state.joined?.delta.text += delta.text
            state.joined?.event.sequence = event.sequence
        } else {
            flush(&state, to: &writer)
            state.joined = Joined(event: event, delta: delta, firstSequence: event.sequence)
        }
    }

    private func flush(_ state: inout State, to writer: inout JSONWriter) {
        guard let joined = state.joined else { return }
        state.joined = nil
        var event = joined.event
        event.body = joined.delta.body
        write(event, firstSequence: joined.firstSequence, to: &writer)
    }

    private func write(_ event: TurnEvent, firstSequence: Int? = nil, to writer: inout JSONWriter) {
        writer.notification(event.body.name) { writer in
            writer.object { writer in
                writer.member("conversationId", event.conversationID)
                writer.member("turnId", event.turnID)
                writer.member("requestId", requestID)
                // A frame that joins several deltas says where it begins.
                if let firstSequence, firstSequence < event.sequence { writer.member("fromSeq", firstSequence) }
                writer.member("seq", event.sequence)
                switch event.body {
                case .queued(let turn, let position):
                    writer.member("turn", turn)
                    writer.member("position", position)
                case .started(let turn, let userMessage):
                    writer.member("turn", turn)
                    writer.member("userMessage", userMessage)
                case .messageDelta(let messageID, let delta), .reasoningDelta(let messageID, let delta):
                    writer.member("messageId", messageID)
                    writer.member("delta", delta)
                case .toolCallStarted(let call, let source):
                    writer.key("toolCall")
                    writer.object { writer in
                        writer.members(of: call)
                        writer.member("source", source)
                    }
                case .toolCallCompleted(let result, let milliseconds): writer.members(of: result, milliseconds: milliseconds)
                case .approvalRequested(let call):
                    writer.key("toolCall")
                    writer.object { $0.members(of: call) }
                case .approvalResolved(let id, let option):
                    writer.member("toolCallId", id)
                    writer.member("option", option.rawValue)
                case .quotaWarning(let warning): writer.members(of: warning)
                case .retryScheduled(let notice): writer.members(of: notice)
                case .completed(let result):
                    writer.members(of: result)
                }
            }
        }
    }
}

/// More of a message: of its text, or of what the model thinks.
private struct Delta {
    var messageID: String
    var text: String
    var isReasoning: Bool

    var body: TurnEvent.Body {
        isReasoning ? .reasoningDelta(messageID: messageID, delta: text) : .messageDelta(messageID: messageID, delta: text)
    }
}

extension JSONWriter {
    /// Writes the members of `retryScheduled`.
    fileprivate mutating func members(of notice: RetryNotice) {
        member("attempt", notice.attempt)
        member("maxAttempts", notice.maxAttempts)
        member("delayMs", Int(notice.delayMilliseconds))
        member("error", notice.error.wireError)
        member("model", notice.model)
    }
}

extension TurnEvent.Body {
    fileprivate var delta: Delta? {
        switch self {
        case .messageDelta(let id, let text): Delta(messageID: id, text: text, isReasoning: false)
        case .reasoningDelta(let id, let text): Delta(messageID: id, text: text, isReasoning: true)
        default: nil
        }
    }

    /// The notification's name.
    fileprivate var name: StaticString {
        switch self {
        case .queued: "turnQueued"
        case .started: "turnStarted"
        case .messageDelta: "messageDelta"
        case .reasoningDelta: "reasoningDelta"
        case .retryScheduled: "retryScheduled"
        case .toolCallStarted: "toolCallStarted"
        case .toolCallCompleted: "toolCallCompleted"
        case .approvalRequested: "approvalRequested"
        case .approvalResolved: "approvalResolved"
        case .quotaWarning: "quotaWarning"
        case .completed: "turnCompleted"
        }
    }
}
