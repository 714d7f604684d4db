import Foundation
import GRDB

/// Fills a database that no host has open, as if the person who benchmarks had conversed for long.
enum Filling {
    /// Which conversations are filled.
    enum Conversations {
        /// All that there are.
        case existing
        /// New ones.
        case new
    }

    /// How far back turns go: the window of the system's limit.
    private static let windowMilliseconds: Int64 = 18_000_000

    /// Gives conversations finished turns, evenly spread over the window, with their messages and what the ledger says of them.
    static func fill(_ database: String, conversations: Conversations, count: Int, turnsEach: Int) throws {
        let queue = try DatabaseQueue(path: database)
        defer { try? queue.close() }
        let turns = count * turnsEach
        // A minute inside the window, so that none leaves it while the figure is taken.
        let first = Int64(Date().timeIntervalSince1970 * 1_000) - windowMilliseconds + 60_000
        let step = Double(windowMilliseconds - 120_000) / Double(turns)
        func numbers(_ count: Int) -> String {
            "WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < \(count - 1))"
        }
        try queue.write { db in
            let person = try Int64.fetchOne(db, sql: "SELECT key FROM people WHERE external_id = 'bench'") ?? 0
            if conversations == .new {
                try db.execute(
                    sql: """
                        INSERT INTO conversations (id, owner, title, metadata, created_at, updated_at, used_at)
                        \(numbers(count)) SELECT printf('01900000-0000-7000-8000-%012x', n), \(person), 'Filled', '{}', \(first), \(first),
                            \(first) FROM numbers
                        """)
            }
            for (name, subject) in [("system.turns", ""), ("user.turns", String(person))] {
                for width in [1, 128, 16_384, 2_097_152] {
                    try db.execute(
                        sql: """
                            INSERT INTO counters (name, subject, width, start, count)
                            \(numbers(turns)) SELECT '\(name)', '\(subject)', \(width), t / \(width) * \(width), count(*)
                            FROM (SELECT CAST(\(first) + n * \(step) AS INTEGER) AS t FROM numbers) GROUP BY 4
                            ON CONFLICT (name, subject, width, start) DO UPDATE SET count = count + excluded.count
                            """)
                }
            }
            let (message, turn) = (try nextKey(db, "messages"), try nextKey(db, "turns"))
            let messages = turnsEach * 2
            // The conversations by number, of which the last are filled.
            try db.execute(
                sql: """
                    CREATE TEMP TABLE filled (number INTEGER PRIMARY KEY, conversation INTEGER NOT NULL);
                    INSERT INTO filled SELECT row_number() OVER (ORDER BY key) - 1, key
                    FROM (SELECT key FROM conversations ORDER BY key DESC LIMIT \(count));
                    INSERT INTO turns (key, id, conversation, person, epoch, status, created_at, deadline, completed_at, stop_reason,
                        user_message_id, assistant_message_id)
                    \(numbers(turns)) SELECT \(turn) + n, printf('01910000-0000-7000-8000-%012x', \(turn) + n), conversation, \(person), 1,
                        'completed', \(first) + CAST(n * \(step) AS INTEGER), \(first), \(first) + CAST(n * \(step) AS INTEGER), 'endTurn',
                        printf('01920000-0000-7000-8000-%012x', \(message) + 2 * n),
                        printf('01920000-0000-7000-8000-%012x', \(message) + 2 * n + 1)
                    FROM numbers JOIN filled ON number = n / \(turnsEach);
                    INSERT INTO messages (key, id, conversation, parent, role, status, created_at, turn_id, parts, depth)
                    \(numbers(turns * 2)) SELECT \(message) + n, printf('01920000-0000-7000-8000-%012x', \(message) + n), conversation,
                        iif(n % \(messages) = 0, NULL, \(message) + n - 1), iif(n % 2 = 0, 'user', 'assistant'), 'complete',
                        \(first) + CAST(n / 2 * \(step) AS INTEGER), printf('01910000-0000-7000-8000-%012x', \(turn) + n / 2),
                        iif(n % 2 = 0, '[{"type":"text","text":"What is the way to the station, please?"}]',
                            '[{"type":"text","text":"Straight on, and then the second on the left."}]'), n % \(messages) + 1
                    FROM numbers JOIN filled ON number = n / \(messages);
                    UPDATE conversations SET head = \(message) + (number + 1) * \(messages) - 1, message_count = \(messages)
                    FROM filled WHERE filled.conversation = conversations.key;
                    DROP TABLE filled;
                    """)
        }
    }

    /// Brings the index of searches up to date, so that no host has to while it is measured.
    static func index(_ place: Workplace, _ database: String) throws {
        let compact = try Child([place.parley, "db", "compact", "--database", database])
        try compact.finish()
    }

    private static func nextKey(_ db: Database, _ table: String) throws -> Int64 {
        try (Int64.fetchOne(db, sql: "SELECT max(key) FROM \(table)") ?? 0) + 1
    }
}
