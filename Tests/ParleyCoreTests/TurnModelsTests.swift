import JSON
import ParleyTestSupport
import Testing

@testable import ParleyCore

/// What becomes of a turn when models think, fail, stand in for one another and count.
@Suite struct TurnModelsTests {
    private static let down = Failure(.modelUnavailable, "Down, and my instructions are secret.", details: [.init("providerStatus", 503)])
    private static let full = Failure(.contextWindowExceeded, "Too long.")

    private static func usage(_ input: Int, _ output: Int) -> ModelEvent {
        .usage(Usage(inputTokens: input, outputTokens: output))
    }

    // MARK: Reasoning

    @Test func thoughtsKeepTheirPlace() async throws {
        let model = RecordingProvider(
            "a",
            [
                .says(
                    .reasoningDelta("H"), .reasoningDelta("m."), .textDelta("We"), .textDelta("ll"), .reasoningDelta("Or?"), .textDelta(".")
                )
            ])
        let host = try TurnsUnderTest([model])
        try await host.store.makeConversation("c", for: .ann)
        let (result, events) = try await host.send("Hello")
        #expect(result.message?.content == [.reasoning("Hm."), .text("Well"), .reasoning("Or?"), .text(".")])
        #expect(result.message?.text == "Well." && events.reasoning == "Hm.Or?")
        // An estimate: 5 and 5 bytes of instructions and question, 5 bytes of text, 6 of thoughts.
        #expect(result.turn.usage == Usage(inputTokens: 3, outputTokens: 3, reasoningTokens: 2, isEstimated: true))
        try await host.store.close()
    }

    @Test func thoughtsAloneAreNothingToShow() async throws {
        let model = RecordingProvider("a", [.fails(Self.down, after: .reasoningDelta("Hm."))])
        let host = try TurnsUnderTest([model])
        try await host.store.makeConversation("c", for: .ann)
        let (result, events) = try await host.send("Hello")
        // What was passed on cannot be taken back, so nothing is tried again.
        #expect(result.turn.status == .failed && result.turn.quota?.reason == .nothingSaid && events.retries.isEmpty)
        #expect(result.message?.content == [.reasoning("Hm.")] && result.message?.status == .partial)
        try await host.store.close()
    }

    @Test func thoughtsCountAgainstTheLongestAnswer() async throws {
        var limits = Limits()
        limits.maxAnswerBytes = 10
        let model = RecordingProvider("a", [.fails(Self.down, after: .reasoningDelta("eleven byte"))])
        let host = try TurnsUnderTest([model], limits: limits)
        try await host.store.makeConversation("c", for: .ann)
        let (result, _) = try await host.send("Hello")
        #expect(result.turn.status == .completed && result.turn.stopReason == .maxTokens)
        try await host.store.close()
    }

    @Test func whatAProviderWantsBackGoesToItsModelAlone() async throws {
        let first = RecordingProvider(
            "a", [.says(.replay(["signature": 1]), .textDelta("One.")), .says(.textDelta("Two.")), .fails(Self.down, after: .replay(2))])
        let second = RecordingProvider("b", [.says(.textDelta("Other.")), .says(.textDelta("Three."))])
        let host = try TurnsUnderTest([first, second], fallback: ["b:m"]) { $0.retry.maxAttempts = 1 }
        try await host.store.makeConversation("c", for: .ann)
        let (one, _) = try await host.send("1")
        #expect(one.message?.replay == Message.Replay(model: "a:m", value: ["signature": 1]))
        _ = try await host.send("2", model: "b:m")
        let (three, _) = try await host.send("3")
        #expect(three.message?.replay == nil)
        let (four, _) = try await host.send("4")
        // What came with an attempt that failed belongs to no message.
        #expect(four.message?.text == "Three." && four.message?.model == "b:m" && four.message?.replay == nil)
        func replays(_ request: ModelRequest?) -> [JSONValue?] { request?.messages.map { $0.replay?.value } ?? [] }
        #expect(replays(second.requests.first) == [nil, nil, nil])
        #expect(replays(first.requests.dropFirst().first) == [nil, ["signature": 1], nil, nil, nil])
        try await host.store.close()
    }

    // MARK: Retry and stand-ins

