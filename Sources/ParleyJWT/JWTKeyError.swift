/// Why the key for verifying tokens cannot be used, in one sentence for whoever started the program.
package struct JWTKeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One sentence that names the key, and holds none of its bytes.
    package let message: String

    /// - Parameter message: one sentence that names the key, and holds none of its bytes.
    package init(_ message: String) {
        self.message = message
    }

    /// The sentence.
    package var description: String { message }
}
