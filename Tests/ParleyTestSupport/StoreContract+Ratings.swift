package import ParleyCore
import Testing

extension Store {
    /// Rates an answer.
    @discardableResult
    package func rate(
        _ id: String, _ verdict: Message.Rating.Verdict?, note: String? = nil, for caller: Caller
    ) async throws(Failure) -> Message {
        try await rateMessage(
            id, as: verdict.map { Message.Rating(verdict: $0, note: note) }, at: Timestamp(milliseconds: 8_000), for: caller)
    }
}

extension StoreContract {
    static let ratings: [StoreContract] = [
        StoreContract("an answer has the rating that was given last, and nothing else changes") { store in
            try await store.makeConversation("c", for: .ann)
            try await store.exchange("t", in: "c", for: .ann)
            let before = try await store.conversation("c", for: .ann)
            var expected = try #require(try await store.turn("t", for: .ann).message)
            for rating in [
                Message.Rating(verdict: .up), Message.Rating(verdict: .down, note: "No\u{0}!"), Message.Rating(verdict: .down), nil, nil,
            ] {
                expected.rating = rating
                #expect(try await store.rate("t.assistant", rating?.verdict, note: rating?.note, for: .ann) == expected)
                #expect(try await store.turn("t", for: .ann).message == expected)
                #expect(try await store.messages(inConversation: "c", page: PageRequest(), for: .ann).elements.first == expected)
            }
            #expect(try await store.conversation("c", for: .ann) == before)
        },
        StoreContract("only answers are rated, and only one's own, once their turn has ended") { store in
            try await store.makeConversation("c", for: .ann)
            let admitted = try await store.admit("t", in: "c", for: .ann)
            try await store.checkpoint([
                TurnCheckpoint(turnID: "t", message: .answer(to: admitted, status: .partial), lastSequence: 2)
            ])
            await expectFailure(.conversationBusy(turnID: "t")) { () async throws(Failure) in
                try await store.rate("t.assistant", .up, for: .ann)
            }
            try await store.finish(admitted)
            // Another turn is in nobody's way.
            try await store.admit("u", in: "c", for: .ann)
            try await store.rate("t.assistant", .up, for: .ann)
            #expect(await failure { () async throws(Failure) in try await store.rate("t.user", .up, for: .ann) }?.code == .invalidParams)
            for (id, caller) in [("t.assistant", Caller.bob), ("t.user", .bob), ("none", .ann), ("none", .bob)] {
                await expectFailure(.notFound(.message, id)) { () async throws(Failure) in try await store.rate(id, nil, for: caller) }
            }
            #expect(try await store.turn("t", for: .ann).message?.rating == Message.Rating(verdict: .up))
        },
    ]
}
