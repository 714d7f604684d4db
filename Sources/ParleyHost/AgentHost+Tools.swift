import ParleyCore

/// The tools that may be called on a host's connection, and the client's part in that.
extension AgentHost {
    /// What the client says that it can do.
    func setCapabilities(_ capabilities: ClientCapabilities) {
        client.withLock { $0.capabilities = capabilities }
    }

    /// All tools that may be called on this connection from now on.
    func tools() throws(Failure) -> ToolRegistry {
        try turns.registry(with: [clientTools(client.withLock { $0.tools })])
    }

    /// Replaces the client's tools, from the next turn on.
    ///
    /// - Throws: `invalidParams` when one has the name of another source's.
    func setClientTools(_ definitions: [ToolDefinition]) throws(Failure) {
        _ = try turns.registry(with: [clientTools(definitions)])
        client.withLock { $0.tools = definitions }
    }

    /// The client of this connection, for a turn that it begins.
    func turnClient(for caller: Caller) -> TurnClient {
        let (capabilities, definitions) = client.withLock { $0 }
        return TurnClient(
            caller: caller, sources: definitions.isEmpty ? [] : [clientTools(definitions)],
            approver: capabilities.approvals ? ClientApprover(requests: clientRequests, connection: connection) : nil)
    }

    private func clientTools(_ definitions: [ToolDefinition]) -> ClientTools {
        ClientTools(definitions: definitions, requests: clientRequests, connection: connection)
    }
}
