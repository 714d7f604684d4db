import JSON

/// What is of interest in a `delta` or a `message` of a chat completion.
struct ChatMessage {
    /// The text, in which there may be tags.
    var content = ""
    /// Where it lies, if it is one string.
    private(set) var contentLiteral: Range<Int>?
    private var hasReadContent = false
    /// What stands instead of an answer.
    var refusal = ""
    /// What the model thinks, by where it stands, the most usual place first.
    var reasoning: [(source: ReasoningAssembly.Source, text: String)] = []
    /// Pieces of `reasoning_details`, or whole ones.
    var details: [JSONValue] = []
    /// Pieces of tool calls, or whole ones.
    var toolCalls: [ToolCallPiece] = []

    /// Adds what stands in an object, if there is one.
    mutating func read(from reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextKey() {
            switch key {
            case "content": try readContent(from: &reader)
            case "refusal": refusal += try reader.textIfAny()
            case "reasoning_content": reasoning.append((.reasoningContent, try reader.textIfAny()))
            case "reasoning": reasoning.append((.reasoning, try reader.textIfAny()))
            case "reasoning_details":
                if try reader.peek() == .array { details += try reader.value().arrayValue ?? [] } else { _ = try reader.skip() }
            case "tool_calls": try readToolCalls(from: &reader)
            default: _ = try reader.skip()
            }
        }
    }

    /// Says another text instead of the one that was read.
    mutating func replaceContent(with text: String) {
        content = text
        contentLiteral = nil
    }

    /// Text, or an array of parts, of which some are thoughts (Mistral).
    private mutating func readContent(from reader: inout JSONReader) throws(JSONError) {
        let isFirst = !hasReadContent
        hasReadContent = true
        contentLiteral = nil
        guard try reader.peek() == .array else {
            let text = try reader.literalIfAny()
            content += text.text
            if isFirst { contentLiteral = text.place }
            return
        }
        for part in try reader.value().arrayValue ?? [] {
            switch part["type"]?.stringValue ?? "text" {
            case "text": content += part["text"]?.stringValue ?? ""
            case "thinking":
                let thoughts = part["thinking"]?.arrayValue?.compactMap { $0["text"]?.stringValue }
                reasoning.append((.parts, thoughts?.joined() ?? part["thinking"]?.stringValue ?? ""))
            default: break
            }
        }
    }

    private mutating func readToolCalls(from reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterArray() else { return }
        while try reader.nextElement() {
            guard try reader.enterObject() else { continue }
            var piece = ToolCallPiece()
            while let key = try reader.nextKey() {
                switch key {
                case "index": piece.index = try reader.countIfAny()
                case "id": piece.id = try reader.textIfAny()
                case "function": try readFunction(from: &reader, into: &piece)
                case "extra_content":
                    if try reader.peek() == .object { piece.extra = try reader.value() } else { _ = try reader.skip() }
                default: _ = try reader.skip()
                }
            }
            toolCalls.append(piece)
        }
    }

    private func readFunction(from reader: inout JSONReader, into piece: inout ToolCallPiece) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextKey() {
            switch key {
            case "name": piece.name = try reader.textIfAny()
            case "arguments": piece.arguments = try reader.argumentsIfAny()
            default: _ = try reader.skip()
            }
        }
    }
}
