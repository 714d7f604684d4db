import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// What the clock does to conversations that are kept for a time.
@Suite struct RetentionTests {
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 24 * hour
    private static let policy = RetentionPolicy(userDays: 30)

    private let database: TemporaryDatabase
    private let clock = TestClock()

    init() throws { database = try TemporaryDatabase() }

    private func deleteUnused(_ store: SQLiteStore, _ clock: TestClock) async throws -> Int {
        try await store.deleteUnused(Self.policy, at: clock.now.milliseconds)
    }

    @Test func aClockThatGoesWrongDeletesNothingAtOnce() async throws {
        let store = try database.open(clock: clock)
        try await store.makeConversation("c", at: clock.now.milliseconds, for: .ann)
        #expect(try await deleteUnused(store, clock) == 0)
        clock.step(milliseconds: 365 * Self.day)
        for _ in 0..<10 { #expect(try await deleteUnused(store, clock) == 0, "asking often is no time") }
        // Neither is opening the database again.
        try await store.close()
        let next = try database.open(clock: clock)
        #expect(try await deleteUnused(next, clock) == 0)
        for _ in 0..<24 {
            clock.pass(milliseconds: Self.hour)
            #expect(try await deleteUnused(next, clock) == 0)
        }
        clock.step(milliseconds: -365 * Self.day)
        #expect(try await deleteUnused(next, clock) == 0)
        clock.pass(milliseconds: 28 * Self.day)
        #expect(try await deleteUnused(next, clock) == 0)
        clock.pass(milliseconds: Self.day + 1)
        #expect(try await deleteUnused(next, clock) == 1)
        try await next.close()
    }

    @Test func aClockThatIsRightIsCaughtUpWith() async throws {
        let store = try database.open(clock: clock)
        try await store.makeConversation("c", at: clock.now.milliseconds, for: .ann)
        #expect(try await deleteUnused(store, clock) == 0)
        try await store.close()
        // Two months later the machine is started again.
        let later = TestClock(boot: 8)
        later.step(milliseconds: 60 * Self.day)
        let next = try database.open(clock: later)
        var hours = 0
        while try await deleteUnused(next, later) == 0, hours < 100 {
            hours += 1
            later.pass(milliseconds: Self.hour)
        }
        #expect((24...36).contains(hours))
        try await next.close()
    }

    @Test func theBytesLeaveTheFiles() async throws {
        let store = try database.open(clock: clock)
        for id in ["old", "kept"] {
            try await store.makeConversation(id, title: "\(id)Title", at: clock.now.milliseconds, for: .ann)
            try await store.exchange("t." + id, in: id, text: "\(id)Question", answer: "\(id)Answer", at: clock.now.milliseconds, for: .ann)
        }
        _ = try await store.updateConversation("kept", ConversationChange(pinned: true), at: clock.now, for: .ann)
        while try await store.prepareSearches() {}
        clock.pass(milliseconds: 31 * Self.day)
        #expect(try await deleteUnused(store, clock) == 1)
        #expect(try await store.erase())
        for word in ["oldTitle", "oldQuestion", "oldAnswer", "oldtitle", "oldquestion", "oldanswer"] {
            #expect(try database.files(with: word) == [], "\(word)")
        }
        #expect(try database.files(with: "keptAnswer") == ["parley.db"])
        try await store.close()
        #expect(SQLiteStore.check(path: database.path) == [])
    }

    @Test func severalHostsDeleteSideBySide() async throws {
        let stores = try [database.open(clock: clock), database.open(clock: clock)]
        for number in 0..<90 {
            try await stores[0].makeConversation("c\(number)", at: clock.now.milliseconds, for: .user(id: "person\(number % 4)"))
        }
        clock.pass(milliseconds: 31 * Self.day)
        let now = clock.now.milliseconds
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for store in stores { group.addTask { try await store.deleteUnused(Self.policy, at: now) } }
            return try await group.reduce(0, +)
        }
        #expect(counts == 90)
        for store in stores { try await store.close() }
    }
}
