import ParleyCore
import Testing

extension StoreContract {
    static let care: [StoreContract] = [
        StoreContract("what was deleted is erased once, and nothing else goes with it") { store in
            #expect(try await store.erase())
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t", in: "c", for: .ann)
            try await store.makeConversation("d", for: .ann)
            try await store.deleteConversation("d", at: Timestamp(milliseconds: 9_000), for: .ann)
            #expect(try await store.erasurePending())
            #expect(try await store.erase())
            #expect(try await !store.erasurePending())
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.count == 2)
            try await store.exchange("u", in: "c", for: .ann)
        },

        StoreContract("calls are finished whatever becomes of the task that made them") { store in
            try await store.makeConversation("c", for: .ann)
            let count = try await withThrowingTaskGroup(of: Int.self) { group in
                group.cancelAll()
                group.addTask {
                    #expect(Task.isCancelled)
                    try await store.exchange("t", in: "c", for: .ann)
                    return try await store.conversation("c", for: .ann).messageCount
                }
                return try await group.next()
            }
            #expect(count == 2)
        },
    ]
}
