/// An accepted turn that waits.
package struct QueuedTurn: Sendable {
    /// How many events a turn may have had before it begins: that it waits, and that a limit comes near.
    package static let eventsBefore = 2

    /// The turn.
    package var turn: Turn
    /// The conversation as the admission left it.
    package var conversation: Conversation
    /// Its place among those that wait in the conversation, from 1.
    package var position: Int
    /// The running turn that was asked to end for it; nil for none.
    package var interrupted: String?
    /// Says that a limit comes near.
    package var warning: QuotaWarning?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(turn: Turn, conversation: Conversation, position: Int, interrupted: String? = nil, warning: QuotaWarning? = nil) {
        self.turn = turn
        self.conversation = conversation
        self.position = position
        self.interrupted = interrupted
        self.warning = warning
    }
}

/// What has become of a turn that waited.
package enum QueueStep: Sendable {
    /// It is this host's to run.
    indirect case begun(BegunTurn)
    /// Somebody has cancelled it.
    indirect case ended(TurnResult)
    /// It is gone, with its conversation.
    case deleted
}

/// A turn that has waited, with all that is needed to run it.
package struct BegunTurn: Sendable {
    /// The turn and what it works with, as if it had been accepted just now.
    package var admitted: AdmittedTurn
    /// Whom it acts for: the owner of the conversation.
    package var caller: Caller
    /// Whether it is to end at once, because a turn that interrupts waits behind it.
    package var isInterrupted: Bool

    /// Makes one of its fields; see them for what the parameters mean.
    package init(admitted: AdmittedTurn, caller: Caller, isInterrupted: Bool = false) {
        self.admitted = admitted
        self.caller = caller
        self.isInterrupted = isInterrupted
    }
}
