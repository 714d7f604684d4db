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

/// What a command leaves behind in its conversation.
package struct CommandOutcome: Sendable {
    /// The command that now waits for an argument; nil when none does any more.
    package var pending: PendingCommand?
    /// Whether the conversation begins anew: its head is empty, and nothing is deleted.
    package var clearsHead: Bool

    /// Makes one of its fields; see them for what the parameters mean.
    package init(pending: PendingCommand? = nil, clearsHead: Bool = false) {
        self.pending = pending
        self.clearsHead = clearsHead
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
    /// What a command leaves behind; nil when it leaves all as it is, and for a turn that is none.
    package var command: CommandOutcome?
    /// Whether the result tells the conversation as well, as the turn has left it.
    package var returnsConversation: Bool
    /// What becomes of what the turn holds of the quotas.
    package var settlement: Settlement
    /// The number of the terminal event.
    package var lastSequence: Int
    /// When it ended.
    package var completedAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        turnID: String, status: Turn.Status, stopReason: Turn.StopReason, error: TurnError?, message: Message?, usage: Usage?,
        context: Omissions? = nil, command: CommandOutcome? = nil, returnsConversation: Bool = false,
        settlement: Settlement, lastSequence: Int, completedAt: Timestamp
    ) {
        self.turnID = turnID
        self.status = status
        self.stopReason = stopReason
        self.error = error
        self.message = message
        self.usage = usage
        self.context = context
        self.command = command
        self.returnsConversation = returnsConversation
        self.settlement = settlement
        self.lastSequence = lastSequence
        self.completedAt = completedAt
    }
}
