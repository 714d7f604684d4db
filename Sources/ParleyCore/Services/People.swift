/// People: those who are not signed in get a token, once; those who sign in may take with them what they had; all may leave for good.
package struct People: Sendable {
    private let store: any Store
    private let turns: Turns
    private let ambient: any Ambient

    /// Serves people from a store.
    ///
    /// - Parameter turns: those that must end before their person is deleted.
    package init(store: any Store, turns: Turns, ambient: any Ambient) {
        self.store = store
        self.turns = turns
        self.ambient = ambient
    }

    /// Prepares an anonymous person; the store makes the row in the transaction of whatever the person does first.
    ///
    /// - Parameter address: where the person comes from; nil when the parent process does not say.
    /// - Returns: the caller to act for, and the token to hand out.
    package func newAnonymous(from address: ClientAddress?) -> (user: NewAnonymousUser, token: AnonymousToken) {
        let token = AnonymousToken(randomBytes: ambient.randomBytes(32))
        let user = NewAnonymousUser(id: ambient.newID(.anonymousUser), tokenHash: token.hash, createdAt: ambient.now(), address: address)
        return (user, token)
    }

    /// Makes an anonymous person that was prepared.
    ///
    /// - Throws: `quotaExceeded` (`address.anonymousUsers`); `internalError` for a caller who is no such person.
    package func create(_ caller: Caller) async throws(Failure) -> AnonymousUser {
        guard case .newAnonymous(let new) = caller else {
            throw Failure(.internalError, "Only a new person can be made.")
        }
        try await store.createAnonymousUser(new)
        return AnonymousUser(id: new.id, createdAt: new.createdAt)
    }

    /// Gives what an anonymous person owns to a user. Nothing moves by itself: whoever holds the token and is signed in says so.
    ///
    /// - Parameter isConfirmed: false only counts what would move.
    /// - Throws: `authRequired` for a caller who is not signed in, and for a token that is unknown or claimed by somebody else.
    package func claim(_ tokenHash: AnonymousToken.Hash, isConfirmed: Bool, for caller: Caller) async throws(Failure) -> AnonymousClaim {
        guard caller.kind == .user else {
            throw Failure(.authRequired, "Only a user who is signed in can claim what an anonymous person owns.")
        }
        return try await store.claimAnonymousUser(tokenHash, isConfirmed: isConfirmed, at: ambient.now(), for: caller)
    }

    /// Deletes a person with all that belongs to it; its running turns are cancelled first.
    ///
    /// - Returns: whether all of it is gone from the files as well; otherwise that is still to be done.
    /// - Throws: `authRequired` for an anonymous token that is unknown; `invalidParams` for the operator.
    package func delete(_ caller: Caller) async throws(Failure) -> Bool {
        guard caller.kind != .operator else {
            throw .invalidParams(path: "caller", reason: "the operator cannot be deleted")
        }
        try await turns.cancellingWhatIsInTheWay(for: caller) { () throws(Failure) in
            try await store.deletePerson(at: ambient.now(), for: caller)
        }
        return try await !store.erasurePending()
    }
}
