import ParleyCore
import Testing

extension StoreContract {
    private static let three = QuotaPolicy([QuotaRule(.anonymousTurns, limit: 3)])

    private static func turn(_ id: String, _ beginning: TurnBeginning, in conversation: String = "c", text: String = "Else?") -> NewTurn {
        var new = NewTurn.plain(id, .existing(conversationID: conversation), text: text)
        new.beginning = beginning
        return new
    }

    /// The ids on the path that leads to the head, the newest first.
    private static func path(in store: any Store, for caller: Caller = .ann) async throws -> [String] {
        try await store.messages(inConversation: "c", page: PageRequest(), for: caller).elements.map(\.id)
    }

    private static func siblings(of id: String, in store: any Store, for caller: Caller = .ann) async throws -> [String] {
        try await store.siblings(of: id, inConversation: "c", page: PageRequest(), for: caller).elements.map(\.id)
    }

    private static func moveHead(to id: String, in store: any Store, for caller: Caller = .ann) async throws(Failure) -> Conversation {
        try await store.updateConversation(
            "c", ConversationChange(headMessageID: id), at: Timestamp(milliseconds: 9_000), for: caller)
    }

    /// Everything that a refusal must leave as it was.
    private static func state(of store: any Store, for caller: Caller) async throws -> ([Message], Conversation) {
        (
            try await store.messages(inConversation: "c", page: PageRequest(), for: caller).elements,
            try await store.conversation("c", for: caller)
        )
    }

    /// What cannot be edited or answered again; the reason is the store's to word.
    private static func expectRefused(_ body: () async throws(Failure) -> TurnAdmission) async {
        do throws(Failure) {
            _ = try await body()
            record("a message was taken that cannot be")
        } catch {
            #expect(error.code == .invalidParams && error.details.first { $0.name == "path" }?.value == "messageId", "\(error)")
        }
    }

    static let branches: [StoreContract] = [
        StoreContract("A message that is answered again has its answers as siblings, and the newest as the head") { store in
            try await store.makeConversation("c", title: "T", for: .ann)
            let first = try await store.exchange("t1", in: "c", for: .ann)
            try await store.exchange("t2", in: "c", for: .ann)
            let question = try #require(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.last)
            for (id, named) in [("t3", "t1.assistant"), ("t4", "t1.user"), ("t5", "t3.assistant")] {
                let before = try await store.conversation("c", for: .ann)
                let again = try await store.accept(turn(id, .regeneration(of: named)), for: .ann)
                #expect(again.userMessage == question && again.turn.userMessageID == "t1.user" && again.turn.id == id)
                #expect(again.conversation.headMessageID == "t1.user" && again.conversation.messageCount == before.messageCount)
                #expect(try await store.conversation("c", for: .ann) == again.conversation)
                #expect(try await path(in: store) == ["t1.user"])
                let history = try await store.history(endingAt: "t1.user", maximumBytes: .max)
                #expect(history.messages == [question] && history.earlierCount == 0)
                let result = try await store.finish(again, text: id)
                #expect(result.message?.parentID == "t1.user")
                #expect(try await path(in: store) == ["\(id).assistant", "t1.user"])
            }
            #expect(try await siblings(of: "t1.assistant", in: store) == ["t1", "t3", "t4", "t5"].map { $0 + ".assistant" })
            #expect(try await store.turn("t1", for: .ann) == first)
            #expect(try await store.conversation("c", for: .ann).messageCount == 7)
        },

        StoreContract("A message that is edited has the new one as its sibling, and that is the head") { store in
            try await store.makeConversation("c", for: .ann)
            for id in ["t1", "t2", "t3"] { try await store.exchange(id, in: "c", for: .ann) }
            let edit = try await store.accept(turn("e2", .edit(of: "t2.user")), for: .ann)
            #expect(edit.userMessage.parentID == "t1.assistant" && edit.userMessage.text == "Else?" && edit.turn.userMessageID == "e2.user")
            #expect(edit.conversation.messageCount == 7 && edit.conversation.headMessageID == "e2.user")
            #expect(try await path(in: store) == ["e2.user", "t1.assistant", "t1.user"])
            let history = try await store.history(endingAt: "e2.user", maximumBytes: .max)
            #expect(history.messages.map(\.id) == ["t1.user", "t1.assistant", "e2.user"] && history.earlierCount == 0)
            try await store.finish(edit)
            let first = try await store.accept(turn("e1", .edit(of: "t1.user")), for: .ann)
            #expect(first.userMessage.parentID == nil)
            try await store.finish(first)
            #expect(try await path(in: store) == ["e1.assistant", "e1.user"])
            #expect(try await siblings(of: "e1.user", in: store) == ["t1.user", "e1.user"])
            #expect(try await siblings(of: "t2.user", in: store) == ["t2.user", "e2.user"])
            // What an edit brought is edited as any other.
            try await store.finish(try await store.accept(turn("f2", .edit(of: "e2.user")), for: .ann))
            #expect(try await siblings(of: "t2.user", in: store) == ["t2.user", "e2.user", "f2.user"])
            #expect(try await path(in: store) == ["f2.assistant", "f2.user", "t1.assistant", "t1.user"])
        },

        StoreContract("The head moves to any message of its conversation while no turn runs") { store in
            try await store.makeConversation("c", title: "T", for: .ann)
            #expect(try await store.conversation("c", for: .ann).headMessageID == nil)
            for id in ["t1", "t2"] { try await store.exchange(id, in: "c", for: .ann) }
            let ids = try await path(in: store)
            for (index, id) in ids.enumerated().shuffledByHand {
                let moved = try await moveHead(to: id, in: store)
                #expect(moved.headMessageID == id && moved.updatedAt.milliseconds == 9_000 && moved.messageCount == 4 && moved.title == "T")
                #expect(try await store.conversation("c", for: .ann) == moved)
                #expect(try await path(in: store) == Array(ids[index...]))
            }
            let next = try await store.admit("t3", in: "c", for: .ann)
            #expect(next.userMessage.parentID == "t1.assistant")
            await expectFailure(.conversationBusy(turnID: "t3")) { () async throws(Failure) in try await moveHead(to: "t1.user", in: store)
            }
            #expect(try await store.conversation("c", for: .ann) == next.conversation)
            try await store.finish(next)
            try await store.makeConversation("d", for: .ann)
            try await store.exchange("d1", in: "d", for: .ann)
            for id in ["d1.user", "none"] {
                let before = try await state(of: store, for: .ann)
                await expectFailure(.notFound(.message, id)) { () async throws(Failure) in try await moveHead(to: id, in: store) }
                #expect(try await state(of: store, for: .ann) == before)
            }
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in
                try await moveHead(to: "t1.user", in: store, for: .bob)
            }
        },

