import JSON
import ParleyCore

/// Who a request says it acts for: the `caller` object.
enum CallerClaim: Hashable, Sendable, JSONReadable {
    /// A user whom the parent process has authenticated.
    case user(id: String)
    /// The holder of an anonymous token.
    case anonymous(tokenHash: AnonymousToken.Hash)

    /// The longest id or token that is looked at, in bytes.
    private static let maximumBytes = 256

    /// Reads an object with exactly one of `userId` and `anonymousToken`.
    init(from reader: inout JSONReader) throws(JSONError) {
        var claim: CallerClaim?
        var name: String?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard key == "userId" || key == "anonymousToken" else { throw reader.mismatch("unknown field") }
            let text = try reader.string()
            guard name == nil || name == key else { throw reader.mismatch("a caller is one of userId and anonymousToken, not both") }
            guard (1...Self.maximumBytes).contains(text.utf8.count) else {
                throw reader.mismatch("expected 1 to \(Self.maximumBytes) bytes")
            }
            name = key
            claim = key == "userId" ? .user(id: text) : .anonymous(tokenHash: AnonymousToken.hash(ofText: text))
        }
        guard let claim else { throw reader.mismatch("expected userId or anonymousToken") }
        self = claim
    }

    /// The person as the core knows one.
    var caller: Caller {
        switch self {
        case .user(let id): .user(id: id)
        case .anonymous(let hash): .anonymous(hash)
        }
    }
}
