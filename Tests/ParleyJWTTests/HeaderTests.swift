import Crypto
import JSON
import JWTKit
import ParleyCore
import ParleyJWT
import ParleyTestSupport
import Testing

/// What a token's header may say, and what it can never bring about.
struct HeaderTests {
    /// Headers of tokens that are signed with the right key for HS256.
    @Test(arguments: [
        (#"{"alg":"HS256"}"#, nil),
        (#" {"typ":"JWT", "alg":"HS256"} "#, nil),
        (#"{"alg":"\u0048S256"}"#, nil),
        (#"{"alg":"HS256","kid":"whatever"}"#, nil),
        (#"{"alg":"HS256","jku":"http://127.0.0.1:1/k","x5u":"http://127.0.0.1:1/c","x5c":["MIIB"],"jwk":{"kty":"oct","k":"AA"}}"#, nil),
        // jwt-kit's own reading of a whole header traps on this one: it turns the number into an Int.
        (#"{"alg":"HS256","x":1e300,"y":{"z":-1e300},"w":99999999999999999999}"#, nil),
        (#"{"alg":"none"}"#, "wrong algorithm"), (#"{"alg":"None"}"#, "wrong algorithm"), (#"{"alg":"NONE"}"#, "wrong algorithm"),
        (#"{"alg":"nOnE"}"#, "wrong algorithm"), (#"{"alg":""}"#, "wrong algorithm"), (#"{"typ":"JWT"}"#, "wrong algorithm"),
        (#"{}"#, "wrong algorithm"), (#"{"Alg":"HS256"}"#, "wrong algorithm"), (#"{"alg":"hs256"}"#, "wrong algorithm"),
        (#"{"alg":"HS256 "}"#, "wrong algorithm"), (#"{"alg":"HS384"}"#, "wrong algorithm"), (#"{"alg":"HS512"}"#, "wrong algorithm"),
        (#"{"alg":"RS256"}"#, "wrong algorithm"), (#"{"alg":"ES256"}"#, "wrong algorithm"), (#"{"alg":"EdDSA"}"#, "wrong algorithm"),
        (#"{"alg":"PS256"}"#, "wrong algorithm"), (#"{"alg":"dir"}"#, "wrong algorithm"), (#"{"alg":"HS256\u0000"}"#, "wrong algorithm"),
        (#"{"alg":"HS256","crit":["exp"],"exp":1}"#, "critical header members"),
        (#"{"alg":"HS256","crit":["b64"],"b64":true}"#, "critical header members"),
        (#"{"alg":"HS256","crit":[]}"#, "critical header members"), (#"{"alg":"HS256","crit":null}"#, "critical header members"),
        (#"{"alg":null}"#, "malformed header"), (#"{"alg":1}"#, "malformed header"), (#"{"alg":["HS256"]}"#, "malformed header"),
        (#"{"alg":"HS256","kid":1}"#, "malformed header"), (#"{"alg":"HS256","kid":null}"#, "malformed header"),
        (#"{"alg":"HS256","alg":"HS256"}"#, "malformed header"), (#"{"alg":"none","alg":"HS256"}"#, "malformed header"),
        (#"{"alg":"HS256","alg":"none"}"#, "malformed header"), (#"{"alg":"HS256","\u0061lg":"none"}"#, "malformed header"),
        (#"{"alg":"HS256","x":1,"x":1}"#, "malformed header"), (#"{"alg":"HS256"}{}"#, "malformed header"),
        (#"{"alg":"HS256""#, "malformed header"), (#"["HS256"]"#, "malformed header"), (#""HS256""#, "malformed header"),
        ("", "malformed header"), ("\u{FEFF}{\"alg\":\"HS256\"}", "malformed header"), ("HS256", "malformed header"),
    ])
    func headers(header: String, reason: String?) async throws {
        let key = try await TestKey.shared(.hs256)
        let contract = TokenVerifierContract(try await key.verifier(), at: Claims.now)
        let token = try key.token(header: header)
        if let reason {
            contract.refuses(token, reason)
            contract.refuses(Token.joining([Array(header.utf8), Array(Claims.plain.utf8), []]), reason)
        } else {
            contract.accepts(token, as: "ada")
            contract.refuses(Token.joining([Array(header.utf8), Array(Claims.plain.utf8), []]), "bad signature")
        }
    }

    /// Whatever is public about a key is no secret to sign with, and no other kind of key signs in its stead.
    @Test(arguments: TestKey.Kind.asymmetric, [AcceptanceTests.Form.alone, .named, .unnamed])
    func confusion(kind: TestKey.Kind, form: AcceptanceTests.Form) async throws {
        let key = try await TestKey.shared(kind)
        let file = form.file(of: key)
        let contract = TokenVerifierContract(
            try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: file)), at: Claims.now)
        let secrets =
            [file, key.file, key.file.dropLast(), key.file + [10]]
            + key.jwk.values.flatMap { [Array($0.utf8), Base64URL.bytes(of: $0) ?? []] }
        for secret in secrets {
            let text = Token.text(#"{"alg":"HS256"}"#) + "." + Token.text(Claims.plain)
            let code = HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: secret))
            contract.refuses(text + "." + Base64URL.text(of: Array(code)), "wrong algorithm")
            let honest = Token.text(#"{"alg":"\#(kind.rawValue)"}"#) + "." + Token.text(Claims.plain)
            let other = HMAC<SHA256>.authenticationCode(for: Array(honest.utf8), using: SymmetricKey(data: secret))
            contract.refuses(honest + "." + Base64URL.text(of: Array(other)), "bad signature")
        }
        for other in TestKey.Kind.allCases where other != kind {
            let signer = try await TestKey.shared(other)
            contract.refuses(try signer.token(), "wrong algorithm")
            contract.refuses(try signer.token(header: #"{"alg":"\#(kind.rawValue)"}"#), "bad signature")
        }
        contract.refuses(try key.token(header: #"{"alg":"HS256"}"#), "wrong algorithm")
    }

    /// A key that a token brings along proves nothing.
    @Test(arguments: TestKey.Kind.allCases)
    func embeddedKey(kind: TestKey.Kind) async throws {
        let key = try await TestKey.shared(kind)
        let contract = TokenVerifierContract(try await key.verifier(), at: Claims.now)
        let forger = kind == .rs256 ? try await TestKey.shared(.es256) : try await TestKey(kind)
        let jwk = String(decoding: TestKey.set(forger.jwk).dropFirst(9).dropLast(2), as: UTF8.self)
        for more in [#""jwk":\#(jwk)"#, #""jwk":\#(jwk),"jku":"https://evil.example/keys""#] {
            let header = #"{"alg":"\#(kind.rawValue)",\#(more)}"#
            contract.refuses(try forger.token(header: header), "bad signature")
            contract.accepts(try key.token(header: header), as: "ada")
        }
    }

    /// Signatures that are made of nothing, among them those that other libraries have taken (CVE-2022-21449).
    @Test(arguments: TestKey.Kind.allCases, [0, 1, 32, 63, 64, 65, 70, 255, 256, 257, 512])
    func hollowSignatures(kind: TestKey.Kind, length: Int) async throws {
        let key = try await TestKey.shared(kind)
        let contract = TokenVerifierContract(try await key.verifier(), at: Claims.now)
        let honest = Array(Token.segments(of: try key.token()).dropLast())
        for byte: UInt8 in [0, 1, 255] {
            contract.refuses(Token.joining(honest + [[UInt8](repeating: byte, count: length)]), "bad signature")
        }
    }

    // MARK: Sets of keys

    @Test func keyIdentifiers() async throws {
        let first = try await TestKey.shared(.es256)
        let second = try await TestKey(.es256)
        let third = try await TestKey.shared(.eddsa)
        let stranger = try await TestKey(.es256)
        let set = TestKey.set(
            first.member(["kid": "one"]), second.member(["kid": "caf\u{E9}"]), third.member(["kid": "K3"]),
            try await TestKey.shared(.hs256).jwk)
        let contract = TokenVerifierContract(
            try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: set)), at: Claims.now)

        contract.accepts(try first.token(header: #"{"alg":"ES256","kid":"one"}"#), as: "ada")
        contract.accepts(try second.token(header: #"{"alg":"ES256","kid":"caf\u00e9"}"#), as: "ada")
        contract.accepts(try third.token(header: #"{"alg":"EdDSA","kid":"K3"}"#), as: "ada")
        for key in [first, second, third, try await TestKey.shared(.hs256)] { contract.accepts(try key.token(), as: "ada") }

        contract.refuses(try second.token(header: #"{"alg":"ES256","kid":"one"}"#), "bad signature")
        contract.refuses(try third.token(header: #"{"alg":"EdDSA","kid":"one"}"#), "wrong algorithm")
        contract.refuses(try first.token(header: #"{"alg":"ES256","kid":"K3"}"#), "wrong algorithm")
        for kid in ["two", "", "One", "one ", "cafe\\u0301", "\\u212a3", "../one"] {
            contract.refuses(try first.token(header: #"{"alg":"ES256","kid":"\#(kid)"}"#), "unknown key")
        }
        contract.refuses(try stranger.token(), "bad signature")
        contract.refuses(try await TestKey.shared(.rs256).token(), "wrong algorithm")
        contract.refuses(try await TestKey.shared(.hs256).token(header: #"{"alg":"HS256","kid":"one"}"#), "wrong algorithm")
    }

    /// A key without a name is not chosen by one.
    @Test func namedTokenForUnnamedKey() async throws {
        let key = try await TestKey.shared(.eddsa)
        let contract = TokenVerifierContract(
            try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: TestKey.set(key.jwk))), at: Claims.now)
        contract.accepts(try key.token(), as: "ada")
        contract.refuses(try key.token(header: #"{"alg":"EdDSA","kid":"one"}"#), "unknown key")
        contract.refuses(try key.token(header: #"{"alg":"EdDSA","kid":""}"#), "unknown key")
    }

    /// With a single key out of a set it does not matter what it is called.
    @Test(arguments: TestKey.Kind.allCases)
    func lonelyKey(kind: TestKey.Kind) async throws {
        let key = try await TestKey.shared(kind)
        let contract = TokenVerifierContract(try await key.verifier(), at: Claims.now)
        contract.accepts(try key.token(header: #"{"alg":"\#(kind.rawValue)","kid":"anything"}"#), as: "ada")
    }
}
