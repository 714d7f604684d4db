/// Which tokens are believed.
package struct JWTVerifierConfiguration: Sendable {
    /// What errors call the key, such as the path of its file.
    package var keyName: String
    /// The bytes of the key's file.
    ///
    /// - A set of keys, `{"keys": […]}` (RFC 7517, section 5): RSA for RS256, EC P-256 for ES256, OKP Ed25519 for EdDSA, oct for HS256. Keys of
    ///   other kinds or for another use or algorithm are passed over.
    /// - Or one public key in PEM (RFC 7468, section 13), of the same kinds.
    /// - Or else a secret that is shared with the issuer, for HS256: at least 32 bytes (RFC 7518, section 3.2), not counting one newline at the end.
    package var key: [UInt8]
    /// What `iss` must be; nil for anything.
    package var issuer: String?
    /// What `aud` must hold; nil when a token must have no `aud` at all.
    package var audience: String?
    /// By how much the issuer's clock may differ from ours; a negative number counts as 0.
    package var leewaySeconds: Int

    /// Makes a configuration; see the properties for what the parameters mean.
    package init(keyName: String, key: [UInt8], issuer: String? = nil, audience: String? = nil, leewaySeconds: Int = 30) {
        self.keyName = keyName
        self.key = key
        self.issuer = issuer
        self.audience = audience
        self.leewaySeconds = leewaySeconds
    }
}
