import JSON
import ParleyCore

/// The content blocks of a message, put together from what a stream says of each.
struct ContentBlocks: Sendable {
    private enum Content {
        case text(RepeatedText)
        case thinking(RepeatedText, signature: String)
        /// Thinking that only the server can read.
        case redactedThinking(data: String)
        case toolUse(ToolUse)
        /// A kind that nobody here has asked for.
        case other
    }

    private struct ToolUse {
        var id = ""
        var name = ""
        /// The arguments as they were known at the beginning.
        var input: JSONValue?
        /// Their text, as far as it has come.
        var json = ""

        /// The call, whole; nil if it is cut.
        func call(isCut: Bool) -> ToolCall? {
            let text = Array(json.utf8)
            let isBlank = text.allSatisfy { $0 <= 0x20 }
            let parsed = isBlank ? nil : try? JSONReader.parse(text)
            if isCut, parsed == nil { return nil }
            let start = input?.isNull == false ? input : nil
            return ToolCall(id: id, name: name, arguments: isBlank ? start ?? [:] : parsed ?? .string(json))
        }
    }

    private var indices: [Int] = []
    private var contents: [Content] = []

    /// Whether there is any block.
    var isEmpty: Bool { contents.isEmpty }

    // MARK: What comes in

    /// Takes the beginning of a block, or a whole block.
    ///
    /// - Parameters:
    ///   - index: which block.
    ///   - piece: what is known of it.
    /// - Returns: what that adds to the answer.
    mutating func begin(_ index: Int, _ piece: MessagesEvent.Piece) -> [ModelEvent] {
        guard let place = indices.firstIndex(of: index) else {
            indices.append(index)
            switch piece.type {
            case "text": contents.append(.text(RepeatedText(piece.text)))
            case "thinking": contents.append(.thinking(RepeatedText(piece.thinking), signature: piece.signature))
            case "redacted_thinking": contents.append(.redactedThinking(data: piece.data))
            case "tool_use": contents.append(.toolUse(ToolUse(id: piece.id, name: piece.name, input: piece.input)))
            default: contents.append(.other)
            }
            return Self.events(text: piece.type == "text" ? piece.text : "", thinking: piece.type == "thinking" ? piece.thinking : "")
        }
        // Its beginning comes late. The text that it has is what the additions have said.
        if case .toolUse(var use) = contents[place] {
            use.id = piece.id
            use.name = piece.name
            use.input = piece.input
            contents[place] = .toolUse(use)
        }
        return []
    }

    /// Takes an addition to a block, of which the beginning may be missing.
    ///
    /// - Parameters:
    ///   - index: which block.
    ///   - piece: what is added.
    /// - Returns: what that adds to the answer.
    mutating func add(_ index: Int, _ piece: MessagesEvent.Piece) -> [ModelEvent] {
        guard let place = indices.firstIndex(of: index) else {
            guard let type = Self.typesOfAdditions[piece.type] else { return [] }
            _ = begin(index, MessagesEvent.Piece(type: type))
            return add(index, piece)
        }
        switch (contents[place], piece.type) {
        case (.text(var text), "text_delta"):
            let more = text.append(piece.text)
            contents[place] = .text(text)
            return Self.events(text: more)
        case (.thinking(var thinking, let signature), "thinking_delta"):
            let more = thinking.append(piece.thinking)
            contents[place] = .thinking(thinking, signature: signature)
            return Self.events(thinking: more)
        case (.thinking(let thinking, _), "signature_delta"):
            contents[place] = .thinking(thinking, signature: piece.signature)
        case (.toolUse(var use), "input_json_delta"):
            use.json += piece.partialJSON
            contents[place] = .toolUse(use)
        // Citations among others, which do not change the text.
        default: break
        }
        return []
    }

    /// Takes the end of a block.
    ///
    /// - Returns: what that adds to the answer.
    mutating func end(_ index: Int) -> [ModelEvent] {
        guard let place = indices.firstIndex(of: index) else { return [] }
        switch contents[place] {
        case .text(var text):
            let rest = text.end()
            contents[place] = .text(text)
            return Self.events(text: rest)
        case .thinking(var thinking, let signature):
            let rest = thinking.end()
            contents[place] = .thinking(thinking, signature: signature)
            return Self.events(thinking: rest)
        case .redactedThinking, .toolUse, .other: return []
        }
    }

    private static func events(text: String = "", thinking: String = "") -> [ModelEvent] {
        (thinking.isEmpty ? [] : [.reasoningDelta(thinking)]) + (text.isEmpty ? [] : [.textDelta(text)])
    }

    private static let typesOfAdditions = [
        "text_delta": "text", "thinking_delta": "thinking", "signature_delta": "thinking", "input_json_delta": "tool_use",
    ]

    // MARK: What has come

    /// What the model wants done, and what the server wants sent back with the message.
    ///
    /// Arguments that are no JSON stay the text that they are, and the tool's schema refuses them. An answer that came to its bound may end in
    /// the middle of a call: that one is left out. Thinking without a signature, as such a bound leaves it, would be refused.
    ///
    /// - Parameter isCut: whether the answer came to a bound of its length.
    /// - Returns: the calls; and the blocks, or nil when the text and the calls say all of it. A call stands in them by its type alone,
    ///   because the message has it.
    func result(isCut: Bool) -> (calls: [ToolCall], replay: JSONValue?) {
        var calls: [ToolCall] = []
        var blocks: [JSONValue] = []
        var hasThinking = false
        var isInOrder = true
        for (place, content) in contents.enumerated() {
            switch content {
            case .text(let text) where !text.text.isEmpty:
                blocks.append(["type": "text", "text": .string(text.text)])
                isInOrder = isInOrder && calls.isEmpty
            case .thinking(let thinking, let signature) where !signature.isEmpty:
                blocks.append(["type": "thinking", "thinking": .string(thinking.text), "signature": .string(signature)])
                hasThinking = true
            case .redactedThinking(let data) where !data.isEmpty:
                blocks.append(["type": "redacted_thinking", "data": .string(data)])
                hasThinking = true
            case .toolUse(let use) where !use.name.isEmpty:
                guard let call = use.call(isCut: isCut && place == contents.count - 1) else { continue }
                calls.append(call)
                blocks.append(["type": "tool_use"])
            default: break
            }
        }
        return (calls, hasThinking || !isInOrder ? .array(blocks) : nil)
    }
}
