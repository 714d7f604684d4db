import Crypto

/// The secret that an anonymous person holds: 32 random bytes, written as base64url without padding (RFC 4648, section 5).
package struct AnonymousToken: Sendable {
    /// The SHA-256 of a token's text: all that is ever stored.
    package struct Hash: Hashable, Sendable {
        /// 32 bytes.
        package let bytes: [UInt8]

        /// Wraps a hash that comes from the store.
        package init(bytes: [UInt8]) {
            self.bytes = bytes
        }

        /// The first 8 bytes as an integer: what the store looks rows up by, before it compares whole hashes.
        package var lookupKey: Int64 {
            Int64(bitPattern: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        }

        /// Compares two hashes in a time that does not depend on where they differ.
        package func matches(_ other: Hash) -> Bool {
            guard bytes.count == other.bytes.count else { return false }
            return zip(bytes, other.bytes).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
        }
    }

    /// The text that the client keeps: 43 characters.
    package let text: String

    /// Makes a token of 32 random bytes.
    package init(randomBytes: [UInt8]) {
        precondition(randomBytes.count == 32, "a token has 32 bytes")
        text = Base64URL.text(of: randomBytes)
    }

    /// The hash under which the person is stored.
    package var hash: Hash { Self.hash(ofText: text) }

    /// The hash of a token that a client sent, whatever its form.
    package static func hash(ofText text: String) -> Hash {
        Hash(bytes: Array(SHA256.hash(data: Array(text.utf8))))
    }
}
