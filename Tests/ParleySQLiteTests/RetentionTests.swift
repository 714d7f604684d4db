import ParleyCore
import ParleyTestSupport
import Testing

@testable import ParleySQLite

/// When conversations go that are kept for a time, and what the clock does to them.
@Suite struct RetentionTests {
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 24 * hour
    private static let policy = RetentionPolicy(userDays: 30)

    private let database: TemporaryDatabase
    private let clock = TestClock()

    init() throws { database = try TemporaryDatabase() }

    /// Takes a walk.
    ///
    /// - Returns: how many conversations each of its steps has deleted.
    private func walk(_ store: SQLiteStore, _ clock: TestClock) async throws -> [Int] {
        var counts: [Int] = []
        var place: RetentionPlace?
        repeat {
            let step = try await store.deleteUnusedConversations(Self.policy, from: place, at: clock.now)
            counts.append(step.deleted)
            place = step.next
        } while place != nil
        return counts
    }

    private func deleteUnused(_ store: SQLiteStore, _ clock: TestClock) async throws -> Int {
        try await walk(store, clock).reduce(0, +)
    }

    private func left(_ store: SQLiteStore) async throws -> [String] {
        try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.map(\.id).sorted()
    }

    @Test func whatIsNotUsedForLongerThanAllowedIsDeletedToTheMillisecond() async throws {
        let store = try database.open(clock: clock)
        for id in ["old", "edge", "used"] {
            try await store.makeConversation(id, at: clock.now.milliseconds, for: .ann)
            try await store.exchange("t." + id, in: id, at: clock.now.milliseconds, for: .ann)
            clock.pass(milliseconds: 1)
        }
        try await store.makeConversation("bobs", at: clock.now.milliseconds, for: .bob)
        clock.pass(milliseconds: Self.day)
        try await store.exchange("u", in: "used", at: clock.now.milliseconds, for: .ann)
        clock.pass(milliseconds: 29 * Self.day - 2)
        #expect(try await !store.erasurePending())
        #expect(try await deleteUnused(store, clock) == 1)
        #expect(try await left(store) == ["edge", "used"])
        #expect(try await store.erasurePending())
        await expectFailure(.notFound(.turn, "t.old")) { () async throws(Failure) in try await store.turn("t.old", for: .ann) }
        #expect(try await store.found("hello", for: .ann).keys.sorted() == ["edge", "used"])
        clock.pass(milliseconds: Self.hour)
        #expect(try await deleteUnused(store, clock) == 2)
        #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .bob).elements.isEmpty)
        try await store.close()
    }

    @Test func whateverIsDoneWithAConversationUsesIt() async throws {
        let store = try database.open(quotas: QuotaPolicy([QuotaRule(.userInFlight, limit: 1)]), clock: clock)
        let guest = NewAnonymousUser.numbered(1)
        try await store.createAnonymousUser(guest)
        for id in ["unpinned", "unarchived", "rated", "answered", "waited", "claimed", "read"] {
            let caller = id == "claimed" ? Caller.anonymous(guest.tokenHash) : .ann
            try await store.makeConversation(id, at: clock.now.milliseconds, for: caller)
            try await store.exchange("t." + id, in: id, at: clock.now.milliseconds, for: caller)
        }
        for (id, change) in [
            ("unpinned", ConversationChange(pinned: true)), ("unarchived", ConversationChange(archived: true)),
        ] { _ = try await store.updateConversation(id, change, at: clock.now, for: .ann) }
        clock.pass(milliseconds: 31 * Self.day)
        for (id, change) in [
            ("unpinned", ConversationChange(pinned: false)), ("unarchived", ConversationChange(archived: false)),
        ] {
            let changed = try await store.updateConversation(id, change, at: clock.now, for: .ann)
            #expect(changed.updatedAt < clock.now.advanced(byMilliseconds: -30 * Self.day), "it keeps its place in the list")
        }
        _ = try await store.rateMessage("t.rated.assistant", as: nil, at: clock.now, for: .ann)
        try await store.exchange("u", in: "answered", at: clock.now.milliseconds, for: .ann)
        // What waits for a turn elsewhere, and is taken back, has changed nothing that shows.
        try await store.makeConversation("other", at: clock.now.milliseconds, for: .ann)
        let other = try await store.admit("w", in: "other", at: clock.now.milliseconds, for: .ann)
        _ = try await store.enqueue("v", in: "waited", at: clock.now.milliseconds, for: .ann)
        _ = try await store.leaveQueue("v", at: clock.now)
        try await store.finish(other, at: clock.now.milliseconds)
        _ = try await store.claimAnonymousUser(guest.tokenHash, isConfirmed: true, at: clock.now, for: .ann)
        _ = try await store.messages(inConversation: "read", page: PageRequest(), for: .ann)
        #expect(try await deleteUnused(store, clock) == 1)
        #expect(try await left(store) == ["answered", "claimed", "other", "rated", "unarchived", "unpinned", "waited"])
        clock.pass(milliseconds: 31 * Self.day)
        #expect(try await deleteUnused(store, clock) == 7)
        try await store.close()
    }

