package import ParleyCore
import Testing

extension StoreContract {
    private static let day: Int64 = 86_400_000

    /// Conversations that are deleted because nothing happens in them any more.
    static let retention: [StoreContract] = [
        StoreContract("what is pinned, and where a turn runs or waits, stays; what is archived does not") { store in
            for id in ["pinned", "running", "waiting", "archived"] { try await store.makeConversation(id, at: 1, for: .ann) }
            for (id, change) in [
                ("pinned", ConversationChange(pinned: true)), ("archived", ConversationChange(archived: true)),
            ] { _ = try await store.updateConversation(id, change, at: Timestamp(milliseconds: 2), for: .ann) }
            let running = try await store.admit("t", in: "running", at: 3, for: .ann)
            let before = try await store.admit("u", in: "waiting", at: 3, for: .ann)
            try await store.enqueue("v", in: "waiting", at: 4, for: .ann)
            try await store.finish(before, at: 5)
            #expect(try await store.deleteUnused(RetentionPolicy(userDays: 30), at: 100 * day) == 1)
            let left = try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.map(\.id).sorted()
            #expect(left == ["pinned", "running", "waiting"])
            try await store.finish(running, at: 6)
            #expect(try await store.deleteUnused(RetentionPolicy(userDays: 30, keepsPinned: false), at: 100 * day) == 2)
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.map(\.id) == ["waiting"])
        },

        StoreContract("users and people who are not signed in have times of their own, the operator has none") { store in
            let guest = NewAnonymousUser.numbered(1)
            try await store.createAnonymousUser(guest)
            let callers: [(String, Caller)] = [("a", .ann), ("g", .anonymous(guest.tokenHash)), ("o", .operator)]
            for (id, caller) in callers { try await store.makeConversation(id, at: 50 * day, for: caller) }
            func left() async throws -> [String] {
                var left: [String] = []
                for (_, caller) in callers {
                    left += try await store.conversations(linkedTo: nil, page: PageRequest(), for: caller).elements.map(\.id)
                }
                return left
            }
            #expect(try await store.deleteUnused(RetentionPolicy(), at: 100 * day) == 0)
            #expect(try await store.deleteUnused(RetentionPolicy(userDays: 60, anonymousDays: 40), at: 100 * day) == 1)
            #expect(try await left() == ["a", "o"])
            // The person is still there: what is used up stays used up, and the token goes on working.
            try await store.verify(.anonymous(guest.tokenHash))
            #expect(try await store.deleteUnused(RetentionPolicy(userDays: 1), at: 100 * day) == 1)
            #expect(try await left() == ["o"])
        },

        StoreContract("much that is not used is deleted a little at a time") { store in
            for number in 0..<70 {
                let caller = Caller.user(id: "person\(number % 3)")
                try await store.makeConversation("c\(number)", at: 1, for: caller)
                if number < 60 { continue }
                _ = try await store.updateConversation(
                    "c\(number)", ConversationChange(pinned: true), at: Timestamp(milliseconds: 1), for: caller)
            }
            var place: RetentionPlace? = RetentionPlace(time: Timestamp(milliseconds: 100 * day), person: 0)
            var counts: [Int] = []
            repeat {
                let step = try await store.deleteUnusedConversations(
                    RetentionPolicy(userDays: 30), from: place, at: Timestamp(milliseconds: 100 * day))
                counts.append(step.deleted)
                place = step.next
            } while place != nil
            #expect(counts.reduce(0, +) == 60 && counts.count > 2)
            for number in 0..<3 {
                let caller = Caller.user(id: "person\(number)")
                let left = try await store.conversations(linkedTo: nil, page: PageRequest(), for: caller).elements
                #expect((3...4).contains(left.count) && left.allSatisfy(\.pinned))
            }
        },
    ]
}

extension Store {
    /// Deletes all that is not used any more.
    ///
    /// - Parameters:
    ///   - now: the time by which ages are reckoned, in milliseconds.
    /// - Returns: how many conversations that were.
    package func deleteUnused(_ policy: RetentionPolicy, at now: Int64) async throws(Failure) -> Int {
        var place: RetentionPlace? = RetentionPlace(time: Timestamp(milliseconds: now), person: 0)
        var count = 0
        repeat {
            let step = try await deleteUnusedConversations(policy, from: place, at: Timestamp(milliseconds: now))
            count += step.deleted
            place = step.next
        } while place != nil
        return count
    }
}
