import JSON
import JWTKit
import ParleyCore

/// A set of JSON Web Keys (RFC 7517, section 5).
struct JWKSet {
    /// The keys that verify tokens, at least one.
    let keys: [VerificationKey]

    /// Reads a set. Keys of another kind or for something else are passed over (RFC 7517, section 5); all others must be sound.
    ///
    /// - Parameters:
    ///   - set: an object with an array `keys`.
    ///   - name: what errors call the set.
    /// - Throws: ``JWTKeyError`` for a private key, even one that would be passed over; for a malformed or weak one; for two with one `kid`; and
    ///   when no key is left.
    init(_ set: JSONValue, named name: String) async throws(JWTKeyError) {
        var keys: [VerificationKey] = []
        for (index, member) in (set["keys"]?.arrayValue ?? []).enumerated() {
            let member = SetMember(json: member, name: "Key \(index + 1) in the JWT keys \(name)")
            guard let key = try await member.key() else { continue }
            if let id = key.id, keys.contains(where: { $0.id?.isExactly(id) == true }) {
                throw JWTKeyError("\(member.name) has the same kid as another.")
            }
            keys.append(key)
        }
        guard !keys.isEmpty else {
            throw JWTKeyError("The JWT keys \(name) hold none for RS256, ES256, EdDSA or HS256.")
        }
        self.keys = keys
    }
}

/// One member of a set.
private struct SetMember {
    /// The key as JSON.
    let json: JSONValue
    /// What errors call it.
    let name: String

    /// Reads the key.
    ///
    /// - Returns: nil when it is passed over.
    func key() async throws(JWTKeyError) -> VerificationKey? {
        guard json.objectValue != nil else { throw JWTKeyError("\(name) is not an object.") }
        guard ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"].allSatisfy({ json[$0] == nil }) else {
            throw JWTKeyError("\(name) is a private key; verifying needs the public one alone.")
        }
        guard let algorithm = algorithmName, isForVerifying else { return nil }
        guard json["kid"] == nil || json["kid"]?.stringValue != nil else { throw JWTKeyError("\(name) has a kid that is not a string.") }
        let id = json["kid"]?.stringValue
        if algorithm == "HS256" {
            let secret = try bytes("k")
            guard secret.count >= KeyFile.minimumSecretBytes else {
                throw JWTKeyError("\(name) has \(secret.count) bytes; HS256 needs at least \(KeyFile.minimumSecretBytes).")
            }
            return try await sound(algorithm) { try await VerificationKey(id: id, secret: secret) }
        }
        let jwk = try jwk(for: algorithm)
        return try await sound(algorithm) { try await VerificationKey(id: id, jwk: jwk) }
    }

    /// The one algorithm that the key is for; nil when it is none of ours.
    private var algorithmName: String? {
        let name: String
        switch (json["kty"]?.stringValue, json["crv"]?.stringValue) {
        case ("RSA", _): name = "RS256"
        case ("EC", "P-256"): name = "ES256"
        case ("OKP", "Ed25519"): name = "EdDSA"
        case ("oct", _): name = "HS256"
        default: return nil
        }
        return json["alg"] == nil || json["alg"]?.stringValue == name ? name : nil
    }

    /// Whether the key may be used for signatures (RFC 7517, sections 4.2 and 4.3).
    private var isForVerifying: Bool {
        (json["use"] == nil || json["use"] == "sig") && (json["key_ops"] == nil || json["key_ops"]?.arrayValue?.contains("verify") == true)
    }

    /// The public key as jwt-kit takes it. It wants a name for every key; ours stays with us.
    private func jwk(for algorithm: String) throws(JWTKeyError) -> JWK {
        switch algorithm {
        case "RS256":
            let modulus = try bytes("n").drop { $0 == 0 }
            let bits = modulus.count * 8 - (modulus.first?.leadingZeroBitCount ?? 0)
            guard bits >= 2_048 else { throw JWTKeyError("\(name) is an RSA key of \(bits) bits; RS256 needs at least 2048.") }
            return .rsa(.rs256, identifier: "", modulus: try text("n"), exponent: try text("e"))
        case "ES256":
            return .ecdsa(.es256, identifier: "", x: try text("x"), y: try text("y"), curve: .p256)
        default:
            return .octetKeyPair(.eddsa, identifier: "", x: try text("x"), y: nil, curve: .ed25519)
        }
    }

    private func text(_ member: String) throws(JWTKeyError) -> String {
        Base64URL.text(of: try bytes(member))
    }

    private func bytes(_ member: String) throws(JWTKeyError) -> [UInt8] {
        guard let text = json[member]?.stringValue, let bytes = Base64URL.exactBytes(of: Substring(text).utf8), !bytes.isEmpty else {
            throw JWTKeyError("\(name) has no member \"\(member)\" that is base64url.")
        }
        return bytes
    }

    private func sound(_ algorithm: String, _ make: () async throws -> VerificationKey) async throws(JWTKeyError) -> VerificationKey {
        do {
            return try await make()
        } catch {
            throw JWTKeyError("\(name) is not a key for \(algorithm).")
        }
    }
}