    @Test func allProcessesTogetherLookOnceAnHour() async throws {
        let stores = try [database.open(clock: clock), database.open(clock: clock)]
        for id in ["first", "second"] {
            try await stores[0].makeConversation(id, at: clock.now.milliseconds, for: .ann)
            clock.pass(milliseconds: Self.hour / 2)
        }
        clock.pass(milliseconds: 30 * Self.day - Self.hour + 1)
        #expect(try await deleteUnused(stores[0], clock) == 1)
        clock.pass(milliseconds: Self.hour / 2)
        #expect(try await deleteUnused(stores[1], clock) == 0)
        clock.pass(milliseconds: Self.hour / 2)
        #expect(try await deleteUnused(stores[1], clock) == 1)
        for store in stores { try await store.close() }
    }

    @Test func aWalkThatWasBrokenOffIsBegunAnew() async throws {
        let store = try database.open(clock: clock)
        for number in 0..<50 { try await store.makeConversation("c\(number)", at: clock.now.milliseconds, for: .ann) }
        clock.pass(milliseconds: 31 * Self.day)
        let step = try await store.deleteUnusedConversations(Self.policy, from: nil, at: clock.now)
        #expect(step.deleted == 20 && step.next != nil)
        try await store.close()
        let next = try database.open(clock: clock)
        #expect(try await deleteUnused(next, clock) == 30)
        try await next.close()
    }

    @Test(arguments: [(1_500, [1, 1, 1]), (1_000, [2, 1]), (10, [3])])
    func whoeverWritesWaitsForNoMoreThanSomeMessages(messages: Int, counts: [Int]) async throws {
        let store = try database.open(clock: clock)
        for id in ["a", "b", "c"] { try await store.makeConversation(id, at: clock.now.milliseconds, for: .ann) }
        try await store.write { _ = try $0.db.run("UPDATE conversations SET message_count = ?", messages) }
        clock.pass(milliseconds: 31 * Self.day)
        #expect(try await walk(store, clock).filter { $0 > 0 } == counts)
        try await store.close()
    }

    /// The machine's clock does not go on while it is off: it begins in 1970, or where it was when the machine went off.
    @Test(arguments: [true, false]) func whatIsUsedWhileTheClockIsBehindIsNotOld(isUnset: Bool) async throws {
        clock.step(milliseconds: 20_000 * Self.day)
        let store = try database.open(clock: clock)
        for id in ["old", "used"] { try await store.makeConversation(id, at: clock.now.milliseconds, for: .ann) }
        #expect(try await deleteUnused(store, clock) == 0)
        try await store.close()
        // Two months later.
        let later = TestClock(boot: 8)
        if !isUnset { later.step(milliseconds: 20_000 * Self.day) }
        let next = try database.open(clock: later)
        #expect(try await deleteUnused(next, later) == 0)
        later.pass(milliseconds: Self.hour)
        try await next.exchange("t", in: "used", at: later.now.milliseconds, for: .ann)
        try await next.makeConversation("new", at: later.now.milliseconds, for: .ann)
        later.pass(milliseconds: Self.hour)
        #expect(try await deleteUnused(next, later) == 0)
        later.step(milliseconds: (isUnset ? 20_060 : 60) * Self.day)
        for _ in 0..<100 {
            later.pass(milliseconds: Self.hour)
            #expect(try await deleteUnused(next, later) == 0)
        }
        later.pass(milliseconds: 30 * Self.day - 101 * Self.hour)
        // What was not used meanwhile is at least as old as that.
        #expect(try await deleteUnused(next, later) == 1)
        #expect(try await left(next) == ["new", "used"])
        later.pass(milliseconds: Self.hour)
        #expect(try await deleteUnused(next, later) == 2)
        try await next.close()
    }

