package import ParleyCore
import Testing

extension Store {
    /// Forks a conversation; what is copied is called after the copy.
    @discardableResult
    package func fork(
        _ id: String, at messageID: String? = nil, as copyID: String, bounds: CopyBounds = CopyBounds(messages: 100, bytes: 100_000),
        request: ClientRequest? = nil, for caller: Caller
    ) async throws(Failure) -> Conversation {
        let count = Locked(0)
        return try await forkConversation(
            ConversationFork(
                id: copyID, sourceID: id, messageID: messageID, title: { $0 + "!" }, bounds: bounds,
                newID: { kind in
                    let number = count.withLock { count in
                        count += 1
                        return count
                    }
                    return "\(copyID).\(kind.rawValue).\(number)"
                }, now: Timestamp(milliseconds: 7_000), request: request),
            for: caller)
    }

    /// The path that leads to a conversation's head, the oldest message first.
    package func path(of id: String, for caller: Caller = .ann) async throws(Failure) -> [Message] {
        try await messages(inConversation: id, page: PageRequest(limit: 200), for: caller).elements.reversed()
    }
}

extension Message {
    /// What a copy has in common with its source.
    var common: Message {
        var message = self
        (message.id, message.conversationID, message.turnID, message.parentID, message.siblingCount) = ("", "", "", nil, nil)
        return message
    }
}

extension StoreContract {
    private static func step(_ id: String, _ role: Message.Role, _ parts: [Message.Part], after parentID: String) -> Message {
        Message(
            id: id, conversationID: "c", turnID: "t", parentID: parentID, role: role, content: parts, status: .complete,
            usage: role == .assistant ? Usage(inputTokens: 3, outputTokens: 1) : nil,
            replay: role == .assistant ? Message.Replay(model: "p:m", value: ["signature": "s"]) : nil,
            createdAt: Timestamp(milliseconds: 2_500))
    }

    /// A conversation with a turn that calls a tool, and one that follows it.
    private static func furnish(_ store: any Store, for caller: Caller = .ann) async throws {
        try await store.makeBot("b", name: "Bot", for: caller)
        _ = try await store.createConversation(
            NewConversation(id: "c", title: "T", botID: "b", metadata: ["k": 1], createdAt: Timestamp(milliseconds: 1_000)), for: caller)
        let admitted = try await store.admit("t", in: "c", for: caller)
        let call = ToolCall(id: "k", name: "weather", arguments: ["city": "Rome"])
        let result = ToolResult(toolCallID: "k", status: .completed, text: "Sunny", data: [1])
        try await store.appendMessages(
            [
                step("call", .assistant, [.reasoning("Hm."), .toolCall(call)], after: "t.user"),
                step("result", .tool, [.toolResult(result)], after: "call"),
            ], toTurn: "t", lastSequence: 4)
        var outcome = TurnOutcome.plain(admitted)
        outcome.message?.parentID = "result"
        outcome.message?.usage = Usage(inputTokens: 5, outputTokens: 2)
        _ = try await store.finishTurn(outcome)
        try await store.rate("t.assistant", .down, note: "No.", for: caller)
        try await store.exchange("u", in: "c", for: caller)
    }

