import ParleyCore
import ParleyModels
import ParleyTestSupport
import Testing

@Suite(.timeLimit(.minutes(5)))
struct DemoProviderTests {
    private static let introduction = "I am a demonstration, not a language model: set MINIMAX_API_KEY or OPENAI_API_KEY to connect one."

    @Test(arguments: [
        (["Hello"], "Your message was “Hello”."),
        (["Hello", "(an answer)", "And\n\n  you? "], "Of your 2 messages, the first was “Hello” and the last “And you?”."),
        (
            [String(repeating: "word ", count: 500)],
            "Your message was “\(String(repeating: "word ", count: 12))…”."
        ),
        ([String(repeating: "👩‍👩‍👧", count: 61)], "Your message was “\(String(repeating: "👩‍👩‍👧", count: 60))…”."),
        ([String(repeating: "x", count: 60)], "Your message was “\(String(repeating: "x", count: 60))”."),
    ])
    func whatItSays(texts: [String], expected: String) async {
        var request = ModelRequest.conversation(model: "demo")
        request.messages = texts.enumerated().map { index, text in
            Message(
                id: "\(index)", conversationID: "c", turnID: "t", parentID: nil, role: index.isMultiple(of: 2) ? .user : .assistant,
                content: [.text(text)], status: .complete, createdAt: Timestamp(milliseconds: 0))
        }
        let outcome = await ModelProviderContract(DemoProvider(), request).call()
        #expect(outcome.deltas.joined() == "\(Self.introduction) \(expected)")
    }

    @Test func keepsTheContract() async throws {
        let contract = ModelProviderContract(DemoProvider(), .conversation(model: "demo", instructions: "Be brief.", "Hello there"))
        let words = "\(Self.introduction) Your message was “Hello there”.".split(separator: " ").map(String.init)
        let deltas = words.prefix(1) + words.dropFirst().map { " " + $0 }
        await contract.answers(Array(deltas), usage: Usage(inputTokens: 4, outputTokens: words.count), stopReason: .endTurn)
        try await contract.canBeAbandoned(Array(deltas))
        #expect(
            await contract.call().batches.map(\.count) == Array(repeating: 1, count: words.count) + [2], "each word is a batch of its own")
        let early = await withTaskGroup(of: ModelProviderContract.Outcome.self) { group in
            group.cancelAll()
            group.addTask { await contract.call() }
            return await group.next()
        }
        #expect(early?.failure?.code == .cancelled)
    }

    @Test func staysWithinTheBound() async {
        var request = ModelRequest.conversation(model: "demo", "Hello")
        request.maxOutputTokens = 4
        let outcome = await ModelProviderContract(DemoProvider(), request).call()
        #expect(outcome.deltas == ["I", " am", " a", " demonstration,"])
        #expect(outcome.usage == Usage(inputTokens: 1, outputTokens: 4))
        #expect(outcome.stopReason == .maxTokens)
    }

    @Test func hasOneModel() async {
        #expect(DemoProvider().models == [ModelDescription(model: "demo", demonstration: true)])
        await ModelProviderContract(DemoProvider(), .conversation(model: "other", "Hello")).fails(.modelRejected)
    }
}
