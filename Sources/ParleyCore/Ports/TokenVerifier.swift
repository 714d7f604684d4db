/// What says whom a user's token speaks for. Every adapter passes `TokenVerifierContract`.
///
/// Neither a token nor a part of one stands in anything that is thrown.
package protocol TokenVerifier: Sendable {
    /// Verifies a token. It must be quick, because requests wait for it in the order of their lines.
    ///
    /// - Parameters:
    ///   - token: the token as the client sent it, whatever its form or length.
    ///   - now: the moment at which it has to be valid.
    /// - Returns: the id of the user whom it speaks for (`sub`, RFC 7519, section 4.1.2): 1 to 256 bytes.
    /// - Throws: `authRequired` for everything that does not verify.
    func userID(of token: String, at now: Timestamp) throws(Failure) -> String
}
