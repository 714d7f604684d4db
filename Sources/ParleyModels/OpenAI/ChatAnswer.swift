import JSON
import ParleyCore

/// An answer that is put together from chunks.
struct ChatAnswer: ServerAnswer {
    private(set) var ending: AnswerEnding?
    private let failures: FailureTranslation
    private var events: [ModelEvent] = []
    /// Why the model stopped. The end is told later, because the usage follows.
    private var stopReason: Turn.StopReason?
    private var usage: Usage?
    private var hasChoice = false
    private var hasText = false
    private var isRefusal = false
    private var toolCalls = ToolCallAssembly()

    /// What ends a stream of OpenAI.
    private static let done = Array("[DONE]".utf8)

    /// Begins an answer.
    ///
    /// - Parameter failures: says what goes wrong.
    init(failures: FailureTranslation) {
        self.failures = failures
    }

    mutating func takeEvents() -> [ModelEvent] {
        defer { events = [] }
        return events
    }

    // MARK: What comes in

    mutating func take(_ event: ServerSentEvent) {
        guard ending == nil, !event.data.isEmpty, event.event != "ping" else { return }
        guard !event.data.starts(with: Self.done) else { return end(isComplete: true) }
        do {
            let chunk = try ChatChunk(event.data)
            if chunk.hasError || event.event == "error" { return fail(with: event.data) }
            take(chunk)
        } catch {
            if event.event == "error" { return fail(with: event.data) }
            fail { $0.unintelligible(underlying: "an event of the stream is no JSON: \(error.reason)") }
        }
    }

    mutating func take(unfinished event: ServerSentEvent) {
        let isWhole = event.event == "error" || event.data.starts(with: Self.done) || (try? ChatChunk(event.data)) != nil
        if isWhole { take(event) }
    }

    mutating func take(document: [UInt8]) {
        guard ending == nil else { return }
        do {
            let chunk = try ChatChunk(document)
            // Without a choice it can only be an error of an unknown shape.
            if chunk.hasError || !chunk.hasChoice { return fail(with: document) }
            take(chunk)
            end(isComplete: true)
        } catch {
            fail { $0.unintelligible(underlying: "the body is neither a stream nor JSON: \(error.reason)") }
        }
    }

    mutating func end(isComplete: Bool) {
        guard ending == nil else { return }
        guard hasChoice else { return fail { $0.empty() } }
        guard let reason = stopReason ?? (isComplete ? .endTurn : nil) else { return fail { $0.cut() } }
        events += toolCalls.calls.map { .toolCall($0) }
        events.append(.finished(isRefusal && reason == .endTurn ? .refusal : reason))
        ending = .finished
    }

    mutating func breakOff(_ failure: HTTPFailure) {
        if stopReason != nil, failure.kind != .cancelled { return end(isComplete: false) }
        fail { $0.failure(failure, isInAnswer: true) }
    }

    mutating func fail(_ failure: (FailureTranslation) -> Failure) {
        if ending == nil { ending = .failed(failure(failures)) }
    }

    private mutating func fail(with body: [UInt8]) {
        fail { $0.failure(ProviderError(body: body)) }
    }

    // MARK: Chunks

    private mutating func take(_ chunk: ChatChunk) {
        if chunk.hasChoice { hasChoice = true }
        // After its end a model says nothing: what some servers then repeat is none of the answer.
        if stopReason == nil {
            append(chunk.delta)
            if !hasText { append(chunk.message) }
            for piece in chunk.toolCalls { toolCalls.take(piece) }
            if !chunk.refusal.isEmpty {
                isRefusal = true
                append(chunk.refusal)
            }
            finish(chunk.finishReason)
        }
        if let latest = chunk.usage, latest != usage {
            usage = latest
            events.append(.usage(latest))
        }
    }

    private mutating func append(_ text: String) {
        guard !text.isEmpty else { return }
        hasText = true
        events.append(.textDelta(text))
    }

    private mutating func finish(_ reason: String) {
        switch reason {
        case "": break
        case "length", "max_tokens": stopReason = .maxTokens
        case "content_filter": stopReason = .refusal
        // OpenRouter; DeepSeek; vLLM.
        case "error", "insufficient_system_resource", "abort": fail { $0.cut(underlying: "finish_reason \(reason)") }
        // "stop", "tool_calls", "function_call", and names that nobody knows yet.
        default: stopReason = .endTurn
        }
    }
}
