import JSON
import ParleyCore

/// A conversation in the form of the Messages API: user and assistant take turns, and each turn is a list of content blocks.
struct MessagesHistory {
    /// One turn.
    struct Turn {
        /// Who speaks; the results of tools are the user's.
        var role: Message.Role
        var blocks: [Block]
    }

    /// One piece of a turn.
    enum Block {
        case text(String)
        case toolUse(ToolCall)
        case toolResult(ToolResult)
        /// What this provider has asked to be sent back as it was: signed or encrypted thinking.
        case verbatim(JSONValue)
    }

    /// The turns in order, none of them empty.
    private(set) var turns: [Turn] = []

    /// Puts messages into this form.
    ///
    /// Messages of one role that follow one another become one turn. The core sees to it that every call of a tool has its result in the
    /// message after it (`ModelHistory`); here the results come first in their turn, as the API wants them.
    ///
    /// - Parameters:
    ///   - messages: the history.
    ///   - model: the model that is asked, as `PROVIDER:MODEL`. Only what it has itself thought is sent back.
    init(_ messages: [Message], for model: String) {
        for message in messages {
            let blocks = message.role == .assistant ? Self.said(message, to: model) : Self.asked(message)
            guard !blocks.isEmpty else { continue }
            let role: Message.Role = message.role == .assistant ? .assistant : .user
            if turns.last?.role == role {
                turns[turns.count - 1].blocks += blocks
            } else {
                turns.append(Turn(role: role, blocks: blocks))
            }
        }
        for index in turns.indices where turns[index].role == .user {
            let blocks = turns[index].blocks
            turns[index].blocks = blocks.filter(\.isToolResult) + blocks.filter { !$0.isToolResult }
        }
    }

    private static func asked(_ message: Message) -> [Block] {
        message.toolResults.map { .toolResult($0) } + text(message.text)
    }

    private static func said(_ message: Message, to model: String) -> [Block] {
        if let replay = message.replay, replay.model == model, let blocks = replayed(replay.value, calls: message.toolCalls) {
            return blocks
        }
        return message.content.flatMap { part -> [Block] in
            switch part {
            case .text(let more): text(more)
            case .toolCall(let call): [.toolUse(call)]
            case .reasoning, .toolResult: []
            }
        }
    }

    /// What `ContentBlocks.replay` has made, read.
    ///
    /// - Returns: nil for what does not go with the message, which has been changed since.
    private static func replayed(_ value: JSONValue, calls: [ToolCall]) -> [Block]? {
        guard let elements = value.arrayValue else { return nil }
        var calls = calls[...]
        var blocks: [Block] = []
        for element in elements {
            switch element["type"]?.stringValue {
            case "text": blocks += text(element["text"]?.stringValue ?? "")
            case "tool_use":
                // The id may be another than the server's, which the results then have too.
                guard let call = calls.popFirst() else { return nil }
                blocks.append(.toolUse(call))
            case "thinking", "redacted_thinking": blocks.append(.verbatim(element))
            default: return nil
            }
        }
        return calls.isEmpty && !blocks.isEmpty ? blocks : nil
    }

    /// Text that is nothing but white space is refused.
    private static func text(_ text: String) -> [Block] {
        text.allSatisfy(\.isWhitespace) ? [] : [.text(text)]
    }
}

extension MessagesHistory.Block {
    fileprivate var isToolResult: Bool {
        if case .toolResult = self { true } else { false }
    }
}
