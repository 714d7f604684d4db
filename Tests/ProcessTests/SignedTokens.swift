import Foundation
import ParleyTestSupport
import Testing

/// A key file, and a token for the user ada that verifies with it until the year 2100.
struct SignedToken: Sendable, CustomTestStringConvertible {
    let name: String
    /// The text of the file that `auth.jwt.keyFile` names.
    let keyFile: String
    let token: String

    var testDescription: String { name }

    /// Keys that were made for these tests, of which nobody has the private half any more.
    static let rs256 = SignedToken(
        name: "RS256", keyFile: set,
        token: "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9" + claims
            + "N4V63fGsCh0a6YBhAk3x6deifJimMpDk9ih86yXjayZt8WN7LzvP-1S4jEVpIKzFIa1kRZ31zXA6gJecXbt8RKDMaBpvd3_BLHG0zc02GZBMVO89ujcs"
            + "-iXfkuX0fGbl25nJqLtViac20hOOWNejwd0TNi4Fm6huoLCPnHbTY1oIC4MMiRTDmBzuftXoi2sPphGHPJ2qO8VtV631N7_Kjxd9d4UQEEOkl0H_-n1g"
            + "Ue0PMx70G50bFZBJ7PSWT0dsdZO4sgvlycD4m1MgiIOnoag8-A-coNx3jMYLytyDqBXJF51JmUVOZdlvYkKTyO8pCBBMJOKNk8iiCYZg1nNB0w")
    static let es256 = SignedToken(
        name: "ES256", keyFile: set,
        token: "eyJhbGciOiJFUzI1NiIsImtpZCI6ImVjIn0" + claims
            + "LtrmWiptXFaGGpuehEVeUOGc-LFM0exgStQx4p53-IjwI7X-i2E7kUgdRgIJ_aDCHI0dgu5nFjZ1WCIKMvde1g")
    static let ed25519 = SignedToken(
        name: "Ed25519",
        keyFile: """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEAwzMZ0jiPaLL+Y36U6ZoSOnBnjMhDFRwVeN8VfuifnZ0=
            -----END PUBLIC KEY-----

            """,
        token: "eyJhbGciOiJFZERTQSJ9" + claims
            + "x5dDkaXRfFt4__mgfBYKjzfHioVozn_zAilnJ4dtu4B0nuCraXoMtM_8y9HY7WMtiuAVH4LBFbmXsujhTlJCBw")

    /// `{"sub":"ada","exp":4102444800}`, between dots.
    private static let claims = ".eyJzdWIiOiJhZGEiLCJleHAiOjQxMDI0NDQ4MDB9."

    /// A JWKS with a key for ES256 and one for RS256.
    private static let set = """
        {"keys":[{"kty":"EC","crv":"P-256","kid":"ec","x":"OmhLcmJcxMkJqKVKclQ3D23UC-jEy8SHB8XozUIJR6o",\
        "y":"4Nmo70tk_ZCz_SwNMCl_S3kBHqgkm5uyHEQXWIkcLEw"},{"kty":"RSA","kid":"rsa","e":"AQAB",\
        "n":"pWsBPz1XponIuzsOaU_m7iXuRFOEBlmgehS58OJq_xxEZTLwUVFl7E80x8Nv8aLi0YCSA2BSYIu63BkfZ74aItS8HdBlJ_ENBdzpRc1Skjjl6hTpk3Ih\
        2UDQZ7EyWAV1ZbPjyJN2POdgSe_-8KLVIewjh4OG3YfNG4UfRAZUl8BzMbm1lq7CwFKP2BgB0oALMU569eiF-UD_4T0SKdGxXMTgTOQdzf9gc7HmcgHEs6En\
        LeAlk9b5J_3s0SjOHxG6cGpT9h0jUoLYGyF358dkQ0wbQN-EyNdyd9y-D7i-11Cbg4RyY6qOJqcru0qr4SM9t0Nlwlvgu4JTOy7BFMdEOQ"}]}
        """
}

/// A secret that the issuer of tokens shares with the host (HS256).
struct SharedSecret: Sendable {
    /// The secret, which is the text of the key file as well.
    let text: String

    /// Makes a new secret.
    ///
    /// - Parameter text: by default 72 bytes that nobody has guessed.
    init(_ text: String = UUID().uuidString + UUID().uuidString) {
        self.text = text
    }

    private struct SigningFailure: Error {
        let output: String
    }

    /// Signs claims.
    ///
    /// - Parameter header: JSON, sensible or not.
    func sign(_ claims: String, header: String = #"{"alg":"HS256","typ":"JWT"}"#) async throws -> String {
        let script = """
            import base64, hashlib, hmac, sys
            text = ".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in sys.argv[2:])
            signature = hmac.new(sys.argv[1].encode(), text.encode(), hashlib.sha256).digest()
            print(text + "." + base64.urlsafe_b64encode(signature).rstrip(b"=").decode(), end="")
            """
        let (code, output) = try await ChildProcess.run(["/usr/bin/python3", "-I", "-S", "-c", script, text, header, claims])
        guard code == 0 else { throw SigningFailure(output: output) }
        return output
    }

    /// A token for a user.
    ///
    /// - Parameters:
    ///   - seconds: for how long it is valid; negative for one that was.
    ///   - more: further claims, each with a comma before it.
    func token(for user: String = "ada", validFor seconds: Int = 3_600, with more: String = "") async throws -> String {
        try await sign(#"{"sub":"\#(user)","exp":\#(Int(Date().timeIntervalSince1970) + seconds)\#(more)}"#)
    }
}

/// A part of a token.
enum TokenPart {
    /// Text as a token holds it.
    static func encoded(_ text: String) -> String {
        Data(text.utf8).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
