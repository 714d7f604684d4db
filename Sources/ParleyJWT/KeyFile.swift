import JSON
import ParleyCore

/// The form in which a file holds a key.
enum KeyFile {
    /// The members of a set's object.
    case set(JSONValue)
    /// Text with a PEM block.
    case pem(String)
    /// A shared secret, long enough.
    case secret([UInt8])

    /// How long a secret for HS256 must be (RFC 7518, section 3.2).
    static let minimumSecretBytes = 32

    /// Finds the form out.
    ///
    /// What could be a public key in a form that is not read here never becomes a secret: everybody who knows it could then sign
    /// (RFC 8725, section 2.1).
    ///
    /// - Throws: ``JWTKeyError`` for a private key, a secret that is too short, and what looks like a key or JSON but cannot be read.
    init(_ bytes: [UInt8], named name: String) throws(JWTKeyError) {
        // Without its mark and its zeros UTF-16 can be told too, though it is not read.
        let isMarked = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
        let letters = bytes.dropFirst(isMarked ? 2 : 0).filter { $0 != 0 }
        let text = String(decoding: letters, as: UTF8.self)
        if text.contains("-----BEGIN") {
            if text.contains("PRIVATE KEY") {
                throw JWTKeyError("The JWT key \(name) is a private key; verifying needs the public one alone.")
            }
            self = .pem(Self.trimmed(String(decoding: bytes, as: UTF8.self)))
        } else if let first = Self.trimmed(text).first, first == "{" || first == "[", String(validating: letters, as: UTF8.self) != nil {
            guard let value = try? JSONReader.parse(bytes), value["keys"]?.arrayValue != nil else {
                throw JWTKeyError("The JWT key \(name) begins like JSON, but is not a set of keys: an object with an array \"keys\".")
            }
            self = .set(value)
        } else {
            let secret = Self.withoutNewline(bytes)
            // A key may itself end in what, before the newline, is taken for a part of it.
            let isDER = [bytes, bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes, secret].contains { Self.isDER($0) }
            if isDER || Self.looksLikeAKey(Self.trimmed(text)) {
                throw JWTKeyError("The JWT key \(name) looks like a key that is neither PEM nor a set of keys, and so is no secret either.")
            }
            guard secret.count >= Self.minimumSecretBytes else {
                throw JWTKeyError("The JWT key \(name) has \(secret.count) bytes; HS256 needs at least \(Self.minimumSecretBytes).")
            }
            self = .secret(secret)
        }
    }

    private static func trimmed(_ text: String) -> String {
        let isSpace = { (character: Character) in character.isWhitespace || character == "\u{FEFF}" }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }

    private static func withoutNewline(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.last == UInt8(ascii: "\n") else { return bytes }
        return bytes.dropLast().last == UInt8(ascii: "\r") ? bytes.dropLast(2) : bytes.dropLast()
    }

    /// Whether text is a key of OpenSSH or PGP, or DER in base64.
    private static func looksLikeAKey(_ text: String) -> Bool {
        if ["ssh-rsa ", "ssh-ed25519 ", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "---- BEGIN"].contains(where: text.hasPrefix) {
            return true
        }
        var digits = text.filter { !$0.isWhitespace && $0 != "=" }
        digits.replace("+", with: "-")
        digits.replace("/", with: "_")
        return Base64URL.bytes(of: digits).map(isDER) ?? false
    }

    /// Whether bytes are one sequence that begins with another or with a number, as all keys and certificates are in DER (X.690, section 8).
    private static func isDER(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > 6, bytes[0] == 0x30 else { return false }
        let lengthBytes = bytes[1] < 0x80 ? 0 : Int(bytes[1] & 0x7F)
        guard lengthBytes <= 3 else { return false }
        let length = lengthBytes == 0 ? Int(bytes[1]) : bytes[2..<2 + lengthBytes].reduce(0) { $0 << 8 | Int($1) }
        return 2 + lengthBytes + length == bytes.count && (bytes[2 + lengthBytes] == 0x30 || bytes[2 + lengthBytes] == 0x02)
    }
}
