import Foundation
import ParleyCore
import ParleyHost
import ParleyJWT

/// The settings that say whose word is taken for who somebody is (`auth.…`).
enum AuthSettings {
    /// Lines of the table.
    static let keys: [SettingKey] = [
        SettingKey(
            "auth.trustParent", .flag, default: "true",
            "Whether the parent process may simply name a user or the operator; otherwise users need a userToken."
        ),
        SettingKey(
            "auth.jwt.keyFile", .text,
            "The file of the key that users' tokens (JWT) are verified with: a JWKS, a public key in PEM, or at least 32 bytes shared with the issuer."
        ),
        SettingKey("auth.jwt.issuer", .text, "What a token's iss must be; by default anything."),
        SettingKey("auth.jwt.audience", .text, "What a token's aud must hold; by default a token that has an aud is refused."),
        SettingKey(
            "auth.jwt.leewaySeconds", .integer(0...3_600), default: "30",
            "By how much the clock of whoever issues tokens may differ."
        ),
    ]

    /// What the settings give.
    ///
    /// - Throws: `SettingsError` for a key that cannot be used.
    static func authentication(_ settings: Settings) async throws(SettingsError) -> Authentication {
        Authentication(trustsParent: settings.flag("auth.trustParent"), verifier: try await verifier(settings))
    }

    private static func verifier(_ settings: Settings) async throws(SettingsError) -> (any TokenVerifier)? {
        guard let path = settings.text("auth.jwt.keyFile") else {
            for name in ["auth.jwt.issuer", "auth.jwt.audience"] where settings.text(name) != nil {
                throw SettingsError("\(name): means nothing without auth.jwt.keyFile.")
            }
            return nil
        }
        let key: [UInt8]
        do {
            key = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw SettingsError("auth.jwt.keyFile: the file that it names cannot be read.")
        }
        do throws(JWTKeyError) {
            return try await JWTVerifier(
                JWTVerifierConfiguration(
                    keyName: path, key: key, issuer: settings.text("auth.jwt.issuer"), audience: settings.text("auth.jwt.audience"),
                    leewaySeconds: settings.integer("auth.jwt.leewaySeconds")))
        } catch {
            throw SettingsError("auth.jwt.keyFile: \(error.message)")
        }
    }
}
