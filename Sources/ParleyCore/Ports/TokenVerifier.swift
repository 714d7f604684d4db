/// What says whom a user's token speaks for. Every adapter passes `TokenVerifierContract`.
///
/// - The subject of a token that verifies is also what `subject(claimedBy:)` says of it.
/// - Neither a token nor a part of one stands in anything that is thrown.
package protocol TokenVerifier: Sendable {
    /// Verifies a token.
    ///
    /// - Parameters:
    ///   - token: the token as the client sent it, whatever its form or length.
    ///   - now: the moment at which it has to be valid.
    /// - Returns: the id of the user whom it speaks for (`sub`, RFC 7519, section 4.1.2): 1 to 256 bytes.
    /// - Throws: `authRequired` for everything that does not verify.
    func userID(of token: String, at now: Timestamp) async throws(Failure) -> String

    /// Reads whom a token claims to speak for, and believes nothing: only good for giving a request its place in order before it is verified.
    ///
    /// - Parameter token: the token as the client sent it, whatever its form or length.
    /// - Returns: nil for a token that could not verify at any time, as far as its form shows.
    func subject(claimedBy token: String) -> String?
}
