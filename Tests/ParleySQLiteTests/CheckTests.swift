import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

@Suite struct CheckTests {
    /// Something done behind the store's back, and the sentence that tells it.
    struct Damage: Sendable, CustomTestStringConvertible {
        let sql: String
        let sentences: [String]
        var testDescription: String { sql }

        init(_ sql: String, _ sentences: String...) {
            self.sql = sql
            self.sentences = sentences
        }
    }

    static let damages = [
        Damage("SELECT 1"),
        Damage("UPDATE conversations SET head = 99 WHERE id = 'c'", "The head of conversation c is not one of its messages."),
        Damage(
            "UPDATE conversations SET head = (SELECT key FROM messages WHERE id = 'other.user') WHERE id = 'c'",
            "The head of conversation c is not one of its messages."),
        Damage("UPDATE conversations SET head = NULL WHERE id = 'c'", "Conversation c has messages and no head."),
        Damage("UPDATE conversations SET message_count = 5 WHERE id = 'c'", "Conversation c counts its messages wrongly."),
        Damage(
            "UPDATE messages SET parent = (SELECT key FROM messages WHERE id = 'other.user') WHERE id = 't.assistant'",
            "Message t.assistant follows one that is not in its conversation."),
        Damage(
            "UPDATE messages SET parent = key WHERE id = 't.assistant'", "Message t.assistant follows itself, perhaps through others.",
            "Message t.assistant does not know how deep it stands."),
        Damage("UPDATE messages SET rating = 'up' WHERE id = 't.user'", "Message t.user is rated as no answer can be."),
        Damage("UPDATE messages SET rating_note = 'x' WHERE id = 't.assistant'", "Message t.assistant is rated as no answer can be."),
        Damage("UPDATE turns SET copied = 1 WHERE id = 't'", "Turn t was copied, and runs, or has cost something."),
        Damage("UPDATE messages SET depth = 7 WHERE id = 't.assistant'", "Message t.assistant does not know how deep it stands."),
        Damage(
            #"UPDATE conversations SET usage = '{"inputTokens":9,"outputTokens":9}' WHERE id = 'c'"#,
            "Conversation c adds up its usage wrongly."),
        Damage(
            #"UPDATE messages SET usage = '{"inputTokens":9,"outputTokens":9}' WHERE id = 't.assistant'"#,
            "Conversation c adds up its usage wrongly."),
        Damage("UPDATE conversations SET usage = '{' WHERE id = 'c'", "Column usage of table conversations, row c, cannot be read."),
        Damage("UPDATE messages SET private = x'7B' WHERE id = 't.user'", "Column private of table messages, row t.user, cannot be read."),
        Damage("UPDATE turns SET context = '{' WHERE id = 't'", "Column context of table turns, row t, cannot be read."),
        Damage(
            "UPDATE messages SET parent = (SELECT key FROM messages WHERE id = 't.assistant') WHERE id = 't.user'",
            "Message t.user follows itself, perhaps through others.", "Message t.assistant follows itself, perhaps through others.",
            "Message t.user does not know how deep it stands."),
        Damage(
            "UPDATE messages SET turn_id = 'other' WHERE id = 't.user'",
            "Message t.user belongs to a turn that is not in its conversation."),
        Damage(
            "UPDATE turns SET user_message_id = 'other.user' WHERE id = 't'", "Turn t answers a message that is not in its conversation."),
        Damage("UPDATE turns SET assistant_message_id = 'none' WHERE id = 't'", "The answer of turn t is not in its conversation."),
        Damage(
            "DELETE FROM conversations WHERE id = 'empty'; UPDATE conversations SET bot = 77 WHERE id = 'c'",
            "A row of table conversations refers to a row of bots that does not exist."),
        Damage(
            """
            UPDATE turns SET status = 'inProgress', completed_at = NULL, stop_reason = NULL, host = 99 WHERE id = 't'
            """, "Turn t runs on a host that never was.", "Turn t runs and holds nothing."),
        Damage(
            "INSERT INTO holds (turn, person, kind, admitted_at) SELECT key, 3, 'user', 0 FROM turns WHERE id = 't'",
            "A hold of person 3 belongs to no turn that runs."),
        Damage(
            "UPDATE counters SET count = 7 WHERE name = 'system.turns' AND width = 128",
            "The counter system.turns does not count in rows of 1 ms what it counts in rows of 128 ms.",
            "The counter system.turns does not count in rows of 128 ms what it counts in rows of 16384 ms."),
        Damage(
            "DELETE FROM counters WHERE name = 'system.turns' AND width = 2097152",
            "The counter system.turns does not count in rows of 16384 ms what it counts in rows of 2097152 ms."),
        Damage("UPDATE turns SET receipt = '{}x' WHERE id = 't'", "Column receipt of table turns, row t, cannot be read."),
        Damage("UPDATE turns SET completed_at = NULL WHERE id = 't'", "The database is damaged: CHECK constraint failed in turns."),
        Damage("UPDATE messages SET parts = '[{' WHERE id = 't.user'", "Column parts of table messages, row t.user, cannot be read."),
        Damage(
            "UPDATE messages SET parts = '[{\"type\":\"image\"}]' WHERE id = 't.user'",
            "Column parts of table messages, row t.user, cannot be read."),
        Damage("UPDATE messages SET usage = '{}x' WHERE id = 't.user'", "Column usage of table messages, row t.user, cannot be read."),
        Damage("UPDATE turns SET error = '7' WHERE id = 't'", "Column error of table turns, row t, cannot be read."),
        Damage("UPDATE conversations SET metadata = '' WHERE id = 'c'", "Column metadata of table conversations, row c, cannot be read."),
        Damage("UPDATE bots SET config = 'x' WHERE id = 'b'", "Column config of table bots, row b, cannot be read."),
        Damage("UPDATE bots SET name = 'Other' WHERE id = 'b'", "Bot b is filed under a wrong name."),
        Damage("UPDATE people SET token_lookup = 1 WHERE kind = 'anonymous'", "Anonymous user anonymous-1 cannot be found by their token."),
        Damage(
            "DELETE FROM search_index WHERE rowid = (\(entry))", "The index of searches and the list of its entries do not agree.",
            "Conversation c is found by what was not said in it."),
        Damage(
            "UPDATE search_index_content SET c0 = c0 || ' x' WHERE id = (\(entry))",
            "The index of searches does not hold the words that were put in.", "Conversation c is found by what was not said in it."),
        Damage(
            "UPDATE search_entries SET conversation = NULL WHERE key = (\(entry))",
            "Conversation c is not found by all that was said in it."),
        Damage("UPDATE search_entries SET message = 99 WHERE key = (\(entry))", "Conversation c is found by what was not said in it."),
        Damage(
            #"UPDATE messages SET parts = '[{"type":"text","text":"Bye."}]' WHERE id = 't.user'"#,
            "Conversation c is found by what was not said in it."),
        Damage("UPDATE conversations SET title = 'Other' WHERE id = 'c'", "Conversation c is found by what was not said in it."),
        Damage("UPDATE conversations SET unindexed = 1"),
        Damage(
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'turns_running'",
            "The database is damaged: Page # is never used."),
    ]

