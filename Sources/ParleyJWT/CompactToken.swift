import ParleyCore

/// A token in the compact form, taken apart (RFC 7515, section 7.1).
struct CompactToken {
    /// The longest token that is looked at, in bytes.
    static let maximumBytes = 8_192

    /// The header as JSON.
    let header: [UInt8]
    /// The claims as JSON.
    let payload: [UInt8]
    /// The signature.
    let signature: [UInt8]
    /// What was signed: the first two segments as they were sent, with their dot.
    let signedText: [UInt8]

    /// Takes a token apart.
    ///
    /// - Throws: `tooLong` before anything is decoded; `malformed` unless there are three segments of base64url, each written in the only way
    ///   in which its bytes can be.
    init(_ text: String) throws(TokenFault) {
        guard text.utf8.count <= Self.maximumBytes else { throw .tooLong }
        let segments = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard segments.count == 3,
            let header = Base64URL.exactBytes(of: segments[0]),
            let payload = Base64URL.exactBytes(of: segments[1]),
            let signature = Base64URL.exactBytes(of: segments[2])
        else { throw .malformed }
        self.header = header
        self.payload = payload
        self.signature = signature
        signedText = Array(text.utf8.prefix(segments[0].count + 1 + segments[1].count))
    }
}

extension Base64URL {
    /// Reads bytes from text that is written exactly as `text(of:)` writes them: no padding, no bits left over (RFC 4648, section 3.5).
    ///
    /// - Returns: nil for every other text.
    static func exactBytes(of text: Substring.UTF8View) -> [UInt8]? {
        bytes(of: String(Substring(text))).flatMap { Self.text(of: $0).utf8.elementsEqual(text) ? $0 : nil }
    }
}
