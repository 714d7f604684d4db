import JSON
import ParleyCore
import Testing

extension StoreContract {
    static let turns: [StoreContract] = [
        StoreContract("an accepted message is the conversation's head, and its turn runs") { store in
            let bot = Bot(
                id: "b", name: "n", description: "d", instructions: "i", model: "p:m", temperature: 0.5, config: ["k": 1], revision: 1,
                createdAt: Timestamp(milliseconds: 1), updatedAt: Timestamp(milliseconds: 1))
            _ = try await store.createBot(bot, request: nil, for: .ann)
            try await store.makeConversation("c", botID: "b", for: .ann)
            let admitted = try await store.admit("t", in: "c", text: "Hello?", at: 2_000, for: .ann)
            let message = Message(
                id: "t.user", conversationID: "c", turnID: "t", parentID: nil, role: .user, content: [.text("Hello?")], status: .complete,
                createdAt: Timestamp(milliseconds: 2_000))
            #expect(
                admitted.turn
                    == Turn(
                        id: "t", conversationID: "c", status: .inProgress, userMessageID: "t.user",
                        createdAt: Timestamp(milliseconds: 2_000)))
            #expect(admitted.userMessage == message)
            #expect(admitted.bot == bot)
            #expect(
                admitted.conversation
                    == Conversation(
                        id: "c", title: "A title", botID: "b", metadata: [:], headMessageID: "t.user", messageCount: 1, activeTurnID: "t",
                        createdAt: Timestamp(milliseconds: 1_000), updatedAt: Timestamp(milliseconds: 2_000)))
            #expect(try await store.conversation("c", for: .ann) == admitted.conversation)
            #expect(try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements == [admitted.conversation])
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements == [message])
            #expect(try await store.turn("t", for: .ann) == TurnResult(turn: admitted.turn, message: nil))
        },

        StoreContract("a finished turn has its answer as the head and leaves the conversation free") { store in
            try await store.makeConversation("c", title: "Mine", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let outcome = TurnOutcome.plain(admitted, at: 3_000)
            let result = try await store.finishTurn(outcome)
            var turn = admitted.turn
            turn.status = .completed
            turn.stopReason = .endTurn
            turn.messageID = "t.assistant"
            turn.usage = outcome.usage
            turn.quota = QuotaReceipt(counted: true, reason: .completed, warning: nil, limits: [])
            turn.completedAt = Timestamp(milliseconds: 3_000)
            #expect(result == TurnResult(turn: turn, message: outcome.message))
            #expect(try await store.turn("t", for: .ann) == result)
            let conversation = try await store.conversation("c", for: .ann)
            #expect(conversation.activeTurnID == nil && conversation.messageCount == 2 && conversation.title == "Mine")
            #expect(conversation.updatedAt.milliseconds == 3_000)
            let next = try await store.admit("u", in: "c", at: 4_000, for: .ann)
            #expect(next.userMessage.parentID == "t.assistant")
        },

        StoreContract("a turn brings its conversation with it") { store in
            let new = NewConversation(id: "c", title: "", botID: nil, metadata: ["k": 1], createdAt: Timestamp(milliseconds: 1_500))
            let admitted = try await store.accept(.plain("t", .new(new), at: 2_000), for: .ann)
            #expect(admitted.conversation.metadata == ["k": 1] && admitted.conversation.title == "A title")
            #expect(admitted.conversation.createdAt.milliseconds == 1_500 && admitted.conversation.updatedAt.milliseconds == 2_000)
            #expect(try await store.conversation("c", for: .ann) == admitted.conversation)
        },

        StoreContract("a refused turn leaves nothing, not even its conversation") { store in
            let new = NewConversation(id: "c", title: "", botID: "none", metadata: [:], createdAt: Timestamp(milliseconds: 1))
            await expectFailure(.notFound(.bot, "none")) { () async throws(Failure) in
                try await store.accept(.plain("t", .new(new)), for: .ann)
            }
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in try await store.conversation("c", for: .ann) }
            await expectFailure(.notFound(.conversation, "c")) { () async throws(Failure) in try await store.admit("t", in: "c", for: .ann)
            }
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in try await store.admit("u", in: "c", for: .ann)
            }
            #expect(try await store.conversation("c", for: .ann) == admitted.conversation)
            await expectFailure(.notFound(.turn, "u")) { () async throws(Failure) in try await store.turn("u", for: .ann) }
        },

        StoreContract("of many turns that want the same conversation, one gets it") { store in
            try await store.makeConversation("c", for: .ann)
            let winners = await withTaskGroup(of: String?.self) { group in
                for number in 0..<16 {
                    group.addTask {
                        do throws(Failure) {
                            return try await store.admit("t\(number)", in: "c", for: .ann).turn.id
                        } catch {
                            #expect(error.code == .conversationBusy)
                            return nil
                        }
                    }
                }
                return await group.reduce(into: [String]()) { if let id = $1 { $0.append(id) } }
            }
            #expect(winners.count == 1)
            let conversation = try await store.conversation("c", for: .ann)
            #expect(conversation.activeTurnID == winners.first && conversation.messageCount == 1)
        },

        StoreContract("the first message gives a title to a conversation that has none") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t", in: "c", for: .ann)
            _ = try await store.updateConversation("c", ConversationChange(title: "Mine"), at: Timestamp(milliseconds: 5_000), for: .ann)
            try await store.exchange("u", in: "c", for: .ann)
            #expect(try await store.conversation("c", for: .ann).title == "Mine")
            _ = try await store.updateConversation("c", ConversationChange(title: ""), at: Timestamp(milliseconds: 6_000), for: .ann)
            try await store.exchange("v", in: "c", for: .ann)
            #expect(try await store.conversation("c", for: .ann).title == "A title")
        },

        StoreContract("every way in which a turn can end is kept") { store in
            let errors = TurnError(
                code: .modelRateLimited, message: "Too \u{0} many.",
                details: [Failure.Detail("retryAfterMs", 5), Failure.Detail("x", ["y": nil])])
            let endings: [(Turn.Status, Turn.StopReason, TurnError?, Usage?)] = [
                (.completed, .endTurn, nil, nil), (.completed, .maxTokens, nil, Usage(inputTokens: 0, outputTokens: 0)),
                (.completed, .refusal, nil, Usage(inputTokens: 1, cachedInputTokens: 0, outputTokens: 2)), (.failed, .error, errors, nil),
                (.cancelled, .cancelled, nil, Usage(inputTokens: 1, outputTokens: 2, cost: Cost(amount: "12", currency: "EUR"))),
                (.interrupted, .interrupted, nil, nil),
            ]
            for (number, (status, reason, error, usage)) in endings.enumerated() {
                for withMessage in [true, false] {
                    let id = "t\(number)\(withMessage)"
                    try await store.makeConversation(id, for: .ann)
                    let admitted = try await store.admit(id, in: id, for: .ann)
                    var outcome = TurnOutcome.plain(admitted)
                    outcome.status = status
                    outcome.stopReason = reason
                    outcome.error = error
                    outcome.usage = usage
                    outcome.message = withMessage ? .answer(to: admitted, status: .partial) : nil
                    let result = try await store.finishTurn(outcome)
                    #expect(result.turn.status == status && result.turn.stopReason == reason && result.turn.error == error)
                    #expect(result.turn.usage == usage && result.message == outcome.message)
                    #expect(try await store.turn(id, for: .ann) == result)
                    let conversation = try await store.conversation(id, for: .ann)
                    #expect(conversation.activeTurnID == nil && conversation.messageCount == (withMessage ? 2 : 1))
                }
            }
        },

        StoreContract("a turn ends once") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let first = try await store.finish(admitted, text: "first")
            var second = TurnOutcome.plain(admitted, text: "second", at: 9_000)
            second.status = .failed
            #expect(try await store.finishTurn(second) == first)
            #expect(try await store.turn("t", for: .ann) == first)
            #expect(try await store.conversation("c", for: .ann).updatedAt.milliseconds == 3_000)
            try await store.deleteConversation("c", at: Timestamp(milliseconds: 9_001), for: .ann)
            await expectFailure(.notFound(.turn, "t")) { () async throws(Failure) in try await store.finishTurn(second) }
        },

        StoreContract("a checkpoint keeps what was said so far, and the end replaces it") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.makeConversation("d", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let other = try await store.admit("u", in: "d", for: .ann)
            for text in ["Hel", "Hello, wor"] {
                let partial = Message.answer(to: admitted, text: text, status: .partial)
                try await store.checkpoint([
                    TurnCheckpoint(turnID: "t", message: partial, lastSequence: text.utf8.count),
                    TurnCheckpoint(turnID: "none", message: partial, lastSequence: 1),
                    TurnCheckpoint(turnID: "u", message: .answer(to: other, text: text, status: .partial), lastSequence: text.utf8.count),
                ])
                let now = try await store.turn("t", for: .ann)
                #expect(now.turn.status == .inProgress && now.turn.messageID == partial.id && now.message == partial)
                #expect(try await store.turn("u", for: .ann).message?.text == text)
            }
            // What is not finished is no part of the path yet.
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.map(\.id) == ["t.user"])
            let result = try await store.finish(admitted, text: "Hello, world")
            #expect(result.message?.text == "Hello, world" && result.message?.status == .complete)
            let messages = try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements
            #expect(messages.map(\.text) == ["Hello, world", "Hello?"])
            #expect(try await store.conversation("c", for: .ann).messageCount == 2)
            // Too late: passed over.
            try await store.checkpoint([
                TurnCheckpoint(turnID: "t", message: .answer(to: admitted, text: "late", status: .partial), lastSequence: 99)
            ])
            #expect(try await store.turn("t", for: .ann) == result)
        },

        StoreContract("a checkpoint that was overtaken by the end of a step changes nothing") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let whole = Message.answer(to: admitted, text: "Hello")
            try await store.appendMessages([whole], toTurn: "t", lastSequence: 5)
            for sequence in [4, 5] {
                let late = Message.answer(to: admitted, text: "Hell", status: .partial)
                try await store.checkpoint([TurnCheckpoint(turnID: "t", message: late, lastSequence: sequence)])
                #expect(try await store.turn("t", for: .ann).message == whole)
            }
        },

        StoreContract("what a checkpoint kept stays when the turn ends without a message") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let partial = Message.answer(to: admitted, text: "Hel", status: .partial)
            try await store.checkpoint([TurnCheckpoint(turnID: "t", message: partial, lastSequence: 3)])
            var outcome = TurnOutcome.plain(admitted)
            outcome.message = nil
            outcome.status = .failed
            outcome.stopReason = .error
            #expect(try await store.finishTurn(outcome).message == partial)
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.first == partial)
            #expect(try await store.conversation("c", for: .ann).messageCount == 2)
        },

        StoreContract("a wish to cancel is passed on to the host until the turn ends") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.makeConversation("d", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            let other = try await store.admit("u", in: "d", for: .ann)
            #expect(try await store.turnsToCancel().isEmpty)
            for time in [5_000, 6_000] {
                let asked = try await store.requestCancel(ofTurn: "t", at: Timestamp(milliseconds: Int64(time)), for: .ann)
                #expect(asked == TurnResult(turn: admitted.turn, message: nil))
                #expect(try await store.turnsToCancel() == ["t"])
            }
            var outcome = TurnOutcome.plain(admitted)
            outcome.status = .cancelled
            outcome.stopReason = .cancelled
            let ended = try await store.finishTurn(outcome)
            #expect(try await store.turnsToCancel().isEmpty)
            #expect(try await store.requestCancel(ofTurn: "t", at: Timestamp(milliseconds: 7_000), for: .ann) == ended)
            #expect(try await store.turnsToCancel().isEmpty)
            try await store.finish(other)
            await expectFailure(.notFound(.turn, "none")) { () async throws(Failure) in
                try await store.requestCancel(ofTurn: "none", at: Timestamp(milliseconds: 1), for: .ann)
            }
        },

        StoreContract("the turns of a living host are not recovered") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            #expect(try await store.recoverTurns(at: Timestamp(milliseconds: 9_000)) == 0)
            #expect(try await store.turn("t", for: .ann).turn == admitted.turn)
        },

        StoreContract("a turn cannot end as running") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            var outcome = TurnOutcome.plain(admitted)
            outcome.status = .inProgress
            await expectFailure(Failure(.internalError, "")) { () async throws(Failure) in try await store.finishTurn(outcome) }
            #expect(try await store.turn("t", for: .ann).turn == admitted.turn)
        },
    ]
}
