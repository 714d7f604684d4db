package import ParleyCore

extension SQLiteStore {
    package func quota(of subject: QuotaSubject, at now: Timestamp) async throws(Failure) -> [QuotaReading] {
        try await read { transaction in
            let (keys, party) = try transaction.limits(of: subject)
            // Of the system's limits, callers see so little that the rest need not be read.
            if case .caller = subject { return try transaction.readings(keys, of: party, at: now, .person).worthTelling }
            return try transaction.readings(keys, of: party, at: now, .all).worthTelling
        }
    }

    package func resetQuota(
        of subject: QuotaSubject, scope: QuotaKey.Scope?, at now: Timestamp
    ) async throws(Failure) -> [QuotaReading] {
        try await write { transaction in
            let (keys, party) = try transaction.limits(of: subject)
            try transaction.reset(keys.filter { $0.scope == scope ?? $0.scope }, of: party)
            return try transaction.readings(keys, of: party, at: now, .all).worthTelling
        }
    }
}

extension [QuotaReading] {
    /// Without the limits of copies while nothing was copied: few people ever copy anything.
    fileprivate var worthTelling: [QuotaReading] {
        filter { $0.unit != QuotaKey.userCopies.unit || $0.totals?.used != 0 }
    }
}

extension SQLiteStore {
    package func holdToolCall(_ id: String, ofTurn turnID: String, named name: String, for caller: Caller) async throws(Failure) {
        guard caller.kind == .anonymous else { return }
        try await write { transaction in
            let turn = try transaction.turn(turnID)
            guard transaction.isOurs(turn) else { throw Failure.notFound(.turn, turnID) }
            try transaction.holdToolCall(id, of: turn, named: name)
        }
    }

    package func settleToolCall(_ id: String, ofTurn turnID: String, succeeded: Bool) async throws(Failure) {
        try await write { transaction in
            guard let turn = try transaction.turnIfAny(turnID) else { return }
            try transaction.settleToolCall(id, ofTurn: turn.key, succeeded: succeeded)
        }
    }
}

extension StoreTransaction {
    /// The limits that concern somebody, and where they are counted.
    ///
    /// - Throws: `notFound` (anonymousUser), `authRequired`.
    fileprivate func limits(of subject: QuotaSubject) throws -> (keys: [QuotaKey], party: QuotaParty) {
        func keys(_ scopes: QuotaKey.Scope...) -> [QuotaKey] {
            (QuotaKey.all + surroundings.quotas.tools).filter { scopes.contains($0.scope) }
        }
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