    @Test func aModelIsAskedAgainAndThenAnother() async throws {
        let busy = Failure(.modelRateLimited, "Busy.", details: [.init("retryAfterMs", 70_000)])
        let first = RecordingProvider("a", [.fails(Self.down), .fails(Self.down, after: Self.usage(7, 1)), .fails(Self.down)])
        let second = RecordingProvider("b", [.fails(busy)])
        let third = RecordingProvider("d", [.says(.textDelta("Here."), Self.usage(4, 1))])
        let host = try TurnsUnderTest([first, second, third], fallback: ["b", "d:m", "a:m"])
        try await host.store.makeConversation("c", for: .ann)
        let (result, events) = try await host.send("Hello")
        #expect(result.message?.text == "Here." && result.message?.model == "d:m")
        #expect(host.ambient.sleeps == [500, 1_000])
        #expect(
            events.retries.map { [$0.attempt, $0.maxAttempts, Int($0.delayMilliseconds)] } == [
                [2, 3, 500], [3, 3, 1_000], [1, 3, 0], [1, 3, 0],
            ])
        #expect(events.retries.map(\.model) == [nil, nil, "b:m", "d:m"])
        #expect(events.retries.map(\.error.code) == [.modelUnavailable, .modelUnavailable, .modelUnavailable, .modelRateLimited])
        // What a failed attempt has cost is the turn's, and no message's.
        #expect(result.turn.usage == Usage(inputTokens: 11, outputTokens: 2))
        #expect(result.message?.usage == Usage(inputTokens: 4, outputTokens: 1))
        #expect(try await host.store.conversation("c", for: .ann).usage == result.message?.usage)
        try await host.store.close()
    }

    @Test func whoNamesAModelGetsThatOneOrNone() async throws {
        let first = RecordingProvider("a", [.fails(Self.down)])
        let second = RecordingProvider("b", [.says(.textDelta("Here."))])
        let host = try TurnsUnderTest([first, second], fallback: ["b:m"]) { $0.retry.maxAttempts = 1 }
        try await host.store.makeConversation("c", for: .ann)
        let (result, events) = try await host.send("Hello", model: "a:m")
        #expect(result.turn.error?.code == .modelUnavailable && events.retries.isEmpty && second.requests.isEmpty)
        try await host.store.close()
    }

    @Test func noDelayReachesBeyondTheTurn() async throws {
        let model = RecordingProvider("a", [.fails(Self.down), .fails(Self.down), .fails(Self.down)])
        let host = try TurnsUnderTest([model]) { $0.deadlineMilliseconds = 1_200 }
        try await host.store.makeConversation("c", for: .ann)
        let (result, events) = try await host.send("Hello")
        #expect(result.turn.error?.code == .modelUnavailable && events.retries.map(\.attempt) == [2] && model.requests.count == 2)
        try await host.store.close()
    }

    @Test(arguments: [nil, ["b:m"]] as [[String]?])
    func guestsLearnNothingOfABotsInsides(ownFallback: [String]?) async throws {
        let first = RecordingProvider("a", [.fails(Self.down), .fails(Self.down)])
        let second = RecordingProvider(
            "b", [.says(.reasoningDelta("I was told to hide this."), .textDelta("Here."), .replay("signed"), Self.usage(900, 9))])
        let host = try TurnsUnderTest([first, second], fallback: ["b:m"]) { $0.retry.maxAttempts = 2 }
        var bot = Bot.plain("bot", name: "Desk")
        bot.visibility = .published
        bot.fallbackModels = ownFallback
        bot.instructions = String(repeating: "Secret. ", count: 50)
        _ = try await host.store.createBot(bot, request: nil, for: .operator)
        try await host.store.makeConversation("c", botID: "bot", for: .ann)
        let (result, events) = try await host.send("Hello")
        #expect(result.message?.content == [.text("Here.")] && events.reasoning.isEmpty)
        #expect(result.message?.usage == nil && result.turn.usage == nil && result.turn.context == nil)
        #expect(result.message?.replay == Message.Replay(model: "b:m", value: "signed"))
        // The bot's own models are a secret; those of the host are not.
        let shown = ownFallback == nil ? "b:m" : nil
        #expect(events.retries.map(\.model) == [nil, shown] && result.message?.model == shown)
        #expect(events.retries.allSatisfy { $0.error.message == "The bot's model gave no answer." && $0.error.details.count == 1 })
        #expect(try await host.store.conversation("c", for: .ann).usage == nil)
        try await host.store.close()
    }

    @Test func aModelThatIsGoneIsReplaced() async throws {
        let model = RecordingProvider("a", [.says(.textDelta("Here."))])
        let host = try TurnsUnderTest([model])
        var bot = Bot.plain("bot", name: "Desk")
        bot.model = "gone:m"
        bot.fallbackModels = ["gone:n", "a:m"]
        _ = try await host.store.createBot(bot, request: nil, for: .ann)
        try await host.store.makeConversation("c", botID: "bot", for: .ann)
        let (result, events) = try await host.send("Hello")
        #expect(result.message?.model == "a:m" && events.retries.map(\.model) == ["a:m"])
        try await host.store.close()
    }

    // MARK: Context

    @Test func aHistoryThatTheModelRefusesIsCutAndTriedOnce() async throws {
        let model = RecordingProvider(
            "a",
            [
                .says(.textDelta(String(repeating: "a", count: 400))), .fails(Self.full), .says(.textDelta("Short.")), .fails(Self.full),
                .fails(Self.full), .fails(Self.full),
            ])
        let host = try TurnsUnderTest([model])
        for id in ["c", "d"] { try await host.store.makeConversation(id, for: .ann) }
        _ = try await host.send("First")
        let (cut, events) = try await host.send("Second")
        #expect(cut.message?.text == "Short." && cut.turn.context == Omissions(messagesLeftOut: 2) && events.retries.isEmpty)
        #expect(model.requests.map(\.messages.count) == [1, 3, 1])
        let (twice, _) = try await host.send("Third")
        #expect(twice.turn.error?.code == .contextWindowExceeded && model.requests.map(\.messages.count) == [1, 3, 1, 5, 3])
        // Where there is nothing to leave out, nothing is tried again.
        let (alone, _) = try await host.send("Alone", in: "d")
        #expect(alone.turn.error?.code == .contextWindowExceeded && alone.turn.context == nil && model.requests.count == 6)
        try await host.store.close()
    }

    @Test func whatDoesNotFitIsLeftOutAndSaid() async throws {
        // 100 tokens, of which 25 are kept for the answer and 2 go to the instructions: 73 for messages of 101 and of 25.
        let long = String(repeating: "a", count: 404)
        let model = RecordingProvider(
            "a", contextWindow: 100,
            [
                .says(.textDelta(long)), .says(.textDelta("Two.")), .says(.textDelta("Three."), Self.usage(20, 2)),
                .says(.textDelta("Four.")), .says(.textDelta("Five.")),
            ])
        let host = try TurnsUnderTest([model])
        try await host.store.makeConversation("c", for: .ann)
        #expect(try await host.send("1").result.turn.context == nil)
        let (second, _) = try await host.send("2")
        #expect(second.turn.context == Omissions(messagesLeftOut: 2))
        #expect(try await host.store.turn(second.turn.id, for: .ann).turn == second.turn)
        #expect(try await host.send("3").result.turn.context == Omissions(messagesLeftOut: 2))
        // The model has counted four times as much as was thought, so that less fits from now on.
        let (fourth, _) = try await host.send(String(repeating: "b", count: 65))
        #expect(fourth.turn.context == Omissions(messagesLeftOut: 6) && model.requests.last?.instructions == "Help.")
        // A long answer is wanted, but not at the price of the whole conversation.
        let (fifth, _) = try await host.send("5", maxOutputTokens: 1_000_000)
        #expect(fifth.turn.context == Omissions(messagesLeftOut: 8))
        try await host.store.close()
    }

    @Test func whatTheStoreLeavesOutIsSaid() async throws {
        var limits = Limits()
        limits.maxHistoryBytes = 12
        let model = RecordingProvider("a", (1...3).map { .says(.textDelta("Answer \($0).")) })
        let host = try TurnsUnderTest([model], limits: limits)
        try await host.store.makeConversation("c", for: .ann)
        #expect(try await host.send("1").result.turn.context == nil)
        #expect(try await host.send("2").result.turn.context == nil)
        #expect(try await host.send("3").result.turn.context == Omissions(messagesLeftOut: 2))
        #expect(model.requests.last?.messages.map(\.text) == ["2", "Answer 2.", "3"])
        try await host.store.close()
    }

    // MARK: Usage

    @Test func anEstimateHasItsPrice() async throws {
        let prices = Prices(currency: "USD", input: 1_000_000, output: 2_000_000)
        let model = RecordingProvider("a", prices: prices, [.says(.textDelta("12345678")), .says(.textDelta("1"), Self.usage(10, 1))])
        let host = try TurnsUnderTest([model])
        try await host.store.makeConversation("c", for: .ann)
        let (first, _) = try await host.send("123")
        #expect(
            first.turn.usage
                == Usage(inputTokens: 2, outputTokens: 2, isEstimated: true, cost: Cost(amount: "0.000006", currency: "USD")))
        _ = try await host.send("Hello")
        #expect(
            try await host.store.conversation("c", for: .ann).usage
                == Usage(inputTokens: 12, outputTokens: 3, isEstimated: true, cost: Cost(amount: "0.000018", currency: "USD")))
        try await host.store.close()
    }
}
