package import JSON

/// One message of a conversation.
package struct Message: Hashable, Sendable {
    /// Who speaks.
    package enum Role: String, Sendable {
        case user, assistant
        /// The results of the tools that the assistant's message before it has called.
        case tool
    }

    /// Whether the message is all that its author meant to say.
    package enum Status: String, Sendable { case complete, partial }

    /// What the owner of a conversation thinks of an answer.
    package struct Rating: Hashable, Sendable {
        /// Whether the answer is good.
        package enum Verdict: String, CaseIterable, Sendable { case up, down }

        /// Whether the answer is good.
        package var verdict: Verdict
        /// Why; nil when nothing is said of that.
        package var note: String?

        /// Makes one of its fields; see them for what the parameters mean.
        package init(verdict: Verdict, note: String? = nil) {
            self.verdict = verdict
            self.note = note
        }
    }

    /// What a provider wants sent back with its message, in a form that only it can read: signed reasoning, for example.
    package struct Replay: Hashable, Sendable {
        /// The model that wrote it, as `PROVIDER:MODEL`; no other is sent it.
        package var model: String
        /// The provider's own.
        package var value: JSONValue

        /// Makes one of its fields; see them for what the parameters mean.
        package init(model: String, value: JSONValue) {
            self.model = model
            self.value = value
        }
    }

    /// One part of a message's content.
    package enum Part: Hashable, Sendable {
        case text(String)
        /// What the model thought before it went on; no model reads it again in this form.
        case reasoning(String)
        case toolCall(ToolCall)
        case toolResult(ToolResult)
    }

    /// The id that clients know; opaque.
    package var id: String
    /// The conversation that it belongs to.
    package var conversationID: String
    /// The turn that it belongs to.
    package var turnID: String
    /// The message before this one on its path; nil for a conversation's first.
    package var parentID: String?
    /// How many messages follow that one, itself included; told only in lists, and only when it is not alone.
    package var siblingCount: Int?
    /// Who speaks.
    package var role: Role
    /// What is said, part by part.
    package var content: [Part]
    /// Where it stands.
    package var status: Status
    /// Whether it belongs to a command, which no model is told of.
    package var isLocal: Bool
    /// The model that answered, as `PROVIDER:MODEL`.
    package var model: String?
    /// What the answer cost, in tokens.
    package var usage: Usage?
    /// What the model's provider wants sent back with it; nobody else is shown it.
    package var replay: Replay?
    /// What the conversation's owner thinks of it; nil when nothing was said.
    package var rating: Rating?
    /// When it was made.
    package var createdAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(
        id: String, conversationID: String, turnID: String, parentID: String?, siblingCount: Int? = nil, role: Role, content: [Part],
        status: Status,
        isLocal: Bool = false, model: String? = nil, usage: Usage? = nil, replay: Replay? = nil, rating: Rating? = nil,
        createdAt: Timestamp
    ) {
        self.id = id
        self.conversationID = conversationID
        self.turnID = turnID
        self.parentID = parentID
        self.siblingCount = siblingCount
        self.role = role
        self.content = content
        self.status = status
        self.isLocal = isLocal
        self.model = model
        self.usage = usage
        self.replay = replay
        self.rating = rating
        self.createdAt = createdAt
    }

    /// The text parts, joined.
    package var text: String {
        content.reduce(into: "") { text, part in
            switch part {
            case .text(let more): text += more
            case .reasoning, .toolCall, .toolResult: break
            }
        }
    }
}

extension Message {
    /// What the model wants done, in order.
    package var toolCalls: [ToolCall] {
        content.compactMap { if case .toolCall(let call) = $0 { call } else { nil } }
    }

    /// How much of a model's window it takes, in UTF-8 bytes; what a provider wants sent back with it counts, reasoning as such does not.
    package var modelBytes: Int {
        content.reduce(replay.map { JSONWriter.encode($0.value).count } ?? 0) { sum, part in
            switch part {
            case .text(let text): sum + text.utf8.count
            case .toolCall(let call): sum + call.bytes
            case .toolResult(let result): sum + result.text.utf8.count
            case .reasoning: sum
            }
        }
    }

    /// What came of calls, in order.
    package var toolResults: [ToolResult] {
        content.compactMap { if case .toolResult(let result) = $0 { result } else { nil } }
    }
}

extension [Message.Part] {
    /// What is said, as if nothing had been thought between: text that was only parted by thoughts is one text.
    package var withoutReasoning: [Message.Part] {
        guard contains(where: { if case .reasoning = $0 { true } else { false } }) else { return self }
        return reduce(into: []) { parts, part in
            switch (parts.last, part) {
            case (_, .reasoning): break
            case (.text(let before), .text(let more)): parts[parts.count - 1] = .text(before + more)
            default: parts.append(part)
            }
        }
    }

    /// What searches look through: the texts that are shown, each on lines of its own, so that no word is made of the end of one and the beginning of
    /// the next.
    package var searchText: String {
        withoutReasoning.compactMap { if case .text(let text) = $0 { text } else { nil } }.joined(separator: "\n")
    }
}
