import GRDB
import ParleyCore

/// How conversations go that are not used any more.
extension StoreTransaction {
    private static let day: Int64 = 86_400_000
    /// How many people are looked at in one transaction.
    private static let people = 500
    /// How many conversations are deleted in one, and with how many messages, unless a single one has more.
    private static let conversations = 20
    private static let messages = 2_000

    /// A conversation that is not used any more.
    struct Unused {
        var key: Int64
        var owner: Int64
        var messages: Int
        /// It is unused if it was not used since, by the clock of retention.
        var limit: Timestamp
    }

    /// Whether a conversation `c` is not used any more. Parameter 2 is the time since when it must not have been used, 3 whether those that are
    /// pinned are kept.
    private static let isUnused = """
        c.used_at < ?2 AND (c.pinned = 0 OR NOT ?3)
        AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.conversation = c.key AND t.status = 'inProgress')
        AND NOT EXISTS (SELECT 1 FROM queued_turns q WHERE q.conversation = c.key)
        """

    /// Finds some conversations that are not used any more.
    ///
    /// - Returns: them, and where the walk goes on once they are gone; nil when nobody is left.
    func unusedConversations(_ policy: RetentionPolicy, from place: RetentionPlace) throws -> (found: [Unused], next: RetentionPlace?) {
        let people: [(key: Int64, kind: String)] = try db.all(
            "SELECT key, kind FROM people WHERE key > ? ORDER BY key LIMIT ?", place.person, Self.people
        ) { ($0[0], $0[1]) }
        var found: [Unused] = []
        var messages = 0
        for person in people {
            let days: Int? =
                switch PersonKind(rawValue: person.kind) {
                case .user: policy.userDays
                case .anonymous: policy.anonymousDays
                case .operator, nil: nil
                }
            guard let days else { continue }
            let limit = place.time.advanced(byMilliseconds: -Int64(days) * Self.day)
            var isMore = false
            try db.forEach(
                "SELECT c.key, c.message_count FROM conversations c WHERE c.owner = ?1 AND \(Self.isUnused)", person.key, limit,
                policy.keepsPinned
            ) { row in
                let next = Unused(key: row[0], owner: person.key, messages: row[1], limit: limit)
                isMore = found.count == Self.conversations || !found.isEmpty && messages + next.messages > Self.messages
                guard !isMore else { return false }
                found.append(next)
                messages += next.messages
                return true
            }
            if isMore { return (found, RetentionPlace(time: place.time, person: person.key - 1)) }
        }
        return (found, people.count < Self.people ? nil : RetentionPlace(time: place.time, person: people[people.count - 1].key))
    }

    /// Deletes conversations that are still not used, with all that belongs to them.
    ///
    /// - Returns: how many there were.
    func delete(_ unused: [Unused], keepsPinned: Bool, at now: Timestamp) throws -> Int {
        let count = try unused.reduce(0) { count, conversation in
            count
                + (try db.run(
                    "DELETE FROM conversations AS c WHERE c.key = ?1 AND c.owner = ?4 AND \(Self.isUnused)", conversation.key,
                    conversation.limit, keepsPinned, conversation.owner))
        }
        if count > 0 { try Erasure.setDeferred(in: db, since: now) }
        return count
    }
}
