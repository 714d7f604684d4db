/// Something that happened in a turn, with its number.
package struct TurnEvent: Sendable {
    /// What happened.
    package enum Body: Sendable {
        /// The turn was accepted: always first.
        case started(Turn, userMessage: Message)
        /// More of the answer's text; never empty.
        case messageDelta(messageID: String, delta: String)
        /// A tool is being called.
        case toolCallStarted(ToolCall, source: String)
        /// Something came of it.
        case toolCallCompleted(ToolResult, milliseconds: Int64)
        /// Somebody is asked whether a tool may be called.
        case approvalRequested(ToolCall)
        /// Whether it may.
        case approvalResolved(toolCallID: String, ApprovalOption)
        /// A limit comes near.
        case quotaWarning(QuotaWarning)
        /// The end: always last, exactly once.
        case completed(TurnResult)
    }

    /// The conversation that it belongs to.
    package var conversationID: String
    /// The turn that it belongs to.
    package var turnID: String
    /// Counts the events of a turn from 1.
    package var sequence: Int
    /// What happened.
    package var body: Body
}

/// Whoever is told of a turn's events, in order, by one task at a time.
package protocol TurnObserver: Sendable {
    /// Takes the next events; must not block.
    func observe(_ events: [TurnEvent])

    /// Returns when more deltas are welcome: how a slow client slows the model down. Returns at once when the task is cancelled.
    func ready() async
}
