import Foundation
import ParleyCore
import ParleyJWT
import ParleyTestSupport
import Testing

/// What is taken for a key, and what the command line says of everything else.
struct KeyTests {
    private static let noPEM = "The JWT key k is PEM, but not one public key that is RSA of at least 2048 bits, EC P-256 or Ed25519."
    private static let isPrivate = "The JWT key k is a private key; verifying needs the public one alone."
    private static let noSet = "The JWT key k begins like JSON, but is not a set of keys: an object with an array \"keys\"."
    private static let noSecret = "The JWT key k looks like a key that is neither PEM nor a set of keys, and so is no secret either."
    private static let none = "The JWT keys k hold none for RS256, ES256, EdDSA or HS256."

    /// Makes sure that a file is refused with a sentence, none of whose words come from the file.
    private func refuses(
        _ file: [UInt8], _ message: String, sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        do throws(JWTKeyError) {
            _ = try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: file))
            Issue.record("accepted", sourceLocation: sourceLocation)
        } catch {
            #expect(error.message == message, sourceLocation: sourceLocation)
            #expect("\(error)" == message, sourceLocation: sourceLocation)
            let text = String(decoding: file, as: UTF8.self)
            for word in text.split(whereSeparator: { " \n\",:{}[]".contains($0) }) where word.utf8.count > 8 {
                #expect(!error.message.contains(word), "nothing of a key is shown", sourceLocation: sourceLocation)
            }
        }
    }

    private func verifier(_ file: [UInt8]) async throws -> JWTVerifier {
        try await JWTVerifier(JWTVerifierConfiguration(keyName: "k", key: file))
    }

    // MARK: Secrets

    @Test(arguments: ["", "\n", "\r\n"], [0, 1, 20, 31, 32, 33, 64, 1_000])
    func secretLength(newline: String, length: Int) async throws {
        let secret = [UInt8](repeating: UInt8(ascii: "s"), count: length)
        let file = secret + Array(newline.utf8)
        guard length >= 32 else { return await refuses(file, "The JWT key k has \(length) bytes; HS256 needs at least 32.") }
        let issuer = try await verifier(TestKey.set(["kty": "oct", "k": Base64URL.text(of: secret)]))
        let token = try await TestKey(secret: secret).token()
        let contract = TokenVerifierContract(try await verifier(file), at: Claims.now)
        contract.accepts(token, as: "ada")
        TokenVerifierContract(issuer, at: Claims.now).accepts(token, as: "ada")
        // One newline is the file's, any other byte is the secret's.
        contract.refuses(try await TestKey(secret: secret + [UInt8(ascii: "\n")]).token(), "bad signature")
        let doubled = TokenVerifierContract(try await verifier(file + [UInt8(ascii: "\n")]), at: Claims.now)
        if newline.isEmpty {
            doubled.accepts(token, as: "ada")
        } else {
            doubled.refuses(token, "bad signature")
        }
    }

    /// A secret is bytes, not text.
    @Test(arguments: [0 as UInt8, 0x0D, 0x20, 0x30, 0x7B, 0x80, 0xFF])
    func anyBytes(byte: UInt8) async throws {
        let secret = [byte] + [UInt8](repeating: 0xFE, count: 32) + [byte]
        TokenVerifierContract(try await verifier(secret), at: Claims.now)
            .accepts(try await TestKey(secret: secret).token(), as: "ada")
    }

    /// Many secrets made by chance are all taken for secrets: raw, in hex and in base64.
    @Test func secretsMadeByChance() async throws {
        var generator = SeededGenerator(seed: 1)
        for count in 32..<160 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            for file in [
                bytes + [0], Array(hex.utf8), Array(Data(bytes).base64EncodedString().utf8), Array(Base64URL.text(of: bytes).utf8),
            ] {
                _ = try await verifier(file)
            }
        }
    }

    /// The public half of a key in a form that is not read must not turn into a secret: everybody could sign with it.
    @Test(arguments: TestKey.Kind.asymmetric)
    func publicKeysAreNoSecrets(kind: TestKey.Kind) async throws {
        let key = try await TestKey.shared(kind)
        let pem = String(decoding: key.file, as: UTF8.self)
        let lines = pem.split(separator: "\n").filter { !$0.hasPrefix("-") }
        let der = Array(try #require(Data(base64Encoded: lines.joined())))
        await refuses(der, Self.noSecret)
        await refuses(der + [10], Self.noSecret)
        // The last byte of such a key is as good as any, also one that looks like the first half of a newline.
        await refuses(der.dropLast() + [13, 10], Self.noSecret)
        await refuses(der.dropLast() + [13, 13, 10], Self.noSecret)
        await refuses(Array(lines.joined().utf8), Self.noSecret)
        await refuses(Array((lines.joined(separator: "\n") + "\n").utf8), Self.noSecret)
        await refuses(Array(Base64URL.text(of: der).utf8), Self.noSecret)
        await refuses(Array("A comment\n\(pem)".utf8), Self.noPEM)
        await refuses(Array("\(pem)\nMore".utf8), Self.noPEM)
        await refuses(Array("\(pem)\n\(pem)\n".utf8), Self.noPEM)
        await refuses(Array(pem.dropLast(30).utf8), Self.noPEM)
        let set = String(decoding: TestKey.set(key.jwk), as: UTF8.self)
        for (text, message) in [(pem, Self.noPEM), (set, Self.noSet)] {
            await refuses([0xFF, 0xFE] + text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }, message)
            await refuses([0xFE, 0xFF] + text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }, message)
            await refuses(text.utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }, message)
        }
        await refuses(Array("\u{FEFF}\(set)".utf8), Self.noSet)
        await refuses(Array("\"\(pem)\"".utf8), Self.noPEM)
        let members = key.jwk.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",")
        await refuses(Array("{\(members)}".utf8), Self.noSet)
        await refuses(Array("{\"keys\":[{\(members)}".utf8), Self.noSet)
        await refuses(Array("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx someone@example".utf8), Self.noSecret)
    }

    /// DER may end with the byte that ends a line.
    @Test(arguments: [0x30 as UInt8, 0x02])
    func binaryKeys(tag: UInt8) async throws {
        let content = [tag] + [UInt8](repeating: 7, count: 58) + [UInt8(ascii: "\n")]
        await refuses([0x30, 60] + content, Self.noSecret)
        await refuses([0x30, 0x81, 60] + content, Self.noSecret)
        await refuses([0x30, 0x83, 0, 0, 60] + content, Self.noSecret)
        _ = try await verifier([0x30, 61] + content)
        _ = try await verifier([0x31, 60] + content)
    }

    // MARK: PEM

    @Test(arguments: TestKey.Kind.asymmetric, ["\n", "\r\n"])
    func pem(kind: TestKey.Kind, newline: String) async throws {
        let key = try await TestKey.shared(kind)
        let pem = String(decoding: key.file, as: UTF8.self).replacing("\n", with: newline)
        for file in [pem, pem + newline, "\n " + pem + newline + newline, "\u{FEFF}" + pem] {
            let contract = TokenVerifierContract(try await verifier(Array(file.utf8)), at: Claims.now)
            contract.accepts(try key.token(), as: "ada")
        }
    }

    @Test(arguments: TestKey.Kind.asymmetric)
    func privatePEM(kind: TestKey.Kind) async throws {
        let key = try await TestKey.shared(kind)
        #expect(String(decoding: key.privateFile, as: UTF8.self).contains("PRIVATE KEY"))
        await refuses(key.privateFile, Self.isPrivate)
        await refuses(key.file + [10] + key.privateFile, Self.isPrivate)
    }

    @Test(arguments: [
        // RSA of 1024 bits, EC P-384, X25519, a certificate.
        """
        -----BEGIN PUBLIC KEY-----
        MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCpCcOH5AhsEpWtqoDCP8lkZsLe
        mu93YVCUpd6wOqznW69L7+7YH2EhUkvTq32xF+MApvTVQsjUbfx0Lrh+o5Pxjad+
        RD2qA+4/6Bk+0f5YXjMe0A1mPkQG8C/yCnEGoND78hmcbmtz4sQCntoVSBgYf1E+
        n7v8loAp0Dp555DJJwIDAQAB
        -----END PUBLIC KEY-----
        """,
        """
        -----BEGIN PUBLIC KEY-----
        MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEvRFLyHsMncj4GKF/FPX+ZBRSE2LXZgid
        2FfQ6gkpQv2gbRBJe9jWWY+c7dj8V+WWKs3Ol4krVQPDfaEGpRp+oPBDAOSwoQjj
        PnV+1lbuF7dg2anb849W+FiENCZYh6z+
        -----END PUBLIC KEY-----
        """,
        """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VuAyEAUSTCBjukTj+bxwM3PYry35k74LqEdSp98xlq3MM7gVg=
        -----END PUBLIC KEY-----
        """,
        """
        -----BEGIN CERTIFICATE-----
        MIIBbjCCAROgAwIBAgIUdyMxcjnTZbpbTDPVO6Gobc5UPY8wCgYIKoZIzj0EAwIw
        DDEKMAgGA1UEAwwBeDAeFw0yNjExMjMxODE3MDZaFw0zNjExMjAxODE3MDZaMAwx
        CjAIBgNVBAMMAXgwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS4iupS4QLpnwWh
        2d8YebiMhT/Ki8pDSi02jJCpgbU/9ZBPcXPW3cYnPMPuokh52hLYFGBbp/WMP5UN
        d44dF1kPo1MwUTAdBgNVHQ4EFgQUFAxzCQbOFVXbwpWMOhb5vqz3wIMwHwYDVR0j
        BBgwFoAUFAxzCQbOFVXbwpWMOhb5vqz3wIMwDwYDVR0TAQH/BAUwAwEB/zAKBggq
        hkjOPQQDAgNJADBGAiEAj7+TuM22ESfvKhDvy8ajvV40W9kbzJfaEhY1vvtdKjIC
        IQCpGkaw07PmndwOwf4lK7q20Dctn5vcwOyf8N3efLFh/g==
        -----END CERTIFICATE-----
        """,
        "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----",
    ])
    func otherPEM(pem: String) async {
        await refuses(Array(pem.utf8), Self.noPEM)
    }

    // MARK: Sets

    @Test(arguments: [
        ("{}", noSet), (#"{"keys":{}}"#, noSet), (#"{"keys":null}"#, noSet), (#"{"kty":"oct","k":"AAAA"}"#, noSet), ("[]", noSet),
        (#"[{"kty":"oct"}]"#, noSet), (#"{"keys":["#, noSet), ("\n {", noSet), (#"{"keys":[]}{}"#, noSet), (#"{"keys":[]}"#, none),
        (#"{"keys":[1]}"#, "Key 1 in the JWT keys k is not an object."), (#"{"keys":[{}]}"#, none),
        (#"{"keys":[{"kty":"oct"}]}"#, #"Key 1 in the JWT keys k has no member "k" that is base64url."#),
        (#"{"keys":[{"kty":"oct","k":""}]}"#, #"Key 1 in the JWT keys k has no member "k" that is base64url."#),
        (#"{"keys":[{"kty":"oct","k":"AA=="}]}"#, #"Key 1 in the JWT keys k has no member "k" that is base64url."#),
        (#"{"keys":[{"kty":"oct","k":[1]}]}"#, #"Key 1 in the JWT keys k has no member "k" that is base64url."#),
        (#"{"keys":[{"kty":"X"},{"kty":"oct","k":"AAAAAA"}]}"#, "Key 2 in the JWT keys k has 4 bytes; HS256 needs at least 32."),
        (#"{"keys":[{"kty":"oct","k":"\#(secret31)"}]}"#, "Key 1 in the JWT keys k has 31 bytes; HS256 needs at least 32."),
        (#"{"keys":[{"kty":"oct","k":"\#(secret32)","kid":7}]}"#, "Key 1 in the JWT keys k has a kid that is not a string."),
        (
            #"{"keys":[{"kty":"oct","k":"\#(secret32)","kid":"a"},{"kty":"oct","k":"\#(secret32)","kid":"a"}]}"#,
            "Key 2 in the JWT keys k has the same kid as another."
        ),
        (#"{"keys":[{"kty":"RSA","e":"AQAB"}]}"#, #"Key 1 in the JWT keys k has no member "n" that is base64url."#),
        (#"{"keys":[{"kty":"RSA","n":"AAAA","e":"AQAB"}]}"#, "Key 1 in the JWT keys k is an RSA key of 0 bits; RS256 needs at least 2048."),
        (
            #"{"keys":[{"kty":"RSA","n":"\#(modulus(1_024))","e":"AQAB"}]}"#,
            "Key 1 in the JWT keys k is an RSA key of 1024 bits; RS256 needs at least 2048."
        ),
        (
            #"{"keys":[{"kty":"RSA","n":"\#(modulus(2_047))","e":"AQAB"}]}"#,
            "Key 1 in the JWT keys k is an RSA key of 2047 bits; RS256 needs at least 2048."
        ),
        (
            #"{"keys":[{"kty":"RSA","n":"AAAA\#(modulus(2_040))","e":"AQAB"}]}"#,
            "Key 1 in the JWT keys k is an RSA key of 2040 bits; RS256 needs at least 2048."
        ),
        (#"{"keys":[{"kty":"RSA","n":"\#(modulus(2_048))"}]}"#, #"Key 1 in the JWT keys k has no member "e" that is base64url."#),
        (#"{"keys":[{"kty":"RSA","n":"\#(modulus(2_048))","e":"AQ"}]}"#, "Key 1 in the JWT keys k is not a key for RS256."),
        (#"{"keys":[{"kty":"RSA","n":"\#(modulus(2_048))","e":"AA"}]}"#, "Key 1 in the JWT keys k is not a key for RS256."),
        (#"{"keys":[{"kty":"RSA","n":"\#(modulus(2_048))","e":"Ag"}]}"#, "Key 1 in the JWT keys k is not a key for RS256."),
        (#"{"keys":[{"kty":"RSA","n":"\#(modulus(65_536))","e":"AQAB"}]}"#, "Key 1 in the JWT keys k is not a key for RS256."),
        (#"{"keys":[{"kty":"EC","crv":"P-256","x":"\#(secret32)"}]}"#, #"Key 1 in the JWT keys k has no member "y" that is base64url."#),
        (
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"\#(secret32)","y":"\#(secret32)"}]}"#,
            "Key 1 in the JWT keys k is not a key for ES256."
        ),
        (#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}"#, "Key 1 in the JWT keys k is not a key for ES256."),
        (#"{"keys":[{"kty":"OKP","crv":"Ed25519"}]}"#, #"Key 1 in the JWT keys k has no member "x" that is base64url."#),
        (#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"\#(secret31)"}]}"#, "Key 1 in the JWT keys k is not a key for EdDSA."),
    ])
    func badSets(file: String, message: String) async {
        await refuses(Array(file.utf8), message)
    }

    private static let secret31 = Base64URL.text(of: [UInt8](repeating: 7, count: 31))
    private static let secret32 = Base64URL.text(of: [UInt8](repeating: 7, count: 32))

    /// An odd number of so many bits.
    private static func modulus(_ bits: Int) -> String {
        var bytes = [UInt8](repeating: 0xFF, count: (bits + 7) / 8)
        bytes[0] >>= UInt8(bytes.count * 8 - bits)
        return Base64URL.text(of: bytes)
    }

    /// Whatever tells that a key is private is refused, even in a key that would be passed over.
    @Test(arguments: TestKey.Kind.asymmetric, ["d", "p", "q", "dp", "dq", "qi", "oth"])
    func privateMembers(kind: TestKey.Kind, member: String) async throws {
        let key = try await TestKey.shared(kind)
        let message = "Key 2 in the JWT keys k is a private key; verifying needs the public one alone."
        for more in [[member: "AAAA"], [member: "", "use": "enc"], [member: "AAAA", "alg": "X"], [member: "AAAA", "crv": "P-521"]] {
            await refuses(TestKey.set(try await TestKey.shared(.hs256).jwk, key.member(more)), message)
        }
    }

    /// Keys for something else are passed over (RFC 7517, section 5), and verify nothing.
    @Test(arguments: TestKey.Kind.allCases)
    func passedOver(kind: TestKey.Kind) async throws {
        let key = try await TestKey.shared(kind)
        let other = try await TestKey.shared(kind == .hs256 ? .eddsa : .hs256)
        for more in [
            ["use": "enc"], ["use": ""], ["alg": "none"], ["alg": ""], ["alg": "PS256"], ["alg": other.kind.rawValue], ["kty": "AKP"],
            ["key_ops": "verify"],
        ] {
            await refuses(TestKey.set(key.member(more)), Self.none)
            let contract = TokenVerifierContract(try await verifier(TestKey.set(key.member(more), other.jwk)), at: Claims.now)
            contract.accepts(try other.token(), as: "ada")
            contract.refuses(try key.token(), "wrong algorithm")
        }
        for (operations, isUsed) in [
            (#"["verify"]"#, true), (#"["sign","verify"]"#, true), (#"["sign"]"#, false), ("[]", false), ("null", false),
        ] {
            let set = String(decoding: TestKey.set(key.jwk), as: UTF8.self).replacing("}]", with: #","key_ops":\#(operations)}]"#)
            if isUsed {
                TokenVerifierContract(try await verifier(Array(set.utf8)), at: Claims.now).accepts(try key.token(), as: "ada")
            } else {
                await refuses(Array(set.utf8), Self.none)
            }
        }
    }

    /// The name in an error is the one that was given.
    @Test func name() async {
        await #expect(throws: JWTKeyError("The JWT key /etc/parley/jwt.key has 20 bytes; HS256 needs at least 32.")) {
            _ = try await JWTVerifier(JWTVerifierConfiguration(keyName: "/etc/parley/jwt.key", key: [UInt8](repeating: 65, count: 20)))
        }
    }
}
