package import ParleyCore

/// Verifies signed JSON Web Tokens (RFC 7519) in their compact form, as RFC 8725 advises.
///
/// Which algorithm may have signed a token is a property of the key alone. What a token's header says of keys (`jwk`, `jku`, `x5u`, `x5c`) is
/// not even read, except for `kid`, which chooses one from a set. jwt-kit does the cryptography; it never reads a header or a claim, because its
/// readers take doubled members and text that is not quite base64url, and one (`unverified`) traps on a header's number that no `Int` holds.
package struct JWTVerifier: TokenVerifier {
    private let keys: KeyRing
    private let rules: ClaimRules

    /// Makes a verifier.
    ///
    /// - Parameter configuration: the key, and what a token must say.
    /// - Throws: ``JWTKeyError`` for a key that is malformed, too weak, of no known kind, or private.
    package init(_ configuration: JWTVerifierConfiguration) async throws(JWTKeyError) {
        keys = try await KeyRing(configuration.key, named: configuration.keyName)
        rules = ClaimRules(
            issuer: configuration.issuer, audience: configuration.audience, leewaySeconds: Double(max(0, configuration.leewaySeconds)))
    }

    /// Verifies a token: its form, its signature, then its claims, and last of all whether it has expired.
    ///
    /// - Parameters:
    ///   - token: a JWS in compact form (RFC 7515, section 7.1) of at most 8 KiB.
    ///   - now: the moment at which it has to be valid.
    /// - Returns: its `sub`.
    /// - Throws: `authRequired`, which says that the token has expired only if that is all that is wrong with it.
    package func userID(of token: String, at now: Timestamp) throws(Failure) -> String {
        do throws(TokenFault) {
            let token = try CompactToken(token)
            try keys.verify(token)
            let claims = try TokenClaims(json: token.payload)
            try rules.check(claims, at: now)
            return claims.subject
        } catch {
            throw error.failure
        }
    }
}
