package import ParleyCore

extension ModelRequest {
    /// A request for the next answer in a conversation in which the person and the model take turns.
    ///
    /// - Parameters:
    ///   - model: the model to ask.
    ///   - instructions: the system message; empty for none.
    ///   - texts: the messages, the person's first.
    package static func conversation(model: String, instructions: String = "", _ texts: String...) -> ModelRequest {
        let messages = texts.enumerated().map { index, text in
            Message(
                id: "message-\(index + 1)", conversationID: "conversation-1", turnID: "turn-\(index / 2 + 1)",
                parentID: index == 0 ? nil : "message-\(index)", role: index.isMultiple(of: 2) ? .user : .assistant,
                content: [.text(text)], status: .complete, createdAt: Timestamp(milliseconds: 0))
        }
        return ModelRequest(model: model, instructions: instructions, messages: messages)
    }
}