        StoreContract("Siblings are listed in the order in which they were made, page by page, and lists tell how many there are") {
            store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t1", in: "c", for: .ann)
            var expected = ["t1.assistant"]
            for number in 2...6 {
                // Times step back, as a wall clock's may: the order is that of the store.
                let admitted = try await store.accept(turn("t\(number)", .regeneration(of: "t1.user")), for: .ann)
                expected.append(try #require(try await store.finish(admitted, at: Int64(4_000 - number)).message?.id))
            }
            for limit in [1, 2, 5, 6, 7, 200] {
                let all = try await store.allPages(limit: limit) { page async throws(Failure) in
                    try await store.siblings(of: "t3.assistant", inConversation: "c", page: page, for: .ann)
                }
                #expect(all.map(\.id) == expected, "limit \(limit)")
                #expect(all.allSatisfy { $0.siblingCount == 6 && $0.parentID == "t1.user" })
            }
            let listed = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements
            #expect(listed.map(\.siblingCount) == [6, nil] && listed.map(\.id) == ["t6.assistant", "t1.user"])
            let alone = try await store.siblings(of: "t1.user", inConversation: "c", page: PageRequest(), for: .ann)
            #expect(alone.elements.map(\.id) == ["t1.user"] && alone.elements[0].siblingCount == nil && alone.nextCursor == nil)
            // What is there of an answer is one of them.
            let running = try await store.accept(turn("t7", .regeneration(of: "t1.user")), for: .ann)
            try await store.checkpoint([
                TurnCheckpoint(turnID: "t7", message: .answer(to: running, text: "He", status: .partial), lastSequence: 2)
            ])
            #expect(try await siblings(of: "t1.assistant", in: store) == expected + ["t7.assistant"])
            let first = try await store.siblings(of: "t1.assistant", inConversation: "c", page: PageRequest(limit: 1), for: .ann)
            for page in [PageRequest(cursor: first.nextCursor), PageRequest(cursor: "x")] {
                await expectFailure(.noCursor) { () async throws(Failure) in
                    try await store.siblings(of: "t2.assistant", inConversation: "c", page: page, for: .ann)
                }
                await expectFailure(.noCursor) { () async throws(Failure) in
                    try await store.messages(inConversation: "c", page: page, for: .ann)
                }
            }
        },

        StoreContract("A page of long siblings is bounded by bytes and holds at least one") { store in
            try await store.makeConversation("c", for: .ann)
            let long = String(repeating: "é", count: 1 << 20)
            try await store.exchange("t1", in: "c", answer: long, for: .ann)
            for id in ["t2", "t3"] {
                try await store.finish(try await store.accept(turn(id, .regeneration(of: "t1.user")), for: .ann), text: long)
            }
            let all = try await store.allPages(limit: 200) { page async throws(Failure) in
                let page = try await store.siblings(of: "t1.assistant", inConversation: "c", page: page, for: .ann)
                #expect(page.elements.count == 1)
                return page
            }
            #expect(all.map(\.id) == ["t1.assistant", "t2.assistant", "t3.assistant"])
        },

        StoreContract("A turn with tools is answered again as a whole") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            var asked = Message.answer(to: admitted)
            asked.id = "call"
            asked.content = [.toolCall(ToolCall(id: "1", name: "x", arguments: [:]))]
            var result = asked
            (result.id, result.parentID, result.role, result.model) = ("result", "call", .tool, nil)
            result.content = [.toolResult(ToolResult(toolCallID: "1", status: .completed, text: "y"))]
            try await store.appendMessages([asked, result], toTurn: "t", lastSequence: 3)
            var outcome = TurnOutcome.plain(admitted)
            outcome.message?.parentID = "result"
            _ = try await store.finishTurn(outcome)
            for (id, named) in [("u", "call"), ("v", "t.assistant"), ("w", "t.user")] {
                let again = try await store.accept(turn(id, .regeneration(of: named)), for: .ann)
                #expect(again.userMessage.id == "t.user" && again.conversation.headMessageID == "t.user")
                try await store.finish(again)
            }
            #expect(try await siblings(of: "call", in: store) == ["call", "u.assistant", "v.assistant", "w.assistant"])
            await expectRefused { () async throws(Failure) in
                try await store.admitTurn(turn("z", .regeneration(of: "result")), for: .ann)
            }
        },

