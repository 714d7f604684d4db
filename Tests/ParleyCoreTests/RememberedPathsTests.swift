import JSON
import ParleyTestSupport
import Testing

@testable import ParleyCore

/// What is remembered of conversations saves a look into the store, and makes no other difference.
@Suite struct RememberedPathsTests {
    // MARK: What models are told

    /// What a model could read of a message.
    private struct Told: Equatable {
        let id: String
        let role: Message.Role
        let content: [Message.Part]
        let replay: Message.Replay?

        init(_ message: Message) {
            (id, role, content, replay) = (message.id, message.role, message.content, message.replay)
        }
    }

    /// What happens, the same in two hosts.
    private struct Story {
        enum Step {
            case message(String, model: String?)
            case command
            /// Something said before is answered again, or said otherwise.
            case regeneration(Int)
            case edit(Int, String)
        }

        var steps: [Step] = []
        var answers: [[RecordingProvider.Answer]] = []
        var window: Int?
        var limits = Limits()

        init(seed: UInt64) {
            var chance = SeededGenerator(seed: seed)
            func text(_ size: Int) -> String { String(repeating: "x", count: Int.random(in: 1...size, using: &chance)) }
            window = Bool.random(using: &chance) ? Int.random(in: 60...600, using: &chance) : nil
            limits.maxHistoryBytes = Int.random(in: 200...3_000, using: &chance)
            for _ in 0..<Int.random(in: 4...16, using: &chance) {
                switch Int.random(in: 0..<10, using: &chance) {
                case 0: steps.append(.command)
                case 1: steps.append(.regeneration(Int.random(in: 0..<100, using: &chance)))
                case 2: steps.append(.edit(Int.random(in: 0..<100, using: &chance), text(80)))
                case 3...5: steps.append(.message(text(200), model: "b:m"))
                default: steps.append(.message(text(200), model: nil))
                }
            }
            answers = (0..<2).map { _ in
                (0..<80).map { _ in
                    var answer = RecordingProvider.Answer()
                    if Int.random(in: 0..<4, using: &chance) == 0 { answer.events.append(.replay(.string(text(60)))) }
                    if Int.random(in: 0..<8, using: &chance) > 0 { answer.events.append(.textDelta(text(300))) }
                    if Bool.random(using: &chance) {
                        answer.events.append(
                            .usage(Usage(inputTokens: Int.random(in: 1...400, using: &chance), outputTokens: 5)))
                    }
                    switch Int.random(in: 0..<8, using: &chance) {
                    case 0...1:
                        // There is no such tool, which is what the model is told then.
                        answer.events.append(.toolCall(ToolCall(id: "", name: "tool", arguments: ["text": .string(text(200))])))
                    case 2: answer.failure = Failure(.contextWindowExceeded, "Too long.")
                    case 3: answer.failure = Failure(.modelRejected, "No.")
                    default: break
                    }
                    return answer
                }
            }
        }

        /// What the models were asked, and what was left out, in a host that remembers so much.
        func told(remembering bytes: Int) async throws -> (requests: [[[Told]]], results: [TurnResult]) {
            var limits = limits
            limits.maxRememberedBytes = bytes
            let providers = zip(["a", "b"], answers).map { RecordingProvider($0, contextWindow: window, $1) }
            let host = try TurnsUnderTest(providers, fallback: ["b:m"], limits: limits)
            try await host.store.makeConversation("c", for: .ann)
            var results: [TurnResult] = []
            for step in steps {
                func messageID(_ number: Int) -> String? {
                    let earlier = results.filter { !$0.turn.isLocal }
                    return earlier.isEmpty ? nil : earlier[number % earlier.count].turn.userMessageID
                }
                switch step {
                case .message(let text, let model): results.append(try await host.send(text, model: model).result)
                case .command: results.append(try await host.send("/help", readsCommands: true).result)
                case .regeneration(let number):
                    guard let id = messageID(number) else { continue }
                    results.append(try await host.send("", .regeneration(of: id)).result)
                case .edit(let number, let text):
                    guard let id = messageID(number) else { continue }
                    results.append(try await host.send(text, .edit(of: id)).result)
                }
            }
            try await host.store.close()
            return (providers.map { $0.requests.map { $0.messages.map(Told.init) } }, results)
        }
    }

