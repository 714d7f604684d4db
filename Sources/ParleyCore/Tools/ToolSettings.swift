/// How tools are called, all of it settings (`tools.…`, `turns.maxSteps`).
package struct ToolSettings: Sendable {
    /// How often a model may be asked within one turn.
    package var maxSteps = 16
    /// How long somebody may think about an approval, in milliseconds.
    package var approvalMilliseconds: Int64 = 120_000
    /// What is chosen when nobody can be asked.
    package var approvalDefault = ApprovalOption.rejectOnce
    /// Policies that the operator sets, by the tool's name.
    package var policies: [String: ToolDefinition.Policy] = [:]

    /// The defaults.
    package init() {}
}
