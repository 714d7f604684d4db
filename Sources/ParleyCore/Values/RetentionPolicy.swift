/// How long conversations are kept that are not used any more.
package struct RetentionPolicy: Hashable, Sendable {
    /// `retention.user.days`: nil for ever.
    package var userDays: Int?
    /// `retention.anonymous.days`: nil for ever.
    package var anonymousDays: Int?
    /// `retention.keepPinned`: whether those that are pinned are kept for ever.
    package var keepsPinned: Bool

    /// Makes one of its fields; see them for what the parameters mean.
    package init(userDays: Int? = nil, anonymousDays: Int? = nil, keepsPinned: Bool = true) {
        self.userDays = userDays
        self.anonymousDays = anonymousDays
        self.keepsPinned = keepsPinned
    }

    /// Whether anything is ever deleted.
    package var isLimited: Bool { userDays != nil || anonymousDays != nil }
}

/// How far a walk through all people's conversations has come.
package struct RetentionPlace: Hashable, Sendable {
    /// The time by which ages are reckoned; see `Store.deleteUnusedConversations`.
    package var time: Timestamp
    /// The number of the last person who is done with, in the store's own count.
    package var person: Int64

    /// Makes one of its fields; see them for what the parameters mean.
    package init(time: Timestamp, person: Int64) {
        self.time = time
        self.person = person
    }
}
