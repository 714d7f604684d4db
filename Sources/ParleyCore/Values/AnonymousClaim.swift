/// What a user gets of an anonymous person.
package struct AnonymousClaim: Hashable, Sendable {
    /// Whether it is the user's now; otherwise it was only counted.
    package var isConfirmed: Bool
    /// How many conversations.
    package var conversations: Int
    /// How many bots.
    package var bots: Int

    /// Makes one of its fields; see them for what the parameters mean.
    package init(isConfirmed: Bool, conversations: Int, bots: Int) {
        self.isConfirmed = isConfirmed
        self.conversations = conversations
        self.bots = bots
    }
}
