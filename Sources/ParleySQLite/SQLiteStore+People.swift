package import ParleyCore

extension SQLiteStore {
    package func createAnonymousUser(_ new: NewAnonymousUser) async throws(Failure) {
        try await write { _ = try $0.insert(new) }
    }

    package func verify(_ caller: Caller) async throws(Failure) {
        try await read { _ = try $0.person(caller) }
    }

    package func claimAnonymousUser(
        _ tokenHash: AnonymousToken.Hash, isConfirmed: Bool, at now: Timestamp, for caller: Caller
    ) async throws(Failure) -> AnonymousClaim {
        try await write { try $0.claim(tokenHash, isConfirmed: isConfirmed, at: now, for: caller) }
    }

    package func deletePerson(at now: Timestamp, for caller: Caller) async throws(Failure) {
        try await write { try $0.deletePerson(caller, at: now) }
    }
}
