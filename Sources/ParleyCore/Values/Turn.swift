/// One accepted user message and all that follows from it, until its one terminal event.
package struct Turn: Hashable, Sendable {
    /// Where a turn stands.
    package enum Status: String, Sendable {
        /// Accepted, and yet to begin.
        case queued
        case inProgress, completed, failed, cancelled, interrupted

        /// Whether nothing more will happen.
        package var isTerminal: Bool { self != .inProgress && self != .queued }
    }

    /// Why the model or the host stopped.
    package enum StopReason: String, Sendable {
        case endTurn, maxTokens, maxSteps, refusal, cancelled, interrupted, error
    }

    /// The id that clients know; opaque.
    package var id: String
    /// The conversation that it belongs to.
    package var conversationID: String
    /// Whether its message is a command, which the host answers without a model.
    package var isLocal: Bool
    /// Where it stands.
    package var status: Status
    /// Why the model or the host stopped; nil until it has ended.
    package var stopReason: StopReason?
    /// Why it failed; nil unless it did.
    package var error: TurnError?
    /// The message that it answers: the one that began it, unless that was there before.
    package var userMessageID: String
    /// The assistant's message, once there is one.
    package var messageID: String?
    /// What the answer cost, in tokens.
    package var usage: Usage?
    /// What of the conversation the model was not sent; nil when it was sent everything.
    package var context: Omissions?
    /// What it has cost its person; nil until it has ended.
    package var quota: QuotaReceipt?
    /// When it was made.
    package var createdAt: Timestamp
    /// When it ended.
    package var completedAt: Timestamp?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        id: String, conversationID: String, isLocal: Bool = false, status: Status, stopReason: StopReason? = nil, error: TurnError? = nil,
        userMessageID: String, messageID: String? = nil, usage: Usage? = nil, context: Omissions? = nil, quota: QuotaReceipt? = nil,
        createdAt: Timestamp, completedAt: Timestamp? = nil
    ) {
        self.id = id
        self.conversationID = conversationID
        self.isLocal = isLocal
        self.status = status
        self.stopReason = stopReason
        self.error = error
        self.userMessageID = userMessageID
        self.messageID = messageID
        self.usage = usage
        self.context = context
        self.quota = quota
        self.createdAt = createdAt
        self.completedAt = completedAt
    }
}

/// What of a conversation a model was not sent, because it did not fit.
package struct Omissions: Hashable, Sendable {
    /// How many of the oldest messages were left out.
    package var messagesLeftOut: Int
    /// How many outputs of tools, in messages that were not left out, gave way to a note.
    package var toolOutputsCleared: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(messagesLeftOut: Int = 0, toolOutputsCleared: Int = 0) {
        self.messagesLeftOut = messagesLeftOut
        self.toolOutputsCleared = toolOutputsCleared
    }

    /// Whether everything was sent.
    package var isEmpty: Bool { messagesLeftOut == 0 && toolOutputsCleared == 0 }
}

/// Why a turn failed: the part of a `Failure` that is stored and shown.
package struct TurnError: Hashable, Sendable {
    /// What clients match.
    package var code: Failure.Code
    /// One sentence for a developer.
    package var message: String
    /// Further members of the error's data, in order.
    package var details: [Failure.Detail]

    /// Makes one of its fields; see them for what the parameters mean.
    package init(code: Failure.Code, message: String, details: [Failure.Detail] = []) {
        self.code = code
        self.message = message
        self.details = details
    }

    /// What clients may know of a failure.
    package init(_ failure: Failure) {
        self.init(code: failure.code, message: failure.message, details: failure.details)
    }
}

/// A turn with the assistant's message, as replies and terminal events show it.
package struct TurnResult: Hashable, Sendable {
    /// The turn.
    package var turn: Turn
    /// The assistant's message; nil when there is none.
    package var message: Message?
    /// The conversation as the turn has left it; nil unless `TurnOutcome` asks for it.
    package var conversation: Conversation?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(turn: Turn, message: Message?, conversation: Conversation? = nil) {
        self.turn = turn
        self.message = message
        self.conversation = conversation
    }
}
