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

    /// The person whom a claim names. Anonymous tokens are the store's business.
    ///
    /// - Parameter now: when a user's token has to be valid.
    /// - Throws: `authRequired`.
    func caller(_ claim: CallerClaim, at now: Timestamp) throws(Failure) -> Caller {
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
            return .user(id: try verifier.userID(of: token, at: now))
        }
    }
}
