/// A turn as it is stored, with its messages.
package struct TurnSnapshot: Hashable, Sendable {
    /// The turn.
    package var turn: Turn
    /// The message that it answers, and what was said and done since, oldest first; the last one may be partial.
    package var messages: [Message]
    /// The number of the last event that they tell of; of a turn that has ended, that of the terminal event.
    package var lastSequence: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(turn: Turn, messages: [Message], lastSequence: Int) {
        self.turn = turn
        self.messages = messages
        self.lastSequence = lastSequence
    }

    /// The turn with the assistant's last message.
    package var result: TurnResult {
        TurnResult(turn: turn, message: turn.messageID.flatMap { id in messages.last { $0.id == id } })
    }
}
