import JSON
import JSONRPC
import ParleyCore

extension JSONWriter {
    /// Writes an event as a notification, a line of its own.
    ///
    /// - Parameter requestID: the request on the connection that asked for it.
    mutating func notification(_ event: TurnEvent, requestID: RequestID) {
        beginNotification(event.body.name)
        beginObject()
        members(placing: event, requestID: requestID)
        // A frame that joins several deltas says where it begins.
        if let first = event.firstSequence, first < event.sequence { member("fromSeq", first) }
        member("seq", event.sequence)
        members(of: event.body)
        endObject()
        endNotification()
    }

    /// Writes the members that say where an event belongs.
    fileprivate mutating func members(placing event: TurnEvent, requestID: RequestID) {
        member("conversationId", event.conversationID)
        member("turnId", event.turnID)
        member("requestId", requestID)
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

/// The notifications of a message's deltas, of which only the number and the text differ: all else is written once and then copied.
struct DeltaForm {
    private let messageID: String
    private let isReasoning: Bool
    private let untilNumber: [UInt8]
    private let untilText: [UInt8]
    private let untilEnd: [UInt8]

    /// Prepares the form.
    ///
    /// - Parameters:
    ///   - delta: one of the deltas.
    ///   - requestID: the request on the connection that asked for them.
    init(of delta: TurnEvent, messageID: String, isReasoning: Bool, requestID: RequestID) {
        self.messageID = messageID
        self.isReasoning = isReasoning
        var writer = JSONWriter(reservingCapacity: 512)
        writer.beginNotification(delta.body.name)
        writer.beginObject()
        writer.members(placing: delta, requestID: requestID)
        writer.key("seq")
        untilNumber = writer.bytes
        writer.integer(0)
        let number = writer.bytes.count
        writer.member("messageId", messageID)
        writer.key("delta")
        untilText = Array(writer.bytes[number...])
        writer.string("")
        let text = writer.bytes.count
        writer.endObject()
        writer.endNotification()
        untilEnd = Array(writer.bytes[text...])
    }

    /// Whether it is that of a message's deltas of one kind.
    func fits(messageID: String, isReasoning: Bool) -> Bool {
        self.isReasoning == isReasoning && self.messageID == messageID
    }

    /// Writes a delta that is not joined, as `notification` would.
    func write(_ text: String, sequence: Int, to writer: inout JSONWriter) {
        writer.verbatim(untilNumber)
        writer.integer(sequence)
        writer.verbatim(untilText)
        writer.string(text)
        writer.verbatim(untilEnd)
    }
}
