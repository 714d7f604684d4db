import ParleyCore
import Testing

extension StoreContract {
    static let messages: [StoreContract] = [
        StoreContract("messages are listed from the head, newest first") { store in
            try await store.makeConversation("c", for: .ann)
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.isEmpty)
            for number in 0..<5 { try await store.exchange("t\(number)", in: "c", at: Int64(2_000 + 10 * number), for: .ann) }
            let expected = (0..<5).reversed().flatMap { ["t\($0).assistant", "t\($0).user"] }
            for limit in [1, 2, 3, 9, 10, 11, 200] {
                let all = try await store.allPages(limit: limit) { page async throws(Failure) in
                    try await store.messages(inConversation: "c", page: page, for: .ann)
                }
                #expect(all.map(\.id) == expected, "limit \(limit)")
                #expect(zip(all, all.dropFirst()).allSatisfy { $0.parentID == $1.id } && all.last?.parentID == nil)
            }
        },

        StoreContract("pages do not move while messages come") { store in
            try await store.makeConversation("c", for: .ann)
            for number in 0..<4 { try await store.exchange("t\(number)", in: "c", for: .ann) }
            let first = try await store.messages(inConversation: "c", page: PageRequest(limit: 3), for: .ann)
            try await store.exchange("new", in: "c", for: .ann)
            let second = try await store.messages(
                inConversation: "c", page: PageRequest(cursor: first.nextCursor, limit: 200), for: .ann)
            #expect(second.nextCursor == nil)
            let ids = (first.elements + second.elements).map(\.id)
            #expect(ids == (0..<4).reversed().flatMap { ["t\($0).assistant", "t\($0).user"] })
        },

        StoreContract("a page of long messages is bounded by bytes and holds at least one") { store in
            try await store.makeConversation("c", for: .ann)
            let long = String(repeating: "é", count: 1 << 20)
            for number in 0..<3 { try await store.exchange("t\(number)", in: "c", text: long, answer: "short", for: .ann) }
            let first = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann)
            #expect(!first.elements.isEmpty && first.elements.count < 6)
            let all = try await store.allPages(limit: 200) { page async throws(Failure) in
                let page = try await store.messages(inConversation: "c", page: page, for: .ann)
                #expect(page.elements.filter { $0.text == long }.count <= 1)
                return page
            }
            #expect(all.count == 6 && all.filter { $0.text == long }.count == 3)
        },

        StoreContract("a message is read as it was stored") { store in
            try await store.makeConversation("c", for: .ann)
            let parts: [Message.Part] = [.text("a\u{0}b\u{2028}\"\\\u{1F}"), .text(""), .text("👩‍👩‍👧 e\u{301}\r\n")]
            var new = NewTurn.plain("t", .existing(conversationID: "c"))
            new.content = parts
            let admitted = try await store.accept(new, for: .ann)
            var answer = Message.answer(to: admitted)
            answer.content = parts.reversed()
            answer.usage = Usage(
                inputTokens: 7, cachedInputTokens: 6, outputTokens: 5, reasoningTokens: 4, cost: Cost(amount: "0.0012", currency: "USD"))
            var outcome = TurnOutcome.plain(admitted)
            outcome.message = answer
            #expect(try await store.finishTurn(outcome).message == answer)
            let read = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements
            #expect(read == [answer, admitted.userMessage])
            #expect(read.last?.content == parts)
            #expect(try await store.turn("t", for: .ann).message == answer)
            let history = try await store.history(endingAt: answer.id, maximumBytes: 1_000)
            #expect(history == History(messages: [admitted.userMessage, answer], earlierCount: 0))
        },

        StoreContract("a history ends with its message and holds the turns that fit whole, the newest in any case") { store in
            try await store.makeConversation("c", for: .ann)
            // Texts of 1, 2, 3 … 8 bytes, oldest first.
            for number in 0..<4 {
                try await store.exchange(
                    "t\(number)", in: "c", text: String(repeating: "u", count: 2 * number + 1),
                    answer: String(repeating: "é", count: number + 1), for: .ann)
            }
            let expected: [(bytes: Int, sizes: [Int])] = [
                (0, [7, 8]), (14, [7, 8]), (15, [7, 8]), (25, [7, 8]), (26, [5, 6, 7, 8]), (32, [5, 6, 7, 8]), (33, [3, 4, 5, 6, 7, 8]),
                (35, [3, 4, 5, 6, 7, 8]), (36, [1, 2, 3, 4, 5, 6, 7, 8]), (.max, [1, 2, 3, 4, 5, 6, 7, 8]),
            ]
            for (bytes, sizes) in expected {
                let history = try await store.history(endingAt: "t3.assistant", maximumBytes: bytes)
                #expect(history.messages.map { $0.text.utf8.count } == sizes, "\(bytes) bytes")
                #expect(history.earlierCount == 8 - sizes.count)
            }
            let question = try await store.history(endingAt: "t1.user", maximumBytes: 1_000)
            #expect(question.messages.map(\.id) == ["t0.user", "t0.assistant", "t1.user"] && question.earlierCount == 0)
            let alone = try await store.history(endingAt: "t1.user", maximumBytes: 0)
            #expect(alone.messages.map(\.id) == ["t1.user"] && alone.earlierCount == 2)
            await expectFailure(.notFound(.message, "none")) { () async throws(Failure) in
                try await store.history(endingAt: "none", maximumBytes: 1_000)
            }
        },
    ]
}
