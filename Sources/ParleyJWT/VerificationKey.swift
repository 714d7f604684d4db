import JWTKit

/// A key together with the one algorithm that it verifies.
struct VerificationKey: Sendable {
    /// What a token may call it; nil for a key without a name.
    let id: String?
    private let algorithm: any JWTAlgorithm

    /// The name of its algorithm (RFC 7518, section 3.1; RFC 8037, section 3.1).
    var algorithmName: String { algorithm.name }

    /// Makes a key for HS256.
    ///
    /// - Parameter secret: at least 32 bytes; jwt-kit traps on fewer.
    init(id: String? = nil, secret: [UInt8]) async throws {
        precondition(secret.count >= KeyFile.minimumSecretBytes, "the length is checked where a message can be given")
        try await self.init(id) { await $0.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256) }
    }

    /// Makes a key for RS256, ES256 or EdDSA from a JSON Web Key (RFC 7517).
    ///
    /// - Throws: whatever jwt-kit says of numbers that are no such key, or of an RSA key under 2048 bits.
    init(id: String?, jwk: JWK) async throws {
        try await self.init(id) { try await $0.add(jwk: jwk) }
    }

    /// Makes a key for RS256, ES256 or EdDSA from a public key in PEM; the key itself says which.
    ///
    /// - Returns: nil for everything else, among it RSA keys under 2048 bits.
    init?(pem: String) async {
        // Some of the readers below take text around the block, others do not.
        guard pem.hasPrefix("-----BEGIN "), pem.hasSuffix("-----") else { return nil }
        if let key = try? EdDSA.PublicKey(pem: pem) {
            try? await self.init(nil) { await $0.add(eddsa: key) }
        } else if let key = try? ES256PublicKey(pem: pem) {
            try? await self.init(nil) { await $0.add(ecdsa: key) }
        } else if let key = try? Insecure.RSA.PublicKey(pem: pem) {
            try? await self.init(nil) { await $0.add(rsa: key, digestAlgorithm: .sha256) }
        } else {
            return nil
        }
    }

    /// Takes the algorithm out of a collection that knows one key, because a collection chooses a key by what the token says.
    private init(_ id: String?, _ add: (JWTKeyCollection) async throws -> Void) async throws {
        let collection = JWTKeyCollection()
        try await add(collection)
        self.id = id
        algorithm = try await collection.getKey()
    }

    /// Whether the key made a token's signature. A signature of the wrong length, on which jwt-kit throws, is a wrong one.
    func hasSigned(_ token: CompactToken) -> Bool {
        (try? algorithm.verify(token.signature, signs: token.signedText)) ?? false
    }
}
