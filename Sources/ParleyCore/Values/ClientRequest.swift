import Crypto
import JSON

/// What a client calls a request that it may send again: a repeat has no further effect and gets the same answer.
package struct ClientRequest: Hashable, Sendable {
    /// The longest id, in bytes.
    package static let maximumIDBytes = 256

    /// The client's own id.
    package var id: String
    /// The SHA-256 of what is asked for, by which a repeat is told from another request under the same id.
    package var contentHash: [UInt8]

    /// Wraps what comes from the store.
    package init(id: String, contentHash: [UInt8]) {
        self.id = id
        self.contentHash = contentHash
    }

    /// Names a request.
    ///
    /// - Parameters:
    ///   - id: nil when the client gives none.
    ///   - path: how the params call the id.
    ///   - content: all that a repeat must have in common with the first.
    /// - Returns: nil without an id.
    /// - Throws: `invalidParams`.
    static func named(_ id: String?, path: String, content: JSONValue) throws(Failure) -> ClientRequest? {
        guard let id else { return nil }
        guard (1...maximumIDBytes).contains(id.utf8.count) else {
            throw .invalidParams(path: path, reason: "expected 1 to \(maximumIDBytes) bytes")
        }
        return ClientRequest(id: id, contentHash: Array(SHA256.hash(data: JSONWriter.encode(content.sortedByName))))
    }
}

extension ClientRequest {
    /// What stands for a text in the content of a request, where the text itself would be long.
    static func digest(of text: String) -> JSONValue {
        var text = text
        return text.withUTF8 { .string(Base64URL.text(of: Array(SHA256.hash(data: UnsafeRawBufferPointer($0))))) }
    }
}

extension Failure {
    /// An id under which the client has asked for something else before.
    package static let idempotencyConflict = Failure(
        .idempotencyConflict, "This id was used for a request with other content.")
}

extension JSONValue {
    /// The same value with the members of its objects in the order of their names, which clients do not always keep from one time to the next.
    var sortedByName: JSONValue {
        switch self {
        case .array(let elements): .array(elements.map(\.sortedByName))
        case .object(var members):
            {
                members.sort { $0.key < $1.key }
                return .object(members.mapValues(\.sortedByName))
            }()
        default: self
        }
    }
}