    /// The entry of the answer in the index of searches.
    private static let entry = "SELECT e.key FROM search_entries e JOIN messages m ON m.key = e.message WHERE m.id = 't.assistant'"

    @Test(arguments: damages) func problemsAreTold(_ damage: Damage) async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeBot("b", name: "Bot", for: .ann)
        for id in ["c", "d", "empty"] { try await store.makeConversation(id, botID: "b", for: .ann) }
        try await store.exchange("other", in: "d", for: .ann)
        try await store.exchange("t", in: "c", for: .ann)
        try await store.createAnonymousUser(.numbered(1))
        while try await store.prepareSearches() {}
        try await store.close()
        try database.meddle { try $0.execute(sql: "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON; " + damage.sql) }
        let before = try database.content
        let problems = SQLiteStore.check(path: database.path).map { problem in
            // Page numbers are none of this test's business.
            problem.replacing(/Page \d+/, with: "Page #")
        }
        #expect(problems.sorted() == damage.sentences.sorted())
        #expect(try database.content == before)
        #expect(try database.files == ["parley.db", "parley.db-hosts"])
    }

    @Test func manyProblemsOfAKindAreCounted() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        for number in 0..<30 { try await store.makeConversation("c\(number)", for: .ann) }
        try await store.close()
        try database.meddle { try $0.execute(sql: "UPDATE conversations SET message_count = 1") }
        let problems = SQLiteStore.check(path: database.path)
        #expect(problems.count == 21 && problems.last == "There are 10 more of this kind.")
    }

    @Test func aConversationThatBeganAnewIsSound() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        try await store.exchange("t", in: "c", for: .ann)
        var clear = NewTurn.plain("u", .existing(conversationID: "c"), text: "/clear")
        clear.reading = .command
        guard case .accepted(let admitted) = try await store.admitTurn(clear, for: .ann) else {
            Issue.record("a new message is no repeat")
            return
        }
        var outcome = TurnOutcome.plain(admitted)
        outcome.message?.isLocal = true
        outcome.command = CommandOutcome(clearsHead: true)
        _ = try await store.finishTurn(outcome)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func aConversationThatBranchesIsSound() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        try await store.exchange("t", in: "c", for: .ann)
        for (id, beginning) in [
            ("u", .regeneration(of: "t.assistant")), ("v", .edit(of: "t.user")), ("w", .regeneration(of: "v.user")),
        ] as [(String, TurnBeginning)] {
            var new = NewTurn.plain(id, .existing(conversationID: "c"))
            new.beginning = beginning
            try await store.finish(try await store.accept(new, for: .ann))
            try await store.exchange("after-\(id)", in: "c", for: .ann)
        }
        let change = ConversationChange(headMessageID: "u.assistant")
        _ = try await store.updateConversation("c", change, at: Timestamp(milliseconds: 9_000), for: .ann)
        try await store.exchange("x", in: "c", for: .ann)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func aDatabaseInUseIsChecked() async throws {
        let database = try TemporaryDatabase()
        let store = try database.open()
        try await store.makeConversation("c", for: .ann)
        let admitted = try await store.admit("t", in: "c", for: .ann)
        #expect(SQLiteStore.check(path: database.path) == [])
        try await store.finish(admitted)
        try await store.close()
    }

    @Test func whatIsNoDatabaseIsToldSo() throws {
        let database = try TemporaryDatabase()
        #expect(SQLiteStore.check(path: database.path) == ["There is no database at \(database.path)."])
        #expect(try database.files == [])
        try database.meddle { try $0.execute(sql: "CREATE TABLE t (x)") }
        #expect(SQLiteStore.check(path: database.path) == ["\(database.path) is the database of another program."])
        #expect(try database.files == ["parley.db"])
    }
}
