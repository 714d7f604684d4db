import GRDB
import ParleyCore

/// How conversations go in which nothing happens any more.
extension StoreTransaction {
    private static let day: Int64 = 86_400_000
    /// How many times faster than a clock that never steps the time goes on by which ages are reckoned.
    private static let haste: Int64 = 25
    /// How many people are looked at in one transaction, and how many conversations deleted.
    private static let people = 500
    private static let conversations = 20

    /// A conversation that is not used any more.
    struct Unused {
        var key: Int64
        var owner: Int64
        /// It is unused if nothing has happened since.
        var limit: Timestamp
    }

    /// Whether a conversation `c` is not used any more. Parameter 2 is the moment since when nothing must have happened, 3 whether those that are
    /// pinned are kept.
    private static let isUnused = """
        c.updated_at < ?2 AND (c.pinned = 0 OR NOT ?3)
        AND NOT EXISTS (SELECT 1 FROM turns t WHERE t.conversation = c.key AND t.status = 'inProgress')
        AND NOT EXISTS (SELECT 1 FROM queued_turns q WHERE q.conversation = c.key)
        """

    /// Moves the time by which ages are reckoned, and tells it: the wall clock, but never much faster than time passes.
    ///
    /// It catches up with a clock that was right all along, after a month in which no host ran in a bit more than a day; and one that has gone
    /// wrong has a day to be put right before it makes everything a month older.
    func advanceRetentionTime(to wall: Timestamp) throws -> Timestamp {
        let (monotonic, boot) = (surroundings.clock.monotonic(), surroundings.clock.boot)
        func mark(_ name: String) throws -> Int64? { try db.first("SELECT value FROM marks WHERE name = ?", name) { $0[0] } }
        var time = wall.milliseconds
        if let last = try mark("retentionTime") {
            let lastBoot = try mark("retentionBoot")
            let isSameBoot = boot != 0 && boot == lastBoot
            // A clock that never steps counts from the start of the machine.
            let passed = isSameBoot ? monotonic - (try mark("retentionMonotonic") ?? monotonic) : monotonic
            let (hasty, overflow) = max(0, passed).multipliedReportingOverflow(by: Self.haste)
            if !overflow { time = min(time, last + hasty + (isSameBoot ? 0 : Self.day)) }
        }
        for (name, value) in [("retentionTime", time), ("retentionMonotonic", monotonic), ("retentionBoot", boot)] {
            try db.run("INSERT INTO marks (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
        }
        return Timestamp(milliseconds: time)
    }

    /// Finds some conversations that are not used any more.
    ///
    /// - Returns: them, and where the walk goes on once they are gone; nil when nobody is left.
    func unusedConversations(_ policy: RetentionPolicy, from place: RetentionPlace) throws -> (found: [Unused], next: RetentionPlace?) {
        let people: [(key: Int64, kind: String)] = try db.all(
            "SELECT key, kind FROM people WHERE key > ? ORDER BY key LIMIT ?", place.person, Self.people
        ) { ($0[0], $0[1]) }
        var found: [Unused] = []
        for person in people {
            let days: Int? =
                switch PersonKind(rawValue: person.kind) {
                case .user: policy.userDays
                case .anonymous: policy.anonymousDays
                case .operator, nil: nil
                }
            guard let days else { continue }
            let limit = place.time.advanced(byMilliseconds: -Int64(days) * Self.day)
            found += try db.all(
                "SELECT c.key FROM conversations c WHERE c.owner = ?1 AND c.archived IN (0, 1) AND \(Self.isUnused) LIMIT ?4", person.key,
                limit, policy.keepsPinned, Self.conversations - found.count
            ) { Unused(key: $0[0], owner: person.key, limit: limit) }
            // There may be more of this person's.
            if found.count == Self.conversations { return (found, RetentionPlace(time: place.time, person: person.key - 1)) }
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
        if count > 0 { try Erasure.setPending(in: db, since: now) }
        return count
    }
}
