import GRDB
import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// Windows slide by quota time, which a wall clock that steps can neither turn back nor hurry on for long.
@Suite struct QuotaClockTests {
    private static let day: Int64 = 86_400_000
    private static let window: Int64 = 60_000

    private let database: TemporaryDatabase
    private let clock = TestClock()
    private let store: SQLiteStore

    init() async throws {
        database = try TemporaryDatabase()
        store = try Self.open(database, clock)
        try await store.makeConversation("c", for: .ann)
    }

    private static func open(_ database: TemporaryDatabase, _ clock: TestClock) throws -> SQLiteStore {
        try database.open(quotas: QuotaPolicy([QuotaRule(.userTurns, limit: 2, windowSeconds: 60)]), clock: clock)
    }

    private func send(_ id: String, to store: SQLiteStore? = nil, _ clock: TestClock? = nil) async throws(Failure) {
        let store = store ?? self.store
        let clock = clock ?? self.clock
        let admitted = try await store.admit(id, in: "c", at: clock.now.milliseconds, for: .ann)
        try await store.finish(admitted, at: clock.now.milliseconds)
    }

    /// Expects a refusal that says to come back after so many milliseconds.
    private func expectRefusal(for milliseconds: Int64, by store: SQLiteStore? = nil, _ clock: TestClock? = nil) async {
        let refusal = await expectExceeded(.userTurns) { () async throws(Failure) in try await send("refused", to: store, clock) }
        #expect(refusal?.number("retryAfterMs") == Int(milliseconds))
    }

    @Test(arguments: [-1, 1] as [Int64]) func aDayBackOrForwardAndReturned(direction: Int64) async throws {
        try await send("t1")
        try await send("t2")
        clock.pass(milliseconds: 10_000)
        await expectRefusal(for: Self.window - 10_000)
        clock.step(milliseconds: direction * Self.day)
        if direction < 0 {
            // Back: nothing opens earlier than it would have.
            await expectRefusal(for: Self.window - 10_000)
            clock.pass(milliseconds: 20_000)
            clock.step(milliseconds: Self.day)
            await expectRefusal(for: Self.window - 30_000)
            clock.pass(milliseconds: Self.window - 30_000)
        }
        // Forward: the window has gone by, as far as anybody can tell.
        try await send("t3")
        clock.step(milliseconds: -direction * (direction < 0 ? 0 : Self.day))
        try await send("t4")
        // Returned: the wrong day delays nobody by more than a window.
        await expectRefusal(for: Self.window)
        clock.pass(milliseconds: Self.window - 1)
        await expectRefusal(for: 1)
        clock.pass(milliseconds: 1)
        try await send("t5")
    }

    @Test func aDayBackForGood() async throws {
        try await send("t1")
        try await send("t2")
        clock.step(milliseconds: -Self.day)
        for passed in [0, 20_000, 59_999] as [Int64] {
            clock.pass(milliseconds: passed - (clock.monotonic))
            await expectRefusal(for: Self.window - passed)
        }
        clock.pass(milliseconds: 1)
        try await send("t3")
        let reading = try await store.reading(.userTurns, of: .user(id: "ann"), at: clock.now.milliseconds)
        #expect(reading.totals?.used == 1)
        // Moments are told in the terms of the wall clock, whatever it says.
        #expect(reading.resetsAt == clock.now.advanced(byMilliseconds: Self.window))
    }

    @Test func manyShortProcessesWhileTheClockIsBack() async throws {
        try await send("t1")
        try await send("t2")
        clock.step(milliseconds: -Self.day)
        try await store.close()
        // Time passes while no process runs, too: the monotonic clock is the machine's.
        for restart in 1...10 as ClosedRange<Int64> {
            clock.pass(milliseconds: Self.window / 10 - (restart == 10 ? 1 : 0))
            let next = try Self.open(database, clock)
            await expectRefusal(for: restart == 10 ? 1 : Self.window / 10 * (10 - restart), by: next)
            try await next.close()
        }
        clock.pass(milliseconds: 1)
        let last = try Self.open(database, clock)
        try await send("t3", to: last)
        try await last.close()
    }

    @Test func theMachineWasStartedAnewWhileTheClockIsBack() async throws {
        try await send("t1")
        try await send("t2")
        try await store.close()
        // Another machine, or another start of this one: what the mark's monotonic clock counted from is gone.
        let other = TestClock(boot: 8)
        other.step(milliseconds: -Self.day)
        other.pass(milliseconds: 500_000)
        let next = try Self.open(database, other)
        await expectRefusal(for: Self.window, by: next, other)
        other.pass(milliseconds: Self.window - 1)
        await expectRefusal(for: 1, by: next, other)
        other.pass(milliseconds: 1)
        try await send("t3", to: next, other)
        try await next.close()
    }

    @Test func anotherProcessHasSeenTomorrow() async throws {
        let other = try Self.open(database, clock)
        clock.step(milliseconds: Self.day)
        try await send("t1", to: other)
        try await send("t2", to: other)
        clock.step(milliseconds: -Self.day)
        await expectRefusal(for: Self.window)
        clock.pass(milliseconds: Self.window - 1)
        await expectRefusal(for: 1)
        await expectRefusal(for: 1, by: other)
        clock.pass(milliseconds: 1)
        try await send("t3")
        try await other.close()
    }

    @Test func shortProcessesDiscardWhatHasExpiredOnceADay() async throws {
        let month = Int64(QuotaPolicy.maximumWindowSeconds) * 1_000
        try await send("t1")
        try await store.close()
        func counters() throws -> Int {
            try database.meddle { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM counters WHERE width = 1") ?? 0 }
        }
        #expect(try counters() == 2)
        for (passes, left) in [(Self.day - 1, 2), (month, 0)] {
            clock.pass(milliseconds: passes)
            try await Self.open(database, clock).close()
            #expect(try counters() == left)
        }
    }
}
