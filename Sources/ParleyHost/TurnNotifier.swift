import JSON
import JSONRPC
import ParleyCore

/// Sends a turn's events to whoever began it, as they come.
///
/// While the client reads too slowly, adjacent deltas are joined here instead of sent, so that the outbox holds whole frames only and stays
/// small; when they grow large, `ready` keeps the turn from asking the model for more. Those who attach to the turn hold up nobody: see
/// `TurnAttachment`.
final class TurnNotifier: TurnObserver {
    /// How many bytes of joined deltas may wait before the model is slowed down.
    private static let maximumJoinedBytes = 64 * 1024

    /// Deltas of one message and one kind that wait to be sent as one.
    private struct Joined {
        var event: TurnEvent
        var delta: Delta
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
                        writer.notification(event, requestID: requestID)
                    }
                } else {
                    flush(&state, to: &writer)
                    writer.notification(event, requestID: requestID)
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
            state.joined = Joined(event: event, delta: delta)
            state.joined?.event.firstSequence = event.sequence
        }
    }

    private func flush(_ state: inout State, to writer: inout JSONWriter) {
        guard let joined = state.joined else { return }
        state.joined = nil
        var event = joined.event
        event.body = joined.delta.body
        writer.notification(event, requestID: requestID)
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

extension TurnEvent.Body {
    fileprivate var delta: Delta? {
        switch self {
        case .messageDelta(let id, let text): Delta(messageID: id, text: text, isReasoning: false)
        case .reasoningDelta(let id, let text): Delta(messageID: id, text: text, isReasoning: true)
        default: nil
        }
    }
}
