package import JSON
package import ParleyCore

/// The values of a file's lines.
extension JSONReader {
    /// Reads a string that must be this one.
    mutating func expect(_ word: String) throws(JSONError) {
        guard try string() == word else { throw mismatch("expected \"\(word)\"") }
    }

    /// Reads a string that is one of an enumeration's words.
    mutating func word<Word: RawRepresentable<String>>() throws(JSONError) -> Word {
        guard let word = Word(rawValue: try string()) else { throw mismatch("unknown word") }
        return word
    }

    /// Reads a moment.
    mutating func timestamp() throws(JSONError) -> Timestamp {
        guard let moment = Timestamp(rfc3339: try string()) else {
            throw mismatch("expected a moment such as 2026-11-23T14:45:00.250Z")
        }
        return moment
    }

    /// Reads any value of so many bytes at most: as a value it may take many times what it takes as text.
    mutating func value(maximumBytes: Int) throws(JSONError) -> JSONValue {
        var ahead = self
        guard try ahead.skip().count <= maximumBytes else { throw ahead.mismatch("larger than \(maximumBytes) bytes of JSON") }
        return try value()
    }

    /// Reads how a turn has ended, with its id.
    mutating func turn() throws(JSONError) -> (id: String, ending: TurnEnding) {
        var id: String?
        var status: Turn.Status?
        var stopReason: Turn.StopReason?
        var error: TurnError?
        try beginObject()
        while let key = try nextKey() {
            switch key {
            case "id": id = try string()
            case "status": status = try word()
            case "stopReason": stopReason = try word()
            case "error": error = try turnError()
            default: throw mismatch("unknown field")
            }
        }
        guard let id else { throw missing("id") }
        guard let status else { throw missing("status") }
        return (id, TurnEnding(status: status, stopReason: stopReason, error: error))
    }

    private mutating func turnError() throws(JSONError) -> TurnError {
        var code: Failure.Code?
        var message: String?
        try beginObject()
        while let key = try nextKey() {
            switch key {
            case "code": code = try word()
            case "message": message = try string()
            default: throw mismatch("unknown field")
            }
        }
        guard let code else { throw missing("code") }
        guard let message else { throw missing("message") }
        return TurnError(code: code, message: message)
    }

    /// Reads parts of all kinds, which only a file holds.
    mutating func filedParts() throws(JSONError) -> [Message.Part] {
        var parts: [Message.Part] = []
        try beginArray()
        while try nextElement() { parts.append(try filedPart()) }
        return parts
    }

    private mutating func filedPart() throws(JSONError) -> Message.Part {
        enum Kind: String { case text, reasoning, toolCall, toolResult }
        var kind: Kind?
        var texts: [String: String] = [:]
        var status: ToolResult.Status?
        var (arguments, data): (JSONValue?, JSONValue?)
        try beginObject()
        while let key = try nextKey() {
            switch key {
            case "type": kind = try word()
            case "text", "id", "name", "toolCallId": texts[key] = try string()
            case "status": status = try word()
            case "arguments": arguments = try value(maximumBytes: Limits.maxFiledValueBytes)
            case "data":
                data = try value(maximumBytes: Limits.maxFiledValueBytes)
                if data == .null { throw mismatch("expected any value but null") }
            default: throw mismatch("unknown field")
            }
        }
        func text(_ key: String) throws(JSONError) -> String {
            guard let text = texts.removeValue(forKey: key) else { throw missing(key) }
            return text
        }
        let part: Message.Part
        switch kind {
        case nil: throw missing("type")
        case .text: part = .text(try text("text"))
        case .reasoning: part = .reasoning(try text("text"))
        case .toolCall:
            guard let given = arguments else { throw missing("arguments") }
            part = .toolCall(ToolCall(id: try text("id"), name: try text("name"), arguments: given))
            arguments = nil
        case .toolResult:
            guard let given = status else { throw missing("status") }
            part = .toolResult(
                ToolResult(toolCallID: try text("toolCallId"), status: given, text: try text("text"), data: data))
            (status, data) = (nil, nil)
        }
        guard texts.isEmpty, status == nil, arguments == nil, data == nil else { throw mismatch("has a member of another kind of part") }
        return part
    }
}

extension Usage: JSONReadable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        var (input, cached, output, reasoning): (Int?, Int?, Int?, Int?)
        var isEstimated = false
        var cost: Cost?
        func count() throws(JSONError) -> Int {
            let count = try reader.integer()
            guard count >= 0 else { throw reader.mismatch("expected at least 0") }
            return count
        }
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "inputTokens": input = try count()
            case "cachedInputTokens": cached = try count()
            case "outputTokens": output = try count()
            case "reasoningTokens": reasoning = try count()
            case "estimated":
                guard try reader.bool() else { throw reader.mismatch("expected true, or nothing") }
                isEstimated = true
            case "cost": cost = try Cost(from: &reader)
            default: throw reader.mismatch("unknown field")
            }
        }
        guard let input else { throw reader.missing("inputTokens") }
        guard let output else { throw reader.missing("outputTokens") }
        self.init(
            inputTokens: input, cachedInputTokens: cached, outputTokens: output, reasoningTokens: reasoning, isEstimated: isEstimated,
            cost: cost)
    }
}

extension Cost: JSONReadable {
    package init(from reader: inout JSONReader) throws(JSONError) {
        var (amount, currency): (String?, String?)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "amount":
                let text = try reader.string()
                guard Cost.isAmount(text) else { throw reader.mismatch("expected a decimal number such as 0.0012") }
                amount = text
            case "currency":
                let text = try reader.string()
                guard (1...16).contains(text.utf8.count) else { throw reader.mismatch("expected 1 to 16 bytes") }
                currency = text
            default: throw reader.mismatch("unknown field")
            }
        }
        guard let amount else { throw reader.missing("amount") }
        guard let currency else { throw reader.missing("currency") }
        self.init(amount: amount, currency: currency)
    }

    /// Whether a text is an amount as the protocol has it: digits without a needless zero, and perhaps a point and digits.
    private static func isAmount(_ text: String) -> Bool {
        let halves = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return text.utf8.count <= 64 && halves.allSatisfy { !$0.isEmpty && $0.allSatisfy { 48...57 ~= $0 } }
            && (halves[0].count == 1 || halves[0].first != 48)
    }
}
