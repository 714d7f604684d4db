/// How what a model has thought comes from its server, and whether and how it goes back.
package struct ReasoningHandling: Hashable, Sendable {
    /// With which of the assistant's messages reasoning goes back.
    package enum SendBack: String, CaseIterable, Sendable {
        /// With none.
        case never
        /// With those that call tools: what DeepSeek insists on, and what no other server minds.
        case toolCalls
        /// With all: MiniMax's models get worse without.
        case always
    }

    /// The member of a message in which reasoning goes back.
    package enum Field: String, CaseIterable, Sendable {
        case reasoningContent = "reasoning_content"
        case reasoning = "reasoning"
        case reasoningDetails = "reasoning_details"
    }

    /// With which messages it goes back.
    package var sendBack: SendBack
    /// In which member; nil for the way in which it came.
    package var field: Field?
    /// Whether `<think>…</think>` at the beginning of an answer is reasoning.
    package var thinkTags: Bool

    /// Makes one of its fields; see them for what the parameters mean.
    package init(sendBack: SendBack = .toolCalls, field: Field? = nil, thinkTags: Bool = true) {
        self.sendBack = sendBack
        self.field = field
        self.thinkTags = thinkTags
    }

    /// Whether reasoning goes back with a message.
    func isSentBack(callsTools: Bool) -> Bool {
        switch sendBack {
        case .never: false
        case .toolCalls: callsTools
        case .always: true
        }
    }
}
