import JSON
import ParleyCore
import Testing

extension StoreContract {
    private static let usages: [(usage: Usage?, sum: Usage?)] = [
        (nil, nil),
        (
            Usage(inputTokens: 10, outputTokens: 2, reasoningTokens: 1, cost: Cost(amount: "0.000000000001", currency: "USD")),
            Usage(inputTokens: 10, outputTokens: 2, reasoningTokens: 1, cost: Cost(amount: "0.000000000001", currency: "USD"))
        ),
        (
            Usage(inputTokens: 5, cachedInputTokens: 4, outputTokens: 1, cost: Cost(amount: "12.9", currency: "USD")),
            Usage(
                inputTokens: 15, cachedInputTokens: 4, outputTokens: 3, reasoningTokens: 1,
                cost: Cost(amount: "12.900000000001", currency: "USD"))
        ),
        (
            nil,
            Usage(
                inputTokens: 15, cachedInputTokens: 4, outputTokens: 3, reasoningTokens: 1,
                cost: Cost(amount: "12.900000000001", currency: "USD"))
        ),
        // What one message cost is not known in money, so neither is the sum, from then on.
        (
            Usage(inputTokens: 1, outputTokens: 1, isEstimated: true),
            Usage(inputTokens: 16, cachedInputTokens: 4, outputTokens: 4, reasoningTokens: 1, isEstimated: true)
        ),
        (
            Usage(inputTokens: 1, outputTokens: 1, cost: Cost(amount: "1", currency: "USD")),
            Usage(inputTokens: 17, cachedInputTokens: 4, outputTokens: 5, reasoningTokens: 1, isEstimated: true)
        ),
    ]

    static let usage: [StoreContract] = [
        StoreContract("a conversation costs what its messages cost together") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.makeConversation("other", for: .ann)
            for (number, (usage, sum)) in usages.enumerated() {
                let admitted = try await store.admit("t\(number)", in: "c", for: .ann)
                // A checkpoint knows no cost, and what it kept is counted with the end.
                try await store.checkpoint([
                    TurnCheckpoint(turnID: admitted.turn.id, message: .answer(to: admitted, status: .partial), lastSequence: 2)
                ])
                var outcome = TurnOutcome.plain(admitted)
                outcome.message?.usage = usage
                for _ in 0..<2 { _ = try await store.finishTurn(outcome) }
                #expect(try await store.conversation("c", for: .ann).usage == sum, "after \(number)")
            }
            let list = try await store.conversations(linkedTo: nil, page: PageRequest(), for: .ann).elements
            #expect(list.first { $0.id == "c" }?.usage == usages.last?.sum && list.first { $0.id == "other" }?.usage == nil)
            #expect(try await store.admit("next", in: "c", for: .ann).conversation.usage == usages.last?.sum)
        },

        StoreContract("what the steps of a turn cost counts at once") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            var step = Message.answer(to: admitted, text: "Let me see.")
            step.usage = Usage(inputTokens: 3, outputTokens: 1)
            try await store.appendMessages([step], toTurn: "t", lastSequence: 2)
            #expect(try await store.conversation("c", for: .ann).usage == step.usage)
        },

        StoreContract("what a model thought, and what its provider wants back, stay with the message") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            var message = Message.answer(to: admitted)
            message.content = [.reasoning("Hm\u{0}."), .text("Well"), .reasoning("Or?"), .text(".")]
            message.replay = Message.Replay(model: "p:m", value: ["signature": "s\u{0}", "blocks": [1, nil]])
            var outcome = TurnOutcome.plain(admitted)
            outcome.message = message
            outcome.context = Omissions(messagesLeftOut: 4, toolOutputsCleared: 1)
            let result = try await store.finishTurn(outcome)
            #expect(result.message == message && result.turn.context == outcome.context)
            #expect(try await store.turn("t", for: .ann) == result)
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.first == message)
            #expect(try await store.history(endingAt: message.id, maximumBytes: .max).messages.last == message)
        },

        StoreContract("an answer that is nothing but thoughts is a message") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            var message = Message.answer(to: admitted, status: .partial)
            message.content = [.reasoning("Hm.")]
            try await store.checkpoint([TurnCheckpoint(turnID: "t", message: message, lastSequence: 2)])
            #expect(try await store.turn("t", for: .ann).message == message)
            var outcome = TurnOutcome.plain(admitted)
            outcome.message = message
            _ = try await store.finishTurn(outcome)
            #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.first == message)
        },
    ]
}
