/// Some of what is missing in the index of searches, read at one moment and to be put in at a later one.
struct SearchBatch: Sendable {
    /// One text.
    struct Entry: Sendable {
        /// The message's key, or ``SearchIndex/title``.
        var message: Int64
        var text: String
        /// The text as it stands in the index; see ``SearchTerms``.
        var words = ""
    }

    /// What is missing of one conversation.
    struct Conversation: Sendable {
        var key: Int64
        /// Numbers of what has gone are given again, ids are not.
        var id: String
        var owner: Int64
        /// In the order in which they were stored.
        var entries: [Entry] = []
        /// Whether it was all that was missing.
        var isWhole = true
    }

    var conversations: [Conversation] = []
    /// What it costs, in bytes.
    var bytes = 0
    /// Where to go on.
    var next = SearchIndex.Place()
    /// Whether there may be more from there.
    var isMore = false

    /// The batch with the words of its texts, which take the most time of all.
    func folded() -> SearchBatch {
        var batch = self
        for (number, conversation) in conversations.enumerated() {
            let terms = SearchTerms(owner: conversation.owner)
            for (place, entry) in conversation.entries.enumerated() {
                batch.conversations[number].entries[place].words = terms.text(of: entry.text)
            }
        }
        return batch
    }
}
