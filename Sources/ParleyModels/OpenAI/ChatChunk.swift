import JSON
import ParleyCore

/// What is of interest in one chunk of a streamed chat completion, or in a whole completion.
///
/// Servers differ in everything, so that whatever has another type than expected is passed over instead of refused.
struct ChatChunk: ServerPiece {
    /// What `delta` adds.
    var delta = ChatMessage()
    /// A whole `message`, which may repeat what deltas have said.
    var message = ChatMessage()
    /// Whether there is an element in `choices`.
    var hasChoice = false
    /// Why the model stopped; empty while it goes on.
    var finishReason = ""
    /// What the call costs; nil when nothing is said of it, or nothing yet.
    var usage: Usage?
    /// Whether the chunk tells of an error, which `ProviderError` reads.
    var hasError = false

    var text: String {
        get { delta.content }
        set { delta.replaceContent(with: newValue) }
    }

    var textLiteral: Range<Int>? { delta.contentLiteral }

    /// Reads a chunk.
    ///
    /// - Parameter data: the data of one event, or a whole body.
    /// - Throws: `JSONError` of kind syntax.
    init(_ data: [UInt8]) throws(JSONError) {
        var reader = JSONReader(data)
        if try reader.enterObject() {
            while let key = try reader.nextKey() {
                switch key {
                case "choices": try readChoices(from: &reader)
                case "usage": usage = try Usage(chat: &reader)
                case "error": try readError(from: &reader)
                case "base_resp": try readBaseResponse(from: &reader)
                default: _ = try reader.skip()
                }
            }
        }
        try reader.end()
    }

    /// Only one choice is ever asked for.
    private mutating func readChoices(from reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterArray() else { return }
        while try reader.nextElement() {
            guard !hasChoice, try reader.peek() == .object else {
                _ = try reader.skip()
                continue
            }
            hasChoice = true
            try reader.beginObject()
            while let key = try reader.nextKey() {
                switch key {
                case "delta": try delta.read(from: &reader)
                case "message": try message.read(from: &reader)
                case "finish_reason": finishReason = try reader.textIfAny()
                case "error": try readError(from: &reader)
                default: _ = try reader.skip()
                }
            }
        }
    }

    private mutating func readError(from reader: inout JSONReader) throws(JSONError) {
        if try reader.peek() != .null { hasError = true }
        _ = try reader.skip()
    }

    /// MiniMax's own status; 0 is success.
    private mutating func readBaseResponse(from reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextKey() {
            if key != "status_code" {
                _ = try reader.skip()
            } else if let code = try reader.countIfAny(), code != 0 {
                hasError = true
            }
        }
    }
}

extension Usage {
    /// Reads `usage`, or nothing when it is null or holds no numbers yet, as MiniMax's `{"total_tokens":0}`.
    fileprivate init?(chat reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return nil }
        self.init(inputTokens: 0, outputTokens: 0)
        while let key = try reader.nextKey() {
            switch key {
            case "prompt_tokens": inputTokens = try reader.countIfAny() ?? 0
            case "completion_tokens": outputTokens = try reader.countIfAny() ?? 0
            case "prompt_tokens_details": cachedInputTokens = try reader.count(in: "cached_tokens") ?? cachedInputTokens
            case "completion_tokens_details": reasoningTokens = try reader.count(in: "reasoning_tokens") ?? reasoningTokens
            default: _ = try reader.skip()
            }
        }
        if inputTokens == 0, outputTokens == 0 { return nil }
    }
}
