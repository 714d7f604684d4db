import Foundation
import GRDB
import ParleyCore
import ParleyTestSupport

@testable import ParleySQLite

/// A short life of a database, step by step, with all that hosts do: each step is one call that a failing disk may spoil.
struct Scenario {
    typealias Step = @Sendable (SQLiteStore) async throws(Failure) -> Void

    /// The limits under which it is played, all of which count something in it.
    static let quotas = QuotaPolicy.standard

    /// The steps in order. None looks at what others returned, so that each can be repeated.
    static let steps: [(name: String, step: Step)] = [
        ("create a conversation", { store throws(Failure) in try await store.makeConversation("c", for: .ann) }),
        ("accept", { store throws(Failure) in try await store.admit("t", in: "c", for: .ann) }),
        ("checkpoint", { store throws(Failure) in try await store.checkpoint([.of("t", in: "c", text: long("Hel"))]) }),
        ("finish", { store throws(Failure) in _ = try await store.finishTurn(.of("t", in: "c", text: long("Hello"))) }),
        ("create somebody anonymous", { store throws(Failure) in try await store.createAnonymousUser(.numbered(1)) }),
        ("create their conversation", { store throws(Failure) in try await store.makeConversation("a", for: anonymous) }),
        ("accept from them", { store throws(Failure) in try await store.admit("u", in: "a", for: anonymous) }),
        ("make their bot", { store throws(Failure) in try await store.makeBot("b", name: "Poet", for: anonymous) }),
        ("finish theirs", { store throws(Failure) in _ = try await store.finishTurn(.of("u", in: "a", text: "Hi")) }),
        (
            "claim",
            { store throws(Failure) in
                _ = try await store.claimAnonymousUser(
                    NewAnonymousUser.numbered(1).tokenHash, isConfirmed: true, at: Timestamp(milliseconds: 5_000), for: .ann)
            }
        ),
        ("read", { store throws(Failure) in _ = try await store.messages(inConversation: "a", page: PageRequest(), for: .ann) }),
        (
            "delete",
            { store throws(Failure) in try await store.deleteConversation("c", at: Timestamp(milliseconds: 6_000), for: .ann) }
        ),
        ("erase", { store throws(Failure) in _ = try await store.erase() }),
        ("accept and leave it running", { store throws(Failure) in try await store.admit("v", in: "a", for: .ann) }),
    ]

    private static let anonymous = Caller.anonymous(NewAnonymousUser.numbered(1).tokenHash)

    /// A text that takes several pages.
    private static func long(_ text: String) -> String { text + String(repeating: ".", count: 9_000) }

    /// Everything that a database holds, a line a row, for comparison.
    static func rows(ofDatabase path: String) throws -> [String] {
        let queue = try DatabaseQueue(path: path)
        let rows = try queue.read { db in
            try String.fetchAll(db, sql: "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").flatMap { table in
                try Row.fetchAll(db, sql: "SELECT * FROM \(table)").map { "\(table) \($0.databaseValues)" }.sorted()
            }
        }
        try queue.close()
        return rows
    }
}

extension Message {
    fileprivate static func answer(of turnID: String, in conversationID: String, text: String, _ status: Status) -> Message {
        Message(
            id: turnID + ".assistant", conversationID: conversationID, turnID: turnID, parentID: turnID + ".user", role: .assistant,
            content: [.text(text)], status: status, model: "test:model", createdAt: Timestamp(milliseconds: 3_000))
    }
}

extension TurnCheckpoint {
    fileprivate static func of(_ turnID: String, in conversationID: String, text: String) -> TurnCheckpoint {
        TurnCheckpoint(turnID: turnID, message: .answer(of: turnID, in: conversationID, text: text, .partial), lastSequence: 3)
    }
}

extension TurnOutcome {
    fileprivate static func of(_ turnID: String, in conversationID: String, text: String) -> TurnOutcome {
        TurnOutcome(
            turnID: turnID, status: .completed, stopReason: .endTurn, error: nil,
            message: .answer(of: turnID, in: conversationID, text: text, .complete), usage: Usage(inputTokens: 3, outputTokens: 5),
            settlement: Settlement(.completed), lastSequence: 4, completedAt: Timestamp(milliseconds: 3_000))
    }
}
