import JSON
import ParleyCore

/// Who a request says it acts for: the `caller` object.
enum CallerClaim: Hashable, Sendable, JSONReadable {
    /// A user whom the parent process has authenticated.
    case user(id: String)
    /// The bearer of a token that the host verifies itself.
    case userToken(String)
    /// The holder of an anonymous token.
    case anonymous(tokenHash: AnonymousToken.Hash)
    /// Whoever runs the host.
    case `operator`

    private enum Field: String, CaseIterable {
        case userId, userToken, anonymousToken, `operator`

        /// The longest text that is looked at, in bytes.
        var maximumBytes: Int { self == .userToken ? 8_192 : 256 }
    }

    private static let fieldNames = Field.allCases.map(\.rawValue).joined(separator: ", ")

    /// Reads an object with exactly one field.
    init(from reader: inout JSONReader) throws(JSONError) {
        var claim: CallerClaim?
        var first: Field?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            guard let field = Field(rawValue: key) else { throw reader.mismatch("unknown field") }
            guard first == nil || first == field else { throw reader.mismatch("a caller is exactly one of \(Self.fieldNames)") }
            first = field
            claim = try Self.claim(field, from: &reader)
        }
        guard let claim else { throw reader.mismatch("expected one of \(Self.fieldNames)") }
        self = claim
    }

    private static func claim(_ field: Field, from reader: inout JSONReader) throws(JSONError) -> CallerClaim {
        guard field != .operator else {
            guard try reader.bool() else { throw reader.mismatch("expected true") }
            return .operator
        }
        let text = try reader.string()
        guard (1...field.maximumBytes).contains(text.utf8.count) else {
            throw reader.mismatch("expected 1 to \(field.maximumBytes) bytes")
        }
        return switch field {
        case .userId: .user(id: text)
        case .userToken: .userToken(text)
        case .anonymousToken: .anonymous(tokenHash: AnonymousToken.hash(ofText: text))
        case .operator: .operator
        }
    }
}
