import GRDB
import JSON
import ParleyCore

/// What must hold in a database, and a sentence for each place where it does not.
enum DatabaseCheck {
    /// How many problems of one kind are told one by one.
    private static let maximumOfAKind = 20

    /// Looks for all problems, in one transaction.
    static func problems(in db: Database) throws -> [String] {
        try db.run("BEGIN")
        let found = Result {
            // What SQLite knows by itself: the tree of pages, the indexes, and every CHECK and NOT NULL of the tables.
            let damages = try String.fetchAll(db, sql: "PRAGMA integrity_check(\(maximumOfAKind))").flatMap { $0.split(separator: "\n") }
                .filter { $0 != "ok" && !$0.hasPrefix("***") }
            if !damages.isEmpty { return damages.map { "The database is damaged: \($0)." } }
            let unreadable = try contents(in: db)
            return try references(in: db) + (invariants + ledgerInvariants).flatMap { try problems(in: db, $0) } + unreadable
                // What cannot be read cannot be compared with what searches find of it.
                + usage(in: db) + (unreadable.isEmpty ? searchIndex(in: db) : [])
        }
        try db.run("ROLLBACK")
        return try found.get()
    }

    // MARK: References

    private static func references(in db: Database) throws -> [String] {
        try limited(
            Row.fetchAll(db, sql: "PRAGMA foreign_key_check").map { row in
                "A row of table \(row["table"] as String) refers to a row of \(row["parent"] as String) that does not exist."
            })
    }

    // MARK: Invariants

    /// Something that must not be found.
    struct Invariant: Sendable {
        /// The sentence, with `%` where the id stands.
        let sentence: String
        /// Finds the ids of rows that break it.
        let query: String
    }

    private static func problems(in db: Database, _ invariant: Invariant) throws -> [String] {
        let ids: [String] = try db.all(invariant.query) { $0[0] }
        return limited(ids.map { invariant.sentence.replacing("%", with: $0) })
    }

    private static let invariants = [
        Invariant(
            sentence: "The head of conversation % is not one of its messages.",
            query: """
                SELECT c.id FROM conversations c LEFT JOIN messages m ON m.key = c.head
                WHERE c.head IS NOT NULL AND m.conversation IS NOT c.key
                """),
        Invariant(
            // Only a command empties a head.
            sentence: "Conversation % has messages and no head.",
            query: """
                SELECT id FROM conversations c WHERE head IS NULL AND EXISTS (SELECT 1 FROM messages WHERE conversation = c.key)
                AND NOT EXISTS (SELECT 1 FROM turns WHERE conversation = c.key AND local)
                """),
        Invariant(
            sentence: "Conversation % counts its messages wrongly.",
            query: "SELECT id FROM conversations c WHERE message_count <> (SELECT count(*) FROM messages WHERE conversation = c.key)"),
        Invariant(
            sentence: "Message % follows one that is not in its conversation.",
            query: """
                SELECT m.id FROM messages m LEFT JOIN messages p ON p.key = m.parent
                WHERE m.parent IS NOT NULL AND p.conversation IS NOT m.conversation
                """),
        Invariant(
            // Whatever hangs together without a beginning goes round in a circle.
            sentence: "Message % follows itself, perhaps through others.",
            query: """
                WITH RECURSIVE reached (key, conversation) AS (
                    SELECT m.key, m.conversation FROM messages m
                    LEFT JOIN messages p ON p.key = m.parent AND p.conversation = m.conversation
                    WHERE p.key IS NULL
                    UNION ALL
                    SELECT m.key, m.conversation FROM reached r JOIN messages m ON m.conversation = r.conversation AND m.parent = r.key
                )
                SELECT id FROM messages WHERE key NOT IN (SELECT key FROM reached)
                """),
        Invariant(
            sentence: "Message % does not know how deep it stands.",
            query: """
                SELECT m.id FROM messages m LEFT JOIN messages p ON p.key = m.parent
                WHERE m.depth <> 1 - m.local + coalesce(p.depth, 0)
                """),
        Invariant(
            sentence: "Message % is rated as no answer can be.",
            query: """
                SELECT id FROM messages
                WHERE rating IS NOT NULL AND (role <> 'assistant' OR rating NOT IN ('up', 'down')) OR rating IS NULL AND rating_note IS NOT NULL
                """),
        Invariant(
            sentence: "Message % belongs to a turn that is not in its conversation.",
            query: "SELECT m.id FROM messages m LEFT JOIN turns t ON t.id = m.turn_id WHERE t.conversation IS NOT m.conversation"),
        Invariant(
            sentence: "Turn % answers a message that is not in its conversation.",
            query: """
                SELECT t.id FROM turns t LEFT JOIN messages m ON m.id = t.user_message_id
                WHERE t.started_at IS NOT NULL AND m.conversation IS NOT t.conversation
                """),
        Invariant(
            sentence: "Turn % waits and is not in the queue, or the other way round.",
            query: """
                SELECT t.id FROM turns t LEFT JOIN queued_turns q ON q.turn = t.key
                WHERE (t.status = 'queued') <> (q.conversation IS t.conversation) OR t.status = 'queued' AND t.started_at IS NOT NULL
                """),
        Invariant(
            sentence: "The answer of turn % is not in its conversation.",
            query: """
                SELECT t.id FROM turns t LEFT JOIN messages m ON m.id = t.assistant_message_id
                WHERE t.assistant_message_id IS NOT NULL AND m.conversation IS NOT t.conversation
                """),
        Invariant(
            sentence: "Turn % runs on a host that never was.",
            query: "SELECT id FROM turns WHERE status = 'inProgress' AND host NOT IN (SELECT number FROM hosts)"),
        Invariant(
            sentence: "Conversation % has more than one running turn.",
            query: """
                SELECT c.id FROM turns t JOIN conversations c ON c.key = t.conversation WHERE t.status = 'inProgress'
                GROUP BY t.conversation HAVING count(*) > 1
                """),
        Invariant(
            sentence: "Turn % has ended without a time, or has a time without having ended.",
            query: "SELECT id FROM turns WHERE (completed_at IS NULL) <> (status IN ('queued', 'inProgress'))"),
    ]

