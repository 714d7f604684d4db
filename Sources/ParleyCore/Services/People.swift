/// People who are not signed in: each gets a token, once.
package struct People: Sendable {
    private let store: any Store
    private let ambient: any Ambient

    /// Serves people from a store.
    package init(store: any Store, ambient: any Ambient) {
        self.store = store
        self.ambient = ambient
    }

    /// Prepares an anonymous person; the store makes the row in the transaction of whatever the person does first.
    ///
    /// - Returns: the caller to act for, and the token to hand out.
    package func newAnonymous() -> (user: NewAnonymousUser, token: AnonymousToken) {
        let token = AnonymousToken(randomBytes: ambient.randomBytes(32))
        let user = NewAnonymousUser(id: ambient.newID(.anonymousUser), tokenHash: token.hash, createdAt: ambient.now())
        return (user, token)
    }

    /// Makes an anonymous person that was prepared.
    ///
    /// - Throws: `internalError` for a caller who is no such person.
    package func create(_ caller: Caller) async throws(Failure) -> AnonymousUser {
        guard case .newAnonymous(let new) = caller else {
            throw Failure(.internalError, "Only a new person can be made.")
        }
        try await store.createAnonymousUser(new)
        return AnonymousUser(id: new.id, createdAt: new.createdAt)
    }
}
