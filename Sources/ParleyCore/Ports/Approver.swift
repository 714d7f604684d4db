/// Whoever can be asked whether a tool may be called: the client that began the turn.
package protocol Approver: Sendable {
    /// Asks.
    ///
    /// - Returns: what was chosen.
    /// - Throws: `cancelled` when the task is cancelled, and anything else when nobody has chosen.
    func approve(_ call: ToolCall, in context: ToolContext) async throws(Failure) -> ApprovalOption
}

/// What can be chosen for a tool call.
package enum ApprovalOption: String, CaseIterable, Sendable {
    /// This call.
    case allowOnce
    /// This and all further calls of the tool in the conversation.
    case allowAlways
    /// Not this call.
    case rejectOnce
    /// No call of the tool in the conversation.
    case rejectAlways

    /// Whether the call is executed.
    package var isAllowed: Bool { self == .allowOnce || self == .allowAlways }
}
