import JSON
import JSONRPC
import ParleyCore

extension JSONWriter {
    /// Writes an event as a notification, a line of its own.
    ///
    /// - Parameter requestID: the request on the connection that asked for it.
    mutating func notification(_ event: TurnEvent, requestID: RequestID) {
        notification(event.body.name) { writer in
            writer.object { writer in
                writer.member("conversationId", event.conversationID)
                writer.member("turnId", event.turnID)
                writer.member("requestId", requestID)
                // A frame that joins several deltas says where it begins.
                if let first = event.firstSequence, first < event.sequence { writer.member("fromSeq", first) }
                writer.member("seq", event.sequence)
                writer.members(of: event.body)
            }
        }
    }

    private mutating func members(of body: TurnEvent.Body) {
        switch body {
        case .queued(let turn, let position):
            member("turn", turn)
            member("position", position)
        case .started(let turn, let userMessage):
            member("turn", turn)
            member("userMessage", userMessage)
        case .messageDelta(let messageID, let delta), .reasoningDelta(let messageID, let delta):
            member("messageId", messageID)
            member("delta", delta)
        case .toolCallStarted(let call, let source):
            key("toolCall")
            object { writer in
                writer.members(of: call)
                writer.member("source", source)
            }
        case .toolCallCompleted(let result, let milliseconds): members(of: result, milliseconds: milliseconds)
        case .approvalRequested(let call):
            key("toolCall")
            object { $0.members(of: call) }
            approvalOptions()
        case .approvalResolved(let id, let option):
            member("toolCallId", id)
            member("option", option.rawValue)
        case .quotaWarning(let warning): members(of: warning)
        case .retryScheduled(let notice): members(of: notice)
        case .snapshot(let snapshot):
            member("turn", snapshot.turn)
            // With what the model thought, because the deltas that they stand for would have told it.
            member("messages", snapshot.messages.map(MessageWithReasoning.init))
        case .completed(let result): members(of: result)
        }
    }

    /// Writes the members of `retryScheduled`.
    private mutating func members(of notice: RetryNotice) {
        member("attempt", notice.attempt)
        member("maxAttempts", notice.maxAttempts)
        member("delayMs", Int(notice.delayMilliseconds))
        member("error", notice.error.wireError)
        member("model", notice.model)
    }
}

extension TurnEvent.Body {
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
        case .snapshot: "turnSnapshot"
        case .completed: "turnCompleted"
        }
    }
}