        StoreContract("What cannot be edited or answered again is refused, and nothing has changed") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t", in: "c", for: .ann)
            var command = NewTurn.plain("l", .existing(conversationID: "c"), text: "/help")
            command.reading = .command
            var outcome = TurnOutcome.plain(try await store.accept(command, for: .ann))
            outcome.message?.isLocal = true
            _ = try await store.finishTurn(outcome)
            try await store.makeConversation("d", for: .ann)
            try await store.exchange("d", in: "d", for: .ann)
            try await store.makeConversation("b", for: .bob)
            try await store.exchange("b", in: "b", for: .bob)
            let before = try await state(of: store, for: .ann)
            for beginning in [
                .regeneration(of: "l.user"), .regeneration(of: "l.assistant"), .edit(of: "l.user"), .edit(of: "l.assistant"),
                .edit(of: "t.assistant"),
            ] as [TurnBeginning] {
                await expectRefused { () async throws(Failure) in try await store.admitTurn(turn("x", beginning), for: .ann) }
            }
            for id in ["d.user", "d.assistant", "b.user", "b.assistant", "none"] {
                for beginning in [.edit(of: id), .regeneration(of: id)] as [TurnBeginning] {
                    await expectFailure(.notFound(.message, id)) { () async throws(Failure) in
                        try await store.admitTurn(turn("x", beginning), for: .ann)
                    }
                }
                await expectFailure(.notFound(.message, id)) { () async throws(Failure) in
                    try await store.siblings(of: id, inConversation: "c", page: PageRequest(), for: .ann)
                }
            }
            #expect(try await state(of: store, for: .ann) == before)
        },

        StoreContract("A limit is looked at before anything moves", quotas: three) { store in
            let caller = try await store.makeAnonymous(1)
            try await store.makeConversation("c", for: caller)
            try await store.exchange("t1", in: "c", for: caller)
            try await store.finish(try await store.accept(turn("t2", .regeneration(of: "t1.assistant")), for: caller))
            try await store.finish(try await store.accept(turn("t3", .edit(of: "t1.user")), for: caller))
            try await store.expect(.anonymousTurns, of: .caller(caller, nil), used: 3)
            let before = try await state(of: store, for: caller)
            for beginning in [.edit(of: "t1.user"), .regeneration(of: "t1.user"), .regeneration(of: "t3.assistant")] as [TurnBeginning] {
                _ = await expectExceeded(.anonymousTurns) { () async throws(Failure) in
                    try await store.admitTurn(turn("x", beginning), for: caller)
                }
                await expectFailure(Failure(.modelNotAllowed, "")) { () async throws(Failure) in
                    var new = turn("x", beginning)
                    new.approve = { _, _ throws(Failure) in throw Failure(.modelNotAllowed, "") }
                    return try await store.admitTurn(new, for: caller)
                }
            }
            #expect(try await state(of: store, for: caller) == before)
            _ = try await moveHead(to: "t2.assistant", in: store, for: caller)
        },

        StoreContract("While a turn runs nothing else is answered, and a new answer that says nothing leaves the message as the head") {
            store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t1", in: "c", for: .ann)
            let running = try await store.accept(turn("t2", .regeneration(of: "t1.assistant")), for: .ann)
            for beginning in [.edit(of: "t1.user"), .regeneration(of: "t1.user")] as [TurnBeginning] {
                await expectFailure(.conversationBusy(turnID: "t2")) { () async throws(Failure) in
                    try await store.admitTurn(turn("x", beginning), for: .ann)
                }
            }
            var outcome = TurnOutcome.plain(running)
            (outcome.status, outcome.stopReason, outcome.message) = (.failed, .error, nil)
            outcome.error = TurnError(Failure(.modelUnavailable, "Down."))
            outcome.settlement = Settlement(.nothingSaid)
            _ = try await store.finishTurn(outcome)
            #expect(try await path(in: store) == ["t1.user"])
            #expect(try await siblings(of: "t1.assistant", in: store) == ["t1.assistant"])
            let next = try await store.admit("t3", in: "c", for: .ann)
            #expect(next.userMessage.parentID == "t1.user")
        },

        StoreContract("A repeated request finds its turn wherever the head is") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t1", in: "c", for: .ann)
            var again = turn("t2", .regeneration(of: "t1.assistant"))
            again.request = .test("r")
            try await store.finish(try await store.accept(again, for: .ann))
            try await store.finish(try await store.accept(turn("t3", .edit(of: "t1.user")), for: .ann))
            let before = try await state(of: store, for: .ann)
            again.id = "t4"
            guard case .repeated("t2") = try await store.admitTurn(again, for: .ann) else {
                return record("a repeat was not taken for one")
            }
            again.request = .test("r", content: 2)
            await expectFailure(.idempotencyConflict) { [again] () async throws(Failure) in try await store.admitTurn(again, for: .ann) }
            #expect(try await state(of: store, for: .ann) == before)
        },

        StoreContract("A command waits for its argument only where it has asked") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t1", in: "c", for: .ann)
            let moves: [@Sendable (any Store) async throws -> Void] = [
                { store in try await store.finish(try await store.accept(turn("m0", .regeneration(of: "t1.user")), for: .ann)) },
                { store in try await store.finish(try await store.accept(turn("m1", .edit(of: "t1.user")), for: .ann)) },
                { store in _ = try await moveHead(to: "t1.user", in: store) },
                { store in _ = try await moveHead(to: "ask3.assistant", in: store) },
            ]
            for (number, move) in moves.enumerated() {
                var command = NewTurn.plain("ask\(number)", .existing(conversationID: "c"), text: "/title")
                command.reading = .command
                var outcome = TurnOutcome.plain(try await store.accept(command, for: .ann))
                outcome.message?.isLocal = true
                outcome.command = CommandOutcome(pending: PendingCommand(name: "title", arguments: [:], field: "title"))
                _ = try await store.finishTurn(outcome)
                try await move(store)
                var next = NewTurn.plain("next\(number)", .existing(conversationID: "c"))
                next.reading = .messageOrArgument
                let admitted = try await store.accept(next, for: .ann)
                // The last move leads to where the head is already.
                #expect((admitted.pendingCommand != nil) == (number == 3))
                try await store.finish(admitted)
            }
        },
    ]
}

extension EnumeratedSequence<[String]> {
    /// In an order that goes back and forth and ends with a message that is followed by others.
    fileprivate var shuffledByHand: [(offset: Int, element: String)] {
        let all = Array(self)
        return [3, 0, 2, 1, 1, 3, 2].map { all[$0] }
    }
}