    @Test(arguments: 1...60 as ClosedRange<UInt64>)
    func modelsAreToldTheSame(seed: UInt64) async throws {
        let story = Story(seed: seed)
        let (read, remembered) = (try await story.told(remembering: 0), try await story.told(remembering: 1 << 20))
        for (read, remembered) in zip(read.requests, remembered.requests) {
            #expect(read.count == remembered.count)
            for (read, remembered) in zip(read, remembered) { #expect(read.map(\.id) == remembered.map(\.id) && read == remembered) }
        }
        #expect(read.results == remembered.results)
    }

    /// What was never asked is not bounded, and so is read from the store, which bounds it.
    @Test(arguments: [0, 1 << 20])
    func whatNoModelWasAskedIsBoundedToo(remembering bytes: Int) async throws {
        var limits = Limits()
        limits.maxHistoryBytes = 250
        limits.maxRememberedBytes = bytes
        let model = RecordingProvider("a", [.says(.textDelta("Yes."))])
        let host = try TurnsUnderTest([model], limits: limits)
        var bot = Bot.plain("bot", name: "Desk")
        bot.model = "gone:m"
        _ = try await host.store.createBot(bot, request: nil, for: .ann)
        try await host.store.makeConversation("c", botID: "bot", for: .ann)
        for _ in 0..<4 {
            let (failed, _) = try await host.send(String(repeating: "x", count: 100))
            #expect(failed.turn.error?.code == .modelUnavailable)
        }
        let (answered, _) = try await host.send("Well?", model: "a:m")
        #expect(answered.turn.context == Omissions(messagesLeftOut: 2) && model.requests.last?.messages.count == 3)
        try await host.store.close()
    }

    @Test func whatModelsDoNotReadIsNotRemembered() async throws {
        let thought = String(repeating: "Hm. ", count: 10_000)
        let model = RecordingProvider("a", [.says(.reasoningDelta(thought), .textDelta("Yes.")), .says(.textDelta("No."))])
        let host = try TurnsUnderTest([model])
        try await host.store.makeConversation("c", for: .ann)
        let (first, _) = try await host.send("1")
        #expect(first.message?.content == [.reasoning(thought), .text("Yes.")])
        _ = try await host.send("2")
        #expect(model.requests.last?.messages.map(\.content) == [[.text("1")], [.text("Yes.")], [.text("2")]])
        try await host.store.close()
    }

    @Test func aPathIsFoundByTheMessageThatFollowsIt() async throws {
        let model = RecordingProvider("a", [.says(.textDelta("One.")), .says(.textDelta("Two."))])
        let host = try TurnsUnderTest([model])
        try await host.store.makeConversation("c", for: .ann)
        let (first, _) = try await host.send("1")
        let (second, _) = try await host.send("2")
        let answerID = try #require(second.message?.id)
        #expect(host.turns.paths.take(of: "c", endingWith: try #require(first.message?.id)) == nil)
        #expect(host.turns.paths.take(of: "d", endingWith: answerID) == nil)
        let path = try #require(host.turns.paths.take(of: "c", endingWith: answerID))
        #expect(path.lastMessageID == answerID && path.outline(for: "a:m", readsHistory: true)?.turns.count == 2)
        // Whoever takes it has it alone.
        #expect(host.turns.paths.take(of: "c", endingWith: answerID) == nil)
        host.turns.paths.keep(path, of: "c")
        host.turns.forgetConversations()
        #expect(host.turns.paths.take(of: "c", endingWith: answerID) == nil)
        try await host.store.close()
    }

    @Test func whatNoModelReadsIsNotKept() throws {
        let path = ConversationPath(endingWith: Self.message("1", .user))
        path.append(Self.message("2", .assistant), maximumBytes: .max)
        path.append(Self.message("3", .user), maximumBytes: .max)
        #expect(path.outline(for: "a:m", readsHistory: true)?.turns.count == 2)
        let full = path.memory
        #expect(path.outline(for: "a:m", readsHistory: false)?.turns.count == 2 && path.memory < full)
        // What takes the messages to know must read them again.
        #expect(path.outline(for: "a:m", readsHistory: true) == nil && path.outline(for: "b:m", readsHistory: false) == nil)
        path.take(History(messages: [Self.message("1", .user), Self.message("2", .assistant), Self.message("3", .user)], earlierCount: 0))
        #expect(path.outline(for: "b:m", readsHistory: true)?.turns.count == 2 && path.memory == full)
    }

    // MARK: How much is kept

    private static func message(_ id: String, _ role: Message.Role, size: Int = 100) -> Message {
        Message(
            id: id, conversationID: "c", turnID: "t", parentID: id == "1" ? nil : "p", role: role,
            content: [.text(String(repeating: "x", count: size))], status: .complete, createdAt: Timestamp(milliseconds: 0))
    }

    /// Against a list that is walked.
    @Test(arguments: 1...50 as ClosedRange<UInt64>)
    func whatWentOnLongestAgoGoesFirst(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        let maximum = 40_000
        let paths = RememberedPaths(maximumBytes: maximum)
        var expected: [(id: String, path: ConversationPath)] = []
        for _ in 0..<400 {
            let id = "c\(Int.random(in: 0..<30, using: &chance))"
            if Int.random(in: 0..<3, using: &chance) == 0 {
                let known = expected.first { $0.id == id }?.path
                #expect(paths.take(of: id, endingWith: "1") === known)
                expected.removeAll { $0.id == id }
            } else {
                let path = ConversationPath(endingWith: Self.message("1", .user, size: Int.random(in: 1...12_000, using: &chance)))
                paths.keep(path, of: id)
                expected.removeAll { $0.id == id }
                if path.memory <= maximum / 4 { expected.append((id, path)) }
                while expected.reduce(0, { $0 + $1.path.memory }) > maximum { expected.removeFirst() }
            }
        }
        for (id, path) in expected { #expect(paths.take(of: id, endingWith: "1") === path) }
        #expect(!expected.isEmpty)
    }
}
