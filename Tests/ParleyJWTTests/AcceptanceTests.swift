import JSON
import JWTKit
import ParleyCore
import ParleyJWT
import ParleyTestSupport
import Testing

/// Tokens as issuers make them.
struct AcceptanceTests {
    /// What jwt-kit itself would write.
    private struct Payload: JWTPayload {
        var sub: SubjectClaim
        var exp: ExpirationClaim
        var roles: [String]

        func verify(using algorithm: some JWTAlgorithm) {}
    }

    /// The three ways in which a verifier may hold one key.
    enum Form: CaseIterable {
        case alone, named, unnamed

        func file(of key: TestKey) -> [UInt8] {
            switch self {
            case .alone: key.file
            case .named: TestKey.set(["kty": "unknown"], key.member(["kid": "one", "use": "sig", "alg": key.kind.rawValue]))
            case .unnamed: TestKey.set(key.jwk)
            }
        }
    }

    @Test(arguments: TestKey.Kind.allCases, Form.allCases)
    func verifies(kind: TestKey.Kind, form: Form) async throws {
        let key = try await TestKey.shared(kind)
        let verifier = try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: form.file(of: key)))
        let contract = TokenVerifierContract(verifier, at: Claims.now)
        contract.accepts(try key.token(), as: "ada")
        contract.refuses(
            try await TestKey(kind == .rs256 ? .es256 : kind).token(), kind == .rs256 ? "wrong algorithm" : "bad signature")
    }

    @Test func verifiesWhatJWTKitWrites() async throws {
        let secret = "0123456789abcdef0123456789abcdef"
        let issuer = await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256, kid: "main")
        let payload = Payload(
            sub: "grace", exp: ExpirationClaim(value: .init(timeIntervalSince1970: Double(Claims.second) + 0.5)), roles: ["a", "b"])
        let token = try await issuer.sign(payload, kid: "main")
        let verifier = try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: Array(secret.utf8)))
        TokenVerifierContract(verifier, at: Claims.now).accepts(token, as: "grace")
    }

    /// The example of RFC 7515, appendix A.1, has no `sub`, so it gets as far as its claims and no further; one wrong byte stops it earlier.
    @Test func theExampleOfTheStandard() async throws {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
        let text =
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
            + ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        let verifier = try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: TestKey.set(["kty": "oct", "k": key])))
        let contract = TokenVerifierContract(verifier, at: Claims.now)
        contract.refuses(text + "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "malformed claims")
        contract.refuses(text + "eBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "bad signature")
    }

    /// The example of RFC 8037, appendix A: a signature of Ed25519 that no library of ours made, over text that is no token.
    @Test func theExampleForEd25519() async throws {
        let set = TestKey.set(["kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"])
        let verifier = try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: set))
        let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
        let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
        let contract = TokenVerifierContract(verifier, at: Claims.now)
        contract.refuses(text + signature, "malformed claims")
        contract.refuses(text + "i" + signature.dropFirst(), "bad signature")
    }

    @Test(arguments: ["a", "ünï\u{1F600}", String(repeating: "x", count: 256), String(repeating: "é", count: 128), #"\u0061\"da"#])
    func subjects(subject: String) async throws {
        let key = try await TestKey.shared(.eddsa)
        let token = try key.token(#"{"sub":"\#(subject)","exp":\#(Claims.second + 60)}"#)
        let expected = subject.hasPrefix("\\") ? "a\"da" : subject
        TokenVerifierContract(try await key.verifier(), at: Claims.now).accepts(token, as: expected)
    }

    /// The longest token is read, and one byte more is not.
    @Test func length() async throws {
        let key = try await TestKey.shared(.hs256)
        let contract = TokenVerifierContract(try await key.verifier(), at: Claims.now)
        for (length, isAccepted) in [(8_192, true), (8_193, false)] {
            let token = try #require(try Self.token(of: length, signedBy: key))
            #expect(token.utf8.count == length)
            if isAccepted {
                contract.accepts(token, as: "ada")
            } else {
                contract.refuses(token, "too long")
            }
        }
    }

    private static func token(of length: Int, signedBy key: TestKey) throws -> String? {
        for padding in 0..<4 {
            let header = #"{"alg":"HS256","x":"\#(String(repeating: "x", count: padding))"}"#
            let fixed = Token.text(header).utf8.count + 2 + 43
            for more in 5_900..<6_200 where Token.text(String(repeating: "x", count: more)).utf8.count == length - fixed {
                let filler = String(repeating: "x", count: more - Claims.with(#","x":"""#).utf8.count)
                return try key.token(header: header, Claims.with(#","x":"\#(filler)""#))
            }
        }
        return nil
    }
}
