import ParleyCore
import Testing

extension StoreContract {
    /// Conversations that are pinned and archived.
    static let shelves: [StoreContract] = [
        StoreContract("what is only pinned or archived keeps its place in time, and what is said in it leaves it where it is") { store in
            try await store.makeConversation("c", title: "C", at: 1_000, for: .ann)
            let pinned = try await store.updateConversation(
                "c", ConversationChange(pinned: true), at: Timestamp(milliseconds: 2_000), for: .ann)
            #expect(pinned.pinned && !pinned.archived && pinned.updatedAt.milliseconds == 1_000)
            let both = try await store.updateConversation(
                "c", ConversationChange(archived: true), at: Timestamp(milliseconds: 2_000), for: .ann)
            #expect(both.pinned && both.archived && both.updatedAt.milliseconds == 1_000)
            #expect(try await store.conversation("c", for: .ann) == both)
            let renamed = try await store.updateConversation(
                "c", ConversationChange(title: "D", pinned: false), at: Timestamp(milliseconds: 3_000), for: .ann)
            #expect(renamed.title == "D" && !renamed.pinned && renamed.archived && renamed.updatedAt.milliseconds == 3_000)
            try await store.exchange("t", in: "c", at: 4_000, for: .ann)
            let after = try await store.conversation("c", for: .ann)
            #expect(after.archived && after.updatedAt.milliseconds == 4_001)
        },

        StoreContract("lists show what is archived or what is not, and can be narrowed to what is pinned") { store in
            try await store.makeBot("b", name: "Bot", for: .ann)
            var all: [Conversation] = []
            for number in 0..<24 {
                let id = "c\(number)"
                try await store.makeConversation(id, botID: number % 3 == 0 ? "b" : nil, at: Int64(1_000 + number / 5), for: .ann)
                let change = ConversationChange(pinned: number % 4 == 1, archived: number % 8 < 3)
                all.append(try await store.updateConversation(id, change, at: Timestamp(milliseconds: 9_000), for: .ann))
            }
            try await store.makeConversation("other", for: .bob)
            all.sort { ($1.updatedAt.milliseconds, $0.id) < ($0.updatedAt.milliseconds, $1.id) }
            for botID in [nil, "b", "none"] {
                for archived in [false, true] {
                    for pinned in [nil, true, false] {
                        let filter = ConversationFilter(botID: botID, archived: archived, pinned: pinned)
                        let expected = all.filter { conversation in
                            (botID == nil || conversation.botID == botID) && conversation.archived == archived
                                && (pinned == nil || conversation.pinned == pinned)
                        }
                        for limit in [1, 3, 50] {
                            let found = try await store.allPages(limit: limit) { page async throws(Failure) in
                                try await store.conversations(filter, page: page, for: .ann)
                            }
                            #expect(found == expected, "\(filter), \(limit)")
                        }
                    }
                }
            }
        },

        StoreContract("a cursor belongs to a list with its filter") { store in
            for id in ["c", "d", "e", "f"] {
                try await store.makeConversation(id, for: .ann)
                let change = ConversationChange(pinned: true, archived: id > "d")
                _ = try await store.updateConversation(id, change, at: Timestamp(milliseconds: 2_000), for: .ann)
            }
            let filters = [
                ConversationFilter(), ConversationFilter(pinned: true), ConversationFilter(archived: true),
                ConversationFilter(archived: true, pinned: true),
            ]
            for filter in filters {
                let cursor = try #require(try await store.conversations(filter, page: PageRequest(limit: 1), for: .ann).nextCursor)
                for other in filters {
                    let page = PageRequest(cursor: cursor, limit: 1)
                    if filter == other {
                        #expect(try await store.conversations(other, page: page, for: .ann).elements.count == 1)
                    } else {
                        await expectFailure(.noCursor) { () async throws(Failure) in
                            try await store.conversations(other, page: page, for: .ann)
                        }
                    }
                }
            }
        },
    ]
}
