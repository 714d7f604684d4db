import JSON
import ParleyCore

/// What is of interest in one event of a streamed message, or in a whole message.
///
/// Servers differ, so that whatever has another type than expected is passed over instead of refused.
struct MessagesEvent: ServerPiece {
    /// A content block, or what is added to one.
    struct Piece {
        /// `text`, `thinking`, `redacted_thinking`, `tool_use`; for an addition `text_delta` and the like.
        var type = ""
        var text = ""
        /// Where the text lies, if it is a string.
        var textLiteral: Range<Int>?
        var thinking = ""
        var signature = ""
        /// Thinking that only the server can read.
        var data = ""
        /// The id of a tool call.
        var id = ""
        /// The name of a tool.
        var name = ""
        /// A tool's arguments as they are known at the block's beginning.
        var input: JSONValue?
        /// More of the text of a tool's arguments.
        var partialJSON = ""
    }

    /// The counts of tokens, as far as they are told.
    struct Counts {
        var input: Int?
        var cacheCreation: Int?
        var cacheRead: Int?
        var output: Int?
    }

    /// What kind of event it is; `message` for a whole message.
    var type = ""
    /// Which block it concerns.
    var index = 0
    /// The block that begins.
    var block: Piece?
    /// What is added to a block.
    var delta: Piece?
    /// The blocks of a whole message.
    var content: [Piece] = []
    /// Why the model stopped; empty while it goes on.
    var stopReason = ""
    /// What the call costs.
    var counts = Counts()
    /// Whether it tells of an error, which `ProviderError` reads.
    var hasError = false

    var text: String {
        get { delta?.text ?? "" }
        set {
            delta?.text = newValue
            delta?.textLiteral = nil
        }
    }

    var textLiteral: Range<Int>? { delta?.textLiteral }

    /// Reads an event.
    ///
    /// - Parameter data: the data of one event, or a whole body.
    /// - Throws: `JSONError` of kind syntax.
    init(_ data: [UInt8]) throws(JSONError) {
        var reader = JSONReader(data)
        if try reader.enterObject() {
            while let key = try reader.nextKey() {
                switch key {
                case "type": type = try reader.textIfAny()
                case "index": index = try reader.countIfAny() ?? 0
                case "content_block": block = try piece(from: &reader)
                case "delta": delta = try piece(from: &reader)
                case "message": try readMessage(from: &reader)
                case "content": try readContent(from: &reader)
                case "stop_reason": stopReason = try reader.textIfAny()
                case "usage": try readCounts(from: &reader)
                case "error":
                    if try reader.peek() != .null { hasError = true }
                    _ = try reader.skip()
                case "base_resp":
                    if try reader.count(in: "status_code") ?? 0 != 0 { hasError = true }
                default: _ = try reader.skip()
                }
            }
        }
        try reader.end()
        if type == "error" { hasError = true }
    }

    /// The message of `message_start`, which has no content yet.
    private mutating func readMessage(from reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextKey() {
            if key == "usage" { try readCounts(from: &reader) } else { _ = try reader.skip() }
        }
    }

    private mutating func readContent(from reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterArray() else { return }
        while try reader.nextElement() { content.append(try piece(from: &reader)) }
    }

    private mutating func piece(from reader: inout JSONReader) throws(JSONError) -> Piece {
        var piece = Piece()
        guard try reader.enterObject() else { return piece }
        while let key = try reader.nextKey() {
            switch key {
            case "type": piece.type = try reader.textIfAny()
            case "text": (piece.text, piece.textLiteral) = try reader.literalIfAny()
            case "thinking": piece.thinking = try reader.textIfAny()
            case "signature": piece.signature = try reader.textIfAny()
            case "data": piece.data = try reader.textIfAny()
            case "id": piece.id = try reader.textIfAny()
            case "name": piece.name = try reader.textIfAny()
            case "input": piece.input = try reader.value()
            case "partial_json": piece.partialJSON = try reader.textIfAny()
            // It stands beside the additions to no block, in `message_delta`.
            case "stop_reason": stopReason = try reader.textIfAny()
            default: _ = try reader.skip()
            }
        }
        return piece
    }

    private mutating func readCounts(from reader: inout JSONReader) throws(JSONError) {
        guard try reader.enterObject() else { return }
        while let key = try reader.nextKey() {
            switch key {
            case "input_tokens": counts.input = try reader.countIfAny()
            case "cache_creation_input_tokens": counts.cacheCreation = try reader.countIfAny()
            case "cache_read_input_tokens": counts.cacheRead = try reader.countIfAny()
            case "output_tokens": counts.output = try reader.countIfAny()
            default: _ = try reader.skip()
            }
        }
    }
}

extension MessagesEvent.Counts {
    /// Puts newer counts in the place of older ones: they are sums, and not added to one another.
    ///
    /// A nought takes nothing back, because some servers count the input in the first event alone.
    mutating func take(_ newer: MessagesEvent.Counts) {
        func latest(_ old: Int?, _ new: Int?) -> Int? { new == 0 ? old ?? 0 : new ?? old }
        input = latest(input, newer.input)
        cacheCreation = latest(cacheCreation, newer.cacheCreation)
        cacheRead = latest(cacheRead, newer.cacheRead)
        output = latest(output, newer.output)
    }

    /// The same in the words of the domain; nil while nothing is known. `input_tokens` is what is not in the cache.
    var usage: Usage? {
        let total = [input, cacheCreation, cacheRead].reduce(0) { sum, count in
            let (total, overflow) = sum.addingReportingOverflow(count ?? 0)
            return overflow ? .max : total
        }
        guard total > 0 || output ?? 0 > 0 else { return nil }
        return Usage(inputTokens: total, cachedInputTokens: cacheRead, outputTokens: output ?? 0)
    }
}
