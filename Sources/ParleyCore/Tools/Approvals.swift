/// What was decided for good about a tool in a conversation. It is forgotten when the process ends.
package final class Approvals: Sendable {
    private struct Key: Hashable {
        let tool: String
        let conversationID: String
    }

    private let decided = Locked([Key: ApprovalOption]())

    /// Nothing is decided yet.
    package init() {}

    func remembered(tool: String, conversationID: String) -> ApprovalOption? {
        decided.withLock { $0[Key(tool: tool, conversationID: conversationID)] }
    }

    func remember(_ option: ApprovalOption, tool: String, conversationID: String) {
        guard option == .allowAlways || option == .rejectAlways else { return }
        decided.withLock { $0[Key(tool: tool, conversationID: conversationID)] = option }
    }
}
