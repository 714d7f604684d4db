import JSON
import ParleyTestSupport
import Testing

@testable import ParleyCore

/// What of a conversation goes into a model's window.
@Suite struct ContextWindowTests {
    /// A history as a word: `u8` for a user's message of 8 bytes, `a` for the assistant's, `c` for one that calls a tool, with the name of the
    /// call as its 5 bytes, `t100` for its output.
    private static func history(_ text: String) -> [Message] {
        text.split(separator: " ").enumerated().map { index, word in
            let size = Int(word.dropFirst()) ?? 4
            let filler = String(repeating: "x", count: size)
            let (role, part): (Message.Role, Message.Part) =
                switch word.first {
                case "u": (.user, .text(filler))
                case "c": (.assistant, .toolCall(ToolCall(id: "call", name: "xy", arguments: [:])))
                case "t": (.tool, .toolResult(ToolResult(toolCallID: "call", status: .completed, text: filler)))
                default: (.assistant, .text(filler))
                }
            return Message(
                id: "\(index)", conversationID: "c", turnID: "t", parentID: nil, role: role, content: [part], status: .complete,
                createdAt: Timestamp(milliseconds: 0))
        }
    }

    /// The places of what is left, with a bang behind an output that was cleared.
    private static func word(_ messages: [Message]) -> String {
        messages.map { $0.id + ($0.toolResults.contains { $0.text == ContextWindow.note } ? "!" : "") }.joined(separator: " ")
    }

    /// What goes into a window of a whole history.
    private static func fitted(_ history: [Message], into window: ContextWindow) throws -> (messages: [Message], omissions: Omissions) {
        let path = ConversationPath(endingWith: try #require(history.first))
        path.take(History(messages: history, earlierCount: 0))
        let fit = window.fit(try #require(path.outline(for: "a:m", readsHistory: true)).turns)
        let messages = path.messages(fit, for: "a:m")
        #expect(fit.bytes == messages.reduce(0) { $0 + $1.modelBytes })
        return (messages, fit.omissions)
    }

    @Test(
        arguments: [
            (nil, "u4 a400 u4", "0 1 2", Omissions()), (3, "u4 a4 u4", "0 1 2", Omissions()),
            (2, "u4 a4 u4", "2", Omissions(messagesLeftOut: 2)), (0, "u4 a4 u4", "2", Omissions(messagesLeftOut: 2)),
            (0, "u400", "0", Omissions()), (4, "u4 a4 u4 a4 u4 a4", "2 3 4 5", Omissions(messagesLeftOut: 2)),
            // A turn goes whole, with its calls and their results.
            (4, "u4 c t40 a4 u4", "4", Omissions(messagesLeftOut: 4)), (1, "u4 c t40 u4 c t40", "3 4 5", Omissions(messagesLeftOut: 3)),
            // Outputs go before messages do, but never those of the last two turns, or short ones.
            (60, "u4 c t400 a4 u4 u4", "0 1 2! 3 4 5", Omissions(toolOutputsCleared: 1)),
            (1_000, "u4 c t400 a4 u4 u4", "0 1 2 3 4 5", Omissions()), (60, "u4 c t400 u4", "3", Omissions(messagesLeftOut: 3)),
            (60, "u4 c t400 c t40 c t400 u4 u4 a4", "0 1 2! 3 4 5 6! 7 8 9", Omissions(toolOutputsCleared: 2)),
            (30, "u4 c t400 a100 u4 c t400 u4 u4", "4 5 6! 7 8", Omissions(messagesLeftOut: 4, toolOutputsCleared: 1)),
        ] as [(Int?, String, String, Omissions)])
    func leavesOutTheOldest(budget: Int?, history: String, left: String, omissions: Omissions) throws {
        let (messages, found) = try Self.fitted(
            Self.history(history), into: ContextWindow(budget: budget, estimate: TokenEstimate()))
        #expect(Self.word(messages) == left && found == omissions)
    }

    @Test(arguments: [
        (100, 400, 400, 100), (200, 400, 400, 200), (50, 400, 399, 50), (0, 400, 400, 100), (100, 0, 400, 100), (1_000_000, 400, 400, 400),
        (1, 400_000, 400, 25), (-5, 400, 400, 100),
    ])
    func estimatesLearnWhatTheModelCounts(counted: Int, sent: Int, bytes: Int, tokens: Int) {
        #expect(TokenEstimate(tokens: counted, of: sent).tokens(of: bytes) == tokens)
    }

    /// Whatever the history and the budget: it fits or only the last turn is left, it begins with a user's message, calls keep their results,
    /// and the rest keeps its order.
    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func whatIsLeftIsAConversation(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        var words: [String] = []
        for _ in 0..<Int.random(in: 1...12, using: &chance) {
            words.append("u\(Int.random(in: 1...300, using: &chance))")
            for _ in 0..<Int.random(in: 0...3, using: &chance) { words += ["c", "t\(Int.random(in: 1...900, using: &chance))"] }
            if Bool.random(using: &chance) { words.append("a\(Int.random(in: 1...300, using: &chance))") }
        }
        let history = Self.history(words.joined(separator: " "))
        let estimate = TokenEstimate(tokens: Int.random(in: 50...400, using: &chance), of: 400)
        let budget = Int.random(in: 0...2_000, using: &chance)
        let (left, omissions) = try Self.fitted(history, into: ContextWindow(budget: budget, estimate: estimate))

        func tokens(_ messages: [Message]) -> Int { estimate.tokens(of: messages.reduce(0) { $0 + $1.modelBytes }) }
        let lastTurn = history.lastIndex { $0.role == .user }.map { history.count - $0 }
        #expect(tokens(left) <= budget || left.count == lastTurn)
        #expect(left.first?.role == .user)
        #expect(left.map(\.id) == history.suffix(left.count).map(\.id))
        #expect(omissions.messagesLeftOut == history.count - left.count)
        #expect(ModelHistory.repaired(left) == left)
        // Nothing changed but outputs that were cleared, and as few messages were left out as could be.
        let changed = zip(left, history.suffix(left.count)).filter(!=)
        #expect(changed.count == omissions.toolOutputsCleared && changed.allSatisfy { $0.0.toolResults.first?.text == ContextWindow.note })
        if tokens(history) <= budget { #expect(left == history) }
        if let before = history.dropLast(left.count).lastIndex(where: { $0.role == .user }) {
            #expect(tokens(Self.withClearedOutputs(Array(history[before...]))) > budget)
        }
    }

    /// The same with every old output as short as it can be.
    private static func withClearedOutputs(_ messages: [Message]) -> [Message] {
        let users = messages.indices.filter { messages[$0].role == .user }
        let firstKept = users.dropLast().last ?? 0
        return messages.enumerated().map { index, message in
            guard index < firstKept, let result = message.toolResults.first, result.text.utf8.count > ContextWindow.note.utf8.count else {
                return message
            }
            var message = message
            var cleared = result
            cleared.text = ContextWindow.note
            message.content = [.toolResult(cleared)]
            return message
        }
    }
}
