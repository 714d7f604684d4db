import Foundation
import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

@Suite struct SchemaTests {
    // MARK: Migrating

    @Test func migratingIsDoneOnce() async throws {
        let database = try TemporaryDatabase()
        #expect(throws: StoreOpenFailure(.missing, "There is no database at \(database.path).")) {
            try SQLiteStore.migrate(path: database.path)
        }
        #expect(try database.files == [])
        try await database.open().close()
        let (from, to) = try SQLiteStore.migrate(path: database.path)
        #expect(from == Schema.currentVersion && to == Schema.currentVersion)
    }

    @Test func aStepThatFailsLeavesTheVersionBefore() throws {
        let queue = try DatabaseQueue()
        let good: Schema.Step = { try $0.execute(sql: "CREATE TABLE good (x)") }
        let bad: Schema.Step = { db in
            try db.execute(sql: "CREATE TABLE bad (x)")
            try db.execute(sql: "INSERT INTO nowhere VALUES (1)")
        }
        let orphaning: Schema.Step = { db in
            try db.execute(
                sql:
                    "INSERT INTO bots VALUES (1, 'b', 77, 'n', 'n', 'private', 1, 1, 1, NULL, NULL, '', NULL, NULL, NULL, NULL)"
            )
        }
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let unguarded = try DatabaseQueue(configuration: configuration)
        for (queue, steps) in [(queue, [good, bad]), (unguarded, [orphaning])] {
            let (version, hasTable, count) = try queue.inDatabase { db in
                #expect(throws: DatabaseError.self) { try Schema.migrate(db, through: Schema.steps + steps) }
                return (try Schema.version(of: db), try db.tableExists("bad"), try Int.fetchOne(db, sql: "SELECT count(*) FROM bots"))
            }
            #expect(version == Schema.currentVersion + steps.count - 1 && !hasTable && count == 0)
        }
    }

    @Test func anOlderDatabaseLearnsWhatConversationsCostAndHowDeepMessagesStand() throws {
        let queue = try DatabaseQueue()
        let rows = try queue.inDatabase { db in
            try Schema.migrate(db, through: Array(Schema.steps.prefix(4)))
            try db.execute(
                sql: """
                    INSERT INTO people (key, kind, external_id, created_at) VALUES (1, 'user', 'ann', 1);
                    INSERT INTO conversations (key, id, owner, created_at, updated_at, title, metadata)
                    VALUES (1, 'c', 1, 1, 1, '', '{}'), (2, 'd', 1, 1, 1, '', '{}');
                    INSERT INTO messages (key, id, conversation, parent, role, status, created_at, turn_id, usage, parts) VALUES
                    (1, 'u', 1, NULL, 'user', 'complete', 1, 't', NULL, '[]'),
                    (2, 'a', 1, 1, 'assistant', 'complete', 1, 't', '{"inputTokens":1,"outputTokens":2}', '[]'),
                    (3, 'b', 1, 2, 'assistant', 'complete', 1, 't', '{"inputTokens":3,"outputTokens":4}', '[]'),
                    (4, 'v', 2, NULL, 'user', 'complete', 1, 't', NULL, '[]')
                    """)
            try Schema.migrate(db)
            return (
                try String?.fetchAll(db, sql: "SELECT usage FROM conversations ORDER BY key"),
                try Int.fetchAll(db, sql: "SELECT depth FROM messages ORDER BY key")
            )
        }
        #expect(rows.0 == [#"{"inputTokens":4,"outputTokens":6}"#, nil])
        #expect(rows.1 == [1, 2, 3, 1])
    }

    @Test func nothingIsMigratedUnderALivingHost() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.writeAlone { try $0.db.database.execute(sql: "PRAGMA user_version = 0; PRAGMA wal_checkpoint(TRUNCATE)") }
        for _ in 0..<2 {
            do {
                _ = try SQLiteStore.migrate(path: database.path)
                Issue.record("it was migrated")
            } catch {
                #expect(error.reason == .locked)
            }
        }
        try await store.writeAlone { try $0.db.database.execute(sql: "PRAGMA user_version = \(Schema.currentVersion)") }
        try await store.close()
    }

    // MARK: Speed at any size

    /// The statements of everything that the contract does.
    private static func statements() async throws -> Set<String> {
        let recorder = Recorder()
        for clause in StoreContract.all {
            let store = try SQLiteStore.open(.test(.memory, quotas: clause.quotas))
            try await store.writeAlone { transaction in
                transaction.db.database.trace { event in
                    if case .statement(let statement) = event { recorder.add(statement.sql) }
                }
            }
            try await clause.verify(store)
            try await store.close()
        }
        return recorder.all
    }

    private final class Recorder: @unchecked Sendable {
        // Sendable because the set is touched only while the lock is held.
        private let lock = NSLock()
        private var statements: Set<String> = []

        func add(_ sql: String) { _ = lock.withLock { statements.insert(sql) } }
        var all: Set<String> { lock.withLock { statements } }
    }

    @Test func noStatementGoesThroughAWholeTable() async throws {
        let statements = try await Self.statements().filter { sql in
            // What the index of searches does with its own tables is its business.
            ["SELECT", "UPDATE", "DELETE", "INSERT", "WITH"].contains { sql.hasPrefix($0) } && !sql.contains("'main'.'search_index")
        }
        #expect(statements.count > 70)
        let queue = try DatabaseQueue()
        let plans = try queue.inDatabase { db in
            try Schema.migrate(db)
            return try statements.flatMap { sql in
                // The plan is the same whatever the parameters are, so they may stay unbound.
                let statement = try db.makeStatement(sql: "EXPLAIN QUERY PLAN " + sql)
                statement.setUncheckedArguments(StatementArguments())
                return try Row.fetchAll(statement).map { ($0["detail"] as String, sql) }
            }
        }
        let harmless = [
            // The few running turns, the few that wait, the few hosts, and no table at all.
            "SCAN q USING COVERING INDEX queued_turns_by_turn",
            "SCAN holds", "SCAN holds USING COVERING INDEX holds_by_person", "SCAN hosts", "SCAN CONSTANT ROW", "SCAN 4 CONSTANT ROWS",
            // The few conversations that are not in the index of searches, and what its own search calls its work.
            "SCAN conversations USING INDEX conversations_unindexed", "SCAN s VIRTUAL TABLE INDEX 0:M0",
            "SCAN search_index VIRTUAL TABLE INDEX 0:=", "SCAN sqlite_schema",
            // A page of nothing but published bots, and what is done once a day.
            "SCAN bots USING INDEX bots_published", "SCAN counters",
        ]
        for (step, sql) in plans where !harmless.contains(step) {
            #expect(!step.hasPrefix("SCAN") && !step.contains("TEMP B-TREE"), "\(step) in \(sql)")
        }
    }

    @Test func everyReferenceHasAnIndex() throws {
        let queue = try DatabaseQueue()
        try queue.inDatabase { db in
            try Schema.migrate(db)
            let references = try Row.fetchAll(
                db,
                sql:
                    """
                    SELECT m.name AS child, f."from" AS field FROM sqlite_schema m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table'
                    """
            )
            #expect(references.count >= 6)
            for reference in references {
                let (table, column): (String, String) = (reference["child"], reference["field"])
                let plan = try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN SELECT 1 FROM \(table) WHERE \(column) = 1")
                #expect(plan.allSatisfy { ($0["detail"] as String).hasPrefix("SEARCH") }, "\(table).\(column)")
            }
        }
    }

    @Test func longConversationsAreReadByThePage() async throws {
        let store = try SQLiteStore.open(.test(.memory))
        try await store.makeConversation("c", for: .ann)
        try await store.exchange("t", in: "c", for: .ann)
        try await store.write { transaction in
            let conversation = try transaction.conversation("c", of: transaction.person(.ann))
            try transaction.db.database.execute(
                sql: """
                    INSERT INTO messages (id, conversation, turn_id, parent, role, status, created_at, parts)
                    WITH RECURSIVE n (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM n WHERE n < 10000)
                    SELECT 'm' || n, \(conversation.key), 't', n - 1, 'user', 'complete', n, '[{"type":"text","text":"' || n || '"}]'
                    FROM n;
                    UPDATE conversations SET head = 10000, message_count = 10000
                    """)
        }
        // How many steps SQLite's machine takes tells how much it reads, whatever the speed of this computer.
        let reads: [@Sendable (StoreTransaction) throws -> Int] = [
            { try $0.history(endingAt: "m10000", maximumBytes: 41).messages.count },
            { transaction in
                let conversation = try transaction.conversation("c", of: transaction.person(.ann))
                return try transaction.messages(in: conversation, page: PageRequest(limit: 10)).elements.count
            },
        ]
        for read in reads {
            let (count, steps) = try await store.read { transaction in
                let counter = StepCounter()
                counter.install(on: transaction.db.database)
                defer { counter.remove(from: transaction.db.database) }
                return (try read(transaction), counter.steps)
            }
            #expect(count == 10 && steps > 0 && steps < 2_000, "\(steps) steps")
        }
        #expect(try await store.history(endingAt: "m10000", maximumBytes: .max).messages.count == 10_000)
        try await store.close()
    }
}
