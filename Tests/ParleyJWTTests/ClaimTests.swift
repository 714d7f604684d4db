import ParleyCore
import ParleyJWT
import ParleyTestSupport
import Testing

/// What a token's claims must say, with tokens whose signature is right.
struct ClaimTests {
    /// Claims and what becomes of them.
    struct Case: CustomTestStringConvertible, Sendable {
        var claims: String
        var reason: String?
        var issuer: String?
        var audience: String?
        var leewaySeconds = 30

        var testDescription: String { claims }
    }

    @Test(arguments: types + times + issuers + audiences)
    func claims(_ example: Case) async throws {
        let key = try await TestKey.shared(.hs256)
        let verifier = try await key.verifier(issuer: example.issuer, audience: example.audience, leewaySeconds: example.leewaySeconds)
        let contract = TokenVerifierContract(verifier, at: Claims.now)
        let token = try key.token(example.claims)
        switch example.reason {
        case nil: contract.accepts(token, as: "ada")
        case "expired": contract.refuses(token, "expired", message: "The user token has expired.")
        case let reason: contract.refuses(token, reason)
        }
    }

    private static let malformed = "malformed claims"
    private static let second = Claims.second

    static let types: [Case] = [
        Case(claims: Claims.plain),
        Case(claims: " \n" + Claims.plain + " "),
        Case(claims: Claims.with(#","name":{"a":[1,{"a":1,"a":2}]},"x":null,"big":1e999"#)),
        Case(claims: #"{"sub":"ada"}"#, reason: malformed),
        Case(claims: #"{"exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":"","exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":"\#(String(repeating: "x", count: 257))","exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":"\#(String(repeating: "é", count: 129))","exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":1,"exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":null,"exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":["ada"],"exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":{"id":"ada"},"exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":"\ud800","exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: #"{"sub":"ada","exp":"\#(second + 60)"}"#, reason: malformed),
        Case(claims: #"{"sub":"ada","exp":null}"#, reason: malformed),
        Case(claims: #"{"sub":"ada","exp":true}"#, reason: malformed),
        Case(claims: #"{"sub":"ada","exp":[\#(second + 60)]}"#, reason: malformed),
        Case(claims: #"{"sub":"ada","exp":1e999}"#, reason: malformed),
        Case(claims: #"{"sub":"ada","Exp":\#(second + 60)}"#, reason: malformed),
        Case(claims: Claims.with(#","nbf":"0""#), reason: malformed),
        Case(claims: Claims.with(#","nbf":null"#), reason: malformed),
        Case(claims: Claims.with(#","iat":"0""#), reason: malformed),
        Case(claims: Claims.with(#","iss":1"#), reason: malformed),
        Case(claims: Claims.with(#","aud":1"#), reason: malformed, audience: "a"),
        Case(claims: Claims.with(#","aud":null"#), reason: malformed),
        Case(claims: Claims.with(#","aud":["a",1]"#), reason: malformed, audience: "a"),
        Case(claims: Claims.with(#","aud":{"a":"a"}"#), reason: malformed, audience: "a"),
        Case(claims: Claims.with(#","sub":"ada""#), reason: malformed),
        Case(claims: Claims.with(#","sub":"eve""#), reason: malformed),
        Case(claims: Claims.with(#","\u0073ub":"ada""#), reason: malformed),
        Case(claims: Claims.with(#","exp":\#(second + 60)"#), reason: malformed),
        Case(claims: Claims.with(#","x":1,"x":1"#), reason: malformed),
        Case(claims: Claims.plain + Claims.plain, reason: malformed),
        Case(claims: "[\(Claims.plain)]", reason: malformed),
        Case(claims: Claims.plain.dropLast() + ",}", reason: malformed),
        Case(claims: #""ada""#, reason: malformed),
        Case(claims: "null", reason: malformed),
        Case(claims: "", reason: malformed),
        Case(claims: String(repeating: "[", count: 4_000), reason: malformed),
        Case(claims: Claims.with(#","x":\#(String(repeating: "[", count: 200) + String(repeating: "]", count: 200))"#), reason: malformed),
    ]

    /// Every bound a second before it, at it, and after it, and in fractions.
    static let times: [Case] =
        [0, 1, 30, 3_600].flatMap { leeway in
            [
                Case(claims: expiring("\(second - leeway + 1)"), leewaySeconds: leeway),
                Case(claims: expiring("\(second - leeway)"), reason: "expired", leewaySeconds: leeway),
                Case(claims: expiring("\(second - leeway - 1)"), reason: "expired", leewaySeconds: leeway),
                Case(claims: expiring("\(second - leeway).001"), leewaySeconds: leeway),
                Case(claims: expiring("\(second - leeway - 1).999"), reason: "expired", leewaySeconds: leeway),
                Case(claims: Claims.with(#","nbf":\#(second + leeway - 1)"#), leewaySeconds: leeway),
                Case(claims: Claims.with(#","nbf":\#(second + leeway)"#), leewaySeconds: leeway),
                Case(claims: Claims.with(#","nbf":\#(second + leeway + 1)"#), reason: "not yet valid", leewaySeconds: leeway),
                Case(claims: Claims.with(#","nbf":\#(second + leeway).001"#), reason: "not yet valid", leewaySeconds: leeway),
                Case(claims: Claims.with(#","iat":\#(second + leeway - 1)"#), leewaySeconds: leeway),
                Case(claims: Claims.with(#","iat":\#(second + leeway)"#), leewaySeconds: leeway),
                Case(claims: Claims.with(#","iat":\#(second + leeway + 1)"#), reason: "issued in the future", leewaySeconds: leeway),
                Case(claims: Claims.with(#","iat":\#(second + leeway).001"#), reason: "issued in the future", leewaySeconds: leeway),
            ]
        } + [
            Case(claims: expiring("\(second + 1)"), leewaySeconds: -5),
            Case(claims: expiring("\(second)"), reason: "expired", leewaySeconds: -5),
            Case(claims: expiring("0"), leewaySeconds: .max),
            Case(claims: expiring("1.8e9")),
            Case(claims: expiring("1e300")),
            Case(claims: expiring("99999999999999999999999")),
            Case(claims: expiring("-1e300"), reason: "expired"),
            Case(claims: expiring("-1"), reason: "expired"),
            Case(claims: expiring("0"), reason: "expired"),
            Case(claims: expiring("-0"), reason: "expired"),
            Case(claims: Claims.with(#","nbf":-1e300,"iat":-1"#)),
            Case(claims: Claims.with(#","nbf":1e300"#), reason: "not yet valid"),
            Case(claims: Claims.with(#","iat":1e300"#), reason: "issued in the future"),
            // Only whoever needs nothing but a newer token hears that this one has expired.
            Case(claims: expiring("0", #","iss":"x""#), reason: "wrong issuer", issuer: "y"),
            Case(claims: expiring("0", #","aud":"x""#), reason: "wrong audience"),
            Case(claims: expiring("0", #","nbf":1e300"#), reason: "not yet valid"),
        ]

    static let issuers: [Case] = [
        Case(claims: Claims.with(#","iss":"anyone""#)),
        Case(claims: Claims.with(#","iss":"https://a.example""#), issuer: "https://a.example"),
        Case(claims: Claims.plain, reason: "wrong issuer", issuer: "https://a.example"),
        Case(claims: Claims.with(#","iss":"https://a.example/""#), reason: "wrong issuer", issuer: "https://a.example"),
        Case(claims: Claims.with(#","iss":"https://A.example""#), reason: "wrong issuer", issuer: "https://a.example"),
        Case(claims: Claims.with(#","iss":"""#), reason: "wrong issuer", issuer: "https://a.example"),
        Case(claims: Claims.with(#","iss":"caf\u00e9""#), issuer: "caf\u{E9}"),
        Case(claims: Claims.with(#","iss":"cafe\u0301""#), reason: "wrong issuer", issuer: "caf\u{E9}"),
    ]

    static let audiences: [Case] = [
        Case(claims: Claims.with(#","aud":"parley""#), audience: "parley"),
        Case(claims: Claims.with(#","aud":["parley"]"#), audience: "parley"),
        Case(claims: Claims.with(#","aud":["other","parley"]"#), audience: "parley"),
        Case(claims: Claims.plain, reason: "wrong audience", audience: "parley"),
        Case(claims: Claims.with(#","aud":"other""#), reason: "wrong audience", audience: "parley"),
        Case(claims: Claims.with(#","aud":"parley2""#), reason: "wrong audience", audience: "parley"),
        Case(claims: Claims.with(#","aud":[]"#), reason: "wrong audience", audience: "parley"),
        Case(claims: Claims.with(#","aud":["other"]"#), reason: "wrong audience", audience: "parley"),
        Case(claims: Claims.with(#","aud":["cafe\u0301"]"#), reason: "wrong audience", audience: "caf\u{E9}"),
        Case(claims: Claims.with(#","aud":"parley""#), reason: "wrong audience"),
        Case(claims: Claims.with(#","aud":["parley"]"#), reason: "wrong audience"),
        Case(claims: Claims.with(#","aud":[]"#), reason: "wrong audience"),
    ]

    private static func expiring(_ exp: String, _ more: String = "") -> String {
        #"{"sub":"ada","exp":\#(exp)\#(more)}"#
    }

    /// The leeway is half a minute unless somebody says otherwise, and the clock is the one that is handed in.
    @Test func clock() throws {
        #expect(JWTVerifierConfiguration(keyName: "k", key: []).leewaySeconds == 30)
    }

    @Test(arguments: [(-30_001, nil), (-1, nil), (89_999, nil), (90_000, "expired"), (10_000_000, "expired"), (-2_000_000_000_000, nil)])
    func atOtherTimes(milliseconds: Int64, reason: String?) async throws {
        let key = try await TestKey.shared(.hs256)
        let contract = TokenVerifierContract(try await key.verifier(), at: Claims.now.advanced(byMilliseconds: milliseconds))
        if let reason {
            contract.refuses(try key.token(), reason, message: "The user token has expired.")
        } else {
            contract.accepts(try key.token(), as: "ada")
        }
    }

    /// Milliseconds count, on the clock and in the claims.
    @Test(arguments: [(90_499, nil), (90_500, "expired"), (-28_501, "not yet valid"), (-28_500, nil)])
    func betweenSeconds(milliseconds: Int64, reason: String?) async throws {
        let key = try await TestKey.shared(.hs256)
        let contract = TokenVerifierContract(try await key.verifier(), at: Claims.now.advanced(byMilliseconds: milliseconds))
        let token = try key.token(#"{"sub":"ada","exp":\#(Claims.second + 60).5,"nbf":\#(Claims.second + 1).5}"#)
        if let reason {
            let message = reason == "expired" ? "The user token has expired." : "The user token is not valid."
            contract.refuses(token, reason, message: message)
        } else {
            contract.accepts(token, as: "ada")
        }
    }
}
