import JSON

/// The history as models' servers want it: every tool call is followed by its result, and no result stands alone.
enum ModelHistory {
    /// What a model is sent of a conversation: mended, and without what other models' providers want sent back.
    ///
    /// - Parameter model: `PROVIDER:MODEL`.
    static func prepared(_ messages: [Message], for model: String) -> [Message] {
        repaired(messages).map { message in
            guard let replay = message.replay, replay.model != model else { return message }
            var message = message
            message.replay = nil
            return message
        }
    }

    /// Mends what a crash, a cancel or the bound on the history's size has left.
    static func repaired(_ messages: [Message]) -> [Message] {
        // What begins in the middle of a turn has lost the calls that its results belong to.
        var rest = messages.drop { $0.role == .tool }[...]
        var repaired: [Message] = []
        while let message = rest.popFirst() {
            let calls = message.toolCalls
            // An answer that was cut off while its model still thought says nothing.
            if message.role == .assistant, calls.isEmpty, message.text.isEmpty { continue }
            repaired.append(message)
            guard !calls.isEmpty else { continue }
            var answer = message
            answer.role = .tool
            answer.content = []
            if let next = rest.first, next.role == .tool {
                rest = rest.dropFirst()
                answer = next
            }
            let answered = Set(answer.toolResults.map(\.toolCallID))
            for call in calls where !answered.contains(call.id) {
                answer.content.append(
                    .toolResult(ToolResult(toolCallID: call.id, status: .failed, text: "The tool was interrupted before it had a result.")))
            }
            repaired.append(answer)
        }
        return repaired
    }
}

extension ToolCall {
    /// How much the call adds to what the model has said, in bytes.
    var bytes: Int { name.utf8.count + JSONWriter.encode(arguments).count }
}
