import Crypto
import CryptoExtras
import Foundation
import JSON
import JWTKit
import ParleyCore
import ParleyJWT

/// A key pair, or a shared secret, made for this run of the tests.
struct TestKey: Sendable {
    /// The algorithms that are verified.
    enum Kind: String, CaseIterable, Sendable {
        case hs256 = "HS256"
        case rs256 = "RS256"
        case es256 = "ES256"
        case eddsa = "EdDSA"

        static let asymmetric: [Kind] = [.rs256, .es256, .eddsa]
    }

    let kind: Kind
    /// The file that a verifier gets: PEM, or the secret.
    let file: [UInt8]
    /// The file that it must not get: the private key in PEM, or nothing.
    let privateFile: [UInt8]
    /// The members of the key in a set, without `kid`.
    let jwk: [String: String]
    /// Signs with jwt-kit.
    let signer: any JWTAlgorithm

    /// A key that all tests share; RSA takes long to make.
    static func shared(_ kind: Kind) async throws -> TestKey {
        switch kind {
        case .hs256: try await hs256.value
        case .rs256: try await rs256.value
        case .es256: try await es256.value
        case .eddsa: try await eddsa.value
        }
    }

    private static let hs256 = Task { try await TestKey(.hs256) }
    private static let rs256 = Task { try await TestKey(.rs256) }
    private static let es256 = Task { try await TestKey(.es256) }
    private static let eddsa = Task { try await TestKey(.eddsa) }

    /// Makes a new key.
    init(_ kind: Kind) async throws {
        self.kind = kind
        let collection = JWTKeyCollection()
        switch kind {
        case .hs256:
            let secret = Array(Base64URL.text(of: (0..<36).map { _ in UInt8.random(in: 0...255) }).utf8)
            file = secret
            privateFile = []
            jwk = ["kty": "oct", "k": Base64URL.text(of: secret)]
            await collection.add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
        case .rs256:
            let key = try Insecure.RSA.PrivateKey(backing: _RSA.Signing.PrivateKey(keySize: .bits2048))
            let numbers = try key.publicKey.getKeyPrimitives()
            file = Array(key.publicKey.pemRepresentation.utf8)
            privateFile = Array(key.pemRepresentation.utf8)
            jwk = [
                "kty": "RSA", "n": Base64URL.text(of: Array(numbers.modulus)), "e": Base64URL.text(of: Array(numbers.publicExponent)),
            ]
            await collection.add(rsa: key, digestAlgorithm: .sha256)
        case .es256:
            let key = P256.Signing.PrivateKey()
            let point = Array(key.publicKey.rawRepresentation)
            file = Array(key.publicKey.pemRepresentation.utf8)
            privateFile = Array(key.pemRepresentation.utf8)
            jwk = ["kty": "EC", "crv": "P-256", "x": Base64URL.text(of: Array(point[..<32])), "y": Base64URL.text(of: Array(point[32...]))]
            await collection.add(ecdsa: try ES256PrivateKey(backing: key))
        case .eddsa:
            let key = try EdDSA.PrivateKey(curve: .ed25519)
            file = Array(key.publicKey.pemRepresentation.utf8)
            privateFile = Array(key.pemRepresentation.utf8)
            jwk = ["kty": "OKP", "crv": "Ed25519", "x": Base64URL.text(of: Array(key.publicKey.rawRepresentation))]
            await collection.add(eddsa: key)
        }
        signer = try await collection.getKey()
    }

    /// Makes a key for HS256 of a certain secret.
    init(secret: [UInt8]) async throws {
        kind = .hs256
        file = secret
        privateFile = []
        jwk = ["kty": "oct", "k": Base64URL.text(of: secret)]
        signer = try await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256).getKey()
    }

    /// Signs any header and claims, sensible or not.
    ///
    /// - Parameter header: JSON; by default the one that says what key this is.
    func token(header: String? = nil, _ claims: String = Claims.plain) throws -> String {
        let text = Token.text(header ?? #"{"alg":"\#(kind.rawValue)"}"#) + "." + Token.text(claims)
        return text + "." + Base64URL.text(of: try signer.sign(Array(text.utf8)))
    }

    /// A set of keys as its file.
    static func set(_ members: [String: String]...) -> [UInt8] {
        let keys = members.map { member in
            JSONValue.object(.init(uniqueKeysWithValues: member.mapValues(JSONValue.string).sorted { $0.key < $1.key }))
        }
        return JSONWriter.encode(["keys": .array(keys)] as JSONValue)
    }

    /// The member of a set with further members.
    func member(_ more: [String: String] = [:]) -> [String: String] {
        jwk.merging(more) { $1 }
    }

    /// A verifier with this key alone.
    func verifier(issuer: String? = nil, audience: String? = nil, leewaySeconds: Int = 30) async throws -> JWTVerifier {
        try await JWTVerifier(
            JWTVerifierConfiguration(keyName: "k", key: file, issuer: issuer, audience: audience, leewaySeconds: leewaySeconds))
    }
}

/// Claims that are valid at `now`.
enum Claims {
    /// The second at which all tests verify.
    static let second = 1_790_000_000
    /// The moment at which all tests verify.
    static let now = Timestamp(milliseconds: Int64(second) * 1_000)
    /// Only what is required.
    static let plain = with("")

    /// - Parameter more: further members, each with a comma before it.
    static func with(_ more: String) -> String {
        #"{"sub":"ada","exp":\#(second + 60)\#(more)}"#
    }
}

/// Tokens built by hand.
enum Token {
    /// A segment.
    static func text(_ json: String) -> String {
        Base64URL.text(of: Array(json.utf8))
    }

    /// The decoded segments of a token.
    static func segments(of token: String) -> [[UInt8]] {
        token.split(separator: ".", omittingEmptySubsequences: false).map { Base64URL.bytes(of: String($0)) ?? [] }
    }

    /// A token of decoded segments.
    static func joining(_ segments: [[UInt8]]) -> String {
        segments.map(Base64URL.text(of:)).joined(separator: ".")
    }
}
