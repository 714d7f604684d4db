/// Whoever a request acts for, as the store looks the person up.
///
/// The store resolves a caller inside the transaction that needs it, so no row of a person ever travels. Tools and models never choose one.
package enum Caller: Hashable, Sendable {
    /// A signed-in person, by the id that the parent process knows. The person is made on the first write.
    case user(id: String)
    /// An anonymous person, by the token that the host once issued.
    case anonymous(AnonymousToken.Hash)
    /// An anonymous person who is made by this very request.
    case newAnonymous(NewAnonymousUser)
    /// Whoever runs the host: one person, who may publish bots and look after quotas.
    case `operator`

    /// What sort of person the caller is.
    package var kind: PersonKind {
        switch self {
        case .user: .user
        case .anonymous, .newAnonymous: .anonymous
        case .operator: .operator
        }
    }
}

/// An anonymous person about to be stored.
package struct NewAnonymousUser: Hashable, Sendable {
    /// The id that clients know; opaque.
    package var id: String
    /// What the token is found by.
    package var tokenHash: AnonymousToken.Hash
    /// When it was made.
    package var createdAt: Timestamp
    /// Where it comes from; nil when the parent process does not say.
    package var address: ClientAddress?

    /// Makes one of its fields; see them for what the parameters mean.
    package init(id: String, tokenHash: AnonymousToken.Hash, createdAt: Timestamp, address: ClientAddress? = nil) {
        self.id = id
        self.tokenHash = tokenHash
        self.createdAt = createdAt
        self.address = address
    }
}

/// An anonymous person as shown to clients.
package struct AnonymousUser: Hashable, Sendable {
    /// The id that clients know; opaque.
    package var id: String
    /// When it was made.
    package var createdAt: Timestamp

    /// Makes one of its fields; see them for what the parameters mean.
    package init(id: String, createdAt: Timestamp) {
        self.id = id
        self.createdAt = createdAt
    }
}
