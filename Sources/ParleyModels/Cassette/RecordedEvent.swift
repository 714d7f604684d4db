import JSON
import ParleyCore

/// The JSON form of what a model says, as cassettes have it: a script's steps.
enum RecordedEvent {
    /// Reads one event.
    static func event(from reader: inout JSONReader) throws(JSONError) -> ModelEvent {
        try reader.beginObject()
        guard let key = try reader.nextKey() else { throw reader.mismatch("an event has one field") }
        let event: ModelEvent
        switch key {
        case "text": event = .textDelta(try reader.delta())
        case "reasoning": event = .reasoningDelta(try reader.delta())
        case "replay": event = .replay(try reader.value())
        case "toolCall": event = .toolCall(try toolCall(&reader))
        case "usage": event = .usage(try usage(&reader))
        case "end":
            guard let reason = Turn.StopReason(rawValue: try reader.string()), [.endTurn, .maxTokens, .refusal].contains(reason) else {
                throw reader.mismatch("expected \"endTurn\", \"maxTokens\" or \"refusal\"")
            }
            event = .finished(reason)
        default: throw reader.mismatch("is no event")
        }
        guard try reader.nextKey() == nil else { throw reader.mismatch("an event has one field") }
        return event
    }

    /// Writes one event.
    static func write(_ event: ModelEvent, to writer: inout JSONWriter) {
        writer.object { writer in
            switch event {
            case .textDelta(let text): writer.member("text", text)
            case .reasoningDelta(let text): writer.member("reasoning", text)
            case .replay(let value): writer.member("replay", value)
            case .toolCall(let call):
                writer.key("toolCall")
                writer.object { writer in
                    writer.member("id", call.id)
                    writer.member("name", call.name)
                    writer.member("arguments", call.arguments)
                }
            case .usage(let usage):
                writer.key("usage")
                writer.object { writer in
                    writer.member("inputTokens", usage.inputTokens)
                    writer.member("cachedInputTokens", usage.cachedInputTokens)
                    writer.member("outputTokens", usage.outputTokens)
                    writer.member("reasoningTokens", usage.reasoningTokens)
                    if usage.isEstimated { writer.member("estimated", true) }
                }
            case .finished(let reason): writer.member("end", reason.rawValue)
            }
        }
    }

    private static func toolCall(_ reader: inout JSONReader) throws(JSONError) -> ToolCall {
        var call = ToolCall(id: "", name: "", arguments: [:])
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "id": call.id = try reader.string()
            case "name": call.name = try reader.string()
            case "arguments": call.arguments = try reader.value()
            default: throw reader.mismatch("is no field of a tool call")
            }
        }
        return call
    }

    private static func usage(_ reader: inout JSONReader) throws(JSONError) -> Usage {
        var usage = Usage(inputTokens: 0, outputTokens: 0)
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "inputTokens": usage.inputTokens = try reader.integer()
            case "cachedInputTokens": usage.cachedInputTokens = try reader.integer()
            case "outputTokens": usage.outputTokens = try reader.integer()
            case "reasoningTokens": usage.reasoningTokens = try reader.integer()
            case "estimated": usage.isEstimated = try reader.bool()
            default: throw reader.mismatch("is no field of a usage")
            }
        }
        return usage
    }

    // MARK: Failures

    /// Reads a failure and when it came, in milliseconds after the question.
    static func failure(from reader: inout JSONReader) throws(JSONError) -> (Failure, atMilliseconds: Int64) {
        var code: Failure.Code?
        var failure = Failure(.internalError, "")
        var time = 0
        try reader.beginObject()
        while let key = try reader.nextKey() {
            switch key {
            case "atMs": time = try reader.countFromZero()
            case "code":
                code = Failure.Code(rawValue: try reader.string())
                if code == nil { throw reader.mismatch("is no code of a failure") }
            case "message": failure.message = try reader.string()
            case "details":
                try reader.beginObject()
                while let name = try reader.nextKey() { failure.details.append(.init(name, try reader.value())) }
            case "retryable": failure.isRetryable = try reader.bool()
            default: throw reader.mismatch("is no field of a failure")
            }
        }
        guard let code else { throw reader.missing("code") }
        failure.code = code
        return (failure, Int64(time))
    }

    /// Writes a failure, without the cause in a library's words, which is nobody's business.
    static func write(_ failure: Failure, atMilliseconds time: Int64, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("atMs", Int(time))
            writer.member("code", failure.code.rawValue)
            writer.member("message", failure.message)
            if !failure.details.isEmpty {
                writer.key("details")
                writer.object { writer in
                    for detail in failure.details {
                        writer.key(detail.name)
                        writer.value(detail.value)
                    }
                }
            }
            writer.member("retryable", failure.isRetryable)
        }
    }
}

extension JSONReader {
    fileprivate mutating func delta() throws(JSONError) -> String {
        let text = try string()
        guard !text.isEmpty else { throw mismatch("must not be empty") }
        return text
    }
}
