import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// What becomes of the turns of a host that died: one that lost its locks without closing.
@Suite struct RecoveryTests {
    let database: TemporaryDatabase
    let dead: SQLiteStore
    let admitted: AdmittedTurn
    let partial: Message

    init() async throws {
        database = try TemporaryDatabase()
        dead = try database.open()
        try await dead.makeConversation("c", for: .ann)
        admitted = try await dead.admit("t", in: "c", for: .ann)
        partial = .answer(to: admitted, text: "Hel", status: .partial)
        try await dead.checkpoint([TurnCheckpoint(turnID: "t", message: partial, lastSequence: 3)])
    }

    private func expectInterrupted(_ store: SQLiteStore, at time: Int64) async throws {
        var turn = admitted.turn
        turn.status = .interrupted
        turn.stopReason = .interrupted
        turn.messageID = partial.id
        turn.quota = QuotaReceipt(counted: false, reason: .interrupted, warning: nil, limits: [])
        turn.completedAt = Timestamp(milliseconds: time)
        #expect(try await store.turn("t", for: .ann) == TurnResult(turn: turn, message: partial))
        // The end is an event, and has a number.
        let snapshot = try await store.snapshot(ofTurn: "t", beyond: .max, for: .ann)
        #expect(snapshot == TurnSnapshot(turn: turn, messages: [admitted.userMessage, partial], lastSequence: 4))
        let messages = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements
        #expect(messages.contains(partial))
        #expect(try await store.conversation("c", for: .ann).messageCount == messages.count)
    }

    @Test func opening() async throws {
        dead.surroundings.locks?.unlockAll()
        let store = try database.open()
        try await expectInterrupted(store, at: 1_000_000)
        let conversation = try await store.conversation("c", for: .ann)
        #expect(conversation.activeTurnID == nil && conversation.updatedAt.milliseconds == 1_000_000)
        #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements == [partial, admitted.userMessage])
        // The one that was only taken for dead finds its turn ended, and cannot write to it any more.
        let late = try await dead.finish(admitted, text: "too late")
        #expect(late.turn.status == .interrupted && late.message == partial)
        try await dead.checkpoint([TurnCheckpoint(turnID: "t", message: .answer(to: admitted, text: "late"), lastSequence: 9)])
        try await expectInterrupted(store, at: 1_000_000)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func admission() async throws {
        let store = try database.open()
        await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in try await store.admit("u", in: "c", for: .ann) }
        dead.surroundings.locks?.unlockAll()
        let next = try await store.admit("u", in: "c", at: 5_000, for: .ann)
        #expect(next.userMessage.parentID == partial.id && next.conversation.messageCount == 3)
        try await expectInterrupted(store, at: 5_000)
        try await store.finish(next)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func cancelling() async throws {
        let store = try database.open()
        let asked = try await store.requestCancel(ofTurn: "t", at: Timestamp(milliseconds: 4_000), for: .ann)
        #expect(asked.turn.status == .inProgress)
        #expect(try await store.turnsToCancel().isEmpty)
        #expect(try await dead.turnsToCancel() == ["t"])
        dead.surroundings.locks?.unlockAll()
        let cancelled = try await store.requestCancel(ofTurn: "t", at: Timestamp(milliseconds: 5_000), for: .ann)
        #expect(cancelled.turn.status == .interrupted)
        try await expectInterrupted(store, at: 5_000)
        #expect(try await dead.turnsToCancel().isEmpty)
        try await store.close()
    }

    @Test func deletion() async throws {
        let store = try database.open()
        await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in
            try await store.deleteConversation("c", at: Timestamp(milliseconds: 5_000), for: .ann)
        }
        dead.surroundings.locks?.unlockAll()
        try await store.deleteConversation("c", at: Timestamp(milliseconds: 5_000), for: .ann)
        await expectFailure(.notFound(.turn, "t")) { () async throws(Failure) in try await dead.finish(admitted) }
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func branching() async throws {
        let store = try database.open()
        dead.surroundings.locks?.unlockAll()
        var new = NewTurn.plain("u", .existing(conversationID: "c"), at: 5_000)
        new.beginning = .regeneration(of: partial.id)
        let again = try await store.accept(new, for: .ann)
        #expect(again.userMessage == admitted.userMessage && again.conversation.messageCount == 2)
        #expect(again.conversation.headMessageID == admitted.userMessage.id)
        // The new answer stops as the first one did, and is the head as that was.
        let second = Message.answer(to: again, text: "Hello, I", status: .partial)
        try await store.checkpoint([TurnCheckpoint(turnID: "u", message: second, lastSequence: 3)])
        store.surroundings.locks?.unlockAll()
        let third = try database.open()
        #expect(try await third.conversation("c", for: .ann).headMessageID == second.id)
        let siblings = try await third.siblings(of: partial.id, inConversation: "c", page: PageRequest(), for: .ann).elements
        #expect(siblings.map(\.text) == ["Hel", "Hello, I"])
        try await third.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func forking() async throws {
        let store = try database.open()
        await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in try await store.fork("c", as: "f", for: .ann) }
        dead.surroundings.locks?.unlockAll()
        #expect(try await store.fork("c", as: "f", for: .ann).messageCount == 2)
        #expect(try await store.path(of: "f").map(\.text) == [admitted.userMessage.text, partial.text])
        try await expectInterrupted(store, at: 7_000)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func rating() async throws {
        let store = try database.open()
        await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in try await store.rate(partial.id, .up, for: .ann) }
        dead.surroundings.locks?.unlockAll()
        #expect(try await store.rate(partial.id, .up, for: .ann).text == partial.text)
        #expect(try await store.turn("t", for: .ann).turn.status == .interrupted)
        try await store.close()
    }

    @Test func movingTheHead() async throws {
        let store = try database.open()
        let change = ConversationChange(headMessageID: admitted.userMessage.id)
        await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in
            try await store.updateConversation("c", change, at: Timestamp(milliseconds: 5_000), for: .ann)
        }
        dead.surroundings.locks?.unlockAll()
        let moved = try await store.updateConversation("c", change, at: Timestamp(milliseconds: 5_000), for: .ann)
        #expect(moved.headMessageID == admitted.userMessage.id && moved.activeTurnID == nil && moved.messageCount == 2)
        #expect(try await store.turn("t", for: .ann).turn.status == .interrupted)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func asking() async throws {
        let store = try database.open()
        #expect(try await store.recoverTurns(at: Timestamp(milliseconds: 5_000)) == 0)
        dead.surroundings.locks?.unlockAll()
        // Reading changes nothing.
        #expect(try await store.turn("t", for: .ann).turn.status == .inProgress)
        #expect(try await store.recoverTurns(at: Timestamp(milliseconds: 6_000)) == 1)
        try await expectInterrupted(store, at: 6_000)
        #expect(try await store.recoverTurns(at: Timestamp(milliseconds: 7_000)) == 0)
        try await store.close()
    }

