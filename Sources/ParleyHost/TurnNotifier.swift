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
    /// How long the notification of a delta usually is, in bytes.
    private static let usualBytes = 320
    /// For how many events there is room in advance.
    private static let roomForEvents = 200

    /// Deltas of one message and one kind that wait to be sent as one.
    private struct Joined {
        var event: TurnEvent
        var delta: Delta
    }

    private struct State {
        var joined: Joined?
        var isWaitingForOutbox = false
        var turn: CheckedContinuation<Void, Never>?
        /// How the deltas are written that come at the moment.
        var form: DeltaForm?

        /// Whether so much waits that the model must.
        var isBehind: Bool { (joined?.delta.text.utf8.count ?? 0) >= TurnNotifier.maximumJoinedBytes }
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
            var writer = JSONWriter(reservingCapacity: min(events.count, Self.roomForEvents) * Self.usualBytes)
            let joins = state.joined != nil || connection.isCongested
            for event in events {
                if let delta = event.body.delta {
                    guard sendsDeltas else { continue }
                    if joins {
                        join(delta, event, into: &state, writer: &writer)
                    } else {
                        write(delta, event, &state, to: &writer)
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

    var isReady: Bool { !state.withLock { $0.isBehind } }

    nonisolated(nonsending) func ready() async {
        guard !isReady else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if Task.isCancelled || !state.isBehind { return true }
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

    private func write(_ delta: Delta, _ event: TurnEvent, _ state: inout State, to writer: inout JSONWriter) {
        if state.form?.fits(messageID: delta.messageID, isReasoning: delta.isReasoning) != true {
            state.form = DeltaForm(of: event, messageID: delta.messageID, isReasoning: delta.isReasoning, requestID: requestID)
        }
        state.form?.write(delta.text, sequence: event.sequence, to: &writer)
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
