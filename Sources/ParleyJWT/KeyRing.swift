/// The keys that tokens may be signed with.
struct KeyRing: Sendable {
    private let keys: [VerificationKey]
    /// Whether a token's `kid` chooses the key, as in a set. A key that stands alone has no name, and whatever it is called it is meant.
    private let hasNames: Bool

    /// Reads the bytes of a key's file.
    ///
    /// - Parameters:
    ///   - bytes: a set of keys, a public key in PEM, or a secret.
    ///   - name: what errors call it.
    /// - Throws: ``JWTKeyError`` for everything that cannot be used, or should not.
    init(_ bytes: [UInt8], named name: String) async throws(JWTKeyError) {
        switch try KeyFile(bytes, named: name) {
        case .set(let members):
            keys = try await JWKSet(members, named: name).keys
            hasNames = true
        case .pem(let text):
            guard let key = await VerificationKey(pem: text) else {
                throw JWTKeyError(
                    "The JWT key \(name) is PEM, but not one public key that is RSA of at least 2048 bits, EC P-256 or Ed25519.")
            }
            keys = [key]
            hasNames = false
        case .secret(let secret):
            do {
                keys = [try await VerificationKey(secret: secret)]
            } catch {
                throw JWTKeyError("The JWT key \(name) cannot be used for HS256.")
            }
            hasNames = false
        }
    }

    /// Verifies a token's signature with a key that is meant to have made it.
    ///
    /// - Throws: `malformedHeader`, `criticalHeader`, `unknownKey`, `wrongAlgorithm`, `badSignature`.
    func verify(_ token: CompactToken) throws(TokenFault) {
        let header = try TokenHeader(json: token.header)
        var candidates = keys
        if hasNames, let id = header.keyID {
            candidates.removeAll { $0.id?.isExactly(id) != true }
            if candidates.isEmpty { throw .unknownKey }
        }
        candidates.removeAll { !$0.algorithmName.isExactly(header.algorithm) }
        if candidates.isEmpty { throw .wrongAlgorithm }
        guard candidates.contains(where: { $0.hasSigned(token) }) else { throw .badSignature }
    }
}
