import Foundation
import JSON
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// What people do to a store, in steps that each mean one change or one look, so that a step that was refused may be tried again.
///
/// Ids and times are fixed: whoever plays all steps, however often some of them had to be tried, ends with the same database.
final class FaultScenario {
    /// One step.
    ///
    /// - Returns: what came of it, as text that is the same each time.
    typealias Step = (name: String, run: @Sendable (FaultScenario) async throws -> String)

    let database: TemporaryDatabase
    private(set) var store: SQLiteStore
    private var admitted: [String: AdmittedTurn] = [:]

    /// - Parameter database: holds one of the kinds of files below.
    init(_ database: TemporaryDatabase, _ store: SQLiteStore) {
        self.database = database
        self.store = store
    }

    static let quotas = {
        var quotas = QuotaPolicy.standard
        quotas[.anonymousTool("weather")] = QuotaRule(.anonymousTool("weather"), limit: 5)
        return quotas
    }()

    static func open(_ database: TemporaryDatabase) throws -> SQLiteStore {
        try database.open(durability: .full, quotas: quotas)
    }

    private static let guest = Caller.anonymous(NewAnonymousUser.numbered(1).tokenHash)

    /// The files of a database.
    typealias Files = [(name: String, content: Data)]

    /// The files of a database with tables of the first version.
    static func olderFiles() throws -> Files {
        let database = try TemporaryDatabase()
        try database.meddle { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try Schema.migrate(db, through: Array(Schema.steps.prefix(1)))
            try db.execute(
                sql: """
                    INSERT INTO people (key, kind, external_id, created_at) VALUES (1, 'user', 'ann', 1);
                    INSERT INTO conversations (key, id, owner, created_at, updated_at, title, metadata)
                    VALUES (1, 'c', 1, 1, 1, '', '{}'), (2, 'd', 1, 1, 1, '', '{}')
                    """)
        }
        return [("parley.db", try database.content)]
    }

    /// The files of a database whose host was killed while it ran a turn: the log is to be recovered, and the turn.
    static func filesOfKilledHost() async throws -> Files {
        let database = try TemporaryDatabase()
        let store = try open(database)
        try await store.makeBot("b", name: "Bot", for: .ann)
        for id in ["c", "d", "e"] {
            try await store.makeConversation(id, title: "Number \(id)", botID: "b", for: .ann)
            try await store.exchange("before.\(id)", in: id, text: String(repeating: "?", count: 5_000), for: .ann)
        }
        try await store.createAnonymousUser(.numbered(1))
        try await store.makeConversation("g", for: guest)
        try await store.admit("killed", in: "d", for: .ann)
        let files = try ["parley.db", "parley.db-wal"].map { name in
            (name, try Data(contentsOf: database.folder.appending(path: name)))
        }
        try await store.close()
        return files
    }

    /// Everything that stands in the tables but the numbers of hosts, of which one that could not be opened has used up some, and the form in which
    /// the index of searches is kept.
    func content() async throws -> [String] {
        try await store.read { transaction in
            let db = transaction.db.database
            let tables: [String] = try db.all(
                """
                SELECT name FROM sqlite_schema
                WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'search_index_%' AND name <> 'hosts' ORDER BY name
                """
            ) { $0[0] }
            return try tables.flatMap { table in
                let columns: [String] = try db.all("SELECT name FROM pragma_table_info(?) WHERE name <> 'host'", table) { $0[0] }
                let row = columns.map { "quote(\($0))" }.joined(separator: " || ',' || ")
                return try db.all("SELECT \(row) FROM \(table)") { "\(table): \($0[0] as String)" }.sorted()
            }
        }
    }

    // MARK: The steps

    private func messages(of id: String) -> (call: Message, result: Message) {
        func message(_ kind: String, _ role: Message.Role, _ part: Message.Part, after parentID: String) -> Message {
            Message(
                id: "\(id).\(kind)", conversationID: "c", turnID: id, parentID: parentID, role: role, content: [part], status: .complete,
                createdAt: Timestamp(milliseconds: 2_500))
        }
        let call = message("call", .assistant, .toolCall(ToolCall(id: "k", name: "weather", arguments: [:])), after: "\(id).user")
        let result = ToolResult(toolCallID: "k", status: .completed, text: String(repeating: "Sun. ", count: 2_000))
        return (call, message("result", .tool, .toolResult(result), after: call.id))
    }

