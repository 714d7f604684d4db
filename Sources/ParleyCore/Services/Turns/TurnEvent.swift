/// Something that happened in a turn, with its number.
package struct TurnEvent: Sendable {
    /// What happened. All but deltas are kept apart: an event is as small as the deltas, of which there are thousands of times as many.
    package enum Body: Sendable {
        /// The turn was accepted and waits: always first, if it does.
        indirect case queued(Turn, position: Int)
        /// The turn begins: always first, unless it has waited.
        indirect case started(Turn, userMessage: Message)
        /// More of the answer's text; never empty.
        case messageDelta(messageID: String, delta: String)
        /// More of what the model thinks before it goes on; never empty.
        case reasoningDelta(messageID: String, delta: String)
        /// The model gave no answer, and is asked again, or another one is.
        indirect case retryScheduled(RetryNotice)
        /// A tool is being called.
        indirect case toolCallStarted(ToolCall, source: String)
        /// Something came of it.
        indirect case toolCallCompleted(ToolResult, milliseconds: Int64)
        /// Somebody is asked whether a tool may be called.
        indirect case approvalRequested(ToolCall)
        /// Whether it may.
        indirect case approvalResolved(toolCallID: String, ApprovalOption)
        /// A limit comes near.
        indirect case quotaWarning(QuotaWarning)
        /// What is stored of the turn, which replaces all that was told before: only to those who attach to it.
        indirect case snapshot(TurnSnapshot)
        /// The end: always last, exactly once.
        indirect case completed(TurnResult)
    }

    /// The conversation that it belongs to.
    package var conversationID: String
    /// The turn that it belongs to.
    package var turnID: String
    /// The number of the first of the deltas that are joined in it; nil for what is not joined.
    package var firstSequence: Int?
    /// Counts the events of a turn from 1; of joined deltas, the number of the last.
    package var sequence: Int
    /// What happened.
    package var body: Body
}

/// That a model is asked again, or another one is.
package struct RetryNotice: Hashable, Sendable {
    /// Which attempt it will be, of those with its model: 1 with another model.
    package var attempt: Int
    /// How many attempts each model gets.
    package var maxAttempts: Int
    /// When that will be, in milliseconds from now.
    package var delayMilliseconds: Int64
    /// Why the attempt before failed.
    package var error: TurnError
    /// The other model, as `PROVIDER:MODEL`; nil when the same is asked again, or nobody is to know which one is asked.
    package var model: String?
}

/// Whoever is told of a turn's events, in order, by one task at a time.
package protocol TurnObserver: Sendable {
    /// Takes the next events; must not block.
    func observe(_ events: [TurnEvent])

    /// Whether more deltas are welcome. To ask costs less than to wait for what is so already, which is to be done for each token.
    var isReady: Bool { get }

    /// Returns when more deltas are welcome: how a slow client slows the model down. Returns at once when the task is cancelled.
    nonisolated(nonsending) func ready() async
}

extension TurnObserver {
    package var isReady: Bool { false }
}

/// Nobody.
package struct NoObserver: TurnObserver {
    /// Makes nobody.
    package init() {}

    package func observe(_ events: [TurnEvent]) {}
    package nonisolated(nonsending) func ready() async {}
}
