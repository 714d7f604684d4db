import JSON
import ParleyCore

/// The content blocks of a message, put together from what a stream says of each.
struct ContentBlocks: Sendable {
    private enum Kind: Sendable {
        case text, thinking, redactedThinking, toolUse
        /// One that nobody here has asked for.
        case other
    }

    private struct Block {
        let kind: Kind
        /// What the stream calls it; nil once it has ended, for some servers begin another of the same number then.
        var index: Int?
        /// The text or the thinking.
        var text: RepeatedText
        /// What the server signs its thinking with.
        var signature: String
        /// Thinking that only the server can read.
        let data: String
        /// What a call of a tool is known by.
        var id: String
        var name: String
        /// A call's arguments as they were known at the beginning.
        var input: JSONValue?
        /// Their text, as far as it has come.
        var json = ""
    }

    private var blocks: [Block] = []

    /// Whether there is any block.
    var isEmpty: Bool { blocks.isEmpty }

    // MARK: What comes in

    /// Takes the beginning of a block, or a whole block.
    ///
    /// - Parameters:
    ///   - index: which block.
    ///   - piece: what is known of it.
    /// - Returns: what that adds to the answer.
    mutating func begin(_ index: Int, _ piece: MessagesEvent.Piece) -> [ModelEvent] {
        let kind = Self.kinds[piece.type] ?? .other
        if let place = place(of: index) {
            // When a beginning comes late, the text that it has is what the additions have said. One of something else is another block.
            if blocks[place].kind == kind, blocks[place].id.isEmpty || blocks[place].id == piece.id {
                blocks[place].id = piece.id
                blocks[place].name = piece.name
                blocks[place].input = piece.input
                return []
            }
            blocks[place].index = nil
        }
        let text = kind == .text ? piece.text : kind == .thinking ? piece.thinking : ""
        blocks.append(
            Block(
                kind: kind, index: index, text: RepeatedText(text), signature: piece.signature, data: piece.data, id: piece.id,
                name: piece.name, input: piece.input))
        return Self.events(kind, text)
    }

    /// Takes an addition to a block, of which the beginning may be missing.
    ///
    /// - Parameters:
    ///   - index: which block.
    ///   - piece: what is added.
    /// - Returns: what that adds to the answer.
    mutating func add(_ index: Int, _ piece: MessagesEvent.Piece) -> [ModelEvent] {
        // Citations among others change nothing of the text.
        guard let type = Self.typesOfAdditions[piece.type] else { return [] }
        guard let place = place(of: index) else {
            _ = begin(index, MessagesEvent.Piece(type: type))
            return add(index, piece)
        }
        switch (blocks[place].kind, piece.type) {
        case (.text, "text_delta"): return Self.events(.text, blocks[place].text.append(piece.text))
        case (.thinking, "thinking_delta"): return Self.events(.thinking, blocks[place].text.append(piece.thinking))
        case (.thinking, "signature_delta"): blocks[place].signature = piece.signature
        case (.toolUse, "input_json_delta"): blocks[place].json += piece.partialJSON
        default: break
        }
        return []
    }

    /// Takes the end of a block.
    ///
    /// - Parameter index: which block.
    /// - Returns: what that adds to the answer.
    mutating func end(_ index: Int) -> [ModelEvent] {
        guard let place = place(of: index) else { return [] }
        blocks[place].index = nil
        return Self.events(blocks[place].kind, blocks[place].text.end())
    }

    /// The place of a block that has not ended: the last, nearly always.
    private func place(of index: Int) -> Int? {
        blocks.lastIndex { $0.index == index }
    }

    private static func events(_ kind: Kind, _ text: String) -> [ModelEvent] {
        if text.isEmpty { return [] }
        return switch kind {
        case .text: [.textDelta(text)]
        case .thinking: [.reasoningDelta(text)]
        case .redactedThinking, .toolUse, .other: []
        }
    }

    private static let kinds: [String: Kind] = [
        "text": .text, "thinking": .thinking, "redacted_thinking": .redactedThinking, "tool_use": .toolUse,
    ]

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
        var replay: [JSONValue] = []
        var hasThinking = false
        var isInOrder = true
        for (place, block) in blocks.enumerated() {
            let text = block.text.text
            switch block.kind {
            case .text where !text.isEmpty:
                replay.append(["type": "text", "text": .string(text)])
                isInOrder = isInOrder && calls.isEmpty
            case .thinking where !block.signature.isEmpty:
                replay.append(["type": "thinking", "thinking": .string(text), "signature": .string(block.signature)])
                hasThinking = true
            case .redactedThinking where !block.data.isEmpty:
                replay.append(["type": "redacted_thinking", "data": .string(block.data)])
                hasThinking = true
            case .toolUse where !block.name.isEmpty:
                guard let call = Self.call(block, isCut: isCut && place == blocks.count - 1) else { continue }
                calls.append(call)
                replay.append(["type": "tool_use"])
            default: break
            }
        }
        return (calls, hasThinking || !isInOrder ? .array(replay) : nil)
    }

    /// The call, whole; nil if it is cut.
    private static func call(_ block: Block, isCut: Bool) -> ToolCall? {
        let text = Array(block.json.utf8)
        let isBlank = text.allSatisfy { $0 <= 0x20 }
        let parsed = isBlank ? nil : try? JSONReader.parse(text)
        if isCut, parsed == nil { return nil }
        let start = block.input?.isNull == false ? block.input : nil
        return ToolCall(id: block.id, name: block.name, arguments: isBlank ? start ?? [:] : parsed ?? .string(block.json))
    }
}
