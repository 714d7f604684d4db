import JSON
import ParleyCore

/// What is looked at in a token's claims (RFC 7519, section 4.1).
struct TokenClaims {
    /// Whom the token speaks for: 1 to 256 bytes.
    let subject: String
    /// The second from which on it is no longer valid.
    let expiration: Double
    /// The second before which it is not valid; nil for none.
    let notBefore: Double?
    /// The second in which it was made; nil when it does not say.
    let issuedAt: Double?
    /// Who made it; nil when it does not say.
    let issuer: String?
    /// Whom it is meant for; nil when it does not say.
    let audience: [String]?

    /// Reads claims.
    ///
    /// - Throws: `malformedClaims` for anything but an object of distinct members with `sub` and `exp`, each claim having its type.
    init(json: [UInt8]) throws(TokenFault) {
        var texts: [String: String] = [:]
        var dates: [String: Double] = [:]
        var audience: [String]?
        do throws(JSONError) {
            var reader = JSONReader(json)
            try reader.readDistinctMembers { name, reader throws(JSONError) in
                switch name {
                case "sub", "iss": texts[name] = try reader.string()
                case "exp", "nbf", "iat": dates[name] = try reader.double()
                case "aud": audience = try reader.peek() == .string ? [try reader.string()] : try [String](from: &reader)
                default: _ = try reader.skip()
                }
            }
        } catch {
            throw .malformedClaims
        }
        guard let subject = texts["sub"], (1...256).contains(subject.utf8.count), let expiration = dates["exp"] else {
            throw .malformedClaims
        }
        self.subject = subject
        self.expiration = expiration
        self.audience = audience
        notBefore = dates["nbf"]
        issuedAt = dates["iat"]
        issuer = texts["iss"]
    }
}

/// What a token's claims must say.
struct ClaimRules {
    /// What `iss` must be; nil for anything.
    let issuer: String?
    /// What `aud` must hold; nil when there must be no `aud`.
    let audience: String?
    /// By how much the issuer's clock may differ from ours.
    let leewaySeconds: Double

    /// Checks claims. Expiry comes last, so that whoever hears of it knows that a newer token will do.
    ///
    /// - Throws: what is wrong first.
    func check(_ claims: TokenClaims, at now: Timestamp) throws(TokenFault) {
        if let issuer, claims.issuer?.isExactly(issuer) != true { throw .wrongIssuer }
        // Whoever does not find itself in `aud` must refuse the token (RFC 7519, section 4.1.3), and without a name nobody can.
        let isMeant = audience.map { audience in claims.audience?.contains { $0.isExactly(audience) } == true } ?? (claims.audience == nil)
        guard isMeant else { throw .wrongAudience }
        try checkTimes(of: claims, at: now)
    }

    private func checkTimes(of claims: TokenClaims, at now: Timestamp) throws(TokenFault) {
        // A number of seconds may be anything that a double can be, so it never becomes an integer.
        let now = Double(now.milliseconds) / 1_000
        if let notBefore = claims.notBefore, notBefore > now + leewaySeconds { throw .notYetValid }
        if let issuedAt = claims.issuedAt, issuedAt > now + leewaySeconds { throw .issuedInTheFuture }
        if claims.expiration <= now - leewaySeconds { throw .expired }
    }
}