    @Test func whatIsUsedWhileTheClockIsAheadIsNotKeptForEver() async throws {
        let store = try database.open(clock: clock)
        try await store.makeConversation("before", at: clock.now.milliseconds, for: .ann)
        try await store.close()
        let later = TestClock(boot: 8)
        later.step(milliseconds: 3_650 * Self.day)
        let next = try database.open(clock: later)
        try await next.makeConversation("ahead", at: later.now.milliseconds, for: .ann)
        later.pass(milliseconds: Self.hour / 2)
        later.step(milliseconds: -3_650 * Self.day)
        #expect(try await deleteUnused(next, later) == 0)
        later.pass(milliseconds: 27 * Self.day)
        #expect(try await deleteUnused(next, later) == 0)
        later.pass(milliseconds: 4 * Self.day)
        #expect(try await deleteUnused(next, later) == 2)
        try await next.close()
    }

    @Test func theFirstWalkDoesNotBelieveAClockThatIsAhead() async throws {
        let newest: Int64 = 1_600_000_000_000
        try database.meddle { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            try Schema.migrate(db, through: Array(Schema.steps.prefix(7)))
            try db.execute(
                sql: """
                    INSERT INTO people (key, kind, external_id, created_at) VALUES (1, 'user', 'ann', 1);
                    INSERT INTO conversations (key, id, owner, created_at, updated_at, title, metadata) VALUES
                    (1, 'newest', 1, 1, \(newest), '', '{}'), (2, 'recent', 1, 1, \(newest - 28 * Self.day), '', '{}'),
                    (3, 'old', 1, 1, \(newest - 30 * Self.day), '', '{}'), (4, 'unset', 1, 1, 1000, '', '{}')
                    """)
        }
        clock.step(milliseconds: newest + 365 * Self.day)
        let store = try database.open(clock: clock)
        #expect(try await deleteUnused(store, clock) == 1)
        clock.step(milliseconds: -365 * Self.day)
        clock.pass(milliseconds: Self.hour)
        #expect(try await deleteUnused(store, clock) == 0)
        #expect(try await left(store) == ["newest", "recent", "unset"])
        clock.pass(milliseconds: Self.day)
        #expect(try await deleteUnused(store, clock) == 1)
        clock.pass(milliseconds: 28 * Self.day)
        #expect(try await deleteUnused(store, clock) == 2)
        try await store.close()
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

    @Test func whatIsKeptNoLongerIsErasedOnceADay() async throws {
        var store = try database.open(clock: clock)
        for number in 0..<5 {
            try await store.makeConversation("c\(number)", title: "title\(number)", at: clock.now.milliseconds, for: .ann)
            clock.pass(milliseconds: 2 * Self.hour)
        }
        clock.pass(milliseconds: 30 * Self.day - 10 * Self.hour + 1)
        for number in 0..<3 {
            #expect(try await deleteUnused(store, clock) == 1)
            #expect(try await store.erasurePending())
            // It is nobody else's turn, whether the host is idle or ends.
            if number == 2 { try await store.close() } else { #expect(try await store.erase()) }
            if number == 2 { store = try database.open(clock: clock) }
            #expect(try await store.erasurePending() == (number > 0))
            clock.pass(milliseconds: 2 * Self.hour)
        }
        // What somebody deletes takes the rest along.
        try await store.deleteConversation("c3", at: clock.now, for: .ann)
        #expect(try await store.erase())
        #expect(try await !store.erasurePending())
        for number in 0..<4 { #expect(try database.files(with: "title\(number)") == []) }
        clock.pass(milliseconds: 2 * Self.hour)
        #expect(try await deleteUnused(store, clock) == 1)
        #expect(try await store.erase())
        clock.pass(milliseconds: 16 * Self.hour)
        #expect(try await store.erasurePending())
        // A day after the first, also where nothing more is deleted.
        try await store.close()
        #expect(try database.files(with: "title4") == [])
        store = try database.open(clock: clock)
        #expect(try await !store.erasurePending())
        try await store.close()
    }

    @Test func severalHostsDeleteSideBySide() async throws {
        let stores = try [database.open(clock: clock), database.open(clock: clock)]
        for number in 0..<90 {
            try await stores[0].makeConversation("c\(number)", at: clock.now.milliseconds, for: .user(id: "person\(number % 4)"))
        }
        clock.pass(milliseconds: 31 * Self.day)
        let counts = try await withThrowingTaskGroup(of: Int.self) { group in
            for store in stores { group.addTask { try await deleteUnused(store, clock) } }
            return try await group.reduce(0, +)
        }
        #expect(counts == 90)
        for store in stores { try await store.close() }
    }
}