    static let copies: [StoreContract] = [
        StoreContract("a fork is the path with ids of its own, and costs nothing", quotas: .standard) { store in
            try await furnish(store)
            let source = try await store.path(of: "c")
            let before = try await store.quota(of: .caller(.ann, nil), at: Timestamp(milliseconds: 9_000))
            let fork = try await store.fork("c", as: "f", for: .ann)
            #expect(
                fork.title == "T!" && fork.botID == "b" && fork.metadata == ["k": 1] && fork.createdAt == Timestamp(milliseconds: 7_000))
            #expect(fork.messageCount == 6 && fork.usage == nil && !fork.pinned && fork.activeTurnID == nil)
            let copy = try await store.path(of: "f")
            #expect(copy.map(\.common) == source.map(\.common))
            #expect(Set(copy.map(\.id)).isDisjoint(with: source.map(\.id)) && copy.last?.id == fork.headMessageID)
            for (before, after) in zip([nil] + copy, copy) { #expect(after.parentID == before?.id && after.conversationID == "f") }
            #expect(Set(copy.map(\.turnID)).count == 2)
            for (id, original) in [(copy[0].turnID, "t"), (copy[4].turnID, "u")] {
                let (result, expected) = (try await store.turn(id, for: .ann), try await store.turn(original, for: .ann))
                #expect(result.message?.common == expected.message?.common && result.turn.quota == nil)
                #expect(result.turn.status == .completed && result.turn.stopReason == .endTurn && result.turn.usage == expected.turn.usage)
                #expect(result.turn.createdAt == expected.turn.createdAt && result.turn.completedAt == expected.turn.completedAt)
                #expect(copy.contains { $0.id == result.turn.userMessageID && $0.role == .user && $0.turnID == id })
                #expect(try await store.snapshot(ofTurn: id, beyond: 0, for: .ann)?.messages == copy.filter { $0.turnID == id })
            }
            let after = try await store.quota(of: .caller(.ann, nil), at: Timestamp(milliseconds: 9_000))
            #expect(after.filter { $0.unit != "copies" } == before)
            let history = try await store.history(endingAt: copy[5].id, maximumBytes: .max)
            #expect(history.messages == copy && history.earlierCount == 0)
            // Each goes on by itself.
            var outcome = TurnOutcome.plain(try await store.admit("v", in: "f", for: .ann))
            outcome.message?.usage = Usage(inputTokens: 7, outputTokens: 7)
            _ = try await store.finishTurn(outcome)
            #expect(try await store.conversation("f", for: .ann).usage == Usage(inputTokens: 7, outputTokens: 7))
            #expect(try await store.path(of: "c") == source)
            try await store.deleteConversation("c", at: Timestamp(milliseconds: 9_000), for: .ann)
            #expect(try await Array(store.path(of: "f").prefix(6)) == copy)
        },
        StoreContract("a fork ends where it is told to, on whatever path") { store in
            try await furnish(store)
            var again = NewTurn.plain("w", .existing(conversationID: "c"))
            again.beginning = .regeneration(of: "t.user")
            try await store.finish(try await store.accept(again, for: .ann), text: "Again")
            for (end, ids) in [
                ("t.user", ["t.user"]), ("call", ["t.user", "call"]), ("u.user", ["t.user", "call", "result", "t.assistant", "u.user"]),
                ("w.assistant", ["t.user", "w.assistant"]),
            ] {
                let fork = try await store.fork("c", at: end, as: "f.\(end)", for: .ann)
                var expected: [Message] = []
                for id in ids { expected.append(try #require(try await message(id, in: store)).common) }
                let copy = try await store.path(of: fork.id)
                #expect(copy.map(\.common) == expected, "\(end)")
                let turn = try await store.turn(copy[0].turnID, for: .ann)
                #expect(turn.message?.id == copy.last { $0.turnID == copy[0].turnID && $0.role == .assistant }?.id)
            }
            try await store.makeConversation("empty", for: .ann)
            let nothing = try await store.fork("empty", as: "f", for: .ann)
            #expect(nothing.messageCount == 0 && nothing.headMessageID == nil)
        },
        StoreContract("what runs is not copied") { store in
            try await furnish(store)
            let admitted = try await store.admit("w", in: "c", for: .ann)
            for end in [nil, "w.user"] {
                await expectFailure(.conversationBusy(turnID: "w")) { () async throws(Failure) in
                    try await store.fork("c", at: end, as: "f", for: .ann)
                }
            }
            #expect(try await store.fork("c", at: "u.assistant", as: "f", for: .ann).messageCount == 6)
            try await store.finish(admitted)
            #expect(try await store.fork("c", as: "g", for: .ann).messageCount == 8)
        },
        StoreContract("what is somebody else's, or too much, is not forked, and a refusal makes nothing") { store in
            try await furnish(store)
            try await store.makeConversation("d", for: .ann)
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in try await store.fork("c", as: "f", for: .bob) }
            await expectFailure(.notFound(.conversation, "x")) { () async throws(Failure) in try await store.fork("x", as: "f", for: .ann) }
            await expectFailure(.notFound(.message, "x")) { () async throws(Failure) in
                try await store.fork("c", at: "x", as: "f", for: .ann)
            }
            await expectFailure(.notFound(.message, "t.user")) { () async throws(Failure) in
                try await store.fork("d", at: "t.user", as: "f", for: .ann)
            }
            await expectFailure(.pathTooLong(messages: 5)) { () async throws(Failure) in
                try await store.fork("c", as: "f", bounds: CopyBounds(messages: 5, bytes: .max), for: .ann)
            }
            await expectFailure(.pathTooLarge(bytes: 200)) { () async throws(Failure) in
                try await store.fork("c", as: "f", bounds: CopyBounds(messages: 6, bytes: 200), for: .ann)
            }
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements.map(\.id) == ["c", "d"])
            #expect(try await store.fork("c", as: "f", bounds: CopyBounds(messages: 6, bytes: 100_000), for: .ann).messageCount == 6)
        },
        StoreContract("a fork is made once, however often it is asked for") { store in
            try await furnish(store)
            let made = try await store.fork("c", as: "f", request: .test("r"), for: .ann)
            #expect(try await store.fork("c", as: "g", request: .test("r"), for: .ann) == made)
            await expectFailure(.idempotencyConflict) { () async throws(Failure) in
                try await store.fork("c", as: "g", request: .test("r", content: 2), for: .ann)
            }
            try await store.deleteConversation("f", at: Timestamp(milliseconds: 9_000), for: .ann)
            await expectFailure(.notFound(.conversation, "f")) { () async throws(Failure) in
                try await store.fork("c", as: "g", request: .test("r"), for: .ann)
            }
        },
    ]

    /// A message, on whatever path.
    private static func message(_ id: String, in store: any Store) async throws -> Message? {
        try await store.siblings(of: id, inConversation: "c", page: PageRequest(), for: .ann).elements.first { $0.id == id }
    }
}
