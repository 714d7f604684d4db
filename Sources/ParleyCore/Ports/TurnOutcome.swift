/// What a running turn has said so far.
package struct TurnCheckpoint: Sendable {
    /// The turn that it belongs to.
    package var turnID: String
    /// The assistant's message with all its text up to here, `partial`.
    package var message: Message
    /// The last event number given out.
    package var lastSequence: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(turnID: String, message: Message, lastSequence: Int) {
        self.turnID = turnID
        self.message = message
        self.lastSequence = lastSequence
    }
}

/// How a turn ended.
package struct TurnOutcome: Sendable {
    /// The turn that it belongs to.
    package var turnID: String
    /// Where it stands.
    package var status: Turn.Status
    /// Why the model or the host stopped; nil while it runs.
    package var stopReason: Turn.StopReason
    /// Why it failed; nil unless it did.
    package var error: TurnError?
    /// The assistant's message; nil when nothing was said.
    package var message: Message?
    /// What the answer cost, in tokens.
    package var usage: Usage?
    /// What of the conversation the model was not sent; nil when it was sent everything.
    package var context: Omissions?
    /// What becomes of what the turn holds of the quotas.
    package var settlement: Settlement
    /// The number of the terminal event.
    package var lastSequence: Int
    /// When it ended.
    package var completedAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        turnID: String, status: Turn.Status, stopReason: Turn.StopReason, error: TurnError?, message: Message?, usage: Usage?,
        context: Omissions? = nil, settlement: Settlement, lastSequence: Int, completedAt: Timestamp
    ) {
        self.turnID = turnID
        self.status = status
        self.stopReason = stopReason
        self.error = error
        self.message = message
        self.usage = usage
        self.context = context
        self.settlement = settlement
        self.lastSequence = lastSequence
        self.completedAt = completedAt
    }
}
