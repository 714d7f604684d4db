import ParleyCore

/// What a request must have to itself, or share, while it takes effect; held for admission and never for the length of a turn.
///
/// Requests with nothing in common overlap; all others take effect in the order of their lines.
enum Scope: Hashable, Sendable {
    /// Nothing: the order does not matter.
    case free
    /// All that the caller owns. Exclusive for what lists or adds; shared for what concerns one thing.
    case caller(exclusive: Bool)
    /// All that the caller owns, and all that an anonymous person owns whom the caller claims; both exclusive.
    case claim(of: AnonymousToken.Hash)
    /// One conversation; shares the caller's scope.
    case conversation(String, exclusive: Bool)

    /// One lock that a scope takes.
    struct Lock: Hashable, Sendable {
        enum Key: Hashable, Sendable {
            case caller(Caller)
            /// As its owner knows it: whoever else has the id has nothing to wait for.
            case conversation(String, Caller)
        }

        var key: Key
        var exclusive: Bool
    }

    /// The locks that this scope takes for a caller.
    func locks(for caller: Caller) -> [Lock] {
        // Nobody else can know of a person who is made by this request.
        if case .newAnonymous = caller { return [] }
        return switch self {
        case .free: []
        case .caller(let exclusive): [Lock(key: .caller(caller), exclusive: exclusive)]
        case .claim(let hash):
            // A set, for whoever claims what is its own must not wait for itself.
            Set([caller, .anonymous(hash)]).map { Lock(key: .caller($0), exclusive: true) }
        case .conversation(let id, let exclusive):
            [Lock(key: .caller(caller), exclusive: false), Lock(key: .conversation(id, caller), exclusive: exclusive)]
        }
    }
}
