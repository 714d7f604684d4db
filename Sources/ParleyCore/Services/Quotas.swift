/// How limits stand, for those they concern and for the operator. What counts is decided and done by the store, within the transactions that
/// accept and end turns.
package struct Quotas: Sendable {
    private let store: any Store
    private let ambient: any Ambient

    /// Reads the ledger of a store.
    package init(store: any Store, ambient: any Ambient) {
        self.store = store
        self.ambient = ambient
    }

    /// How limits stand.
    ///
    /// - Parameters:
    ///   - subject: whose; nil for the caller's own, which for the operator are those of the whole system.
    ///   - address: where an anonymous caller comes from; nil when the parent process does not say.
    /// - Returns: the operator sees all numbers; others those of their own limits, and of the system's only whether there is room.
    /// - Throws: `authRequired` for a subject asked for by anybody but the operator; `notFound` (anonymousUser).
    package func get(_ subject: QuotaSubject?, from address: ClientAddress? = nil, for caller: Caller) async throws(Failure)
        -> [QuotaReading]
    {
        guard caller.kind == .operator else {
            guard subject == nil else { throw .operatorRequired }
            return try await store.quota(of: .caller(caller, address), at: ambient.now())
        }
        return try await store.quota(of: subject ?? .system, at: ambient.now())
    }

    /// Forgets what was charged to somebody; what running turns hold stays held.
    ///
    /// - Parameter scope: only limits of this scope; nil for all of the subject's own.
    /// - Returns: how the subject's limits stand then.
    /// - Throws: `authRequired` for anybody but the operator; `notFound` (anonymousUser).
    package func reset(_ subject: QuotaSubject, scope: QuotaKey.Scope?, for caller: Caller) async throws(Failure) -> [QuotaReading] {
        guard caller.kind == .operator else { throw .operatorRequired }
        return try await store.resetQuota(of: subject, scope: scope, at: ambient.now())
    }
}

extension Failure {
    /// Only whoever runs the host may do this.
    static let operatorRequired = Failure(.authRequired, "Only the operator may do this.")
}