    @Test func closing() async throws {
        let other = try database.open()
        try await dead.close()
        try await expectInterrupted(other, at: 1_000_000)
        try await other.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func turnsThatWaitBeginElsewhere() async throws {
        let store = try database.open()
        let queued = try await dead.enqueue("u", in: "c", for: .ann)
        try await store.enqueue("v", in: "c", for: .ann)
        #expect(try await store.advance(["v"]).isEmpty)
        // The host that is to begin the next turn lives.
        try await dead.finish(admitted)
        #expect(try await store.advance(["v"]).isEmpty)
        dead.surroundings.locks?.unlockAll()
        let begun = try await store.begin("u", at: 6_000)
        #expect(begun.caller == .ann && begun.admitted.turn.createdAt == queued.turn.createdAt)
        #expect(try await dead.leaveQueue("u", at: Timestamp(milliseconds: 7_000)).turn.status == .inProgress)
        await expectFailure(.notFound(.turn, "u")) { () async throws(Failure) in
            try await dead.appendMessages([.answer(to: begun.admitted)], toTurn: "u", lastSequence: 3)
        }
        try await store.finish(begun.admitted)
        try await store.begin("v")
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func turnsThatWaitBehindADeadOne() async throws {
        let store = try database.open()
        try await store.enqueue("u", in: "c", for: .ann)
        dead.surroundings.locks?.unlockAll()
        #expect(try await store.begin("u", at: 6_000).admitted.userMessage.parentID == partial.id)
        try await expectInterrupted(store, at: 6_000)
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func turnsThatWaitOutliveTheirHost() async throws {
        try await dead.enqueue("u", in: "c", for: .ann)
        try await dead.close()
        #expect(SQLiteStore.check(path: database.path) == [])
        let store = try database.open()
        try await store.begin("u")
        try await store.close()
    }

    @Test func hostsThatAreGoneAreForgotten() async throws {
        dead.surroundings.locks?.unlockAll()
        let store = try database.open()
        let numbers = try database.meddle { try Int64.fetchAll($0, sql: "SELECT number FROM hosts") }
        #expect(numbers == [store.surroundings.host] && store.surroundings.host > dead.surroundings.host)
        try await store.close()
        // A number is never given twice, not even when no row remembers it.
        let next = try database.open()
        #expect(next.surroundings.host > store.surroundings.host)
        try await next.close()
    }

    @Test func numberWhoseByteIsTaken() async throws {
        // As when the database is replaced under a host that still runs.
        let locks = try OwnerLocks(path: database.path + "-hosts")
        for number in 2...4 as ClosedRange<Int64> { #expect(try locks.lock(number)) }
        let store = try database.open()
        #expect(store.surroundings.host == 5)
        try await store.close()
    }
}
