package import JSON

/// A source of language models. Every adapter passes `ModelProviderContract`.
package protocol ModelProvider: Sendable {
    /// The first half of `PROVIDER:MODEL`.
    var name: String { get }

    /// The models that are known by name. A provider may accept others.
    var models: [ModelDescription] { get }

    /// Whether a model reads more of a request than the last user message and what follows it. Where none does, what comes before may be left
    /// out of requests, and need not be read from the store.
    var readsHistory: Bool { get }

    /// The thread on which what the models say arrives, and is best handled too; nil where there is none.
    var thread: (any ModelThread)? { get }

    /// Asks a model to go on with a conversation.
    ///
    /// Cancelling the calling task ends the request; the stream then throws `cancelled`.
    ///
    /// - Parameter request: the history and the settings of the call.
    /// - Returns: the answer's stream, as soon as the provider has accepted the request.
    /// - Throws: `modelUnavailable`, `modelRateLimited`, `modelRejected`, `modelAuth`, `modelBilling`, `modelTimeout`,
    ///   `contextWindowExceeded`, `cancelled`.
    func stream(_ request: ModelRequest) async throws(Failure) -> any ModelStream
}

extension ModelProvider {
    package var readsHistory: Bool { true }
    package var thread: (any ModelThread)? { nil }
}

/// A thread on which what models say arrives, and which also runs the tasks that handle it: to wake another thread for each token costs more
/// than all that is done with the token. Those tasks must not block.
package protocol ModelThread: TaskExecutor {
    /// Says what surrounds the tasks that the thread runs in one go, so that what they send can leave together.
    ///
    /// - Parameter surroundings: called on the thread, with true before such tasks and with false after them; nil for nothing.
    func surround(with surroundings: (@Sendable (_ begins: Bool) -> Void)?)
}

/// One answer of a model, pulled by the turn that asked for it: whoever does not pull slows the provider down.
package protocol ModelStream: Sendable {
    /// What has arrived since the last call, in order and never empty; nil after the end.
    ///
    /// The last batch before nil ends with `finished`, which comes exactly once; a stream that stops before it throws.
    ///
    /// It runs where its caller does, because a change of executors, even to the same one, costs as much as a token.
    ///
    /// - Throws: as `ModelProvider.stream`.
    nonisolated(nonsending) mutating func next() async throws(Failure) -> [ModelEvent]?
}

/// One piece of a model's answer.
package enum ModelEvent: Hashable, Sendable {
    /// More of the answer's text; never empty.
    case textDelta(String)
    /// More of what the model thinks before it answers, kept apart from the answer; never empty.
    case reasoningDelta(String)
    /// What this provider wants sent back with the message in later calls (`Message.Replay`); comes once at most, and before `finished`.
    indirect case replay(JSONValue)
    /// The model wants something done; whole, and before `finished`.
    indirect case toolCall(ToolCall)
    /// What the call cost; may come several times, the last counts.
    indirect case usage(Usage)
    /// The end, with its reason: `endTurn`, also where tools are to be called first, `maxTokens` or `refusal`.
    case finished(Turn.StopReason)
}

/// What a model is asked.
package struct ModelRequest: Sendable {
    /// The second half of `PROVIDER:MODEL`.
    package var model: String
    /// The system message; empty for none.
    package var instructions: String
    /// The history in order, ended by the user message to answer, or by the results of the tools that the model has called.
    package var messages: [Message]
    /// What the model may call.
    package var tools: [ToolDefinition]
    /// 0 to 2; nil for the model's own default.
    package var temperature: Double?
    /// The longest answer, in tokens; nil for the model's own bound.
    package var maxOutputTokens: Int?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        model: String, instructions: String, messages: [Message], tools: [ToolDefinition] = [], temperature: Double? = nil,
        maxOutputTokens: Int? = nil
    ) {
        self.model = model
        self.instructions = instructions
        self.messages = messages
        self.tools = tools
        self.temperature = temperature
        self.maxOutputTokens = maxOutputTokens
    }
}

/// What is known of a model.
package struct ModelDescription: Hashable, Sendable {
    /// The second half of `PROVIDER:MODEL`.
    package var model: String
    /// How many tokens fit into one call, instructions and answer included; nil when unknown.
    package var contextWindow: Int?
    /// Whether this is no language model but a demonstration.
    package var demonstration: Bool
    /// What its tokens cost; nil when unknown.
    package var prices: Prices?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(model: String, contextWindow: Int? = nil, demonstration: Bool = false, prices: Prices? = nil) {
        self.model = model
        self.contextWindow = contextWindow
        self.demonstration = demonstration
        self.prices = prices
    }
}
