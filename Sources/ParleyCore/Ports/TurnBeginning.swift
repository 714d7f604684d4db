/// What a turn answers, and so where its messages stand in the conversation's tree.
package enum TurnBeginning: Hashable, Sendable {
    /// A new message, which follows the head.
    case message
    /// A new message in the place of one of the user's: its sibling, which follows what that one follows.
    case edit(of: String)
    /// A message that is there already: the user's message that is named, or the one that the named answer of the assistant's belongs to. The
    /// new answer becomes a sibling of the earlier ones.
    case regeneration(of: String)
}