    private func admit(
        _ id: String, _ target: NewTurn.Target, _ policy: BusyPolicy = .reject, _ beginning: TurnBeginning = .message, for caller: Caller
    ) async throws -> String {
        var new = NewTurn.plain(id, target, text: "Hello from \(id)?")
        new.onBusy = policy
        new.beginning = beginning
        new.request = ClientRequest(id: id, contentHash: Array(repeating: 7, count: 32))
        switch try await store.admitTurn(new, for: caller) {
        case .accepted(let turn):
            admitted[id] = turn
            return "\(turn)"
        case .queued(let turn): return "\(turn)"
        case .repeated: throw Failure(.internalError, "A turn that was refused was stored.")
        }
    }

    private func finish(_ id: String, _ change: (inout TurnOutcome) -> Void = { _ in }) async throws -> String {
        var outcome = TurnOutcome.plain(try #require(admitted[id]), text: String(repeating: "Hello! ", count: 1_000))
        change(&outcome)
        return "\(try await store.finishTurn(outcome))"
    }

    /// What is done to a database that was just made or migrated.
    static let first: [Step] = [
        ("make", { "\(try await $0.store.makeConversation("n", for: .ann))" }),
        ("admit", { try await $0.admit("t", .existing(conversationID: "n"), for: .ann) }),
        ("finish", { try await $0.finish("t") }),
        ("prepare", { "\(try await $0.store.prepareSearches())" }),
        ("search", { "\(try await $0.store.found("hello", for: .ann))" }),
    ]

    /// A turn with a tool, and one that is cancelled.
    static let turns: [Step] = [
        ("listMessages", { "\(try await $0.store.messages(inConversation: "d", page: PageRequest(), for: .ann))" }),
        ("admit", { try await $0.admit("t", .existing(conversationID: "c"), for: .ann) }),
        ("history", { "\(try await $0.store.history(endingAt: "t.user", maximumBytes: 100_000))" }),
        (
            "checkpoint",
            { scene in
                var partial = scene.messages(of: "t").call
                partial.content = [.text("Let me")]
                partial.status = .partial
                try await scene.store.checkpoint([TurnCheckpoint(turnID: "t", message: partial, lastSequence: 2)])
                return ""
            }
        ),
        (
            "appendCall",
            { scene in
                try await scene.store.appendMessages([scene.messages(of: "t").call], toTurn: "t", lastSequence: 3)
                return ""
            }
        ),
        (
            "appendResult",
            { scene in
                try await scene.store.appendMessages([scene.messages(of: "t").result], toTurn: "t", lastSequence: 4)
                return ""
            }
        ),
        ("finish", { try await $0.finish("t") { $0.message?.parentID = "t.result" } }),
        ("turn", { "\(try await $0.store.turn("t", for: .ann))" }),
        (
            "admitNew",
            { scene in
                let new = NewConversation(id: "n", title: "", botID: "b", metadata: [:], createdAt: Timestamp(milliseconds: 2_000))
                return try await scene.admit("u", .new(new), for: .ann)
            }
        ),
        ("cancel", { "\(try await $0.store.requestCancel(ofTurn: "u", at: Timestamp(milliseconds: 2_100), for: .ann))" }),
        ("toCancel", { "\(try await $0.store.turnsToCancel())" }),
        ("interrupt", { try await $0.admit("w", .existing(conversationID: "n"), .interrupt, for: .ann) }),
        (
            "finishCancelled",
            { scene in
                try await scene.finish("u") { outcome in
                    outcome.status = .cancelled
                    outcome.stopReason = .cancelled
                    outcome.message = nil
                    outcome.settlement = Settlement(.modelNotCalled)
                }
            }
        ),
        (
            "advance",
            { scene in
                let begun = try await scene.store.begin("w")
                scene.admitted["w"] = begun.admitted
                return "\(begun)"
            }
        ),
        ("enqueue", { try await $0.admit("x", .existing(conversationID: "n"), .enqueue, for: .ann) }),
        ("leave", { "\(try await $0.store.leaveQueue("x", at: Timestamp(milliseconds: 2_200)))" }),
        ("finishBegun", { try await $0.finish("w") }),
        ("regenerate", { try await $0.admit("y", .existing(conversationID: "n"), .reject, .regeneration(of: "w.user"), for: .ann) }),
        ("finishRegenerated", { try await $0.finish("y") { $0.message?.parentID = "w.user" } }),
    ]

    /// People, bots, limits and what is deleted.
    static let care: [Step] = [
        ("admitGuest", { try await $0.admit("v", .existing(conversationID: "g"), for: guest) }),
        (
            "holdTool",
            { scene in
                try await scene.store.holdToolCall("k", ofTurn: "v", named: "weather", for: guest)
                return ""
            }
        ),
        (
            "settleTool",
            { scene in
                try await scene.store.settleToolCall("k", ofTurn: "v", succeeded: true)
                return ""
            }
        ),
        ("finishGuest", { try await $0.finish("v") }),
        ("quota", { "\(try await $0.store.quota(of: .caller(guest, nil), at: Timestamp(milliseconds: 4_000)))" }),
        (
            "claim",
            { scene in
                "\(try await scene.store.claimAnonymousUser(NewAnonymousUser.numbered(1).tokenHash, isConfirmed: true, at: Timestamp(milliseconds: 4_000), for: .ann))"
            }
        ),
        ("rate", { "\(try await $0.store.rate("before.c.assistant", .up, for: .ann))" }),
        ("fork", { "\(try await $0.store.fork("c", as: "f", for: .ann))" }),
        ("export", { "\(try await $0.store.exportConversation("f", .tree, cursor: nil, for: .ann))" }),
        ("import", { "\(try await $0.store.importOfTwo("i", for: .ann))" }),
        ("makeBot", { "\(try await $0.store.makeBot("x", name: "Another", for: .ann))" }),
        (
            "changeBot",
            { scene in
                "\(try await scene.store.updateBot("x", BotChange(name: "Other"), ifRevision: nil, at: Timestamp(milliseconds: 4_000), for: .ann))"
            }
        ),
        ("setBot", { "\(try await $0.store.setBot("x", ofConversation: "c", at: Timestamp(milliseconds: 4_000), for: .ann))" }),
        ("listBots", { "\(try await $0.store.bots(.own, page: PageRequest(), for: .ann))" }),
        (
            "deleteBot",
            { scene in
                try await scene.store.deleteBot("b", at: Timestamp(milliseconds: 5_000), for: .ann)
                return ""
            }
        ),
        (
            "deleteConversation",
            { scene in
                try await scene.store.deleteConversation("e", at: Timestamp(milliseconds: 5_000), for: .ann)
                return ""
            }
        ),
        (
            "rename",
            {
                "\(try await $0.store.updateConversation("c", ConversationChange(title: "Other"), at: Timestamp(milliseconds: 5_000), for: .ann))"
            }
        ),
        ("prepare", { "\(try await $0.store.prepareSearches())" }),
        ("search", { "\(try await $0.store.searchConversations(try .plain("hello"), page: PageRequest(), for: .ann))" }),
        (
            "deleteUnused",
            { scene in
                "\(try await scene.store.deleteUnusedConversations(RetentionPolicy(userDays: 1), from: RetentionPlace(time: Timestamp(milliseconds: 86_404_500), person: 0), at: Timestamp(milliseconds: 6_000)))"
            }
        ),
        ("prepareAgain", { "\(try await $0.store.prepareSearches())" }),
        ("resetQuota", { "\(try await $0.store.resetQuota(of: .user(id: "ann"), scope: nil, at: Timestamp(milliseconds: 6_000)))" }),
        (
            "backUp",
            { scene in
                let copy = scene.database.path + "-copy"
                do {
                    _ = try SQLiteStore.backUp(path: scene.database.path, to: copy)
                } catch {
                    let left = try scene.database.files.filter { $0.hasPrefix("parley.db-copy") }
                    #expect(left == [], "half a copy is left")
                    throw error
                }
                return ""
            }
        ),
        ("erase", { "\(try await $0.store.erase())" }),
        (
            "discard",
            { scene in
                try await scene.store.discardExpired(at: Timestamp(milliseconds: 7_000))
                return ""
            }
        ),
        (
            "deletePerson",
            { scene in
                try await scene.store.deletePerson(at: Timestamp(milliseconds: 8_000), for: .ann)
                return ""
            }
        ),
    ]
}