    // MARK: Contents

    private static func contents(in db: Database) throws -> [String] {
        var problems: [String] = []
        for (table, column, verify) in jsonColumns {
            var ids: [String] = []
            let id = table == "queued_turns" ? "CAST(turn AS TEXT)" : "id"
            try db.forEach("SELECT \(id), \(column) FROM \(table) WHERE \(column) IS NOT NULL") { row in
                do {
                    try verify(row[1])
                } catch {
                    ids.append(row[0])
                }
                return true
            }
            problems += limited(ids.map { "Column \(column) of table \(table), row \($0), cannot be read." })
        }
        var misnamed: [String] = []
        try db.forEach("SELECT id, name, name_key FROM bots") { row in
            if BotRow.nameKey(row[1]) != row[2] { misnamed.append(row[0]) }
            return true
        }
        var unfindable: [String] = []
        try db.forEach("SELECT external_id, token_lookup, token_hash FROM people WHERE token_hash IS NOT NULL") { row in
            let hash = AnonymousToken.Hash(bytes: row[2])
            if hash.bytes.count != 32 || hash.lookupKey != row[1] { unfindable.append(row[0]) }
            return true
        }
        return problems + limited(misnamed.map { "Bot \($0) is filed under a wrong name." })
            + limited(unfindable.map { "Anonymous user \($0) cannot be found by their token." })
    }

    private static let jsonColumns: [(table: String, column: String, verify: @Sendable ([UInt8]) throws -> Void)] = [
        ("conversations", "metadata", { _ = try JSONReader.parse($0) }),
        ("conversations", "pending_command", { _ = try StoredJSON.pendingCommand($0) }),
        ("bots", "config", { _ = try JSONReader.parse($0) }),
        ("conversations", "usage", { _ = try StoredJSON.usage($0, column: "conversations.usage") }),
        ("bots", "tools", { _ = try JSONReader.parse($0) }),
        ("bots", "fallback_models", { _ = try JSONReader.parse($0) }),
        ("messages", "parts", { _ = try StoredJSON.parts($0) }),
        ("queued_turns", "parts", { _ = try StoredJSON.parts($0) }),
        ("messages", "usage", { _ = try StoredJSON.usage($0, column: "messages.usage") }),
        ("messages", "private", { _ = try StoredJSON.replay($0) }),
        ("turns", "context", { _ = try StoredJSON.omissions($0) }),
        ("turns", "usage", { _ = try StoredJSON.usage($0, column: "turns.usage") }),
        ("turns", "error", { _ = try StoredJSON.error($0) }),
        ("turns", "receipt", { _ = try StoredJSON.receipt($0) }),
    ]

    static func limited(_ problems: [String]) -> [String] {
        guard problems.count > maximumOfAKind else { return problems }
        return problems.prefix(maximumOfAKind) + ["There are \(problems.count - maximumOfAKind) more of this kind."]
    }
}
