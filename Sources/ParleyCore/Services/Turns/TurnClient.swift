/// Whoever began a turn, as far as the turn may turn to it.
package struct TurnClient: Sendable {
    /// Whom the turn acts for.
    package var caller: Caller
    /// The tools that the client offers.
    package var sources: [any ToolSource]
    /// Who is asked about calls; nil when nobody can be.
    package var approver: (any Approver)?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(caller: Caller, sources: [any ToolSource] = [], approver: (any Approver)? = nil) {
        self.caller = caller
        self.sources = sources
        self.approver = approver
    }
}
