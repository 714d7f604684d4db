/// One accepted user message and all that follows from it, until its one terminal event.
package struct Turn: Hashable, Sendable {
    /// Where a turn stands.
    package enum Status: String, Sendable {
        case inProgress, completed, failed, cancelled, interrupted

        /// Whether nothing more will happen.
        package var isTerminal: Bool { self != .inProgress }
    }

    /// Why the model or the host stopped.
    package enum StopReason: String, Sendable {
        case endTurn, maxTokens, refusal, cancelled, interrupted, error
    }

    package var id: String
    package var conversationID: String
    package var status: Status
    package var stopReason: StopReason?
    package var error: TurnError?
    package var userMessageID: String
    /// The assistant's message, once there is one.
    package var messageID: String?
    package var usage: Usage?
    package var createdAt: Timestamp
    package var completedAt: Timestamp?

    package init(
        id: String, conversationID: String, status: Status, stopReason: StopReason? = nil, error: TurnError? = nil, userMessageID: String,
        messageID: String? = nil, usage: Usage? = nil, createdAt: Timestamp, completedAt: Timestamp? = nil
    ) {
        self.id = id
        self.conversationID = conversationID
        self.status = status
        self.stopReason = stopReason
        self.error = error
        self.userMessageID = userMessageID
        self.messageID = messageID
        self.usage = usage
        self.createdAt = createdAt
        self.completedAt = completedAt
    }
}

/// Why a turn failed: the part of a `Failure` that is stored and shown.
package struct TurnError: Hashable, Sendable {
    package var code: Failure.Code
    package var message: String
    /// Further members of the error's data, in order.
    package var details: [Failure.Detail]

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
    package var turn: Turn
    package var message: Message?

    package init(turn: Turn, message: Message?) {
        self.turn = turn
        self.message = message
    }
}
