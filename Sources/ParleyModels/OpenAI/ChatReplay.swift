import JSON
import ParleyCore

/// What a server of chat completions wants back with a message of its model, beside its text and its calls.
///
/// It is kept as an object: `reasoning_content`, `reasoning` and `reasoning_details` as they came, put together; `thoughts`, what stood before
/// the text in tags; `thinking`, what came in parts of that type; and `tool_calls`, what stood in each call besides, by the call's id.
struct ChatReplay {
    private var members: JSONValue

    /// The members that are reasoning and go back as they are.
    private static let fields = ["reasoning_content", "reasoning", "reasoning_details"]

    /// Gathers what an answer leaves to send back.
    ///
    /// - Parameters:
    ///   - reasoning: what the model has thought.
    ///   - thoughts: what of it stood in tags, tags included.
    ///   - calls: the calls that the answer makes.
    ///   - handling: what of the reasoning goes back.
    init(_ reasoning: ReasoningAssembly, thoughts: String, calls: [ToolCallAssembly.Assembled], _ handling: ReasoningHandling) {
        members = [:]
        if handling.isSentBack(callsTools: !calls.isEmpty), !reasoning.isEmpty || !thoughts.isEmpty {
            gather(reasoning, thoughts: thoughts, field: handling.field)
        }
        guard case .object(var extras) = [:] as JSONValue else { return }
        for call in calls { extras[call.call.id] = call.extra.map { ["extra_content": $0] } }
        if !extras.isEmpty { set("tool_calls", .object(extras)) }
    }

    /// Reads what is kept with a message.
    ///
    /// - Parameters:
    ///   - message: a message of the history.
    ///   - model: the model that is asked, as `PROVIDER:MODEL`.
    ///   - handling: what of the reasoning goes back.
    /// - Returns: nil when nothing is kept, or another model's.
    init?(of message: Message, for model: String, _ handling: ReasoningHandling) {
        guard let replay = message.replay, replay.model == model, case .object(var kept) = replay.value else { return nil }
        if !handling.isSentBack(callsTools: !message.toolCalls.isEmpty) { kept.removeAll { $0.key != "tool_calls" } }
        members = .object(kept)
    }

    /// What is kept; nil when nothing is to be sent back.
    var value: JSONValue? {
        // `nil` alone would be JSON's null.
        members == [:] ? Optional.none : members
    }

    /// The content of a message with that text.
    func content(_ text: String) -> JSONValue {
        if let thoughts = members["thoughts"]?.stringValue { return .string(thoughts + text) }
        guard let thinking = members["thinking"] else { return .string(text) }
        let thought: JSONValue = ["type": "thinking", "thinking": [["type": "text", "text": thinking]]]
        return text.isEmpty ? [thought] : [thought, ["type": "text", "text": .string(text)]]
    }

    /// Writes the members of a message that are reasoning.
    func writeReasoning(to writer: inout JSONWriter) {
        for field in Self.fields {
            guard let value = members[field] else { continue }
            writer.key(field)
            writer.value(value)
        }
    }

    /// Writes what a call has besides.
    func writeExtras(ofCall id: String, to writer: inout JSONWriter) {
        for (name, value) in members["tool_calls"]?[id]?.objectValue ?? [:] {
            writer.key(name)
            writer.value(value)
        }
    }

    private mutating func gather(_ reasoning: ReasoningAssembly, thoughts: String, field: ReasoningHandling.Field?) {
        let details = JSONValue.array(reasoning.details.map(\.value))
        guard let field else {
            for source in ReasoningAssembly.Source.allCases {
                guard let name = source.field, case let text = reasoning.text(from: source), !text.isEmpty else { continue }
                set(name, .string(text))
            }
            if details != [] { set("reasoning_details", details) }
            if !thoughts.isEmpty { set("thoughts", .string(thoughts)) }
            let thinking = reasoning.text(from: .parts)
            if !thinking.isEmpty { set("thinking", .string(thinking)) }
            return
        }
        switch field {
        case .reasoningContent, .reasoning: set(field.rawValue, .string(reasoning.text))
        case .reasoningDetails:
            set(field.rawValue, details == [] ? [["type": "reasoning.text", "text": .string(reasoning.text)]] : details)
        }
    }

    private mutating func set(_ name: String, _ value: JSONValue) {
        guard case .object(var object) = members else { return }
        object[name] = value
        members = .object(object)
    }
}
