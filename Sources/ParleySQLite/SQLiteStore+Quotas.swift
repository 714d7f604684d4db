package import ParleyCore

extension SQLiteStore {
    package func quota(of subject: QuotaSubject, at now: Timestamp) async throws(Failure) -> [QuotaReading] {
        try await read { transaction in
            let (keys, party) = try transaction.limits(of: subject)
            // Of the system's limits, callers see so little that the rest need not be read.
            if case .caller = subject { return try transaction.readings(keys, of: party, at: now, .person) }
            return try transaction.readings(keys, of: party, at: now, .all)
        }
    }

    package func resetQuota(
        of subject: QuotaSubject, scope: QuotaKey.Scope?, at now: Timestamp
    ) async throws(Failure) -> [QuotaReading] {
        try await write { transaction in
            let (keys, party) = try transaction.limits(of: subject)
            try transaction.reset(keys.filter { $0.scope == scope ?? $0.scope }, of: party)
            return try transaction.readings(keys, of: party, at: now, .all)
        }
    }
}

extension StoreTransaction {
    /// The limits that concern somebody, and where they are counted.
    ///
    /// - Throws: `notFound` (anonymousUser), `authRequired`.
    fileprivate func limits(of subject: QuotaSubject) throws -> (keys: [QuotaKey], party: QuotaParty) {
        func keys(_ scopes: QuotaKey.Scope...) -> [QuotaKey] { QuotaKey.all.filter { scopes.contains($0.scope) } }
        switch subject {
        case .system: return (keys(.system), QuotaParty())
        case .user(let id): return (keys(.user), QuotaParty(person: try person(.user(id: id))))
        case .anonymousUser(let id): return (keys(.anonymous), QuotaParty(person: try anonymousPerson(id: id)))
        case .address(let address): return (keys(.address), QuotaParty(address: address))
        case .caller(let caller, let address):
            let party = QuotaParty(person: try person(caller), address: caller.kind == .anonymous ? address : nil)
            return switch caller.kind {
            case .anonymous: (party.address == nil ? keys(.anonymous, .system) : keys(.anonymous, .address, .system), party)
            case .user: (keys(.user) + [.systemTurns], party)
            case .operator: (keys(.system), party)
            }
        }
    }
}
