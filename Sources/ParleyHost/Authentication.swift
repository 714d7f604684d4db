package import ParleyCore

/// Whose word is taken for who somebody is (`auth.…`).
package struct Authentication: Sendable {
    /// Whether the parent process may simply name a user or the operator.
    package var trustsParent: Bool
    /// What verifies users' tokens; nil when none are taken.
    package var verifier: (any TokenVerifier)?

    /// Says whose word is taken.
    package init(trustsParent: Bool = true, verifier: (any TokenVerifier)? = nil) {
        self.trustsParent = trustsParent
        self.verifier = verifier
    }

    /// The person whom a claim names. One who names a token is only believed once ``verify(_:at:)`` has returned; until then the person serves
    /// to give the request its place in order.
    ///
    /// - Throws: `authRequired`.
    func caller(_ claim: CallerClaim) throws(Failure) -> Caller {
        switch claim {
        case .anonymous(let hash): return .anonymous(hash)
        case .user(let id):
            guard trustsParent else { throw Failure(.authRequired, "This host takes a userToken, not a userId.") }
            return .user(id: id)
        case .operator:
            guard trustsParent else { throw Failure(.authRequired, "This host takes nobody's word for being the operator.") }
            return .operator
        case .userToken(let token):
            guard let verifier else { throw Failure(.authRequired, "This host is not set up to take a userToken.") }
            guard let subject = verifier.subject(claimedBy: token) else { throw Failure(.authRequired, "The user token is not valid.") }
            return .user(id: subject)
        }
    }

    /// Makes sure that a claim is true as far as that can be told from its form; anonymous tokens are the store's business.
    ///
    /// - Throws: `authRequired`.
    func verify(_ claim: CallerClaim?, at now: Timestamp) async throws(Failure) {
        guard case .userToken(let token)? = claim else { return }
        guard let verifier, try await .user(id: verifier.userID(of: token, at: now)) == caller(.userToken(token)) else {
            throw Failure(.authRequired, "The user token is not valid.")
        }
    }
}
