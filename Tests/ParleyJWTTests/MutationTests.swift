import JWTKit
import ParleyCore
import ParleyJWT
import ParleyTestSupport
import Testing

/// Good tokens with one thing wrong, and things that never were tokens.
struct MutationTests {
    private static let now = Claims.now

    @Test(arguments: TestKey.Kind.allCases)
    func truncatedAnywhere(kind: TestKey.Kind) async throws {
        let key = try await TestKey.shared(kind)
        let contract = TokenVerifierContract(try await key.verifier(), at: Self.now)
        let token = try key.token()
        contract.accepts(token, as: "ada")
        for count in 0..<token.utf8.count {
            contract.refuses(String(token.prefix(count)))
            contract.refuses(String(token.suffix(count)))
        }
    }

    /// One bit of the text, and one bit of what each segment holds.
    @Test(arguments: TestKey.Kind.allCases)
    func oneBitFlipped(kind: TestKey.Kind) async throws {
        let key = try await TestKey.shared(kind)
        let contract = TokenVerifierContract(try await key.verifier(), at: Self.now)
        let token = try key.token()
        for index in token.utf8.indices {
            for bit in 0..<7 {
                var bytes = Array(token.utf8)
                bytes[token.utf8.distance(from: token.startIndex, to: index)] ^= 1 << bit
                contract.refuses(String(decoding: bytes, as: UTF8.self))
            }
        }
        let segments = Token.segments(of: token)
        #expect(segments.count == 3)
        for segment in segments.indices {
            for index in segments[segment].indices {
                for bit in 0..<8 {
                    var changed = segments
                    changed[segment][index] ^= 1 << bit
                    contract.refuses(Token.joining(changed))
                }
            }
        }
    }

    /// Segments of two good tokens do not mix.
    @Test func exchangedSegments() async throws {
        let key = try await TestKey.shared(.eddsa)
        let contract = TokenVerifierContract(try await key.verifier(), at: Self.now)
        let ada = Token.segments(of: try key.token())
        let eve = Token.segments(of: try key.token(header: #"{"alg":"EdDSA","typ":"JWT"}"#, #"{"sub":"eve","exp":\#(Claims.second + 60)}"#))
        contract.accepts(Token.joining(ada), as: "ada")
        contract.accepts(Token.joining(eve), as: "eve")
        for mixed in [[ada[0], eve[1], ada[2]], [eve[0], ada[1], ada[2]], [ada[0], ada[1], eve[2]], [ada[0], eve[1], eve[2]]] {
            contract.refuses(Token.joining(mixed), "bad signature")
        }
        contract.refuses(Token.joining([ada[1], ada[0], ada[2]]), "wrong algorithm")
    }

    /// Forms that are close to the one form that there is (RFC 7515, section 7.1).
    @Test func otherForms() async throws {
        let key = try await TestKey.shared(.hs256)
        let verifier = try await key.verifier()
        let contract = TokenVerifierContract(verifier, at: Self.now)
        // Bytes whose base64url holds both characters that plain base64 writes differently.
        let token = try key.token(header: #"{"alg":"HS256","x":"\#u{FB}\#u{FF}~~~???>>>"}"#)
        let parts = token.split(separator: ".").map(String.init)
        #expect(parts[0].contains("_") || parts[0].contains("-"))
        contract.accepts(token, as: "ada")
        let joined = { (segments: [String]) in segments.joined(separator: ".") }
        let plain = { (text: String) in String(text.map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 }) }
        let malformed =
            [
                "", ".", "...", "a", "a.b", "a.b.c", "\(token).", ".\(token)", "\(token)..", "\(token) ", " \(token)", "\(token)\n",
                "\n\(token)", "\(token)\0", "Bearer \(token)", "\"\(token)\"", "\(token).\(token)", "\u{FEFF}\(token)",
                joined([parts[0], parts[1]]), joined([parts[0], parts[1], parts[2], ""]), joined(parts + parts.prefix(2)),
                joined([parts[0], "", parts[1], parts[2]]), joined([plain(parts[0]), parts[1], parts[2]]),
                parts.joined(separator: ","), token.replacing(".", with: "%2E"), token.replacing(".", with: "\u{FF0E}"),
                #"{"payload":"\#(parts[1])","protected":"\#(parts[0])","signature":"\#(parts[2])"}"#,
            ]
            + (0..<3).flatMap { index in
                ["=", "==", "!", " ", "\n", "\u{E9}", "\u{1F600}"].map { tail in
                    var changed = parts
                    changed[index] += tail
                    return joined(changed)
                }
            }
        contract.refuses("..", "malformed header")
        for text in malformed {
            contract.refuses(text, "malformed")
        }
    }

    /// A token in a token (RFC 7519, section 5.2), signed by the right key, speaks for nobody.
    @Test func nested() async throws {
        let key = try await TestKey.shared(.rs256)
        let contract = TokenVerifierContract(try await key.verifier(), at: Self.now)
        let inner = try key.token()
        contract.refuses(try key.token(header: #"{"alg":"RS256","cty":"JWT"}"#, inner), "malformed claims")
        contract.refuses(try key.token(header: #"{"alg":"RS256","cty":"JWT"}"#, "\"\(inner)\""), "malformed claims")
        contract.refuses(inner + "." + inner, "malformed")
    }

    @Test(arguments: [8_193, 100_000, 5_000_000])
    func huge(length: Int) async throws {
        let key = try await TestKey.shared(.hs256)
        let contract = TokenVerifierContract(try await key.verifier(), at: Self.now)
        contract.refuses(String(repeating: ".", count: length), "too long")
        contract.refuses(String(repeating: "A", count: length), "too long")
        contract.refuses(try key.token() + String(repeating: "A", count: length), "too long")
        contract.refuses(try key.token(Claims.with(#","x":"\#(String(repeating: "x", count: length))""#)), "too long")
    }

    /// Text made by chance, and good tokens with several bytes changed by chance.
    @Test(arguments: 0..<8)
    func chance(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let key = try await TestKey.shared(.hs256)
        let verifier = try await key.verifier()
        let contract = TokenVerifierContract(verifier, at: Self.now)
        let token = try key.token(#"{"sub":"a\u00e9\ud83d\ude00","exp":\#(Claims.second + 60),"x":["a",{"b":[1.5e3,null]}]}"#)
        for _ in 0..<300 {
            let length = Int.random(in: 0...300, using: &generator)
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            contract.refuses(String(decoding: bytes, as: UTF8.self))
            let segments = Array(String(decoding: bytes, as: UTF8.self).utf8)
            contract.refuses(Token.joining([segments, bytes, bytes]))

            var changed = Token.segments(of: token)
            for _ in 0..<3 {
                let position = changed[1].indices.randomElement(using: &generator) ?? 0
                changed[1][position] = UInt8.random(in: 0...255, using: &generator)
            }
            contract.refuses(Token.joining(changed))
            // The signature is made good again, so that the claims are what is read: whatever they are, nothing breaks.
            let text = Base64URL.text(of: changed[0]) + "." + Base64URL.text(of: changed[1])
            let signed = text + "." + Base64URL.text(of: try key.signer.sign(Array(text.utf8)))
            do throws(Failure) {
                let id = try verifier.userID(of: signed, at: Self.now)
                #expect((1...256).contains(id.utf8.count))
            } catch {
                #expect(error.code == .authRequired)
            }
        }
    }
}
