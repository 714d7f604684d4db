package import JSON
import ParleyCore

extension Script.Answer: JSONReadable {
    /// Reads one line of a script.
    package init(from reader: inout JSONReader) throws(JSONError) {
        var text: String?
        var steps: [Script.Step]?
        expectation = nil
        repeats = false
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "expect": expectation = try reader.string()
            case "repeat": repeats = try reader.bool()
            case "text": text = try reader.someText()
            case "steps": steps = try Timeline(from: &reader).steps
            default: throw reader.mismatch("is no field of an answer")
            }
        }
        switch (text, steps) {
        case (nil, let steps?): self.steps = steps
        case (let text?, nil): self.steps = [.events([.textDelta(text), .finished(.endTurn)])]
        case (_?, _?): throw reader.mismatch("an answer has either a text or steps")
        case (nil, nil): throw reader.missing("steps")
        }
    }
}

/// The steps of an answer while they are read: events gather until something stands between them.
private struct Timeline {
    private(set) var steps: [Script.Step] = []
    private var events: [ModelEvent] = []
    private var hasEnded = false

    /// Reads the array `steps`.
    init(from reader: inout JSONReader) throws(JSONError) {
        try reader.beginArray()
        while try reader.nextElement() {
            guard !hasEnded else { throw reader.mismatch("nothing can follow the end of an answer") }
            try readStep(from: &reader)
        }
        if !hasEnded { events.append(.finished(.endTurn)) }
        flush()
    }

    private mutating func readStep(from reader: inout JSONReader) throws(JSONError) {
        var hasField = false
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard !hasField else { throw reader.mismatch("a step has one field") }
            hasField = true
            switch key {
            case "text": events.append(.textDelta(try reader.someText()))
            case "reasoning": events.append(.reasoningDelta(try reader.someText()))
            case "replay": events.append(.replay(try reader.value()))
            case "usage": events.append(.usage(try Usage(from: &reader)))
            case "toolCall": events.append(.toolCall(try ToolCall(fromScript: &reader)))
            case "delayMs": pause(milliseconds: Int64(try reader.count()))
            case "waitFor":
                flush()
                steps.append(.wait(method: try reader.someText()))
            case "end": end(with: .events([.finished(try reader.stopReason())]))
            case "error": end(with: .failure(try Failure(fromScript: &reader)))
            case "hang":
                guard try reader.bool() else { throw reader.mismatch("expected true") }
                // A year is for ever: every turn has a deadline.
                end(with: .pause(milliseconds: 365 * 86_400_000))
            default: throw reader.mismatch("is no step")
            }
        }
        guard hasField else { throw reader.mismatch("a step has one field") }
    }

    /// A pause of 0 only keeps the events before it and after it apart.
    private mutating func pause(milliseconds: Int64) {
        flush()
        if milliseconds > 0 { steps.append(.pause(milliseconds: milliseconds)) }
    }

    private mutating func end(with step: Script.Step) {
        hasEnded = true
        if case .events(let last) = step {
            events += last
        } else {
            flush()
            steps.append(step)
        }
    }

    private mutating func flush() {
        if !events.isEmpty { steps.append(.events(events)) }
        events = []
    }
}

extension Usage {
    fileprivate init(from reader: inout JSONReader) throws(JSONError) {
        var inputTokens: Int?
        var outputTokens: Int?
        var cachedInputTokens: Int?
        var reasoningTokens: Int?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "inputTokens": inputTokens = try reader.count()
            case "cachedInputTokens": cachedInputTokens = try reader.count()
            case "outputTokens": outputTokens = try reader.count()
            case "reasoningTokens": reasoningTokens = try reader.count()
            default: throw reader.mismatch("is no field of a usage")
            }
        }
        guard let inputTokens else { throw reader.missing("inputTokens") }
        guard let outputTokens else { throw reader.missing("outputTokens") }
        self.init(
            inputTokens: inputTokens, cachedInputTokens: cachedInputTokens, outputTokens: outputTokens, reasoningTokens: reasoningTokens)
    }
}

extension ToolCall {
    /// Reads the `toolCall` of a step.
    fileprivate init(fromScript reader: inout JSONReader) throws(JSONError) {
        var name: String?
        self.init(id: "", name: "", arguments: [:])
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "id": id = try reader.someText()
            case "name": name = try reader.someText()
            case "arguments": arguments = try reader.value()
            default: throw reader.mismatch("is no field of a tool call")
            }
        }
        guard let name else { throw reader.missing("name") }
        self.name = name
    }
}

extension Failure {
    /// Reads the `error` of a step.
    fileprivate init(fromScript reader: inout JSONReader) throws(JSONError) {
        var code: Code?
        var message: String?
        var retryAfter: Int?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "code": code = try reader.modelFailureCode()
            case "message": message = try reader.someText()
            case "retryAfterMs": retryAfter = try reader.count()
            default: throw reader.mismatch("is no field of an error")
            }
        }
        guard let code else { throw reader.missing("code") }
        guard let message else { throw reader.missing("message") }
        self.init(code, message, details: retryAfter.map { [Detail("retryAfterMs", .integer(Int64($0)))] } ?? [])
    }
}

extension JSONReader {
    fileprivate mutating func someText() throws(JSONError) -> String {
        let text = try string()
        guard !text.isEmpty else { throw mismatch("must not be empty") }
        return text
    }

    fileprivate mutating func count() throws(JSONError) -> Int {
        let count = try integer()
        guard count >= 0 else { throw mismatch("must not be negative") }
        return count
    }

    fileprivate mutating func stopReason() throws(JSONError) -> Turn.StopReason {
        switch try string() {
        case "endTurn": .endTurn
        case "maxTokens": .maxTokens
        case "refusal": .refusal
        default: throw mismatch("expected \"endTurn\", \"maxTokens\" or \"refusal\"")
        }
    }

    /// A code that a model provider may fail with, except `cancelled`, which is the caller's doing.
    fileprivate mutating func modelFailureCode() throws(JSONError) -> Failure.Code {
        let codes: [Failure.Code] = [
            .modelUnavailable, .modelRateLimited, .modelRejected, .modelAuth, .modelBilling, .modelTimeout, .contextWindowExceeded,
        ]
        let name = try string()
        guard let code = codes.first(where: { $0.rawValue == name }) else {
            throw mismatch("expected one of \(codes.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))")
        }
        return code
    }
}
