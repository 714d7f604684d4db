import JSON
import Testing

@testable import ParleyCore

/// Whatever a crash, a cancel or the bound on the history has left, every call has its result and no result stands alone.
@Suite struct ModelHistoryTests {
    private static func message(_ id: String, _ role: Message.Role, _ parts: Message.Part...) -> Message {
        Message(
            id: id, conversationID: "c", turnID: "t", parentID: nil, role: role, content: parts, status: .complete,
            createdAt: Timestamp(milliseconds: 0))
    }

    private static func call(_ id: String) -> Message.Part { .toolCall(ToolCall(id: id, name: "weather", arguments: [:])) }

    private static func result(_ id: String) -> Message.Part {
        .toolResult(ToolResult(toolCallID: id, status: .completed, text: "Sun"))
    }

    /// A history as a word: u, a and t for what people, the assistant and tools say, with the ids of calls and results behind.
    private static func word(_ messages: [Message]) -> String {
        messages.map { message in
            message.role.rawValue.prefix(1) + (message.toolCalls.map(\.id) + message.toolResults.map(\.toolCallID)).joined()
        }.joined(separator: " ")
    }

    @Test(arguments: [
        ("u a u", "u a u"), ("u a1 t1 a", "u a1 t1 a"), ("u a12 t12 a", "u a12 t12 a"), ("u a1", "u a1 t1"), ("u a1 u", "u a1 t1 u"),
        ("u a12 t1 u", "u a12 t12 u"), ("t1 a u", "a u"), ("t1 t2 u", "u"), ("a1 t1 u a2", "a1 t1 u a2 t2"), ("", ""),
    ])
    func isMended(before: String, after: String) {
        let messages = before.split(separator: " ").map { word in
            let ids = word.dropFirst().map(String.init)
            return switch word.first {
            case "u": Self.message("m", .user, .text("Hello"))
            case "a": Self.message("m", .assistant).appending([.text("Well")] + ids.map(Self.call))
            default: Self.message("m", .tool).appending(ids.map(Self.result))
            }
        }
        #expect(Self.word(ModelHistory.repaired(messages)) == after)
    }
}

extension Message {
    fileprivate func appending(_ parts: [Part]) -> Message {
        var message = self
        message.content += parts
        return message
    }
}
