import JSON
import ParleyCore

/// An answer that is put together from chunks.
struct ChatAnswer: ServerAnswer {
    private(set) var ending: AnswerEnding?
    var pieces = PieceReader<ChatChunk>()
    private let failures: FailureTranslation
    private let handling: ReasoningHandling
    private let idPrefix: String
    private var events: [ModelEvent] = []
    /// Why the model stopped. The end is told later, because the usage follows.
    private var stopReason: Turn.StopReason?
    private var usage: Usage?
    private var hasChoice = false
    private var hasContent = false
    private var isRefusal = false
    private var toolCalls = ToolCallAssembly()
    private var reasoning = ReasoningAssembly()
    private var splitter: ThinkSplitter
    private var leaked: LeakedToolCalls
    /// Whether tool calls stand in the text that nobody can read.
    private var hasBrokenLeak = false

    /// Begins an answer.
    ///
    /// - Parameters:
    ///   - failures: says what goes wrong.
    ///   - handling: how reasoning comes, and whether it goes back.
    ///   - tools: what the model may call.
    ///   - idPrefix: what the id of a call begins with to which the server gives none; no other call of the turn has such an id.
    init(
        failures: FailureTranslation, handling: ReasoningHandling = ReasoningHandling(), tools: [ToolDefinition] = [],
        idPrefix: String = "call_"
    ) {
        self.failures = failures
        self.handling = handling
        self.idPrefix = idPrefix
        splitter = ThinkSplitter(isOn: handling.thinkTags)
        leaked = LeakedToolCalls(tools: tools)
    }

    var hasStopped: Bool { stopReason != nil }

    mutating func takeEvents() -> [ModelEvent] {
        defer { events = [] }
        return events
    }

    // MARK: What comes in

    mutating func take(_ chunk: ChatChunk, event: String) { take(chunk) }

    mutating func take(document chunk: ChatChunk) -> Bool {
        guard chunk.hasChoice else { return false }
        take(chunk)
        return true
    }

    mutating func end(isComplete: Bool) {
        guard ending == nil else { return }
        guard hasChoice else { return fail { $0.empty() } }
        guard let reason = stopReason ?? (isComplete ? .endTurn : nil) else { return fail { $0.cut() } }
        release()
        let calls = calls(after: reason)
        // What is left of a call at the bound of the answer's length is no failure.
        if hasBrokenLeak, reason == .endTurn { return fail { $0.brokenToolCall() } }
        events += calls.map { .toolCall($0.call) }
        let replay = ChatReplay(reasoning, thoughts: splitter.thoughts, calls: calls, handling)
        if let value = replay.value { events.append(.replay(value)) }
        events.append(.finished(isRefusal && reason == .endTurn ? .refusal : reason))
        ending = .finished
    }

    mutating func fail(_ failure: (FailureTranslation) -> Failure) {
        guard ending == nil else { return }
        release()
        ending = .failed(failure(failures))
    }

    // MARK: Chunks

    private mutating func take(_ chunk: ChatChunk) {
        if chunk.hasChoice { hasChoice = true }
        // After its end a model says nothing: what some servers then repeat is none of the answer.
        if stopReason == nil {
            take(chunk.delta)
            take(whole: chunk.message)
            finish(chunk.finishReason)
        }
        if let latest = chunk.usage, latest != usage {
            usage = latest
            events.append(.usage(latest))
        }
    }

    private mutating func take(_ message: ChatMessage) {
        for (source, text) in message.reasoning { think(reasoning.take(text, from: source)) }
        if !message.details.isEmpty { think(reasoning.take(details: message.details)) }
        append(message.content)
        for piece in message.toolCalls { toolCalls.take(piece) }
        if !message.refusal.isEmpty {
            isRefusal = true
            append(message.refusal)
        }
    }

    /// Takes what a whole message has beyond the deltas.
    private mutating func take(whole message: ChatMessage) {
        var message = message
        if hasContent { (message.content, message.refusal) = ("", "") }
        if !reasoning.isEmpty { (message.reasoning, message.details) = ([], []) }
        if !toolCalls.isEmpty { message.toolCalls = [] }
        take(message)
    }

    private mutating func append(_ content: String) {
        guard !content.isEmpty else { return }
        hasContent = true
        add(splitter.split(content))
    }

    private mutating func add(_ pieces: ThinkSplitter.Pieces) {
        think(reasoning.take(pieces.reasoning, from: .tags))
        say(leaked.take(pieces.answer))
    }

    private mutating func think(_ text: String) {
        if !text.isEmpty { events.append(.reasoningDelta(text)) }
    }

    private mutating func say(_ text: String) {
        if !text.isEmpty { events.append(.textDelta(text)) }
    }

    /// Lets go of what was held back, because nothing more will come.
    private mutating func release() {
        add(splitter.finish())
        switch leaked.finish() {
        case .text(let text): say(text)
        case .calls(let pieces): for piece in pieces { toolCalls.begin(piece) }
        case .broken: hasBrokenLeak = true
        }
    }

    /// The calls to make, in order: none after a refusal, and none of which the end is missing.
    private func calls(after reason: Turn.StopReason) -> [ToolCallAssembly.Assembled] {
        switch reason {
        case .endTurn: toolCalls.calls(idPrefix: idPrefix)
        case .maxTokens: toolCalls.calls(idPrefix: idPrefix).filter(\.isWhole)
        default: []
        }
    }

    private mutating func finish(_ reason: String) {
        switch reason {
        case "": return
        case "length", "max_tokens": stopReason = .maxTokens
        case "content_filter": stopReason = .refusal
        // OpenRouter; DeepSeek; vLLM.
        case "error", "insufficient_system_resource", "abort": return fail { $0.cut(underlying: "finish_reason \(reason)") }
        // "stop", "tool_calls", "function_call", and names that nobody knows yet.
        default: stopReason = .endTurn
        }
        release()
    }
}
